//! Cuts a value to what fits on a phone, before it is escaped.
//!
//! What does not belong here: cutting what is rendered already (`split`).

use std::borrow::Cow;

/// How far back the end of a word is looked for, as part of the length.
const WORD_SHARE: usize = 4;

/// At most `length` characters and `lines` lines that hold something, with `…` after them
/// where something was left out. Ends with a whole word where one ends near.
pub(super) fn brief(text: &str, length: usize, lines: usize) -> Cow<'_, str> {
    let text = text.trim();
    // Most values are short and of one line; bytes are at least as many as characters. 0xe2
    // begins the separators of lines that are not ASCII.
    let breaks = |byte: u8| matches!(byte, b'\n' | b'\r' | 0xe2);
    if text.len() <= length && lines > 0 && !text.bytes().any(breaks) {
        return Cow::Borrowed(text);
    }
    let by_lines = end_of_lines(text, lines);
    let by_length = text
        .char_indices()
        .nth(length)
        .map_or(text.len(), |(end, _)| end);
    let mut end = by_lines.min(by_length);
    if end == text.len() {
        return Cow::Borrowed(text);
    }
    if by_length < by_lines
        && !text[end..].starts_with(char::is_whitespace)
        && let Some(word) = text[..end].rfind(char::is_whitespace)
        && word >= end - end / WORD_SHARE
    {
        end = word;
    }
    Cow::Owned(format!("{}…", text[..end].trim_end()))
}

/// Where the given number of non-blank lines has ended.
fn end_of_lines(text: &str, lines: usize) -> usize {
    let mut end = 0;
    let mut count = 0;
    for line in text.split_inclusive(['\n', '\r', '\u{2028}', '\u{2029}']) {
        if !line.trim().is_empty() {
            count += 1;
            if count > lines {
                return end;
            }
        }
        end += line.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_what_does_not_ends_with_a_word() {
        assert_eq!(brief(" a text ", 6, 1), "a text");
        assert_eq!(brief("one two three four", 15, 9), "one two three…");
        assert_eq!(brief("one two three four", 13, 9), "one two three…");
        assert_eq!(brief("überüberüber", 6, 9), "überüb…");
        assert_eq!(brief("a\n\n\nb\nc", 99, 2), "a\n\n\nb…");
        assert_eq!(brief("a\r\nb", 99, 2), "a\r\nb");
        assert_eq!(brief("", 0, 0), "");
    }
}
