//! Messages that are kept up to date: of several parts, within Webex's ten edits.

use std::time::Duration;

use alertmanager_webex::sandbox::{Effect, FaultBody};
use tokio::time::sleep;

use super::room::show;
use super::{UPDATE, counts, deliver, fault, group, large, requests, rig, storm};
use crate::harness::{Rig, alert, notification};

#[tokio::test(start_paused = true)]
async fn a_long_text_is_a_root_with_replies_and_grows_and_shrinks_without_rest() {
    let rig = rig(UPDATE);
    let shown = |rig: &Rig| -> Vec<String> {
        let messages = rig.messages("general").into_iter();
        let parts = messages.filter(|message| {
            let text = message.markdown.as_deref().unwrap();
            !text.contains(" new, ") && !text.contains(" new: ")
        });
        parts.map(|part| part.markdown.unwrap()).collect()
    };
    deliver(&rig, &large(1)).await;
    assert_eq!(shown(&rig).len(), 1);
    deliver(&rig, &large(300)).await;
    let grown = shown(&rig).len();
    assert!(grown > 2, "{grown}");
    // Fewer, then one: what is not needed is deleted, and nothing stale stays.
    let over: Vec<_> = (0..180)
        .map(|number| {
            let status = if number == 7 { "firing" } else { "resolved" };
            alert(&format!("Alert{number:04}"), status, 0)
        })
        .collect();
    deliver(&rig, &notification("group", &over)).await;
    let fewer = shown(&rig).len();
    assert!(fewer > 1 && fewer < grown, "{fewer} of {grown}");
    // What says nothing new within three minutes would be taken for a peer's.
    sleep(Duration::from_secs(300)).await;
    let last = notification("group", &[alert("Alert0007", "firing", 0)]);
    deliver(&rig, &last).await;
    let rest = shown(&rig);
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].contains("1 firing: Alert0007"), "{rest:?}");
    let (roots, _) = counts(&rig, "general");
    assert_eq!(roots, 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_somebody_deleted_is_posted_again() {
    let rig = rig(UPDATE);
    deliver(&rig, &large(200)).await;
    let messages = rig.messages("general");
    assert!(messages.len() > 1);
    rig.sandbox.delete_message(&messages[1].id).unwrap();
    let over: Vec<_> = (0..200)
        .map(|number| {
            let status = if number == 0 { "firing" } else { "resolved" };
            alert(&format!("Alert{number:04}"), status, 0)
        })
        .collect();
    deliver(&rig, &notification("group", &over)).await;
    let text = show(&rig.messages("general"));
    for number in 1..200 {
        let name = format!("Alert{number:04}");
        assert!(text.contains(&name), "{name} in {text}");
    }
    assert_eq!(counts(&rig, "general").0, 1);
}

#[tokio::test(start_paused = true)]
async fn webex_s_ten_edits_are_not_exceeded_and_the_last_shows_the_end() {
    let rig = rig(UPDATE);
    let names: Vec<_> = (0..15).map(|number| format!("Alert{number:02}")).collect();
    for present in 1..=names.len() {
        let alerts: Vec<_> = names[..present]
            .iter()
            .map(|name| alert(name, "firing", 0))
            .collect();
        deliver(&rig, &notification("group", &alerts)).await;
    }
    let over: Vec<_> = names
        .iter()
        .map(|name| alert(name, "resolved", 0))
        .collect();
    deliver(&rig, &notification("group", &over)).await;
    let messages = rig.messages("general");
    let root = &messages[0];
    assert_eq!(root.edits, 10);
    let text = root.markdown.as_deref().unwrap();
    assert!(text.contains("esolved after 1 h"), "{text}");
    let refused = rig.count(r#"webex_requests_total{bot="default",code="400"}"#);
    assert_eq!(refused, 0, "Webex was never asked for an eleventh");
    // Replies told what came after the ninth edit, so one tells the end.
    let last = messages.last().unwrap().markdown.as_deref().unwrap();
    assert!(last.contains("All resolved"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_whose_answer_was_lost_counts() {
    let rig = rig(UPDATE);
    deliver(&rig, &group(&[("A", "firing")])).await;
    let dropped = Effect::AcceptThenDrop {
        code: None,
        body: FaultBody::Empty,
    };
    fault(&rig, "PUT", dropped, Some(20));
    deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
    assert_eq!(requests(&rig, "PUT"), 9, "the last one is for the end");
    let text = show(&rig.messages("general"));
    assert!(text.contains("1 new, 2 firing"), "{text}");
    assert_eq!(rig.count(r#"ambiguous_posts_total{bot="default"}"#), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_kept_up_to_date_is_edited_in_a_storm_as_well() {
    let rig = rig(UPDATE);
    deliver(&rig, &group(&[("A", "firing")])).await;
    storm(&rig, &group(&[("A", "resolved")])).await;
    assert!(rig.count(r#"messages_total{receiver="default",kind="digest"}"#) > 10);
    let root = rig.messages("general").remove(0);
    assert_eq!(root.edits, 1);
    let text = root.markdown.as_deref().unwrap();
    assert!(text.contains("Resolved after 1 h: A"), "{text}");
}
