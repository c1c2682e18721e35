//! Adds templates to Tera and tells what is wrong with them, all at once, with the places.
//!
//! What does not belong here: which templates there are (`engine`).

use tera::{ErrorKind, Tera};

use super::super::error::BrokenTemplate;
use super::super::names::hint;

/// What a broken template is replaced with while the others are examined.
const STUB: &str = "";

/// A template on its way into Tera.
#[derive(Debug, Clone)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    /// How errors call it.
    pub(super) file: String,
    pub(super) content: &'a str,
}

/// Adds all templates, as far as they are whole; what is wrong with the others goes to
/// `broken`. A broken one is replaced by an empty one, so that it hides no other's errors.
pub(super) fn load(
    base: &Tera,
    sources: &mut [Source<'_>],
    broken: &mut Vec<BrokenTemplate>,
) -> Option<Tera> {
    for source in sources.iter_mut() {
        let alone = base.clone().add_raw_template(source.name, source.content);
        if let Err(error) = alone
            && let ErrorKind::SyntaxError(report) = error.kind()
        {
            let report = parse_report(&error.to_string(), report.message());
            broken.push(name_file(report, &source.file));
            source.content = STUB;
        }
    }
    // Each round finds at least one more broken template, or is the last.
    for _ in 0..=sources.len() {
        let mut tera = base.clone();
        let added = tera.add_raw_templates(sources.iter().map(|s| (s.name, s.content)));
        let Err(error) = added else {
            return Some(tera);
        };
        let stubs = !broken.is_empty();
        let mut found = false;
        for (name, problem) in problems(&error) {
            if stubs && misses_content(&problem.message) {
                continue;
            }
            let source = sources.iter_mut().find(|source| source.name == name);
            let Some(source) = source else {
                broken.push(problem);
                continue;
            };
            found = true;
            broken.push(name_file(problem, &source.file));
            source.content = STUB;
        }
        if !found {
            return None;
        }
    }
    None
}

/// Whether a template misses what another one defines: the other may be a broken one, whose
/// replacement defines nothing.
fn misses_content(message: &str) -> bool {
    message.starts_with("Unknown component") || message.ends_with("in any parent template")
}

fn name_file(mut problem: BrokenTemplate, file: &str) -> BrokenTemplate {
    file.clone_into(&mut problem.file);
    problem
}

/// The templates that an error of the whole set is about, by name.
fn problems(error: &tera::Error) -> Vec<(String, BrokenTemplate)> {
    let unplaced = |name: &str| {
        let message = error.to_string();
        vec![(
            name.to_owned(),
            BrokenTemplate {
                file: name.to_owned(),
                position: None,
                hint: hint(&message),
                message: message.trim_end_matches('.').to_owned(),
                excerpt: String::new(),
            },
        )]
    };
    match error.kind() {
        ErrorKind::MissingParent { current, .. } => unplaced(current),
        ErrorKind::CircularExtend { tpl, .. } | ErrorKind::CircularInclude { tpl, .. } => {
            unplaced(tpl)
        }
        _ => {
            let text = error.to_string();
            // Tera joins its reports with an empty line; each begins with `error: `.
            let Some(reports) = text.strip_prefix("error: ") else {
                return unplaced("templates");
            };
            reports
                .split("\n\nerror: ")
                .map(|report| {
                    let message = report.lines().next().unwrap_or_default();
                    let problem = parse_report(report, message);
                    (problem.file.clone(), problem)
                })
                .collect()
        }
    }
}

/// Reads back the place from Tera's report, which for a whole set exists only as text:
/// ```text
/// Unknown filter `x`
///  --> team.md:3:14
///   |
/// 3 | {{ a | x }}
///   |        ^
/// ```
fn parse_report(report: &str, message: &str) -> BrokenTemplate {
    let place = report
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("--> "));
    let mut parts = place.unwrap_or_default().rsplitn(3, ':');
    let column = parts.next().and_then(|column| column.parse().ok());
    let line = parts.next().and_then(|line| line.parse().ok());
    let file = parts.next().unwrap_or_default().to_owned();
    let excerpt: Vec<&str> = report
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("--> "))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    BrokenTemplate {
        file,
        position: line.zip(column),
        message: message.trim_end_matches('.').to_owned(),
        excerpt: excerpt.join("\n"),
        hint: hint(message),
    }
}
