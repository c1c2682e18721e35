//! The fields of `GET /api/v1/status`, as docs/status.md lists them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::judge::State;

#[derive(Serialize)]
pub(super) struct Status {
    pub(super) version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<&'static str>,
    pub(super) started_at: Timestamp,
    pub(super) state: &'static str,
    pub(super) view: &'static str,
    pub(super) configuration: Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Summary>,
    pub(super) bots: Vec<Bot>,
    pub(super) receivers: Vec<OneReceiver>,
}

#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) loaded_at: Timestamp,
    pub(super) refused_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errors: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warnings: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart_needed_for: Option<Vec<String>>,
}

#[derive(Serialize, Default)]
pub(super) struct Summary {
    pub(super) receivers: usize,
    pub(super) failing: usize,
    pub(super) rejected: usize,
    pub(super) waiting: usize,
    pub(super) ok: usize,
    pub(super) unused: usize,
    /// Receivers that the filter and the state leave.
    pub(super) matching: usize,
    pub(super) waiting_notifications: usize,
}

#[derive(Serialize)]
pub(super) struct Told {
    pub(super) reason: &'static str,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
}

#[derive(Serialize)]
pub(super) struct Bot {
    pub(super) name: Arc<str>,
    pub(super) kind: &'static str,
    pub(super) gate_closed_until: Option<Timestamp>,
    pub(super) trouble: Option<Told>,
    #[serde(flatten)]
    pub(super) load: Option<Load>,
}

#[derive(Serialize)]
pub(super) struct Load {
    pub(super) waiting_messages: usize,
    pub(super) requests_in_flight: usize,
    pub(super) pace_messages_per_second: f64,
    pub(super) token_valid_until: Option<Timestamp>,
    pub(super) removed: bool,
}

#[derive(Serialize)]
pub(super) struct OneReceiver {
    pub(super) name: Arc<str>,
    pub(super) state: State,
    pub(super) reason: Option<&'static str>,
    pub(super) since: Option<Timestamp>,
    pub(super) last_success_at: Option<Timestamp>,
    pub(super) last_outcome: Option<Outcome>,
    pub(super) waiting_notifications: u64,
    pub(super) oldest_waiting_since: Option<Timestamp>,
    pub(super) delivered_notifications: u64,
    pub(super) failed_notifications: u64,
    pub(super) delivered_messages: u64,
    pub(super) refused_requests: u64,
    pub(super) asks_for_credentials: bool,
    #[serde(flatten)]
    pub(super) details: Option<Details>,
}

#[derive(Serialize)]
pub(super) struct Outcome {
    pub(super) reason: &'static str,
    pub(super) at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

/// What is left out where the receiver's own credentials guard it.
#[derive(Serialize)]
pub(super) struct Details {
    pub(super) message: Option<String>,
    pub(super) refused_request: Option<Told>,
    pub(super) destinations: Vec<Place>,
    pub(super) rooms_may_be_chosen: bool,
    pub(super) refusing: Vec<Refusing>,
    pub(super) template: String,
    pub(super) conversation: &'static str,
    pub(super) dry_run: bool,
}

#[derive(Serialize)]
pub(super) struct Place {
    pub(super) kind: &'static str,
    pub(super) name: Arc<str>,
    pub(super) bot: Arc<str>,
}

#[derive(Serialize)]
pub(super) struct Refusing {
    pub(super) kind: &'static str,
    pub(super) name: Arc<str>,
    pub(super) since: Timestamp,
    pub(super) message: String,
}
