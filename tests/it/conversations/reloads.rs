//! A reload in the middle of a conversation: what was told stays told, whatever else changes.

use std::path::Path;
use std::time::Duration;

use alertmanager_webex::sandbox::{Effect, FaultBody, Message, RetryAfter};
use tokio::time::sleep;

use super::room::show;
use super::{
    MODES, THREAD, UPDATE, counts, deliver, fault, group, large, last_words, requests, rig, roots,
    status,
};
use crate::harness::Rig;

/// The receiver of the harness with other rooms and keys.
fn receiver(toml: &str, rooms: &str, keys: &str) -> String {
    toml.replace(
        "rooms = [\"general\"]",
        &format!("rooms = [{rooms}]\n{keys}"),
    )
}

/// As the rig was made: one room, a mode, and a template that is read at a glance.
fn as_before(toml: &str, mode: &str) -> String {
    receiver(
        toml,
        "\"general\"",
        &format!("{mode}template = \"compact\""),
    )
}

/// A second bot in all rooms, and the file with its token.
fn second_bot(rig: &Rig) -> tempfile::NamedTempFile {
    rig.sandbox.add_bot("second", "second-token").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "second-token").unwrap();
    file
}

fn with_token_of(toml: &str, file: &Path) -> String {
    let from_file = format!("token_file = \"{}\"", file.display());
    toml.replace("token_env = \"TOKEN\"", &from_file)
}

fn text(message: &Message) -> &str {
    message.markdown.as_deref().unwrap_or_default()
}

/// Whether the newest word on each alert is that it is over; of all of them, it names none.
fn all_is_over(rig: &Rig, alerts: &[&str]) -> bool {
    let words = last_words(&rig.messages("general"));
    alerts.iter().all(|alert| {
        let about_it = |said: &&(String, bool)| said.0 == *alert || said.0.is_empty();
        words
            .iter()
            .rev()
            .find(about_it)
            .is_some_and(|said| !said.1)
    })
}

#[tokio::test(start_paused = true)]
async fn another_template_has_other_words_in_the_same_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("mine.md", "MINE {{ alerts | length }}");
    write("thread.md", "MY REPLY {{ alerts | length }}");
    for mode in [THREAD, UPDATE] {
        let mut rig = rig(mode);
        deliver(&rig, &group(&[("A", "firing")])).await;
        rig.reload(|toml| {
            receiver(toml, "\"general\"", &format!("{mode}template = \"mine\""))
                + &format!(
                    "\n[templates]\ndirectory = \"{}\"\n",
                    folder.path().display()
                )
        });
        deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
        let messages = rig.messages("general");
        let shown = show(&messages);
        assert_eq!(counts(&rig, "general"), (1, 1), "{shown}");
        assert_eq!(text(&messages[1]), "MY REPLY 2", "{shown}");
        let is_edited = mode == UPDATE;
        assert_eq!(text(&messages[0]) == "MINE 2", is_edited, "{shown}");
        assert_eq!(messages[0].edits, u32::from(is_edited), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_added_gets_a_root_and_the_other_one_keeps_its_own() {
    for mode in [THREAD, UPDATE] {
        let mut rig = rig(mode);
        deliver(&rig, &group(&[("A", "firing")])).await;
        rig.reload(|toml| {
            receiver(
                toml,
                "\"general\", \"ops\"",
                &format!("{mode}template = \"compact\""),
            )
        });
        deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
        let ops = show(&rig.messages("ops"));
        assert_eq!(counts(&rig, "general"), (1, 1));
        assert_eq!(counts(&rig, "ops"), (1, 0));
        assert!(
            ops.contains("A is broken") && ops.contains("B is broken"),
            "{ops}"
        );
        deliver(&rig, &group(&[("A", "resolved"), ("B", "resolved")])).await;
        let (replies, edits) = if mode == THREAD { (1, 0) } else { (0, 1) };
        assert_eq!(counts(&rig, "general"), (1, 1 + replies));
        assert_eq!(counts(&rig, "ops"), (1, replies));
        assert_eq!(rig.messages("ops")[0].edits, edits);
        assert_eq!(rig.messages("general")[0].edits, 2 * edits);
        // A room that is left out again keeps what it was told.
        rig.reload(|toml| as_before(toml, mode));
        let before = show(&rig.messages("ops"));
        deliver(&rig, &group(&[("C", "firing")])).await;
        assert_eq!(show(&rig.messages("ops")), before);
        assert_eq!(roots(&rig.messages("general")).count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn another_bot_begins_anew_and_the_first_one_goes_on_when_it_is_back() {
    for mode in [THREAD, UPDATE] {
        let mut rig = rig(mode);
        let token = second_bot(&rig);
        deliver(&rig, &group(&[("A", "firing")])).await;
        let other = |toml: &str| {
            let bots = format!(
                "[bots.second]\ntoken_file = \"{}\"\n[receivers.default]\nbot = \"second\"",
                token.path().display()
            );
            as_before(&toml.replace("[receivers.default]", &bots), mode)
        };
        rig.reload(other);
        deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
        let messages = rig.messages("general");
        let shown = show(&messages);
        assert_eq!(counts(&rig, "general"), (2, 0), "{shown}");
        assert_ne!(messages[0].person, messages[1].person);
        assert!(
            text(&messages[1]).contains("A is broken"),
            "all of it: {shown}"
        );
        assert_eq!(requests(&rig, "PUT"), 0, "nobody edits another's message");
        rig.reload(|toml| as_before(toml, mode));
        deliver(&rig, &group(&[("A", "resolved"), ("B", "resolved")])).await;
        let messages = rig.messages("general");
        let shown = show(&messages);
        assert_eq!(roots(&messages).count(), 2, "{shown}");
        assert!(all_is_over(&rig, &["A", "B"]), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_of_another_identity_replies_and_where_it_may_not_edit_begins_anew() {
    for mode in [THREAD, UPDATE] {
        for alerts in [1, 200] {
            let mut rig = rig(mode);
            let token = second_bot(&rig);
            deliver(&rig, &large(alerts)).await;
            let parts = rig.messages("general").len();
            rig.reload(|toml| with_token_of(&as_before(toml, mode), token.path()));
            deliver(&rig, &large(alerts + 1)).await;
            let messages = rig.messages("general");
            let shown = show(&messages);
            let last = format!("Alert{alerts:04}");
            assert!(shown.contains(&last), "{shown}");
            let begun = if mode == THREAD { 1 } else { 2 };
            assert_eq!(roots(&messages).count(), begun, "{shown}");
            // What it cannot take back stays; from now on it has a root of its own.
            let edits = requests(&rig, "PUT");
            assert!(edits <= 1, "{edits} edits in vain");
            let deletions = requests(&rig, "DELETE");
            assert!(deletions < parts.max(2), "{deletions} deletions in vain");
            deliver(&rig, &large(alerts + 2)).await;
            assert_eq!(roots(&rig.messages("general")).count(), begun);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_mode_tells_the_rest_of_the_group_in_its_own_way() {
    for (before, first) in MODES {
        for (after, then) in MODES {
            let mut rig = rig(first);
            deliver(&rig, &group(&[("A", "firing")])).await;
            rig.reload(|toml| as_before(toml, then));
            deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
            let shown = show(&rig.messages("general"));
            let expected = match (before, after) {
                // Nobody knows what was told, or asks.
                ("new", _) | (_, "new") => (2, 0),
                _ => (1, 1),
            };
            assert_eq!(
                counts(&rig, "general"),
                expected,
                "{before}, {after}: {shown}"
            );
            deliver(&rig, &group(&[("A", "resolved"), ("B", "resolved")])).await;
            let shown = show(&rig.messages("general"));
            let is_over = all_is_over(&rig, &["A", "B"]);
            assert!(is_over, "{before}, {after}: {shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_a_closed_gate_is_told_once_by_the_templates_of_then() {
    for mode in [THREAD, UPDATE] {
        let mut rig = rig(mode);
        let limited = Effect::TooManyRequests {
            retry_after: Some(RetryAfter::Seconds(20)),
            body: FaultBody::Html,
        };
        fault(&rig, "POST", limited, Some(1));
        let first = rig.submit(&group(&[("A", "firing")]));
        sleep(Duration::from_secs(5)).await;
        rig.reload(|toml| as_before(toml, mode).replace("\"compact\"", "\"detailed\""));
        let second = rig.submit(&group(&[("A", "firing"), ("B", "firing")]));
        drop((first.outcome().await, second.outcome().await));
        sleep(Duration::from_secs(60)).await;
        let shown = show(&rig.messages("general"));
        assert_eq!(roots(&rig.messages("general")).count(), 1, "{shown}");
        assert_eq!(shown.matches("A is broken").count(), 1, "{shown}");
        deliver(&rig, &group(&[("A", "resolved"), ("B", "resolved")])).await;
        let shown = show(&rig.messages("general"));
        assert_eq!(roots(&rig.messages("general")).count(), 1, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_was_gone_for_a_while_goes_on_where_it_was() {
    for mode in [THREAD, UPDATE] {
        let mut rig = rig(mode);
        deliver(&rig, &group(&[("A", "firing")])).await;
        rig.reload(|toml| toml.replace("[receivers.default]", "[receivers.other]"));
        sleep(Duration::from_secs(600)).await;
        rig.reload(|toml| as_before(toml, mode));
        deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
        let shown = show(&rig.messages("general"));
        assert_eq!(counts(&rig, "general"), (1, 1), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_removed_bot_finishes_a_long_root_and_nothing_of_it_is_posted_twice() {
    let mut rig = rig(UPDATE);
    rig.fail(Effect::Latency { ms: 3000 }, 0);
    let first = rig.submit(&large(200));
    sleep(Duration::from_secs(4)).await;
    let begun = rig.messages("general").len();
    assert_eq!(begun, 1, "under way");
    rig.reload(|toml| toml.replace("[bots.default]", "[bots.other]"));
    fault(&rig, "PUT", status(500), Some(1));
    drop(first.outcome().await);
    sleep(Duration::from_secs(60)).await;
    let messages = rig.messages("general");
    let shown = show(&messages);
    for number in [0, 199] {
        let name = format!("Alert{number:04}");
        assert_eq!(
            shown.matches(&format!("{name} is broken")).count(),
            1,
            "{shown}"
        );
    }
    assert_eq!(roots(&messages).count(), 1, "{shown}");
}
