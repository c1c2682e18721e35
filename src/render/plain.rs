//! Markdown as text for people: what is posted when Webex refuses the Markdown.
//!
//! What does not belong here: deciding when that is.

use std::fmt::Write as _;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::MESSAGE_BYTES;
use super::cut::boundary;

/// Ends a text that was too long.
const CUT: &str = "…";

/// Deeper lists are not indented further.
const DEEPEST: usize = 6;

/// Makes readable plain text of Markdown: markup goes, the targets of links stay. Takes at
/// most [`MESSAGE_BYTES`], and pages nobody: `<@` is taken apart, in case Webex looks for
/// mentions in plain text as well.
#[must_use]
pub fn plain_text(markdown: &str) -> String {
    let text = uncut(markdown);
    if text.len() <= MESSAGE_BYTES {
        return text;
    }
    let end = boundary(&text, MESSAGE_BYTES - CUT.len());
    format!("{}{CUT}", &text[..end])
}

/// The same, however long it is.
pub(super) fn uncut(markdown: &str) -> String {
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, Options::empty()) {
        writer.event(event);
    }
    writer.text.trim().replace("<@", "< @")
}

#[derive(Default)]
struct Writer<'a> {
    text: String,
    /// The number of the next item of each open list; `None` where it has none.
    lists: Vec<Option<u64>>,
    /// The targets of the open links.
    targets: Vec<pulldown_cmark::CowStr<'a>>,
}

impl<'a> Writer<'a> {
    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.text.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => self.text.push('\n'),
            Event::Rule => self.block(),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) if self.lists.is_empty() => {
                self.block();
            }
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.block();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.line();
                let depth = self.lists.len().saturating_sub(1).min(DEEPEST);
                self.text.push_str(&"  ".repeat(depth));
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        // Writing to a string does not fail.
                        let _ = write!(self.text, "{number}. ");
                        *number += 1;
                    }
                    _ => self.text.push_str("- "),
                }
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.targets.push(dest_url),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Link | TagEnd::Image => {
                if let Some(target) = self.targets.pop() {
                    let _ = write!(self.text, " ({target})");
                }
            }
            _ => {}
        }
    }

    /// Begins a new line, unless one has begun.
    fn line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Leaves an empty line.
    fn block(&mut self) {
        if !self.text.is_empty() {
            self.line();
            if !self.text.ends_with("\n\n") {
                self.text.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_everything_a_reader_needs_stays() {
        let markdown = "🔴 **2 firing: my\\_alert**  \nRAM &gt; 90 %\n\n- one [Runbook](https://a.b/c)\n- two\n  - inner\n\n1. first\n2. second\n\n> quoted\n\n```\ncode *here*\n```\n\n`span`\n";
        assert_eq!(
            plain_text(markdown),
            "🔴 2 firing: my_alert\nRAM > 90 %\n\n- one Runbook (https://a.b/c)\n- two\n  - inner\n\n1. first\n2. second\n\nquoted\n\ncode *here*\n\nspan"
        );
    }

    #[test]
    fn mentions_page_nobody() {
        assert_eq!(plain_text("&lt;@all&gt; <@all>"), "< @all> < @all>");
    }

    #[test]
    fn it_stays_within_the_limit_at_a_character_boundary() {
        let text = plain_text(&"ü".repeat(5000));
        assert!(text.len() <= MESSAGE_BYTES);
        assert!(text.ends_with("ü…"));
    }
}
