//! How much of the status a caller may see.
//!
//! The whole is where metrics are and for whom they are. One receiver's part is for whoever
//! may post to it, wherever that is possible; a stranger cannot tell from the answers which
//! receivers there are, as little as from those to a notification.

use std::sync::Arc;

use actix_http::RequestHead;

use super::super::answers::Rejection;
use super::super::connection::Peer;
use super::super::notifications::with_near;
use super::super::{Current, Door};
use crate::routing::Receiver;

/// What a caller may see.
pub(super) enum Sight {
    /// All receivers. `all` where that holds for what their credentials guard as well, and for
    /// what is wrong with the configuration: for whoever may reload.
    Whole {
        /// Whether nothing is left out.
        all: bool,
    },
    /// This receiver.
    One(Arc<Receiver>),
}

impl Sight {
    /// What this request may see. `is_apart` says whether metrics and the like have a door of
    /// their own.
    ///
    /// # Errors
    /// When that is nothing.
    pub(super) fn of(
        current: &Current,
        (door, is_apart): (Door, bool),
        (head, peer): (&RequestHead, Option<&Peer>),
        asked: Option<&str>,
    ) -> Result<Self, Rejection> {
        let (callers, routes) = (&current.callers, current.loaded.routes());
        let as_admin = || {
            if door == Door::Main && is_apart {
                return Err(Rejection::StatusElsewhere);
            }
            callers.admit_admin(head)
        };
        let Some(asked) = asked else {
            as_admin()?;
            let all = callers.admit_reload(head, door).is_ok();
            return Ok(Self::Whole { all });
        };
        let found = routes.find(asked);
        let is_open = found.is_some_and(|receiver| receiver.access.is_open());
        if door == Door::Main && !is_open {
            // As for a notification: nobody learns here what a notification would not tell.
            let admitted = callers.admit(asked, found, head, peer);
            let receiver = admitted.map_err(|rejection| with_near(rejection, current))?;
            return Ok(Self::One(Arc::clone(receiver)));
        }
        as_admin()?;
        let unknown = || Rejection::UnknownReceiver(super::super::callers::visible(asked));
        let receiver = found.ok_or_else(|| with_near(unknown(), current))?;
        Ok(Self::One(Arc::clone(receiver)))
    }
}
