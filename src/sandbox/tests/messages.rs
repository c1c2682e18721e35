//! `GET /control/v1/messages`: filters and waiting; and messages that come as forms.

use std::time::Duration;

use rstest::rstest;
use tokio::time::Instant;

use super::super::control as api;
use super::control::control;
use super::*;

async fn get(sandbox: &Sandbox, path: &str) -> (StatusCode, Value) {
    let request = Request::get(format!("/control/v1/{path}"))
        .body(Bytes::new())
        .unwrap();
    match api::answer(sandbox, &request, false).await {
        api::Answer::Whole(response) => (
            response.status(),
            serde_json::from_slice(response.body()).unwrap(),
        ),
        api::Answer::Events(..) => panic!("a stream"),
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_found_by_what_they_are() {
    let sandbox = Sandbox::new(Setup::default().bot("other", "other-token"));
    let root = post(&sandbox, "**disk** full").await.id();
    let reply = json!({ "roomId": ops(&sandbox), "text": "disk again", "parentId": root });
    call(&sandbox, "POST", "/v1/messages", &reply).await.id();
    let revision = *sandbox.revisions().borrow();
    let body = json!({ "roomId": sandbox.room_id("general"), "text": "hello" });
    let by_other = request("POST", "/v1/messages", "other-token", &body);
    try_send(&sandbox, by_other).await.unwrap();
    let edit = json!({ "roomId": ops(&sandbox), "markdown": "disk **fine**" });
    call(&sandbox, "PUT", &format!("/v1/messages/{root}"), &edit)
        .await
        .id();

    for (query, texts) in [
        ("messages".to_owned(), "disk fine|disk again|hello"),
        ("messages?room=ops".to_owned(), "disk fine|disk again"),
        (
            format!("messages?room={}", ops(&sandbox)),
            "disk fine|disk again",
        ),
        ("rooms/general/messages".to_owned(), "hello"),
        ("messages?contains=disk".to_owned(), "disk fine|disk again"),
        ("messages?contains=**fine**".to_owned(), "disk fine"),
        ("messages?bot=other".to_owned(), "hello"),
        (format!("messages?parentId={root}"), "disk again"),
        (format!("messages?since={revision}"), "disk fine|hello"),
        (
            "messages?since=2020-01-01T00:00:00Z".to_owned(),
            "disk fine|disk again|hello",
        ),
        ("messages?since=2999-01-01T00:00:00Z".to_owned(), ""),
        ("messages?edited=true".to_owned(), "disk fine"),
        ("messages?edited=false&room=ops".to_owned(), "disk again"),
        ("messages?max=1".to_owned(), "hello"),
    ] {
        let (status, found) = control(&sandbox, "GET", &query, "");
        assert_eq!(status, 200, "{query}: {found}");
        let found: Vec<_> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["text"].as_str().unwrap())
            .collect();
        assert_eq!(found.join("|"), texts, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_until_enough_messages_match() {
    let sandbox = Sandbox::default();
    let ((status, found), ()) = tokio::join!(
        get(
            &sandbox,
            "rooms/ops/messages?wait=10000&contains=disk&count=2"
        ),
        async {
            for text in ["disk one", "other", "disk two"] {
                tokio::time::sleep(Duration::from_secs(3)).await;
                post(&sandbox, text).await;
            }
        }
    );
    assert_eq!(status, 200, "{found}");
    assert_eq!(found[1]["text"], "disk two");
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_what_does_not_come_is_404_in_time() {
    let sandbox = Sandbox::default();
    post(&sandbox, "disk").await;
    let begun = Instant::now();
    let (status, error) = get(&sandbox, "messages?wait=5000&contains=disk&count=2").await;
    assert_eq!(status, 404);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("1 of the 2 messages"), "{message}");
    assert_eq!(begun.elapsed().as_secs(), 5);
    let (status, _) = get(&sandbox, "messages?wait=0&contains=disk").await;
    assert_eq!(status, 200, "what is there needs no wait");
}

fn form(sandbox: &Sandbox, fields: &str) -> Request<Bytes> {
    let room = ops(sandbox);
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"roomId\"\r\n\r\n{room}\r\n{fields}--B--\r\n"
    );
    let mut request = request("POST", "/v1/messages", "sandbox", &Value::Null);
    let content_type = "multipart/form-data; boundary=B".parse().unwrap();
    request.headers_mut().insert("content-type", content_type);
    *request.body_mut() = body.into();
    request
}

#[tokio::test(start_paused = true)]
async fn a_form_posts_text_and_one_file_whose_content_is_not_kept() {
    let sandbox = Sandbox::default();
    let fields = "--B\r\nContent-Disposition: form-data; name=\"markdown\"\r\n\r\n**x**\r\n\
        --B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"graph.png\"\r\n\
        Content-Type: image/png\r\n\r\n\u{0}\u{1}secret-pixels\r\n";
    let answer = try_send(&sandbox, form(&sandbox, fields)).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let json = answer.json();
    assert_eq!(json["text"], "x");
    let address = json["files"][0].as_str().unwrap();
    assert!(
        address.starts_with("http://sandbox.test/v1/contents/"),
        "{address}"
    );
    let message = sandbox.messages(&ops(&sandbox)).pop().unwrap();
    let upload = message.upload.unwrap();
    assert_eq!(
        (
            upload.name.as_str(),
            upload.content_type.as_deref(),
            upload.bytes
        ),
        ("graph.png", Some("image/png"), 15)
    );
    let path = format!("/v1/messages/{}", answer.id());
    let edit = json!({ "roomId": ops(&sandbox), "markdown": "y" });
    assert_eq!(call(&sandbox, "PUT", &path, &edit).await.status, 400);
}

#[rstest]
#[case("", 400)]
#[case(
    "--B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx\r\n",
    200
)]
#[case(
    "--B\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nhttps://a.test/x\r\n",
    200
)]
#[case(
    "--B\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nfile:///etc/passwd\r\n",
    400
)]
#[case(
    "--B\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nhttps://a.test/x\r\n\
    --B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nx\r\n",
    400
)]
#[case(
    "--B\r\nContent-Disposition: form-data; name=\"attachments\"\r\n\r\nx\r\n",
    400
)]
#[case("nonsense", 400)]
#[tokio::test(start_paused = true)]
async fn a_form_is_held_to_the_same_rules(#[case] fields: &str, #[case] status: u16) {
    let sandbox = Sandbox::default();
    let answer = try_send(&sandbox, form(&sandbox, fields)).await.unwrap();
    assert_eq!(answer.status, status, "{answer:?}");
}
