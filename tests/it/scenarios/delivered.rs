//! Webex takes it, at once or in the end.

use std::time::Duration;

use alertmanager_webex::sandbox::{Effect, FaultBody};

use super::stage::Stage;
use super::{limited, status};
use crate::harness::{alert, firing, notification, resolved};

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

#[tokio::test(start_paused = true)]
async fn joined_by_a_peer() {
    let stage = Stage::new("joined_by_a_peer", "");
    stage.fail(Effect::Latency { ms: 3000 }, 1);
    let (alerts, url) = ([alert("A", "firing", 0), alert("B", "firing", 1)], "");
    let (both, one) = (notification("g", &alerts), notification("g", &alerts[..1]));
    tokio::join!(stage.post(url, &both), stage.post(url, &one));
    stage.scene("two Alertmanagers of a cluster, of which one knows less");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn ambiguous() {
    let stage = Stage::new("ambiguous", "");
    let dropped = Effect::AcceptThenDrop {
        code: None,
        body: FaultBody::Empty,
    };
    stage.fail(dropped, 1);
    stage.post("", &firing("Down")).await;
    stage.scene("the answer was lost, and the room has it twice");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn timed_out() {
    let stage = Stage::new("timed_out", "");
    stage.fail(Effect::Hang { accepted: true }, 1);
    stage.post("", &firing("Down")).await;
    stage.scene("Webex says nothing");
    stage.pass(Duration::from_secs(60)).await;
    stage.scene("it was sent again");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn parts() {
    let stage = Stage::new("parts", "[receivers.two]\nrooms = [\"general\", \"ops\"]\n");
    let alerts: Vec<_> = (0..200)
        .map(|number| alert(&format!("Alert{number:04}"), "firing", 0))
        .collect();
    stage.post("/two", &notification("g", &alerts)).await;
    stage.scene("a notification that is too long for one message, in two rooms");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn dry_run() {
    let stage = Stage::new("dry_run", "dry_run = true\n");
    stage.post("", &firing("Down")).await;
    stage.scene("nothing is posted");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn digest() {
    let stage = Stage::new("digest", "");
    stage.fail(limited(30), 1);
    for number in 0..20 {
        let body = firing(&format!("Alert{number:02}"));
        stage.post_and_hang_up("", &body).await;
    }
    stage.scene("a storm before a closed gate");
    stage.pass(Duration::from_secs(120)).await;
    stage.scene("two minutes later");
    stage.end();
}
