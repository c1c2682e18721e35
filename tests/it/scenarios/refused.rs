//! Webex will not take it.

use std::sync::Arc;
use std::time::Duration;

use super::stage::Stage;
use super::status;
use crate::delivery::Panicking;
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

#[tokio::test(start_paused = true)]
async fn message_refused() {
    let stage = Stage::new("message_refused", "");
    stage.fail(status(400), 2);
    stage.post("", &firing("Down")).await;
    stage.scene("as Markdown and as plain text");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn token_refused() {
    let stage = Stage::new("token_refused", "");
    stage.sandbox.revoke_token("sandbox").unwrap();
    stage.post("", &firing("Down")).await;
    stage.scene("a Secret may be on its way");
    stage.pass(Duration::from_secs(120)).await;
    stage.scene("two minutes later");
    stage.post("", &firing("Down")).await;
    stage.scene("it is refused for good");
    stage.sandbox.restore_token("sandbox").unwrap();
    stage.pass(Duration::from_secs(60)).await;
    stage.post("", &firing("Down")).await;
    stage.scene("it is taken again");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn panicked() {
    let stage = Stage::over("panicked", "", &[], |sandbox| {
        Arc::new(Panicking::new(sandbox))
    });
    stage.post("", &firing("Down")).await;
    stage.scene("a defect of ours");
    stage.post("", &firing("Down")).await;
    stage.scene("Alertmanager asks again");
    stage.end();
}
