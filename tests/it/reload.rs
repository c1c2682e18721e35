//! A reload swaps the configuration whole, and costs nothing that is under way.
//! Time is paused, so minutes pass at once.

use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, Ticket};
use alertmanager_webex::sandbox::Quota;
use tokio::time::{Instant, sleep};

use crate::harness::{Rig, firing, resolved};

/// One by one, and callers wait until it is done.
const PATIENT: &str = "[delivery]\ndigest_after = \"1h\"\nanswer_within = \"2h\"\n";
const SLOW: &str = "messages_per_minute = 60\nburst = 5";

fn slow(toml: &str) -> String {
    toml.replace("messages_per_minute = 60000\nburst = 1000", SLOW)
}

/// A rig whose bot posts five at once and then one a second, one by one.
fn slow_rig() -> Rig {
    let mut rig = Rig::new();
    rig.reload(|toml| slow(toml) + PATIENT);
    rig
}

fn storm(rig: &Rig, receiver: &str, size: usize) -> Vec<Ticket> {
    (0..size)
        .map(|number| rig.submit_to(receiver, &firing(&format!("{receiver}-{number}"))))
        .collect()
}

async fn all_delivered(tickets: Vec<Ticket>) {
    for ticket in tickets {
        let outcome = ticket.outcome().await;
        assert!(
            matches!(outcome, Outcome::Delivered { messages: 1 }),
            "{outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_in_a_storm_loses_nothing_posts_nothing_twice_and_keeps_the_order() {
    let mut rig = slow_rig();
    let mut tickets = storm(&rig, "default", 40);
    for number in 0..10 {
        sleep(Duration::from_secs(1)).await;
        tickets.push(rig.submit(&resolved(&format!("default-{number}"))));
        rig.reload(|toml| slow(toml) + PATIENT);
    }
    all_delivered(tickets).await;
    let posted = rig.messages("general").len();
    assert!((40..=50).contains(&posted), "{posted}");
    assert_eq!(rig.posts(), posted, "each once");
    for number in 0..10 {
        let name = format!("default-{number} is broken");
        let texts: Vec<_> = rig
            .messages("general")
            .into_iter()
            .filter_map(|m| m.markdown)
            .collect();
        let told: Vec<_> = texts.iter().filter(|text| text.contains(&name)).collect();
        let last = told.last().unwrap();
        assert!(last.to_lowercase().contains("resolved"), "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_no_burst_and_another_ceiling_holds_from_then_on() {
    let mut rig = slow_rig();
    let tickets = storm(&rig, "default", 65);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(rig.posts(), 5, "the burst");
    for _ in 0..5 {
        rig.reload(|toml| slow(toml) + PATIENT);
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(rig.posts(), 5, "nothing new to take");
    let start = Instant::now();
    rig.reload(|toml| {
        toml.replace(
            "messages_per_minute = 60000\nburst = 1000",
            "messages_per_minute = 600\nburst = 50",
        ) + PATIENT
    });
    sleep(Duration::from_millis(50)).await;
    assert!(rig.posts() <= 6, "no burst: {}", rig.posts());
    all_delivered(tickets).await;
    let took = start.elapsed();
    assert!((5..=7).contains(&took.as_secs()), "ten a second: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_and_a_learned_pace_survive_a_reload() {
    let mut rig = slow_rig();
    let quota = Quota {
        per_second: 0.05,
        burst: 3,
    };
    rig.sandbox.set_quota("sandbox", Some(quota)).unwrap();
    let tickets = storm(&rig, "default", 5);
    sleep(Duration::from_secs(2)).await;
    let closed = rig.engine.snapshot().bots["default"].gate_closed_for;
    assert!(closed > Duration::from_secs(1), "{closed:?}");
    let posts = rig.posts();
    rig.reload(slow);
    let after = rig.engine.snapshot().bots["default"].gate_closed_for;
    assert_eq!(after, closed);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.posts(), posts, "nothing is sent to a closed gate");
    drop(tickets);
}

#[tokio::test(start_paused = true)]
async fn what_waits_keeps_its_room_and_what_comes_later_goes_to_the_new_one() {
    let mut rig = slow_rig();
    let tickets = storm(&rig, "default", 10);
    rig.reload(|toml| slow(toml).replace("rooms = [\"general\"]", "rooms = [\"ops\"]") + PATIENT);
    let later = rig.submit(&firing("later"));
    all_delivered(tickets).await;
    all_delivered(vec![later]).await;
    assert_eq!(rig.messages("general").len(), 10);
    assert_eq!(rig.messages("ops").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_removed_receiver_is_finished_and_its_metrics_go_when_it_is() {
    let mut rig = slow_rig();
    let gone = "\n[receivers.gone]\nrooms = [\"ops\"]\n";
    rig.reload(|toml| slow(toml) + gone + PATIENT);
    let waiting = r#"waiting_notifications{receiver="gone"}"#;
    assert_eq!(rig.count(waiting), 0, "there from the start");
    let tickets = storm(&rig, "gone", 100);
    rig.reload(|toml| slow(toml) + PATIENT);
    assert!(rig.count(waiting) > 0, "they still wait");
    all_delivered(tickets).await;
    assert_eq!(rig.messages("ops").len(), 100);
    sleep(Duration::from_secs(121)).await;
    assert!(!rig.metrics.text().contains(r#"receiver="gone""#));
    assert!(!rig.engine.standings().contains_key("gone"));
}

#[tokio::test(start_paused = true)]
async fn a_removed_bot_sends_what_waits_and_one_that_comes_back_is_the_same() {
    let mut rig = Rig::new();
    // Both have the token that the harness knows: to Webex they are one.
    let two = |toml: &str| {
        toml.replace(
            "[receivers.default]",
            &format!("[bots.second]\ntoken_env = \"TOKEN\"\n{SLOW}\n[receivers.second]\nbot = \"second\"\nrooms = [\"ops\"]\n[receivers.default]\nbot = \"default\""),
        ) + PATIENT
    };
    rig.reload(two);
    let tickets = storm(&rig, "second", 30);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(rig.posts(), 5);
    rig.reload(|toml| toml.to_owned() + PATIENT);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(rig.posts(), 7, "it goes on at its pace");
    rig.reload(two);
    sleep(Duration::from_millis(100)).await;
    assert!(rig.posts() <= 8, "coming back is no burst");
    rig.reload(|toml| toml.to_owned() + PATIENT);
    all_delivered(tickets).await;
    assert_eq!(rig.messages("ops").len(), 30);
    sleep(Duration::from_secs(60)).await;
    assert!(!rig.metrics.text().contains(r#"bot="second""#));
    assert!(!rig.engine.snapshot().bots.contains_key("second"));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_came_before_the_reload_is_served_by_a_bot_that_has_left() {
    let mut rig = Rig::new();
    let before = rig.engine.loaded();
    let receiver = before.routes().find("default").unwrap().clone();
    rig.reload(|toml| toml.replace("[bots.default]", "[bots.other]"));
    sleep(Duration::from_secs(1)).await;
    assert!(!rig.engine.snapshot().bots.contains_key("default"));
    let body = firing("late");
    let notification =
        alertmanager_webex::alertmanager::Notification::parse(body.as_bytes()).unwrap();
    let ticket = rig.engine.submit_by(&before, &receiver, &notification);
    all_delivered(vec![ticket]).await;
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_rotated_in_the_middle_of_a_storm_loses_nothing() {
    let mut rig = Rig::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "sandbox").unwrap();
    let from_file = format!("token_file = \"{}\"", file.path().display());
    let with_file = |toml: &str| slow(toml).replace("token_env = \"TOKEN\"", &from_file) + PATIENT;
    rig.reload(with_file);
    let tickets = storm(&rig, "default", 60);
    sleep(Duration::from_secs(10)).await;
    // Webex takes the new one from now on; the Secret takes a minute to arrive.
    rig.sandbox.set_token("sandbox", "rotated").unwrap();
    sleep(Duration::from_secs(60)).await;
    assert!(rig.messages("general").len() < 60, "the storm is not over");
    std::fs::write(file.path(), "rotated\n").unwrap();
    rig.reload(with_file);
    all_delivered(tickets).await;
    assert_eq!(rig.messages("general").len(), 60, "each once");
    assert!(!rig.metrics.text().contains("rotated"));
}

#[tokio::test(start_paused = true)]
async fn two_thousand_receivers_have_metrics_that_prometheus_takes() {
    let mut rig = Rig::new();
    rig.reload(|toml| {
        let mut toml = toml.to_owned();
        for number in 0..2000 {
            let receiver =
                format!("[receivers.\"team-{number:04}/alerts/webex\"]\nrooms = [\"ops\"]\n");
            toml.push_str(&receiver);
        }
        toml
    });
    let bytes = rig.metrics.text().len();
    assert!(bytes < 5_000_000, "{bytes}");
    let series = r#"messages_total{receiver="team-1999/alerts/webex",kind="new"}"#;
    assert_eq!(rig.count(series), 0, "there from the start");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_known_across_a_reload_unless_the_rooms_are_others() {
    let mut rig = Rig::new();
    let body = firing("Down");
    rig.outcome(&body).await;
    rig.reload(|toml| toml.replace("burst = 1000", "burst = 999"));
    let outcome = rig.outcome(&body).await;
    assert!(matches!(outcome, Outcome::Repeat { .. }), "{outcome:?}");
    rig.reload(|toml| toml.replace("rooms = [\"general\"]", "rooms = [\"general\", \"ops\"]"));
    let outcome = rig.outcome(&body).await;
    assert!(
        matches!(outcome, Outcome::Delivered { messages: 2 }),
        "{outcome:?}"
    );
    assert_eq!(rig.messages("ops").len(), 1, "the new room hears of it");
    assert_eq!(rig.messages("general").len(), 2);
}
