//! A notification on its way to the rooms that its alerts may go to: one delivery for each
//! part of it, one outcome for the whole.
//!
//! What does not belong here: which alert goes where (`routing`).

use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;
use tokio::time::Instant;

use super::outcome::{Outcome, Refusal};
use super::ticket::Ticket;
use super::{DeliveryId, Engine, Loaded};
use crate::alertmanager::Notification;
use crate::routing::{NotAssigned, Receiver, Whole, assign};

/// A caller's claim to be told what becomes of its notification, in all rooms that its
/// alerts go to. Dropping it cancels nothing.
pub struct Dispatch(Claim);

enum Claim {
    /// It goes one way.
    One(Ticket),
    /// It goes nowhere.
    Nowhere(NotAssigned),
    /// Parts of it go different ways, or some of its alerts nowhere.
    Parts(Parts),
}

struct Parts {
    engine: Arc<Engine>,
    receiver: Arc<Receiver>,
    tickets: Vec<Ticket>,
    refused: Option<NotAssigned>,
    withheld: usize,
    strayed: usize,
    whole: Option<Whole>,
}

impl Engine {
    /// Takes a notification for a receiver, and delivers each alert where it may go.
    ///
    /// `room` is what the webhook's URL asks for.
    pub fn dispatch(
        self: &Arc<Self>,
        loaded: &Loaded,
        receiver: &Arc<Receiver>,
        room: Option<&str>,
        notification: &Notification<'_>,
    ) -> Dispatch {
        if receiver.namespaces.is_empty() && receiver.room_from.is_none() {
            return Dispatch(self.on_all_ways(loaded, receiver, notification));
        }
        let assigned = {
            let mut known = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            assign(receiver, room, notification, &mut known, Instant::now())
        };
        let assigned = match assigned {
            Ok(assigned) => assigned,
            Err(refused) => {
                if let NotAssigned::Foreign { alerts, .. } = &refused {
                    self.metrics.withheld(&receiver.name, *alerts);
                }
                return Dispatch(Claim::Nowhere(refused));
            }
        };
        let mut tickets = Vec::new();
        for part in &assigned.parts {
            let ways = part.receiver.ways();
            let submit = |way| self.submit_by(loaded, way, &part.notification);
            tickets.extend(ways.iter().map(submit));
        }
        Dispatch(Claim::Parts(Parts {
            engine: Arc::clone(self),
            receiver: Arc::clone(receiver),
            tickets,
            refused: assigned.refused,
            withheld: assigned.withheld,
            strayed: assigned.strayed,
            whole: assigned.whole,
        }))
    }
}

impl Engine {
    /// Delivers by each bot and each webhook that the receiver has: what holds up one of them
    /// does not hold up the others.
    fn on_all_ways(
        self: &Arc<Self>,
        loaded: &Loaded,
        receiver: &Arc<Receiver>,
        notification: &Notification<'_>,
    ) -> Claim {
        let ways = receiver.ways();
        if let [only] = &ways[..] {
            return Claim::One(self.submit_by(loaded, only, notification));
        }
        let submit = |way| self.submit_by(loaded, way, notification);
        Claim::Parts(Parts {
            engine: Arc::clone(self),
            receiver: Arc::clone(receiver),
            tickets: ways.iter().map(submit).collect(),
            refused: None,
            withheld: 0,
            strayed: 0,
            whole: None,
        })
    }
}

impl Dispatch {
    /// The deliveries that it waits for, one for each way that it goes; none where the outcome
    /// of that was known at once.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Option<DeliveryId>> {
        match &self.0 {
            Claim::One(ticket) => vec![ticket.delivery()],
            Claim::Nowhere(_) => vec![None],
            Claim::Parts(parts) => parts.tickets.iter().map(Ticket::delivery).collect(),
        }
    }

    /// Waits until all of the notification is delivered or refused, but not longer than
    /// `delivery.answer_within`.
    pub async fn outcome(self) -> Outcome {
        match self.0 {
            Claim::One(ticket) => ticket.outcome().await,
            Claim::Nowhere(refused) => Outcome::NotAssigned(refused),
            Claim::Parts(parts) => parts.outcome().await,
        }
    }
}

impl Parts {
    async fn outcome(self) -> Outcome {
        let groups: Vec<_> = self.tickets.iter().filter_map(Ticket::group).collect();
        let outcomes = join_all(self.tickets.into_iter().map(Ticket::outcome)).await;
        let refused = self.refused.as_ref().map(Refusal::not_assigned);
        let outcome = Outcome::of_parts(outcomes, refused);
        // Counted once it is done: Alertmanager sends again what is not.
        if outcome.is_success() {
            let (receiver, metrics) = (&self.receiver.name, &self.engine.metrics);
            // A receiver that cannot have such alerts has no such series either.
            if self.withheld > 0 {
                metrics.withheld(receiver, self.withheld);
            }
            if self.strayed > 0 {
                metrics.strayed(receiver, self.strayed);
            }
            if let Some(whole) = self.whole {
                let rooms = self.engine.rooms.lock();
                let mut rooms = rooms.unwrap_or_else(PoisonError::into_inner);
                rooms.delivered(whole, Instant::now());
            }
        } else {
            // Alertmanager will ask for the whole again: what is done stays done until then.
            let mut memory = self.engine.memory();
            for group in groups {
                memory.untold(group);
            }
        }
        outcome
    }
}
