//! Webex takes it, at once or in the end.

use std::time::Duration;

use super::stage::Stage;
use super::status;
use crate::harness::{firing, resolved};

#[tokio::test(start_paused = true)]
async fn delivered_at_once() {
    let stage = Stage::new("delivered_at_once", "");
    stage.post("", &firing("Down")).await;
    stage.scene("the room has it");
    stage.post("/default", &resolved("Down")).await;
    stage.scene("and its end");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn duplicate() {
    let stage = Stage::new("duplicate", "");
    stage.post("", &firing("Down")).await;
    stage.scene("the room has it");
    stage.pass(Duration::from_secs(60)).await;
    stage.post("", &firing("Down")).await;
    stage.scene("the same again");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn failed_and_succeeded() {
    let stage = Stage::new("failed_and_succeeded", "");
    stage.fail(status(503), 2);
    stage.post("", &firing("Down")).await;
    stage.scene("Webex was unwell twice");
    stage.end();
}
