//! Notifications to try things with: those that are built into the program, the sequences that
//! tell a group's life, and a storm of groups, which one notification cannot be.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::Error;
use super::requests::joined;
use crate::render::samples::{ALL, SEQUENCES, Sequence, find, find_sequence};

/// How many groups the storm has.
const STORM_GROUPS: usize = 500;
const STORM: &str = "storm_of_groups";
const STORM_SHOWS: &str = "500 groups at once: what an outage sends";

/// A sample as the page lists it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    name: &'static str,
    /// What it shows, in a few words.
    shows: &'static str,
    /// How many notifications it is.
    notifications: usize,
    /// The first of them.
    body: Option<Box<RawValue>>,
}

/// Every sample, as if it happened now.
pub(super) fn listed(now: Timestamp) -> Vec<Listed> {
    let raw = |body: String| RawValue::from_string(body).ok();
    let storm = Listed {
        name: STORM,
        shows: STORM_SHOWS,
        notifications: STORM_GROUPS,
        body: storm(1, now).pop().and_then(raw),
    };
    ALL.iter()
        .map(|sample| Listed {
            name: sample.name,
            shows: sample.shows,
            notifications: 1,
            body: raw(sample.body_at(now)),
        })
        .chain(SEQUENCES.iter().map(|sequence| Listed {
            name: sequence.name,
            shows: sequence.shows,
            notifications: sequence.steps.len(),
            body: first_step(sequence, now).and_then(raw),
        }))
        .chain([storm])
        .collect()
}

fn first_step(sequence: &Sequence, now: Timestamp) -> Option<String> {
    Some(sequence.steps.first()?.body(now, now))
}

/// The notifications of a group one after the other, where the sample is such.
pub(super) fn sequence(name: &str) -> Option<&'static Sequence> {
    find_sequence(name)
}

/// The notifications of a sample, as if they happened now; of a sequence the first.
pub(super) fn bodies(name: &str, now: Timestamp) -> Result<Vec<String>, Error> {
    if name == STORM {
        return Ok(storm(STORM_GROUPS, now));
    }
    if let Some(sequence) = find_sequence(name) {
        return Ok(first_step(sequence, now).into_iter().collect());
    }
    let sample = find(name).ok_or_else(|| Error::UnknownSample {
        name: name.to_owned(),
        known: joined(names()),
    })?;
    Ok(vec![sample.body_at(now)])
}

/// Of all samples.
fn names() -> impl Iterator<Item = &'static str> {
    let sequences = SEQUENCES.iter().map(|sequence| sequence.name);
    let samples = ALL.iter().map(|sample| sample.name);
    samples.chain(sequences).chain([STORM])
}

/// Groups of one alert each, of several severities, as an outage of a cluster makes them.
fn storm(groups: usize, now: Timestamp) -> Vec<String> {
    const KINDS: [(&str, &str, &str); 4] = [
        ("KubePodCrashLooping", "critical", "Pod is crash looping."),
        ("TargetDown", "warning", "Target cannot be scraped."),
        ("KubePodNotReady", "warning", "Pod is not ready."),
        ("CPUThrottlingHigh", "info", "Processes are throttled."),
    ];
    (0..groups)
        .map(|index| {
            let (alertname, severity, summary) = KINDS[index % KINDS.len()];
            let namespace = format!("team-{:03}", index / KINDS.len());
            let labels = json!({
                "alertname": alertname,
                "cluster": "prod-eu1",
                "namespace": namespace,
                "severity": severity,
            });
            json!({
                "version": "4",
                "groupKey": format!("{{}}:{{alertname=\"{alertname}\", namespace=\"{namespace}\"}}"),
                "truncatedAlerts": 0,
                "status": "firing",
                "receiver": "team-a/webex/default",
                "groupLabels": {"alertname": alertname, "namespace": namespace},
                "commonLabels": labels,
                "commonAnnotations": {"summary": summary},
                "externalURL": "https://alertmanager.example.org",
                "alerts": [{
                    "status": "firing",
                    "labels": labels,
                    "annotations": {"summary": summary},
                    "startsAt": now.to_string(),
                    "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "https://prometheus.example.org/graph",
                    "fingerprint": format!("{index:016x}"),
                }],
            })
            .to_string()
        })
        .collect()
}

/// The notification with all its times moved so that the newest is `now`. What is no
/// notification stays as it is: the service will say what is wrong with it.
pub(super) fn moved(body: &str, now: Timestamp) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    let Some(alerts) = value.get_mut("alerts").and_then(Value::as_array_mut) else {
        return body.to_owned();
    };
    let time_of = |alert: &Value, field: &str| {
        let time = alert.get(field)?.as_str()?.parse::<Timestamp>().ok()?;
        // Year 1 means that it fires still.
        (time.as_second() > 0).then_some(time)
    };
    let newest = alerts
        .iter()
        .flat_map(|alert| {
            let ended = alert
                .get("status")
                .is_some_and(|status| status == "resolved");
            let end = time_of(alert, "endsAt").filter(|_| ended);
            [time_of(alert, "startsAt"), end]
        })
        .flatten()
        .max();
    let Some(newest) = newest else {
        return body.to_owned();
    };
    let later = now.duration_since(newest);
    for alert in alerts {
        for field in ["startsAt", "endsAt"] {
            let time = time_of(alert, field).and_then(|time| time.checked_add(later).ok());
            if let (Some(time), Some(entry)) = (time, alert.get_mut(field)) {
                *entry = time.to_string().into();
            }
        }
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alertmanager::Notification;

    #[test]
    fn every_sample_is_a_notification_that_began_a_moment_ago() {
        let now = Timestamp::now();
        for sample in listed(now) {
            let bodies = bodies(sample.name, now).unwrap();
            if sequence(sample.name).is_none() {
                assert_eq!(bodies.len(), sample.notifications, "{}", sample.name);
            }
            for body in bodies {
                let notification = Notification::parse(body.as_bytes()).unwrap();
                for alert in &notification.alerts {
                    assert!(alert.starts_at.unwrap() <= now, "{}", sample.name);
                }
            }
        }
    }

    #[test]
    fn the_groups_of_a_storm_differ() {
        let bodies = storm(STORM_GROUPS, Timestamp::now());
        let keys: std::collections::HashSet<String> = bodies
            .iter()
            .map(|body| {
                let notification = Notification::parse(body.as_bytes()).unwrap();
                notification.group_key.into_owned()
            })
            .collect();
        assert_eq!(keys.len(), STORM_GROUPS);
    }

    #[test]
    fn a_pasted_notification_is_moved_to_now_and_keeps_its_durations() {
        let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let body = r#"{"alerts":[
            {"status":"resolved","startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T00:10:00Z"},
            {"status":"firing","startsAt":"2026-01-01T00:05:00Z","endsAt":"0001-01-01T00:00:00Z"}]}"#;
        let moved: Value = serde_json::from_str(&moved(body, now)).unwrap();
        let alerts = &moved["alerts"];
        assert_eq!(alerts[0]["startsAt"], "2026-06-01T11:50:00Z");
        assert_eq!(alerts[0]["endsAt"], "2026-06-01T12:00:00Z");
        assert_eq!(alerts[1]["startsAt"], "2026-06-01T11:55:00Z");
        assert_eq!(alerts[1]["endsAt"], "0001-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_notification_stays_as_it_is() {
        let now = Timestamp::now();
        for body in [
            "",
            "{",
            "[]",
            "{\"alerts\":3}",
            "{\"alerts\":[{\"startsAt\":7}]}",
        ] {
            assert_eq!(moved(body, now), body);
        }
    }
}
