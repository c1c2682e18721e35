//! Whatever a value holds, it does not leave its code.

use proptest::prelude::*;

use super::*;
use crate::render::escape::hostile_text;
use crate::render::fuzzing::escape::{stays_in_code_span, stays_in_fence};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_value_leaves_its_span(input in hostile_text(), next in hostile_text()) {
        stays_in_code_span(&input, &next);
    }

    #[test]
    fn no_value_leaves_its_fence(input in hostile_text(), next in hostile_text()) {
        stays_in_fence(&input, &next);
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
