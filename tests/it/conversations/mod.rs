//! One group is one conversation in a room: a thread, or a message that is kept up to date.
//! Time is paused.
//!
//! Here is the table of modes, steps of a group's life, and answers of Webex; the other cases
//! of `docs/conversations.md` follow in files of their own.

mod edits;
mod group;
mod model;
mod place;
mod reloads;
mod room;

use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{Effect, Fault, FaultBody, Message, Quota, RetryAfter};
use bytes::Bytes;
use http::Request;
use tokio::time::sleep;

use crate::harness::{Rig, alert, notification, reasoned};
use room::show;

const THREAD: &str = "conversation = \"thread\"\n";
const UPDATE: &str = "conversation = \"update\"\n";
const AGAIN: &str = "repeat interval elapsed";
const MODES: [(&str, &str); 4] = [
    ("new", "conversation = \"new\"\n"),
    ("thread", "conversation = \"thread\"\n"),
    ("update", "conversation = \"update\"\n"),
    (
        "update-and-reply",
        "conversation = \"update\"\nreply_on_resolve = true\n",
    ),
];

/// A rig whose receiver has a conversation, and templates that are read at a glance.
fn rig(conversation: &str) -> Rig {
    rig_with(conversation, "")
}

/// `more` is TOML behind the receiver.
fn rig_with(conversation: &str, more: &str) -> Rig {
    Rig::with(&format!("{conversation}template = \"compact\"\n{more}"))
}

fn firing(name: &str) -> String {
    alert(name, "firing", 0)
}

fn over(name: &str) -> String {
    alert(name, "resolved", 0)
}

/// What happens to a group, step by step.
fn life() -> [(&'static str, String); 6] {
    let group = |alerts: &[String], reason| reasoned("group", alerts, reason);
    [
        ("first", group(&[firing("A")], "")),
        ("more firing", group(&[firing("A"), firing("B")], "")),
        ("repeat", group(&[firing("A"), firing("B")], AGAIN)),
        ("some resolved", group(&[over("A"), firing("B")], "")),
        ("all resolved", group(&[over("B")], "")),
        ("firing again", group(&[alert("B", "firing", 30)], "")),
    ]
}

/// What is wrong with Webex.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    None,
    ParentGone,
    EditLimit,
    EditRefused,
    Limited,
    Ambiguous,
}

const TROUBLES: [Trouble; 6] = [
    Trouble::None,
    Trouble::ParentGone,
    Trouble::EditLimit,
    Trouble::EditRefused,
    Trouble::Limited,
    Trouble::Ambiguous,
];

fn dropped() -> Effect {
    Effect::AcceptThenDrop {
        code: None,
        body: FaultBody::Empty,
    }
}

fn roots(messages: &[Message]) -> impl DoubleEndedIterator<Item = &Message> {
    messages
        .iter()
        .filter(|message| message.parent_id.is_none())
}

/// Somebody else with the bot's token edits a message until Webex takes no more.
async fn exhaust(rig: &Rig, message: &Message) {
    // Nobody edits a message with a card.
    for _ in message.edits..if message.card.is_some() { 0 } else { 10 } {
        let body = serde_json::json!({
            "roomId": message.room_id, "markdown": message.markdown,
        });
        let request = Request::put(format!("/v1/messages/{}", message.id))
            .header("Authorization", "Bearer sandbox")
            .header("Content-Type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = rig.sandbox.answer(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{answer:?} {message:?}");
    }
}

impl Trouble {
    /// Befalls the next notification.
    async fn befall(self, rig: &Rig) {
        let messages = rig.messages("general");
        match self {
            Self::None => {}
            Self::ParentGone => {
                if let Some(root) = roots(&messages).next_back() {
                    rig.sandbox.delete_message(&root.id).unwrap();
                }
            }
            Self::EditLimit => {
                if let Some(root) = roots(&messages).next_back() {
                    exhaust(rig, root).await;
                }
            }
            Self::EditRefused => fault(rig, None, Effect::EditRefused, None),
            Self::Limited => fault(
                rig,
                None,
                Effect::TooManyRequests {
                    retry_after: Some(RetryAfter::Seconds(2)),
                    body: FaultBody::Html,
                },
                Some(1),
            ),
            Self::Ambiguous => fault(rig, None, dropped(), Some(1)),
        }
    }
}

/// Roots, and replies to them.
fn counts(rig: &Rig, room: &str) -> (usize, usize) {
    let messages = rig.messages(room);
    let is_reply = |message: &&Message| {
        let parent = message.parent_id.as_ref();
        parent.is_some_and(|parent| messages.iter().any(|other| other.id == *parent))
    };
    let replies = messages.iter().filter(is_reply).count();
    (messages.len() - replies, replies)
}

fn group(alerts: &[(&str, &str)]) -> String {
    let alerts: Vec<_> = alerts
        .iter()
        .map(|(name, status)| alert(name, status, 0))
        .collect();
    notification("group", &alerts)
}

/// Of a group so large that it takes several messages.
fn large(alerts: usize) -> String {
    let alerts: Vec<_> = (0..alerts)
        .map(|number| alert(&format!("Alert{number:04}"), "firing", 0))
        .collect();
    notification("group", &alerts)
}

/// Of requests of a method, or of all.
fn fault(rig: &Rig, method: impl Into<Option<&'static str>>, effect: Effect, times: Option<u32>) {
    let mut fault = Fault::new(effect);
    fault.method = method.into().map(str::to_owned);
    fault.times = times;
    rig.sandbox.set_fault(fault).unwrap();
}

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    }
}

fn requests(rig: &Rig, method: &str) -> usize {
    let requests = rig.sandbox.requests();
    requests.iter().filter(|one| one.method == method).count()
}

/// A storm of other groups, so that what comes with it goes into a digest.
async fn storm(rig: &Rig, with: &str) {
    rig.sandbox
        .set_quota("sandbox", Some(Quota::new(1.0, 1)))
        .unwrap();
    let mut tickets = Vec::new();
    for number in 0..60 {
        let body = crate::harness::firing(&format!("Storm{number:02}"));
        tickets.push((rig.submit(&body), body));
    }
    tickets.push((rig.submit(with), with.to_owned()));
    for (ticket, body) in tickets {
        if matches!(ticket.outcome().await, Outcome::Unfinished(_)) {
            deliver(rig, &body).await;
        }
    }
    rig.sandbox.set_quota("sandbox", None).unwrap();
}

/// Asks as Alertmanager does, until it is told for good.
async fn deliver(rig: &Rig, body: &str) {
    for _ in 0..2000 {
        match rig.outcome(body).await {
            Outcome::Unfinished(_) => {}
            Outcome::Delivered { .. } | Outcome::Repeat { .. } => return,
            outcome => panic!("{outcome:?}"),
        }
    }
    panic!("never delivered: {body}");
}

/// The room in the end, where the trouble comes before each of the steps that `befalls` wants.
async fn play(conversation: &str, trouble: Trouble, befalls: impl Fn(usize) -> bool) -> Rig {
    let rig = rig(conversation);
    for (number, (step, body)) in life().iter().enumerate() {
        if befalls(number) {
            trouble.befall(&rig).await;
        }
        deliver(&rig, body).await;
        let shown = show(&rig.messages("general"));
        let last = last_words(&rig.messages("general"));
        for (name, firing) in truth(body) {
            let said = last.iter().rev().find(|said| said.0 == name);
            // A thread says "All resolved" of all its alerts together.
            let whole = last.iter().rev().find(|said| said.0.is_empty());
            let true_word = said.is_some_and(|said| said.1 == firing)
                || (!firing && whole.is_some_and(|whole| whole.1 == firing));
            assert!(true_word, "{trouble:?} at {step}: {name} in\n{shown}");
        }
        sleep(Duration::from_secs(300)).await;
    }
    rig
}

/// The alerts of a notification and whether they fire.
fn truth(body: &str) -> Vec<(String, bool)> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let alerts = body["alerts"].as_array().unwrap().iter();
    alerts
        .map(|alert| {
            let name = alert["labels"]["alertname"].as_str().unwrap();
            (name.to_owned(), alert["status"] == "firing")
        })
        .collect()
}

/// What is said of each alert, by the last change of what says it: lines that end with since
/// when, or after how long. What is resolved as a whole has no name.
fn last_words(messages: &[Message]) -> Vec<(String, bool)> {
    let mut messages: Vec<_> = messages.iter().collect();
    messages.sort_by_key(|message| message.revision);
    let mut words = Vec::new();
    for message in messages {
        for line in message.markdown.as_deref().unwrap_or_default().lines() {
            if line.starts_with("✅ **Resolved") || line.starts_with("✅ **All resolved") {
                words.push((String::new(), false));
            }
            for name in ["A", "B", "C"] {
                let names_it = line.contains(&format!("{name} is broken"))
                    || line.contains(&format!("**{name}**"))
                    || line.contains(&format!(": {name}**"));
                if !names_it {
                    continue;
                }
                if line.contains(" since ") || line.contains("firing: ") {
                    words.push((name.to_owned(), true));
                } else if line.contains(" after ") || line.starts_with("✅") {
                    words.push((name.to_owned(), false));
                }
            }
        }
    }
    words
}

#[tokio::test(start_paused = true)]
async fn a_groups_life_in_each_mode_whatever_webex_answers() {
    for (mode, conversation) in MODES {
        let mut rooms = Vec::new();
        for trouble in TROUBLES {
            let rig = play(conversation, trouble, |_| true).await;
            let room = show(&rig.messages("general"));
            rooms.push(format!("=== {trouble:?} ===\n{room}"));
        }
        insta::assert_snapshot!(format!("life_{mode}"), rooms.join("\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn each_trouble_at_each_step_leaves_the_room_with_the_truth() {
    for (mode, conversation) in MODES {
        for trouble in TROUBLES {
            let is_about_threads = !matches!(trouble, Trouble::Limited | Trouble::Ambiguous);
            if trouble == Trouble::None || (mode == "new" && is_about_threads) {
                continue;
            }
            for step in 0..life().len() {
                play(conversation, trouble, |number| number == step).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_counted_by_their_kind() {
    let rig = play(MODES[2].1, Trouble::None, |_| false).await;
    let count = |kind: &str| {
        rig.count(&format!(
            r#"messages_total{{receiver="default",kind="{kind}"}}"#
        ))
    };
    assert_eq!(
        (
            count("new"),
            count("reply"),
            count("edit"),
            count("fallback")
        ),
        (2, 2, 3, 0)
    );
}
