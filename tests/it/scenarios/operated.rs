//! What its operators do with it.

use std::time::Duration;

use actix_web::test::TestRequest;

use super::limited;
use super::stage::Stage;
use crate::harness::firing;

#[tokio::test(start_paused = true)]
async fn reloaded() {
    let stage = Stage::new("reloaded", "");
    stage.edit(|toml| format!("{toml}[receivers.more]\nrooms = [\"ops\"]\n"));
    stage.call(TestRequest::post(), "/-/reload", "").await;
    stage.scene("with one more receiver");
    stage.edit(|toml| toml.replace("[\"ops\"]", "[\"nowhere\"]"));
    stage.call(TestRequest::post(), "/-/reload", "").await;
    stage.scene("with a room that nothing is named");
    stage.edit(|toml| toml.replace("[\"nowhere\"]", "[\"ops\"]"));
    stage.call(TestRequest::post(), "/-/reload", "").await;
    stage.scene("mended");
    stage.edit(|toml| toml.replace("[receivers.more]\nrooms = [\"ops\"]\n", ""));
    stage.call(TestRequest::post(), "/-/reload", "").await;
    stage.scene("without the receiver");
    stage.pass(Duration::from_secs(61)).await;
    stage.scene("a minute later");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn draining() {
    let stage = Stage::new("draining", "");
    stage.fail(limited(600), 1);
    stage.post_and_hang_up("", &firing("Down")).await;
    stage.scene("the gate is closed");
    assert!(stage.engine.drain(Duration::from_secs(40)).await);
    stage.scene("what waits is given back");
    stage.post("", &firing("Other")).await;
    stage.scene("nothing new is taken");
    stage.end();
}
