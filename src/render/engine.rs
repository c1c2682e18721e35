//! Loads templates into Tera and runs them.
//!
//! All templates are parsed at start, so that a broken one is found before an alert needs
//! it. The built-in ones are kept a second time where a directory may override them: the
//! fallback must not depend on what somebody put there.
//!
//! Messages and cards are two sets: what Tera prints is escaped in one way for all templates
//! of a set, and a message cannot include a card.
//!
//! What does not belong here: the data (`context`), the filters (`filters`), and the limits
//! of a message (`split`).

mod load;

use std::collections::HashMap;
use std::sync::Arc;

use tera::{Context, Error as TeraError, Kwargs, State, Tera, TeraResult, Value};

use self::load::{Source, load};
use super::card::{self, Card};
use super::directory::{CARD_SUFFIX, File, SUFFIX};
use super::error::{BrokenTemplate, Error};
use super::escape::escape;
use super::fallback::Fallback;
use super::guard::Guarded;
use super::limits::{self, Limits, Meter};
use super::source::excerpt;
use super::{Locality, filters, severity};

/// Name and content of the templates that are compiled in.
pub(super) const BUILT_IN: [(&str, &str); 5] = [
    ("default.md", include_str!("../../templates/default.md")),
    ("compact.md", include_str!("../../templates/compact.md")),
    ("detailed.md", include_str!("../../templates/detailed.md")),
    ("thread.md", include_str!("../../templates/thread.md")),
    (
        "compact.card.json",
        include_str!("../../templates/compact.card.json"),
    ),
];

/// Filters that make Markdown, whose marks a card would show.
const MARKDOWN_FILTERS: [&str; 6] = ["code", "facts", "fence", "link", "links", "mention"];

/// All templates, ready to run.
pub(super) struct Engine {
    messages: Set,
    cards: Set,
    /// The built-in messages alone, where `messages` holds others as well.
    built_in: Option<Set>,
    limits: Limits,
}

/// Templates that can include each other.
struct Set {
    tera: Tera,
    /// What was put into them, by name.
    guarded: HashMap<String, Guarded>,
    /// The file of each template, by the template's name.
    files: HashMap<String, String>,
    suffix: &'static str,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("templates", &self.names())
            .finish_non_exhaustive()
    }
}

impl Engine {
    pub(super) fn new(files: &[File], locality: &Arc<Locality>) -> Result<Self, Error> {
        let mut broken = Vec::new();
        let messages = Set::new(files, SUFFIX, locality, &mut broken);
        let cards = Set::new(files, CARD_SUFFIX, locality, &mut broken);
        match messages.zip(cards) {
            Some((messages, cards)) if broken.is_empty() => {
                let built_in = if files.is_empty() {
                    None
                } else {
                    Set::new(&[], SUFFIX, locality, &mut broken)
                };
                Ok(Self {
                    messages,
                    cards,
                    built_in,
                    limits: Limits::default(),
                })
            }
            _ => {
                broken.sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
                Err(Error::Broken(broken))
            }
        }
    }

    pub(super) fn contains(&self, template: &str) -> bool {
        self.messages.contains(template)
    }

    pub(super) fn has_card(&self, template: &str) -> bool {
        self.cards.contains(template)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.messages.names()
    }

    /// Runs a template. Output that shows nothing counts as a failure: an alert that posts
    /// an empty message is lost.
    pub(super) fn render(&self, template: &str, context: &Context) -> Result<String, Fallback> {
        self.messages.message(template, context, self.limits)
    }

    /// Runs a built-in template, whatever the directory holds.
    pub(super) fn render_built_in(
        &self,
        template: &str,
        context: &Context,
    ) -> Result<String, Fallback> {
        let set = self.built_in.as_ref().unwrap_or(&self.messages);
        set.message(template, context, self.limits)
    }

    /// Makes the card that goes with the messages of a template, if there is one.
    pub(super) fn card(
        &self,
        template: &str,
        context: &mut Context,
    ) -> Result<Option<Card>, Fallback> {
        if !self.cards.contains(template) {
            return Ok(None);
        }
        // In Markdown it is two spaces and a line's end, and safe, which is nothing here.
        context.insert_value("br", Value::from("\n"));
        // The message beside it mentions; a card cannot.
        context.insert_value("mention", Value::from(""));
        let name = self.cards.file(template);
        self.cards
            .run(&name, context, self.limits)
            .and_then(|json| {
                Card::parse(&json).map_err(|reason| Fallback::reasoned(&name, &reason))
            })
            .map_err(Fallback::of_card)
    }
}

impl Set {
    /// `None` where one is broken, of which `broken` tells more.
    fn new(
        files: &[File],
        suffix: &'static str,
        locality: &Arc<Locality>,
        broken: &mut Vec<BrokenTemplate>,
    ) -> Option<Self> {
        let belongs = |name: &str| name.ends_with(suffix);
        let built_in = BUILT_IN.iter().filter(|(name, _)| belongs(name));
        let mut sources: Vec<Source<'_>> = built_in
            .filter(|(name, _)| !overridden(name, files))
            .map(|(name, content)| Source {
                name,
                file: format!("built-in {name}"),
                content,
            })
            .collect();
        for file in files.iter().filter(|file| belongs(&file.name)) {
            let content = file.content.as_ref().unwrap_or_else(|error| {
                broken.push(BrokenTemplate {
                    file: file.path.display().to_string(),
                    position: None,
                    message: format!("it cannot be read as UTF-8 text: {error}"),
                    excerpt: String::new(),
                    hint: "let the user that runs this read it, and save it as UTF-8".to_owned(),
                });
                EMPTY
            });
            sources.push(Source {
                name: &file.name,
                file: file.path.display().to_string(),
                content,
            });
        }
        let base = prepared(suffix, locality);
        let plain = load(&base, &mut sources, broken)?;
        let guarded: HashMap<String, Guarded> = sources
            .iter()
            .map(|source| (source.name.to_owned(), Guarded::new(source.content)))
            .collect();
        let mut tera = base;
        let with_calls = guarded
            .iter()
            .map(|(name, guarded)| (name.as_str(), guarded.text.as_str()));
        let (tera, guarded) = match tera.add_raw_templates(with_calls) {
            Ok(()) => (tera, guarded),
            // Not known to happen. Without calls less is bounded, but alerts are told.
            Err(_) => (plain, HashMap::new()),
        };
        let named = |file: &str| Some((file.strip_suffix(suffix)?.to_owned(), file.to_owned()));
        Some(Self {
            files: tera.get_template_names().filter_map(named).collect(),
            tera,
            guarded,
            suffix,
        })
    }

    fn file(&self, template: &str) -> String {
        format!("{template}{}", self.suffix)
    }

    fn contains(&self, template: &str) -> bool {
        self.files.contains_key(template)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.files.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    fn message(
        &self,
        template: &str,
        context: &Context,
        limits: Limits,
    ) -> Result<String, Fallback> {
        let text = self.run(template, context, limits)?;
        if text.chars().all(|c| c.is_whitespace() || c.is_control()) {
            return Err(Fallback::reasoned(template, "it rendered to nothing"));
        }
        Ok(text)
    }

    /// `told` is how a failure calls the template.
    fn run(&self, told: &str, context: &Context, limits: Limits) -> Result<String, Fallback> {
        let mut meter = Meter::start(limits);
        let template = told.strip_suffix(self.suffix).unwrap_or(told);
        let file = self.files.get(template).map(String::as_str);
        self.tera
            // Tera says what is wrong with a name that there is not.
            .render_to(file.unwrap_or(template), context, &mut meter)
            .map_err(|error| match meter.breach() {
                Some(reason) => Fallback::reasoned(told, reason),
                None => self.placed(Fallback::from_tera(told, &error)),
            })?;
        Ok(meter.finish())
    }
}

impl Set {
    /// With the column that the author knows.
    fn placed(&self, mut failed: Fallback) -> Fallback {
        if let Some((file, line, column)) = &mut failed.place
            && let Some(guarded) = self.guarded.get(file)
        {
            // Told from 1 on.
            *column = guarded.column(*line, *column - 1) + 1;
            failed.excerpt = excerpt(&guarded.source, *line, *column);
        }
        failed
    }
}

/// A built-in card shows what the built-in message of its name says, so it goes with it.
fn overridden(name: &str, files: &[File]) -> bool {
    let is_there = |name: &str| files.iter().any(|file| file.name == name);
    is_there(name)
        || name
            .strip_suffix(CARD_SUFFIX)
            .is_some_and(|stem| is_there(&format!("{stem}{SUFFIX}")))
}

const EMPTY: &String = &String::new();

fn prepared(suffix: &'static str, locality: &Arc<Locality>) -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on([suffix]);
    filters::register(&mut tera, locality, suffix == CARD_SUFFIX);
    limits::register(&mut tera);
    if suffix == CARD_SUFFIX {
        tera.set_escape_fn(card::escape);
        for name in MARKDOWN_FILTERS {
            tera.register_filter(name, move |_: &Value, _: Kwargs, _: &State<'_>| {
                no_text(name)
            });
        }
        tera.register_function("mention", |_: Kwargs, _: &State<'_>| no_text("mention"));
        tera.register_filter("severity_colour", severity_colour);
    } else {
        tera.set_escape_fn(escape);
    }
    tera
}

fn no_text(name: &str) -> TeraResult<Value> {
    Err(TeraError::message(format!(
        "`{name}` makes Markdown, which is no text for a card; write a `FactSet` or an `Action.OpenUrl`"
    )))
}

/// `severity | severity_colour`: what a card calls the colour of a severity.
fn severity_colour(label: &Value, _: Kwargs, _: &State<'_>) -> Value {
    let label = label.as_str().unwrap_or_default();
    Value::from(severity::Severity::from_label(label).colour())
}

#[cfg(test)]
mod tests;
