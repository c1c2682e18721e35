//! One line of the log: for people or for machines, and always one.
//!
//! Whatever a value holds, a line has no line breaks, no control characters, and nothing that
//! turns the direction of writing: alert data is untrusted, and somebody reads this in a
//! terminal.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: `time LEVEL sentence key=value …`.
    Text {
        /// Whether levels have colours.
        colours: bool,
    },
    /// For machines: an object a line.
    Json,
}

/// The parts of a line, as they are collected.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The sentence, escaped.
    pub(super) sentence: String,
    /// The fields, each with what separates it from the one before.
    pub(super) fields: String,
    /// What was written last.
    line: String,
    clock: Clock,
}

/// The time as a line has it. Of most lines only the part of the second is another one than
/// that of the line before.
#[derive(Debug, Default)]
struct Clock {
    second: i64,
    /// That second, without its end: `2026-01-01T00:00:00`.
    text: String,
}

impl Clock {
    /// Adds a time, with microseconds.
    fn write(&mut self, line: &mut String, now: jiff::Timestamp) {
        let second = now.as_second();
        if self.second != second || self.text.is_empty() {
            self.second = second;
            self.text.clear();
            let _ = write!(self.text, "{now:.0}");
            self.text.truncate("2026-01-01T00:00:00".len());
        }
        line.push_str(&self.text);
        let _ = write!(line, ".{:06}Z", now.subsec_microsecond());
    }
}

impl Parts {
    /// Forgets all but the memory that it has.
    pub(super) fn clear(&mut self) {
        self.sentence.clear();
        self.fields.clear();
    }

    /// The whole line, with its end.
    pub(super) fn line(&mut self, format: Format, level: tracing::Level, context: &str) -> &str {
        let Self {
            sentence,
            fields,
            line,
            clock,
        } = self;
        line.clear();
        match format {
            Format::Text { colours: false } => {}
            Format::Text { colours: true } => line.push_str("\u{1b}[2m"),
            Format::Json => line.push_str("{\"timestamp\":\""),
        }
        clock.write(line, jiff::Timestamp::now());
        // Writing to a string does not fail.
        let _ = match format {
            Format::Text { colours: false } => {
                line.extend([padded(level), sentence, fields, context]);
                Ok(())
            }
            Format::Text { colours: true } => {
                let colour = match level {
                    tracing::Level::ERROR => 31,
                    tracing::Level::WARN => 33,
                    tracing::Level::INFO => 32,
                    _ => 34,
                };
                write!(
                    line,
                    "\u{1b}[0m \u{1b}[{colour}m{level:>5}\u{1b}[0m \
                     {sentence}\u{1b}[2m{fields}{context}\u{1b}[0m"
                )
            }
            Format::Json => {
                let level = level.as_str();
                line.extend(["\",\"level\":\"", level, "\",\"message\":\"", sentence]);
                line.extend(["\"", fields, context, "}"]);
                Ok(())
            }
        };
        line.push('\n');
        line
    }
}

/// A level between the time and the sentence.
fn padded(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => " ERROR ",
        tracing::Level::WARN => "  WARN ",
        tracing::Level::INFO => "  INFO ",
        tracing::Level::DEBUG => " DEBUG ",
        tracing::Level::TRACE => " TRACE ",
    }
}

/// Collects a sentence and fields.
pub(super) struct Collector<'a> {
    pub(super) format: Format,
    pub(super) sentence: &'a mut String,
    pub(super) fields: &'a mut String,
}

impl Collector<'_> {
    /// A value, as `write` writes it.
    fn value(&mut self, name: &str, write: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) {
        let json = self.format == Format::Json;
        // Writing to a string does not fail; a value may, and is told as far as it goes.
        if name == "message" {
            let _ = write(&mut escaped(self.sentence, json));
            return;
        }
        self.name(name);
        if json {
            self.fields.push('"');
            let _ = write(&mut escaped(self.fields, true));
            self.fields.push('"');
        } else {
            let start = self.fields.len();
            let _ = write(&mut escaped(self.fields, false));
            quote(self.fields, start);
        }
    }

    /// A number or a truth, which needs no quotes.
    fn bare(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        let _ = write!(self.fields, "{value}");
    }

    /// The name of a field, and what separates it from the field before and from its value.
    fn name(&mut self, name: &str) {
        let (before, after) = match self.format {
            Format::Json => (",\"", "\":"),
            Format::Text { .. } => (" ", "="),
        };
        self.fields.extend([before, name, after]);
    }
}

impl Visit for Collector<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // Times in seconds: nobody needs more than milliseconds of them. JSON has no infinity.
        if value.is_finite() {
            self.bare(field.name(), (value * 1000.0).round() / 1000.0);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field.name(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.bare(field.name(), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.bare(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.value(field.name(), |to| to.write_str(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.value(field.name(), |to| write!(to, "{value:?}"));
    }
}

/// Adds a number as a field, as a [`Collector`] does.
pub(super) fn number(format: Format, fields: &mut String, name: &str, value: u64) {
    let sentence = &mut String::new();
    Collector {
        format,
        sentence,
        fields,
    }
    .bare(name, value);
}

/// Puts a value into quotes where it could be taken for several.
fn quote(fields: &mut String, start: usize) {
    let value = &fields.as_bytes()[start..];
    let parts = |byte: &u8| matches!(byte, b' ' | b'"' | b'=');
    if !value.is_empty() && !value.iter().any(parts) {
        return;
    }
    let value = fields.split_off(start);
    fields.push('"');
    let mut pieces = value.split('"');
    fields.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        fields.extend(["\\\"", piece]);
    }
    fields.push('"');
}

fn escaped(to: &mut String, json: bool) -> Escaped<'_> {
    Escaped { to, json }
}

/// Writes what a terminal or a parser could take for something else so that none can.
struct Escaped<'a> {
    to: &'a mut String,
    json: bool,
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Nearly everything is plain, and seen to be so without looking at characters.
        let is_plain = |byte: u8| {
            (b' '..=b'~').contains(&byte) && !(self.json && matches!(byte, b'"' | b'\\'))
        };
        if text.bytes().all(is_plain) {
            self.to.push_str(text);
            return Ok(());
        }
        let mut rest = text;
        let is_special = |c: char| is_control(c) || (self.json && (c == '"' || c == '\\'));
        while let Some(at) = rest.find(is_special) {
            self.to.push_str(&rest[..at]);
            let mut chars = rest[at..].chars();
            match chars.next() {
                Some('\n') => self.to.push_str("\\n"),
                Some('\t') => self.to.push_str("\\t"),
                Some('\r') => self.to.push_str("\\r"),
                Some(c @ ('"' | '\\')) => {
                    self.to.push('\\');
                    self.to.push(c);
                }
                // All of them are below U+10000.
                Some(c) if self.json => write!(self.to, "\\u{:04x}", u32::from(c))?,
                Some(c) => write!(self.to, "{}", c.escape_unicode())?,
                None => {}
            }
            rest = chars.as_str();
        }
        self.to.push_str(rest);
        Ok(())
    }
}

/// Characters that end a line, that a terminal obeys, or that turn the direction of writing.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, json: bool) -> String {
        let mut to = String::new();
        write!(escaped(&mut to, json), "{text}").unwrap();
        to
    }

    #[test]
    fn a_value_ends_no_line_and_moves_no_cursor() {
        let hostile = "a\nb\r\t\u{1b}[31m\u{9b}1m\u{202e}\u{61c}\u{2028}ä";
        assert_eq!(
            written(hostile, false),
            r"a\nb\r\t\u{1b}[31m\u{9b}1m\u{202e}\u{61c}\u{2028}ä"
        );
        let json = written(hostile, true);
        assert_eq!(json, r"a\nb\r\t\u001b[31m\u009b1m\u202e\u061c\u2028ä");
        let read: String = serde_json::from_str(&format!("\"{json}\"")).unwrap();
        assert_eq!(read, hostile);
    }

    #[test]
    fn a_time_is_that_of_the_line_and_not_of_the_one_before() {
        let mut clock = Clock::default();
        for (seconds, nanoseconds, expected) in [
            (1_767_225_600, 123_456_789, "2026-01-01T00:00:00.123456Z"),
            (1_767_225_600, 999_999_999, "2026-01-01T00:00:00.999999Z"),
            (1_767_225_601, 1_000, "2026-01-01T00:00:01.000001Z"),
            (1_767_225_600, 0, "2026-01-01T00:00:00.000000Z"),
        ] {
            let mut line = String::new();
            let now = jiff::Timestamp::new(seconds, nanoseconds).unwrap();
            clock.write(&mut line, now);
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn json_is_read_as_it_was_meant() {
        let text = r#"quotes " and \ backslashes"#;
        let read: String = serde_json::from_str(&format!("\"{}\"", written(text, true))).unwrap();
        assert_eq!(read, text);
    }

    #[test]
    fn a_value_with_blanks_is_quoted() {
        for (value, expected) in [
            ("ops", "ops"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a=\"b\"", r#""a=\"b\"""#),
        ] {
            let mut fields = value.to_owned();
            quote(&mut fields, 0);
            assert_eq!(fields, expected);
        }
    }
}
