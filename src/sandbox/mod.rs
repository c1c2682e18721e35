//! The sandbox: a strict stand-in for the Webex Messaging API, what Mailpit is for mail.
//!
//! It is this project's test double, what `dev` and `sandbox` serve, and a tool for anybody's
//! tests. It keeps Webex's limits to the byte and refuses where it is not known whether Webex
//! would take something: what passes here is meant to pass there. `docs/sandbox.md` says what
//! is verified and what is guessed.
//!
//! The core, [`Sandbox`], has no socket: it turns an HTTP request into a response, so tests
//! run it with tokio's clock paused. `server.rs` puts it on the network. A request passes
//! `call.rs` (taken apart), `answer.rs` (faults, token, quota, route), then `messages.rs` or
//! its like, which check and then change `state/`. `knobs/` is what tests turn and look at;
//! `control/` is the same over HTTP; `page/` shows it to people.
//!
//! Nothing of the receiver belongs here: this module knows neither alerts nor templates.

mod answer;
mod apps;
mod behaviour;
mod bots;
mod call;
mod changes;
mod control;
mod draft;
mod extension;
mod faults;
mod history;
mod ids;
mod knobs;
mod markdown;
mod memberships;
mod messages;
mod model;
mod multipart;
mod page;
mod quota;
mod refusal;
mod reply;
mod requests;
mod rooms;
mod server;
mod service_app;
mod setup;
mod state;
#[cfg(test)]
mod tests;
mod webhooks;

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};

pub use behaviour::{
    Behaviour, CardEdits, CardWithoutText, DeletedParent, IncomingWebhook, ReplyToReply,
};
pub use extension::Extension;
pub use faults::{Effect, Fault, FaultBody, RetryAfter, StandingFault};
pub use history::{Exchange, GivenAnswer, Headers, SentRequest, Version};
pub use model::{Bot, Message, Outcome, Person, RequestRecord, Room, RoomType, Upload};
pub use quota::Quota;
pub use server::Server;
pub use service_app::{ServiceApp, ServiceAppPatch, ServiceAppView};
pub use setup::{BotSetup, RoomSetup, Setup, WebhookSetup};
pub use webhooks::Webhook;

/// The HTML that Webex is taken to make of Markdown, and that its page shows: nothing in it
/// can run. Nobody is known here, so mentions of people stay text.
#[must_use]
pub fn html(markdown: &str) -> String {
    markdown::for_page(&markdown::render(markdown, |_| None).html)
}

use faults::Faults;
use requests::RequestLog;
use state::State;

/// The longest `text` or `markdown`, in UTF-8 bytes (docs/facts/webex-api.md §1: "7439 bytes", A; that it
/// counts UTF-8 is inferred).
pub const MESSAGE_LIMIT: usize = 7439;

/// How often a message can be edited (docs/facts/webex-api.md §2, A).
pub const EDIT_LIMIT: u32 = 10;

/// The largest body that is read, in bytes. Webex documents none; 100 MB goes for files, which
/// the sandbox doesn't take.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// How many calls may wait for messages at once.
const MOST_WAITERS: usize = 256;

/// A handle to a sandbox; clones share it.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    setup: Setup,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    requests: Mutex<RequestLog>,
    revision: watch::Sender<u64>,
    answers: AtomicU64,
    /// Tells this sandbox from one that was started before it.
    start: String,
    listeners: Arc<Semaphore>,
    waiters: Semaphore,
}

impl Sandbox {
    /// A sandbox that begins with `setup`.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let state = State::new(&setup);
        let (revision, _) = watch::channel(state.revision);
        Self {
            inner: Arc::new(Inner {
                setup,
                state: Mutex::new(state),
                faults: Mutex::default(),
                requests: Mutex::default(),
                revision,
                answers: AtomicU64::new(0),
                start: format!("{:08x}", fastrand::u32(..)),
                listeners: Arc::new(Semaphore::new(changes::MOST_LISTENERS)),
                waiters: Semaphore::new(MOST_WAITERS),
            }),
        }
    }

    /// Reads the state.
    fn read<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut lock(&self.inner.state))
    }

    /// Changes the state and tells those who wait for changes.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, revision) = {
            let mut state = lock(&self.inner.state);
            let result = change(&mut state);
            (result, state.revision)
        };
        // Another change may have overtaken this one between the locks.
        self.inner.revision.send_if_modified(|known| {
            let is_newer = revision > *known;
            *known = revision.max(*known);
            is_newer
        });
        result
    }

    /// Webex's name for one answer, in its shape; they count up.
    fn tracking_id(&self) -> String {
        let number = self.inner.answers.fetch_add(1, Ordering::Relaxed);
        let uuid = ids::stable_uuid(&[
            b"tracking",
            &self.inner.setup.seed.to_le_bytes(),
            &number.to_le_bytes(),
        ]);
        format!("ROUTERGW_{uuid}")
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new(Setup::default())
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

/// A panic while the lock was held harms one request, not all that follow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection breaks without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox broke this connection on purpose")]
pub struct Broken;

/// What can be wrong with a knob, a setup or the server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No bot has this name.
    #[error("there is no bot `{0}`")]
    UnknownBot(String),
    /// No room has this id or title.
    #[error("there is no room `{0}`")]
    UnknownRoom(String),
    /// No message has this id.
    #[error("there is no message `{0}`")]
    UnknownMessage(String),
    /// No webhook has this name or id.
    #[error("there is no webhook `{0}`")]
    UnknownWebhook(String),
    /// A webhook has this name already.
    #[error("there is a webhook `{0}` already")]
    WebhookExists(String),
    /// Another service app has the same client id.
    #[error("another service app has this client id already")]
    ClientTaken,
    /// As many wait for messages as may.
    #[error("{MOST_WAITERS} wait for messages already")]
    TooManyWaiters,
    /// Not of the shape of a webhook's argument.
    #[error(
        "a webhook is given as NAME=ROOM: a name without `/`, `@` and blanks, a room's id or title"
    )]
    WebhookArgument,
    /// No fault has this number.
    #[error("there is no fault {0}")]
    UnknownFault(u64),
    /// A bot has this name already.
    #[error("there is a bot `{0}` already")]
    BotExists(String),
    /// A room has this id already.
    #[error("there is a room with the id `{0}` already")]
    RoomExists(String),
    /// Another bot has the same token, so a request could be either's.
    #[error("another bot has this token already")]
    TokenTaken,
    /// As many listen to the stream of changes as may.
    #[error("{} listen to the changes already", changes::MOST_LISTENERS)]
    TooManyListeners,
    /// A value makes no sense.
    #[error("{what}: {why}")]
    Invalid {
        /// What has the value.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Not of the shape of a bot's argument. The argument may hold a token, so it is not told.
    #[error(
        "a bot is given as NAME=TOKEN: a name without `/`, `@` and blanks, a token in visible ASCII"
    )]
    BotArgument,
    /// Not of the shape of a room's argument.
    #[error("a room is given as NAME or NAME=ID, neither of them empty")]
    RoomArgument,
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The server ended on its own.
    #[error("the sandbox' server failed")]
    Serve(#[source] std::io::Error),
}
