//! What Tera says of a failed template, with what to do about it. It stands in the room, below
//! the message that fell back, and in `check`.
//!
//! What does not belong here: how it is put into the message (`fallback`).

use std::borrow::Cow;

/// How alike a name must be to be the one that was meant.
const LIKENESS: f64 = 0.8;

/// A longer path would leave no room for what is wrong with it.
const PATH_BYTES: usize = 50;

/// Tera's message, without the list of all that there is, and with a remedy. `path` is what
/// the template says there, from [`path_at`].
pub(super) fn explained<'m>(message: &'m str, path: Option<&str>) -> Cow<'m, str> {
    let (what, known) = message
        .split_once(". Available ")
        .unwrap_or((message.trim_end_matches('.'), ""));
    let known = known.split_once(": ").map_or("", |(_, known)| known);
    let name = what.split('`').nth(1).unwrap_or_default();
    let near = known
        .split(", ")
        .filter(|known| !known.is_empty())
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let is_field = what.starts_with("Field") && what.ends_with("is not defined");
    if let Some((_, near)) = near {
        let mut text = format!("{what}; did you mean `{near}`?");
        if is_field {
            let path = path.unwrap_or(name);
            text.push_str(" Where it may be missing, write `");
            text.push_str(path);
            text.push_str(" or \"\"`");
        }
        text.into()
    } else if is_field || what.starts_with("Tried to render a variable that is undefined") {
        let path = path.unwrap_or(name);
        format!("`{path}` is missing; write `{path} or \"\"` where it may be").into()
    } else {
        what.into()
    }
}

/// What stands at these columns of the line that Tera's report shows, with what it is taken
/// from: `alert.labels.team` where Tera points at `team`.
pub(super) fn path_at(report: &str, start: usize, end: usize) -> Option<String> {
    let line = report
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("--> "))
        .nth(2)?;
    let (_, source) = line.split_once(" | ")?;
    let chars: Vec<char> = source.chars().collect();
    let name = chars.get(start..end)?;
    let of_path = |c: &char| c.is_alphanumeric() || "_.[]\"'?".contains(*c);
    let before = chars[..start]
        .iter()
        .rev()
        .take_while(|c| of_path(c))
        .count();
    let mut path: String = chars[start - before..start].iter().chain(name).collect();
    // Tera does not count the bracket that ends an index to it.
    if path.matches('[').count() > path.matches(']').count() {
        path.push(']');
    }
    let sound = !path.trim().is_empty() && path.len() <= PATH_BYTES;
    sound.then(|| path.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_is_told_with_a_remedy() {
        for (message, path, expected) in [
            (
                "Field `team` is not defined. Available fields: alertname, job",
                Some("alert.labels.team"),
                "`alert.labels.team` is missing; write `alert.labels.team or \"\"` where it may be",
            ),
            (
                "Field `team` is not defined.",
                None,
                "`team` is missing; write `team or \"\"` where it may be",
            ),
            (
                "Field `annotation` is not defined. Available fields: annotations, labels",
                None,
                "Field `annotation` is not defined; did you mean `annotations`? \
                 Where it may be missing, write `annotation or \"\"`",
            ),
            (
                "Variable `sumary` is not defined. Available variables: alerts, now",
                None,
                "Variable `sumary` is not defined",
            ),
            (
                "Tried to render a variable that is undefined",
                Some("a[0].b"),
                "`a[0].b` is missing; write `a[0].b or \"\"` where it may be",
            ),
            ("`date` needs `layout`", Some("x"), "`date` needs `layout`"),
        ] {
            assert_eq!(explained(message, path), expected);
        }
    }

    #[test]
    fn the_path_is_read_back_from_the_report() {
        let report = |line: &str| format!("error: x\n --> team.md:1:9\n  |\n1 | {line}\n  | ^");
        for (line, start, end, expected) in [
            ("é {{ a.labels.team }}", 14, 18, Some("a.labels.team")),
            ("{{ a[0].team | x }}", 8, 12, Some("a[0].team")),
            ("{{team}}", 2, 6, Some("team")),
            ("{{ a[\"b c\"] }}", 5, 10, Some("a[\"b c\"]")),
            ("{{ x", 9, 12, None),
        ] {
            assert_eq!(path_at(&report(line), start, end).as_deref(), expected);
        }
        assert_eq!(path_at("", 0, 1), None);
    }
}
