//! What comes again or anew: which requests join a delivery, which are repeats, and what
//! replaces what waits.

use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{Effect, RetryAfter};
use tokio::time::sleep;

use super::{is_delivered, limited, status};
use crate::harness::{Rig, alert, firing, notification, reasoned, resolved};

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
