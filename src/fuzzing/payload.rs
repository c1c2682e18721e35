//! A webhook body, and what is made of it.

use std::sync::LazyLock;

use crate::alertmanager::{Compact, Notification};
use crate::render::samples::NOW;
use crate::render::{
    CARD_BYTES, DEFAULT_TEMPLATE, ENTRY_BYTES, MAX_PARTS, MESSAGE_BYTES, NOTE_BYTES, Options,
    Renderer, Subject, plain_text,
};

/// The templates that are built in.
const TEMPLATES: [&str; 4] = [DEFAULT_TEMPLATE, "compact", "detailed", "fallback"];

/// Longer refusals are no sentence.
const REFUSAL_BYTES: usize = 400;

static RENDERER: LazyLock<Renderer> =
    LazyLock::new(|| Renderer::new(&Options::default()).expect("what is built in is whole"));

/// A body is refused in a sentence, or is a notification that can be kept and be told by every
/// template that is built in, within Webex's limits and without markup of its own.
pub(super) fn check(body: &[u8]) {
    let notification = match Notification::parse(body) {
        Ok(notification) => notification,
        Err(refusal) => {
            let told = refusal.to_string();
            assert!(!told.contains(char::is_control), "{told:?}");
            // Serde repeats a value of the wrong type, which the body's limit bounds.
            assert!(told.len() <= REFUSAL_BYTES + body.len() * 4, "{told}");
            return;
        }
    };
    assert!(!notification.group_key.is_empty() && !notification.alerts.is_empty());
    for alert in &notification.alerts {
        let names: Vec<_> = alert.labels.iter().map(|(name, _)| name).collect();
        let once: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "{names:?}");
    }
    let kept = Compact::of(&notification);
    assert_eq!(kept.read(), notification, "kept and read again");
    for template in TEMPLATES {
        is_told(&notification, template);
    }
}

fn is_told(notification: &Notification<'_>, template: &str) {
    let subject = Subject {
        notification,
        receiver: "ops",
        template,
        data: None,
        changed: None,
        conversation: None,
        now: NOW.parse().expect("it is a time"),
    };
    let rendered = RENDERER.render(&subject);
    assert_eq!(rendered.fallback, None, "{template}");
    assert!((1..=MAX_PARTS).contains(&rendered.messages.len()));
    for message in &rendered.messages {
        let text = &message.markdown;
        assert!(text.len() <= MESSAGE_BYTES - NOTE_BYTES, "{}", text.len());
        assert!(plain_text(text).len() <= MESSAGE_BYTES);
        assert!(!text.contains("<@"), "{template} mentions: {text}");
        let card = message.card.as_ref().map_or(0, |card| card.json().len());
        assert!(card <= CARD_BYTES, "a card of {card} bytes");
    }
    let entry = RENDERER.entry(&subject);
    let digest = RENDERER.digest(&[&entry]).markdown;
    assert!(digest.len() <= MESSAGE_BYTES - NOTE_BYTES);
    assert!(!digest.contains("<@"), "{digest}");
    // Each stands in a paragraph of its own.
    assert!(entry.bytes() <= ENTRY_BYTES + 2, "{}", entry.bytes());
}
