//! The data that templates see. `docs/templates.md` lists it; keep the two alike.
//!
//! Written as structs that Tera serialises straight into its own values: making a map first
//! and a value of it afterwards inserts everything twice. Each alert is made once and shared
//! by `alerts`, `firing` and `resolved`.
//!
//! What does not belong here: how any of it looks.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use tera::{Context, Map, Value};

use super::escape::LINE_BREAK;
use super::time::Moment;
use super::{Locality, Subject, conversation, links, severity};
use crate::alertmanager::{Alert, Labels, Notification, Status};

/// The only version of the payload; see `alertmanager`.
const VERSION: &str = "4";

/// How many different names of alerts are told; a message shows far fewer.
const ALERT_NAMES: usize = 64;

/// Makes the data of a notification.
pub(super) fn build(subject: &Subject<'_>, locality: &Locality) -> Context {
    let notification = subject.notification;
    let external = locality.links.apply(&notification.external_url);
    let surroundings = Surroundings {
        notification,
        external: &external,
        locality,
    };
    let mut alerts = Vec::with_capacity(notification.alerts.len());
    let mut firing = Vec::new();
    let mut resolved = Vec::new();
    for alert in &notification.alerts {
        let data = value(&AlertData::new(alert, &surroundings));
        match alert.status {
            Status::Firing => firing.push(data.clone()),
            Status::Resolved => resolved.push(data.clone()),
        }
        alerts.push(data);
    }

    let mut context = Context::new();
    conversation::set(&mut context, subject, &alerts, locality);
    let mut set = |name: &'static str, value: Value| context.insert_value(name, value);
    set("status", notification.status.as_str().into());
    set("receiver", notification.receiver.as_ref().into());
    set("configured_receiver", subject.receiver.into());
    set("alerts", alerts.into());
    set("firing", firing.into());
    set("resolved", resolved.into());
    set("alert_names", alert_names(notification).into());
    set("severity", severity::worst(notification).into());
    set("group_labels", value(&notification.group_labels));
    set("common_labels", value(&notification.common_labels));
    set(
        "common_annotations",
        value(&notification.common_annotations),
    );
    set("route_labels", value(&notification.route_labels));
    set(
        "silence_url",
        links::silence(&external, silenced(notification)).into(),
    );
    set(
        "alertmanager_url",
        links::alertmanager(&external, &notification.receiver).into(),
    );
    set("external_url", external.as_ref().into());
    set("group_key", notification.group_key.as_ref().into());
    set("version", VERSION.into());
    set("truncated_alerts", notification.truncated_alerts.into());
    set(
        "notification_reason",
        notification.reason.as_deref().unwrap_or_default().into(),
    );
    set("settings", settings(subject));
    set("mention", Value::safe_string(mention(subject)));
    set("now", value(&Moment::new(subject.now, &locality.timezone)));
    set("br", Value::safe_string(LINE_BREAK));
    context
}

fn settings(subject: &Subject<'_>) -> Value {
    subject
        .data
        .map_or_else(|| Value::from(Map::new()), |data| data.settings.clone())
}

/// Who is mentioned, as markup; empty where that is nobody. A reply mentions nobody for what
/// the room knows already, unless it is there to tell it again.
pub(super) fn mention<'a>(subject: &Subject<'a>) -> &'a str {
    let Some(mention) = subject.data.and_then(|data| data.mention.as_ref()) else {
        return "";
    };
    let alerts = &subject.notification.alerts;
    match subject.conversation {
        Some(conversation) if conversation.is_reply && !conversation.is_repeat => {
            let new = conversation.newly_firing.iter();
            mention.of(new.filter_map(|index| alerts.get(*index)))
        }
        _ => mention.of(alerts.iter()),
    }
}

/// What the data of an alert is made with.
struct Surroundings<'a> {
    notification: &'a Notification<'a>,
    /// Where readers reach Alertmanager.
    external: &'a str,
    locality: &'a Locality,
}

/// What a template sees of an alert. Stays within twelve fields: up to there Tera finds one
/// without hashing.
#[derive(serde::Serialize)]
struct AlertData<'a> {
    status: Status,
    labels: &'a Labels<'a>,
    annotations: &'a Labels<'a>,
    own_labels: Own<'a>,
    own_annotations: Own<'a>,
    starts_at: Option<Moment<'a>>,
    ends_at: Option<Moment<'a>>,
    generator_url: Cow<'a, str>,
    silence_url: String,
    fingerprint: &'a str,
}

impl<'a> AlertData<'a> {
    fn new(alert: &'a Alert<'a>, around: &'a Surroundings<'a>) -> Self {
        let notification = around.notification;
        let moment = |at: Timestamp| Moment::new(at, &around.locality.timezone);
        Self {
            status: alert.status,
            labels: &alert.labels,
            annotations: &alert.annotations,
            own_labels: Own {
                all: &alert.labels,
                common: &notification.common_labels,
            },
            own_annotations: Own {
                all: &alert.annotations,
                common: &notification.common_annotations,
            },
            starts_at: alert.starts_at.map(moment),
            ends_at: alert.ends_at.map(moment),
            generator_url: around.locality.links.apply(&alert.generator_url),
            silence_url: links::silence(around.external, &alert.labels),
            fingerprint: &alert.fingerprint,
        }
    }
}

/// The pairs of an alert that not all alerts of its group share.
struct Own<'a> {
    all: &'a Labels<'a>,
    common: &'a Labels<'a>,
}

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let len = self.all.len().saturating_sub(self.common.len());
        let mut map = serializer.serialize_map(Some(len))?;
        // Both stand in the same order, so one walk finds what they have in common.
        let mut common = self.common.iter().peekable();
        for (name, value) in self.all.iter() {
            while common.next_if(|(other, _)| precedes(other, name)).is_some() {}
            if common.peek() != Some(&(name, value)) {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// The order of [`Labels`]: `alertname` first, then by name.
fn precedes(a: &str, b: &str) -> bool {
    let follows = |name: &str| name != "alertname";
    (follows(a), a) < (follows(b), b)
}

/// What a silence for the whole group must match: the labels that all alerts share, which
/// hold the group's own. Without any it would silence everything, so the group's stand in.
fn silenced<'n, 'a>(notification: &'n Notification<'a>) -> &'n Labels<'a> {
    if notification.common_labels.is_empty() {
        &notification.group_labels
    } else {
        &notification.common_labels
    }
}

/// The alerts' names, each once, in order of appearance: the first [`ALERT_NAMES`].
fn alert_names<'n>(notification: &'n Notification<'_>) -> Vec<&'n str> {
    if let Some(name) = notification.common_labels.get("alertname") {
        return vec![name];
    }
    let mut names: Vec<&str> = Vec::new();
    for alert in &notification.alerts {
        if let Some(name) = alert.labels.get("alertname")
            && names.len() < ALERT_NAMES
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Tera refuses only maps whose keys are no text, of which there are none here.
pub(super) fn value(data: &impl Serialize) -> Value {
    Value::try_from_serializable(data).unwrap_or_else(|_| Value::none())
}
