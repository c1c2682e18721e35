use proptest::prelude::*;

use super::*;

#[test]
fn a_cut_goes_through_no_link_code_escape_entity_or_mention() {
    for (text, limit, expected) in [
        ("some words [link](https://a.b/c) more", 25, "some words"),
        ("some words `code span here` more", 20, "some words"),
        ("some words **bold and on** more", 20, "some words"),
        ("some words <@personEmail:a@b.c> more", 25, "some words"),
        ("some\\\\\\*words", 7, "some\\\\"),
        ("some&lt;words", 6, "some"),
        ("überüberüber", 6, "über"),
        ("```\none\ntwo\nthree\n```", 14, "```\none\n```"),
        ("[one long link](https://a.b/c)", 12, "[one long"),
    ] {
        let cut = cut_text(text, limit);
        assert_eq!(cut, expected);
        assert!(cut.len() <= limit);
    }
}

#[test]
fn a_note_is_text_and_never_too_long() {
    let mut message = "x".repeat(7439);
    append_note(&mut message, &"late & `lost` ".repeat(50), 300, 7439);
    assert!(message.len() <= 7439, "{}", message.len());
    let note = message.trim_start_matches('x');
    assert!(note.len() <= 300);
    assert!(
        note.starts_with("\n\n*late &amp; &#96;lost&#96; "),
        "{note}"
    );
    assert!(note.ends_with('*'));
}

proptest! {
    #[test]
    fn a_cut_text_is_a_beginning_of_it(
        text in "([a-zé*_`~<>&;!\\[\\]() \n\\\\]|```\n|\\[a\\]\\(https://b\\)){0,80}",
        limit in 20_usize..200,
    ) {
        let cut = cut_text(&text, limit);
        prop_assert!(cut.len() <= limit);
        let without_fence = cut.trim_end_matches(['`', '~', '*', '_']).trim_end();
        prop_assert!(text.starts_with(without_fence));
    }
}
