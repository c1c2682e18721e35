//! Conversations in the memory of this process: after a restart new ones begin.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::OwnedMutexGuard;

use super::store::{Answer, Claim, Conversations, Key};
use super::{Conversation, MOST_AGE};

/// A conversation that nobody asked for so long is over: repeats come every 4 or 12 hours.
const MOST_IDLE: Duration = Duration::from_secs(18 * 3600);
/// What all of them may take, in bytes: more than ten thousand small groups.
const MOST_BYTES: u64 = 8 * 1024 * 1024;
/// What the cache takes for one besides.
const OVERHEAD: usize = 200;

/// Keeps conversations as long as the process lives.
pub(in crate::delivery) struct InMemory {
    kept: Cache<Key, Arc<Conversation>>,
    claims: Arc<Mutex<Claims>>,
}

/// A lock for each key that somebody has or waits for.
type Claims = HashMap<Key, Arc<tokio::sync::Mutex<()>>>;

impl InMemory {
    pub(in crate::delivery) fn new() -> Self {
        Self::bounded(MOST_BYTES)
    }

    pub(super) fn bounded(bytes: u64) -> Self {
        let weigh = |_: &Key, conversation: &Arc<Conversation>| {
            let bytes = conversation.bytes() + Key::bytes() + OVERHEAD;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self {
            kept: Cache::builder()
                .max_capacity(bytes)
                .weigher(weigh)
                // How old it is, each conversation knows itself, by tokio's clock.
                .time_to_live(MOST_AGE)
                .time_to_idle(MOST_IDLE)
                .build(),
            claims: Arc::default(),
        }
    }

    /// How many claims somebody has or waits for.
    #[cfg(test)]
    pub(super) fn claims(&self) -> usize {
        lock(&self.claims).len()
    }

    /// How many bytes are kept, by the count that is bounded.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.kept.run_pending_tasks();
        self.kept.weighted_size()
    }
}

fn lock(claims: &Mutex<Claims>) -> MutexGuard<'_, Claims> {
    claims.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Conversations for InMemory {
    fn claim(&self, key: Key) -> Answer<'_, Box<dyn Claim>> {
        Box::pin(async move {
            // Whoever stops waiting gives up its place by dropping this.
            let mut place = Place {
                key,
                claims: Arc::clone(&self.claims),
                held: None,
            };
            let own = Arc::clone(lock(&self.claims).entry(place.key.clone()).or_default());
            place.held = Some(own.lock_owned().await);
            let claim: Box<dyn Claim> = Box::new(MemoryClaim {
                conversation: self.kept.get(&place.key),
                kept: self.kept.clone(),
                place,
            });
            claim
        })
    }
}

/// A place among those who want a key. The last one to leave removes its lock.
struct Place {
    key: Key,
    claims: Arc<Mutex<Claims>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut claims = lock(&self.claims);
        // The guard has a share of the lock as well.
        self.held = None;
        if claims
            .get(&self.key)
            .is_some_and(|own| Arc::strong_count(own) == 1)
        {
            claims.remove(&self.key);
        }
    }
}

struct MemoryClaim {
    conversation: Option<Arc<Conversation>>,
    kept: Cache<Key, Arc<Conversation>>,
    place: Place,
}

impl Claim for MemoryClaim {
    fn conversation(&self) -> Option<&Conversation> {
        self.conversation.as_deref()
    }

    fn keep(self: Box<Self>, conversation: Conversation) -> Answer<'static, ()> {
        Box::pin(async move {
            self.kept
                .insert(self.place.key.clone(), Arc::new(conversation));
        })
    }
}
