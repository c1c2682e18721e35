//! What people read: turns a notification into Webex messages.
//!
//! Why a module of its own: an alert is never lost to its own decoration. Whatever a
//! template does, [`Renderer::render`] returns at least one message within Webex's limit,
//! and what alerts hold arrives as visible text, never as markup.
//!
//! The way of a notification through here: `context` makes it the data that templates
//! see, `engine` runs the template under `escape`, `split` fits the result into a
//! message, and `fallback` stands in where the template fails.
//!
//! What does not belong here: posting, retrying, and where messages go.

mod card;
mod code;
mod context;
mod digest;
mod directory;
mod engine;
mod error;
mod escape;
mod fallback;
mod filters;
mod hint;
mod layout;
mod links;
mod mention;
mod pattern;
mod plain;
mod receiver;
mod rewrite;
mod severity;
mod shorten;
mod split;
mod time;
mod title;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alertmanager::Notification;

pub use card::Card;
pub use digest::{DIGEST_BYTES, ENTRY_BYTES, Entry};
pub use error::{BrokenTemplate, Error};
pub use fallback::Fallback;
pub use mention::{Address, Mention};
pub use plain::plain_text;
pub use receiver::ReceiverData;
pub use rewrite::{Rewrites, is_below};

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

/// Where templates come from, besides the built-in ones, and what is the same for all.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds `NAME.md` files, which add to the built-in templates or override them by name.
    pub directory: Option<PathBuf>,
    /// The zone in which times are told.
    pub timezone: TimeZone,
    /// What becomes of addresses that readers cannot reach.
    pub links: Rewrites,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            directory: None,
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
    /// Passed in so that the same notification always renders to the same text.
    pub now: Timestamp,
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

    /// Adds a paragraph below, such as that the message is late.
    ///
    /// The note is plain text, is escaped here, and is cut where it would take more than
    /// [`NOTE_BYTES`]. The message stays within [`MESSAGE_BYTES`] whatever it held before.
    pub fn append_note(&mut self, note: &str) {
        split::append_note(&mut self.markdown, note, NOTE_BYTES, MESSAGE_BYTES);
    }
}

impl Renderer {
    /// Parses all templates, the built-in ones and those of the directory.
    ///
    /// # Errors
    /// When the directory cannot be read, or when templates do not parse or refer to what
    /// does not exist. All broken templates are named, each with line and column.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let files = match &options.directory {
            Some(directory) => directory::read(directory)?,
            None => Vec::new(),
        };
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
        self.engine.contains(template)
    }

    /// The names that [`Self::contains`] accepts, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.engine.names()
    }

    /// What stands for a notification in a digest.
    #[must_use]
    pub fn entry(&self, subject: &Subject<'_>) -> Entry {
        let external = &subject.notification.external_url;
        Entry::new(subject.notification, &self.locality.links.apply(external))
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
        let context = context::build(subject, &self.locality);
        let (text, failed) = match self.engine.render(subject.template, &context) {
            Ok(text) => (text, None),
            Err(failed) => match self.engine.render_default(&context) {
                Ok(text) => (text, Some(failed)),
                Err(_) => (last_resort(subject), Some(failed)),
            },
        };
        let note = failed.as_ref().map(Fallback::note);
        let reserved = note.as_ref().map_or(0, String::len);
        let mut markdown = split::fit(&text, RENDERED_BYTES - reserved);
        if let Some(note) = note {
            markdown.push_str(&note);
        }
        Rendered {
            messages: vec![Message::new(markdown)],
            fallback: failed,
        }
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
