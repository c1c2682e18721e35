//! What a caller holds while its notification is delivered, and what the two share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::Engine;
use super::memory::{Content, GroupId};
use super::outcome::{Outcome, Trouble};

/// The state of one delivery, shared by its task and all who wait for it.
pub(super) struct Delivery {
    outcome: watch::Sender<Option<Outcome>>,
    trouble: Mutex<Trouble>,
    last_asked: Mutex<Instant>,
    told: AtomicBool,
}

impl Delivery {
    pub(super) fn new() -> Self {
        Self {
            outcome: watch::Sender::new(None),
            trouble: Mutex::new(Trouble::Waiting),
            last_asked: Mutex::new(Instant::now()),
            told: AtomicBool::new(false),
        }
    }

    /// Somebody wants it, so it is not given up yet.
    pub(super) fn asked(&self) {
        *lock(&self.last_asked) = Instant::now();
    }

    /// Notes what keeps it from being finished.
    pub(super) fn troubled(&self, trouble: Trouble) {
        *lock(&self.trouble) = trouble;
    }

    /// Says how it ended to all who wait.
    pub(super) fn finish(&self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }

    /// Whether somebody was told how it ended.
    pub(super) fn is_told(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    /// Returns when nobody has asked for it for so long.
    pub(super) async fn abandoned(&self, give_up_after: Duration) {
        loop {
            let deadline = *lock(&self.last_asked) + give_up_after;
            if Instant::now() >= deadline {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A caller's claim to be told what becomes of its notification. Dropping it cancels
/// nothing.
pub struct Ticket(pub(super) Claim);

pub(super) enum Claim {
    /// It is known already.
    Known(Outcome),
    /// It is under way.
    Underway {
        delivery: Arc<Delivery>,
        engine: Arc<Engine>,
        group: GroupId,
        content: Content,
    },
}

impl Ticket {
    /// Waits until the notification is delivered or refused, but not longer than
    /// `delivery.answer_within`.
    pub async fn outcome(self) -> Outcome {
        match self.0 {
            Claim::Known(outcome) => outcome,
            Claim::Underway {
                delivery,
                engine,
                group,
                content,
            } => {
                let mut outcome = delivery.outcome.subscribe();
                let finished = timeout(
                    engine.settings.answer_within,
                    outcome.wait_for(Option::is_some),
                )
                .await;
                match finished {
                    // The sender lives in `delivery`, which we hold.
                    Ok(Ok(known)) => {
                        delivery.told.store(true, Ordering::Release);
                        engine.memory().told(group, content);
                        known.clone().unwrap_or(Outcome::Broken)
                    }
                    Ok(Err(_)) => Outcome::Broken,
                    Err(_) => Outcome::Unfinished(lock(&delivery.trouble).clone()),
                }
            }
        }
    }
}
