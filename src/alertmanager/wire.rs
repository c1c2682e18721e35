//! The body as it arrives: what JSON holds, before it is judged.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Alert, Labels, Notification, PayloadError, Status};

/// The only payload version there is; Alertmanager adds fields without changing it.
pub(super) const VERSION: &str = "4";

/// The characters that Go's `regexp.QuoteMeta` puts a backslash before. Alertmanager
/// quotes the receiver's name with it (`template/template.go`), so `my.team` arrives as
/// `my\.team`.
const QUOTED_BY_GO: &str = r"\.+*?()|[]{}^$";

/// The body as it arrives, before it is judged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire<'a> {
    #[serde(default, borrow)]
    version: Option<Text<'a>>,
    #[serde(default, borrow)]
    group_key: Option<Text<'a>>,
    #[serde(default)]
    truncated_alerts: Option<u64>,
    #[serde(default, borrow)]
    status: Option<Text<'a>>,
    #[serde(default, borrow)]
    receiver: Option<Text<'a>>,
    // The one name that Alertmanager writes in snake case.
    #[serde(default, borrow, rename = "notification_reason")]
    notification_reason: Option<Text<'a>>,
    #[serde(default, borrow)]
    group_labels: Option<Labels<'a>>,
    #[serde(default, borrow)]
    common_labels: Option<Labels<'a>>,
    #[serde(default, borrow)]
    common_annotations: Option<Labels<'a>>,
    #[serde(default, borrow)]
    route_labels: Option<Labels<'a>>,
    #[serde(default, borrow, rename = "externalURL")]
    external_url: Option<Text<'a>>,
    #[serde(default, borrow)]
    alerts: Option<Vec<WireAlert<'a>>>,
    /// Only Grafana's payload has it.
    #[serde(default)]
    org_id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlert<'a> {
    #[serde(default, borrow)]
    status: Option<Text<'a>>,
    #[serde(default, borrow)]
    labels: Option<Labels<'a>>,
    #[serde(default, borrow)]
    annotations: Option<Labels<'a>>,
    #[serde(default, borrow)]
    starts_at: Option<Text<'a>>,
    #[serde(default, borrow)]
    ends_at: Option<Text<'a>>,
    #[serde(default, borrow, rename = "generatorURL")]
    generator_url: Option<Text<'a>>,
    #[serde(default, borrow)]
    fingerprint: Option<Text<'a>>,
}

impl<'a> Wire<'a> {
    pub(super) fn into_notification(self) -> Result<Notification<'a>, PayloadError> {
        if self.org_id.is_some() {
            return Err(PayloadError::Grafana);
        }
        match self.version {
            None => return Err(PayloadError::NoVersion),
            Some(Text(version)) if version != VERSION => {
                return Err(PayloadError::OtherVersion(
                    version.chars().take(20).collect(),
                ));
            }
            Some(_) => {}
        }
        let group_key = text(self.group_key);
        if group_key.is_empty() {
            return Err(PayloadError::NoGroupKey);
        }
        let alerts: Vec<Alert<'a>> = self
            .alerts
            .unwrap_or_default()
            .into_iter()
            .map(WireAlert::into_alert)
            .collect();
        if alerts.is_empty() {
            return Err(PayloadError::NoAlerts);
        }
        let status = self.status.map_or_else(
            || group_status(&alerts),
            |Text(status)| Status::from_wire(&status),
        );
        Ok(Notification {
            group_key,
            truncated_alerts: self.truncated_alerts.unwrap_or(0),
            status,
            receiver: unquote(text(self.receiver)),
            reason: self
                .notification_reason
                .map(|Text(reason)| reason)
                .filter(|reason| !reason.is_empty()),
            group_labels: self.group_labels.unwrap_or_default(),
            common_labels: self
                .common_labels
                .unwrap_or_else(|| common(&alerts, |alert| &alert.labels)),
            common_annotations: self
                .common_annotations
                .unwrap_or_else(|| common(&alerts, |alert| &alert.annotations)),
            route_labels: self.route_labels.unwrap_or_default(),
            external_url: text(self.external_url),
            alerts,
            notes: Vec::new(),
            is_old_news: false,
        })
    }
}

impl<'a> WireAlert<'a> {
    fn into_alert(self) -> Alert<'a> {
        let status = self
            .status
            .map_or(Status::Firing, |Text(status)| Status::from_wire(&status));
        let time = |wire: Option<Text<'_>>| wire.and_then(|Text(time)| time.parse().ok());
        Alert {
            status,
            labels: self.labels.unwrap_or_default(),
            annotations: self.annotations.unwrap_or_default(),
            starts_at: time(self.starts_at),
            ends_at: time(self.ends_at.filter(|_| status == Status::Resolved)),
            generator_url: text(self.generator_url),
            fingerprint: text(self.fingerprint),
        }
    }
}

/// A group fires if any of its alerts does.
pub(super) fn group_status(alerts: &[Alert<'_>]) -> Status {
    if alerts.iter().any(|alert| alert.status == Status::Firing) {
        Status::Firing
    } else {
        Status::Resolved
    }
}

/// What all alerts share, for a sender that leaves it out.
pub(super) fn common<'a>(
    alerts: &[Alert<'a>],
    of: impl for<'b> Fn(&'b Alert<'a>) -> &'b Labels<'a>,
) -> Labels<'a> {
    let Some((first, rest)) = alerts.split_first() else {
        return Labels::default();
    };
    let shared = of(first).0.iter().filter(|(name, value)| {
        rest.iter()
            .all(|alert| of(alert).get(name) == Some(value.as_ref()))
    });
    Labels(shared.cloned().collect())
}

fn text(wire: Option<Text<'_>>) -> Cow<'_, str> {
    wire.map_or(Cow::Borrowed(""), |Text(text)| text)
}

/// Takes back what Go's `regexp.QuoteMeta` did.
fn unquote(quoted: Cow<'_, str>) -> Cow<'_, str> {
    if !quoted.contains('\\') {
        return quoted;
    }
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(&next) if character == '\\' && QUOTED_BY_GO.contains(next) => {
                plain.push(next);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

/// Does what Go's `regexp.QuoteMeta` did.
pub(super) fn quote(plain: &str) -> String {
    let mut quoted = String::with_capacity(plain.len());
    for character in plain.chars() {
        if QUOTED_BY_GO.contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// A string that borrows from the body unless JSON escapes stand in it.
#[derive(Clone)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;
        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = Labels<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels<'de>, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8).min(64));
                while let Some((Text(name), value)) = map.next_entry::<_, Option<Text<'de>>>()? {
                    pairs.push((name, text(value)));
                }
                Ok(Labels::from_pairs(pairs))
            }
        }
        deserializer.deserialize_map(LabelsVisitor)
    }
}
