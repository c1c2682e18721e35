//! What belongs to another project, and rooms that alerts ask for.

use super::stage::Stage;
use crate::harness::notification;
use crate::tenancy::alert;

#[tokio::test(start_paused = true)]
async fn namespaces() {
    let stage = Stage::new("namespaces", "namespaces = [\"team-a\"]\n");
    let mine = alert("Mine", "firing", "team-a", "");
    let foreign = alert("Foreign", "firing", "team-b", "");
    stage
        .post("", &notification("g", &[mine, foreign.clone()]))
        .await;
    stage.scene("one alert of two is another project's");
    stage.post("", &notification("h", &[foreign])).await;
    stage.scene("all are");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn rooms_by_need() {
    let more = "room_from = { annotation = \"webex_room\", allow = [\"ops\", \"dead\"] }\n";
    let stage = Stage::new("rooms_by_need", more);
    let own = alert("Own", "firing", "", "ops");
    let none = alert("None", "firing", "", "");
    let dead = alert("Dead", "firing", "", "dead");
    stage
        .post("", &notification("g", &[own.clone(), none]))
        .await;
    stage.scene("one alert asks for a room, one for none");
    stage.post("", &notification("h", &[own, dead])).await;
    stage.scene("one asks for a room that Webex refuses");
    stage.end();
}
