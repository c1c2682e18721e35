//! What is asked of the playground and of the sender: which template, which receiver, which
//! notification. Unknown fields are errors, so that no mistake is silent.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::error::Error;
use super::samples;
use crate::render::samples::Sequence;
use crate::render::{Options, Renderer};
use crate::routing::{Receiver, Routes};

/// The most that a template's text or a card's may have, in bytes: a hundred times those that
/// are built in.
const SOURCE_BYTES: usize = 256 * 1024;
/// The longest name of a template.
const NAME_CHARS: usize = 60;
/// What a template is called that was given no name.
const UNNAMED: &str = "playground";

/// The body of `POST /dev/v1/render`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Render {
    receiver: Option<String>,
    template: Option<Draft>,
    sample: Option<String>,
    notification: Option<Box<RawValue>>,
}

/// The body of `POST /dev/v1/send`.
pub(super) type Send = Render;

/// A template that is being written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    name: Option<String>,
    /// The text of `NAME.md`.
    markdown: Option<String>,
    /// The text of `NAME.card.json`.
    card: Option<String>,
}

impl Render {
    pub(super) fn read(body: &[u8]) -> Result<Self, Error> {
        let asked: Self = read(body)?;
        if asked.sample.is_some() == asked.notification.is_some() {
            return Err(Error::OneNotification);
        }
        if let Some(draft) = &asked.template {
            draft.check()?;
        }
        Ok(asked)
    }

    /// The receiver that is named, else the first.
    pub(super) fn receiver(&self, routes: &Routes) -> Result<Arc<Receiver>, Error> {
        let found = match &self.receiver {
            Some(name) => routes.find(name),
            None => routes.iter().next(),
        };
        found.cloned().ok_or_else(|| Error::UnknownReceiver {
            name: self.receiver.clone().unwrap_or_default(),
            known: joined(routes.iter().map(|receiver| receiver.name.as_ref())),
        })
    }

    /// Whether another template than the receiver's is meant.
    pub(super) fn tries_a_template(&self) -> bool {
        self.template.is_some()
    }

    /// The templates with the one that is tried, and the name of the template to use. Takes
    /// as long as it takes to parse them: not for the threads that serve.
    pub(super) fn renderer(
        &self,
        options: &Options,
        receiver: &Receiver,
    ) -> Result<(Renderer, String), Error> {
        let mut options = options.clone();
        let mut name = receiver.template.clone();
        if let Some(draft) = &self.template {
            name = match &draft.name {
                Some(name) => name.clone(),
                None => UNNAMED.to_owned(),
            };
            if let Some(markdown) = &draft.markdown {
                options
                    .sources
                    .push((format!("{name}.md"), markdown.clone()));
            }
            if let Some(card) = &draft.card {
                options
                    .sources
                    .push((format!("{name}.card.json"), card.clone()));
            }
        }
        let renderer = Renderer::new(&options)?;
        if !renderer.contains(&name) {
            return Err(Error::UnknownTemplate {
                name,
                known: renderer.names().join("`, `"),
            });
        }
        Ok((renderer, name))
    }

    /// The sequence that is to be played, where the sample is one.
    pub(super) fn sequence(&self) -> Option<&'static Sequence> {
        samples::sequence(self.sample.as_deref()?)
    }

    /// The webhook bodies, as if they happened now; a pasted one with its own times.
    pub(super) fn bodies(&self, now: Timestamp) -> Result<Vec<String>, Error> {
        match (&self.sample, &self.notification) {
            (Some(name), _) => samples::bodies(name, now),
            (None, Some(pasted)) => Ok(vec![text_of(pasted)]),
            (None, None) => Err(Error::OneNotification),
        }
    }

    /// The same with all times moved so that the newest is now: never a repeat.
    pub(super) fn fresh_bodies(&self, now: Timestamp) -> Result<Vec<String>, Error> {
        let bodies = self.bodies(now)?;
        Ok(match self.notification {
            Some(_) => bodies
                .iter()
                .map(|body| samples::moved(body, now))
                .collect(),
            None => bodies,
        })
    }
}

impl Draft {
    fn check(&self) -> Result<(), Error> {
        if let Some(name) = &self.name {
            let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || name.len() > NAME_CHARS || !name.chars().all(is_fine) {
                return Err(Error::TemplateName);
            }
        }
        for (what, source) in [("markdown", &self.markdown), ("card", &self.card)] {
            let bytes = source.as_ref().map_or(0, String::len);
            if bytes > SOURCE_BYTES {
                return Err(Error::TooLarge {
                    what,
                    bytes,
                    most: SOURCE_BYTES,
                });
            }
        }
        Ok(())
    }
}

/// A notification is given as an object, or as the text of one, which may be no JSON yet.
fn text_of(given: &RawValue) -> String {
    serde_json::from_str(given.get()).unwrap_or_else(|_| given.get().to_owned())
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| Error::Body {
        path: error.path().to_string(),
        source: error.into_inner(),
    })
}

/// Names with backticks between them, for a sentence that has the outer ones.
pub(super) fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join("`, `")
}
