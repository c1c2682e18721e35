//! Where a rendered text may be cut: not through a link, code, an escape, an entity, a mention
//! or a character as people see it (a grapheme cluster).
//!
//! What spans so much that it must be cut (a code block, emphasis) is closed before the cut
//! and opened again after it, so that both sides parse cleanly.
//!
//! What does not belong here: several messages for one notification (`split`).

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};
use unicode_segmentation::GraphemeCursor;

use super::escape::push_escaped;

/// Stands before each alert, in the text that a template makes.
pub(super) const BEGIN_ALERT: char = '\u{1e}';

/// Stands after the last alert, where something follows that belongs to none.
pub(super) const END_ALERTS: char = '\u{1d}';

/// How far past the cut a text is parsed to see what it would cut through.
const LOOKAHEAD: usize = 4096;

/// How much may be given up for a cut at the end of a paragraph and of a line, as part of the
/// limit.
const PARAGRAPH_SHARE: usize = 2;
const LINE_SHARE: usize = 4;

/// How much may be given up for a cut at the end of a word, in bytes.
const WORD_BYTES: usize = 80;

/// The longest entity that `escape` or an author is likely to write.
const ENTITY_BYTES: usize = 32;

/// What is kept free for closing what spans a cut.
const CLOSING_BYTES: usize = 40;

/// How deep constructs may lie in one another.
const DEEPEST: usize = 8;

/// The longest fence that is closed and opened again, and the longest word after it.
const FENCE_BYTES: usize = 12;

/// What a cut must know of a construct.
#[derive(Debug, Clone)]
pub(super) struct Span {
    range: Range<usize>,
    kind: Kind,
    /// The construct that it stands in.
    outer: Option<usize>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Cannot be cut at all: a link, inline code, HTML.
    Whole,
    /// Emphasis, with what opens and closes it.
    Emphasis(String),
    /// A fenced code block: what opens it and what closes it.
    Fence { open: String, close: String },
}

/// The constructs of a text by their beginnings, the outer ones first.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
        let source = &text[range.clone()];
        let kind = match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => fence(source),
            Event::Start(Tag::Strong) => emphasis(source, 2),
            Event::Start(Tag::Emphasis) => emphasis(source, 1),
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock)
            | Event::Code(_)
            | Event::InlineHtml(_) => Kind::Whole,
            _ => continue,
        };
        let mut outer = spans.len().checked_sub(1);
        while let Some(index) = outer
            && spans[index].range.end <= range.start
        {
            outer = spans[index].outer;
        }
        spans.push(Span { range, kind, outer });
    }
    spans
}

/// The constructs that a place stands in, the outer ones first.
fn around(spans: &[Span], at: usize) -> Vec<&Span> {
    let before = spans.partition_point(|span| span.range.start < at);
    let mut around = Vec::new();
    let mut next = before.checked_sub(1);
    while let Some(index) = next {
        let span = &spans[index];
        if span.holds(at) {
            around.push(span);
        }
        next = span.outer;
    }
    around.reverse();
    around
}

fn fence(block: &str) -> Kind {
    let line = block.lines().next().unwrap_or_default().trim();
    let mark = if line.starts_with('~') { '~' } else { '`' };
    let run = line.len() - line.trim_start_matches(mark).len();
    if run > FENCE_BYTES {
        return Kind::Whole;
    }
    let close = line[..run].to_owned();
    let language = line[run..].split_whitespace().next().unwrap_or_default();
    let language = if language.len() > FENCE_BYTES {
        ""
    } else {
        language
    };
    Kind::Fence {
        open: format!("{close}{language}"),
        close,
    }
}

fn emphasis(source: &str, marks: usize) -> Kind {
    Kind::Emphasis(source.get(..marks).unwrap_or_default().to_owned())
}

impl Span {
    fn holds(&self, at: usize) -> bool {
        self.range.start < at && at < self.range.end
    }

    /// Whether a cut there would leave a side of it with its marks and nothing else.
    fn is_empty_beside(&self, text: &str, at: usize, marks: usize) -> bool {
        let inner = self.range.start + marks..self.range.end.saturating_sub(marks);
        let side = |range: Range<usize>| text.get(range).is_none_or(|s| s.trim().is_empty());
        side(inner.start..at) || side(at..inner.end)
    }
}

/// What must be closed at a place, innermost first, and opened again after it. Nothing where
/// that is more than a person would nest: it would take the message's room.
pub(super) fn seam(spans: &[Span], at: usize) -> (String, String) {
    let mut open = String::new();
    let mut close = String::new();
    let around = around(spans, at);
    if around.len() > DEEPEST {
        return (open, close);
    }
    for span in around {
        match &span.kind {
            Kind::Whole => {}
            Kind::Emphasis(marks) => {
                open.push_str(marks);
                close.insert_str(0, marks);
            }
            Kind::Fence { open: o, close: c } => {
                open.push_str(o);
                open.push('\n');
                close.insert_str(0, c);
                close.insert(0, '\n');
            }
        }
    }
    (close, open)
}

/// Whether a place stands in a code block.
pub(super) fn in_fence(spans: &[Span], at: usize) -> bool {
    around(spans, at)
        .iter()
        .any(|span| matches!(span.kind, Kind::Fence { .. }))
}

/// Where to cut so that what stands from `start` on takes at most `room` bytes, with what
/// closes it. Always past `start`, and never past the end.
pub(super) fn place(text: &str, spans: &[Span], start: usize, room: usize) -> usize {
    if text.len() - start <= room {
        return text.len();
    }
    end_within(text, spans, start, room.saturating_sub(CLOSING_BYTES))
}

/// As [`place`], for a text that does not fit, without room for what closes it.
fn end_within(text: &str, spans: &[Span], start: usize, room: usize) -> usize {
    let wanted = start + good_end(&text[start..], room);
    let mut end = wanted;
    for span in spans {
        if !span.holds(end) {
            continue;
        }
        let from = span.range.start;
        // Moved as a whole into what follows, where it begins late enough.
        let moves = from > start && (from > start + room / 2 || span.range.len() <= room / 2);
        match &span.kind {
            Kind::Emphasis(marks)
                if !moves && from > start && span.is_empty_beside(text, end, marks.len()) =>
            {
                end = from;
            }
            Kind::Emphasis(_) if !moves => {}
            Kind::Fence { .. } if !moves => {
                let line = text[start..end].rfind('\n').map(|at| start + at);
                // Behind the line that opens it nothing of the code would be told.
                let tells = |line: &usize| *line > from && text[from..*line].contains('\n');
                end = line.filter(tells).unwrap_or(end);
            }
            _ if from > start => end = from,
            _ => {}
        }
    }
    let end = before_escape(text, end);
    if text[start..end.max(start)].trim().is_empty() {
        // Nothing but one overlong construct: something is better than nothing.
        let forced = before_escape(text, wanted);
        return if forced > start {
            forced
        } else {
            after_first(text, start, wanted)
        };
    }
    end
}

/// Past the first character at least.
fn after_first(text: &str, start: usize, wanted: usize) -> usize {
    let first = text[start..].chars().next().map_or(0, char::len_utf8);
    wanted.max(start + first)
}

/// The beginning of a Markdown text, in at most `limit` bytes.
pub(super) fn cut_text(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let seen = &text[..boundary(text, limit + LOOKAHEAD)];
    let spans = spans(seen);
    // What closes nothing needs no room: most texts are cut in plain words.
    for room in [limit, limit.saturating_sub(CLOSING_BYTES)] {
        let end = end_within(seen, &spans, 0, room);
        let (close, _) = seam(&spans, end);
        let cut = text[..end].trim_end();
        if cut.len() + close.len() <= limit {
            return Cow::Owned(format!("{cut}{close}"));
        }
    }
    Cow::Borrowed(text[..boundary(text, limit)].trim_end())
}

/// A place near the limit where a paragraph, a line or a word ends.
fn good_end(text: &str, limit: usize) -> usize {
    let limit = grapheme_boundary(text, boundary(text, limit));
    let head = &text[..limit];
    let ends = |at: &usize| {
        let space = text[*at..].chars().next().map_or(0, char::len_utf8);
        is_grapheme_boundary(text, *at) && is_grapheme_boundary(text, at + space)
    };
    let paragraph = head.rfind("\n\n").filter(ends);
    let line = head.rfind('\n').filter(ends);
    let word = head.rfind(' ').filter(ends);
    match (paragraph, line, word) {
        (Some(end), _, _) if end >= limit - limit / PARAGRAPH_SHARE => end,
        (_, Some(end), _) if end >= limit - limit / LINE_SHARE => end,
        (_, _, Some(end)) if end + WORD_BYTES >= limit => end,
        _ => limit,
    }
}

/// The last place up to `at` where a character ends.
// `str::floor_char_boundary` came with Rust 1.91.
pub(super) fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn is_grapheme_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true)
        .is_boundary(text, 0)
        .unwrap_or(true)
}

/// The last place up to `at` where a character as people see it ends. One that fills the
/// whole text is cut all the same.
fn grapheme_boundary(text: &str, at: usize) -> usize {
    if is_grapheme_boundary(text, at) {
        return at;
    }
    let before = GraphemeCursor::new(at, text.len(), true).prev_boundary(text, 0);
    match before {
        Ok(Some(before)) if before > 0 => before,
        _ => at,
    }
}

/// Moves an end out of an escape, an entity or a mention.
fn before_escape(text: &str, end: usize) -> usize {
    let mut end = end;
    let head = &text[..end];
    if let Some(at) = head.rfind("<@")
        && !head[at..].contains('>')
    {
        end = at;
    }
    let from = boundary(text, end.saturating_sub(ENTITY_BYTES));
    if let Some(at) = text[from..end].rfind('&')
        && !text[from + at..end].contains([';', ' '])
    {
        end = from + at;
    }
    let backslashes = text[..end]
        .bytes()
        .rev()
        .take_while(|b| *b == b'\\')
        .count();
    end - backslashes % 2
}

/// A note as a paragraph in italics, in at most `limit` bytes.
pub(super) fn note_paragraph(note: &str, limit: usize) -> String {
    let mut note = &note[..boundary(note, limit)];
    loop {
        let mut paragraph = String::from("\n\n*");
        let empty = paragraph.len();
        push_escaped(&mut paragraph, note);
        if paragraph.len() == empty {
            return String::new();
        }
        paragraph.push('*');
        if paragraph.len() <= limit {
            return paragraph;
        }
        // A character becomes five bytes at most, so this overshoots by little.
        let excess = (paragraph.len() - limit).div_ceil(5);
        note = &note[..boundary(note, note.len().saturating_sub(excess))];
    }
}

/// See [`super::Message::append_note`].
pub(super) fn append_note(markdown: &mut String, note: &str, limit: usize, message: usize) {
    let note = note_paragraph(note, limit);
    if markdown.len() + note.len() > message {
        *markdown = cut_text(markdown, message - note.len()).into_owned();
    }
    markdown.push_str(&note);
}

#[cfg(test)]
mod tests;
