//! How deliveries end without Webex: turned away, given up, given back at the end.

use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{Effect, RetryAfter};
use tokio::time::{Instant, sleep};

use super::{is_delivered, limited};
use crate::harness::{Rig, firing};

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
async fn what_is_posted_late_says_so() {
    let rig = Rig::new();
    rig.fail(limited(Some(RetryAfter::Seconds(100))), 1);
    drop(rig.submit(&firing("Down")));
    sleep(Duration::from_secs(120)).await;
    let text = rig.messages("general")[0].markdown.clone().unwrap();
    assert!(text.contains("Late: this is the state as of"), "{text}");
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
