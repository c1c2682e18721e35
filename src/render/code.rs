//! Values as code: a span within a line, or a block. Code shows what it holds to the letter,
//! escapes as well, so what must not stand there is changed instead:
//!
//! - Control characters and what is invisible or changes the direction of the text become
//!   U+FFFD, as in text (`escape`).
//! - `<@` becomes `< @`: whether Webex looks for mentions in code is not documented.
//! - In a span, `]:` becomes `] :`. Where a template puts the span into a link's text, the
//!   line would be the definition of a reference, which shows nothing at all.
//! - In a span, a backtick becomes `ˋ` and a run of white space one space. A longer pair of
//!   backticks around it would do alone, but not next to another span.
//!
//! What does not belong here: text outside of code (`escape`).

use super::escape::is_hidden;

/// Stands for a character that must not be passed on.
const REPLACEMENT: char = '\u{fffd}';

/// Looks like a backtick.
const BACKTICK: char = 'ˋ';

/// The longest name of a language.
const LANGUAGE_BYTES: usize = 20;

/// A code span; nothing where there is nothing to show.
pub(super) fn span(text: &str) -> String {
    let mut span = String::with_capacity(text.len() + 2);
    for word in text.split_whitespace() {
        span.push(if span.is_empty() { '`' } else { ' ' });
        for c in word.chars() {
            if c == ':' && span.ends_with(']') {
                span.push(' ');
            }
            push(&mut span, if c == '`' { BACKTICK } else { c });
        }
    }
    if !span.is_empty() {
        span.push('`');
    }
    span
}

/// A code block on lines of its own; nothing where there is nothing to show.
pub(super) fn fence(text: &str, language: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let mut block = String::with_capacity(text.len() + 2 * fence.len() + 4);
    block.push('\n');
    block.push_str(&fence);
    block.push_str(language);
    block.push('\n');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                block.push('\n');
            }
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => block.push('\n'),
            '\t' => block.push('\t'),
            _ => push(&mut block, c),
        }
    }
    block.push('\n');
    block.push_str(&fence);
    block.push('\n');
    block
}

/// Whether this can stand behind the backticks that begin a block.
pub(super) fn is_language(name: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"_+-".contains(&b);
    name.len() <= LANGUAGE_BYTES && name.bytes().all(sound)
}

fn push(code: &mut String, c: char) {
    if c == '@' && code.ends_with('<') {
        code.push(' ');
    }
    code.push(if is_hidden(c) { REPLACEMENT } else { c });
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
