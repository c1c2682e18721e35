//! The promise: a 2xx means that Webex has the message, nothing is lost, nothing twice.
//! Time is paused, so hours pass at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, RefusalCause, Trouble};
use alertmanager_webex::sandbox::{Effect, Fault, FaultBody, Quota, RetryAfter, Sandbox};
use alertmanager_webex::webex::{Transport, TransportError};
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, sleep};

use crate::harness::{Direct, Rig, alert, firing, notification, reasoned, resolved};

fn limited(retry_after: Option<RetryAfter>) -> Effect {
    Effect::TooManyRequests {
        retry_after,
        body: FaultBody::Html,
    }
}

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    }
}

fn is_delivered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Delivered { .. })
}

#[tokio::test(start_paused = true)]
async fn delivered_means_that_the_room_has_the_message() {
    let rig = Rig::new();
    let outcome = rig.outcome(&firing("Down")).await;
    assert!(
        matches!(outcome, Outcome::Delivered { messages: 1 }),
        "{outcome:?}"
    );
    let messages = rig.messages("general");
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0]
            .markdown
            .as_ref()
            .unwrap()
            .contains("Down is broken")
    );
    assert!(messages[0].size <= 7439);
    assert_eq!(
        rig.count(r#"messages_total{receiver="default",kind="new"}"#),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again_and_posted_once() {
    for effect in [status(503), status(408), status(423), status(501)] {
        let rig = Rig::new();
        rig.fail(effect.clone(), 3);
        let outcome = rig.outcome(&firing("Down")).await;
        assert!(is_delivered(&outcome), "{effect:?}: {outcome:?}");
        assert_eq!(rig.messages("general").len(), 1);
        assert_eq!(rig.posts(), 4);
        assert_eq!(rig.count(r#"ambiguous_posts_total{bot="default"}"#), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_sent_again_and_counted() {
    let dropped = Effect::AcceptThenDrop {
        code: None,
        body: FaultBody::Empty,
    };
    let gateway = Effect::AcceptThenDrop {
        code: Some(502),
        body: FaultBody::Html,
    };
    for (effect, in_room) in [
        (Effect::Reset, 1),
        (dropped, 2),
        (gateway, 2),
        (status(500), 1),
        (status(504), 1),
        (status(200), 1), // A captive portal.
    ] {
        let rig = Rig::new();
        rig.fail(effect.clone(), 1);
        let outcome = rig.outcome(&firing("Down")).await;
        assert!(is_delivered(&outcome), "{effect:?}: {outcome:?}");
        assert_eq!(rig.messages("general").len(), in_room, "{effect:?}");
        assert_eq!(rig.count(r#"ambiguous_posts_total{bot="default"}"#), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_webex_is_answered_in_time_and_the_delivery_goes_on() {
    let rig = Rig::new();
    rig.fail(Effect::Hang { accepted: false }, 1);
    let start = Instant::now();
    let outcome = rig.outcome(&firing("Down")).await;
    assert_eq!(start.elapsed(), Duration::from_secs(9));
    assert!(
        matches!(outcome, Outcome::Unfinished(Trouble::Waiting)),
        "{outcome:?}"
    );
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_429_closes_the_gate_and_a_retry_joins() {
    let rig = Rig::new();
    rig.fail(limited(Some(RetryAfter::Seconds(20))), 1);
    let outcome = rig.outcome(&firing("Down")).await;
    let Outcome::Unfinished(Trouble::RateLimited { closed_for, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(closed_for, Duration::from_secs(11), "what is left of it");
    assert_eq!(rig.posts(), 1, "no request goes through a closed gate");
    let gate = rig.metric(r#"bot_gate_closed_seconds{bot="default"}"#);
    assert!(gate.parse::<f64>().unwrap() > 10.0, "{gate}");
    // Alertmanager tries again at once, and after 9 s, and so on.
    for _ in 0..2 {
        let outcome = rig.outcome(&firing("Down")).await;
        if is_delivered(&outcome) {
            break;
        }
    }
    assert_eq!(rig.messages("general").len(), 1, "joined, not posted twice");
    assert_eq!(rig.posts(), 2);
}

#[tokio::test(start_paused = true)]
async fn whatever_retry_after_says_has_a_bounded_effect() {
    let text = |text: &str| Some(RetryAfter::Text(text.to_owned()));
    let seconds = |seconds| Some(RetryAfter::Seconds(seconds));
    for (header, at_least, at_most) in [
        (None, 15, 16),
        (text("rand(30),add(30)"), 15, 16),
        (seconds(0), 1, 2),
        (seconds(-7), 1, 2),
        (seconds(3600), 3600, 3601),
        (seconds(1_000_000_000_000), 3600, 3601),
        (
            Some(RetryAfter::Date {
                date_in_seconds: 90,
            }),
            88,
            91,
        ),
    ] {
        let rig = Rig::with("[delivery]\ngive_up_after = \"2h\"\n");
        rig.fail(limited(header.clone()), 1);
        let start = Instant::now();
        let ticket = rig.submit(&firing("Down"));
        let general = rig.sandbox.room_id("general").unwrap();
        rig.sandbox.message_where(&general, |_| true).await;
        drop(ticket);
        let took = start.elapsed().as_secs();
        assert!((at_least..=at_most).contains(&took), "{header:?}: {took} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_cancels_nothing_and_its_retry_is_told() {
    let rig = Rig::new();
    rig.fail(status(503), 2);
    drop(rig.submit(&firing("Down")));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(rig.messages("general").len(), 1);
    // Nobody was told of the success yet, so it is remembered beyond the usual window.
    let outcome = rig.outcome(&firing("Down")).await;
    assert!(matches!(outcome, Outcome::Repeat { .. }), "{outcome:?}");
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_within_the_window_is_not_posted_and_a_later_one_is() {
    let rig = Rig::new();
    assert!(is_delivered(&rig.outcome(&firing("Down")).await));
    sleep(Duration::from_secs(170)).await;
    let outcome = rig.outcome(&firing("Down")).await;
    assert!(matches!(outcome, Outcome::Repeat { .. }), "{outcome:?}");
    assert_eq!(
        rig.count(r#"duplicates_suppressed_total{receiver="default"}"#),
        1
    );
    sleep(Duration::from_secs(20)).await;
    assert!(is_delivered(&rig.outcome(&firing("Down")).await));
    assert_eq!(rig.messages("general").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_peer_with_the_same_alerts_in_another_order_joins() {
    let rig = Rig::new();
    let (a, b) = (alert("A", "firing", 0), alert("B", "firing", 1));
    let first = rig.submit(&notification("g", &[a.clone(), b.clone()]));
    let second = rig.submit(&notification("g", &[b, a]));
    assert!(is_delivered(&first.outcome().await));
    assert!(is_delivered(&second.outcome().await));
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn firing_resolved_and_firing_again_is_three_messages() {
    let rig = Rig::new();
    for body in [firing("Down"), resolved("Down"), firing("Down")] {
        assert!(is_delivered(&rig.outcome(&body).await));
    }
    assert_eq!(rig.messages("general").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_on_purpose_is_posted_and_its_own_retry_is_not() {
    let rig = Rig::new();
    let alerts = [alert("A", "firing", 0)];
    let again = reasoned("g", &alerts, "repeat interval elapsed");
    assert!(is_delivered(
        &rig.outcome(&reasoned("g", &alerts, "first notification"))
            .await
    ));
    assert!(is_delivered(&rig.outcome(&again).await));
    assert!(matches!(rig.outcome(&again).await, Outcome::Repeat { .. }));
    assert_eq!(rig.messages("general").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_refuses_is_told_with_webexs_words_and_asked_again_in_half_a_minute() {
    let rig = Rig::with("[receivers.lost]\nrooms = [\"dead\"]\n");
    let refused = async || {
        let outcome = rig.submit_to("lost", &firing("Down")).outcome().await;
        let Outcome::Refused(refused) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(refused[0].cause, RefusalCause::Room);
        refused[0].to_string()
    };
    let told = refused().await;
    assert!(
        told.contains("room `dead`") && told.contains("404"),
        "{told}"
    );
    assert!(told.contains("trackingId"), "{told}");
    for _ in 0..20 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(refused().await, told, "at once, in the words of the first");
    }
    assert_eq!(rig.posts(), 1);
    sleep(Duration::from_secs(10)).await;
    refused().await;
    assert_eq!(rig.posts(), 2, "one probe");
    let id = "Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA";
    rig.sandbox.add_room("dead", Some(id)).unwrap();
    sleep(Duration::from_secs(30)).await;
    let outcome = rig.submit_to("lost", &firing("Down")).outcome().await;
    assert!(is_delivered(&outcome), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_room_costs_the_others_nothing() {
    let rig = Rig::with("[receivers.two]\nrooms = [\"dead\", \"ops\"]\n");
    let outcome = rig.submit_to("two", &firing("Down")).outcome().await;
    let Outcome::Partial { messages, refused } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((messages, refused.len()), (1, 1));
    assert_eq!(rig.messages("ops").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_markdown_goes_out_as_plain_text_and_says_so() {
    let rig = Rig::new();
    rig.fail(status(400), 1);
    assert!(is_delivered(&rig.outcome(&firing("Down")).await));
    let messages = rig.messages("general");
    assert_eq!(messages[0].markdown, None);
    let text = messages[0].text.as_ref().unwrap();
    assert!(text.contains("Down is broken"), "{text}");
    assert!(text.contains("Webex refused the Markdown"), "{text}");
    assert!(!text.contains("**"), "{text}");
    let fallbacks = r#"fallbacks_total{receiver="default",reason="markdown_refused"}"#;
    assert_eq!(rig.count(fallbacks), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_refused_in_every_form_is_refused_for_good() {
    let rig = Rig::new();
    rig.fail(status(400), 0);
    let outcome = rig.outcome(&firing("Down")).await;
    let Outcome::Refused(refused) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(refused[0].cause, RefusalCause::Message);
    assert_eq!(rig.posts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_passing_for_two_minutes_and_then_for_good() {
    let rig = Rig::new();
    rig.sandbox.revoke_token("sandbox").unwrap();
    let start = Instant::now();
    let mut passing = 0;
    let last = loop {
        let outcome = rig.outcome(&firing("Down")).await;
        match outcome {
            Outcome::Unfinished(Trouble::TokenRefused { .. }) => passing += 1,
            other => break other,
        }
    };
    let Outcome::Refused(refused) = last else {
        panic!("{last:?}");
    };
    assert_eq!(refused[0].cause, RefusalCause::Token);
    assert!(start.elapsed() >= Duration::from_secs(120));
    assert!(passing >= 12, "{passing}");
    assert!(rig.posts() <= 14, "probed once in a while: {}", rig.posts());
    assert!(
        !refused[0].to_string().contains("sandbox"),
        "the token is not told"
    );

    rig.sandbox.restore_token("sandbox").unwrap();
    sleep(Duration::from_secs(10)).await;
    assert!(is_delivered(&rig.outcome(&firing("Down")).await));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_is_picked_up_by_what_waits() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "sandbox\n").unwrap();
    let rig = Rig::with(&format!(
        "bot = \"rotating\"\n[bots.rotating]\ntoken_file = \"{}\"\n",
        file.path().display()
    ));
    rig.sandbox
        .set_token("sandbox", "rotated".to_owned())
        .unwrap();
    let ticket = rig.submit(&firing("Down"));
    sleep(Duration::from_secs(1)).await;
    std::fs::write(file.path(), "rotated\n").unwrap();
    let outcome = ticket.outcome().await;
    let delivered = is_delivered(&outcome) || is_delivered(&rig.outcome(&firing("Down")).await);
    assert!(delivered, "{outcome:?}");
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_posted_in_a_dry_run() {
    let rig = Rig::with("dry_run = true\n");
    assert!(matches!(
        rig.outcome(&firing("Down")).await,
        Outcome::DryRun
    ));
    assert_eq!(rig.posts(), 0);
}

#[tokio::test(start_paused = true)]
async fn past_the_bound_new_work_is_turned_away_and_joiners_are_not() {
    let rig = Rig::with("[delivery]\nmax_waiting = 2\n");
    rig.fail(limited(Some(RetryAfter::Seconds(60))), 1);
    let first = rig.submit(&firing("A"));
    sleep(Duration::from_millis(1)).await;
    let _second = rig.submit(&firing("B"));
    let start = Instant::now();
    assert!(matches!(
        rig.outcome(&firing("C")).await,
        Outcome::Overloaded
    ));
    assert_eq!(start.elapsed(), Duration::ZERO, "at once");
    let joined = rig.submit(&firing("A"));
    drop(first);
    assert!(matches!(joined.outcome().await, Outcome::Unfinished(_)));
    assert_eq!(rig.count(r#"waiting_notifications{receiver="default"}"#), 2);
    sleep(Duration::from_secs(70)).await;
    assert_eq!(rig.messages("general").len(), 2);
    assert_eq!(rig.count(r#"waiting_notifications{receiver="default"}"#), 0);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_asks_for_any_more_is_given_up_and_what_is_asked_for_is_not() {
    let rig = Rig::new();
    rig.fail(limited(Some(RetryAfter::Seconds(3600))), 1);
    drop(rig.submit(&firing("Forgotten")));
    sleep(Duration::from_millis(1)).await;
    let asked_for = firing("Asked");
    for _ in 0..59 {
        drop(rig.submit(&asked_for));
        sleep(Duration::from_secs(60)).await;
    }
    let outcome = rig.outcome(&asked_for).await;
    sleep(Duration::from_secs(120)).await;
    let texts: Vec<_> = rig
        .messages("general")
        .into_iter()
        .filter_map(|message| message.markdown)
        .collect();
    assert_eq!(rig.count(r#"given_up_total{receiver="default"}"#), 1);
    assert_eq!(texts.len(), 1, "{outcome:?} {texts:#?}");
    assert!(texts[0].contains("Asked is broken"));
}

#[tokio::test(start_paused = true)]
async fn a_drain_gives_back_what_has_not_begun() {
    let rig = Rig::new();
    rig.fail(limited(Some(RetryAfter::Seconds(600))), 1);
    let waiting = rig.submit(&firing("A"));
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    assert!(rig.engine.drain(Duration::from_secs(40)).await);
    assert!(matches!(waiting.outcome().await, Outcome::Draining));
    assert!(matches!(rig.outcome(&firing("B")).await, Outcome::Draining));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(rig.messages("general").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_what_is_in_flight_and_tells_its_caller() {
    let rig = Rig::new();
    rig.fail(Effect::Latency { ms: 5000 }, 1);
    let under_way = rig.submit(&firing("A"));
    sleep(Duration::from_secs(1)).await;
    assert!(rig.engine.drain(Duration::from_secs(40)).await);
    assert!(is_delivered(&under_way.outcome().await));
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_all_rooms_of_what_is_in_flight_to_one() {
    let rig = Rig::with("[receivers.two]\nrooms = [\"general\", \"ops\"]\n");
    rig.fail(Effect::Latency { ms: 3000 }, 1);
    let under_way = rig.submit_to("two", &firing("A"));
    sleep(Duration::from_secs(1)).await;
    assert!(rig.engine.drain(Duration::from_secs(40)).await);
    let outcome = under_way.outcome().await;
    assert!(
        matches!(outcome, Outcome::Delivered { messages: 2 }),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_room_may_have_a_ceiling_of_its_own() {
    let rig = Rig::with(
        "bot = \"slow\"\n[receivers.quiet]\nrooms = [\"ops\"]\nbot = \"slow\"\n\
         [bots.slow]\ntoken_env = \"TOKEN\"\nroom_messages_per_minute = 60\nburst = 1000\n\
         messages_per_minute = 60000\n[delivery]\ndigest_after = \"1h\"\n",
    );
    for number in 0..100 {
        drop(rig.submit(&firing(&format!("Noise{number}"))));
    }
    sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    let outcome = rig.submit_to("quiet", &firing("Quiet")).outcome().await;
    assert!(is_delivered(&outcome), "{outcome:?}");
    assert!(
        start.elapsed() < Duration::from_millis(100),
        "{:?}",
        start.elapsed()
    );
    sleep(Duration::from_millis(9500)).await;
    let in_room = rig.messages("general").len();
    assert!(
        (68..=71).contains(&in_room),
        "60 at once, then one a second: {in_room}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_template_is_told_what_has_changed_since_the_last_delivery() {
    let templates = tempfile::tempdir().unwrap();
    let text = "{% for alert in changed.firing %}{{ alert.labels.alertname }} fires{% endfor %}\
        {% for alert in changed.resolved %}{{ alert.labels.alertname }} is over{% endfor %}";
    std::fs::write(templates.path().join("changes.md"), text).unwrap();
    let rig = Rig::with(&format!(
        "template = \"changes\"\n[templates]\ndirectory = \"{}\"\n",
        templates.path().display()
    ));
    let (a, b) = (alert("A", "firing", 0), alert("B", "firing", 1));
    let over = alert("A", "resolved", 0);
    let group = |alerts: &[String]| notification("g", alerts);
    for body in [
        group(std::slice::from_ref(&a)),
        group(&[a, b.clone()]),
        group(&[over, b]),
    ] {
        assert!(is_delivered(&rig.outcome(&body).await));
        sleep(Duration::from_secs(3600)).await;
    }
    let texts: Vec<_> = rig
        .messages("general")
        .into_iter()
        .filter_map(|m| m.markdown)
        .collect();
    assert_eq!(texts, ["A fires", "B fires", "A is over"]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_the_room_that_waits_where_another_is_on_its_way() {
    let rig = Rig::with(
        "bot = \"default\"\n[receivers.two]\nbot = \"slow\"\nrooms = [\"general\", \"ops\"]\n\
         [bots.slow]\ntoken_env = \"TOKEN\"\nmessages_per_minute = 30\nburst = 1\n",
    );
    rig.fail(Effect::Latency { ms: 5000 }, 1);
    let under_way = rig.submit_to("two", &firing("A"));
    sleep(Duration::from_secs(1)).await;
    let bot = rig.engine.snapshot().bots["slow"].clone();
    assert_eq!((bot.in_flight, bot.waiting), (1, 1));
    let (ended, outcome) = tokio::join!(
        rig.engine.drain(Duration::from_secs(40)),
        under_way.outcome()
    );
    assert!(ended);
    // A 503 would bring it to the next process, and the first room would have it twice.
    assert!(is_delivered(&outcome), "{outcome:?}");
    assert_eq!(rig.messages("general").len(), 1);
    assert_eq!(rig.messages("ops").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_storm_past_an_unknown_quota_is_short_in_digests_to_its_end() {
    let rig = Rig::new();
    let quota = Quota::new(5.0, 10);
    rig.sandbox.set_quota("sandbox", Some(quota)).unwrap();
    rig.fail(Effect::Latency { ms: 100 }, 0);
    let start = Instant::now();
    for group in 0..1000 {
        drop(rig.submit(&firing(&format!("storm-{group:04}"))));
    }
    while rig.engine.snapshot().waiting > 0 {
        sleep(Duration::from_millis(50)).await;
    }
    let messages = rig.messages("general").len();
    // The bucket, and then digests; the tail is not posted one by one.
    assert!(messages <= 40, "{messages} messages");
    let took = start.elapsed();
    assert!(took <= Duration::from_secs(10), "{took:?}");
    let refused = rig.posts() - messages;
    assert!(refused <= 130, "{refused} requests past the quota");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_knows_fewer_alerts_joins() {
    let rig = Rig::new();
    rig.fail(Effect::Latency { ms: 3000 }, 1);
    let (a, b) = (alert("A", "firing", 0), alert("B", "firing", 1));
    let first = rig.submit(&notification("g", &[a.clone(), b]));
    sleep(Duration::from_secs(1)).await;
    let second = rig.submit(&notification("g", &[a]));
    assert!(is_delivered(&first.outcome().await));
    assert!(is_delivered(&second.outcome().await));
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn receivers_with_different_rooms_do_not_join() {
    let rig = Rig::with("[receivers.other]\nrooms = [\"ops\"]\n");
    assert!(is_delivered(&rig.outcome(&firing("Down")).await));
    let other = rig.submit_to("other", &firing("Down")).outcome().await;
    assert!(is_delivered(&other));
    assert_eq!(rig.messages("ops").len(), 1);
}

/// Closes the gate for 5 s, with a message of another group that takes the 429.
async fn close_gate(rig: &Rig) {
    rig.fail(limited(Some(RetryAfter::Seconds(5))), 1);
    drop(rig.submit(&firing("Closer")));
    sleep(Duration::from_millis(1)).await;
}

/// What a room shows of a group, oldest first: the first lines.
fn first_lines(rig: &Rig, group: &str) -> Vec<String> {
    rig.messages("general")
        .into_iter()
        .filter_map(|message| message.markdown)
        .filter(|markdown| markdown.contains(group))
        .filter_map(|markdown| markdown.lines().next().map(str::to_owned))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_nobody_saw_is_replaced_by_a_newer_one_that_covers_it() {
    let rig = Rig::new();
    close_gate(&rig).await;
    let older = rig.submit(&notification("g", &[alert("A", "firing", 0)]));
    let both = [alert("A", "firing", 0), alert("B", "firing", 1)];
    let newer = rig.submit(&notification("g", &both));
    assert!(
        is_delivered(&older.outcome().await),
        "told the newer one's outcome"
    );
    assert!(is_delivered(&newer.outcome().await));
    let shown = first_lines(&rig, "firing: ");
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].contains("2 firing"), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stale_firing_never_replaces_a_resolution_and_order_is_kept() {
    let rig = Rig::new();
    close_gate(&rig).await;
    let resolution = rig.submit(&resolved("Down"));
    let stale = rig.submit(&firing("Down"));
    assert!(is_delivered(&resolution.outcome().await));
    assert!(is_delivered(&stale.outcome().await));
    let shown = first_lines(&rig, "Down");
    assert_eq!(shown.len(), 2);
    assert!(
        shown[0].contains("Resolved") && shown[1].contains("Firing"),
        "{shown:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_lacks_an_alert_of_the_older_one_does_not_replace_it() {
    let rig = Rig::new();
    close_gate(&rig).await;
    let older = rig.submit(&notification(
        "g",
        &[alert("A", "firing", 0), alert("B", "firing", 1)],
    ));
    let newer = rig.submit(&notification("g", &[alert("A", "resolved", 0)]));
    assert!(is_delivered(&older.outcome().await));
    assert!(is_delivered(&newer.outcome().await));
    assert_eq!(first_lines(&rig, "A").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_noisy_room_does_not_hold_up_a_quiet_one() {
    let rig = Rig::with("[receivers.quiet]\nrooms = [\"ops\"]\n");
    rig.sandbox
        .set_quota("sandbox", Some(Quota::new(1.0, 2)))
        .unwrap();
    for number in 0..300 {
        drop(rig.submit(&firing(&format!("Noise{number}"))));
    }
    sleep(Duration::from_secs(20)).await;
    let start = Instant::now();
    let outcome = rig.submit_to("quiet", &firing("Quiet")).outcome().await;
    assert!(is_delivered(&outcome), "{outcome:?}");
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_in_backoff_holds_up_nobody() {
    let rig = Rig::new();
    let slow = Effect::Status {
        code: 423,
        retry_after: Some(RetryAfter::Seconds(5)),
        body: FaultBody::Json,
    };
    rig.fail(slow, 1);
    let parked = rig.submit(&firing("Parked"));
    sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    assert!(is_delivered(&rig.outcome(&firing("Free")).await));
    assert!(start.elapsed() < Duration::from_millis(100));
    assert!(is_delivered(&parked.outcome().await));
}

#[tokio::test(start_paused = true)]
async fn a_storm_goes_out_in_digests_and_each_request_gets_its_answer() {
    let rig = Rig::new();
    rig.sandbox
        .set_quota("sandbox", Some(Quota::new(1.0, 2)))
        .unwrap();
    let mut tickets = Vec::new();
    for number in 0..200 {
        let severity = if number % 10 == 0 {
            "critical"
        } else {
            "warning"
        };
        let body = firing(&format!("Alert{number:03}")).replace("critical", severity);
        tickets.push((rig.submit(&body), body));
    }
    let start = Instant::now();
    for (ticket, body) in tickets {
        let mut outcome = ticket.outcome().await;
        while !matches!(outcome, Outcome::Delivered { .. } | Outcome::Repeat { .. }) {
            assert!(matches!(outcome, Outcome::Unfinished(_)), "{outcome:?}");
            outcome = rig.outcome(&body).await;
        }
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    let messages = rig.messages("general");
    assert!(
        messages.len() < 30,
        "{} messages for 200 groups",
        messages.len()
    );
    let texts: Vec<_> = messages.iter().filter_map(|m| m.markdown.clone()).collect();
    for number in 0..200 {
        let name = format!("Alert{number:03}");
        let times = texts.iter().filter(|text| text.contains(&name)).count();
        assert_eq!(times, 1, "{name}");
    }
    assert!(messages.iter().all(|message| message.size <= 7439));

    // The lane is short again, so full messages resume.
    sleep(Duration::from_secs(30)).await;
    assert!(is_delivered(&rig.outcome(&firing("Later")).await));
    let last = rig.messages("general").pop().unwrap();
    assert!(last.markdown.unwrap().contains("Later is broken"));
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_is_refused_is_bisected_and_nothing_is_lost() {
    let rig = Rig::new();
    rig.sandbox
        .set_quota("sandbox", Some(Quota::new(1.0, 2)))
        .unwrap();
    let bodies: Vec<_> = (0..60)
        .map(|number| firing(&format!("Alert{number:03}")))
        .collect();
    for body in &bodies {
        drop(rig.submit(body));
    }
    sleep(Duration::from_secs(1)).await;
    rig.fail(status(400), 2);
    sleep(Duration::from_secs(120)).await;
    let texts: Vec<_> = rig
        .messages("general")
        .into_iter()
        .filter_map(|message| message.markdown.or(message.text))
        .collect();
    for number in 0..60 {
        let name = format!("Alert{number:03}");
        assert!(
            texts.iter().any(|text| text.contains(&name)),
            "{name} is lost"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_posted_late_says_so() {
    let rig = Rig::new();
    rig.fail(limited(Some(RetryAfter::Seconds(100))), 1);
    drop(rig.submit(&firing("Down")));
    sleep(Duration::from_secs(120)).await;
    let text = rig.messages("general")[0].markdown.clone().unwrap();
    assert!(text.contains("Late: this is the state as of"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_healthy_room_is_told_of_the_one_that_refuses() {
    let rig = Rig::with("[receivers.two]\nrooms = [\"dead\", \"ops\"]\n");
    for body in [firing("A"), firing("B")] {
        let outcome = rig.submit_to("two", &body).outcome().await;
        assert!(matches!(outcome, Outcome::Partial { .. }), "{outcome:?}");
    }
    let last = rig.messages("ops").pop().unwrap().markdown.unwrap();
    assert!(last.contains("Not delivered elsewhere: room"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_probed_by_one_and_is_over_for_all_at_once() {
    let rig = Rig::new();
    rig.sandbox
        .set_fault(Fault::new(status(503)).lasting(Duration::from_secs(20)))
        .unwrap();
    for number in 0..30 {
        drop(rig.submit(&firing(&format!("Alert{number}"))));
        sleep(Duration::from_millis(500)).await;
    }
    assert!(rig.posts() <= 20, "{} requests in 15 s", rig.posts());
    let outcome = rig.outcome(&firing("Alert29")).await;
    assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    sleep(Duration::from_secs(40)).await;
    let text: String = rig
        .messages("general")
        .into_iter()
        .filter_map(|message| message.markdown)
        .collect();
    for number in 0..30 {
        assert!(
            text.contains(&format!("Alert{number}")),
            "Alert{number} is lost"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_by_bytes_too() {
    let rig = Rig::with("[delivery]\nmax_waiting_bytes = \"8KiB\"\n");
    rig.fail(limited(Some(RetryAfter::Seconds(60))), 1);
    drop(rig.submit(&firing("First")));
    sleep(Duration::from_millis(1)).await;
    let mut outcomes = Vec::new();
    for number in 0..20 {
        let ticket = rig.submit(&firing(&format!("More{number}")));
        outcomes.push(futures_util::FutureExt::now_or_never(ticket.outcome()));
    }
    let turned_away = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Some(Outcome::Overloaded)))
        .count();
    assert!((5..20).contains(&turned_away), "{turned_away}");
}

/// A way to Webex that panics once.
pub(crate) struct Panicking {
    direct: Direct,
    panics: AtomicBool,
}

impl Panicking {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self {
            direct: Direct(sandbox),
            panics: AtomicBool::new(true),
        }
    }
}

impl Transport for Panicking {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "on purpose");
        self.direct.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_delivery_harms_no_other() {
    let sandbox = Sandbox::default();
    let transport = Arc::new(Panicking::new(sandbox.clone()));
    let rig = Rig::over(sandbox, transport, "");
    let (first, second) = (rig.submit(&firing("A")), rig.submit(&firing("B")));
    assert!(matches!(first.outcome().await, Outcome::Broken));
    assert!(is_delivered(&second.outcome().await));
    assert!(
        is_delivered(&rig.outcome(&firing("A")).await),
        "not remembered"
    );
    assert_eq!(rig.count(r#"waiting_notifications{receiver="default"}"#), 0);
}
