//! Faults at the turn of a knob: what goes wrong, for which requests, how often, how long.
//!
//! This module decides which faults a request meets; `answer.rs` acts them out. Standing
//! behaviour that is not a failure (may cards be edited?) is in `behaviour.rs`.

pub(super) mod catalogue;
mod condition;
mod fault;

use std::collections::HashMap;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;
use tokio::time::Instant;

use super::Error;
use super::quota::Bucket;
use condition::applies;
pub use fault::{Effect, Fault, FaultBody, RetryAfter};

/// How many faults may stand at once: more is a test that forgot to clear them.
const MOST_FAULTS: usize = 1000;

/// What a request does, where a fault asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Posts a reply.
    Reply,
    /// Edits a message.
    Edit,
    /// Asks for an access token.
    Grant,
    /// Anything else.
    Other,
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
    pub(super) act: Act,
}

/// What a request meets.
#[derive(Debug, Default)]
pub(super) struct Fate {
    pub(super) wait: Duration,
    /// Whether it meets any fault.
    pub(super) is_met: bool,
    pub(super) effect: Option<Effect>,
    /// After how many seconds there is room in the quota that it met.
    pub(super) retry_after: u64,
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
    /// What is left of a quota, by bot; requests of nobody share one.
    buckets: HashMap<String, Bucket>,
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
            buckets: HashMap::new(),
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
            if let Effect::Quota(quota) = standing.fault.effect {
                let bot = facts.bot.unwrap_or_default().to_owned();
                let bucket = standing.buckets.entry(bot);
                match bucket.or_insert_with(|| Bucket::full(quota, now)).take(now) {
                    Ok(()) => continue,
                    Err(wait) => fate.retry_after = wait,
                }
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

/// The status of a code that [`Fault`] has checked.
pub(super) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
