//! An incoming webhook beside a room: one notification that goes two ways.

use super::stage::Stage;
use super::status;
use crate::harness::firing;

const BOTH: &str = "webhooks = [\"alerts\"]\n[webhooks.alerts]\nurl_file = \"FOLDER/url\"\n";

#[tokio::test(start_paused = true)]
async fn two_ways() {
    let stage = Stage::with_files("two_ways", BOTH, &[("url", "WEBHOOK")]);
    stage.post("", &firing("Down")).await;
    stage.scene("a room and a webhook have it");
    stage.post("", &firing("Down")).await;
    stage.scene("the same again");
    stage.fail(status(404), 1);
    stage.post("", &firing("Other")).await;
    stage.scene("one of them refuses");
    stage.end();
}
