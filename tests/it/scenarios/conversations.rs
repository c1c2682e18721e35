//! A group that is told as one conversation.

use alertmanager_webex::sandbox::{Effect, Fault};

use super::stage::Stage;
use crate::harness::{alert, firing, notification, resolved};

#[tokio::test(start_paused = true)]
async fn thread() {
    let stage = Stage::new("thread", "conversation = \"thread\"\n");
    stage.post("", &firing("Down")).await;
    stage.scene("the first is its root");
    stage.post("", &resolved("Down")).await;
    stage.scene("the next replies");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn update() {
    let stage = Stage::new("update", "conversation = \"update\"\n");
    let alerts = [alert("A", "firing", 0), alert("B", "firing", 1)];
    stage.post("", &notification("g", &alerts[..1])).await;
    stage.scene("the first message");
    stage.post("", &notification("g", &alerts)).await;
    stage.scene("more fires: the message is edited, and a reply says so");
    let over = [alert("A", "resolved", 0), alert("B", "resolved", 1)];
    stage.post("", &notification("g", &over)).await;
    stage.scene("all is over: it is edited");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn edit_refused() {
    let stage = Stage::new("edit_refused", "conversation = \"update\"\n");
    stage.post("", &firing("Down")).await;
    stage.scene("the first message");
    let fault = Fault::new(Effect::EditRefused).times(1);
    stage.sandbox.set_fault(fault).unwrap();
    stage.post("", &resolved("Down")).await;
    stage.scene("it cannot be edited");
    stage.end();
}
