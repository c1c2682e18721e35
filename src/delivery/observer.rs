//! Who watches deliveries from the same process: `dev`, which shows what the receiver is
//! doing. `serve` has nobody watch, and then nothing is done for it.
//!
//! What does not belong here: metrics and logs, which everybody has.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::outcome::Outcome;
use crate::routing::Receiver;

/// Names a delivery within this process; they count up from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub u64);

impl DeliveryId {
    /// One that no other delivery has.
    pub(super) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Is told what becomes of notifications, as it happens and from any thread: a message may be
/// posted before [`Observer::received`] is called. Calls must be quick and must not block.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A notification arrived. A second request with the same one has the same delivery; one
    /// that is a repeat, or that is not taken, has none.
    fn received(&self, receiver: &Arc<str>, delivery: Option<DeliveryId>, body: &[u8]);

    /// Webex has a message in a room, both by their ids; or it has a new version of one. A
    /// digest tells of several deliveries.
    fn posted(&self, deliveries: &[DeliveryId], room: &str, message: &str);

    /// A delivery was replaced by a newer one of its group before it was posted.
    fn superseded(&self, older: DeliveryId, newer: DeliveryId);

    /// A delivery ended.
    fn ended(&self, delivery: DeliveryId, outcome: &Outcome);

    /// Alertmanager was answered.
    fn answered(&self, receiver: &Arc<str>, answer: &Answered<'_>);

    /// The receiver to take instead, where a request names templates that are only tried out.
    fn stand_in(&self, receiver: &Arc<Receiver>, tried: &str) -> Option<Arc<Receiver>>;
}

/// What Alertmanager was told.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// HTTP status.
    pub status: u16,
    /// One of the closed set of reasons.
    pub reason: &'static str,
    /// In words, with the remedy.
    pub message: &'a str,
}
