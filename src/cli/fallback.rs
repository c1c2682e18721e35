//! A template that failed, as compilers tell it.

use std::fmt::Write as _;

use crate::render::Fallback;

/// What failed and where, with the line and a mark below what is meant. `whose` says for
/// whom, such as a receiver.
pub(super) fn report(failed: &Fallback, whose: &str) -> String {
    let (reason, hint) = match failed.reason.split_once("; ") {
        Some((reason, hint)) => (reason, hint),
        None => (failed.reason.as_str(), ""),
    };
    let what = if failed.is_card { "card" } else { "template" };
    let mut text = format!("error: {whose}{what} `{}`: {reason}", failed.template);
    if let Some((file, line, column)) = &failed.place {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  --> {file}:{line}:{column}");
    }
    if !failed.excerpt.is_empty() {
        text.push('\n');
        text.push_str(&failed.excerpt);
    }
    if !hint.is_empty() {
        text.push_str("\n  hint: ");
        text.push_str(hint);
    }
    text
}
