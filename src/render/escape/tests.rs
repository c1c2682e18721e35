//! Whatever a value holds, Markdown shows it as text.

use proptest::prelude::*;

use crate::render::fuzzing::escape::{
    are_text_side_by_side, escaped, is_its_text, stays_in_span, stays_within,
};

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
        is_its_text(&input);
    }

    #[test]
    fn a_value_does_not_leave_the_markup_around_it(input in hostile_text()) {
        stays_within(&input);
    }

    #[test]
    fn two_values_side_by_side_are_text_too(a in hostile_text(), b in hostile_text()) {
        are_text_side_by_side(&a, &b);
    }

    #[test]
    fn no_value_leaves_a_code_span(input in hostile_text()) {
        stays_in_span(&input);
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
