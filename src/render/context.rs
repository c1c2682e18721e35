//! The data that templates see. `docs/templates.md` lists it; keep the two alike.
//!
//! Built straight as Tera's values: each alert is made once and shared by `alerts`, `firing`
//! and `resolved`; label names, and values that all alerts share, are made once a group.
//!
//! What does not belong here: how any of it looks.

use std::sync::Arc;

use jiff::Timestamp;
use tera::value::Key;
use tera::{Context, Map, Value};

use super::Subject;
use super::escape::LINE_BREAK;
use super::{links, severity};
use crate::alertmanager::{Alert, Labels, Notification, Status};

/// The only version of the payload; see `alertmanager`.
const VERSION: &str = "4";

/// Past so many different label names, names are no longer shared: looking for them would
/// take longer than making them.
const SHARED_NAMES: usize = 64;

/// How many different names of alerts are told; a message shows far fewer.
const ALERT_NAMES: usize = 64;

/// Makes the data of a notification.
pub(super) fn build(subject: &Subject<'_>) -> Context {
    let notification = subject.notification;
    let mut names = Names::default();
    let common_labels = pairs(&notification.common_labels, &mut names);
    let common_annotations = pairs(&notification.common_annotations, &mut names);
    let mut alerts = Vec::with_capacity(notification.alerts.len());
    let mut firing = Vec::new();
    let mut resolved = Vec::new();
    for alert in &notification.alerts {
        let value = Value::from(alert_map(
            alert,
            notification,
            (&common_labels, &common_annotations),
            &mut names,
        ));
        match alert.status {
            Status::Firing => firing.push(value.clone()),
            Status::Resolved => resolved.push(value.clone()),
        }
        alerts.push(value);
    }

    let mut context = Context::new();
    let mut set = |name: &'static str, value: Value| context.insert_value(name, value);
    set("status", notification.status.as_str().into());
    set("receiver", text(&notification.receiver));
    set("configured_receiver", text(subject.receiver));
    set("alerts", alerts.into());
    set("firing", firing.into());
    set("resolved", resolved.into());
    set("alert_names", alert_names(notification).into());
    set("severity", text(severity::worst(notification)));
    set(
        "group_labels",
        pairs(&notification.group_labels, &mut names).into(),
    );
    set(
        "route_labels",
        pairs(&notification.route_labels, &mut names).into(),
    );
    set(
        "silence_url",
        text(&links::silence(notification, silenced(notification))),
    );
    set("alertmanager_url", text(&links::alertmanager(notification)));
    set("external_url", text(&notification.external_url));
    set("group_key", text(&notification.group_key));
    set("version", VERSION.into());
    set("truncated_alerts", notification.truncated_alerts.into());
    set(
        "notification_reason",
        text(notification.reason.as_deref().unwrap_or_default()),
    );
    set("now", time(Some(subject.now)));
    set("br", Value::safe_string(LINE_BREAK));
    set("common_labels", common_labels.into());
    set("common_annotations", common_annotations.into());
    context
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

/// Stays within twelve fields: up to there Tera finds a field without hashing.
fn alert_map(
    alert: &Alert<'_>,
    notification: &Notification<'_>,
    (common_labels, common_annotations): (&Map, &Map),
    names: &mut Names,
) -> Map {
    let (labels, own_labels) = split(
        &alert.labels,
        &notification.common_labels,
        common_labels,
        names,
    );
    let (annotations, own_annotations) = split(
        &alert.annotations,
        &notification.common_annotations,
        common_annotations,
        names,
    );
    let mut map = Map::with_capacity(11);
    let mut set = |name: &'static str, value: Value| map.insert(Key::Str(name), value);
    set("status", alert.status.as_str().into());
    set("labels", labels.into());
    set("annotations", annotations.into());
    set("own_labels", own_labels.into());
    set("own_annotations", own_annotations.into());
    set("starts_at", time(alert.starts_at));
    set("ends_at", time(alert.ends_at));
    set("generator_url", text(&alert.generator_url));
    set(
        "silence_url",
        text(&links::silence(notification, &alert.labels)),
    );
    set("fingerprint", text(&alert.fingerprint));
    map
}

/// All pairs, and those that are not common. Values that are common are shared.
fn split(all: &Labels<'_>, common: &Labels<'_>, shared: &Map, names: &mut Names) -> (Map, Map) {
    let mut every = Map::with_capacity(all.len());
    let mut own = Map::with_capacity(all.len().saturating_sub(common.len()));
    // Both stand in the same order, so one walk finds what they have in common.
    let mut common = common.iter().zip(shared).peekable();
    for (name, value) in all.iter() {
        let same = loop {
            match common.peek() {
                Some(((other, _), _)) if *other != name && precedes(other, name) => {
                    common.next();
                }
                Some(((other, text), (key, shared))) if *other == name && *text == value => {
                    break Some(((*key).clone(), (*shared).clone()));
                }
                _ => break None,
            }
        };
        if let Some((key, value)) = same {
            every.insert(key, value);
        } else {
            let key = names.key(name);
            let value = text(value);
            own.insert(key.clone(), value.clone());
            every.insert(key, value);
        }
    }
    (every, own)
}

/// The order of [`Labels`]: `alertname` first, then by name.
fn precedes(a: &str, b: &str) -> bool {
    let follows = |name: &str| name != "alertname";
    (follows(a), a) < (follows(b), b)
}

fn pairs(labels: &Labels<'_>, names: &mut Names) -> Map {
    labels
        .iter()
        .map(|(name, value)| (names.key(name), text(value)))
        .collect()
}

/// The alerts' names, each once, in order of appearance: the first [`ALERT_NAMES`].
fn alert_names(notification: &Notification<'_>) -> Vec<Value> {
    if let Some(name) = notification.common_labels.get("alertname") {
        return vec![text(name)];
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
    names.into_iter().map(text).collect()
}

fn text(text: &str) -> Value {
    Value::normal_string(text)
}

/// RFC 3339, or nothing.
fn time(time: Option<Timestamp>) -> Value {
    time.map_or_else(Value::none, |time| text(&time.to_string()))
}

/// Label names as keys, each made once.
#[derive(Default)]
struct Names(Vec<Arc<str>>);

impl Names {
    fn key(&mut self, name: &str) -> Key<'static> {
        if let Some(known) = self.0.iter().find(|known| ***known == *name) {
            return Key::String(Arc::clone(known));
        }
        let made: Arc<str> = Arc::from(name);
        if self.0.len() < SHARED_NAMES {
            self.0.push(Arc::clone(&made));
        }
        Key::String(made)
    }
}
