//! What a rendered text consists of: what stands before the alerts, the alerts, and what
//! stands after them; and the line that says what it is about.
//!
//! What does not belong here: how much fits into a message (`split`).

use std::borrow::Cow;
use std::ops::Range;

use super::super::cut::{BEGIN_ALERT, END_ALERTS, boundary, cut_text};
use super::super::escape::push_escaped;
use super::super::shorten::brief;
use super::super::{RENDERED_BYTES, links, plain};
use super::{CUT, MAX_PARTS};

/// How much of the first line each further part repeats, in characters.
const HEADLINE_CHARS: usize = 120;

/// The most that may stand before and after the alerts.
const HEAD_BYTES: usize = 2 * RENDERED_BYTES;
const TAIL_BYTES: usize = RENDERED_BYTES / 2;

/// A text taken apart at its marks.
pub(super) struct Sections<'a> {
    pub(super) head: String,
    alerts: Vec<&'a str>,
    tail: String,
}

impl<'a> Sections<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (body, tail) = text.split_once(END_ALERTS).unwrap_or((text, ""));
        let body = if body.contains(BEGIN_ALERT) {
            body
        } else {
            // More cannot be shown, and need not be parsed.
            &body[..boundary(body, (MAX_PARTS + 1) * RENDERED_BYTES)]
        };
        let mut sections = body.split(BEGIN_ALERT);
        let mut head = sections.next().unwrap_or_default().to_owned();
        let alerts: Vec<&str> = sections.collect();
        let mut tail = without_marks(tail);
        if !alerts.is_empty() {
            // Alerts come before what concerns the group.
            bound(&mut head, HEAD_BYTES);
            bound(&mut tail, TAIL_BYTES);
        }
        Self { head, alerts, tail }
    }

    /// How many alerts can stand within so many bytes at most.
    pub(super) fn fitting(&self, bytes: usize) -> usize {
        let mut used = 0;
        let fits = |alert: &&&str| {
            used += alert.len().min(RENDERED_BYTES);
            used <= bytes
        };
        self.alerts.iter().take_while(fits).count()
    }

    /// The text with the first alerts, and what it consists of.
    pub(super) fn text(&self, shown: usize, alertmanager_url: &str) -> (String, Vec<Unit>) {
        let mut text = String::with_capacity(MAX_PARTS * RENDERED_BYTES);
        let mut units = Vec::with_capacity(shown + 3);
        let mut push = |piece: &str, kind: Kind| {
            let start = text.len();
            text.push_str(piece);
            units.push(Unit {
                range: start..text.len(),
                kind,
            });
        };
        push(&self.head, Kind::Text);
        for alert in &self.alerts[..shown] {
            // One that is larger than a message is cut anyway, so its end need not be parsed. What
            // it opened is closed here, and its line ends: it would make code of the next alert.
            match cut_text(alert, 2 * RENDERED_BYTES) {
                Cow::Borrowed(whole) if whole.len() == alert.len() => push(whole, Kind::Alert),
                beginning => push(&format!("{beginning}\n"), Kind::BeginningOfAlert),
            }
        }
        push(&self.tail, Kind::Text);
        let left_out = left_out(self.alerts.len() - shown, alertmanager_url);
        push(&left_out, Kind::Text);
        (text, units)
    }
}

/// Cuts a text to so many bytes, and says so.
fn bound(text: &mut String, limit: usize) {
    if text.len() > limit {
        *text = cut_text(text, limit - CUT.len()).into_owned() + CUT;
    }
}

/// A paragraph on what is not shown.
fn left_out(alerts: usize, alertmanager_url: &str) -> String {
    let mut text = match alerts {
        0 => return String::new(),
        1 => "\n\n… and 1 more alert".to_owned(),
        _ => format!("\n\n… and {alerts} more alerts"),
    };
    if let Some(link) = links::link("Alertmanager", alertmanager_url) {
        text.push_str(": ");
        text.push_str(&link);
    }
    text
}

/// A piece of the text that stays together if it can.
pub(super) struct Unit {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

/// What a piece of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Alert,
    /// Of an alert that is larger than a message.
    BeginningOfAlert,
    /// What belongs to no alert.
    Text,
}

impl Unit {
    /// Whether an alert begins here.
    pub(super) fn is_alert(&self) -> bool {
        self.kind != Kind::Text
    }
}

/// The first line as a line of its own, in bold: what each further part begins with.
pub(super) fn headline(sections: &Sections<'_>, title: &str) -> String {
    let line = sections.head.lines().find(|line| !line.trim().is_empty());
    let plain = line.map(|line| plain::uncut(&without_mentions(line)));
    let plain = plain.unwrap_or_default();
    let plain = if plain.trim().is_empty() {
        title
    } else {
        &plain
    };
    let mut line = String::from("**");
    let words: Vec<&str> = plain.split_whitespace().collect();
    push_escaped(&mut line, &brief(&words.join(" "), HEADLINE_CHARS, 1));
    line.push_str("**");
    line
}

/// Whoever is mentioned is so once, not in each part.
fn without_mentions(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, mention)) = rest.split_once("<@") {
        kept.push_str(before);
        rest = mention.split_once('>').map_or("", |(_, after)| after);
    }
    kept + rest
}

/// The text alone.
pub(super) fn without_marks(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    // One after the other: to look for a single character takes a tenth of the time that it
    // takes to look for one of two.
    let pieces = text
        .split(BEGIN_ALERT)
        .flat_map(|piece| piece.split(END_ALERTS));
    kept.extend(pieces);
    kept
}
