//! Webex will not take it.

use super::stage::Stage;
use crate::harness::firing;

#[tokio::test(start_paused = true)]
async fn two_rooms_partial() {
    let more = "[receivers.two]\nrooms = [\"dead\", \"ops\"]\n";
    let stage = Stage::new("two_rooms_partial", more);
    stage.post("/two", &firing("Down")).await;
    stage.scene("one room is unknown to Webex");
    stage.post("/two", &firing("Other")).await;
    stage.scene("it is not asked again so soon");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn unknown_room() {
    let stage = Stage::new("unknown_room", "[receivers.lost]\nrooms = [\"dead\"]\n");
    stage.post("/lost", &firing("Down")).await;
    stage.scene("the room is unknown to Webex");
    stage.end();
}
