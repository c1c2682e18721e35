//! What becomes of a group: its beginning and end, who tells of it, and what is in between.

use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{Effect, FaultBody, RetryAfter};
use tokio::time::sleep;

use super::room::show;
use super::{THREAD, UPDATE, counts, deliver, fault, group, rig, rig_with, status, storm};
use crate::harness::{firing, resolved};

#[tokio::test(start_paused = true)]
async fn two_first_notifications_at_once_have_one_root() {
    for mode in [THREAD, UPDATE] {
        let rig = rig(mode);
        rig.fail(Effect::Latency { ms: 3000 }, 0);
        // Neither covers the other, so both are told.
        let tickets = [
            rig.submit(&group(&[("A", "firing")])),
            rig.submit(&group(&[("B", "firing")])),
        ];
        for ticket in tickets {
            let outcome = ticket.outcome().await;
            assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
        }
        assert_eq!(counts(&rig, "general"), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn retries_and_a_peer_that_is_late_stay_in_the_one_thread() {
    let rig = rig(THREAD);
    rig.fail(Effect::Latency { ms: 12_000 }, 1);
    let body = group(&[("A", "firing"), ("B", "firing")]);
    let peer = group(&[("A", "firing")]);
    let (first, second) = (rig.submit(&body), rig.submit(&peer));
    let (first, second) = tokio::join!(first.outcome(), second.outcome());
    assert!(matches!(first, Outcome::Unfinished(_)), "{first:?}");
    assert!(matches!(second, Outcome::Unfinished(_)), "{second:?}");
    deliver(&rig, &body).await;
    deliver(&rig, &peer).await;
    assert_eq!(counts(&rig, "general"), (1, 0));
    // A peer that comes after the end tells nothing new, and begins nothing.
    let over = group(&[("A", "resolved"), ("B", "resolved")]);
    deliver(&rig, &over).await;
    sleep(Duration::from_secs(600)).await;
    deliver(&rig, &over).await;
    assert_eq!(counts(&rig, "general"), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn the_same_content_again_is_one_short_line_also_without_a_reason() {
    for mode in [THREAD, UPDATE] {
        let rig = rig(mode);
        let body = group(&[("A", "firing"), ("B", "firing")]);
        deliver(&rig, &body).await;
        sleep(Duration::from_secs(4 * 3600)).await;
        deliver(&rig, &body).await;
        let messages = rig.messages("general");
        assert_eq!(counts(&rig, "general"), (1, 1));
        let repeat = messages[1].markdown.as_deref().unwrap();
        assert!(repeat.contains("2 still firing"), "{repeat}");
        assert_eq!(repeat.lines().count(), 1, "{repeat}");
        assert_eq!(messages[0].edits, 0, "there is nothing to change");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_and_is_overtaken_is_told_once_in_the_root() {
    let rig = rig(THREAD);
    let limited = Effect::TooManyRequests {
        retry_after: Some(RetryAfter::Seconds(5)),
        body: FaultBody::Html,
    };
    rig.fail(limited, 1);
    let older = rig.submit(&group(&[("A", "firing")]));
    sleep(Duration::from_secs(1)).await;
    let newer = rig.submit(&group(&[("A", "firing"), ("B", "firing")]));
    for ticket in [older, newer] {
        let outcome = ticket.outcome().await;
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
    assert_eq!(counts(&rig, "general"), (1, 0));
    let text = show(&rig.messages("general"));
    assert!(text.contains("2 firing: A, B"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn after_a_day_a_group_begins_anew() {
    for mode in [THREAD, UPDATE] {
        let rig = rig(mode);
        deliver(&rig, &group(&[("A", "firing")])).await;
        for name in ["B", "C"] {
            sleep(Duration::from_secs(13 * 3600)).await;
            deliver(&rig, &group(&[("A", "firing"), (name, "firing")])).await;
        }
        assert_eq!(counts(&rig, "general"), (2, 1), "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_digest_tells_a_thread_and_is_nobodys_root() {
    let rig = rig(THREAD);
    deliver(&rig, &group(&[("A", "firing")])).await;
    storm(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
    assert!(rig.count(r#"messages_total{receiver="default",kind="digest"}"#) > 10);
    // The root is that of before, and B is no news any more.
    deliver(&rig, &group(&[("A", "resolved"), ("B", "firing")])).await;
    let messages = rig.messages("general");
    let last = messages.last().unwrap();
    assert_eq!(last.parent_id.as_ref(), Some(&messages[0].id));
    let text = last.markdown.as_deref().unwrap();
    assert!(text.contains("1 resolved, 1 still firing"), "{text}");
    // A group that only a digest has told of gets its root now.
    let over = resolved("Storm59");
    deliver(&rig, &over).await;
    let last = rig.messages("general").pop().unwrap();
    assert_eq!(last.parent_id, None);
    deliver(&rig, &firing("Storm59").replace("00:00:00", "00:30:00")).await;
    assert_eq!(rig.messages("general").pop().unwrap().parent_id, None);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_held_in_bytes_and_given_back_at_the_end() {
    let rig = rig_with(THREAD, "[delivery]\nmax_waiting_bytes = \"20KiB\"\n");
    rig.fail(Effect::Hang { accepted: false }, 0);
    let tickets: Vec<_> = (0..30)
        .map(|number| rig.submit(&firing(&format!("Group{number}"))))
        .collect();
    let mut full = 0;
    for ticket in tickets {
        full += usize::from(matches!(ticket.outcome().await, Outcome::Overloaded));
    }
    assert!(full > 0 && full < 30, "{full}");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_leaves_no_trace_in_the_thread() {
    let rig = rig_with(THREAD, "[delivery]\ngive_up_after = \"1m\"\n");
    deliver(&rig, &group(&[("A", "firing")])).await;
    fault(&rig, "POST", status(503), None);
    drop(rig.submit(&group(&[("A", "firing"), ("B", "firing")])));
    sleep(Duration::from_secs(600)).await;
    rig.sandbox.clear_faults();
    assert_eq!(rig.engine.snapshot().waiting, 0);
    // B was never told, so it is news.
    let all = [("A", "firing"), ("B", "firing"), ("C", "firing")];
    deliver(&rig, &group(&all)).await;
    let text = show(&rig.messages("general"));
    assert!(text.contains("2 new, 3 firing"), "{text}");
    assert_eq!(counts(&rig, "general"), (1, 1));
}
