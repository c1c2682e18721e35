//! What became of a notification, told so that `http` can answer and people can mend.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// What became of a notification by the time its caller must be told.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Every message was accepted by Webex.
    Delivered {
        /// How many messages.
        messages: usize,
    },
    /// Some rooms have it, the others refuse for good.
    Partial {
        /// How many messages were accepted.
        messages: usize,
        /// Why the other rooms do not have it; never empty.
        refused: Vec<Refusal>,
    },
    /// The same notification was accepted a moment ago, so it was not posted again.
    Repeat {
        /// When it was accepted.
        of: Timestamp,
    },
    /// The receiver posts nothing by configuration.
    DryRun,
    /// Every room refuses for good.
    Refused(Vec<Refusal>),
    /// Not finished in time; the delivery goes on.
    Unfinished(Trouble),
    /// Nobody asked for it any more.
    GivenUp,
    /// The process is about to end; the next one will take it.
    Draining,
    /// Too much is waiting already.
    Overloaded,
    /// A defect of ours: the delivery panicked.
    Broken,
}

/// A room or a person that refuses for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is refused.
    pub cause: RefusalCause,
    /// The word for what refuses: `room` or `person`.
    pub noun: &'static str,
    /// What people call it.
    pub room: Arc<str>,
    /// Webex's own words and `trackingId`.
    pub detail: String,
}

/// What Webex refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCause {
    /// The room is unknown, or the bot is not in it: Webex tells the two not apart. Or
    /// nobody has the address.
    Room,
    /// The bot's token, for more than two minutes.
    Token,
    /// This message, in every form.
    Message,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, remedy) = match self.cause {
            RefusalCause::Room if self.noun == "person" => (
                "is unknown to Webex",
                "write the address that the person has in Webex",
            ),
            RefusalCause::Room => (
                "is unknown to Webex, or the bot is not in it",
                "add the bot to the room, or mend the room id",
            ),
            RefusalCause::Token => (
                "cannot be reached, since Webex refuses the bot's token",
                "put a valid token into the bot's secret",
            ),
            RefusalCause::Message => (
                "does not take this message",
                "look at the template; Webex's answer says more",
            ),
        };
        let Self {
            noun, room, detail, ..
        } = self;
        write!(f, "{noun} `{room}` {what} ({detail}); {remedy}")
    }
}

/// What keeps a delivery from being finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing in particular: it waits for its turn or for Webex's answer.
    Waiting,
    /// Webex said 429, and the gate stays closed for so long.
    RateLimited {
        /// Time left when it was noted.
        closed_for: Duration,
    },
    /// The receiver has posted as much as its own ceiling allows.
    OverQuota {
        /// `max_messages_per_minute`.
        per_minute: NonZeroU32,
    },
    /// Webex cannot be reached or is unwell.
    Unavailable {
        /// What happened last.
        detail: String,
    },
    /// Webex refuses the token; a rotated one may be on its way.
    TokenRefused {
        /// Where the token comes from, and Webex's words.
        detail: String,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("the message waits for its turn"),
            Self::RateLimited { closed_for } => write!(
                f,
                "Webex limits the rate of this bot; it may post again in {} s",
                closed_for.as_secs().max(1)
            ),
            Self::OverQuota { per_minute } => write!(
                f,
                "this receiver has posted its {per_minute} messages a minute \
                 (`max_messages_per_minute`); group alerts more coarsely, or raise it"
            ),
            Self::Unavailable { detail } => write!(f, "Webex is not available: {detail}"),
            Self::TokenRefused { detail } => write!(f, "Webex refuses the bot's token: {detail}"),
        }
    }
}
