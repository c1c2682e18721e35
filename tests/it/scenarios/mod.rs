//! What the service tells of itself in each scenario of a delivery, as a whole: every series
//! that changes, so that each outcome is counted once and in one place; and every line of the
//! log at info, so that each tells whoever is on call one thing, with the remedy.
//!
//! A scenario is a test. It plays with a [`Stage`](stage::Stage): the whole service but for its
//! port, with paused time, so that it is the same in every run. Its record is a snapshot in
//! `snapshots/`: look at the difference before you accept it.

mod conversations;
mod delivered;
mod fallen_back;
mod log;
mod operated;
mod refused;
mod rejected;
mod series;
mod stage;
mod tenants;
mod waiting;
mod webhooks;

use alertmanager_webex::sandbox::{Effect, FaultBody, RetryAfter};

/// Webex answers with this status, and does nothing.
fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    }
}

/// Webex answers 429, and names a time.
fn limited(seconds: i64) -> Effect {
    Effect::TooManyRequests {
        retry_after: Some(RetryAfter::Seconds(seconds)),
        body: FaultBody::Json,
    }
}
