//! Since when each receiver waits, to be told when somebody looks.
//!
//! Only receivers for which something waits are here, so that a look takes the lock for no
//! longer than it takes to go through those.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::DeliveryId;
use super::ticket::Delivery;

/// What waits for each receiver.
#[derive(Default)]
pub(super) struct Waits(Mutex<HashMap<Arc<str>, Row>>);

/// Deliveries since when they wait, the oldest first.
type Row = BTreeSet<(Instant, DeliveryId)>;

impl Waits {
    /// A delivery waits from now on.
    pub(super) fn begins(&self, delivery: &Delivery) {
        self.insert(delivery, delivery.since());
    }

    /// A delivery takes the place of an older one, and has waited as long: a group that is
    /// brought up to date again and again would else never be old.
    pub(super) fn takes_over(&self, delivery: &Delivery, older: &Delivery) {
        let since = older.since();
        if since < delivery.since() {
            self.ends(delivery);
            delivery.waits_since(since);
            self.insert(delivery, since);
        }
    }

    /// A delivery waits no more.
    pub(super) fn ends(&self, delivery: &Delivery) {
        let receiver = &delivery.receiver.name;
        let mut waits = self.lock();
        if let Some(waiting) = waits.get_mut(receiver) {
            waiting.remove(&(delivery.since(), delivery.id));
            if waiting.is_empty() {
                waits.remove(receiver);
            }
        }
    }

    /// Since when the oldest waits, by receiver; those for which none waits are left out.
    pub(super) fn oldest(&self) -> HashMap<Arc<str>, Instant> {
        let waits = self.lock();
        let oldest = waits.iter().filter_map(|(receiver, waiting)| {
            let (since, _) = waiting.first()?;
            Some((Arc::clone(receiver), *since))
        });
        oldest.collect()
    }

    fn insert(&self, delivery: &Delivery, since: Instant) {
        self.lock()
            .entry(Arc::clone(&delivery.receiver.name))
            .or_default()
            .insert((since, delivery.id));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
