//! Who waits for whom: gates, ceilings, storms, outages.

use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, Trouble};
use alertmanager_webex::sandbox::{Effect, Fault, FaultBody, Quota, RetryAfter};
use tokio::time::{Instant, sleep};

use super::{is_delivered, limited, status};
use crate::harness::{Rig, firing};

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
