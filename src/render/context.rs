//! The data that templates see. `docs/templates.md` lists it; keep the two alike.
//!
//! Made for speed, because this is most of what rendering costs: each alert is made once and
//! shared by `alerts`, `firing` and `resolved`, and is a copy of the alert before it with other
//! values (`alike`).
//!
//! What does not belong here: how any of it looks.

mod alike;

use jiff::Timestamp;
use serde::ser::Serialize;
use tera::{Context, Map, Value};

use self::alike::{Alike, Rows};

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
    let mut makes = Alerts::new(notification, &external, locality);
    let mut alerts = Vec::with_capacity(notification.alerts.len());
    let mut firing = Vec::new();
    let mut resolved = Vec::new();
    for alert in &notification.alerts {
        let data = makes.data(alert);
        match alert.status {
            Status::Firing => firing.push(data.clone()),
            Status::Resolved => resolved.push(data.clone()),
        }
        alerts.push(data);
    }

    let (firing, resolved) = (Value::from(firing), Value::from(resolved));
    let mut context = Context::new();
    conversation::set(
        &mut context,
        subject,
        (&alerts, &firing, &resolved),
        locality,
    );
    let mut set = |name: &'static str, value: Value| context.insert_value(name, value);
    set("status", notification.status.as_str().into());
    set("receiver", notification.receiver.as_ref().into());
    set("configured_receiver", subject.receiver.into());
    set("alerts", alerts.into());
    set("firing", firing);
    set("resolved", resolved);
    set("alert_names", alert_names(notification).into());
    set("severity", severity::worst(notification).into());
    // Of a single alert they are its own.
    let common_labels = makes.labels.map(notification.common_labels.iter());
    set("common_labels", common_labels);
    let common_annotations = &notification.common_annotations;
    set(
        "common_annotations",
        makes.annotations.map(common_annotations.iter()),
    );
    set("silence_url", makes.silence(silenced(notification)));
    let mut map = |labels: &Labels<'_>| makes.own_labels.map(labels.iter());
    set("group_labels", map(&notification.group_labels));
    set("route_labels", map(&notification.route_labels));
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

/// What a template sees of an alert. Stays within twelve fields: up to there Tera finds one
/// without hashing.
const FIELDS: [&str; 10] = [
    "status",
    "labels",
    "annotations",
    "own_labels",
    "own_annotations",
    "starts_at",
    "ends_at",
    "generator_url",
    "silence_url",
    "fingerprint",
];

/// Makes the data of alerts, one after the other.
struct Alerts<'a> {
    notification: &'a Notification<'a>,
    silences: links::Silences<'a>,
    /// The labels whose silence was made last, and that.
    silence: Option<(&'a Labels<'a>, Value)>,
    locality: &'a Locality,
    rows: Rows,
    labels: Alike,
    annotations: Alike,
    own_labels: Alike,
    own_annotations: Alike,
}

impl<'a> Alerts<'a> {
    /// `external` is where readers reach Alertmanager.
    fn new(notification: &'a Notification<'a>, external: &str, locality: &'a Locality) -> Self {
        const NONE: &Labels<'static> = &Labels::EMPTY;
        // What only one alert has is not made beforehand.
        let shared = match notification.alerts.len() {
            1 => NONE,
            _ => &notification.common_labels,
        };
        Self {
            notification,
            silences: links::Silences::new(external, shared),
            silence: None,
            locality,
            rows: Rows::default(),
            labels: Alike::default(),
            annotations: Alike::default(),
            own_labels: Alike::default(),
            own_annotations: Alike::default(),
        }
    }

    /// The address of the form for a silence of these labels.
    fn silence(&mut self, labels: &'a Labels<'a>) -> Value {
        match &self.silence {
            Some((last, url)) if *last == labels => url.clone(),
            _ => {
                let url = Value::from(self.silences.of(labels));
                self.silence = Some((labels, url.clone()));
                url
            }
        }
    }

    fn data(&mut self, alert: &'a Alert<'a>) -> Value {
        let moment = |at: Option<Timestamp>| match at {
            Some(at) => Moment::new(at, &self.locality.timezone).to_string().into(),
            None => Value::none(),
        };
        let common = (
            &self.notification.common_labels,
            &self.notification.common_annotations,
        );
        // In the order of `FIELDS`.
        let values: [Value; FIELDS.len()] = [
            alert.status.as_str().into(),
            self.labels.map(alert.labels.iter()),
            self.annotations.map(alert.annotations.iter()),
            self.own_labels.map(own(&alert.labels, common.0)),
            self.own_annotations.map(own(&alert.annotations, common.1)),
            moment(alert.starts_at),
            moment(alert.ends_at),
            self.locality.links.apply(&alert.generator_url).into(),
            self.silence(&alert.labels),
            alert.fingerprint.as_ref().into(),
        ];
        self.rows.map(&FIELDS, values)
    }
}

/// The pairs of an alert that not all alerts of its group share.
fn own<'a>(
    all: &'a Labels<'_>,
    common: &'a Labels<'_>,
) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
    // Both stand in the same order, so one walk finds what they have in common.
    let mut common = common.iter().peekable();
    all.iter().filter(move |(name, value)| {
        loop {
            match common.peek() {
                Some((other, shared)) if other == name => {
                    let differs = shared != value;
                    common.next();
                    return differs;
                }
                Some((other, _)) if precedes(other, name) => common.next(),
                _ => return true,
            };
        }
    })
}

/// The order of [`Labels`]: `alertname` first, then by name.
pub(super) fn precedes(a: &str, b: &str) -> bool {
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
