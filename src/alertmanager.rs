//! The notification as Alertmanager's webhook sends it: payload version 4.
//!
//! Parsing is strict where a wrong guess would cost an alert (`version`, `groupKey`, a
//! non-empty list of alerts) and tolerant everywhere else: fields are added to version 4
//! without a new number, old Alertmanagers lack some, and maps may be null.
//!
//! Everything borrows from the request body where JSON allows it, so a notification is
//! parsed, rendered and dropped before anything waits for Webex.
//!
//! Source of the shape: `notify/webhook/webhook.go` and `template/template.go` of
//! prometheus/alertmanager v0.34.0. What does not belong here: what we make of it.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

mod compact;
mod part;
mod wire;

pub use compact::Compact;
use wire::Wire;

/// One alert group, as Alertmanager flushed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification<'a> {
    /// Names the group and its route, such as `{}/{team="a"}:{alertname="Down"}`.
    pub group_key: Cow<'a, str>,
    /// How many alerts `max_alerts` cut off before the rest was sent.
    pub truncated_alerts: u64,
    /// Firing if any of the alerts sent fires.
    pub status: Status,
    /// Name of Alertmanager's receiver, without the regexp escaping it arrives with.
    pub receiver: Cow<'a, str>,
    /// Why Alertmanager sent it, from 0.32 on: `first notification`, `repeat interval
    /// elapsed` and so on.
    pub reason: Option<Cow<'a, str>>,
    /// The labels that make the group.
    pub group_labels: Labels<'a>,
    /// Labels that all alerts of the group share.
    pub common_labels: Labels<'a>,
    /// Annotations that all alerts of the group share.
    pub common_annotations: Labels<'a>,
    /// Labels of the route, from 0.34 on.
    pub route_labels: Labels<'a>,
    /// Where this Alertmanager says that it can be reached.
    pub external_url: Cow<'a, str>,
    /// Never empty.
    pub alerts: Vec<Alert<'a>>,
    /// What its readers must be told besides, in sentences of plain text: ours, not
    /// Alertmanager's.
    pub notes: Vec<String>,
    /// Whether what made Alertmanager send it may be about alerts that are not in it
    /// ([`Self::part`]). Then it is told only where it says something new.
    pub is_old_news: bool,
}

/// Alertmanager's word for sending the same once more on purpose (0.32 and later).
pub const REPEAT_INTERVAL: &str = "repeat interval elapsed";

/// One alert of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert<'a> {
    /// Whether it fires still.
    pub status: Status,
    /// What identifies it.
    pub labels: Labels<'a>,
    /// What describes it.
    pub annotations: Labels<'a>,
    /// When it began to fire; `None` where the time is missing or cannot be read.
    pub starts_at: Option<Timestamp>,
    /// When it ended; `None` while it fires (Alertmanager sends year 1 then).
    pub ends_at: Option<Timestamp>,
    /// Leads to the rule that made the alert.
    pub generator_url: Cow<'a, str>,
    /// Hash of the labels, 16 hexadecimal digits; empty before Alertmanager 0.19.
    pub fingerprint: Cow<'a, str>,
}

/// Whether an alert or a group fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Something is wrong.
    Firing,
    /// It is over.
    Resolved,
}

impl Status {
    /// As Alertmanager writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }

    /// Anything that is not plainly resolved counts as firing: a status that a later
    /// Alertmanager may add must not hide an alert.
    fn from_wire(text: &str) -> Self {
        if text == "resolved" {
            Self::Resolved
        } else {
            Self::Firing
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names and values in Alertmanager's order: `alertname` first, then by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Labels<'static> {
    /// None at all.
    pub(crate) const EMPTY: Self = Self(Vec::new());
}

impl<'a> Labels<'a> {
    /// The value of a label, where there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Whether a label of that name is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and values, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sorts as Alertmanager's `SortedPairs` does. Of a name that stands twice the last
    /// value counts, as it does for Go.
    fn from_pairs(mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Self {
        pairs.sort_by(|(a, _), (b, _)| {
            let follows = |name: &str| name != "alertname";
            follows(a).cmp(&follows(b)).then_with(|| a.cmp(b))
        });
        pairs.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(&mut later.1, &mut kept.1);
            }
            same
        });
        Self(pairs)
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Cow<'a, str>)> for Labels<'a> {
    fn from_iter<T: IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>>(pairs: T) -> Self {
        Self::from_pairs(pairs.into_iter().collect())
    }
}

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Why a request body is not a notification. The texts go back to Alertmanager, which
/// logs them, and end with what to do.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The bytes are no text.
    #[error("the body is not valid UTF-8; send Alertmanager's JSON unchanged")]
    NotUtf8(#[source] std::str::Utf8Error),
    /// The text is no JSON.
    #[error("the body is not JSON ({0}); send Alertmanager's webhook payload")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but a list or a bare value.
    #[error("the body is JSON, but not an object; send Alertmanager's webhook payload")]
    NotAnObject,
    /// JSON, but a field has another type than in version 4.
    #[error("the body is not Alertmanager's payload version 4 ({0})")]
    WrongShape(#[source] serde_json::Error),
    /// Grafana's own alerting sends a payload that looks alike.
    #[error(
        "this is Grafana's webhook payload, not Alertmanager's; \
         let Grafana send to an Alertmanager, and that one here"
    )]
    Grafana,
    /// `version` is missing, which is what a custom `payload` of the webhook leads to.
    #[error(
        "`version` is missing, so this is not Alertmanager's payload version 4; \
         remove a custom `payload` from the webhook's configuration"
    )]
    NoVersion,
    /// `version` is another one than 4.
    #[error("payload version {0:?} is unknown; this service understands \"4\"")]
    OtherVersion(String),
    /// `groupKey` is missing or empty.
    #[error(
        "`groupKey` is missing, so the alert group cannot be told from others; \
         remove a custom `payload` from the webhook's configuration"
    )]
    NoGroupKey,
    /// There is nothing to tell.
    #[error("`alerts` is empty; a notification holds at least one alert")]
    NoAlerts,
}

impl<'a> Notification<'a> {
    /// Reads a webhook body.
    ///
    /// # Errors
    /// When the body is not version 4 of Alertmanager's payload; the error says what it is
    /// instead and what to do about it.
    pub fn parse(body: &'a [u8]) -> Result<Self, PayloadError> {
        let text = std::str::from_utf8(body).map_err(PayloadError::NotUtf8)?;
        // Serde would take a list for a struct, field by field.
        if text.trim_start().starts_with('[') {
            return Err(PayloadError::NotAnObject);
        }
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                PayloadError::WrongShape(error)
            } else {
                PayloadError::NotJson(error)
            }
        })?;
        wire.into_notification()
    }

    /// The alerts that fire.
    pub fn firing(&self) -> impl Iterator<Item = &Alert<'a>> {
        self.with_status(Status::Firing)
    }

    /// The alerts that are over.
    pub fn resolved(&self) -> impl Iterator<Item = &Alert<'a>> {
        self.with_status(Status::Resolved)
    }

    fn with_status(&self, status: Status) -> impl Iterator<Item = &Alert<'a>> {
        self.alerts
            .iter()
            .filter(move |alert| alert.status == status)
    }
}

#[cfg(test)]
mod tests;
