//! A notification that can be kept: one allocation, and no more than what is read of a body.
//!
//! A notification borrows from the request's body, which is of any size and shape. Where it
//! must outlive that, it is kept as JSON of the same shape and read again: a third of what a
//! tree of owned strings takes, and read in microseconds.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::wire::{VERSION, quote};
use super::{Alert, Notification};

/// An owned notification, to be read when it is needed.
#[derive(Clone, PartialEq, Eq)]
pub struct Compact {
    body: Box<str>,
    notes: Box<[String]>,
    is_old_news: bool,
}

impl Compact {
    /// Keeps a notification.
    #[must_use]
    pub fn of(notification: &Notification<'_>) -> Self {
        // Maps of strings to strings always serialise.
        Self {
            body: serde_json::to_string(&Body(notification))
                .unwrap_or_default()
                .into(),
            notes: notification.notes.as_slice().into(),
            is_old_news: notification.is_old_news,
        }
    }

    /// The notification, as it was.
    ///
    /// # Panics
    /// Never, as long as what is written here is what [`Notification::parse`] reads.
    #[must_use]
    pub fn read(&self) -> Notification<'_> {
        let read = Notification::parse(self.body.as_bytes());
        Notification {
            notes: self.notes.to_vec(),
            is_old_news: self.is_old_news,
            ..read.expect("a notification was written here")
        }
    }

    /// What it takes in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.len() + self.notes.iter().map(String::len).sum::<usize>()
    }
}

impl std::fmt::Debug for Compact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compact({} bytes)", self.bytes())
    }
}

/// As Alertmanager writes it.
struct Body<'a>(&'a Notification<'a>);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let notification = self.0;
        let alerts: Vec<_> = notification.alerts.iter().map(BodyAlert).collect();
        let mut body = serializer.serialize_struct("Body", 12)?;
        body.serialize_field("version", VERSION)?;
        body.serialize_field("groupKey", &notification.group_key)?;
        body.serialize_field("truncatedAlerts", &notification.truncated_alerts)?;
        body.serialize_field("status", &notification.status)?;
        body.serialize_field("receiver", &quote(&notification.receiver))?;
        body.serialize_field("notification_reason", &notification.reason)?;
        body.serialize_field("groupLabels", &notification.group_labels)?;
        body.serialize_field("commonLabels", &notification.common_labels)?;
        body.serialize_field("commonAnnotations", &notification.common_annotations)?;
        body.serialize_field("routeLabels", &notification.route_labels)?;
        body.serialize_field("externalURL", &notification.external_url)?;
        body.serialize_field("alerts", &alerts)?;
        body.end()
    }
}

struct BodyAlert<'a>(&'a Alert<'a>);

impl Serialize for BodyAlert<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let alert = self.0;
        let mut body = serializer.serialize_struct("Alert", 7)?;
        body.serialize_field("status", &alert.status)?;
        body.serialize_field("labels", &alert.labels)?;
        body.serialize_field("annotations", &alert.annotations)?;
        body.serialize_field("startsAt", &alert.starts_at)?;
        body.serialize_field("endsAt", &alert.ends_at)?;
        body.serialize_field("generatorURL", &alert.generator_url)?;
        body.serialize_field("fingerprint", &alert.fingerprint)?;
        body.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_alertmanager_sent_is_kept_whole() {
        for version in ["0.25", "0.34"] {
            let folder = format!(
                "{}/tests/fixtures/alertmanager-{version}",
                env!("CARGO_MANIFEST_DIR")
            );
            let files = std::fs::read_dir(folder).unwrap();
            let bodies = files.map(|file| file.unwrap().path());
            for path in bodies.filter(|path| path.extension().is_some_and(|it| it == "json")) {
                let body = std::fs::read(&path).unwrap();
                let notification = Notification::parse(&body).unwrap();
                let compact = Compact::of(&notification);
                assert_eq!(compact.read(), notification, "{}", path.display());
                assert!(compact.bytes() <= body.len() + 64, "{}", path.display());
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_is_changed(texts in prop::array::uniform8(any::<String>()), cut in any::<u64>()) {
            let [group, receiver, reason, url, name, value, annotation, fingerprint] = texts;
            let body = serde_json::json!({
                "version": "4", "groupKey": format!("g{group}"), "receiver": receiver,
                "notification_reason": reason, "externalURL": url, "truncatedAlerts": cut,
                "status": "firing", "groupLabels": {&name: &value},
                "commonLabels": {}, "commonAnnotations": {}, "routeLabels": {&value: &name},
                "alerts": [
                    {"status": "firing", "labels": {&name: &value, "alertname": "a"},
                     "annotations": {"summary": annotation}, "fingerprint": fingerprint,
                     "startsAt": "2026-01-01T00:00:00.123456789+02:00", "generatorURL": url},
                    {"status": "resolved", "labels": {}, "endsAt": "2026-01-01T00:00:00Z"},
                ],
            });
            let body = body.to_string();
            let notification = Notification::parse(body.as_bytes()).unwrap();
            let compact = Compact::of(&notification);
            prop_assert_eq!(compact.read(), notification);
        }
    }
}
