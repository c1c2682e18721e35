//! A value of an alert is text, wherever a template puts it.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::render::code;
use crate::render::escape::{LINE_BREAK, is_hidden, push_escaped};

const REPLACEMENT: char = '\u{fffd}';

/// Takes a value, and as a second one its latter half.
pub(crate) fn check(input: &[u8]) {
    let Ok(value) = std::str::from_utf8(input) else {
        return;
    };
    is_its_text(value);
    stays_within(value);
    stays_in_span(value);
    let middle = (0..=value.len() / 2).rev();
    let middle = middle.into_iter().find(|at| value.is_char_boundary(*at));
    let (a, b) = value.split_at(middle.unwrap_or_default());
    are_text_side_by_side(a, b);
    stays_in_code_span(a, b);
    stays_in_fence(a, b);
}

pub(crate) fn escaped(value: &str) -> String {
    let mut text = String::new();
    push_escaped(&mut text, value);
    text
}

/// Alone and in the middle of a line it shows what it holds, and is no construct.
pub(crate) fn is_its_text(value: &str) {
    let markdown = escaped(value);
    let seen = normalised(value);
    let none: Vec<String> = Vec::new();
    assert_eq!(
        read(&markdown),
        (seen.clone(), none.clone()),
        "{markdown:?}"
    );
    assert_eq!(
        read(&format!("at a {markdown} line's middle")),
        (format!("at a {seen} line's middle"), none)
    );
    assert!(!markdown.contains('<'), "{markdown:?}");
    let is_stray = |c: char| c.is_control() && c != '\n';
    assert!(!markdown.contains(is_stray), "{markdown:?}");
}

/// Markup around it begins before it and ends behind it.
pub(crate) fn stays_within(value: &str) {
    let markdown = escaped(value);
    if markdown.is_empty() {
        return;
    }
    for (markdown, around) in [
        (format!("**{markdown}**"), 1),
        (format!("*{markdown}*"), 1),
        (format!("- {markdown}"), 2),
        (format!("> {markdown}"), 1),
        (format!("[{markdown}](https://a.b)"), 1),
    ] {
        let (text, constructs) = read(&markdown);
        assert_eq!(constructs.len(), around, "{markdown:?}: {constructs:?}");
        assert_eq!(text, normalised(value), "{markdown:?}");
    }
}

/// A template may put it between backticks of its own.
pub(crate) fn stays_in_span(value: &str) {
    let markdown = escaped(value).replace(LINE_BREAK, " ");
    if markdown.is_empty() {
        return;
    }
    let (_, constructs) = read(&format!("`{markdown}`"));
    assert_eq!(constructs.len(), 1, "{markdown:?}: {constructs:?}");
}

/// No end of the one makes something of the beginning of the other.
pub(crate) fn are_text_side_by_side(a: &str, b: &str) {
    let markdown = format!("{}{}", escaped(a), escaped(b));
    let (text, constructs) = read(&markdown);
    assert_eq!(constructs, Vec::<String>::new(), "{markdown:?}");
    assert_eq!(text, normalised(a) + &normalised(b), "{markdown:?}");
}

/// As a code span it is code, alone, beside another, in a line, a link and a list.
pub(crate) fn stays_in_code_span(value: &str, next: &str) {
    let words: Vec<&str> = value.split_whitespace().collect();
    let seen = visible(&words.join(" "));
    let seen = seen.replace('`', "ˋ").replace("]:", "] :");
    let span = code::span(value);
    let none: Vec<String> = Vec::new();
    let alone = (seen.clone(), String::new(), none.clone());
    assert_eq!(read_code(&span), alone, "{span:?}");
    assert!(!span.contains("<@"), "{span:?}");
    // Side by side the two become one, but never text.
    let both = format!("{span}{}", code::span(next));
    let (_, text, others) = read_code(&both);
    assert_eq!((text, others), (String::new(), none), "{both:?}");
    let in_line = read_code(&format!("at a {span} line's middle"));
    let text = "at a  line's middle".to_owned();
    assert_eq!(in_line, (seen.clone(), text, Vec::new()), "{span:?}");
    let link = read_code(&format!("[{span}](https://a.b)"));
    assert_eq!(link.2.len(), 1, "{span:?}");
    assert_eq!(read_code(&format!("- {span}")).0, seen);
}

/// As a block it is code, and what follows is not.
pub(crate) fn stays_in_fence(value: &str, next: &str) {
    let block = code::fence(value, "sh");
    let (code_of, text, others) = read_code(&block);
    assert_eq!((text, others), (String::new(), Vec::new()), "{block:?}");
    let unbroken = |text: &str| -> String {
        let text = text.split_whitespace().collect::<String>();
        text.replace(REPLACEMENT, "")
    };
    let expected = if block.is_empty() { "" } else { value };
    assert_eq!(
        unbroken(&code_of),
        unbroken(&visible(expected)),
        "{block:?}"
    );
    assert!(!block.contains("<@"), "{block:?}");
    let (_, text, others) = read_code(&format!("text{block}{}- more", code::fence(next, "")));
    assert_eq!(text.replace("- ", ""), "textmore", "{block:?}");
    assert!(others.len() <= 2, "{others:?}");
}

/// What a reader is to see: the normalisation of the documentation of `escape`, written down a
/// second time and with no eye to speed.
fn normalised(value: &str) -> String {
    let breaks = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    let chars: Vec<char> = value.trim().chars().collect();
    let joins = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !is_hidden(*c))
    };
    let mut seen = String::new();
    let mut at = 0;
    while at < chars.len() {
        let space: Vec<char> = chars[at..]
            .iter()
            .copied()
            .take_while(|c| c.is_whitespace())
            .collect();
        if !space.is_empty() {
            let breaks_line = space.iter().any(|c| breaks.contains(c));
            seen.push(if breaks_line { '\n' } else { ' ' });
            at += space.len();
            continue;
        }
        let joiner = matches!(chars[at], '\u{200c}' | '\u{200d}')
            && joins(at.checked_sub(1))
            && joins(Some(at + 1));
        let hidden = is_hidden(chars[at]) && !joiner;
        seen.push(if hidden { REPLACEMENT } else { chars[at] });
        at += 1;
    }
    seen
}

/// What a character becomes in code.
fn visible(text: &str) -> String {
    let visible = |c| if is_hidden(c) { REPLACEMENT } else { c };
    let text: String = text.chars().map(visible).collect();
    text.replace("<@", "< @")
}

/// The text of a Markdown document, and the constructs that it holds besides.
fn read(markdown: &str) -> (String, Vec<String>) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_SUBSCRIPT
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_WIKILINKS;
    let mut text = String::new();
    let mut constructs = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(part) => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak => text.push('\n'),
            Event::Start(Tag::Paragraph) | Event::End(_) => {}
            other => constructs.push(format!("{other:?}")),
        }
    }
    (text, constructs)
}

/// The code of a document, its other text, and its other constructs.
fn read_code(markdown: &str) -> (String, String, Vec<String>) {
    let (mut code, mut text) = (String::new(), String::new());
    let mut others = Vec::new();
    let mut in_block = false;
    let options = Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Code(part) => code.push_str(&part),
            Event::Text(part) if in_block => code.push_str(&part),
            Event::Text(part) => text.push_str(&part),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => in_block = true,
            Event::End(TagEnd::CodeBlock) => in_block = false,
            Event::SoftBreak | Event::HardBreak | Event::Start(Tag::Paragraph) | Event::End(_) => {}
            other => others.push(format!("{other:?}")),
        }
    }
    (code, text, others)
}
