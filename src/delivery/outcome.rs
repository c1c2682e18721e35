//! What became of a notification, told so that `http` can answer and people can mend.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::routing::{NotAssigned, Sender};

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
    /// It may go nowhere.
    NotAssigned(NotAssigned),
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
    /// The word for what refuses: `room`, `person` or `webhook`.
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
    /// Alerts that may go nowhere, while others were delivered.
    NotAssigned,
}

impl Refusal {
    /// Alerts that may go nowhere.
    pub(super) fn not_assigned(why: &NotAssigned) -> Self {
        Self {
            cause: RefusalCause::NotAssigned,
            noun: "room",
            room: "".into(),
            detail: why.to_string(),
        }
    }
}

impl Outcome {
    /// Whether Alertmanager is told that it need not send it again.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(
            self,
            Self::Delivered { .. } | Self::Partial { .. } | Self::Repeat { .. } | Self::DryRun
        )
    }

    /// The outcome of a notification whose parts came to these: what keeps one of them from
    /// being done keeps the whole; what is refused for good is so beside what is accepted.
    pub(super) fn of_parts(parts: Vec<Self>, refused: Option<Refusal>) -> Self {
        let mut accepted = 0;
        let mut refusals: Vec<Refusal> = Vec::new();
        let (mut is_dry, mut repeat) = (false, None);
        let mut worst: Option<Self> = None;
        for part in parts {
            match part {
                Self::Delivered { messages } => accepted += messages,
                Self::Partial { messages, refused } => {
                    accepted += messages;
                    refusals.extend(refused);
                }
                Self::Repeat { of } => repeat = repeat.max(Some(of)),
                Self::DryRun => is_dry = true,
                Self::Refused(refused) => refusals.extend(refused),
                part => {
                    if worst
                        .as_ref()
                        .is_none_or(|worst| part.rank() > worst.rank())
                    {
                        worst = Some(part);
                    }
                }
            }
        }
        refusals.extend(refused);
        let has_any = accepted > 0 || is_dry || repeat.is_some();
        match (worst, repeat) {
            (Some(worst), _) => worst,
            _ if has_any && !refusals.is_empty() => Self::Partial {
                messages: accepted,
                refused: refusals,
            },
            _ if !refusals.is_empty() => Self::Refused(refusals),
            (None, Some(of)) if accepted == 0 => Self::Repeat { of },
            _ if is_dry => Self::DryRun,
            _ => Self::Delivered { messages: accepted },
        }
    }

    /// Of several reasons why it is not done, the one to tell: a defect first, then what the
    /// caller must do, then what passes by itself.
    const fn rank(&self) -> u8 {
        match self {
            Self::Broken => 8,
            Self::Draining => 7,
            Self::Overloaded => 6,
            Self::Unfinished(Trouble::TokenRefused { .. }) => 5,
            Self::Unfinished(Trouble::Unavailable { .. }) => 4,
            Self::Unfinished(Trouble::RateLimited { .. } | Trouble::OverQuota { .. }) => 3,
            Self::Unfinished(Trouble::Waiting) => 2,
            Self::GivenUp => 1,
            Self::Delivered { .. }
            | Self::Partial { .. }
            | Self::Repeat { .. }
            | Self::DryRun
            | Self::Refused(_)
            | Self::NotAssigned(_) => 0,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, remedy) = match self.cause {
            RefusalCause::Room if self.noun == "person" => (
                "is unknown to Webex",
                "write the address that the person has in Webex",
            ),
            RefusalCause::Room if self.noun == "webhook" => (
                "is unknown to Webex, or switched off",
                "make one in Webex's App Hub, and put its URL into the webhook's file or variable",
            ),
            RefusalCause::Room => (
                "is unknown to Webex, or the bot is not in it",
                "add the bot to the room, or mend the room id",
            ),
            RefusalCause::Token => (
                "cannot be reached, since Webex refuses the bot's token",
                "put a valid token into the bot's secret",
            ),
            RefusalCause::NotAssigned => return f.write_str(&self.detail),
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
        /// Whom it limits.
        sender: Sender,
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
            Self::RateLimited { sender, closed_for } => write!(
                f,
                "Webex limits the rate of {sender}; it may post again in {} s",
                closed_for.as_secs().max(1)
            ),
            Self::OverQuota { per_minute } => write!(
                f,
                "this receiver has posted all that it may, {per_minute} a minute \
                 (`max_messages_per_minute`); group alerts more coarsely, or raise it"
            ),
            Self::Unavailable { detail } => write!(f, "Webex is not available: {detail}"),
            Self::TokenRefused { detail } => write!(f, "Webex refuses the bot's token: {detail}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(cause: RefusalCause) -> Refusal {
        Refusal {
            cause,
            noun: "room",
            room: "ops".into(),
            detail: "x".into(),
        }
    }

    #[test]
    fn the_worst_part_is_the_outcome_of_the_whole() {
        let delivered = || Outcome::Delivered { messages: 1 };
        let of = Timestamp::UNIX_EPOCH;
        let repeat = || Outcome::Repeat { of };
        let refused = || Outcome::Refused(vec![refusal(RefusalCause::Room)]);
        let waiting = || Outcome::Unfinished(Trouble::Waiting);
        for (parts, expected) in [
            (vec![delivered(), delivered()], "Delivered { messages: 2 }"),
            (vec![delivered(), repeat()], "Delivered { messages: 1 }"),
            (vec![repeat(), repeat()], "Repeat"),
            (vec![delivered(), refused()], "Partial { messages: 1"),
            (vec![repeat(), refused()], "Partial { messages: 0"),
            (vec![refused(), refused()], "Refused"),
            (
                vec![refused(), waiting(), delivered()],
                "Unfinished(Waiting)",
            ),
            (vec![waiting(), Outcome::Draining], "Draining"),
            (vec![Outcome::Broken, Outcome::Draining], "Broken"),
            (vec![Outcome::GivenUp, delivered()], "GivenUp"),
            (vec![Outcome::DryRun, Outcome::DryRun], "DryRun"),
        ] {
            let told = format!("{:?}", Outcome::of_parts(parts, None));
            assert!(told.starts_with(expected), "{told} is not {expected}");
        }
        let some = Some(refusal(RefusalCause::NotAssigned));
        let told = Outcome::of_parts(vec![delivered()], some);
        assert!(
            matches!(told, Outcome::Partial { messages: 1, .. }),
            "{told:?}"
        );
    }
}
