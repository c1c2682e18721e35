//! Text within the JSON of a card.
//!
//! What does not belong here: text within Markdown (`escape`).

use std::borrow::Cow;
use std::io::{self, Write};

use super::super::escape::is_hidden_at;

/// Writes a value so that it is text of a JSON string, and no link in the Markdown that cards
/// know. Has the shape of [`tera::EscapeFn`].
///
/// Which escapes the Markdown of cards knows is not documented and differs between clients,
/// so there are none: what could become a link is taken apart, and emphasis changes nothing
/// but looks.
pub(in super::super) fn escape(input: &str, output: &mut dyn Write) -> io::Result<()> {
    let mut copied = 0;
    for (at, c) in input.char_indices() {
        let end = at + c.len_utf8();
        let with = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\t' | '\r' => " ",
            '(' if input[..at].ends_with(']') => " (",
            '@' if input[..at].ends_with('<') => " @",
            _ if is_hidden_at(input, at, end) => "\u{fffd}",
            _ => continue,
        };
        output.write_all(&input.as_bytes()[copied..at])?;
        output.write_all(with.as_bytes())?;
        copied = end;
    }
    output.write_all(&input.as_bytes()[copied..])
}

/// A text as it may stand in a card: no link in its Markdown, nothing hidden.
pub(super) fn plain(input: &str) -> String {
    let mut output = Vec::with_capacity(input.len());
    // Writing to a vector does not fail, and what is written is JSON's text.
    let _ = escape(input, &mut output);
    let escaped = String::from_utf8(output).unwrap_or_default();
    serde_json::from_str(&format!("\"{escaped}\"")).unwrap_or_default()
}

/// JSON without the commas that stand before a closing bracket.
pub(super) fn without_trailing_commas(json: &str) -> Cow<'_, str> {
    let mut dropped = Vec::new();
    let mut comma = None;
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b',' => comma = Some(at),
            b']' | b'}' => dropped.extend(comma.take()),
            _ if byte.is_ascii_whitespace() => {}
            _ => {
                comma = None;
                in_string = byte == b'"';
            }
        }
    }
    if dropped.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut kept = String::with_capacity(json.len());
    let mut from = 0;
    for at in dropped {
        kept.push_str(&json[from..at]);
        from = at + 1;
    }
    kept.push_str(&json[from..]);
    Cow::Owned(kept)
}
