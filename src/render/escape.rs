//! Makes untrusted text visible text: no label or annotation can change the structure of
//! the message it stands in.
//!
//! Tera calls [`escape`] for every value that a `.md` template prints, so it knows nothing
//! of where the value will stand: in the middle of a line or at its start, next to the
//! template's own markup or to another value. It therefore takes each start of a line of
//! the value for the start of a Markdown block, and each of its ends for a place where
//! something may follow.
//!
//! What reaches the reader is the value itself, but for this normalisation:
//! - White space at either end is dropped; elsewhere a run of it becomes one space or, if
//!   it holds a line break, one line break. So there are no blank lines and no indentation,
//!   which would end a paragraph or begin a code block.
//! - Control characters and what is invisible or changes the direction of the text become
//!   U+FFFD (see [`is_hidden`]), so that a trick shows instead of working. The joiners
//!   U+200C and U+200D stay between two non-ASCII characters, where emoji and several
//!   scripts need them.
//!
//! Escaped as little as possible: a backslash only where `CommonMark` could see structure, so
//! that `my_metric_name` and `node-1.example.org:9100` look like themselves in the source
//! too. Backticks become `&#96;`, since a backslash does not disarm them where a template
//! puts a value between backticks of its own.
//!
//! What does not belong here: URLs (`links`), and what `| safe` lets through on purpose.

use std::convert::Infallible;
use std::io::{self, Write};
use std::ops::Range;

/// Stands for a character that must not be passed on.
const REPLACEMENT: &str = "\u{fffd}";

/// A line break within a paragraph, as Webex documents it.
pub(super) const LINE_BREAK: &str = "  \n";

/// Writes a value so that Markdown shows it as text. Has the shape of [`tera::EscapeFn`].
pub(super) fn escape(input: &str, output: &mut dyn Write) -> io::Result<()> {
    pieces(input, |piece| output.write_all(piece.as_bytes()))
}

/// [`escape`] onto the end of a text.
pub(super) fn push_escaped(text: &mut String, input: &str) {
    let Ok(()) = pieces(input, |piece| {
        text.push_str(piece);
        Ok::<(), Infallible>(())
    });
}

/// What becomes of the next part of a value.
enum Step {
    /// It stays as it is, up to here.
    Keep(usize),
    /// It is left out, and this stands for it, so many times.
    Change(Range<usize>, &'static str, usize),
}

/// The escaped value, piece by piece: what needs no change comes in one.
fn pieces<E>(input: &str, mut write: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    let bytes = input.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    let mut line_start = true;
    let mut empty = true;
    while let Some(&byte) = bytes.get(at) {
        if !line_start && (byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/')) {
            at += 1;
            continue;
        }
        // As most of a text: one space between two words.
        if byte == b' ' && !line_start && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) {
            at += 1;
            continue;
        }
        let step = if let Some((end, breaks)) = white_space(input, at) {
            let outside = empty || end == bytes.len();
            line_start |= breaks;
            let with = match (outside, breaks) {
                (true, _) => "",
                (false, true) => LINE_BREAK,
                (false, false) => " ",
            };
            Step::Change(at..end, with, 1)
        } else {
            empty = false;
            let marker = if line_start {
                block_marker(&bytes[at..])
            } else {
                None
            };
            line_start = false;
            match marker {
                // None of the markers is changed anywhere else in a line, so going on with
                // it changes it no second time.
                Some(plain) => Step::Change(at + plain..at + plain, "\\", 1),
                None => inline(input, at),
            }
        };
        at = match step {
            Step::Keep(end) => end,
            Step::Change(range, with, times) => {
                write(&input[copied..range.start])?;
                for _ in 0..times {
                    write(with)?;
                }
                copied = range.end;
                range.end
            }
        };
    }
    write(&input[copied..])
}

/// The end of the white space that begins at `at`, and whether it breaks the line.
fn white_space(input: &str, at: usize) -> Option<(usize, bool)> {
    let first = input.as_bytes()[at];
    if first.is_ascii() && !first.is_ascii_whitespace() && first != 0x0b {
        return None;
    }
    let mut end = at;
    let mut breaks = false;
    for c in input[at..].chars() {
        if !c.is_whitespace() {
            break;
        }
        breaks |= matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        );
        end += c.len_utf8();
    }
    (end > at).then_some((end, breaks))
}

/// Whether a line begins like a Markdown block: how many bytes stay as they are before the
/// backslash that makes it text.
pub(super) fn block_marker(line: &[u8]) -> Option<usize> {
    let word = |at: usize| line.get(at).is_some_and(u8::is_ascii_alphanumeric);
    match line.first()? {
        // Headings, underlines of headings, tables, definitions.
        b'#' | b'=' | b'|' | b':' => Some(0),
        // Lists, rules, underlines and front matter, but a sign before a number is none.
        // `.` and `)` would make a list of a number that stands before the value.
        b'-' | b'+' | b'.' | b')' if !word(1) => Some(0),
        b'0'..=b'9' => {
            let digits = run(line, |byte| byte.is_ascii_digit());
            (matches!(line.get(digits), Some(b'.' | b')')) && !word(digits + 1)).then_some(digits)
        }
        _ => None,
    }
}

/// What becomes of the character, or the run of underscores, in the middle of a line.
fn inline(input: &str, at: usize) -> Step {
    let bytes = input.as_bytes();
    let byte = bytes[at];
    if byte == b'_' {
        let end = at + run(&bytes[at..], |byte| byte == b'_');
        return if inside_word(bytes, at, end) {
            Step::Keep(end)
        } else {
            Step::Change(at..end, "\\_", end - at)
        };
    }
    let end = at + char_at(input, at).map_or(1, char::len_utf8);
    let with = if byte.is_ascii() {
        replacement(byte, bytes.get(end))
    } else {
        is_hidden_at(input, at, end).then_some(REPLACEMENT)
    };
    with.map_or(Step::Keep(end), |with| Step::Change(at..end, with, 1))
}

/// What stands for an ASCII character anywhere in a line.
fn replacement(byte: u8, after: Option<&u8>) -> Option<&'static str> {
    match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'`' => Some("&#96;"),
        b'*' => Some("\\*"),
        b'[' => Some("\\["),
        b']' => Some("\\]"),
        b'~' => Some("\\~"),
        // Before a letter a backslash is itself.
        b'\\' => (!after.is_some_and(u8::is_ascii_alphanumeric)).then_some("\\\\"),
        // Followed by a link of the template's, it would be an image.
        b'!' => after.is_none().then_some("\\!"),
        0..=0x1f | 0x7f => Some(REPLACEMENT),
        _ => None,
    }
}

/// Whether letters or digits stand on both sides: only then can underscores be no emphasis.
fn inside_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    word(start.checked_sub(1).and_then(|at| bytes.get(at))) && word(bytes.get(end))
}

/// How many bytes from the start are alike.
fn run(bytes: &[u8], alike: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| alike(**byte)).count()
}

fn char_at(input: &str, at: usize) -> Option<char> {
    input.get(at..)?.chars().next()
}

pub(super) fn is_hidden_at(input: &str, at: usize, end: usize) -> bool {
    let Some(c) = char_at(input, at) else {
        return false;
    };
    if matches!(c, '\u{200c}' | '\u{200d}') {
        let joins = |c: Option<char>| {
            c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !is_hidden(c))
        };
        return !(joins(input[..at].chars().next_back()) && joins(char_at(input, end)));
    }
    is_hidden(c)
}

/// Whether a character is a control, changes the direction of the text, or takes no room:
/// Unicode's categories Cc and Cf and its default ignorables, but for U+FE0E and U+FE0F,
/// which choose between text and emoji, and the few of Cf that show, such as Arabic number
/// signs.
pub(super) fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::hostile_text;
