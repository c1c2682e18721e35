//! `docs/logging.md` and the code that logs.

use std::collections::BTreeSet;
use std::path::Path;

/// A line as code and page have it: level, sentence, fields.
type Line = (String, String, Vec<String>);

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Each source file without its tests.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs")
            && path.file_name().is_none_or(|name| name != "tests.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path.display().to_string(), text));
        }
    }
}

/// The arguments of a macro, by commas that are in no brackets and no string.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut is_string, mut is_escaped) = (1, false, false);
    let mut arguments = vec![String::new()];
    for c in text.chars() {
        if is_string {
            is_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else {
            match c {
                '"' => is_string = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 1 => {
                    arguments.push(String::new());
                    continue;
                }
                _ => {}
            }
        }
        if depth == 0 {
            break;
        }
        arguments.last_mut().unwrap().push(c);
    }
    let arguments = arguments.iter().map(|one| one.trim().to_owned());
    arguments.filter(|one| !one.is_empty()).collect()
}

/// What a string literal means.
fn literal(argument: &str) -> Option<String> {
    let text = argument.strip_prefix('"')?.strip_suffix('"')?;
    // A backslash at the end of a line swallows the break and what the next line begins with.
    let mut lines = text.split("\\\n");
    let first = lines.next()?.to_owned();
    let text = lines.fold(first, |text, line| text + line.trim_start());
    Some(text.replace("\\\"", "\""))
}

fn in_code() -> Vec<Line> {
    let mut files = Vec::new();
    sources(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut files,
    );
    let mut lines = Vec::new();
    for (file, text) in files {
        for level in LEVELS {
            for (at, call) in text.match_indices(&format!("tracing::{level}!(")) {
                let arguments = arguments(&text[at + call.len()..]);
                let (sentence, fields) = arguments.split_last().unwrap();
                let sentence = literal(sentence)
                    .unwrap_or_else(|| panic!("{file}: `{sentence}` is no sentence"));
                assert!(
                    !sentence.contains("{}"),
                    "{file}: name what is filled in: {sentence}"
                );
                let fields = fields.iter().map(|field| {
                    let name = field.split('=').next().unwrap().trim();
                    name.trim_start_matches(['%', '?']).to_owned()
                });
                lines.push((level.to_owned(), sentence, fields.collect()));
            }
        }
    }
    lines
}

fn on_the_page() -> Vec<Line> {
    let page = include_str!("../../docs/logging.md");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split(" | ")
            .collect();
        let [level, sentence, fields, meaning] = cells[..] else {
            return None;
        };
        assert!(!meaning.is_empty(), "{line}");
        let fields = fields
            .split_whitespace()
            .filter(|name| *name != "-")
            .map(|name| name.trim_matches('`').to_owned());
        // Other tables of the page have four columns as well.
        LEVELS
            .contains(&level)
            .then(|| (level.to_owned(), sentence.to_owned(), fields.collect()))
    });
    rows.collect()
}

#[test]
fn every_line_of_the_log_stands_in_the_documentation_and_no_other() {
    let (code, page) = (in_code(), on_the_page());
    let set = |lines: &[Line]| lines.iter().cloned().collect::<BTreeSet<_>>();
    let (in_code, on_page) = (set(&code), set(&page));
    let missing: Vec<_> = in_code.difference(&on_page).collect();
    let gone: Vec<_> = on_page.difference(&in_code).collect();
    assert!(
        missing.is_empty(),
        "put these into docs/logging.md: {missing:#?}"
    );
    assert!(
        gone.is_empty(),
        "take these out of docs/logging.md: {gone:#?}"
    );
    assert_eq!(page.len(), on_page.len(), "a row stands there twice");
    assert!(code.len() > 50, "the code is read: {}", code.len());
}

#[test]
fn a_line_reads_alone_and_its_fields_name_their_units() {
    for (level, sentence, fields) in in_code() {
        let of = format!("{level} {sentence}");
        assert!(!sentence.ends_with('.') && !sentence.contains('\n'), "{of}");
        assert!(
            sentence.split(' ').count() > 2,
            "a sentence has words: {of}"
        );
        for field in &fields {
            let is_duration = ["took", "delay", "grace", "closed", "valid", "next", "poll"]
                .iter()
                .any(|beginning| field.starts_with(beginning));
            assert!(
                !is_duration || field.ends_with("_seconds"),
                "{field} of {of}"
            );
            assert!(!field.ends_with("_ms"), "seconds, please: {field} of {of}");
            let reserved = [
                "timestamp",
                "level",
                "message",
                "request_id",
                "trace_id",
                "suppressed",
            ];
            assert!(!reserved.contains(&field.as_str()), "{field} of {of}");
        }
    }
}
