//! Makes several messages of a text that is too long for one.
//!
//! Templates mark where an alert begins and where the last one has ended, with control
//! characters that no label can hold, because `escape` replaces them. An alert stays whole
//! wherever it fits into a message; only one that is larger than a message is cut, and says
//! so. What stands before and after the alerts, and a text without marks, is cut between
//! paragraphs, lines or words.
//!
//! Every part after the first begins with its number and with the first line of the text, so
//! that it makes sense alone, also in a notification of a phone. There are at most
//! [`MAX_PARTS`]: nobody reads more at night, and they take the quota of the whole bot. What
//! is left out is counted, with a link to Alertmanager.
//!
//! What does not belong here: where exactly a text may be cut (`cut`).

mod sections;

use std::ops::Range;

use self::sections::{Kind, Sections, Unit, headline, without_marks};
use super::cut::{BEGIN_ALERT, END_ALERTS, Span, cut_text, in_fence, place, seam, spans};
use super::escape::block_marker;
use super::{RENDERED_BYTES, plain};

/// The most messages that a notification becomes.
pub const MAX_PARTS: usize = 10;

/// Ends a text that was cut inside an alert.
const CUT: &str = "\n\n… cut: too long for one message";

/// Begins a paragraph.
const PARAGRAPH: &str = "\n\n";

/// What a number may take: `\n\n*10/10*`.
const NUMBER_BYTES: usize = 12;

/// A text on its way into messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// What the template made, with its marks.
    pub(super) text: &'a str,
    /// Says what it is about where its own first line does not; plain text.
    pub(super) title: &'a str,
    /// Where to find what is left out; may be empty.
    pub(super) alertmanager_url: &'a str,
    /// What the first message keeps free besides.
    pub(super) reserved: usize,
    /// Whether a card goes with the first message. Who sees the card does not see the text
    /// beside it, so of several messages the first is the card's alone.
    pub(super) card: bool,
}

/// The messages that a text becomes: at least one, each within [`RENDERED_BYTES`] as
/// Markdown and as plain text.
pub(super) fn split(source: &Source<'_>) -> Vec<String> {
    if let Some(whole) = whole(source.text, source.reserved) {
        return vec![whole];
    }
    let text = source.text.trim();
    let sections = Sections::of(text);
    let headline = headline(&sections, source.title);
    let most = MAX_PARTS - usize::from(source.card);
    let mut shown = sections.fitting(most * RENDERED_BYTES);
    let mut step = 1;
    let mut parts = loop {
        let parts = Packer::pack(source, &sections, &headline, shown);
        if parts.len() <= most || shown == 0 {
            break parts;
        }
        // What is left out makes room for the tail and for the note on it.
        shown = parts[most - 1].alerts.min(shown.saturating_sub(step));
        step *= 2;
    };
    if parts.len() > most {
        cut_last(&mut parts, most);
    }
    if source.card && parts.len() > 1 {
        let body = headline.clone();
        parts.insert(0, Part { body, alerts: 0 });
    }
    numbered(&parts, &headline)
}

/// The one message that a text becomes where it fits into one, with so many bytes kept free.
pub(super) fn whole(text: &str, reserved: usize) -> Option<String> {
    let text = text.trim();
    if text.len() + reserved > RENDERED_BYTES {
        let marks = text.bytes().filter(|byte| is_mark(*byte)).count();
        if text.len() - marks + reserved > RENDERED_BYTES {
            return None;
        }
    }
    let mut whole = without_marks(text);
    if whole.trim().len() < whole.len() {
        whole = String::from(whole.trim());
    }
    fits_as_text(&whole, RENDERED_BYTES - reserved).then_some(whole)
}

fn is_mark(byte: u8) -> bool {
    // Both are ASCII.
    const MARKS: [u8; 2] = [BEGIN_ALERT as u8, END_ALERTS as u8];
    byte == MARKS[0] || byte == MARKS[1]
}

/// Whether the plain text of a Markdown text is no longer than that. Nearly always it is
/// shorter than the Markdown. Nested lists may make it longer, but not eightfold; links by
/// reference may make it longer by any factor. Finding out takes as long as writing the text.
fn fits_as_text(markdown: &str, limit: usize) -> bool {
    let is_short = markdown.len() < limit / 8 && !may_have_references(markdown);
    is_short
        || (markdown.len() <= limit / 2 && hardly_grows(markdown))
        || plain::uncut(markdown).len() <= limit
}

/// Whether a Markdown text can be told to become less than twice as long as plain text, because
/// it has nothing that may: no lists, no links in angle brackets or by reference. What else
/// grows are a few entities, by one byte of five.
fn hardly_grows(markdown: &str) -> bool {
    !markdown.contains('<') && !markdown.contains('\0') && !may_have_references(markdown) && {
        let mut lines = markdown.split('\n').flat_map(|line| line.split('\r'));
        lines.all(|line| !begins_list(line.trim_start_matches([' ', '\t', '>'])))
    }
}

/// Whether the target of a link may be defined in a text.
fn may_have_references(markdown: &str) -> bool {
    let mut behind = markdown.split(']').skip(1);
    behind.any(|rest| rest.starts_with(':'))
}

/// Whether a line may begin an item of a list.
fn begins_list(line: &str) -> bool {
    if line.starts_with(|c: char| c.is_alphabetic()) {
        return false;
    }
    let after = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let marks: &[char] = if after.len() == line.len() {
        &['-', '+', '*']
    } else {
        &['.', ')']
    };
    let rest = after.strip_prefix(marks);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// One message, before it has its number.
struct Part {
    body: String,
    /// How many alerts have begun up to its end.
    alerts: usize,
}

/// Fills one part after the other.
struct Packer<'t> {
    text: &'t str,
    spans: Vec<Span>,
    units: &'t [Unit],
    /// What a further part has for its body.
    room: usize,
    /// What the first part lacks of that.
    reserved: usize,
    parts: Vec<Part>,
    /// Where the part begins that is being filled, and how far it is filled.
    start: usize,
    end: usize,
}

impl Packer<'_> {
    fn pack(
        source: &Source<'_>,
        sections: &Sections<'_>,
        headline: &str,
        shown: usize,
    ) -> Vec<Part> {
        let (text, units) = sections.text(shown, source.alertmanager_url);
        let headline = headline.len() + PARAGRAPH.len();
        let mut packer = Packer {
            text: &text,
            spans: spans(&text),
            units: &units,
            room: RENDERED_BYTES - NUMBER_BYTES - headline,
            reserved: source.reserved.saturating_sub(headline),
            parts: Vec::new(),
            start: 0,
            end: 0,
        };
        for unit in &units {
            packer.add(unit);
        }
        packer.close(text.len());
        packer.parts
    }

    /// What the part that begins at `start` has for its body.
    fn room(&self) -> usize {
        let reserved = if self.parts.is_empty() {
            self.reserved
        } else {
            0
        };
        let (_, open) = seam(&self.spans, self.start);
        self.room.saturating_sub(reserved + open.len())
    }

    fn fits(&self, start: usize, end: usize) -> bool {
        let (close, _) = seam(&self.spans, end);
        self.text[start..end].trim().len() + close.len() <= self.room()
    }

    fn add(&mut self, unit: &Unit) {
        let Range { start, end } = unit.range.clone();
        let whole = unit.kind != Kind::BeginningOfAlert;
        if whole && self.fits(self.start, end) {
            self.end = end;
            return;
        }
        let is_first = self.parts.is_empty() && self.text[..start].trim().is_empty();
        if !is_first && end - start <= self.room {
            self.close(start);
            if whole && self.fits(start, end) {
                self.end = end;
                return;
            }
        }
        if unit.is_alert() {
            self.add_cut(start, end);
        } else {
            self.flow(end);
        }
    }

    /// An alert that is larger than a message: its beginning, and that it was cut.
    fn add_cut(&mut self, start: usize, end: usize) {
        if start - self.start > self.room / 2 {
            self.close(start);
        }
        let mut at = self.cut_before(end);
        if self.text[start..at.max(start)].trim().is_empty() {
            // The best place was before it, and nothing of it would be told.
            self.close(start);
            at = self.cut_before(end);
        }
        self.push(self.start..at, CUT);
        self.begin(end);
    }

    /// Where to cut so that the part and the word on the cut fit.
    fn cut_before(&self, end: usize) -> usize {
        let room = self.room().saturating_sub(CUT.len());
        place(&self.text[..end], &self.spans, self.start, room)
    }

    /// A text that is no alert and larger than a message: as many as it takes.
    fn flow(&mut self, end: usize) {
        while !self.fits(self.start, end) && self.parts.len() <= MAX_PARTS {
            let at = place(&self.text[..end], &self.spans, self.start, self.room());
            self.close(at);
        }
        self.end = end;
    }

    /// Ends the part at a place, and begins the next one there.
    fn close(&mut self, at: usize) {
        if !self.text[self.start..at].trim().is_empty() {
            self.push(self.start..at, "");
        }
        self.begin(at);
    }

    fn begin(&mut self, at: usize) {
        self.start = at;
        self.end = at;
    }

    fn push(&mut self, range: Range<usize>, note: &str) {
        let body = self.body(range.clone());
        let limit = (self.room() + NUMBER_BYTES).saturating_sub(note.len());
        if range.len() > MAX_PARTS && !fits_as_text(&body, limit) {
            // Hardly ever; see `fits_as_text`. Cut in two, between alerts if there are any.
            let middle = range.start + range.len() / 2;
            let mut starts = self.units.iter().map(|unit| unit.range.start);
            let at = starts
                .rfind(|at| range.start < *at && *at <= middle)
                .unwrap_or_else(|| {
                    place(
                        &self.text[..range.end],
                        &self.spans,
                        range.start,
                        range.len() / 2,
                    )
                });
            if range.start < at && at < range.end && self.parts.len() <= MAX_PARTS {
                self.push(range.start..at, "");
                self.start = at;
                self.push(at..range.end, note);
                return;
            }
        }
        let alerts = self.units.iter();
        let alerts = alerts
            .take_while(|unit| unit.range.start < range.end)
            .filter(|unit| unit.is_alert())
            .count();
        self.parts.push(Part {
            body: body + note,
            alerts,
        });
    }

    /// What stands in a range, with what spans its ends closed and opened again.
    fn body(&self, range: Range<usize>) -> String {
        let (_, open) = seam(&self.spans, range.start);
        let (close, _) = seam(&self.spans, range.end);
        let piece = &self.text[range.clone()];
        let mut body = open;
        let mut rest = if in_fence(&self.spans, range.start) {
            piece.strip_prefix('\n').unwrap_or(piece)
        } else {
            piece.trim_start()
        };
        let line_start = range.start == 0
            || self.text[..range.start].ends_with('\n')
            || piece.trim_start_matches(' ').starts_with('\n');
        if !line_start && let Some(plain) = block_marker(rest.as_bytes()) {
            // In the middle of a line it was text, and stays so.
            body.push_str(&rest[..plain]);
            body.push('\\');
            rest = &rest[plain..];
        }
        body.push_str(rest.trim_end());
        body.push_str(&close);
        body
    }
}

/// Leaves so many parts, the last of which says that it was cut.
fn cut_last(parts: &mut Vec<Part>, most: usize) {
    parts.truncate(most);
    if let Some(last) = parts.last_mut() {
        let limit = last.body.len().saturating_sub(CUT.len());
        last.body = cut_text(&last.body, limit).into_owned() + CUT;
    }
}

/// The bodies with their numbers: below the first, whose beginning is the template's, and
/// before the headline of the others.
fn numbered(parts: &[Part], headline: &str) -> Vec<String> {
    let count = parts.len();
    if let [part] = parts {
        return vec![part.body.clone()];
    }
    let number = |(index, part): (usize, &Part)| {
        if index == 0 {
            format!("{}{PARAGRAPH}*1/{count}*", part.body)
        } else {
            format!("*{}/{count}* {headline}{PARAGRAPH}{}", index + 1, part.body)
        }
    };
    parts.iter().enumerate().map(number).collect()
}

#[cfg(test)]
mod tests;
