//! Puts calls into a template that count what it does, because Tera cannot be interrupted:
//! behind the beginning of each loop and component, and behind each assignment.
//!
//! The calls show nothing and leave lines as they are; columns behind them are told as the
//! author knows them ([`Guarded::column`]).
//!
//! What does not belong here: what the calls do (`limits`).

use super::limits::{ASSIGNED, STEP};

/// A template with calls.
#[derive(Debug, Clone)]
pub(super) struct Guarded {
    /// What the author wrote.
    pub(super) source: String,
    pub(super) text: String,
    calls: Vec<Call>,
}

#[derive(Debug, Clone)]
struct Call {
    line: usize,
    /// Where it begins in the text with calls, in characters from 0.
    column: usize,
    length: usize,
    /// How long the tag is that it stands behind, and that is told for it; 0 where the tag
    /// takes several lines.
    tag: usize,
}

impl Guarded {
    pub(super) fn new(source: &str) -> Self {
        let mut guard = Writer::default();
        guard.run(source);
        Self {
            source: source.to_owned(),
            text: guard.text,
            calls: guard.calls,
        }
    }

    /// The column in the author's text, from 0.
    pub(super) fn column(&self, line: usize, column: usize) -> usize {
        let mut added = 0;
        for call in self.calls.iter().filter(|call| call.line == line) {
            if column < call.column {
                break;
            }
            if column < call.column + call.length {
                return call.column - added - call.tag;
            }
            added += call.length;
        }
        column - added
    }
}

#[derive(Default)]
struct Writer {
    text: String,
    calls: Vec<Call>,
    /// Names of the assignments that have begun and not ended: `{% set x %}…{% endset %}`.
    open: Vec<String>,
}

impl Writer {
    fn run(&mut self, source: &str) {
        let mut rest = source;
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            self.text.push_str(before);
            let end = match from.as_bytes().get(1) {
                Some(b'#') => from.find("#}").map(|end| end + 2),
                Some(b'{') => end_of(from, "}}"),
                Some(b'%') => self.tag_end(from),
                _ => Some(1),
            };
            // What does not end does not parse either, and Tera has said so.
            let Some(end) = end else {
                self.text.push_str(from);
                return;
            };
            let (tag, after) = from.split_at(end);
            self.text.push_str(tag);
            if tag.starts_with("{%") {
                self.after_tag(tag);
            }
            rest = after;
        }
        self.text.push_str(rest);
    }

    /// Where a tag ends; `raw` with all that it holds.
    #[expect(clippy::unused_self, reason = "reads better beside the other ends")]
    fn tag_end(&self, from: &str) -> Option<usize> {
        let end = end_of(from, "%}")?;
        if words(&from[..end]).next() != Some("raw") {
            return Some(end);
        }
        let mut at = end;
        loop {
            at += from[at..].find("{%")?;
            let close = at + from[at..].find("%}")? + 2;
            if words(&from[at..close]).next() == Some("endraw") {
                return Some(close);
            }
            at += 2;
        }
    }

    fn after_tag(&mut self, tag: &str) {
        let mut words = words(tag);
        match words.next() {
            Some("for" | "component") => self.call(&format!("{STEP}()"), tag),
            Some("set" | "set_global") => {
                let name = words.next().unwrap_or_default().to_owned();
                if tag.contains('=') {
                    self.assigned(&name, tag);
                } else {
                    self.open.push(name);
                }
            }
            Some("endset" | "endset_global") => {
                if let Some(name) = self.open.pop() {
                    self.assigned(&name, tag);
                }
            }
            _ => {}
        }
    }

    fn assigned(&mut self, name: &str, tag: &str) {
        self.call(&format!("{ASSIGNED}(value={name})"), tag);
    }

    fn call(&mut self, call: &str, tag: &str) {
        let trims = tag.ends_with("-%}");
        let line = self.text.matches('\n').count() + 1;
        let start = self.text.rfind('\n').map_or(0, |at| at + 1);
        let column = self.text[start..].chars().count();
        let end = if trims { " -}}" } else { " }}" };
        let call = format!("{{{{ {call}{end}");
        self.calls.push(Call {
            line,
            column,
            length: call.len(),
            tag: if tag.contains('\n') {
                0
            } else {
                tag.chars().count()
            },
        });
        self.text.push_str(&call);
    }
}

/// The words of a tag.
fn words(tag: &str) -> impl Iterator<Item = &str> {
    tag.trim_start_matches("{%")
        .trim_end_matches("%}")
        .trim_matches('-')
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// Where a tag or an expression ends, not looking into texts in quotes.
fn end_of(from: &str, close: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in from.char_indices().skip(2) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if from[at..].starts_with(close) => return Some(at + close.len()),
            Some(_) | None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_stand_behind_loops_components_and_assignments_alone() {
        for (source, expected) in [
            (
                "a {{ b }} {% if c %}d{% endif %}",
                "a {{ b }} {% if c %}d{% endif %}",
            ),
            ("{% for a in b %} x", "{% for a in b %}{{ __step() }} x"),
            (
                "{%- for a in \"%}\" -%} x",
                "{%- for a in \"%}\" -%}{{ __step() -}} x",
            ),
            (
                "{% set x = y %}",
                "{% set x = y %}{{ __assigned(value=x) }}",
            ),
            (
                "{% set x %}{% for a in b %}{% endfor %}{% endset -%}\n",
                "{% set x %}{% for a in b %}{{ __step() }}{% endfor %}{% endset -%}{{ __assigned(value=x) -}}\n",
            ),
            ("{# {% for a in b %} #}", "{# {% for a in b %} #}"),
            (
                "{% raw %}{% for a in b %}{% endraw %}{",
                "{% raw %}{% for a in b %}{% endraw %}{",
            ),
            ("{% component A(b) %}", "{% component A(b) %}{{ __step() }}"),
            ("{% for ", "{% for "),
        ] {
            assert_eq!(Guarded::new(source).text, expected);
        }
    }

    #[test]
    fn columns_are_the_authors() {
        let source = "ü\n{% for a in b %}x{% set y = z %}{{ bad }}";
        let guarded = Guarded::new(source);
        let line = |text: &str| text.lines().nth(1).unwrap().chars().position(|c| c == 'd');
        let written = line(source).unwrap();
        let seen = guarded.text.lines().nth(1).unwrap().find("bad").unwrap() + 2;
        assert_eq!(guarded.column(2, seen), written);
        assert_eq!(guarded.column(2, 3), 3);
        assert_eq!(guarded.column(1, 0), 0);
        let call = guarded.text.find(ASSIGNED).unwrap() - "ü\n".len();
        assert_eq!(
            guarded.column(2, call),
            source.lines().nth(1).unwrap().find("{% set").unwrap()
        );
    }
}
