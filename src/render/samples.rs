//! Notifications to try templates with, as Alertmanager sends them: `check` renders each of
//! them, `render --sample` and `send --sample` take one.
//!
//! What does not belong here: bodies that a real Alertmanager made (`tests/fixtures`).

mod sequence;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use sequence::{SEQUENCES, Sequence, Step, find_sequence};

/// When samples are rendered: shortly after their alerts began.
pub const NOW: &str = "2026-03-04T14:05:30Z";

const EXTERNAL: &str = "https://alertmanager.example.org";
const SOURCE: &str = "https://prometheus.example.org/graph?g0.expr=rate%28http_requests_total%5B5m%5D%29+%3E+10&g0.tab=1";

/// A notification made up to show one thing.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What `--sample` calls it.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub shows: &'static str,
    make: fn() -> String,
}

impl Sample {
    /// The webhook body.
    #[must_use]
    pub fn body(&self) -> String {
        (self.make)()
    }

    /// The same as if it happened now. Bodies without readable times stay as they are.
    #[must_use]
    pub fn body_at(&self, now: Timestamp) -> String {
        let body = self.body();
        let Ok(made) = NOW.parse::<Timestamp>() else {
            return body;
        };
        let Ok(mut value) = serde_json::from_str::<Value>(&body) else {
            return body;
        };
        let later = now.duration_since(made);
        for alert in value["alerts"].as_array_mut().into_iter().flatten() {
            for field in ["startsAt", "endsAt"] {
                let at = alert[field]
                    .as_str()
                    .and_then(|at| at.parse::<Timestamp>().ok());
                // Year 1 means that it fires still.
                if let Some(at) = at.filter(|at| at.as_second() > 0)
                    && let Ok(at) = at.checked_add(later)
                {
                    alert[field] = at.to_string().into();
                }
            }
        }
        value.to_string()
    }
}

/// Every sample. The names are part of the command line.
pub const ALL: [Sample; 12] = [
    sample("one_firing", "one alert that fires", one_firing),
    sample("three_firing", "a few alerts of one kind", || firing(3)),
    sample("mixed", "some alerts fire, some are over", mixed),
    sample("many_firing", "more alerts than are shown in full", || {
        firing(12)
    }),
    sample("storm", "300 alerts: several messages", || firing(300)),
    sample("one_resolved", "one alert that is over", one_resolved),
    sample("hostile", "labels that try to be markup", hostile),
    sample("empty_labels", "an alert without a label", empty_labels),
    sample(
        "no_annotations",
        "alerts without annotations",
        no_annotations,
    ),
    sample("truncated", "Alertmanager left alerts out", truncated),
    sample("huge", "an alert larger than a message", huge),
    sample(
        "different_alerts",
        "several kinds of alerts in a group",
        different_alerts,
    ),
];

const fn sample(name: &'static str, shows: &'static str, make: fn() -> String) -> Sample {
    Sample { name, shows, make }
}

/// The sample of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Sample> {
    ALL.iter().find(|sample| sample.name == name)
}

/// Every sample's name and body.
#[cfg(test)]
pub(super) fn all() -> Vec<(&'static str, String)> {
    ALL.iter()
        .map(|sample| (sample.name, sample.body()))
        .collect()
}

/// What Alertmanager computes of the alerts it sends.
fn common(alerts: &[Value], field: &str) -> Value {
    let mut common = alerts[0][field].as_object().cloned().unwrap_or_default();
    for alert in alerts {
        common.retain(|name, value| alert[field].get(name) == Some(value));
    }
    Value::Object(common)
}

fn group(alerts: &[Value], group_labels: &Value) -> Value {
    let fires = alerts.iter().any(|alert| alert["status"] == "firing");
    json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"KubePodCrashLooping\"}",
        "truncatedAlerts": 0,
        "status": if fires { "firing" } else { "resolved" },
        "receiver": "team-a/webex/default",
        "notification_reason": "first notification",
        "groupLabels": group_labels,
        "commonLabels": common(alerts, "labels"),
        "commonAnnotations": common(alerts, "annotations"),
        "externalURL": EXTERNAL,
        "alerts": alerts,
    })
}

fn crash_loop(index: usize, status: &str) -> Value {
    json!({
        "status": status,
        "labels": {
            "alertname": "KubePodCrashLooping",
            "cluster": "prod-eu1",
            "container": "api",
            "endpoint": "http",
            "job": "kube-state-metrics",
            "namespace": "payments",
            "pod": format!("api-7d9f8c6b5-{index:05}"),
            "prometheus": "monitoring/k8s",
            "severity": "critical",
        },
        "annotations": {
            "summary": "Pod is crash looping.",
            "description": format!(
                "Pod payments/api-7d9f8c6b5-{index:05} (api) is in waiting state (reason: \"CrashLoopBackOff\")."
            ),
            "runbook_url": "https://runbooks.example.org/kubepodcrashlooping",
        },
        "startsAt": format!("2026-03-04T14:{:02}:12.345Z", index % 5),
        "endsAt": if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-03-04T14:05:12.345Z" },
        "generatorURL": SOURCE,
        "fingerprint": format!("{index:016x}"),
    })
}

fn crash_loops(alerts: &[Value]) -> Value {
    group(
        alerts,
        &json!({"alertname": "KubePodCrashLooping", "namespace": "payments"}),
    )
}

fn one_firing() -> String {
    crash_loops(&[crash_loop(3, "firing")]).to_string()
}

pub(super) fn firing(count: usize) -> String {
    let alerts: Vec<_> = (0..count)
        .map(|index| crash_loop(index, "firing"))
        .collect();
    crash_loops(&alerts).to_string()
}

pub(super) fn mixed() -> String {
    crash_loops(&[
        crash_loop(1, "resolved"),
        crash_loop(2, "firing"),
        crash_loop(3, "resolved"),
    ])
    .to_string()
}

fn one_resolved() -> String {
    crash_loops(&[crash_loop(3, "resolved")]).to_string()
}

/// Each value tries to be more than text.
pub(super) fn hostile() -> String {
    let trick = |name: &str| {
        json!({
            "status": "firing",
            "labels": {
                "alertname": "**<@all>** [x](https://evil.example.org) ```",
                "instance": name,
                "severity": "<@personEmail:ceo@example.org|Boss>",
                "path": "C:\\temp\\_x_ `rm -rf` ~~gone~~",
                "bidi": "abc\u{202e}fed\u{200b}\u{0}\u{1e}\u{1d}",
            },
            "annotations": {
                "summary": "# Heading\n- item\n1. one\n> quote\n---\n===\n|a|b|\n|-|-|\n\n    code\n```sh\nrm\n```",
                "description": format!("<blockquote class=danger>{name}</blockquote> &lt; <https://evil.example.org> ![i](https://evil.example.org/i.png)"),
                "runbook_url": "javascript:alert(1)",
                "dashboard_url": "https://evil.example.org/) <@all> [x](y",
            },
            "startsAt": "2026-03-04T14:03:12Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://example.org/a b`c`)*d*|\"<@all>",
            "fingerprint": "00",
        })
    };
    group(
        &[trick("a*b*"), trick("_c_")],
        &json!({"team": "</b>&amp;<@all>"}),
    )
    .to_string()
}

fn empty_labels() -> String {
    group(
        &[json!({"status": "firing", "labels": {}, "annotations": {}, "startsAt": "2026-03-04T14:03:12Z"})],
        &json!({}),
    )
    .to_string()
}

fn no_annotations() -> String {
    let mut alerts: Vec<_> = (0..2).map(|index| crash_loop(index, "firing")).collect();
    for alert in &mut alerts {
        alert["annotations"] = json!({});
    }
    crash_loops(&alerts).to_string()
}

fn truncated() -> String {
    let alerts: Vec<_> = (0..2).map(|index| crash_loop(index, "firing")).collect();
    let mut body = crash_loops(&alerts);
    body["truncatedAlerts"] = json!(40);
    body["notification_reason"] = json!("repeat interval elapsed");
    body.to_string()
}

/// A label and annotations of 20 kB.
pub(super) fn huge() -> String {
    let mut alert = crash_loop(0, "firing");
    alert["labels"]["query"] = json!("x_".repeat(10_000));
    alert["annotations"]["summary"] = json!("Überlast ".repeat(2_000));
    alert["annotations"]["description"] = json!("line <of> text\n".repeat(1_400));
    crash_loops(&[alert]).to_string()
}

/// A group that holds several kinds of alerts, as grouping by namespace makes them.
fn different_alerts() -> String {
    let mut alerts: Vec<_> = (0..3).map(|index| crash_loop(index, "firing")).collect();
    alerts[0]["labels"]["alertname"] = json!("TargetDown");
    alerts[0]["labels"]["severity"] = json!("warning");
    alerts[0]["startsAt"] = json!("2026-03-03T22:15:00Z");
    alerts[1]["labels"]["alertname"] = json!("CPUThrottlingHigh");
    alerts[1]["labels"]["severity"] = json!("info");
    alerts[1]["annotations"] = json!({"message": "27 % of periods are throttled"});
    group(&alerts, &json!({"namespace": "payments"})).to_string()
}
