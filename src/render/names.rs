//! The names of what templates can call, for hints: Tera tells that it does not know one, and
//! not which it knows.
//!
//! What does not belong here: what they do (`filters`).

/// Filters: Tera's own, then ours.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "capitalize",
    "default",
    "escape",
    "escape_html",
    "escape_xml",
    "first",
    "float",
    "get",
    "group_by",
    "indent",
    "int",
    "join",
    "keys",
    "last",
    "length",
    "lower",
    "newlines_to_br",
    "nth",
    "pairs",
    "pluralize",
    "replace",
    "reverse",
    "round",
    "safe",
    "sort",
    "split",
    "str",
    "title",
    "trim",
    "trim_end",
    "trim_start",
    "truncate",
    "unique",
    "upper",
    "values",
    "wordcount",
    //
    "append",
    "base64_decode",
    "base64_encode",
    "clock",
    "code",
    "date",
    "duration",
    "facts",
    "fence",
    "humanize_duration",
    "join",
    "link",
    "links",
    "match",
    "mention",
    "must_to_date",
    "names",
    "query_unescape",
    "re_replace_all",
    "remove",
    "safe_html",
    "safe_url",
    "severity_emoji",
    "shorten",
    "since",
    "sorted_pairs",
    "string",
    "to_date",
    "to_json",
    "to_lower",
    "to_upper",
    "trim_space",
    "truncate_bytes",
    "tz",
    "url",
    "url_unescape",
    "urlquery",
    "values",
    "severity_colour",
];

pub(super) const FUNCTIONS: &[&str] = &[
    "begin_alert",
    "dict",
    "end_alerts",
    "list",
    "mention",
    "now",
    "route_labels",
    "string_slice",
    "range",
    "throw",
];

pub(super) const TESTS: &[&str] = &[
    "containing",
    "defined",
    "divisible_by",
    "ending_with",
    "even",
    "float",
    "integer",
    "iterable",
    "map",
    "none",
    "number",
    "odd",
    "starting_with",
    "string",
    "undefined",
];

/// How alike a name must be to be the one that was meant.
const LIKENESS: f64 = 0.75;

/// What to do about a template that does not parse; empty where nothing is to be said.
pub(super) fn hint(message: &str) -> String {
    let name = message.split('`').nth(1).unwrap_or_default();
    let known = if message.starts_with("Unknown filter") {
        FILTERS
    } else if message.starts_with("Unknown function") {
        FUNCTIONS
    } else if message.starts_with("Unknown test") {
        TESTS
    } else {
        return other_hint(message).to_owned();
    };
    let near = known
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match near {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => "docs/templates.md lists what there is".to_owned(),
    }
}

fn other_hint(message: &str) -> &'static str {
    const HINTS: [(&str, &str); 5] = [
        (
            "Unexpected end of input",
            "close what was opened: `{% endif %}`, `{% endfor %}`, `}}`",
        ),
        (
            "Unknown template",
            "it must stand in the same directory, and its name is written with its ending",
        ),
        (
            "is inheriting from",
            "it must stand in the same directory, and its name is written with its ending",
        ),
        (
            "Circular",
            "templates cannot include or extend each other in a circle",
        ),
        (
            "expected identifier",
            "arguments have names: `shorten(length=80)`, `starting_with(pat=\"a\")`",
        ),
    ];
    HINTS
        .iter()
        .find(|(part, _)| message.contains(part))
        .map_or("", |(_, hint)| hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_recognised() {
        for (message, expected) in [
            ("Unknown filter `shrten`", "did you mean `shorten`?"),
            ("Unknown filter `sorten`", "did you mean `shorten`?"),
            (
                "Unknown function `begin_alrt`",
                "did you mean `begin_alert`?",
            ),
            (
                "Unknown filter `xyz`",
                "docs/templates.md lists what there is",
            ),
            ("Something else", ""),
        ] {
            assert_eq!(hint(message), expected);
        }
    }
}
