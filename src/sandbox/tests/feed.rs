//! What the page reads.

use super::control::control;
use super::*;

async fn filled(amount: usize) -> Sandbox {
    let sandbox = Sandbox::default();
    for number in 1..=amount {
        post(&sandbox, &format!("message {number}")).await;
    }
    sandbox
}

fn state(sandbox: &Sandbox, query: &str) -> Value {
    let path = format!("state?room={}{query}", ops(sandbox));
    let (status, value) = control(sandbox, "GET", &path, "");
    assert_eq!(status, 200, "{value}");
    value
}

fn texts(state: &Value) -> Vec<&str> {
    let messages = state["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_newest_messages_are_shown_and_the_others_counted() {
    let sandbox = filled(5).await;
    let newest = state(&sandbox, "&last=2");
    assert_eq!(texts(&newest), ["message 4", "message 5"]);
    assert_eq!(
        (&newest["earlier"], &newest["later"]),
        (&json!(3), &json!(0))
    );

    post(&sandbox, "message 6").await;
    let stayed = state(&sandbox, &format!("&last=2&upto={}", newest["newest"]));
    assert_eq!(texts(&stayed), ["message 4", "message 5"]);
    assert_eq!(stayed["later"], 1);
    assert_eq!(state(&sandbox, "&upto=0")["later"], 6);
}

#[tokio::test(start_paused = true)]
async fn only_what_changed_is_sent_again() {
    let sandbox = filled(3).await;
    let before = state(&sandbox, "");
    let id = before["messages"][1]["id"].as_str().unwrap();
    let edit = json!({ "roomId": ops(&sandbox), "markdown": "edited" });
    call(&sandbox, "PUT", &format!("/v1/messages/{id}"), &edit).await;
    let after = state(&sandbox, &format!("&since={}", before["revision"]));
    assert_eq!(texts(&after), ["edited"]);
    assert_eq!(after["shown"], before["shown"], "but all of them stay");
}

#[tokio::test(start_paused = true)]
async fn a_reply_brings_its_thread() {
    let sandbox = Sandbox::default();
    let root = post(&sandbox, "root").await.id();
    for text in ["one", "two", "three"] {
        post(&sandbox, text).await;
    }
    let reply = json!({ "roomId": ops(&sandbox), "parentId": root, "markdown": "reply" });
    call(&sandbox, "POST", "/v1/messages", &reply).await;
    let state = state(&sandbox, "&last=1");
    assert_eq!(texts(&state), ["root", "reply"]);
    assert_eq!(state["earlier"], 3);
}

#[tokio::test(start_paused = true)]
async fn a_search_looks_through_all_rooms_and_cards() {
    let sandbox = filled(2).await;
    let mut attachment = card();
    attachment["content"]["body"] = json!([{ "type": "TextBlock", "text": "A NEEDLE" }]);
    let body = json!({
        "roomId": sandbox.room_id("general").unwrap(), "markdown": "beside", "attachments": [attachment],
    });
    call(&sandbox, "POST", "/v1/messages", &body).await;
    let found = state(&sandbox, "&search=needle");
    assert_eq!(
        (texts(&found), &found["found"]),
        (vec!["beside"], &json!(1))
    );
    assert_eq!(state(&sandbox, "&search=MESSAGE")["found"], 2);
    assert_eq!(state(&sandbox, "&search=nowhere")["shown"], json!([]));
}
