//! Fits a rendered text into a message.
//!
//! Templates mark where an alert begins and where the last one has ended, with control
//! characters that no label can hold, because `escape` replaces them. So a text that is too
//! long is cut between alerts. Only where that does not help is it cut inside one, and then
//! outside of links, code, escapes and entities.
//!
//! What does not belong here: several messages for one notification.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::escape::push_escaped;

/// Stands before each alert.
pub(super) const BEGIN_ALERT: char = '\u{1e}';

/// Stands after the last alert, where something follows that belongs to none.
pub(super) const END_ALERTS: char = '\u{1d}';

/// Both are one byte.
const MARKS: [char; 2] = [BEGIN_ALERT, END_ALERTS];

/// Ends a text that was cut inside an alert.
const CUT: &str = "\n\n… cut: too long for one message";

/// Begins a paragraph.
const PARAGRAPH: &str = "\n\n";

/// How far past the cut the text is parsed to see what it would cut through.
const LOOKAHEAD: usize = 4096;

/// How much may be given up for a cut at the end of a line, as part of the limit.
const LINE_SHARE: usize = 4;

/// How much may be given up for a cut at the end of a word, in bytes.
const WORD_BYTES: usize = 80;

/// The longest entity that `escape` or an author is likely to write.
const ENTITY_BYTES: usize = 32;

/// The text without its marks, in at most `limit` bytes.
pub(super) fn fit(text: &str, limit: usize) -> String {
    let text = text.trim();
    let marks = text.chars().filter(|c| MARKS.contains(c)).count();
    if text.len() - marks <= limit {
        return without_marks(text).trim().to_owned();
    }
    let (body, tail) = text.split_once(END_ALERTS).unwrap_or((text, ""));
    let mut sections = body.split(BEGIN_ALERT);
    let head = sections.next().unwrap_or_default();
    let alerts: Vec<&str> = sections.collect();
    let tail = without_marks(tail);
    let mut tail = tail.trim();
    let mut fitting = fitting(&alerts, limit, head.len() + tail.len() + PARAGRAPH.len());
    if fitting == 0 {
        // Alerts before what concerns the group.
        tail = "";
        fitting = self::fitting(&alerts, limit, head.len());
    }
    if fitting == 0 {
        let first = match alerts.first() {
            Some(alert) => Cow::Owned(format!("{head}{alert}")),
            None => without_marks(text),
        };
        return cut_inside(first.trim(), alerts.len(), limit);
    }
    let mut fitted = String::with_capacity(limit);
    fitted.push_str(head.trim_start());
    for alert in &alerts[..fitting] {
        fitted.push_str(alert);
    }
    fitted.truncate(fitted.trim_end().len());
    fitted.push_str(&left_out(alerts.len() - fitting));
    if !tail.is_empty() {
        fitted.push_str(PARAGRAPH);
        fitted.push_str(tail);
    }
    fitted
}

/// How many of the alerts fit beside what else takes room, and the note on the others.
fn fitting(alerts: &[&str], limit: usize, taken: usize) -> usize {
    let room = limit.saturating_sub(taken + left_out(alerts.len()).len());
    let mut used = 0;
    alerts
        .iter()
        .take_while(|alert| {
            used += alert.len();
            used <= room
        })
        .count()
}

/// Not even the first alert fits, or the template marks none.
fn cut_inside(first: &str, alerts: usize, limit: usize) -> String {
    let mut end = CUT.to_owned();
    if alerts > 1 {
        end.push_str(&left_out(alerts - 1));
    }
    let mut cut = cut_text(first, limit.saturating_sub(end.len())).into_owned();
    cut.push_str(&end);
    cut
}

fn left_out(alerts: usize) -> String {
    match alerts {
        0 => String::new(),
        1 => "\n\n… and 1 more alert".to_owned(),
        _ => format!("\n\n… and {alerts} more alerts"),
    }
}

fn without_marks(text: &str) -> Cow<'_, str> {
    if text.contains(MARKS) {
        Cow::Owned(text.replace(MARKS, ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// The beginning of a Markdown text, in at most `limit` bytes.
pub(super) fn cut_text(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let seen = &text[..boundary(text, limit + LOOKAHEAD)];
    let wanted = good_end(text, limit);
    let mut end = wanted;
    for span in spans(seen) {
        if span.range.start >= end || span.range.end <= end {
            continue;
        }
        if span.range.start > limit / 2 || !span.is_code {
            end = span.range.start;
            continue;
        }
        // A code block that fills the message: cut at the end of a line, and closed.
        let closing = format!("\n{}", fence(&seen[span.range.clone()]));
        let room = boundary(text, limit.saturating_sub(closing.len()));
        let line = text[..room].rfind('\n').filter(|at| *at > span.range.start);
        let code = text[..line.unwrap_or(room)].trim_end();
        return Cow::Owned(format!("{code}{closing}"));
    }
    let end = before_escape(text, end);
    let cut = text[..end].trim_end();
    if cut.is_empty() {
        // Nothing but one overlong construct: something is better than nothing.
        return Cow::Borrowed(text[..before_escape(text, wanted)].trim_end());
    }
    Cow::Borrowed(cut)
}

/// What must not be cut through.
struct Span {
    range: Range<usize>,
    is_code: bool,
}

/// The outermost such spans come first where they are nested.
fn spans(text: &str) -> impl Iterator<Item = Span> {
    Parser::new_ext(text, Options::empty())
        .into_offset_iter()
        .filter_map(|(event, range)| {
            let is_code = match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    matches!(kind, CodeBlockKind::Fenced(_))
                }
                Event::Start(
                    Tag::Link { .. }
                    | Tag::Image { .. }
                    | Tag::Strong
                    | Tag::Emphasis
                    | Tag::HtmlBlock,
                )
                | Event::Code(_)
                | Event::InlineHtml(_) => false,
                _ => return None,
            };
            Some(Span { range, is_code })
        })
}

/// The fence that a code block begins with.
fn fence(block: &str) -> &str {
    let block = block.trim_start();
    let mark = if block.starts_with('~') { '~' } else { '`' };
    let end = block.find(|c| c != mark).unwrap_or(block.len());
    &block[..end]
}

/// A place near the limit where a line or a word ends.
fn good_end(text: &str, limit: usize) -> usize {
    let limit = boundary(text, limit);
    let line = text[..limit].rfind('\n');
    let word = text[..limit].rfind(' ');
    match (line, word) {
        (Some(line), _) if line >= limit - limit / LINE_SHARE => line,
        (_, Some(word)) if word + WORD_BYTES >= limit => word,
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(head: &str, alerts: &[String], tail: &str) -> String {
        let mut text = head.to_owned();
        for alert in alerts {
            text.push(BEGIN_ALERT);
            text.push_str(alert);
        }
        text.push(END_ALERTS);
        text + tail
    }

    #[test]
    fn what_fits_only_loses_its_marks() {
        let text = marked("head", &["  \nalert".to_owned()], "\n\ntail\n");
        assert_eq!(fit(&text, 100), "head  \nalert\n\ntail");
    }

    #[test]
    fn alerts_are_left_out_whole_and_counted_and_what_follows_them_stays() {
        let alerts: Vec<String> = (0..9).map(|n| format!("\n\nalert {n}")).collect();
        let text = marked("head", &alerts, "\n\ntail");
        assert_eq!(
            fit(&text, 66),
            "head\n\nalert 0\n\nalert 1\n\nalert 2\n\n… and 6 more alerts\n\ntail"
        );
        assert_eq!(
            fit(&marked("head", &alerts[..5], ""), 48),
            "head\n\nalert 0\n\nalert 1\n\n… and 3 more alerts"
        );
    }

    #[test]
    fn alerts_come_before_what_concerns_the_group() {
        let alerts = ["\n\nalert 0".to_owned(), "\n\nalert 1".to_owned()];
        let text = marked("head", &alerts, &"x".repeat(99));
        assert_eq!(fit(&text, 60), "head\n\nalert 0\n\nalert 1");
        assert_eq!(fit(&text, 40), "head\n\nalert 0\n\n… and 1 more alert");
    }

    #[test]
    fn a_single_alert_that_is_too_long_is_cut_and_says_so() {
        let text = marked("head", &["\n\n".to_owned() + &"word ".repeat(99)], "");
        let cut = fit(&text, 80);
        assert_eq!(
            cut,
            format!("head\n\n{}word{CUT}", "word ".repeat(6)),
            "{}",
            cut.len()
        );
    }

    #[test]
    fn a_cut_goes_through_no_link_code_escape_entity_or_mention() {
        for (text, limit, expected) in [
            ("some words [link](https://a.b/c) more", 25, "some words"),
            ("some words `code span here` more", 20, "some words"),
            ("some words **bold and on** more", 20, "some words"),
            ("some words <@personEmail:a@b.c> more", 25, "some words"),
            ("some\\\\\\*words", 7, "some\\\\"),
            ("some&lt;words", 6, "some"),
            ("überüberüber", 6, "über"),
            ("```\none\ntwo\nthree\n```", 14, "```\none\n```"),
            ("[one long link](https://a.b/c)", 12, "[one long"),
        ] {
            let cut = cut_text(text, limit);
            assert_eq!(cut, expected);
            assert!(cut.len() <= limit);
        }
    }

    #[test]
    fn a_note_is_text_and_never_too_long() {
        let mut message = "x".repeat(7439);
        append_note(&mut message, &"late & `lost` ".repeat(50), 300, 7439);
        assert!(message.len() <= 7439, "{}", message.len());
        let note = message.trim_start_matches('x');
        assert!(note.len() <= 300);
        assert!(
            note.starts_with("\n\n*late &amp; &#96;lost&#96; "),
            "{note}"
        );
        assert!(note.ends_with('*'));
    }

    proptest! {
        #[test]
        fn nothing_is_ever_longer_than_the_limit(
            head in "[a-zé* \n`]{0,80}",
            alerts in prop::collection::vec("[a-zé\\[\\]()*_<@>&;` \n\\\\]{0,120}", 0..12),
            tail in "[a-z \n]{0,40}",
            limit in 150_usize..400,
        ) {
            let fitted = fit(&marked(&head, &alerts, &tail), limit);
            prop_assert!(fitted.len() <= limit, "{} > {limit}", fitted.len());
            prop_assert!(!fitted.contains([BEGIN_ALERT, END_ALERTS]));
        }

        #[test]
        fn a_cut_text_is_a_beginning_of_it(
            text in "([a-zé*_`~<>&;!\\[\\]() \n\\\\]|```\n|\\[a\\]\\(https://b\\)){0,80}",
            limit in 20_usize..200,
        ) {
            let cut = cut_text(&text, limit);
            prop_assert!(cut.len() <= limit);
            let without_fence = cut.trim_end_matches(['`', '~']).trim_end();
            prop_assert!(text.starts_with(without_fence));
        }
    }
}
