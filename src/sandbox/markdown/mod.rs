//! From Webex's Markdown to `html`, to tag-stripped `text`, and to what the page may show.
//!
//! Webex derives `html` and `text` where only `markdown` was sent (docs/facts/webex-api.md §1, B); the
//! exact output is not documented, so this is plain Markdown (`CommonMark`) with what §6 names. Unverified (U):
//! how escapes and entities count in mentions, and that a mention in code is none.
//!
//! Sanitising costs more than rendering, so it is done for the API only where the source
//! holds raw HTML or an unusual link; the page always gets sanitised HTML (`for_page`).

mod mention;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::Builder;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

use super::Person;
pub(super) use mention::Mention;
use mention::Run;
use text::strip_tags;

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
