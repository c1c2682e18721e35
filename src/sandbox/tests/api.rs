//! The Webex API beyond the table of `strictness.rs`: shapes of answers, odd requests, pages.

use rstest::rstest;

use super::*;

/// §5: a missing, unknown or malformed token is 401 with the text seen live.
#[rstest]
#[case(None)]
#[case(Some("Bearer"))]
#[case(Some("Bearer "))]
#[case(Some("Bearer wrong"))]
#[case(Some("Bearer sandbo"))]
#[case(Some("Basic c2FuZGJveA=="))]
#[case(Some("sandbox"))]
#[tokio::test(start_paused = true)]
async fn without_a_valid_token_all_is_401(#[case] authorization: Option<&str>) {
    for path in ["/v1/messages", "/v1/people/me", "/v1/rooms", "/v1/nothing"] {
        let mut request = request("GET", path, "x", &Value::Null);
        request.headers_mut().remove("authorization");
        if let Some(value) = authorization {
            let value = value.parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let answer = try_send(&Sandbox::default(), request).await.unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.message(),
            "The request requires a valid access token set in the Authorization request header."
        );
    }
}

/// §5: shape and headers of an error.
#[tokio::test(start_paused = true)]
async fn an_error_has_webexs_shape_and_its_tracking_id_stands_in_a_header_too() {
    let answer = call(&Sandbox::default(), "GET", "/v1/nothing", &Value::Null).await;
    let tracking_id = answer.header("trackingid").unwrap().to_owned();
    assert!(tracking_id.starts_with("ROUTERGW_"), "{tracking_id}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/json;charset=UTF-8")
    );
    assert_eq!(
        answer.json(),
        json!({
            "message": "The requested resource could not be found.",
            "errors": [{ "description": "The requested resource could not be found." }],
            "trackingId": tracking_id,
        })
    );
}

/// §5: content types.
#[rstest]
#[case("application/json", 200)]
#[case("application/json; charset=utf-8", 200)]
#[case("Application/JSON", 200)]
#[case("text/plain", 415)]
#[case("application/x-www-form-urlencoded", 415)]
#[case("multipart/form-data; boundary=x", 400)]
#[case("", 415)]
#[tokio::test(start_paused = true)]
async fn only_json_is_taken(#[case] content_type: &str, #[case] status: u16) {
    let sandbox = Sandbox::default();
    let body = json!({ "roomId": ops(&sandbox), "text": "x" });
    let mut request = request("POST", "/v1/messages", "sandbox", &body);
    let value = content_type.parse().unwrap();
    request.headers_mut().insert("content-type", value);
    let answer = try_send(&sandbox, request).await.unwrap();
    assert_eq!(answer.status, status);
    if content_type == "text/plain" {
        assert_eq!(answer.message(), "Content type 'text/plain' not supported");
    }
}

#[rstest]
#[case(b"")]
#[case(b"{")]
#[case(b"[]")]
#[case(b"{\"text\": 5}")]
#[case(b"{\"text\": \"\xff\"}")]
#[case(b"{\"text\": \"\\ud800\"}")]
#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_a_message_is_400(#[case] body: &'static [u8]) {
    let mut request = request("POST", "/v1/messages", "sandbox", &json!({}));
    *request.body_mut() = Bytes::from_static(body);
    let answer = try_send(&Sandbox::default(), request).await.unwrap();
    assert_eq!(answer.status, 400);
}

#[rstest]
#[case("PATCH", "/v1/messages", "GET, POST")]
#[case("POST", "/v1/messages/x", "DELETE, GET, PUT")]
#[case("DELETE", "/v1/people/me", "GET")]
#[case("PUT", "/v1/rooms", "GET")]
#[tokio::test(start_paused = true)]
async fn a_wrong_method_is_405(#[case] method: &str, #[case] path: &str, #[case] allowed: &str) {
    let answer = call(&Sandbox::default(), method, path, &json!({})).await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some(allowed))
    );
}

/// §1: all fields of a response, 200 and not 201.
#[tokio::test(start_paused = true)]
async fn a_message_comes_back_with_all_documented_fields() {
    let sandbox = Sandbox::default();
    let room = ops(&sandbox);
    let body = json!({
        "roomId": room,
        "markdown": "**Down** `db` <@personEmail:anna.berg@example.org|Anna> <@all>",
        "attachments": [card()],
    });
    let answer = call(&sandbox, "POST", "/v1/messages", &body).await;
    assert_eq!(answer.status, 200);
    let mut message = answer.json();
    let created = message["created"].take();
    let created = created.as_str().unwrap();
    assert_eq!(created.len(), "2015-10-18T14:26:16.000Z".len());
    assert!(created.parse::<jiff::Timestamp>().is_ok());
    insta::assert_json_snapshot!(message);

    let got = call(
        &sandbox,
        "GET",
        &format!("/v1/messages/{}", answer.id()),
        &Value::Null,
    )
    .await;
    assert_eq!(got.json(), answer.json());
}

#[tokio::test(start_paused = true)]
async fn a_direct_message_names_whom_it_went_to() {
    let sandbox = Sandbox::default();
    let body = json!({ "toPersonEmail": "anna.berg@example.org", "text": "hi" });
    let message = call(&sandbox, "POST", "/v1/messages", &body).await.json();
    assert_eq!(message["roomType"], "direct");
    assert_eq!(message["toPersonEmail"], "anna.berg@example.org");

    let body = json!({ "toPersonId": message["toPersonId"], "text": "again" });
    let again = call(&sandbox, "POST", "/v1/messages", &body).await.json();
    assert_eq!(again["roomId"], message["roomId"]);
    let room = sandbox.rooms().pop().unwrap();
    assert_eq!((room.title.as_str(), room.messages), ("Anna Berg", 2));
}

/// §9
#[tokio::test(start_paused = true)]
async fn people_me_is_the_bot() {
    let answer = call(&Sandbox::default(), "GET", "/v1/people/me", &Value::Null).await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(answer.json());
}

/// §9
#[tokio::test(start_paused = true)]
async fn rooms_are_listed_a_page_at_a_time_and_a_page_may_be_empty() {
    let sandbox = Sandbox::new(Setup::default().room("third"));
    sandbox.set_behaviour(Behaviour {
        rooms_empty_page: true,
        ..Behaviour::default()
    });
    let mut path = "/v1/rooms?max=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = call(&sandbox, "GET", &path, &Value::Null).await;
        assert_eq!(answer.status, 200);
        let titles: Vec<_> = answer.json()["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|room| room["title"].as_str().unwrap().to_owned())
            .collect();
        pages.push(titles.join(" "));
        let Some(link) = answer.header("link") else {
            break;
        };
        let url = link
            .strip_prefix('<')
            .unwrap()
            .strip_suffix(">; rel=\"next\"")
            .unwrap();
        path = url.strip_prefix("http://sandbox.test").unwrap().to_owned();
    }
    assert_eq!(pages, ["", "general ops", "third"]);
    for max in ["0", "1001", "x", "-1"] {
        let answer = call(
            &sandbox,
            "GET",
            &format!("/v1/rooms?max={max}"),
            &Value::Null,
        )
        .await;
        assert_eq!(answer.status, 400, "{max}");
    }
}

/// §9
#[tokio::test(start_paused = true)]
async fn a_room_is_shown_to_its_members() {
    let sandbox = Sandbox::default();
    let path = format!("/v1/rooms/{}", ops(&sandbox));
    let mut room = call(&sandbox, "GET", &path, &Value::Null).await.json();
    room["created"].take();
    room["lastActivity"].take();
    insta::assert_json_snapshot!(room);
    sandbox.remove_member("ops", "sandbox").unwrap();
    let answer = call(&sandbox, "GET", &path, &Value::Null).await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (404, "Could not find a room with provided ID.")
    );
}

/// §7: what is known of cards.
#[rstest]
#[case("/contentType", json!("text/plain"))]
#[case("/content/type", json!("Card"))]
#[case("/content/version", json!("1.4"))]
#[case("/content/body", json!([{"type": "TextBlock", "text": "x".repeat(21_000)}]))]
#[case("/content/actions", json!([1, 2, 3, 4, 5, 6]))]
#[tokio::test(start_paused = true)]
async fn an_unsound_card_is_refused(#[case] pointer: &str, #[case] value: Value) {
    let sandbox = Sandbox::default();
    let mut card = card();
    card["content"]["actions"] = json!([]);
    let body =
        |card: &Value| json!({ "roomId": ops(&sandbox), "text": "x", "attachments": [card] });
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body(&card))
            .await
            .status,
        200
    );
    *card.pointer_mut(pointer).unwrap() = value;
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body(&card))
            .await
            .status,
        400
    );
}
