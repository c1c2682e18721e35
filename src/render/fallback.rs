//! What is posted where a template fails, and how the room learns of it.
//!
//! The last resort, [`text`], is made without templates and cannot fail.
//!
//! What does not belong here: the order in which templates are tried ([`super::Renderer`]).

use std::fmt::{self, Write as _};

use tera::ErrorKind;

use super::cut::{BEGIN_ALERT, note_paragraph};
use super::digest::counts;
use super::escape::{LINE_BREAK, is_hidden, push_escaped};
use super::hint::{explained, path_at};
use super::shorten::brief;
use super::{DEFAULT_TEMPLATE, NOTE_BYTES};
use crate::alertmanager::{Alert, Notification, Status};

/// How much of a reason is kept, in characters.
const REASON_CHARS: usize = 160;

/// How much of one value the last resort shows, in characters and in lines.
const VALUE_CHARS: usize = 300;
const VALUE_LINES: usize = 6;

/// Why something plainer stands in for a template. Its text is one short line without
/// control characters, so it can be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The template that should have been used, such as `team`, or `team.card.json`.
    pub template: String,
    /// Whether it is the card that failed, so that the message goes without one.
    pub is_card: bool,
    /// File, line and column of the failure, where known. The file is another one than the
    /// template where that includes it.
    pub place: Option<(String, usize, usize)>,
    /// What went wrong there.
    pub reason: String,
    /// The line of the template, with a mark below what is meant; may be empty.
    pub excerpt: String,
}

impl Fallback {
    pub(super) fn from_tera(template: &str, error: &tera::Error) -> Self {
        match error.kind() {
            ErrorKind::RenderingError(report) | ErrorKind::SyntaxError(report) => {
                let span = report.span();
                let path = path_at(&error.to_string(), span.start_col, span.end_col);
                Self {
                    template: template.to_owned(),
                    is_card: false,
                    // Tera counts columns from 0.
                    place: Some((
                        report.filename().to_owned(),
                        span.start_line,
                        span.start_col + 1,
                    )),
                    reason: one_line(&explained(report.message(), path.as_deref()), REASON_CHARS),
                    excerpt: String::new(),
                }
            }
            ErrorKind::TemplateNotFound(_) => Self::reasoned(template, "there is no such template"),
            _ => Self::reasoned(template, &error.to_string()),
        }
    }

    /// A failure that has no place in the template.
    pub(super) fn reasoned(template: &str, reason: &str) -> Self {
        Self {
            template: template.to_owned(),
            is_card: false,
            place: None,
            reason: one_line(reason, REASON_CHARS),
            excerpt: String::new(),
        }
    }

    /// The same, of a card.
    pub(super) fn of_card(mut self) -> Self {
        self.is_card = true;
        self
    }

    /// The paragraph that tells the room.
    pub(super) fn note(&self) -> String {
        let instead = if self.is_card {
            "the message has no card"
        } else if self.template == DEFAULT_TEMPLATE {
            "a plainer one was used"
        } else {
            "the built-in one was used"
        };
        note_paragraph(&format!("⚠️ {self}; {instead}"), NOTE_BYTES)
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_card { "card" } else { "template" };
        write!(f, "{what} {} failed", one_line(&self.template, 60))?;
        if let Some((file, line, column)) = &self.place {
            write!(f, " at {file}:{line}:{column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Joins lines, shows what is hidden, and cuts.
fn one_line(text: &str, chars: usize) -> String {
    let visible = |c: char| if is_hidden(c) { '\u{fffd}' } else { c };
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = words.join(" ");
    let mut line: String = joined.chars().take(chars).map(visible).collect();
    if joined.chars().nth(chars).is_some() {
        line.push('…');
    }
    line
}

/// What a notification is about, in a few words of plain text.
pub(super) fn title(notification: &Notification<'_>) -> String {
    let counts = counts(
        notification.firing().count(),
        notification.resolved().count(),
    );
    match notification.common_labels.get("alertname") {
        Some(name) if !name.trim().is_empty() => format!("{counts}: {name}"),
        _ => counts,
    }
}

/// A message made without any template: every alert with its labels and what it says.
pub(super) fn text(notification: &Notification<'_>) -> String {
    let firing = notification.firing().count();
    let resolved = notification.resolved().count();
    let emoji = if firing == 0 { "✅" } else { "🔔" };
    let mut text = format!("{emoji} **{}**", counts(firing, resolved));
    for (name, value) in notification.group_labels.iter() {
        text.push_str(" · ");
        push_pair(&mut text, name, value);
    }
    for alert in notification.firing().chain(notification.resolved()) {
        text.push(BEGIN_ALERT);
        text.push_str("\n\n");
        push_alert(&mut text, alert);
    }
    text
}

fn push_alert(text: &mut String, alert: &Alert<'_>) {
    text.push_str(match alert.status {
        Status::Firing => "🔔 ",
        Status::Resolved => "✅ ",
    });
    for (index, (name, value)) in alert.labels.iter().enumerate() {
        if index > 0 {
            text.push_str(" · ");
        }
        push_pair(text, name, value);
    }
    for name in ["summary", "description", "message"] {
        if let Some(value) = alert.annotations.get(name) {
            text.push_str(LINE_BREAK);
            push_value(text, value);
        }
    }
    if let Some(start) = alert.starts_at {
        text.push_str(LINE_BREAK);
        // Writing to a string does not fail.
        let _ = write!(text, "since {start:.0}");
    }
}

fn push_pair(text: &mut String, name: &str, value: &str) {
    push_value(text, name);
    text.push_str(": ");
    push_value(text, value);
}

fn push_value(text: &mut String, value: &str) {
    push_escaped(text, &brief(value, VALUE_CHARS, VALUE_LINES));
}
