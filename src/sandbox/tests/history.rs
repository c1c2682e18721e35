//! What is kept of a message beside what it is now.

use http::header::AUTHORIZATION;

use super::control::control;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_message_is_told_with_its_edits_its_requests_and_their_answers() {
    let sandbox = Sandbox::default();
    let id = post(&sandbox, "**one**").await.id();
    let edit = json!({ "roomId": ops(&sandbox), "markdown": "*two*" });
    let path = format!("/v1/messages/{id}");
    assert_eq!(call(&sandbox, "PUT", &path, &edit).await.status, 200);
    let reply = json!({ "roomId": ops(&sandbox), "text": "reply", "parentId": id });
    let reply = call(&sandbox, "POST", "/v1/messages", &reply).await.id();

    let (status, detail) = control(&sandbox, "GET", &format!("messages/{id}"), "");
    assert_eq!(status, 200, "{detail}");
    assert_eq!(detail["replies"], json!([reply]));
    assert_eq!(detail["message"]["markdown"], "*two*");
    let [first, second] = detail["versions"].as_array().unwrap().as_slice() else {
        panic!("{detail}");
    };
    assert_eq!(
        (&first["markdown"], &first["text"], &first["html"]),
        (
            &json!("**one**"),
            &json!("one"),
            &json!("<p><strong>one</strong></p>")
        )
    );
    assert_eq!((&first["edits"], &second["edits"]), (&json!(0), &json!(1)));
    assert_eq!(first["request"]["method"], "POST");
    assert_eq!(second["request"]["method"], "PUT");
    assert_eq!(
        second["request"]["body"].as_str().unwrap(),
        edit.to_string()
    );
    assert_eq!(second["outcome"], json!({ "answered": 200 }));
    let answered: Value = serde_json::from_str(first["answer"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(answered["markdown"], "**one**", "as it was answered then");
    let headers = first["answer"]["headers"].to_string();
    assert!(headers.contains("trackingid"), "{headers}");
}

#[tokio::test(start_paused = true)]
async fn secrets_in_a_request_are_not_kept() {
    let sandbox = Sandbox::new(Setup::empty().bot("team", "very-secret").room("ops"));
    let body = json!({ "roomId": ops(&sandbox), "text": "x" });
    let mut request = request("POST", "/v1/messages", "very-secret", &body);
    for (name, value) in [
        ("cookie", "very-secret"),
        ("x-api-key", "very-secret"),
        ("x-request-id", "kept"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert!(request.headers().contains_key(AUTHORIZATION));
    let id = try_send(&sandbox, request).await.unwrap().id();
    let (_, detail) = control(&sandbox, "GET", &format!("messages/{id}"), "");
    let headers = detail["versions"][0]["request"]["headers"].to_string();
    assert!(!detail.to_string().contains("very-secret"), "{headers}");
    for part in [
        "[\"authorization\",\"Bearer [redacted]\"]",
        "[\"x-request-id\",\"kept\"]",
    ] {
        assert!(headers.contains(part), "{headers}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_then_dropped_is_told_as_its_sender_saw_it() {
    let sandbox = Sandbox::default();
    let drop = |code| Effect::AcceptThenDrop {
        code,
        body: FaultBody::Json,
    };
    sandbox.set_fault(Fault::new(drop(None)).times(1)).unwrap();
    let body = json!({ "roomId": ops(&sandbox), "text": "x" });
    let request = request("POST", "/v1/messages", "sandbox", &body);
    try_send(&sandbox, request).await.unwrap_err();
    sandbox.set_fault(Fault::new(drop(Some(504)))).unwrap();
    assert_eq!(post(&sandbox, "y").await.status, 504);

    let messages = sandbox.messages(&ops(&sandbox));
    let outcome = |index: usize| {
        let versions = sandbox.versions(&messages[index].id).unwrap();
        let exchange = versions[0].exchange.clone().unwrap();
        (
            exchange.outcome,
            exchange.answer.as_ref().map(|answer| answer.status),
        )
    };
    assert_eq!(outcome(0), (Outcome::Broken, None));
    assert_eq!(outcome(1), (Outcome::Answered(504), Some(504)));
}

#[tokio::test(start_paused = true)]
async fn a_long_body_is_cut_and_its_length_is_told() {
    let sandbox = Sandbox::default();
    // Unknown fields are ignored, so a request may be far larger than its message.
    let body = json!({ "roomId": ops(&sandbox), "text": "x", "other": "y".repeat(100_000) });
    let id = call(&sandbox, "POST", "/v1/messages", &body).await.id();
    let exchange = sandbox.versions(&id).unwrap().pop().unwrap().exchange;
    let request = &exchange.unwrap().request;
    assert_eq!(request.body.len(), 64 * 1024);
    assert_eq!(request.body_bytes, body.to_string().len());
}

#[test]
fn a_message_that_is_not_there_has_no_history() {
    let (status, value) = control(&Sandbox::default(), "GET", "messages/none", "");
    assert_eq!(status, 404, "{value}");
}
