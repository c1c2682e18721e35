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
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The only payload version there is; Alertmanager adds fields without changing it.
const VERSION: &str = "4";

/// The characters that Go's `regexp.QuoteMeta` puts a backslash before. Alertmanager
/// quotes the receiver's name with it (`template/template.go`), so `my.team` arrives as
/// `my\.team`.
const QUOTED_BY_GO: &str = r"\.+*?()|[]{}^$";

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
}

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
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
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

/// The body as it arrives, before it is judged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
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
    fn into_notification(self) -> Result<Notification<'a>, PayloadError> {
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
            ends_at: time(self.ends_at).filter(|_| status == Status::Resolved),
            generator_url: text(self.generator_url),
            fingerprint: text(self.fingerprint),
        }
    }
}

/// A group fires if any of its alerts does.
fn group_status(alerts: &[Alert<'_>]) -> Status {
    if alerts.iter().any(|alert| alert.status == Status::Firing) {
        Status::Firing
    } else {
        Status::Resolved
    }
}

/// What all alerts share, for a sender that leaves it out.
fn common<'a>(
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

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"{"version":"4","groupKey":"{}:{}","alerts":[{}]}"#;

    fn parse(body: &str) -> Result<Notification<'_>, PayloadError> {
        Notification::parse(body.as_bytes())
    }

    #[test]
    fn only_version_group_key_and_an_alert_are_needed() {
        let notification = parse(SMALLEST).unwrap();
        assert_eq!(notification.status, Status::Firing);
        assert_eq!(notification.group_key, "{}:{}");
        assert_eq!(notification.alerts.len(), 1);
        assert!(notification.alerts[0].labels.is_empty());
    }

    #[test]
    fn null_maps_unknown_fields_and_null_values_are_forgiven() {
        let notification = parse(
            r#"{"version":"4","groupKey":"k","commonLabels":null,"new":{"a":[1]},"externalURL":null,
               "alerts":[{"labels":null,"annotations":{"summary":null},"later":7}]}"#,
        )
        .unwrap();
        assert!(notification.common_labels.is_empty());
        assert_eq!(notification.alerts[0].annotations.get("summary"), Some(""));
    }

    #[test]
    fn what_alerts_share_is_found_where_the_sender_leaves_it_out() {
        let alerts = r#"[{"labels":{"a":"1","b":"2"}},{"labels":{"a":"1","b":"3"}}]"#;
        let body = SMALLEST.replace("[{}]", alerts);
        let common: Vec<_> = parse(&body)
            .unwrap()
            .common_labels
            .iter()
            .map(own)
            .collect();
        assert_eq!(common, [("a".to_owned(), "1".to_owned())]);
        let body = body.replacen('{', r#"{"commonLabels":{},"#, 1);
        assert!(
            parse(&body).unwrap().common_labels.is_empty(),
            "as it was sent"
        );
    }

    fn own((name, value): (&str, &str)) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_receiver_loses_its_regexp_escaping() {
        for (wire, plain) in [
            (r"my\\.recv", "my.recv"),
            ("team-a/config/webex", "team-a/config/webex"),
            (r"a\\\\b\\|c\\$", r"a\b|c$"),
            (r"not\\d", r"not\d"),
        ] {
            let body = SMALLEST.replacen('{', &format!(r#"{{"receiver":"{wire}","#), 1);
            assert_eq!(parse(&body).unwrap().receiver, plain);
        }
    }

    #[test]
    fn labels_stand_in_alertmanagers_order_and_the_last_of_a_name_counts() {
        let body = SMALLEST.replace(
            "[{}]",
            r#"[{"labels":{"b":"1","alertname":"Down","a":"2","b":"3"}}]"#,
        );
        let notification = parse(&body).unwrap();
        let labels: Vec<_> = notification.alerts[0].labels.iter().collect();
        assert_eq!(labels, [("alertname", "Down"), ("a", "2"), ("b", "3")]);
    }

    #[test]
    fn a_firing_alert_has_no_end_and_an_unreadable_time_costs_nothing() {
        let body = SMALLEST.replace(
            "[{}]",
            r#"[{"status":"firing","startsAt":"2026-01-02T03:04:05.678+02:00","endsAt":"0001-01-01T00:00:00Z"},
                {"status":"resolved","startsAt":"yesterday","endsAt":"2026-01-02T03:04:05Z"}]"#,
        );
        let notification = parse(&body).unwrap();
        assert_eq!(
            notification.alerts[0].starts_at.unwrap().to_string(),
            "2026-01-02T01:04:05.678Z"
        );
        assert_eq!(notification.alerts[0].ends_at, None);
        assert_eq!(notification.alerts[1].starts_at, None);
        assert!(notification.alerts[1].ends_at.is_some());
        assert_eq!(notification.status, Status::Firing);
    }

    #[test]
    fn text_borrows_from_the_body_where_json_allows_it() {
        let notification = parse(SMALLEST).unwrap();
        assert!(matches!(notification.group_key, Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_no_notification_is_named_with_its_remedy() {
        let cases: [(&[u8], &str); 10] = [
            (b"\xff\xfe", "not valid UTF-8"),
            (b"hello", "not JSON"),
            (b"{\"version\":\"4\"", "not JSON"),
            (b"[]", "not an object"),
            (b"7", "not Alertmanager's payload version 4"),
            (
                br#"{"groupKey":"k","alerts":[{}]}"#,
                "remove a custom `payload`",
            ),
            (
                br#"{"version":"3","groupKey":"k","alerts":[{}]}"#,
                "payload version \"3\" is unknown",
            ),
            (br#"{"version":"4","alerts":[{}]}"#, "`groupKey` is missing"),
            (
                br#"{"version":"4","groupKey":"k","alerts":[]}"#,
                "`alerts` is empty",
            ),
            (
                br#"{"version":"1","orgId":1,"groupKey":"k","alerts":[{}]}"#,
                "Grafana",
            ),
        ];
        for (body, expected) in cases {
            let error = Notification::parse(body).unwrap_err().to_string();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }
}
