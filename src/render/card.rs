//! The Adaptive Card that goes with a message.
//!
//! A card that Webex refuses would cost a request and show nothing, so what a template makes
//! is checked against what Webex takes before it is sent: Adaptive Cards up to 1.3, without
//! what Webex's documentation excludes, at most five actions. The checks are stricter than
//! Webex where its limits are not documented.
//!
//! What does not belong here: posting it, and what to do when Webex refuses it all the same.

use serde_json::{Value, json};

mod check;
mod text;

pub(super) use text::escape;

/// The most bytes that a card may take as JSON. Webex's own limit is said to be 80 KB with
/// images; a card of a quarter of that is more than a phone can show.
pub const CARD_BYTES: usize = 20 * 1024;

/// The content of an Adaptive Card, as JSON that was checked against what Webex takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card(Box<str>);

impl Card {
    /// The card as JSON: the `content` of an attachment.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }

    /// The card with a paragraph below. `None` where it has no room for that: then the text
    /// alone tells it.
    pub(super) fn with_note(self, note: &str) -> Option<Self> {
        if note.is_empty() {
            return Some(self);
        }
        let mut card: Value = serde_json::from_str(&self.0).ok()?;
        card.get_mut("body")?.as_array_mut()?.push(json!({
            "type": "TextBlock",
            "text": text::plain(note),
            "wrap": true,
            "isSubtle": true,
        }));
        let json = card.to_string();
        (json.len() <= CARD_BYTES).then(|| Self(json.into()))
    }

    /// Reads what a template made. `None` where that is blank: no card is wanted.
    ///
    /// Commas before a closing bracket are taken away: a loop writes them easily and avoids
    /// them with difficulty.
    pub(super) fn parse(rendered: &str) -> Result<Option<Self>, String> {
        if rendered.trim().is_empty() {
            return Ok(None);
        }
        let json = text::without_trailing_commas(rendered);
        let card: Value = serde_json::from_str(&json).map_err(|error| not_json(&json, &error))?;
        check::check(&card)?;
        let json = card.to_string();
        if json.len() > CARD_BYTES {
            return Err(format!(
                "it takes {} bytes, of which {CARD_BYTES} are allowed; show fewer alerts",
                json.len()
            ));
        }
        Ok(Some(Self(json.into())))
    }
}

/// What is no JSON, with the place: of the rendered card, as the template has other lines.
fn not_json(json: &str, error: &serde_json::Error) -> String {
    let line = json.lines().nth(error.line().saturating_sub(1));
    let near = line.unwrap_or_default().trim();
    let near: String = near.chars().take(60).collect();
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    format!("it is no JSON: {what} near `{near}`")
}

#[cfg(test)]
mod tests;
