//! What the log is told of deliveries and bots: how each notification ended, and each change of
//! a state once. `docs/logging.md` lists the lines.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Engine;
use super::attempt::Attempt;
use super::bot::Bot;
use super::job::{Settled, StateChange};
use super::outcome::{Outcome, Trouble};
use super::ticket::Delivery;
use crate::routing::{Receiver, Sender};

/// What an attempt means for the run of failures of its room.
pub(super) enum Run {
    /// Webex answered.
    Ends,
    /// It failed, and is tried again.
    Fails(String),
    /// It says nothing of that.
    GoesOn,
}

impl Run {
    pub(super) fn of(attempt: &Attempt) -> Self {
        match (&attempt.settled, &attempt.failure) {
            (_, Some(failure)) => Self::Fails(failure.clone()),
            (Settled::Accepted | Settled::RoomRefused(_) | Settled::MessageRefused(_), None) => {
                Self::Ends
            }
            _ => Self::GoesOn,
        }
    }
}

/// How things are after an attempt.
pub(super) struct QueueState {
    pub(super) closed_for: Duration,
    /// Messages a second.
    pub(super) pace: f64,
    pub(super) is_outage: bool,
}

impl Bot {
    /// A change of state is a line in the log; a repetition is not.
    pub(super) fn tell_log(&self, change: StateChange, state: &QueueState) {
        let (bot, sender) = (&self.name, self.sender());
        let closed_seconds = state.closed_for.as_secs();
        let per_second = (state.pace * 10.0).round() / 10.0;
        match change {
            StateChange::GateClosed if !self.told_limited.swap(true, Ordering::AcqRel) => {
                tracing::warn!(
                    %bot, closed_seconds, messages_per_second = per_second,
                    "Webex limits {sender}: nothing is sent for {closed_seconds} s, and then at most {per_second} a second",
                );
            }
            StateChange::GateClosed => {
                tracing::debug!(%bot, closed_seconds, "Webex still limits {sender}: nothing is sent for {closed_seconds} s");
            }
            StateChange::GateOpened => {
                self.told_limited.store(false, Ordering::Release);
                tracing::info!(
                    %bot, messages_per_second = per_second,
                    "Webex takes messages of {sender} again, {per_second} a second for now",
                );
            }
            StateChange::OutageBegan => {
                let error = self.last_error().unwrap_or_default();
                tracing::warn!(
                    %bot, %error,
                    "Webex is not available for {sender}, so all its messages wait and one at a time is tried: {error}",
                );
            }
            StateChange::OutageEnded => {
                tracing::info!(%bot, "Webex is available for {sender} again, and what waited is sent");
            }
        }
    }

    /// The first of a run of failures of a room is a line, and so is the end of the run. In an
    /// outage no room is told of by itself.
    pub(super) fn tell_run(
        &self,
        run: &Run,
        room: &Arc<str>,
        changes: &[StateChange],
        is_outage: bool,
    ) {
        let (bot, sender) = (&self.name, self.sender());
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if changes.contains(&StateChange::OutageEnded) {
            failing.clear();
        }
        match run {
            Run::GoesOn => {}
            Run::Ends => {
                if let Some((failures, lasted)) = failing.answered(room, Instant::now()) {
                    let failed_seconds = lasted.as_secs_f64();
                    tracing::info!(
                        %bot, %room, failures, failed_seconds,
                        "Webex answers {sender} for room `{room}` again; failed requests meanwhile: {failures}",
                    );
                }
            }
            Run::Fails(error) => {
                if failing.failed(room, Instant::now()) && !is_outage {
                    tracing::warn!(
                        %bot, %room, %error,
                        "a message of {sender} for room `{room}` failed and is tried again until Webex has it: {error}",
                    );
                }
            }
        }
    }
}

impl Engine {
    /// That no more may wait is a line in the log when it begins and when it ends.
    pub(super) fn tell_full(&self, is_full: bool) {
        if self.told_full.load(Ordering::Acquire) == is_full {
            return;
        }
        if self.told_full.swap(is_full, Ordering::AcqRel) == is_full {
            return; // Another request was quicker.
        }
        let waiting = *self.waiting.borrow();
        if is_full {
            tracing::warn!(
                waiting,
                "{waiting} notifications wait, as many as `delivery.max_waiting` or `delivery.max_waiting_bytes` allow, so new ones are answered 503 and Alertmanager keeps them",
            );
        } else {
            tracing::info!(waiting, "notifications are taken again, since fewer wait");
        }
    }

    /// That a template fails is a line in the log when it begins and when it ends.
    pub(super) fn tell_template(
        &self,
        receiver: &Receiver,
        error: Option<&impl std::fmt::Display>,
    ) {
        let (receiver, template) = (&receiver.name, &receiver.template);
        let mut plainer = self.plainer.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) if !plainer.contains(receiver) => {
                plainer.insert(Arc::clone(receiver));
                tracing::warn!(
                    %receiver, %template, %error,
                    "a plainer message stands in for that of template `{template}` of receiver `{receiver}`; `check` shows what is wrong with it: {error}",
                );
            }
            Some(error) => {
                tracing::debug!(%receiver, %template, %error, "template `{template}` of receiver `{receiver}` still fails: {error}");
            }
            None if plainer.is_empty() => {}
            None => {
                if plainer.remove(receiver) {
                    tracing::info!(%receiver, %template, "template `{template}` of receiver `{receiver}` works again");
                }
            }
        }
    }
}

/// Says how a delivery ended, once, at the level that it deserves. That a room refuses was
/// said when it began.
pub(super) fn tell_log(delivery: &Delivery, outcome: &Outcome) {
    let receiver = &delivery.receiver.name;
    let group = &delivery.group_key;
    let first = delivery.receiver.destinations.first();
    let bot = &first.map_or_else(Arc::default, |first| Arc::clone(&first.bot));
    let took_seconds = delivery.began.elapsed().as_secs_f64();
    match outcome {
        Outcome::Delivered { messages } => {
            // As text, which a line takes in as it is: this line comes with each notification.
            let (receiver, bot, group): (&str, &str, &str) = (receiver, bot, group);
            let outcome = "delivered";
            tracing::info!(
                receiver,
                bot,
                group,
                outcome,
                messages,
                took_seconds,
                "delivered a notification of receiver `{receiver}`",
            );
        }
        Outcome::Partial { messages, refused } => {
            let refused = refused.len();
            tracing::info!(
                %receiver, %bot, %group, outcome = "partial", messages, refused, took_seconds,
                "delivered a notification of receiver `{receiver}` to some of its rooms, and {refused} refused it",
            );
        }
        Outcome::Refused(refused) => {
            let (refused, sender) = (refused.len(), Sender::named(bot));
            tracing::info!(
                %receiver, %bot, %group, outcome = "refused", refused, took_seconds,
                "a notification of receiver `{receiver}` was refused by every room that {sender} has for it",
            );
        }
        Outcome::GivenUp => {
            let trouble = delivery.trouble().unwrap_or(Trouble::Waiting);
            tracing::warn!(
                %receiver, %bot, %group, outcome = "given_up", %trouble, took_seconds,
                "gave up a notification of receiver `{receiver}`, since Alertmanager does not ask for it any more: {trouble}",
            );
        }
        Outcome::Draining => {
            tracing::info!(
                %receiver, %bot, %group, outcome = "draining", took_seconds,
                "gave back a notification of receiver `{receiver}` to Alertmanager, since this process is about to end",
            );
        }
        Outcome::Broken => {
            tracing::error!(
                %receiver, %bot, %group, outcome = "internal", took_seconds,
                "a delivery of receiver `{receiver}` panicked, and Alertmanager is asked to send it again; please report this defect",
            );
        }
        Outcome::Repeat { .. }
        | Outcome::NotAssigned(_)
        | Outcome::DryRun
        | Outcome::Unfinished(_)
        | Outcome::Overloaded => {}
    }
}
