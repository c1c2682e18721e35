//! From Webex's Markdown to `html`, to tag-stripped `text`, and to what the page may show.
//!
//! Webex derives `html` and `text` where only `markdown` was sent (docs/facts/webex-api.md §1, B); the
//! exact output is not documented, so this is plain Markdown (`CommonMark`) with what §6 names. Unverified (U):
//! how escapes and entities count in mentions, and that a mention in code is none.
//!
//! Sanitising costs more than rendering, so it is done for the API only where the source
//! holds raw HTML or an unusual link; the page always gets sanitised HTML (`for_page`).

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use ammonia::Builder;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::Person;

/// Whom a message mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mention<'a> {
    /// `<@all>`: everybody in the room.
    All,
    /// `<@personEmail:a@b|Name>`.
    Email(&'a str),
    /// `<@personId:ID|Name>`.
    Id(&'a str),
}

/// What a message's Markdown became.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rendered {
    pub(super) html: String,
    pub(super) text: String,
    /// Ids of the people who are mentioned, each once.
    pub(super) people: Vec<String>,
    /// Groups that are mentioned: `all`, or nothing.
    pub(super) groups: Vec<String>,
}

/// What Webex is known to keep of HTML (docs/facts/webex-api.md §6), and nothing that could run.
static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from([
            "a",
            "b",
            "blockquote",
            "br",
            "code",
            "em",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "i",
            "li",
            "ol",
            "p",
            "pre",
            "spark-mention",
            "strong",
            "u",
            "ul",
        ]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("ol", HashSet::from(["start"])),
            (
                "spark-mention",
                HashSet::from(["data-object-type", "data-object-id", "data-group-type"]),
            ),
        ]))
        .allowed_classes(HashMap::from([(
            "blockquote",
            HashSet::from(["success", "info", "warning", "danger"]),
        )]))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .url_schemes(HashSet::from([
            "http",
            "https",
            "mailto",
            "tel",
            "webexteams",
        ]))
        .link_rel(None);
    builder
});

/// Renders `markdown`; `resolve` says who a mention is, if anybody.
pub(super) fn render(markdown: &str, resolve: impl Fn(&Mention<'_>) -> Option<Person>) -> Rendered {
    let mut rendered = Rendered::default();
    let mut out = Vec::new();
    let mut run = Run::default();
    let mut is_unsafe = false;
    let mut in_code = false;
    // Extensions stay off: Webex knows no tables (C), and strike-through is a single claim (D).
    for (event, range) in Parser::new_ext(markdown, Options::empty()).into_offset_iter() {
        if let Event::Text(text) = &event
            && !in_code
        {
            let before = &markdown[..range.start];
            let backslashes = before.len() - before.trim_end_matches('\\').len();
            let is_verbatim = markdown.get(range).is_some_and(|source| *source == **text);
            run.push(text, is_verbatim && backslashes.is_multiple_of(2));
            continue;
        }
        run.flush(&mut out, &mut rendered, &resolve);
        match &event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Html(_) | Event::InlineHtml(_) => is_unsafe = true,
            Event::Start(Tag::Link { dest_url, .. }) => {
                is_unsafe |= !(dest_url.starts_with("http://") || dest_url.starts_with("https://"));
            }
            // Webex's Markdown has no images, and the page loads nothing from other hosts:
            // what remains is the description.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => continue,
            _ => {}
        }
        out.push(event);
    }
    run.flush(&mut out, &mut rendered, &resolve);

    html::push_html(&mut rendered.html, out.into_iter());
    rendered.html.truncate(rendered.html.trim_end().len());
    if is_unsafe {
        rendered.html = for_page(&rendered.html);
    }
    rendered.text = strip_tags(&rendered.html);
    rendered
}

/// HTML that may stand in a page.
pub(super) fn for_page(html: &str) -> String {
    SANITISER.clean(html).to_string()
}

/// Text between two other events. The parser cuts it wherever an escape or an unused
/// delimiter stands, which is in the middle of every mention.
#[derive(Default)]
struct Run {
    text: String,
    /// Where a `<` stands that was escaped, so begins no mention.
    escaped: Vec<usize>,
}

impl Run {
    fn push(&mut self, text: &str, is_literal: bool) {
        if !is_literal && text.starts_with('<') {
            self.escaped.push(self.text.len());
        }
        self.text.push_str(text);
    }

    fn flush(
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

/// What is left of our own, well-formed `html` without its tags, entities resolved.
fn strip_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let close = if rest.starts_with('<') { '>' } else { ';' };
        let Some(end) = rest.find(close) else { break };
        let token = &rest[..=end];
        match token {
            "&lt;" => text.push('<'),
            "&gt;" => text.push('>'),
            "&amp;" => text.push('&'),
            "&quot;" => text.push('"'),
            "&#39;" => text.push('\''),
            "&nbsp;" => text.push('\u{a0}'),
            // The renderer ends a line after a break itself; the sanitiser may not.
            "<br>" | "<br />" if !rest[end + 1..].starts_with('\n') => text.push('\n'),
            _ => {}
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    let mut lines = String::with_capacity(text.len());
    for line in text.trim().lines() {
        // Blocks inside blocks leave more than one empty line behind.
        if !(line.trim().is_empty() && lines.ends_with("\n\n")) {
            let _ = writeln!(lines, "{}", line.trim_end());
        }
    }
    lines.truncate(lines.trim_end().len());
    lines
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn rendered(markdown: &str) -> Rendered {
        render(markdown, |mention| {
            let (id, name) = match mention {
                Mention::Email("anna_b@example.org") => ("anna-id", "Anna"),
                Mention::Id("some-id") => ("some-id", "Somebody"),
                _ => return None,
            };
            Some(Person {
                id: id.to_owned(),
                email: String::new(),
                name: name.to_owned(),
            })
        })
    }

    #[rstest]
    #[case("plain", "<p>plain</p>", "plain")]
    #[case(
        "**b** *i* `c`",
        "<p><strong>b</strong> <em>i</em> <code>c</code></p>",
        "b i c"
    )]
    #[case("a & b \\<c>", "<p>a &amp; b &lt;c&gt;</p>", "a & b <c>")]
    #[case("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>", "one\ntwo")]
    #[case("# h\n\ntext", "<h1>h</h1>\n<p>text</p>", "h\ntext")]
    #[case("a  \nb", "<p>a<br />\nb</p>", "a\nb")]
    #[case(
        "[t](https://a.test/?x=1&y)",
        "<p><a href=\"https://a.test/?x=1&amp;y\">t</a></p>",
        "t"
    )]
    #[case("```\n<@all>\n```", "<pre><code>&lt;@all&gt;\n</code></pre>", "<@all>")]
    #[case("![alt](https://a.test/i.png)", "<p>alt</p>", "alt")]
    #[case(
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "<p>| a | b |\n|---|---|\n| 1 | 2 |</p>",
        "| a | b |\n|---|---|\n| 1 | 2 |"
    )]
    #[case("a<br>x", "<p>a<br>x</p>", "a\nx")]
    fn markdown_becomes_html_and_text(
        #[case] markdown: &str,
        #[case] html: &str,
        #[case] text: &str,
    ) {
        let rendered = rendered(markdown);
        assert_eq!(
            (rendered.html.as_str(), rendered.text.as_str()),
            (html, text)
        );
    }

    #[rstest]
    #[case(
        "<blockquote class=\"danger\">Down</blockquote>",
        "<blockquote class=\"danger\">Down</blockquote>"
    )]
    #[case(
        "<blockquote class=\"evil\">x</blockquote>",
        "<blockquote class=\"\">x</blockquote>"
    )]
    #[case("<img src=x onerror=alert(1)>", "")]
    #[case("<a href=\"javascript:x\">t</a>", "<p><a>t</a></p>")]
    #[case("[t](javascript:alert)", "<p><a>t</a></p>")]
    #[case("[t](data:text/html,x)", "<p><a>t</a></p>")]
    #[case("<script>alert(1)</script>", "")]
    fn html_is_kept_only_where_it_is_harmless(#[case] markdown: &str, #[case] html: &str) {
        assert_eq!(rendered(markdown).html, html);
    }

    #[test]
    fn a_mention_becomes_an_element_and_is_noted_once() {
        let rendered = rendered(
            "hi <@all> <@personEmail:anna_b@example.org|A<b> & co> \
             <@personEmail:anna_b@example.org> **<@personId:some-id>**",
        );
        assert_eq!(rendered.people, ["anna-id", "some-id"]);
        assert_eq!(rendered.groups, ["all"]);
        assert!(rendered.html.contains(
            "<spark-mention data-object-type=\"person\" data-object-id=\"anna-id\">Anna</spark-mention>"
        ));
        assert!(rendered.text.starts_with("hi All "), "{}", rendered.text);
        assert!(for_page(&rendered.html).contains("data-object-id=\"anna-id\""));
    }

    #[rstest]
    #[case("\\<@all>")]
    #[case("\\\\\\<@all>")]
    #[case("&lt;@all>")]
    #[case("`<@all>`")]
    #[case("    <@all>")]
    #[case("<@ all>")]
    #[case("<@personEmail:nobody@example.org>")]
    fn what_is_escaped_or_code_or_nobody_mentions_nobody(#[case] markdown: &str) {
        let rendered = rendered(markdown);
        assert_eq!((rendered.people.len(), rendered.groups.len()), (0, 0));
        assert!(
            rendered.text.contains('@'),
            "it is shown as written: {}",
            rendered.text
        );
    }

    #[test]
    fn an_escaped_backslash_escapes_no_mention() {
        assert_eq!(rendered("\\\\<@all>").groups, ["all"]);
    }
}
