//! It is not delivered yet.

use std::time::Duration;

use super::limited;
use super::stage::Stage;
use crate::harness::firing;

#[tokio::test(start_paused = true)]
async fn gate_closed() {
    let stage = Stage::new("gate_closed", "");
    stage.fail(limited(30), 1);
    stage.post("", &firing("Down")).await;
    stage.scene("Webex named a time");
    stage.pass(Duration::from_secs(30)).await;
    stage.scene("the time is over");
    stage.post("", &firing("Down")).await;
    stage.scene("Alertmanager asks again");
    stage.end();
}
