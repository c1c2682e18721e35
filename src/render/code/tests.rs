//! Whatever a value holds, it does not leave its code.

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::render::escape::hostile_text;

/// The code of a document, its other text, and its other constructs.
fn read(markdown: &str) -> (String, String, Vec<String>) {
    let (mut code, mut text) = (String::new(), String::new());
    let mut others = Vec::new();
    let mut in_block = false;
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH,
    ) {
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

/// What a character becomes in code.
fn visible(text: &str) -> String {
    let visible = |c| if is_hidden(c) { REPLACEMENT } else { c };
    text.chars()
        .map(visible)
        .collect::<String>()
        .replace("<@", "< @")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_value_leaves_its_span(input in hostile_text(), next in hostile_text()) {
        let words: Vec<&str> = input.split_whitespace().collect();
        let seen = visible(&words.join(" ")).replace('`', "ˋ").replace("]:", "] :");
        let code = span(&input);
        let none: Vec<String> = Vec::new();
        prop_assert_eq!(read(&code), (seen.clone(), String::new(), none.clone()), "{}", code);
        prop_assert!(!code.contains("<@"));
        // Side by side the two become one, but never text.
        let both = format!("{code}{}", span(&next));
        let (_, text, others) = read(&both);
        prop_assert_eq!((text, others), (String::new(), none), "{}", both);
        // In the middle of a line, in a link, in a list.
        let (code_in_line, text, others) = read(&format!("at a {code} line's middle"));
        prop_assert_eq!(code_in_line, seen.clone());
        prop_assert_eq!(text, "at a  line's middle");
        prop_assert!(others.is_empty());
        prop_assert_eq!(read(&format!("[{code}](https://a.b)")).2.len(), 1);
        prop_assert_eq!(read(&format!("- {code}")).0, seen);
    }

    #[test]
    fn no_value_leaves_its_fence(input in hostile_text(), next in hostile_text()) {
        let block = fence(&input, "sh");
        let (code, text, others) = read(&block);
        prop_assert_eq!((text, others), (String::new(), Vec::new()), "{}", block);
        let unbroken: String = code.split_whitespace().collect();
        let expected: String = visible(&input).split_whitespace().collect();
        let expected = if block.is_empty() { String::new() } else { expected };
        prop_assert_eq!(unbroken.replace('\u{fffd}', ""), expected.replace('\u{fffd}', ""));
        prop_assert!(!block.contains("<@"));
        let (_, text, others) = read(&format!("text{block}{}- more", fence(&next, "")));
        prop_assert_eq!(text.replace("- ", ""), "textmore");
        prop_assert!(others.len() <= 2, "{:?}", others);
    }
}

#[test]
fn code_looks_like_what_it_holds() {
    for (text, expected) in [
        ("kubectl get pods", "`kubectl get pods`"),
        ("C:\\temp <b> *x*", "`C:\\temp <b> *x*`"),
        (" a\n b ", "`a b`"),
        ("`a`", "`ˋaˋ`"),
        ("[a]: b", "`[a] : b`"),
        ("<@all>", "`< @all>`"),
        ("a\0\u{202e}b", "`a\u{fffd}\u{fffd}b`"),
        (" \n", ""),
    ] {
        assert_eq!(span(text), expected);
    }
    assert_eq!(fence("a\r\n  b\n", "sh"), "\n```sh\na\n  b\n```\n");
    assert_eq!(fence("```\nx\n````", ""), "\n`````\n```\nx\n````\n`````\n");
    assert_eq!(fence(" \n", ""), "");
    assert!(is_language("c++") && is_language("") && !is_language("a b"));
}
