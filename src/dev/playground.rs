//! The playground: what a notification becomes under a template that is being written.
//!
//! The template is never written to disk. What it may take is bounded twice: its size here,
//! its rounds, output and time in `render`, which stand also where a template means harm.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Inner;
use super::error::Error;
use super::requests::Render;
use crate::alertmanager::Notification;
use crate::render::{
    BrokenTemplate, CARD_BYTES, Fallback, MESSAGE_BYTES, Message, NOTE_BYTES, Rendered, Subject,
    Written, plain_text,
};
use crate::sandbox::html;

/// How long a call waits. A rendering ends by itself, text and card after two seconds each.
const MOST_SECONDS: u64 = 15;

/// What a notification became.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// The template that was used.
    template: String,
    /// The messages, in the order in which they would be posted; none where the template
    /// cannot be used at all.
    parts: Vec<Part>,
    /// What is wrong, place by place.
    problems: Vec<Problem<'static>>,
    /// What is said in the room because the template failed, in one line.
    fallback: Option<String>,
    limits: Limits,
}

/// In bytes of UTF-8.
#[derive(Debug, Serialize)]
struct Limits {
    /// Of `markdown` and of `text`.
    message: usize,
    /// What is kept free of it for notes.
    note: usize,
    card: usize,
}

/// One message.
#[derive(Debug, Serialize)]
struct Part {
    markdown: String,
    /// What is sent where Webex refuses the Markdown.
    text: String,
    /// What Webex makes of the Markdown, nearly; nothing in it can run.
    html: String,
    bytes: Bytes,
    card: Option<Box<RawValue>>,
}

/// In UTF-8.
#[derive(Debug, Serialize)]
struct Bytes {
    markdown: usize,
    text: usize,
    card: Option<usize>,
}

/// A place in a template that is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Problem<'a> {
    /// `NAME.md` or `NAME.card.json` of what was sent, else the path of another template.
    file: Cow<'a, str>,
    /// Both from 1 on, where they are known.
    line: Option<usize>,
    column: Option<usize>,
    /// How many characters are meant.
    length: usize,
    message: Cow<'a, str>,
    hint: Cow<'a, str>,
    /// The line of the template, with a mark below what is meant.
    excerpt: Cow<'a, str>,
}

/// Renders without posting.
pub(super) async fn render(dev: &Inner, asked: Render) -> Result<Shown, Error> {
    let receiver = asked.receiver(dev.engine.loaded().routes())?;
    let now = jiff::Timestamp::now();
    let bodies = asked.bodies(now)?;
    let body = bodies.into_iter().next().unwrap_or_default();
    Notification::parse(body.as_bytes())?;
    let work = async {
        let _turn = dev.rendering.acquire().await;
        let options = dev.options.clone();
        dev.runtime
            .spawn_blocking(move || {
                let notification = Notification::parse(body.as_bytes())?;
                let (templates, name) = match asked.renderer(&options, &receiver) {
                    Err(Error::Broken(broken)) => return Ok(Shown::broken(&broken)),
                    other => other?,
                };
                let rendered = templates.render(&Subject {
                    notification: &notification,
                    receiver: &receiver.name,
                    template: &name,
                    data: Some(&receiver.messages),
                    changed: None,
                    conversation: None,
                    now,
                });
                Ok(Shown::of(name, &rendered))
            })
            .await
            .map_err(|_| Error::Panicked)?
    };
    tokio::time::timeout(Duration::from_secs(MOST_SECONDS), work)
        .await
        .map_err(|_| Error::TooSlow(MOST_SECONDS))?
}

impl Shown {
    fn of(template: String, rendered: &Rendered) -> Self {
        Self {
            template,
            parts: rendered.messages.iter().map(Part::of).collect(),
            problems: rendered.fallback.iter().map(Problem::failed).collect(),
            fallback: rendered.fallback.as_ref().map(ToString::to_string),
            limits: Limits::NOW,
        }
    }

    /// Nothing was rendered: the service refuses to load such a template.
    fn broken(broken: &[BrokenTemplate]) -> Self {
        Self {
            template: String::new(),
            parts: Vec::new(),
            problems: broken
                .iter()
                .map(|broken| Problem::from(broken).owned())
                .collect(),
            fallback: None,
            limits: Limits::NOW,
        }
    }
}

impl Limits {
    const NOW: Self = Self {
        message: MESSAGE_BYTES,
        note: NOTE_BYTES,
        card: CARD_BYTES,
    };
}

impl Part {
    fn of(message: &Message) -> Self {
        let text = plain_text(&message.markdown);
        let card = message.card.as_ref().map(|card| card.json().to_owned());
        Self {
            html: html(&message.markdown),
            bytes: Bytes {
                markdown: message.markdown.len(),
                text: text.len(),
                card: card.as_ref().map(String::len),
            },
            card: card.and_then(|card| RawValue::from_string(card).ok()),
            markdown: message.markdown.clone(),
            text,
        }
    }
}

impl<'a> From<&'a BrokenTemplate> for Problem<'a> {
    fn from(broken: &'a BrokenTemplate) -> Self {
        Self {
            file: (&broken.file).into(),
            line: broken.position.map(|(line, _)| line),
            column: broken.position.map(|(_, column)| column),
            length: marked(&broken.excerpt),
            message: (&broken.message).into(),
            hint: (&broken.hint).into(),
            excerpt: (&broken.excerpt).into(),
        }
    }
}

impl Problem<'_> {
    /// Of a template that parses and fails with this notification.
    fn failed(fallback: &Fallback) -> Problem<'static> {
        let suffix = if fallback.is_card { "" } else { ".md" };
        let (file, line, column) = match &fallback.place {
            Some((file, line, column)) => (file.clone(), Some(*line), Some(*column)),
            None => (format!("{}{suffix}", fallback.template), None, None),
        };
        Problem {
            file: file.into(),
            line,
            column,
            length: marked(&fallback.excerpt),
            message: fallback.reason.clone().into(),
            hint: "".into(),
            excerpt: fallback.excerpt.clone().into(),
        }
    }

    fn owned(self) -> Problem<'static> {
        Problem {
            file: self.file.into_owned().into(),
            line: self.line,
            column: self.column,
            length: self.length,
            message: self.message.into_owned().into(),
            hint: self.hint.into_owned().into(),
            excerpt: self.excerpt.into_owned().into(),
        }
    }
}

/// How many characters an excerpt marks.
fn marked(excerpt: &str) -> usize {
    let marks = excerpt.lines().next_back().unwrap_or_default();
    marks.chars().filter(|c| *c == '^').count().max(1)
}

/// A template that can be begun with.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    name: String,
    /// Whether all of it is built in.
    built_in: bool,
    markdown: Option<String>,
    card: Option<String>,
}

/// Text and card of each template, by name.
pub(super) fn listed(written: Vec<Written>) -> Vec<Listed> {
    let mut listed: Vec<Listed> = Vec::new();
    for file in written {
        let (name, is_card) = match file.name.strip_suffix(".card.json") {
            Some(name) => (name, true),
            None => (file.name.strip_suffix(".md").unwrap_or(&file.name), false),
        };
        let found = listed.iter().position(|known| known.name == name);
        let index = found.unwrap_or_else(|| {
            listed.push(Listed {
                name: name.to_owned(),
                built_in: true,
                markdown: None,
                card: None,
            });
            listed.len() - 1
        });
        let entry = &mut listed[index];
        entry.built_in &= file.built_in;
        if is_card {
            entry.card = Some(file.content);
        } else {
            entry.markdown = Some(file.content);
        }
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    listed
}
