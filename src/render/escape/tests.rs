//! Whatever a value holds, Markdown shows it as text.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;

const LINE_FEED: char = '\n';

fn escaped(input: &str) -> String {
    let mut text = String::new();
    push_escaped(&mut text, input);
    text
}

/// What a reader is to see: the normalisation of the module's documentation, written
/// down a second time and with no eye to speed.
fn normalised(input: &str) -> String {
    let breaks = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    let chars: Vec<char> = input.trim().chars().collect();
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
            seen.push(if space.iter().any(|c| breaks.contains(c)) {
                '\n'
            } else {
                ' '
            });
            at += space.len();
            continue;
        }
        let joiner = matches!(chars[at], '\u{200c}' | '\u{200d}')
            && joins(at.checked_sub(1))
            && joins(Some(at + 1));
        let hidden = is_hidden(chars[at]) && !joiner;
        seen.push(if hidden { '\u{fffd}' } else { chars[at] });
        at += 1;
    }
    seen
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

/// Text made of what Markdown, HTML and Webex could take for markup.
pub(in crate::render) fn hostile_text() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "<@all>",
        "<",
        ">",
        "&",
        "&lt;",
        "&#60;",
        ";",
        "*",
        "**",
        "_",
        "__",
        "`",
        "```",
        "~",
        "~~~",
        "[",
        "]",
        "](",
        "(",
        ")",
        "!",
        "![",
        "#",
        "# ",
        "-",
        "- ",
        "--",
        "+",
        "=",
        "|",
        "|-|",
        ":",
        ":-",
        ": ",
        "1.",
        "1)",
        "12. ",
        ".",
        "\\",
        "\\\n",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        " ",
        "  ",
        "    ",
        "\t",
        "\u{a0}",
        "\u{85}",
        "\u{2028}",
        "\0",
        "\u{1e}",
        "\u{7f}",
        "\u{200b}",
        "\u{202e}",
        "\u{feff}",
        "\u{200d}",
        "👩",
        "é",
        "a",
        "b",
        "0",
        "x_y",
        "http://a.b",
        "www.a.b",
        "[x]: /y",
        "[^1]",
        "[[w]]",
        "<b>",
        "</b>",
        "<!--",
        "---",
        "===",
        "+++",
        "^",
        "$",
        "\"",
        "'",
        "{",
        "}",
        "%",
        "/",
        "@",
    ]);
    prop_oneof![
        prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat()),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_value_is_ever_more_than_its_text(input in hostile_text()) {
        let value = escaped(&input);
        let seen = normalised(&input);
        let none: Vec<String> = Vec::new();

        prop_assert_eq!(read(&value), (seen.clone(), none.clone()));
        prop_assert_eq!(
            read(&format!("at a {value} line's middle")),
            (format!("at a {seen} line's middle"), none)
        );
        prop_assert!(!value.contains('<'));
        prop_assert!(!value.chars().any(|c| c.is_control() && c != LINE_FEED));
    }

    #[test]
    fn a_value_does_not_leave_the_markup_around_it(input in hostile_text()) {
        let value = escaped(&input);
        prop_assume!(!value.is_empty());
        for (markdown, around) in [
            (format!("**{value}**"), 1),
            (format!("*{value}*"), 1),
            (format!("- {value}"), 2),
            (format!("> {value}"), 1),
            (format!("[{value}](https://a.b)"), 1),
        ] {
            let (text, constructs) = read(&markdown);
            prop_assert_eq!(constructs.len(), around, "{}: {:?}", markdown, constructs);
            prop_assert_eq!(text, normalised(&input), "{}", markdown);
        }
    }

    #[test]
    fn two_values_side_by_side_are_text_too(a in hostile_text(), b in hostile_text()) {
        let (text, constructs) = read(&format!("{}{}", escaped(&a), escaped(&b)));
        prop_assert_eq!(constructs, Vec::<String>::new());
        prop_assert_eq!(text, normalised(&a) + &normalised(&b));
    }

    #[test]
    fn no_value_leaves_a_code_span(input in hostile_text()) {
        let value = escaped(&input).replace(LINE_BREAK, " ");
        prop_assume!(!value.is_empty());
        let (_, constructs) = read(&format!("`{value}`"));
        prop_assert_eq!(constructs.len(), 1, "{:?}", constructs);
    }
}

#[test]
fn what_operators_read_every_day_looks_like_itself() {
    for plain in [
        "my_metric_name",
        "node-1.example.org:9100",
        "/var/lib/kubelet/pods",
        "rate(http_requests_total{code=\"500\"}) is 3.5 %",
        "C:\\Windows\\System32",
        "-5 °C",
        "10.0.0.1 is down!?",
        "⚠️ Überlast",
        "👩‍💻",
    ] {
        assert_eq!(escaped(plain), plain);
    }
}

#[test]
fn what_markdown_could_take_for_markup_is_escaped() {
    for (value, expected) in [
        ("<@all>", "&lt;@all&gt;"),
        ("a & b", "a &amp; b"),
        ("**bold** _it_", "\\*\\*bold\\*\\* \\_it\\_"),
        ("`x`", "&#96;x&#96;"),
        ("# x", "\\# x"),
        ("1. x", "1\\. x"),
        ("a\n\n   - b", "a  \n\\- b"),
        ("Stop!", "Stop\\!"),
        ("\\", "\\\\"),
        ("a\u{202e}b\0", "a\u{fffd}b\u{fffd}"),
        (" \u{a0}a \t b ", "a b"),
    ] {
        assert_eq!(escaped(value), expected, "{value:?}");
    }
}

#[test]
fn long_values_take_linear_time() {
    for part in ["_", "*", "\n", " ", "<", "é", "\u{200d}", "1", "a_"] {
        let value = part.repeat(400_000);
        assert!(escaped(&value).len() <= value.len() * 5);
    }
}
