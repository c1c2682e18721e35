//! Mentions in text: what they look like, and what they become.

use pulldown_cmark::{CowStr, Event};

use super::super::Person;
use super::Rendered;

/// Whom a message mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Mention<'a> {
    /// `<@all>`: everybody in the room.
    All,
    /// `<@personEmail:a@b|Name>`.
    Email(&'a str),
    /// `<@personId:ID|Name>`.
    Id(&'a str),
}

/// Text between two other events. The parser cuts it wherever an escape or an unused
/// delimiter stands, which is in the middle of every mention.
#[derive(Default)]
pub(super) struct Run {
    text: String,
    /// Where a `<` stands that was escaped, so begins no mention.
    escaped: Vec<usize>,
}

impl Run {
    pub(super) fn push(&mut self, text: &str, is_literal: bool) {
        if !is_literal && text.starts_with('<') {
            self.escaped.push(self.text.len());
        }
        self.text.push_str(text);
    }

    pub(super) fn flush(
        &mut self,
        out: &mut Vec<Event<'_>>,
        rendered: &mut Rendered,
        resolve: impl Fn(&Mention<'_>) -> Option<Person>,
    ) {
        let Self { text, escaped } = std::mem::take(self);
        let mut done = 0;
        for (at, _) in text.match_indices("<@") {
            if at < done || escaped.contains(&at) {
                continue;
            }
            let Some((mention, name, end)) = parse_mention(&text[at..]) else {
                continue;
            };
            let Some(html) = mention_html(&mention, name, rendered, &resolve) else {
                continue;
            };
            if at > done {
                out.push(Event::Text(CowStr::from(text[done..at].to_owned())));
            }
            out.push(Event::InlineHtml(CowStr::from(html)));
            done = at + end;
        }
        if done == 0 && !text.is_empty() {
            out.push(Event::Text(CowStr::from(text)));
        } else if done < text.len() {
            out.push(Event::Text(CowStr::from(text[done..].to_owned())));
        }
    }
}

/// Reads a mention at the beginning of `text`: who, the name given, and where it ends.
fn parse_mention(text: &str) -> Option<(Mention<'_>, Option<&str>, usize)> {
    let end = text.find('>')?;
    let inner = text.get(2..end)?;
    let (target, name) = match inner.split_once('|') {
        Some((target, name)) => (target, Some(name)),
        None => (inner, None),
    };
    let mention = if target == "all" {
        Mention::All
    } else if let Some(email) = target.strip_prefix("personEmail:") {
        Mention::Email(email)
    } else {
        Mention::Id(target.strip_prefix("personId:")?)
    };
    Some((mention, name.filter(|name| !name.is_empty()), end + 1))
}

/// The element that stands for a mention, which is noted in `rendered`; nothing where nobody
/// is meant (U: such a mention is shown as written).
fn mention_html(
    mention: &Mention<'_>,
    name: Option<&str>,
    rendered: &mut Rendered,
    resolve: impl Fn(&Mention<'_>) -> Option<Person>,
) -> Option<String> {
    let (attributes, shown) = if *mention == Mention::All {
        note(&mut rendered.groups, "all");
        let attributes = r#"data-object-type="groupMention" data-group-type="all""#.to_owned();
        (attributes, name.unwrap_or("All").to_owned())
    } else {
        let person = resolve(mention)?;
        note(&mut rendered.people, &person.id);
        let id = escape(&person.id);
        (
            format!(r#"data-object-type="person" data-object-id="{id}""#),
            name.map_or(person.name, str::to_owned),
        )
    };
    let shown = escape(&shown);
    Some(format!(
        "<spark-mention {attributes}>{shown}</spark-mention>"
    ))
}

fn note(list: &mut Vec<String>, item: &str) {
    if !list.iter().any(|known| known == item) {
        list.push(item.to_owned());
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(character),
        }
    }
    out
}
