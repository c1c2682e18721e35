//! `max_messages_per_minute`: a receiver that storms waits for itself, and nobody for it.

use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, Ticket, Trouble};
use tokio::time::{Instant, sleep};

use crate::harness::{Rig, firing};

const LOUD: &str = "[receivers.loud]\nrooms = [\"general\"]\nmax_messages_per_minute = 2\n\
    [receivers.quiet]\nrooms = [\"ops\"]\n\
    [receivers.neighbour]\nrooms = [\"general\"]\n";

/// More than fits into the digests of a minute.
const MANY: u32 = 1500;

/// A storm of these groups.
fn storm(rig: &Rig, groups: std::ops::Range<u32>) -> Vec<Ticket> {
    groups
        .map(|group| rig.submit_to("loud", &firing(&format!("Loud{group}x"))))
        .collect()
}

fn text(rig: &Rig, room: &str) -> String {
    let messages = rig.messages(room).into_iter();
    messages.filter_map(|message| message.markdown).collect()
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_one_receiver_delays_no_other_not_even_in_the_same_room() {
    let rig = Rig::with(LOUD);
    drop(storm(&rig, 0..MANY));
    sleep(Duration::from_secs(1)).await;
    for receiver in ["quiet", "neighbour"] {
        let start = Instant::now();
        let outcome = rig.submit_to(receiver, &firing(receiver)).outcome().await;
        assert!(
            matches!(outcome, Outcome::Delivered { messages: 1 }),
            "{outcome:?}"
        );
        assert!(start.elapsed() < Duration::from_millis(100), "{receiver}");
    }
    let waiting = rig.metric(r#"waiting_notifications{receiver="loud"}"#);
    assert!(waiting.parse::<u32>().unwrap() > MANY / 4, "{waiting} wait");
    sleep(Duration::from_secs(480)).await;
    let told = text(&rig, "general");
    for group in 0..MANY {
        assert!(told.contains(&format!("Loud{group}x")), "{group} is lost");
    }
    assert_eq!(rig.metric(r#"waiting_notifications{receiver="loud"}"#), "0");
}

#[tokio::test(start_paused = true)]
async fn who_is_over_its_quota_is_told_so_and_its_caller_keeps_the_notification() {
    let rig = Rig::with(LOUD);
    let mut tickets = storm(&rig, 0..MANY);
    let outcome = tickets.pop().unwrap().outcome().await;
    let Outcome::Unfinished(trouble) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(matches!(trouble, Trouble::OverQuota { .. }), "{trouble:?}");
    insta::assert_snapshot!(trouble, @"this receiver has posted all that it may, 2 a minute (`max_messages_per_minute`); group alerts more coarsely, or raise it");
}

#[tokio::test(start_paused = true)]
async fn no_minute_has_more_than_the_quota_and_a_burst() {
    let rig = Rig::with(&LOUD.replace("= [\"general\"]", "= [\"general\", \"ops\"]"));
    drop(storm(&rig, 0..MANY));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.posts(), 2, "a minute's worth at once");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.posts(), 4, "and so many in each minute");
}

/// Whoever is over its own quota asks in vain, and that must not cost the bot's.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_quota_of_ones_own_spends_nothing_of_the_bots() {
    let rig = Rig::with(&format!(
        "bot = \"default\"\n\
         [bots.small]\ntoken_env = \"TOKEN\"\nmessages_per_minute = 60\nburst = 1\n{}",
        LOUD.replace("rooms", "bot = \"small\"\nrooms")
    ));
    drop(storm(&rig, 0..MANY));
    sleep(Duration::from_secs(30)).await;
    // Each of these wakes the bot, which finds the receiver over its quota.
    for group in MANY..MANY + 500 {
        drop(storm(&rig, group..group + 1));
        sleep(Duration::from_millis(10)).await;
    }
    let start = Instant::now();
    for group in 0..5 {
        let body = firing(&format!("Quiet{group}"));
        let outcome = rig.submit_to("quiet", &body).outcome().await;
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
    let took = start.elapsed();
    assert!(took < Duration::from_millis(6500), "{took:?}");
}
