//! How a receiver is, and why: pure decisions about what is remembered of it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::super::answers::Reason;
use super::super::judged;
use crate::delivery::{DeadRoom, Last, Outcome, Standing, Trouble};

/// How a receiver is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Its newest notification was not delivered, or a room refuses.
    Failing,
    /// The newest request was refused before it became a notification.
    Rejected,
    /// Notifications wait.
    Waiting,
    /// Its newest notification was delivered.
    Ok,
    /// No notification came since the process runs.
    Unused,
}

impl State {
    /// Those that a query names.
    pub(super) fn named(name: &str) -> Option<Vec<Self>> {
        Some(match name {
            "" => Vec::new(),
            "trouble" => vec![Self::Failing, Self::Rejected, Self::Waiting],
            "failing" => vec![Self::Failing],
            "rejected" => vec![Self::Rejected],
            "waiting" => vec![Self::Waiting],
            "ok" => vec![Self::Ok],
            "unused" => vec![Self::Unused],
            _ => return None,
        })
    }
}

/// What is known of a receiver.
pub(super) struct Known<'a> {
    pub(super) standing: Option<&'a Standing>,
    /// The rooms of its configuration that refuse.
    pub(super) dead: &'a [&'a DeadRoom],
    /// Notifications that have not ended.
    pub(super) waiting: u64,
    /// When the oldest of them came.
    pub(super) oldest: Option<Timestamp>,
    /// What keeps its bots from sending, asked only where something waits.
    pub(super) trouble: Option<Trouble>,
}

/// How a receiver is, and why.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) state: State,
    pub(super) reason: Option<&'static str>,
    pub(super) message: Option<String>,
    pub(super) since: Option<Timestamp>,
}

impl Known<'_> {
    /// How it is. Cheap, as it is asked of every receiver.
    pub(super) fn state(&self) -> State {
        let last = self.standing.and_then(|standing| standing.last.as_deref());
        if !self.dead.is_empty() || self.has_bad_bot() {
            return State::Failing;
        }
        if last.is_some_and(|last| !last.is_good()) && !(self.waiting > 0 && is_for_now(last)) {
            return State::Failing;
        }
        if self
            .standing
            .is_some_and(|one| one.refused_last().is_some())
        {
            return State::Rejected;
        }
        match last {
            _ if self.waiting > 0 => State::Waiting,
            Some(_) => State::Ok,
            None => State::Unused,
        }
    }

    /// Whether what waits cannot be sent until somebody does something.
    fn has_bad_bot(&self) -> bool {
        let is_bad = |trouble: &Trouble| {
            matches!(
                trouble,
                Trouble::Unavailable { .. } | Trouble::TokenRefused { .. }
            )
        };
        self.waiting > 0 && self.trouble.as_ref().is_some_and(is_bad)
    }

    /// How it is, with the words for it.
    pub(super) fn verdict(&self) -> Verdict {
        let state = self.state();
        let (reason, message, since) = match (state, self.standing) {
            (State::Failing, _) if self.has_bad_bot() => self.of_trouble(),
            (State::Failing, _) if !self.dead.is_empty() => self.of_dead(),
            (State::Rejected, Some(standing)) => match standing.refused_last() {
                Some(refused) => (
                    Some(refused.told.reason),
                    Some(refused.told.message.clone()),
                    Some(refused.since),
                ),
                None => (None, None, None),
            },
            (State::Waiting, _) => self.of_trouble(),
            (State::Failing | State::Ok, Some(standing)) => match told(standing) {
                Some((reason, message)) => (Some(reason), Some(message), Some(standing.since)),
                None => (None, None, None),
            },
            _ => (None, None, None),
        };
        Verdict {
            state,
            reason,
            message,
            since,
        }
    }

    fn of_trouble(&self) -> (Option<&'static str>, Option<String>, Option<Timestamp>) {
        let trouble = self.trouble.clone().unwrap_or(Trouble::Waiting);
        let (reason, message) = trouble_in_words(&trouble);
        (Some(reason), Some(message), self.oldest)
    }

    fn of_dead(&self) -> (Option<&'static str>, Option<String>, Option<Timestamp>) {
        let since = self.dead.iter().map(|room| room.since).min();
        let refusals = self.dead.iter().map(|room| room.refusal.clone()).collect();
        let (reason, message) = in_words(Outcome::Refused(refusals));
        (Some(reason), Some(message), since)
    }
}

/// Whether this passes by itself once what waits is sent.
fn is_for_now(last: Option<&Last>) -> bool {
    let Some(Last::Answered(told)) = last else {
        return false;
    };
    matches!(
        told.reason,
        "waiting" | "rate_limited" | "over_quota" | "webex_unavailable" | "token_refused"
    ) && told.status == 503
}

/// Reason and message of the newest event.
pub(super) fn told(standing: &Standing) -> Option<(&'static str, String)> {
    Some(match standing.last.as_deref()? {
        Last::Ended(outcome) => in_words(outcome.clone()),
        Last::Answered(told) => (told.reason, told.message.clone()),
    })
}

/// Reason and message of an outcome, as a caller would be told.
pub(super) fn in_words(outcome: Outcome) -> (&'static str, String) {
    let (reason, message) = judged(outcome);
    (Reason::as_str(reason), message)
}

/// What keeps a bot from sending, in words and with the remedy.
pub(super) fn trouble_in_words(trouble: &Trouble) -> (&'static str, String) {
    let (reason, _) = in_words(Outcome::Unfinished(trouble.clone()));
    let remedy = match trouble {
        Trouble::TokenRefused { .. } => {
            "; put a valid token there: a file is read again without a restart"
        }
        Trouble::Unavailable { .. } => {
            "; nothing is lost, what waits is sent once Webex answers: look at \
             https://status.webex.com and at the way to it"
        }
        Trouble::RateLimited { .. } => "; nothing is lost, what waits is sent then",
        // It has its own.
        Trouble::OverQuota { .. } | Trouble::Waiting => "",
    };
    (reason, format!("{trouble}{remedy}"))
}

/// A name as it is shown. An id is of no use to a person, so its end stands for it.
pub(super) fn short(id: &str) -> Arc<str> {
    const KEPT: usize = 8;
    let skip = id.chars().count().saturating_sub(KEPT);
    let end: String = id.chars().skip(skip).collect();
    format!("…{end}").into()
}
