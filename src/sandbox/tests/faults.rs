//! Every fault, and the conditions under which it applies.

use std::time::Duration;

use rstest::rstest;
use tokio::time::Instant;

use super::*;

fn too_many(retry_after: Option<RetryAfter>, body: FaultBody) -> Effect {
    Effect::TooManyRequests { retry_after, body }
}

#[rstest]
#[case(None, None)]
#[case(Some(RetryAfter::Seconds(1)), Some("1"))]
#[case(Some(RetryAfter::Seconds(3600)), Some("3600"))]
#[case(Some(RetryAfter::Seconds(1_000_000_000_000)), Some("1000000000000"))]
#[case(Some(RetryAfter::Seconds(0)), Some("0"))]
#[case(Some(RetryAfter::Seconds(-5)), Some("-5"))]
#[case(Some(RetryAfter::Text("rand(30),add(30)".to_owned())), Some("rand(30),add(30)"))]
#[tokio::test(start_paused = true)]
async fn a_429_comes_with_any_retry_after(
    #[case] retry_after: Option<RetryAfter>,
    #[case] header: Option<&str>,
) {
    let sandbox = Sandbox::default();
    let effect = too_many(retry_after, FaultBody::Json);
    sandbox.set_fault(Fault::new(effect).times(1)).unwrap();
    let answer = post(&sandbox, "x").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, header));
    assert!(
        answer
            .message()
            .starts_with("The user has sent too many requests")
    );
    assert_eq!(post(&sandbox, "x").await.status, 200);
    assert_eq!(sandbox.messages(&ops(&sandbox)).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_may_be_a_date_and_the_body_a_page() {
    let sandbox = Sandbox::default();
    let date = RetryAfter::Date {
        date_in_seconds: 60,
    };
    sandbox
        .set_fault(Fault::new(too_many(Some(date), FaultBody::Html)))
        .unwrap();
    let answer = post(&sandbox, "x").await;
    let date = answer.header("retry-after").unwrap();
    let parsed = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ahead = parsed.as_second() - jiff::Timestamp::now().as_second();
    assert!((50..=61).contains(&ahead), "{date}");
    assert!(date.ends_with(" GMT"), "{date}");
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert!(answer.body.starts_with(b"<html>"));
}

#[rstest]
#[case(503, FaultBody::Empty)]
#[case(502, FaultBody::Html)]
#[case(500, FaultBody::Json)]
#[case(423, FaultBody::Json)]
#[case(302, FaultBody::Empty)]
#[case(200, FaultBody::Html)]
#[case(200, FaultBody::Json)]
#[case(204, FaultBody::Empty)]
#[tokio::test(start_paused = true)]
async fn any_status_can_be_answered_and_nothing_is_posted(
    #[case] code: u16,
    #[case] body: FaultBody,
) {
    let sandbox = Sandbox::default();
    let effect = Effect::Status {
        code,
        retry_after: None,
        body,
    };
    sandbox.set_fault(Fault::new(effect)).unwrap();
    let answer = post(&sandbox, "x").await;
    assert_eq!(answer.status, code);
    assert!(!String::from_utf8_lossy(&answer.body).contains("\"id\""));
    assert_eq!(answer.body.is_empty(), body == FaultBody::Empty);
    assert_eq!(sandbox.messages(&ops(&sandbox)), []);
}

#[tokio::test(start_paused = true)]
async fn a_reset_breaks_the_connection_before_anything_is_done() {
    let sandbox = Sandbox::default();
    sandbox
        .set_fault(Fault::new(Effect::Reset).times(1))
        .unwrap();
    let body = json!({ "roomId": ops(&sandbox), "text": "x" });
    let request = request("POST", "/v1/messages", "sandbox", &body);
    assert!(try_send(&sandbox, request).await.is_err());
    assert_eq!(sandbox.messages(&ops(&sandbox)), []);
    assert_eq!(sandbox.requests()[0].outcome, Outcome::Broken);
}

#[rstest]
#[case(None)]
#[case(Some(502))]
#[case(Some(504))]
#[tokio::test(start_paused = true)]
async fn what_is_accepted_then_dropped_is_in_the_room(#[case] code: Option<u16>) {
    let sandbox = Sandbox::default();
    let effect = Effect::AcceptThenDrop {
        code,
        body: FaultBody::Empty,
    };
    sandbox.set_fault(Fault::new(effect)).unwrap();
    let body = json!({ "roomId": ops(&sandbox), "text": "x" });
    let request = request("POST", "/v1/messages", "sandbox", &body);
    let answer = try_send(&sandbox, request).await;
    assert_eq!(answer.ok().map(|answer| answer.status), code);
    assert_eq!(sandbox.messages(&ops(&sandbox)).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_dropped() {
    let sandbox = Sandbox::default();
    let effect = Effect::AcceptThenDrop {
        code: None,
        body: FaultBody::Json,
    };
    sandbox.set_fault(Fault::new(effect)).unwrap();
    assert_eq!(post(&sandbox, "").await.status, 400);
}

#[rstest]
#[case(false, 0)]
#[case(true, 1)]
#[tokio::test(start_paused = true)]
async fn a_hang_never_answers(#[case] accepted: bool, #[case] stored: usize) {
    let sandbox = Sandbox::default();
    sandbox
        .set_fault(Fault::new(Effect::Hang { accepted }))
        .unwrap();
    let hour = Duration::from_secs(3600);
    assert!(
        tokio::time::timeout(hour, post(&sandbox, "x"))
            .await
            .is_err()
    );
    assert_eq!(sandbox.messages(&ops(&sandbox)).len(), stored);
    assert_eq!(sandbox.requests()[0].outcome, Outcome::Hang);
}

#[tokio::test(start_paused = true)]
async fn latencies_add_up_and_come_before_the_request_is_looked_at() {
    let sandbox = Sandbox::default();
    sandbox
        .set_fault(Fault::new(Effect::Latency { ms: 1500 }))
        .unwrap();
    sandbox
        .set_fault(Fault::new(Effect::Latency { ms: 500 }).times(1))
        .unwrap();
    let start = Instant::now();
    let (answer, ()) = tokio::join!(post(&sandbox, "x"), async {
        tokio::time::sleep(Duration::from_millis(1900)).await;
        assert_eq!(sandbox.messages(&ops(&sandbox)), []);
    });
    assert_eq!(answer.status, 200);
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(post(&sandbox, "x").await.status, 200);
    assert_eq!(start.elapsed(), Duration::from_millis(3500));
}

#[tokio::test(start_paused = true)]
async fn a_card_is_refused_and_plain_text_is_not() {
    let sandbox = Sandbox::default();
    sandbox.set_fault(Fault::new(Effect::CardRefused)).unwrap();
    let body = json!({ "roomId": ops(&sandbox), "text": "x", "attachments": [card()] });
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body).await.status,
        400
    );
    assert_eq!(post(&sandbox, "x").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_edit_is_refused_and_a_post_is_not() {
    let sandbox = Sandbox::default();
    sandbox.set_fault(Fault::new(Effect::EditRefused)).unwrap();
    let id = post(&sandbox, "x").await.id();
    let body = json!({ "roomId": ops(&sandbox), "text": "y" });
    assert_eq!(
        call(&sandbox, "PUT", &format!("/v1/messages/{id}"), &body)
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_ends_after_its_count_or_its_time() {
    let sandbox = Sandbox::default();
    let fault = Fault::new(Effect::EditRefused).lasting(Duration::from_secs(5));
    sandbox.set_fault(fault).unwrap();
    let effect = Effect::Status {
        code: 503,
        retry_after: None,
        body: FaultBody::Json,
    };
    sandbox.set_fault(Fault::new(effect).times(2)).unwrap();
    for status in [503, 503, 200] {
        assert_eq!(post(&sandbox, "x").await.status, status);
    }
    assert_eq!(sandbox.faults().len(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(sandbox.faults()[0].fault.for_ms, Some(3000));
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(sandbox.faults(), []);
}

#[rstest]
#[case(Fault::new(Effect::Reset).on("POST", "/v1/messages"), true)]
#[case(Fault::new(Effect::Reset).on("post", "/v1/*"), true)]
#[case(Fault::new(Effect::Reset).on("GET", "/v1/messages"), false)]
#[case(Fault::new(Effect::Reset).on("POST", "/v1/messages/*"), false)]
#[case(Fault::new(Effect::Reset).room("ops"), true)]
#[case(Fault::new(Effect::Reset).room("general"), false)]
#[case(Fault::new(Effect::Reset).bot("sandbox"), true)]
#[case(Fault::new(Effect::Reset).bot("other"), false)]
#[tokio::test(start_paused = true)]
async fn a_fault_meets_only_the_requests_that_it_names(#[case] fault: Fault, #[case] meets: bool) {
    let sandbox = Sandbox::default();
    sandbox.set_fault(fault).unwrap();
    let body = json!({ "roomId": ops(&sandbox), "text": "x" });
    let request = request("POST", "/v1/messages", "sandbox", &body);
    assert_eq!(try_send(&sandbox, request).await.is_err(), meets);
    assert_eq!(sandbox.faults()[0].met, u64::from(meets));
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_a_room_meets_edits_and_reads_too() {
    let sandbox = Sandbox::default();
    let id = post(&sandbox, "x").await.id();
    let effect = Effect::Status {
        code: 503,
        retry_after: None,
        body: FaultBody::Json,
    };
    sandbox
        .set_fault(Fault::new(effect).room(ops(&sandbox)))
        .unwrap();
    for path in [
        format!("/v1/messages/{id}"),
        format!("/v1/rooms/{}", ops(&sandbox)),
        format!("/v1/messages?roomId={}", ops(&sandbox)),
    ] {
        assert_eq!(
            call(&sandbox, "GET", &path, &Value::Null).await.status,
            503,
            "{path}"
        );
    }
    assert_eq!(
        call(&sandbox, "GET", "/v1/rooms", &Value::Null)
            .await
            .status,
        200
    );
}

#[test]
fn senseless_faults_are_refused() {
    let sandbox = Sandbox::default();
    let status = |code| Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    };
    for fault in [
        Fault::new(status(100)),
        Fault::new(status(600)),
        Fault::new(Effect::AcceptThenDrop {
            code: Some(404),
            body: FaultBody::Json,
        }),
        Fault::new(Effect::Latency { ms: 3_600_001 }),
        Fault::new(Effect::Reset).times(0),
        Fault::new(Effect::Reset).on("NO METHOD", "*"),
        Fault::new(too_many(
            Some(RetryAfter::Text("a\nb".to_owned())),
            FaultBody::Json,
        )),
    ] {
        assert!(sandbox.set_fault(fault.clone()).is_err(), "{fault:?}");
    }
}

/// The catalogue and the code cannot drift: every kind of effect has an entry, and every
/// example can be set as it is.
#[test]
fn the_catalogue_has_every_fault_with_examples_that_are_taken() {
    let sandbox = Sandbox::default();
    let (status, catalogue) = super::control::control(&sandbox, "GET", "faults/catalogue", "");
    assert_eq!(status, 200);
    let mut named = std::collections::BTreeSet::new();
    for entry in catalogue.as_array().unwrap() {
        let effect = entry["effect"].as_str().unwrap();
        named.insert(effect.to_owned());
        let examples = entry["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{effect}");
        for example in examples {
            let kind = &example["fault"]["effect"];
            let name = kind
                .as_str()
                .unwrap_or_else(|| kind.as_object().unwrap().keys().next().unwrap());
            assert_eq!(name, effect);
            let body = example["fault"].to_string();
            let (status, answer) = super::control::control(&sandbox, "POST", "faults", &body);
            assert_eq!(status, 201, "{body}: {answer}");
            sandbox.clear_faults();
        }
    }
    // serde names all variants in its complaint about one that there is not.
    let wrong = r#"{"effect": "explode"}"#;
    let (_, error) = super::control::control(&sandbox, "POST", "faults", wrong);
    let message = error["message"].as_str().unwrap();
    let known: std::collections::BTreeSet<_> = message
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| !matches!(*name, "effect" | "explode"))
        .map(str::to_owned)
        .collect();
    assert_eq!(known, named, "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_can_be_a_fault_that_ends_and_each_bot_has_its_own() {
    let sandbox = Sandbox::new(Setup::default().bot("other", "other-token"));
    let fault = Fault::new(Effect::Quota(Quota::new(0.5, 1)));
    sandbox
        .set_fault(fault.lasting(Duration::from_secs(60)))
        .unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 200);
    let refused = post(&sandbox, "x").await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("2"))
    );
    let other = request("GET", "/v1/people/me", "other-token", &Value::Null);
    assert_eq!(try_send(&sandbox, other).await.unwrap().status, 200);
    assert_eq!(sandbox.faults()[0].met, 1, "what passes does not meet it");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(post(&sandbox, "x").await.status, 200);
    tokio::time::advance(Duration::from_secs(60)).await;
    for _ in 0..3 {
        assert_eq!(post(&sandbox, "x").await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_revoked_and_a_bot_removed_for_a_while() {
    let sandbox = Sandbox::default();
    let fault = Fault::new(Effect::TokenRevoked).bot("sandbox").times(1);
    sandbox.set_fault(fault).unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 401);
    assert_eq!(post(&sandbox, "x").await.status, 200);

    let fault = Fault::new(Effect::BotRemoved).room("ops");
    sandbox
        .set_fault(fault.lasting(Duration::from_secs(5)))
        .unwrap();
    let refused = post(&sandbox, "x").await;
    assert_eq!(
        (refused.status, refused.message().as_str()),
        (404, "Could not find a room with provided ID.")
    );
    let rooms = call(&sandbox, "GET", "/v1/rooms", &Value::Null).await;
    assert_eq!(rooms.status, 200, "what names no room does not meet it");
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(post(&sandbox, "x").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_parent_can_be_gone_for_a_while() {
    let sandbox = Sandbox::default();
    let root = post(&sandbox, "x").await.id();
    let fault = Fault::new(Effect::ParentGone { code: Some(400) });
    sandbox.set_fault(fault.times(1)).unwrap();
    assert_eq!(post(&sandbox, "no reply").await.status, 200);
    let body = json!({ "roomId": ops(&sandbox), "text": "reply", "parentId": root });
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body).await.status,
        400
    );
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body).await.status,
        200
    );
}
