//! Incoming webhooks (docs/facts/webex-api.md §8).

use rstest::rstest;

use super::control::control;
use super::*;

async fn send(sandbox: &Sandbox, path: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    try_send(sandbox, request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_knows_the_address_posts_without_a_token_and_gets_nothing_back() {
    let sandbox = Sandbox::default();
    let webhook = sandbox.add_webhook("ci", "ops").unwrap();
    let answer = send(
        &sandbox,
        &webhook.path,
        &json!({ "markdown": "**x** <@all>" }),
    )
    .await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let message = sandbox.messages(&ops(&sandbox)).pop().unwrap();
    assert_eq!(
        (message.person.name.as_str(), message.text.as_deref()),
        ("ci", Some("x All"))
    );
    let (_, detail) = control(&sandbox, "GET", &format!("messages/{}", message.id), "");
    assert_eq!(detail["versions"][0]["outcome"], json!({ "answered": 204 }));

    // A bot cannot touch what it did not post.
    let edit = json!({ "roomId": ops(&sandbox), "markdown": "y" });
    let path = format!("/v1/messages/{}", message.id);
    assert_eq!(call(&sandbox, "PUT", &path, &edit).await.status, 403);

    sandbox.set_behaviour(Behaviour {
        incoming_webhook: IncomingWebhook::Ok,
        ..Behaviour::default()
    });
    let answer = send(&sandbox, &webhook.path, &json!({ "text": "x" })).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[rstest]
#[case(json!({}), 400)]
#[case(json!({ "markdown": " " }), 400)]
#[case(json!({ "markdown": "x", "text": "x" }), 400)]
#[case(json!({ "text": "x", "attachments": [card()] }), 400)]
#[case(json!({ "text": "x", "files": ["https://a.test/x"] }), 400)]
#[case(json!({ "text": "x", "roomId": "x" }), 400)]
#[case(json!({ "text": "x".repeat(7440) }), 400)]
#[case(json!({ "text": "x".repeat(7439) }), 204)]
#[tokio::test(start_paused = true)]
async fn only_markdown_or_text_goes_through(#[case] body: Value, #[case] status: u16) {
    let sandbox = Sandbox::default();
    let webhook = sandbox.add_webhook("ci", "ops").unwrap();
    let answer = send(&sandbox, &webhook.path, &body).await;
    assert_eq!(answer.status, status, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_made_listed_and_removed_and_then_is_404() {
    let sandbox = Sandbox::default();
    let body = r#"{"name": "ci", "room": "ops"}"#;
    let (status, webhook) = control(&sandbox, "POST", "webhooks", body);
    assert_eq!(status, 201, "{webhook}");
    assert_eq!(control(&sandbox, "POST", "webhooks", body).0, 409);
    let (_, listed) = control(&sandbox, "GET", "webhooks", "");
    assert_eq!(listed, json!([webhook]));
    let path = webhook["path"].as_str().unwrap();
    let get = request("GET", path, "x", &Value::Null);
    assert_eq!(try_send(&sandbox, get).await.unwrap().status, 405);
    sandbox.remove_room("ops").unwrap();
    assert_eq!(
        send(&sandbox, path, &json!({ "text": "x" })).await.status,
        404
    );
    assert_eq!(control(&sandbox, "DELETE", "webhooks/ci", "").0, 204);
    assert_eq!(
        send(&sandbox, path, &json!({ "text": "x" })).await.status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn faults_of_a_room_meet_its_webhooks_and_a_reset_keeps_those_of_the_setup() {
    let mut setup = Setup::default();
    setup.webhooks.push("ci=ops".parse().unwrap());
    setup.webhooks.push("lost=nowhere".parse().unwrap());
    let sandbox = Sandbox::new(setup);
    let webhooks = sandbox.webhooks();
    assert_eq!(webhooks.len(), 1, "a room that is not there has none");
    sandbox.add_webhook("other", "ops").unwrap();
    let fault = Fault::new(Effect::TooManyRequests {
        retry_after: None,
        body: FaultBody::Empty,
    });
    sandbox.set_fault(fault.room("ops")).unwrap();
    let body = json!({ "text": "x" });
    assert_eq!(send(&sandbox, &webhooks[0].path, &body).await.status, 429);
    sandbox.reset();
    assert_eq!(sandbox.webhooks(), webhooks);
    assert_eq!(send(&sandbox, &webhooks[0].path, &body).await.status, 204);
}
