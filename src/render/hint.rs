//! What Tera says of a failed template, with what to do about it. It stands in the room, below
//! the message that fell back, and in `check`.
//!
//! What does not belong here: how it is put into the message (`fallback`).

use std::borrow::Cow;

/// How alike a name must be to be the one that was meant.
const LIKENESS: f64 = 0.8;

/// Tera's message, without the list of all that there is, and with a remedy.
pub(super) fn explained(message: &str) -> Cow<'_, str> {
    let (what, known) = message
        .split_once(". Available ")
        .unwrap_or((message.trim_end_matches('.'), ""));
    let known = known.split_once(": ").map_or("", |(_, known)| known);
    let name = what.split('`').nth(1).unwrap_or_default();
    let near = known
        .split(", ")
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    if !what.ends_with("is not defined") {
        return if what.starts_with("Tried to render a variable that is undefined") {
            "what is printed here is missing; write `… or \"\"` where it may be".into()
        } else {
            what.into()
        };
    }
    match near {
        Some((_, near)) => format!("{what}; did you mean `{near}`?").into(),
        None if what.starts_with("Field") => {
            format!("`{name}` is missing; write `….{name} or \"\"` where it may be").into()
        }
        None => what.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_is_told_with_a_remedy() {
        for (message, expected) in [
            (
                "Field `team` is not defined. Available fields: alertname, job",
                "`team` is missing; write `….team or \"\"` where it may be",
            ),
            (
                "Field `team` is not defined.",
                "`team` is missing; write `….team or \"\"` where it may be",
            ),
            (
                "Field `anotations` is not defined. Available fields: annotations, labels",
                "Field `anotations` is not defined; did you mean `annotations`?",
            ),
            (
                "Variable `sumary` is not defined. Available variables: alerts, now",
                "Variable `sumary` is not defined",
            ),
            (
                "Tried to render a variable that is undefined",
                "what is printed here is missing; write `… or \"\"` where it may be",
            ),
            ("`date` needs `layout`", "`date` needs `layout`"),
        ] {
            assert_eq!(explained(message), expected);
        }
    }
}
