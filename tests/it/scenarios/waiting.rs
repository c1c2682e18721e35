//! It is not delivered yet.

use std::time::Duration;

use alertmanager_webex::sandbox::Effect;

use super::limited;
use super::stage::Stage;
use crate::harness::{alert, firing, notification};

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

#[tokio::test(start_paused = true)]
async fn unreachable() {
    let stage = Stage::new("unreachable", "");
    stage.fail(Effect::Reset, 1000);
    stage.post("", &firing("Down")).await;
    stage.scene("no connection lasts");
    stage.post("", &firing("Down")).await;
    stage.scene("Alertmanager asks again");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn superseded() {
    let stage = Stage::new("superseded", "");
    stage.fail(limited(60), 1);
    stage.post_and_hang_up("", &firing("Other")).await;
    let alerts = [alert("A", "firing", 0), alert("B", "firing", 1)];
    let (older, newer) = (notification("g", &alerts[..1]), notification("g", &alerts));
    stage.post_and_hang_up("", &older).await;
    stage.pass(Duration::from_secs(20)).await;
    stage.scene("a group waits");
    stage.post("", &newer).await;
    stage.scene("and has more to say: it does not wait for less long");
    stage.pass(Duration::from_secs(60)).await;
    stage.post("", &older).await;
    stage.scene("it was told once");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn given_up() {
    let stage = Stage::new("given_up", "");
    stage.fail(limited(3600), 1);
    stage.post_and_hang_up("", &firing("Down")).await;
    stage.pass(Duration::from_secs(600)).await;
    stage.scene("nobody asks for it");
    stage.pass(Duration::from_secs(330)).await;
    stage.scene("nor later");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn too_many_waiting() {
    let stage = Stage::new("too_many_waiting", "[delivery]\nmax_waiting = 1\n");
    stage.fail(limited(60), 1);
    stage.post_and_hang_up("", &firing("Down")).await;
    stage.scene("one waits");
    stage.post("", &firing("Other")).await;
    stage.scene("and there is no room for more");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn over_quota() {
    let more = "max_messages_per_minute = 1\nconversation = \"thread\"\n";
    let stage = Stage::new("over_quota", more);
    stage.post("", &firing("First")).await;
    stage.scene("its message of this minute");
    stage.post("", &firing("Second")).await;
    stage.scene("one too many");
    stage.pass(Duration::from_secs(60)).await;
    stage.scene("a minute later");
    stage.end();
}
