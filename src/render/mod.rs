//! What people read: turns a notification into Webex messages.
//!
//! Why a module of its own: an alert is never lost to its own decoration. Whatever a
//! template does, [`Renderer::render`] returns at least one message within Webex's limit,
//! and what alerts hold arrives as visible text, never as markup.
//!
//! The way of a notification through here: `context` makes it the data that templates
//! see, `engine` runs the templates of text and card under `escape`, `split` makes as many
//! messages of the result as it takes, and `fallback` stands in where a template fails.
//!
//! What does not belong here: posting, retrying, and where messages go.

mod card;
mod code;
mod context;
mod conversation;
mod cut;
mod digest;
mod directory;
mod engine;
mod error;
mod escape;
mod fallback;
mod filters;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod guard;
mod hint;
mod layout;
mod limits;
mod links;
mod listing;
mod mention;
mod names;
mod pattern;
mod plain;
mod receiver;
mod rewrite;
pub mod samples;
mod severity;
mod shorten;
mod source;
mod split;
mod time;
mod title;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alertmanager::Notification;

pub use card::{CARD_BYTES, Card};
pub use conversation::Conversation;
pub use digest::{DIGEST_BYTES, ENTRY_BYTES, Entry};
pub use error::{BrokenTemplate, Error};
pub use fallback::Fallback;
pub use listing::{Written, written};
pub use mention::{Address, Mention};
pub use plain::plain_text;
pub use receiver::ReceiverData;
pub use rewrite::{Rewrites, is_below};
pub use split::MAX_PARTS;

/// The longest `markdown` or `text` that Webex takes, in bytes of UTF-8
/// (`public-spec/webex-messaging.json` of webex/webex-openapi-specs).
pub const MESSAGE_BYTES: usize = 7439;

/// What is kept free in each message for notes that are known only when it is posted:
/// late, partial, part 2/5.
pub const NOTE_BYTES: usize = 300;

/// What [`Renderer::render`] may fill of a message.
const RENDERED_BYTES: usize = MESSAGE_BYTES - NOTE_BYTES;

/// The built-in template, and the one that stands in for a failed one.
pub const DEFAULT_TEMPLATE: &str = "default";

/// The template of replies, whatever the receiver's own is: the first message of the thread
/// has told the rest.
pub const THREAD_TEMPLATE: &str = "thread";

/// Templates that are made without Tera, unless the directory has files of these names: one
/// line a notification, and the one that cannot fail.
const DIGEST_TEMPLATE: &str = "digest";
const FALLBACK_TEMPLATE: &str = "fallback";

/// Where templates come from, besides the built-in ones, and what is the same for all.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds `NAME.md` and `NAME.card.json` files, which add to the built-in templates or
    /// override them by name.
    pub directory: Option<PathBuf>,
    /// Single files, which add to the others or override them by name.
    pub files: Vec<PathBuf>,
    /// Templates that are in no file, by file name (`team.md`, `team.card.json`) and content,
    /// which add to all others or override them. No file is written for them.
    pub sources: Vec<(String, String)>,
    /// The zone in which times are told.
    pub timezone: TimeZone,
    /// What becomes of addresses that readers cannot reach.
    pub links: Rewrites,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            directory: None,
            files: Vec::new(),
            sources: Vec::new(),
            timezone: TimeZone::UTC,
            links: Rewrites::default(),
        }
    }
}

/// What depends on where the readers are.
#[derive(Debug)]
struct Locality {
    timezone: TimeZone,
    links: Rewrites,
}

/// All templates, parsed.
#[derive(Debug)]
pub struct Renderer {
    engine: engine::Engine,
    locality: Arc<Locality>,
}

/// What is to be rendered.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What Alertmanager sent.
    pub notification: &'a Notification<'a>,
    /// Name of the configured receiver, which templates see as `configured_receiver`.
    pub receiver: &'a str,
    /// Name of the template: `default` means `default.md`.
    pub template: &'a str,
    /// What the receiver's configuration adds; without it there are no `settings` and nobody
    /// is mentioned.
    pub data: Option<&'a ReceiverData>,
    /// Which alerts, by index, are new or newly resolved since what was delivered last of
    /// this group. `None` where that is not known; then all are taken for changed.
    pub changed: Option<&'a [usize]>,
    /// Where the message stands in the group's conversation. `None` where the receiver has
    /// none; where there is one, it says what has changed, and `changed` is not read.
    pub conversation: Option<Conversation<'a>>,
    /// Passed in so that the same notification always renders to the same text.
    pub now: Timestamp,
}

impl<'a> Subject<'a> {
    /// The template that is run: a reply has one of its own.
    fn template(&self) -> &'a str {
        match &self.conversation {
            Some(conversation) if conversation.is_reply => THREAD_TEMPLATE,
            _ => self.template,
        }
    }
}

/// What a notification became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Never empty; in the order in which they are to be posted.
    pub messages: Vec<Message>,
    /// Set where the template failed and something plainer stands in for it.
    pub fallback: Option<Fallback>,
}

/// What is posted to Webex once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// In Webex's Markdown, with [`NOTE_BYTES`] to spare below [`MESSAGE_BYTES`].
    pub markdown: String,
    /// Goes beside the Markdown, which says the same where a card cannot be shown.
    pub card: Option<Card>,
}

impl Message {
    fn new(markdown: String) -> Self {
        Self {
            markdown,
            card: None,
        }
    }

    /// What it takes in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.markdown.len() + self.card.as_ref().map_or(0, |card| card.json().len())
    }

    /// Adds a paragraph below, such as that the message is late.
    ///
    /// The note is plain text, is escaped here, and is cut where it would take more than
    /// [`NOTE_BYTES`]. The message stays within [`MESSAGE_BYTES`] whatever it held before.
    pub fn append_note(&mut self, note: &str) {
        cut::append_note(&mut self.markdown, note, NOTE_BYTES, MESSAGE_BYTES);
    }
}

impl Renderer {
    /// Parses all templates, the built-in ones and those of the directory.
    ///
    /// # Errors
    /// When the directory cannot be read, or when templates do not parse or refer to what
    /// does not exist. All broken templates are named, each with line and column.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let files = directory::all(options)?;
        let locality = Arc::new(Locality {
            timezone: options.timezone.clone(),
            links: options.links.clone(),
        });
        Ok(Self {
            engine: engine::Engine::new(&files, &locality)?,
            locality,
        })
    }

    /// Whether there is a template of that name; `default` means `default.md`.
    #[must_use]
    pub fn contains(&self, template: &str) -> bool {
        [DIGEST_TEMPLATE, FALLBACK_TEMPLATE].contains(&template) || self.engine.contains(template)
    }

    /// Whether a card goes with the messages of a template.
    #[must_use]
    pub fn has_card(&self, template: &str) -> bool {
        self.engine.has_card(template)
    }

    /// The names that [`Self::contains`] accepts, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = self.engine.names();
        names.extend([DIGEST_TEMPLATE, FALLBACK_TEMPLATE].map(str::to_owned));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What stands for a notification in a digest: one line, made by the directory's
    /// `digest.md` where there is one.
    #[must_use]
    pub fn entry(&self, subject: &Subject<'_>) -> Entry {
        let entry = self.line(subject);
        if !self.engine.contains(DIGEST_TEMPLATE) {
            return entry;
        }
        let context = context::build(subject, &self.locality);
        match self.engine.render(DIGEST_TEMPLATE, &context) {
            Ok(text) => entry.with_line(&text),
            Err(_) => entry,
        }
    }

    /// One message for many notifications: how many there are by status and severity, then a
    /// line each, the most severe first. What does not fit is counted.
    #[must_use]
    pub fn digest(&self, entries: &[&Entry]) -> Message {
        digest::message(entries)
    }

    /// Whether an entry fits into a digest beside others of so many bytes
    /// ([`Entry::bytes`]).
    #[must_use]
    pub fn digest_fits(&self, bytes_so_far: usize, entry: &Entry) -> bool {
        bytes_so_far + entry.bytes() <= DIGEST_BYTES
    }

    /// Renders a notification. Cannot fail: a template that fails falls back to the
    /// built-in `default`, and that to a text made without templates. The message then
    /// says so, because the template's author reads the room and not our log.
    #[must_use]
    pub fn render(&self, subject: &Subject<'_>) -> Rendered {
        self.render_with(subject, true)
    }

    /// As [`Self::render`], without a card: for messages that are to be edited, since Webex
    /// edits none that has one.
    #[must_use]
    pub fn render_without_card(&self, subject: &Subject<'_>) -> Rendered {
        self.render_with(subject, false)
    }

    fn render_with(&self, subject: &Subject<'_>, with_card: bool) -> Rendered {
        let (text, card, failed) = self.text_and_card(subject, with_card);
        let mut note = failed.as_ref().map(Fallback::note).unwrap_or_default();
        let notes = subject.notification.notes.join(" ");
        note.push_str(&cut::note_paragraph(&notes, NOTE_BYTES));
        // Who sees a card does not see the text beside it.
        let card = card.and_then(|card| card.with_note(&notes));
        let reserved = note.len();
        let texts = match split::whole(&text, reserved) {
            Some(whole) => vec![whole],
            None => split::split(&split::Source {
                text: &text,
                title: &fallback::title(subject.notification),
                alertmanager_url: &self.alertmanager_url(subject.notification),
                reserved,
                card: card.is_some(),
            }),
        };
        let mut messages: Vec<Message> = texts.into_iter().map(Message::new).collect();
        if let Some(first) = messages.first_mut() {
            first.markdown.push_str(&note);
            first.card = card;
        }
        Rendered {
            messages,
            fallback: failed,
        }
    }

    /// What the first template of the chain makes that does not fail.
    fn text_and_card(
        &self,
        subject: &Subject<'_>,
        with_card: bool,
    ) -> (String, Option<Card>, Option<Fallback>) {
        let template = subject.template();
        if !self.engine.contains(template) {
            match template {
                FALLBACK_TEMPLATE => return (last_resort(subject), None, None),
                DIGEST_TEMPLATE => return (self.line(subject).markdown(), None, None),
                _ => {}
            }
        }
        let mut context = context::build(subject, &self.locality);
        let failed = match self.engine.render(template, &context) {
            Ok(text) if !with_card => return (text, None, None),
            // A card that showed something else than the text beside it would confuse, so
            // there is none where the template failed.
            Ok(text) => {
                return match self.engine.card(template, &mut context) {
                    Ok(card) => (text, card, None),
                    Err(failed) => (text, None, Some(failed)),
                };
            }
            Err(failed) => failed,
        };
        let text = (template == THREAD_TEMPLATE)
            .then(|| self.engine.render_built_in(THREAD_TEMPLATE, &context))
            .and_then(Result::ok)
            .or_else(|| {
                let default = self.engine.render_built_in(DEFAULT_TEMPLATE, &context);
                default.ok()
            })
            .unwrap_or_else(|| last_resort(subject));
        (text, None, Some(failed))
    }

    /// The entry that is made without a template.
    fn line(&self, subject: &Subject<'_>) -> Entry {
        let external = &subject.notification.external_url;
        Entry::new(subject.notification, &self.locality.links.apply(external))
    }

    /// Where readers find the alerts in Alertmanager.
    fn alertmanager_url(&self, notification: &Notification<'_>) -> String {
        let external = self.locality.links.apply(&notification.external_url);
        links::alertmanager(&external, &notification.receiver)
    }
}

/// Whoever is to be mentioned is so without a template as well.
fn last_resort(subject: &Subject<'_>) -> String {
    let text = fallback::text(subject.notification);
    match context::mention(subject) {
        "" => text,
        mention => format!("{mention} {text}"),
    }
}
