//! Names that a receiver may have to do with: one name, or all that begin alike.

use std::fmt;

/// A name, or the beginning of names: `team-a`, `team-a-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    is_beginning: bool,
}

impl Pattern {
    /// Reads what was written. `None` where a `*` stands elsewhere than at the end, and for
    /// what no name holds: nothing at all, blanks, control characters.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let (text, is_beginning) = match written.strip_suffix('*') {
            Some(beginning) => (beginning, true),
            None => (written, false),
        };
        let strange = |c: char| c == '*' || c.is_whitespace() || c.is_control();
        let sound = !written.is_empty() && !text.contains(strange);
        sound.then(|| Self {
            text: text.into(),
            is_beginning,
        })
    }

    /// Whether it means this name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.is_beginning {
            name.starts_with(&*self.text)
        } else {
            name == &*self.text
        }
    }

    /// Whether it means several names.
    #[must_use]
    pub const fn is_beginning(&self) -> bool {
        self.is_beginning
    }

    /// The name, or what the names begin with.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.is_beginning { "*" } else { "" };
        write!(f, "{}{star}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_one_name_or_all_that_begin_alike() {
        for (pattern, name, matches) in [
            ("team-a", "team-a", true),
            ("team-a", "team-a-dev", false),
            ("team-a", "Team-A", false),
            ("team-a-*", "team-a-dev", true),
            ("team-a-*", "team-a", false),
            ("team-a-*", "team-ab", false),
            ("*", "anything", true),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(name), matches, "{pattern} {name}");
            assert_eq!(parsed.to_string(), pattern);
        }
        for wrong in ["", "a*b", "**", "*a", " a", "a b", "a\n"] {
            assert_eq!(Pattern::parse(wrong), None, "{wrong:?}");
        }
    }
}
