//! One message that stands for many notifications: what is posted in a storm.
//!
//! A thousand groups that fire at once would be posted for a quarter of an hour. So delivery
//! keeps an [`Entry`] of each that waits, of a few hundred bytes, and posts as many of them as
//! fit into one message, the worst first. Made without templates: a storm is the worst moment
//! for one to fail, and each notification would be rendered twice.
//!
//! What does not belong here: when that is done, and with which entries.

use std::fmt::Write as _;

use super::cut::cut_text;
use super::escape::push_escaped;
use super::severity::Severity;
use super::shorten::brief;
use super::{Message, RENDERED_BYTES, links};
use crate::alertmanager::{Alert, Notification, Status};

/// The longest line of an entry, in bytes; its links come on top where there is room.
pub const ENTRY_BYTES: usize = 300;

/// What the first lines of a digest may take, and the last one.
const HEAD_BYTES: usize = 600;

/// How many bytes of entries ([`Entry::bytes`]) fit into one digest.
pub const DIGEST_BYTES: usize = RENDERED_BYTES - HEAD_BYTES;

/// How much of a name, a label or a summary an entry shows, in characters.
const NAME_CHARS: usize = 60;
const PLACE_CHARS: usize = 40;
const SUMMARY_CHARS: usize = 90;

/// How many different names of alerts an entry shows.
const NAMES: usize = 2;

/// The labels that say where: the first two that the group shares are shown.
const PLACES: [&str; 5] = ["namespace", "cluster", "instance", "service", "job"];
const PLACES_SHOWN: usize = 2;

/// Longer links are left out: they would take the room of other entries.
const LINKS_BYTES: usize = 700;

/// What a digest calls the ranks of its entries.
const RANKS: [&str; 5] = [
    "critical",
    "unknown severity",
    "warning",
    "info",
    "resolved",
];

/// Between the parts of an entry.
const SEPARATOR: &str = " · ";

/// Stands before each entry. A paragraph each, as one takes several lines on a phone.
const BREAK: &str = "\n\n";

/// The rank of a notification in which nothing fires any more.
const RESOLVED_RANK: u8 = 4;

/// What stands for a whole notification where many go out together. Small: it is kept while
/// the notification waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 0 is the most severe: critical, unknown, warning, info, and resolved last.
    pub severity_rank: u8,
    /// How many alerts fire.
    pub firing: usize,
    /// How many alerts are over.
    pub resolved: usize,
    /// One line of Markdown, escaped, of at most [`ENTRY_BYTES`].
    markdown: Box<str>,
    /// Where to click; may be empty.
    links: Box<str>,
}

impl Entry {
    /// `external` is where readers reach Alertmanager.
    pub(super) fn new(notification: &Notification<'_>, external: &str) -> Self {
        let firing = notification.firing().count();
        let resolved = notification.resolved().count();
        let rank = notification
            .firing()
            .map(|alert| Severity::from_label(alert.labels.get("severity").unwrap_or_default()))
            .max()
            .map_or(RESOLVED_RANK, rank);
        Self {
            severity_rank: rank,
            firing,
            resolved,
            markdown: line(notification, emoji(rank), firing, resolved).into(),
            links: links(notification, external).into(),
        }
    }

    /// The same with another line, such as a template made.
    pub(super) fn with_line(mut self, text: &str) -> Self {
        let lines: Vec<&str> = text.split_whitespace().collect();
        self.markdown = cut_text(&lines.join(" "), ENTRY_BYTES).into();
        self.links = Box::default();
        self
    }

    /// How much of [`DIGEST_BYTES`] it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.markdown.len() + BREAK.len()
    }

    /// The entry alone, as a message.
    pub(super) fn markdown(&self) -> String {
        let mut text = self.markdown.to_string();
        if !self.links.is_empty() {
            text.push_str(SEPARATOR);
            text.push_str(&self.links);
        }
        text
    }
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 0,
        Severity::Unknown => 1,
        Severity::Warning => 2,
        Severity::Info => 3,
    }
}

fn emoji(rank: u8) -> &'static str {
    match rank {
        0 => Severity::Critical.emoji(),
        1 => Severity::Unknown.emoji(),
        2 => Severity::Warning.emoji(),
        3 => Severity::Info.emoji(),
        _ => "✅",
    }
}

/// `🔴 **3 firing, 1 resolved: KubePodCrashLooping** · payments · prod-eu1 · Pod is …`. Of a
/// single alert the emoji says enough.
fn line(notification: &Notification<'_>, emoji: &str, firing: usize, resolved: usize) -> String {
    let mut text = String::with_capacity(ENTRY_BYTES);
    text.push_str(emoji);
    text.push_str(" **");
    let before = text.len();
    if firing + resolved > 1 {
        text.push_str(&counts(firing, resolved));
        text.push_str(": ");
    }
    push_names(&mut text, notification);
    if text.len() == before || text.ends_with(": ") {
        text.push_str("alert");
    }
    text.push_str("**");
    let places = PLACES
        .iter()
        .filter_map(|name| notification.common_labels.get(name));
    for place in places
        .filter(|place| !place.trim().is_empty())
        .take(PLACES_SHOWN)
    {
        text.push_str(SEPARATOR);
        push_line(&mut text, place, PLACE_CHARS);
    }
    if let Some(summary) = summary(notification) {
        text.push_str(SEPARATOR);
        push_line(&mut text, summary, SUMMARY_CHARS);
    }
    if text.len() > ENTRY_BYTES {
        text = cut_text(&text, ENTRY_BYTES).into_owned();
    }
    text
}

/// `3 firing, 1 resolved`.
pub(super) fn counts(firing: usize, resolved: usize) -> String {
    match (firing, resolved) {
        (0, resolved) => format!("{resolved} resolved"),
        (firing, 0) => format!("{firing} firing"),
        (firing, resolved) => format!("{firing} firing, {resolved} resolved"),
    }
}

/// Which alerts: the first names, each once.
fn push_names(text: &mut String, notification: &Notification<'_>) {
    let mut names: Vec<&str> = Vec::new();
    let mut more = false;
    for alert in &notification.alerts {
        let name = alert.labels.get("alertname").unwrap_or_default();
        if name.trim().is_empty() || names.contains(&name) {
            continue;
        }
        more = names.len() == NAMES;
        if more {
            break;
        }
        names.push(name);
    }
    for (index, name) in names.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        push_line(text, name, NAME_CHARS);
    }
    if more {
        text.push_str(" …");
    }
}

/// A value in one line, whatever it takes for a line break.
fn push_line(text: &mut String, value: &str, chars: usize) {
    let brief = brief(value, chars, 1);
    // Nearly always there is nothing that could break a line.
    if brief.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return push_escaped(text, &brief);
    }
    let words: Vec<&str> = brief.split_whitespace().collect();
    push_escaped(text, &words.join(" "));
}

/// What the alerts say: what they share, else the first that fires.
fn summary<'n>(notification: &'n Notification<'_>) -> Option<&'n str> {
    const NAMES: [&str; 3] = ["summary", "description", "message"];
    let said = |alert: &'n Alert<'_>| NAMES.iter().find_map(|name| alert.annotations.get(name));
    let shared = NAMES[..1]
        .iter()
        .find_map(|name| notification.common_annotations.get(name));
    let first = || {
        let mut alerts = notification.alerts.iter();
        alerts
            .find(|alert| alert.status == Status::Firing)
            .and_then(said)
    };
    shared.or_else(first).filter(|text| !text.trim().is_empty())
}

fn links(notification: &Notification<'_>, external: &str) -> String {
    let mut text = String::with_capacity(ENTRY_BYTES);
    let mut push = |name: &str, url: &str| {
        if let Some(link) = links::link(name, url)
            && text.len() + SEPARATOR.len() + link.len() <= LINKS_BYTES
        {
            if !text.is_empty() {
                text.push_str(SEPARATOR);
            }
            text.push_str(&link);
        }
    };
    push(
        "Alertmanager",
        &links::alertmanager(external, &notification.receiver),
    );
    if notification.status == Status::Firing {
        push(
            "Silence",
            &links::silence(external, &notification.group_labels),
        );
    }
    text
}

/// A message of all entries, the most severe first, in the order given where they are alike.
/// What does not fit is counted.
pub(super) fn message(entries: &[&Entry]) -> Message {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|entry| entry.severity_rank);
    let mut markdown = head(&sorted);
    let room = RENDERED_BYTES - HEAD_BYTES + head_room(&markdown);
    let mut taken = 0;
    let shown = sorted
        .iter()
        .take_while(|entry| {
            taken += entry.bytes();
            taken <= room
        })
        .count();
    let mut for_links = room - sorted[..shown].iter().map(|e| e.bytes()).sum::<usize>();
    for entry in &sorted[..shown] {
        markdown.push_str(BREAK);
        markdown.push_str(&entry.markdown);
        let links = SEPARATOR.len() + entry.links.len();
        if !entry.links.is_empty() && links <= for_links {
            for_links -= links;
            markdown.push_str(SEPARATOR);
            markdown.push_str(&entry.links);
        }
    }
    if shown < sorted.len() {
        // Writing to a string does not fail.
        let _ = write!(
            markdown,
            "\n\n… and {} more notifications, the least severe ones",
            sorted.len() - shown
        );
    }
    Message::new(markdown)
}

/// What of [`HEAD_BYTES`] the first lines and the last one leave to the entries.
fn head_room(head: &str) -> usize {
    const LAST_BYTES: usize = 120;
    HEAD_BYTES.saturating_sub(head.len() + LAST_BYTES)
}

/// How many notifications, and how many alerts by status and severity.
fn head(entries: &[&Entry]) -> String {
    let firing: usize = entries.iter().map(|entry| entry.firing).sum();
    let resolved: usize = entries.iter().map(|entry| entry.resolved).sum();
    let first = entries
        .first()
        .map_or("🔔", |entry| emoji(entry.severity_rank));
    let mut text = format!(
        "{first} **{} notifications in one message: {}**  \n",
        entries.len(),
        counts(firing, resolved)
    );
    let mut separator = "";
    for (rank, name) in (0_u8..).zip(RANKS) {
        let groups = entries
            .iter()
            .filter(|entry| entry.severity_rank == rank)
            .count();
        if groups > 0 {
            let _ = write!(text, "{separator}{} {groups} {name}", emoji(rank));
            separator = SEPARATOR;
        }
    }
    text.push_str("  \n*More came in than Webex takes one by one, so each has one line.*");
    text
}

#[cfg(test)]
mod tests;
