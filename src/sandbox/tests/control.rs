//! The control API and the page, without a socket.

use futures_util::FutureExt as _;
use rstest::rstest;

use super::*;

pub(super) fn control(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    body: &str,
) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/control/v1/{path}"))
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    let response = answered(sandbox, &request);
    let value = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status(), value)
}

/// An answer that is there at once.
pub(super) fn answered(sandbox: &Sandbox, request: &Request<Bytes>) -> http::Response<Bytes> {
    let answer = super::super::control::answer(sandbox, request, false);
    match answer.now_or_never() {
        Some(super::super::control::Answer::Whole(response)) => response,
        _ => panic!("an answer that takes time"),
    }
}

#[rstest]
#[case(r#"{"effect": "reset"}"#)]
#[case(r#"{"effect": {"too_many_requests": {"retry_after": 30}}}"#)]
#[case(r#"{"effect": {"too_many_requests": {"retry_after": -1, "body": "html"}}}"#)]
#[case(r#"{"effect": {"too_many_requests": {"retry_after": 1000000000000}}}"#)]
#[case(r#"{"effect": {"too_many_requests": {"retry_after": "rand(30),add(30)"}}}"#)]
#[case(r#"{"effect": {"too_many_requests": {"retry_after": {"date_in_seconds": 30}}}}"#)]
#[case(r#"{"effect": {"status": {"code": 503, "body": "empty"}}, "times": 3}"#)]
#[case(r#"{"effect": {"accept_then_drop": {}}, "method": "POST", "path": "/v1/messages"}"#)]
#[case(r#"{"effect": {"accept_then_drop": {"code": 504}}}"#)]
#[case(r#"{"effect": {"hang": {}}, "room": "ops", "bot": "sandbox"}"#)]
#[case(r#"{"effect": {"latency": {"ms": 200}}, "for_ms": 1000}"#)]
#[case(r#"{"effect": "card_refused"}"#)]
#[case(r#"{"effect": "edit_refused"}"#)]
fn a_fault_is_set_listed_and_cleared(#[case] body: &str) {
    let sandbox = Sandbox::default();
    let (status, value) = control(&sandbox, "POST", "faults", body);
    assert_eq!(status, 201, "{value}");
    let (_, listed) = control(&sandbox, "GET", "faults", "");
    let sent: Value = serde_json::from_str(body).unwrap();
    let kind = |value: &Value| match &value["effect"] {
        Value::Object(map) => map.keys().next().unwrap().clone(),
        text => text.as_str().unwrap().to_owned(),
    };
    assert_eq!(kind(&listed[0]["fault"]), kind(&sent));
    let (status, _) = control(&sandbox, "DELETE", &format!("faults/{}", value["id"]), "");
    assert_eq!(status, 204);
    assert_eq!(sandbox.faults(), []);
}

#[rstest]
#[case("POST", "faults", r#"{"effect": "explode"}"#, 400, "explode")]
#[case("POST", "faults", r#"{"effect": "reset", "tmes": 3}"#, 400, "tmes")]
#[case(
    "POST",
    "faults",
    r#"{"effect": {"latency": {"ms": "x"}}}"#,
    400,
    "effect.latency.ms"
)]
#[case(
    "POST",
    "faults",
    r#"{"effect": {"status": {"code": 99}}}"#,
    400,
    "from 200 to 599"
)]
#[case(
    "POST",
    "faults",
    r#"{"effect": {"too_many_requests": {"retry_after": 1.5}}}"#,
    400,
    "whole number"
)]
#[case("POST", "faults", r#"{"effect": "reset"} x"#, 400, "trailing")]
#[case("POST", "rooms", r#"{"title": "x"}"#, 400, "title")]
#[case("POST", "rooms", r#"{"name": "ops"}"#, 409, "already")]
#[case("POST", "bots", r#"{"name": "x"}"#, 400, "token")]
#[case(
    "PATCH",
    "bots/sandbox",
    r#"{"quota": {"per_second": 0, "burst": 1}}"#,
    400,
    "per_second"
)]
#[case("PATCH", "bots/nobody", r#"{"revoked": true}"#, 404, "nobody")]
#[case(
    "PATCH",
    "behaviour",
    r#"{"reply_to_reply": "500"}"#,
    400,
    "reply_to_reply"
)]
#[case("PATCH", "behaviour", r#"{"cards": "x"}"#, 400, "cards")]
#[case("DELETE", "rooms/nowhere", "", 404, "nowhere")]
#[case("DELETE", "faults/7", "", 404, "7")]
#[case("GET", "nothing", "", 404, "openapi.json")]
#[case("GET", "rooms?x=1", "", 400, "unknown query parameter `x`")]
#[case("GET", "messages?wait=30001", "", 400, "from 0 to 30000")]
#[case("GET", "messages?count=2", "", 400, "needs `wait`")]
#[case("GET", "messages?room=nowhere", "", 404, "nowhere")]
#[case("GET", "messages?bot=nobody", "", 404, "nobody")]
#[case("GET", "messages?since=yesterday", "", 400, "2026-01-31")]
#[case("GET", "messages?edited=1", "", 400, "`true` or `false`")]
#[case("GET", "messages?max=0", "", 400, "from 1 to 5000")]
#[case(
    "GET",
    "rooms/ops/messages?room=ops",
    "",
    400,
    "unknown query parameter `room`"
)]
#[case("GET", "messages?contains=a&contains=b", "", 400, "more than once")]
#[case(
    "POST",
    "webhooks",
    r#"{"name": "x", "room": "nowhere"}"#,
    404,
    "nowhere"
)]
#[case(
    "POST",
    "webhooks",
    r#"{"name": "a b", "room": "ops"}"#,
    400,
    "webhook"
)]
#[case("DELETE", "webhooks/x", "", 404, "webhook")]
#[case("POST", "bots", r#"{"name": "x", "token": "t", "service_app": {"client_id": "c", "client_secret": "s", "refresh_token": "r"}}"#, 400, "one of")]
#[case(
    "PATCH",
    "bots/sandbox",
    r#"{"service_app": {"expires_in": 5}}"#,
    400,
    "service_app"
)]
#[case(
    "POST",
    "faults",
    r#"{"effect": {"parent_gone": {"code": 403}}}"#,
    400,
    "400 or 404"
)]
#[case(
    "POST",
    "faults",
    r#"{"effect": {"quota": {"per_second": 0, "burst": 1}}}"#,
    400,
    "per_second"
)]
#[case("PUT", "faults", "", 405, "PUT")]
#[case("GET", "state?since=x", "", 400, "since")]
fn a_wrong_call_is_told_what_is_wrong(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] part: &str,
) {
    let (got, value) = control(&Sandbox::default(), method, path, body);
    assert_eq!(got.as_u16(), status, "{value}");
    assert!(value["message"].as_str().unwrap().contains(part), "{value}");
}

#[tokio::test(start_paused = true)]
async fn rooms_and_bots_come_and_go() {
    let sandbox = Sandbox::default();
    let (status, bot) = control(
        &sandbox,
        "POST",
        "bots",
        r#"{"name": "team", "token": "team-secret"}"#,
    );
    assert_eq!((status.as_u16(), &bot["name"]), (201, &json!("team")));
    assert!(!bot.to_string().contains("secret"));
    let (status, room) = control(&sandbox, "POST", "rooms", r#"{"name": "team a"}"#);
    assert_eq!(
        (status.as_u16(), &room["bots"]),
        (201, &json!(["sandbox", "team"]))
    );
    let (status, _) = control(&sandbox, "DELETE", "rooms/team%20a/bots/sandbox", "");
    assert_eq!(status, 204);
    assert_eq!(sandbox.rooms()[2].bots, ["team"]);
    assert_eq!(
        control(&sandbox, "PUT", "rooms/team%20a/bots/sandbox", "").0,
        204
    );
    assert_eq!(control(&sandbox, "DELETE", "rooms/team%20a", "").0, 204);
    assert_eq!(control(&sandbox, "DELETE", "bots/team", "").0, 204);
    let (_, bot) = control(
        &sandbox,
        "PATCH",
        "bots/sandbox",
        r#"{"token": "next", "revoked": true, "quota": {"per_second": 2, "burst": 5}}"#,
    );
    assert_eq!(
        (&bot["revoked"], &bot["quota"]["burst"]),
        (&json!(true), &json!(5))
    );
    let (_, bot) = control(&sandbox, "PATCH", "bots/sandbox", r#"{"quota": null}"#);
    assert_eq!(
        (&bot["revoked"], &bot["quota"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn messages_and_requests_are_listed_and_deleted() {
    let sandbox = Sandbox::default();
    post(&sandbox, "**one**").await;
    post(&sandbox, "two").await;
    let (_, messages) = control(&sandbox, "GET", "rooms/ops/messages", "");
    assert_eq!(messages[0]["text"], "one");
    assert_eq!(messages[0]["size"], 7);
    let id = messages[0]["id"].as_str().unwrap();
    assert_eq!(
        control(&sandbox, "DELETE", &format!("messages/{id}"), "").0,
        204
    );
    let (_, deleted) = control(&sandbox, "DELETE", "messages", "");
    assert_eq!(deleted, json!({ "deleted": 1 }));
    let (_, requests) = control(&sandbox, "GET", "requests", "");
    assert_eq!(requests[1]["outcome"], json!({ "answered": 200 }));
    assert_eq!(control(&sandbox, "DELETE", "requests", "").0, 204);
    assert_eq!(control(&sandbox, "POST", "reset", "").0, 204);
}

#[test]
fn behaviour_is_changed_field_by_field() {
    let sandbox = Sandbox::default();
    let (status, _) = control(
        &sandbox,
        "PATCH",
        "behaviour",
        r#"{"reply_to_reply": "normalise"}"#,
    );
    assert_eq!(status, 200);
    let (_, value) = control(
        &sandbox,
        "PATCH",
        "behaviour",
        r#"{"rooms_empty_page": true}"#,
    );
    assert_eq!(
        (
            &value["reply_to_reply"],
            &value["deleted_parent"],
            &value["rooms_empty_page"]
        ),
        (&json!("normalise"), &json!("404"), &json!(true))
    );
}

#[tokio::test(start_paused = true)]
async fn the_page_gets_what_has_changed_and_only_sanitised_html() {
    let sandbox = Sandbox::default();
    post(
        &sandbox,
        "<script>alert(1)</script><b onclick=x>ok</b> [x](javascript:alert(1))",
    )
    .await;
    let path = format!("state?room={}", ops(&sandbox));
    let (_, state) = control(&sandbox, "GET", &path, "");
    let message = &state["messages"][0];
    assert_eq!(message["html"], Value::Null);
    let html = message["page_html"].as_str().unwrap();
    assert!(html.contains("<b>ok</b>"), "{html}");
    for evil in ["<script", "onclick", "href="] {
        assert!(!html.contains(evil), "{html}");
    }
    let since = format!("{path}&since={}", state["revision"]);
    assert_eq!(control(&sandbox, "GET", &since, "").0, 204);
    post(&sandbox, "more").await;
    assert_eq!(control(&sandbox, "GET", &since, "").0, 200);
}

#[rstest]
#[case(Some("http://sandbox.test"), 204)]
#[case(Some("http://evil.test"), 403)]
#[case(Some("null"), 403)]
#[case(None, 204)]
fn pages_of_other_origins_are_kept_out(#[case] origin: Option<&str>, #[case] status: u16) {
    let mut request = Request::post("/control/v1/reset").header("host", "sandbox.test");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let request = request.body(Bytes::new()).unwrap();
    let response = answered(&Sandbox::default(), &request);
    assert_eq!(response.status(), status);
}

#[test]
fn the_page_has_a_strict_policy_and_nothing_inline() {
    let html = include_str!("../page/index.html");
    for inline in ["<style", " style=", "onclick", "http://", "https://"] {
        assert!(!html.contains(inline), "{inline}");
    }
    for (path, ..) in super::super::page::FILES {
        let request = Request::get(path).body(Bytes::new()).unwrap();
        let response = super::super::page::answer(&request);
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
    let request = Request::get("/other").body(Bytes::new()).unwrap();
    assert_eq!(super::super::page::answer(&request).status(), 404);
}
