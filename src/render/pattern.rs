//! Regular expressions as Go's RE2 reads them, which is what Alertmanager's templates take.
//!
//! The engine is Rust's, which shares RE2's linear time. Its syntax differs in few places,
//! and those are rewritten: `\d`, `\s`, `\w` and `\b` mean ASCII in RE2, `\Q…\E` quotes, and
//! within brackets `[`, `&` and `~` are characters.
//!
//! Sizes are bounded, so no pattern can eat the process, and compiled patterns are kept: a
//! template runs the same few for each alert.
//!
//! What does not belong here: how a template calls this (`filters`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

/// The longest pattern.
const PATTERN_BYTES: usize = 1000;

/// The largest compiled pattern, in bytes. Time is its size times the text's.
const COMPILED_BYTES: usize = 128 * 1024;

/// The longest text that is searched.
const TEXT_BYTES: usize = 64 * 1024;

/// How many compiled patterns are kept.
const KEPT: usize = 64;

/// Why a pattern cannot be used. The texts go on after the name of the filter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum PatternError {
    #[error(
        "was given a pattern that is no regular expression: {0}; in a template's text a backslash is written twice, as in \"\\\\d\""
    )]
    Syntax(String),
    #[error("was given a pattern that is too large; make it simpler, or count less far in `{{…}}`")]
    TooLarge,
    #[error(
        "was given a text of more than 64 KiB; shorten it first, as in `text | truncate_bytes(length=1000)`"
    )]
    LongText,
}

/// Compiled patterns, the latest of them.
#[derive(Debug, Default)]
pub(super) struct Patterns(Mutex<HashMap<String, Regex>>);

impl Patterns {
    /// Whether the pattern is found anywhere in the text.
    pub(super) fn is_match(&self, pattern: &str, text: &str) -> Result<bool, PatternError> {
        if text.len() > TEXT_BYTES {
            return Err(PatternError::LongText);
        }
        Ok(self.compiled(pattern)?.is_match(text))
    }

    /// The text with each match replaced; `$1`, `${1}` and `${name}` stand for groups. `None`
    /// where the result would be longer than `limit`.
    pub(super) fn replace_all(
        &self,
        pattern: &str,
        with: &str,
        text: &str,
        limit: usize,
    ) -> Result<Option<String>, PatternError> {
        if text.len() > TEXT_BYTES {
            return Err(PatternError::LongText);
        }
        let regex = self.compiled(pattern)?;
        let mut result = String::new();
        let mut copied = 0;
        for captures in regex.captures_iter(text) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            result.push_str(&text[copied..whole.start()]);
            captures.expand(with, &mut result);
            copied = whole.end();
            if result.len() > limit {
                return Ok(None);
            }
        }
        result.push_str(&text[copied..]);
        Ok(Some(result))
    }

    fn compiled(&self, pattern: &str) -> Result<Regex, PatternError> {
        if pattern.len() > PATTERN_BYTES {
            return Err(PatternError::TooLarge);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = kept.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = compile(pattern)?;
        if kept.len() >= KEPT {
            // Only a template that makes patterns of labels gets here.
            kept.clear();
        }
        kept.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }
}

fn compile(pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(&translated(pattern))
        .size_limit(COMPILED_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
            other => {
                // The last line of several says what is wrong.
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                PatternError::Syntax(last.trim_start_matches("error: ").to_owned())
            }
        })
}

/// The pattern as Rust's engine must be told it.
fn translated(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let Some(escaped) = after.chars().next() else {
                    text.push('\\');
                    break;
                };
                rest = &after[escaped.len_utf8()..];
                if escaped == 'Q' && !in_class {
                    let (quoted, left) = rest.split_once("\\E").unwrap_or((rest, ""));
                    text.push_str(&regex::escape(quoted));
                    rest = left;
                } else if let Some(class) = ascii_class(escaped, in_class) {
                    text.push_str(class);
                } else {
                    text.push('\\');
                    text.push(escaped);
                }
                continue;
            }
            '[' if in_class => {
                // `[:alpha:]` is a class to both, any other bracket only to Rust.
                if let Some(end) = after.starts_with(':').then(|| after.find(":]")).flatten() {
                    text.push('[');
                    text.push_str(&after[..end + 2]);
                    rest = &after[end + 2..];
                    continue;
                }
                text.push_str("\\[");
            }
            '[' => {
                in_class = true;
                text.push('[');
                let mut inside = after;
                if let Some(negated) = inside.strip_prefix('^') {
                    text.push('^');
                    inside = negated;
                }
                // A bracket that comes first is a character.
                if let Some(bracket) = inside.strip_prefix(']') {
                    text.push_str("\\]");
                    inside = bracket;
                } else if let Some(dash) = inside.strip_prefix('-') {
                    text.push_str("\\-");
                    inside = dash;
                }
                rest = inside;
                continue;
            }
            ']' if in_class => {
                in_class = false;
                text.push(']');
            }
            '&' | '~' if in_class => {
                text.push('\\');
                text.push(c);
            }
            _ => text.push(c),
        }
        rest = after;
    }
    text
}

/// What RE2 means by these letters after a backslash.
fn ascii_class(letter: char, in_class: bool) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => "[\\t\\n\\f\\r ]",
        'S' => "[^\\t\\n\\f\\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'b' if !in_class => "(?-u:\\b)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &str, with: &str, text: &str) -> String {
        let patterns = Patterns::default();
        let result = patterns.replace_all(pattern, with, text, 1000);
        result.unwrap().unwrap()
    }

    #[test]
    fn patterns_mean_what_they_mean_to_re2() {
        // Each of these was tried with Go's regexp.
        for (pattern, text, expected) in [
            ("b", "abc", true),
            ("^b", "abc", false),
            (r"^\d+$", "٣", false),
            (r"\w", "é", false),
            (r"^[\d\s]+$", "1 2", true),
            (r"^[^\d]$", "x", true),
            (r"\bfoo\b", "a foo b", true),
            (r"\Qa.b\E+", "a.bb", true),
            (r"\Qa.b\E+", "axb", false),
            ("^[a[b]+$", "a[b", true),
            ("^[a&&b]+$", "a&b", true),
            ("^[a~~b]+$", "a~b", true),
            ("^[]a]+$", "]a", true),
            ("^[^]a]$", "b", true),
            ("^[--/]+$", "-./", true),
            ("^[[:alpha:]_]+$", "ab_", true),
            (r"^\p{Greek}\pL$", "αb", true),
            ("(?i)^É$", "é", true),
            ("(?s)a.b", "a\nb", true),
            ("a.b", "a\nb", false),
            (r"^\x{41}$", "A", true),
        ] {
            let patterns = Patterns::default();
            assert_eq!(
                patterns.is_match(pattern, text),
                Ok(expected),
                "{pattern} in {text}"
            );
        }
    }

    #[test]
    fn replacements_name_groups_as_go_does() {
        assert_eq!(replaced("(a)(b)", "$2$1", "xabx"), "xbax");
        assert_eq!(replaced("(a)(b)", "${2}x", "ab"), "bx");
        assert_eq!(replaced("(a)(b)", "$2x", "ab"), "");
        assert_eq!(replaced("(?P<n>a)", "<$n$$>", "a"), "<a$>");
        assert_eq!(replaced("x*", "-", "ab"), "-a-b-");
    }

    #[test]
    fn what_is_too_large_is_refused_at_once() {
        let patterns = Patterns::default();
        assert_eq!(
            patterns.is_match("((a{100}){100}){100}", "a"),
            Err(PatternError::TooLarge)
        );
        assert_eq!(
            patterns.is_match(&"a".repeat(1001), "a"),
            Err(PatternError::TooLarge)
        );
        assert_eq!(
            patterns.is_match("a", &"a".repeat(65_537)),
            Err(PatternError::LongText)
        );
        assert_eq!(
            patterns.replace_all("a", "$0$0", &"a".repeat(60_000), 100_000),
            Ok(None)
        );
        let deep = "(".repeat(400) + &")".repeat(400);
        assert!(matches!(
            patterns.is_match(&deep, ""),
            Err(PatternError::Syntax(_))
        ));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        let error = Patterns::default().is_match("a(b", "").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("was given a pattern that is no regular expression: unclosed group")
        );
    }

    #[test]
    fn only_so_many_patterns_are_kept() {
        let patterns = Patterns::default();
        for number in 0..1000 {
            patterns.is_match(&number.to_string(), "").unwrap();
        }
        assert!(patterns.0.lock().unwrap().len() <= KEPT);
    }

    #[test]
    fn a_pattern_that_would_backtrack_takes_linear_time() {
        let text = "a".repeat(20_000);
        assert_eq!(Patterns::default().is_match("(a+)+$b", &text), Ok(false));
    }
}
