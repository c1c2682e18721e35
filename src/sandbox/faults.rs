//! Faults at the turn of a knob: what goes wrong, for which requests, how often, how long.
//!
//! This module decides which faults a request meets; `answer.rs` acts them out. Standing
//! behaviour that is not a failure (may cards be edited?) is in `behaviour.rs`.

use std::time::Duration;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Error;

/// How many faults may stand at once: more is a test that forgot to clear them.
const MOST_FAULTS: usize = 1000;

/// One thing that goes wrong. All conditions must hold for a request to meet it; those left
/// out always hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub effect: Effect,
    /// Only requests of this method, such as `POST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path matches, such as `/v1/messages` or `/v1/messages/*`. A `*`
    /// stands for any characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests about this room: its id, or its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Only requests of this bot, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// Ends after so many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Ends after so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// 429 before anything is done.
    TooManyRequests {
        /// The header's value; left out, there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
        /// What the answer holds.
        #[serde(default)]
        body: FaultBody,
    },
    /// Any status before anything is done. A 2xx holds no message id: a captive portal.
    Status {
        /// 200 to 599.
        code: u16,
        /// The header's value; left out, there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
        /// What the answer holds.
        #[serde(default)]
        body: FaultBody,
    },
    /// The connection closes without an answer, before anything is done.
    Reset,
    /// The request is carried out; then the connection closes, or a gateway's error is
    /// answered. The caller cannot know that its message is there.
    AcceptThenDrop {
        /// 500 to 599; left out, the connection closes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// What the answer holds.
        #[serde(default)]
        body: FaultBody,
    },
    /// No answer, ever, until the caller gives up.
    Hang {
        /// Whether the request is carried out first.
        #[serde(default)]
        accepted: bool,
    },
    /// The request waits so long before it is looked at; other faults still apply.
    Latency {
        /// Milliseconds, at most an hour.
        ms: u64,
    },
    /// 400 for a message with a card.
    CardRefused,
    /// 400 for an edit.
    EditRefused,
}

/// The value of a `Retry-After` header, sound or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "`retry_after` must be a whole number of seconds, a text, or {\"date_in_seconds\": N}"
)]
pub enum RetryAfter {
    /// A number: also zero, negative or absurd.
    Seconds(i64),
    /// An HTTP date so many seconds from the answer on.
    Date {
        /// Seconds; negative for a date that has passed.
        date_in_seconds: i64,
    },
    /// Anything, such as `rand(30),add(30)`, which was seen in production.
    Text(String),
}

/// What the answer of a fault holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// Webex's error object.
    #[default]
    Json,
    /// Nothing.
    Empty,
    /// A gateway's page, as in the documentation's own sample of a 429.
    Html,
}

impl RetryAfter {
    /// The header's value as of `now`.
    pub(super) fn header(&self, now: Timestamp) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Text(text) => text.clone(),
            Self::Date { date_in_seconds } => now
                .checked_add(SignedDuration::from_secs(*date_in_seconds))
                .unwrap_or(now)
                .strftime("%a, %d %b %Y %H:%M:%S GMT")
                .to_string(),
        }
    }
}

impl Fault {
    /// A fault that every request meets until it is cleared.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self {
            effect,
            method: None,
            path: None,
            room: None,
            bot: None,
            times: None,
            for_ms: None,
        }
    }

    /// Ends after so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Ends after so long (in whole milliseconds).
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.for_ms = Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Only requests of this method and path; `*` stands for any characters.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Only requests about this room, by id or title.
    #[must_use]
    pub fn room(mut self, room: impl Into<String>) -> Self {
        self.room = Some(room.into());
        self
    }

    /// Only requests of this bot, by name.
    #[must_use]
    pub fn bot(mut self, bot: impl Into<String>) -> Self {
        self.bot = Some(bot.into());
        self
    }

    fn check(&self) -> Result<(), Error> {
        let wrong = |why: &str| {
            Err(Error::Invalid {
                what: "fault",
                why: why.to_owned(),
            })
        };
        let header = match &self.effect {
            Effect::Status { code, .. } if !(200..=599).contains(code) => {
                return wrong("`code` must be from 200 to 599");
            }
            Effect::AcceptThenDrop {
                code: Some(code), ..
            } if !(500..=599).contains(code) => {
                return wrong("`code` of `accept_then_drop` must be from 500 to 599");
            }
            Effect::Latency { ms } if *ms > 3_600_000 => {
                return wrong("`ms` must be at most 3600000, an hour");
            }
            Effect::Status { retry_after, .. } | Effect::TooManyRequests { retry_after, .. } => {
                retry_after.as_ref()
            }
            _ => None,
        };
        if let Some(RetryAfter::Text(text)) = header
            && http::HeaderValue::from_str(text).is_err()
        {
            return wrong("`retry_after` holds characters that no header can hold");
        }
        if self.times == Some(0) {
            return wrong("`times` must be at least 1");
        }
        if let Some(method) = &self.method
            && method.parse::<Method>().is_err()
        {
            return wrong("`method` is not an HTTP method");
        }
        Ok(())
    }
}

/// What a request looks like to a fault.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) bot: Option<&'a str>,
    /// Id and title.
    pub(super) room: Option<(&'a str, &'a str)>,
    pub(super) has_card: bool,
    pub(super) is_edit: bool,
}

/// What a request meets.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fate {
    pub(super) wait: Duration,
    /// Whether it meets any fault.
    pub(super) is_met: bool,
    pub(super) effect: Option<Effect>,
}

/// A fault that stands, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StandingFault {
    /// To clear it by.
    pub id: u64,
    /// The fault, with `times` and `for_ms` as they are left.
    pub fault: Fault,
    /// How many requests have met it.
    pub met: u64,
}

#[derive(Debug)]
struct Standing {
    id: u64,
    fault: Fault,
    until: Option<Instant>,
    met: u64,
}

impl Standing {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until) || self.fault.times == Some(0)
    }
}

/// The faults that stand, in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Faults {
    standing: Vec<Standing>,
    last_id: u64,
}

impl Faults {
    pub(super) fn set(&mut self, fault: Fault, now: Instant) -> Result<u64, Error> {
        fault.check()?;
        self.standing.retain(|standing| !standing.is_over(now));
        if self.standing.len() >= MOST_FAULTS {
            return Err(Error::Invalid {
                what: "fault",
                why: format!("{MOST_FAULTS} faults stand already; clear some"),
            });
        }
        self.last_id += 1;
        self.standing.push(Standing {
            id: self.last_id,
            // A time too far to add is one that never comes.
            until: fault
                .for_ms
                .and_then(|ms| now.checked_add(Duration::from_millis(ms))),
            fault,
            met: 0,
        });
        Ok(self.last_id)
    }

    /// When the next one ends with its time.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.standing
            .iter()
            .filter_map(|standing| standing.until)
            .min()
    }

    /// Lets go of those that have ended; whether there were any.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let before = self.standing.len();
        self.standing.retain(|standing| !standing.is_over(now));
        self.standing.len() < before
    }

    pub(super) fn clear(&mut self, id: u64) -> bool {
        let before = self.standing.len();
        self.standing.retain(|standing| standing.id != id);
        self.standing.len() < before
    }

    pub(super) fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }

    pub(super) fn clear_all(&mut self) {
        self.standing.clear();
    }

    pub(super) fn list(&mut self, now: Instant) -> Vec<StandingFault> {
        self.standing.retain(|standing| !standing.is_over(now));
        self.standing
            .iter()
            .map(|standing| StandingFault {
                id: standing.id,
                met: standing.met,
                fault: Fault {
                    for_ms: standing.until.map(|until| {
                        let left = until.saturating_duration_since(now);
                        u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
                    }),
                    ..standing.fault.clone()
                },
            })
            .collect()
    }

    /// What this request meets: all latencies that apply, and the first other fault. Whatever
    /// it meets is counted off.
    pub(super) fn meet(&mut self, facts: &Facts<'_>, now: Instant) -> Fate {
        let mut fate = Fate::default();
        if self.standing.is_empty() {
            return fate;
        }
        self.standing.retain(|standing| !standing.is_over(now));
        for standing in &mut self.standing {
            let is_latency = matches!(standing.fault.effect, Effect::Latency { .. });
            if (fate.effect.is_some() && !is_latency) || !applies(&standing.fault, facts) {
                continue;
            }
            standing.met += 1;
            fate.is_met = true;
            if let Some(times) = &mut standing.fault.times {
                *times = times.saturating_sub(1);
            }
            match &standing.fault.effect {
                Effect::Latency { ms } => fate.wait += Duration::from_millis(*ms),
                effect => fate.effect = Some(effect.clone()),
            }
        }
        fate
    }
}

fn applies(fault: &Fault, facts: &Facts<'_>) -> bool {
    let of_its_kind = match fault.effect {
        Effect::CardRefused => facts.has_card,
        Effect::EditRefused => facts.is_edit,
        _ => true,
    };
    of_its_kind
        && fault
            .method
            .as_deref()
            .is_none_or(|method| method.eq_ignore_ascii_case(facts.method.as_str()))
        && fault
            .path
            .as_deref()
            .is_none_or(|pattern| matches_pattern(pattern, facts.path))
        && fault
            .bot
            .as_deref()
            .is_none_or(|bot| facts.bot == Some(bot))
        && fault.room.as_deref().is_none_or(|room| {
            facts
                .room
                .is_some_and(|(id, title)| room == id || room == title)
        })
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters. Greedy with one
/// point to go back to, so the cost is at most the product of both lengths.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut back = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            back = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = back {
            p = star + 1;
            t = from + 1;
            back = Some((star, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// The status of a code that [`Fault`] has checked.
pub(super) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
