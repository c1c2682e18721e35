//! Loads templates into Tera and runs them.
//!
//! All templates are parsed at start, so that a broken one is found before an alert needs
//! it. The built-in ones are kept a second time where a directory may override them: the
//! fallback must not depend on what somebody put there.
//!
//! What does not belong here: the data (`context`), the filters (`filters`), and the limits
//! of a message (`split`).

use std::sync::Arc;

use tera::{Context, ErrorKind, Tera};

use super::directory::{File, SUFFIX};
use super::error::{BrokenTemplate, Error};
use super::escape::escape;
use super::fallback::Fallback;
use super::{DEFAULT_TEMPLATE, Locality, filters};

/// Name and content of the templates that are compiled in.
const BUILT_IN: [(&str, &str); 1] = [("default.md", include_str!("../../templates/default.md"))];

/// What a broken template is replaced with while the others are examined.
const STUB: &str = "";

/// Tera with all templates.
pub(super) struct Engine {
    tera: Tera,
    /// The built-in templates alone, where `tera` holds others as well.
    built_in: Option<Tera>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("templates", &self.names())
            .finish_non_exhaustive()
    }
}

/// A template on its way into Tera.
struct Source<'a> {
    name: &'a str,
    /// How errors call it.
    file: String,
    content: &'a str,
}

impl Engine {
    pub(super) fn new(files: &[File], locality: &Arc<Locality>) -> Result<Self, Error> {
        let mut broken = Vec::new();
        let mut sources: Vec<Source<'_>> = BUILT_IN
            .iter()
            .filter(|(name, _)| !files.iter().any(|file| file.name == *name))
            .map(|(name, content)| Source {
                name,
                file: format!("built-in {name}"),
                content,
            })
            .collect();
        for file in files {
            let content = file.content.as_ref().unwrap_or_else(|error| {
                broken.push(BrokenTemplate {
                    file: file.path.display().to_string(),
                    position: None,
                    message: format!("it cannot be read as UTF-8 text: {error}"),
                    excerpt: String::new(),
                });
                EMPTY
            });
            sources.push(Source {
                name: &file.name,
                file: file.path.display().to_string(),
                content,
            });
        }
        let tera = load(&prepared(locality), &mut sources, &mut broken);
        match tera {
            Some(tera) if broken.is_empty() => {
                let built_in = if files.is_empty() {
                    None
                } else {
                    Some(Self::new(&[], locality)?.tera)
                };
                Ok(Self { tera, built_in })
            }
            _ => Err(Error::Broken(broken)),
        }
    }

    pub(super) fn contains(&self, template: &str) -> bool {
        self.tera.contains_template(&format!("{template}{SUFFIX}"))
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .tera
            .get_template_names()
            .filter_map(|name| name.strip_suffix(SUFFIX))
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names
    }

    /// Runs a template. Output that shows nothing counts as a failure: an alert that posts
    /// an empty message is lost.
    pub(super) fn render(&self, template: &str, context: &Context) -> Result<String, Fallback> {
        run(&self.tera, template, context)
    }

    /// Runs the built-in `default`, whatever the directory holds.
    pub(super) fn render_default(&self, context: &Context) -> Result<String, Fallback> {
        let tera = self.built_in.as_ref().unwrap_or(&self.tera);
        run(tera, DEFAULT_TEMPLATE, context)
    }
}

const EMPTY: &String = &String::new();

fn run(tera: &Tera, template: &str, context: &Context) -> Result<String, Fallback> {
    let text = tera
        .render(&format!("{template}{SUFFIX}"), context)
        .map_err(|error| Fallback::from_tera(template, &error))?;
    if text.chars().all(|c| c.is_whitespace() || c.is_control()) {
        return Err(Fallback::empty(template));
    }
    Ok(text)
}

fn prepared(locality: &Arc<Locality>) -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on([SUFFIX]);
    tera.set_escape_fn(escape);
    filters::register(&mut tera, locality);
    tera
}

/// Adds all templates, as far as they are whole; what is wrong with the others goes to
/// `broken`. A broken one is replaced by an empty one, so that it hides no other's errors.
fn load(base: &Tera, sources: &mut [Source<'_>], broken: &mut Vec<BrokenTemplate>) -> Option<Tera> {
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
        message: message.to_owned(),
        excerpt: excerpt.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::render::Options;

    fn file(name: &str, content: &str) -> File {
        File {
            name: name.to_owned(),
            path: format!("/templates/{name}").into(),
            content: Ok(content.to_owned()),
        }
    }

    fn engine(files: &[File]) -> Result<Engine, Error> {
        let options = Options::default();
        let locality = Locality {
            timezone: options.timezone,
            links: options.links,
        };
        Engine::new(files, &Arc::new(locality))
    }

    fn broken(files: &[File]) -> Vec<BrokenTemplate> {
        match engine(files).unwrap_err() {
            Error::Broken(broken) => broken,
            other @ Error::Directory { .. } => panic!("{other}"),
        }
    }

    #[test]
    fn all_broken_templates_are_told_at_once_with_their_places() {
        let files = [
            file("syntax.md", "fine\n{% if status %}never ends"),
            file(
                "filter.md",
                "\n\n  {{ status | nosuch }} {{ nofunction() }}",
            ),
            file("fine.md", "{{ status }}"),
            file("include.md", "{% include \"gone.md\" %}"),
            file("parent.md", "{% extends \"gone.md\" %}"),
            File {
                content: Err(io::Error::from(io::ErrorKind::PermissionDenied)),
                ..file("secret.md", "")
            },
        ];
        insta::assert_snapshot!(engine(&files).unwrap_err());
    }

    #[test]
    fn a_template_is_not_blamed_for_what_a_broken_one_would_define() {
        let files = [
            file("base.md", "{% block body %}{% endblock %}{{"),
            file(
                "child.md",
                "{% extends \"base.md\" %}{% block body %}x{% endblock %}",
            ),
        ];
        let broken = broken(&files);
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert_eq!(broken[0].file, "/templates/base.md");
    }

    #[test]
    fn templates_that_include_each_other_are_told_and_hide_no_other_error() {
        let files = [
            file("a.md", "{% include \"b.md\" %}"),
            file("b.md", "{% include \"a.md\" %}"),
            file("c.md", "{{ x | nosuch }}"),
        ];
        let broken = broken(&files);
        assert!(broken[0].message.contains("Circular include"), "{broken:?}");
        assert!(
            broken
                .iter()
                .any(|problem| problem.file == "/templates/c.md")
        );
    }

    #[test]
    fn a_template_of_the_directory_overrides_the_built_in_one_but_not_the_fallback() {
        let engine = engine(&[file("default.md", "mine"), file("team.md", "ours")]).unwrap();
        let context = Context::new();
        assert_eq!(engine.names(), ["default", "team"]);
        assert!(engine.contains("team") && !engine.contains("team.md"));
        assert_eq!(engine.render("default", &context).unwrap(), "mine");
        // Without data the built-in one fails, which shows that it is the one that ran.
        assert!(engine.render_default(&context).is_err());
    }
}
