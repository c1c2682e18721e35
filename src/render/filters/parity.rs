//! The table of `docs/templates.md` that says how Alertmanager's templates are written here:
//! each of its rows is tried, so the page cannot promise what does not hold.
//!
//! The results were made by Alertmanager 0.34's own package `template` from the left column,
//! with this notification; only `since` depends on the time.

use crate::alertmanager::Notification;
use crate::render::samples::NOW;
use crate::render::{Options, Renderer, Subject};

const PAGE: &str = include_str!("../../../docs/templates.md");

const BODY: &str = r#"{
    "version": "4", "groupKey": "{}:{alertname=\"Down\"}", "status": "firing",
    "receiver": "team-a/webex", "notification_reason": "first notification",
    "groupLabels": {"alertname": "Down", "job": "node"},
    "commonLabels": {"alertname": "Down", "instance": "a:9100", "job": "node", "severity": "critical"},
    "commonAnnotations": {"summary": "Node is down"},
    "routeLabels": {"team": "a"},
    "externalURL": "https://am.example.org",
    "alerts": [{
        "status": "firing",
        "labels": {"alertname": "Down", "instance": "a:9100", "job": "node", "severity": "critical"},
        "annotations": {"summary": "Node is down"},
        "startsAt": "2026-03-04T14:03:02.5Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://prom.example.org/graph", "fingerprint": "0a5f6b7c8d9e0f12"
    }]
}"#;

/// The cells of a row, without the backticks around them.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_matches('|').replace("\\|", "\u{1}");
    row.split('|')
        .map(|cell| {
            let cell = cell.trim();
            let code = cell
                .strip_prefix('`')
                .and_then(|code| code.strip_suffix('`'));
            code.unwrap_or(cell).replace('\u{1}', "|")
        })
        .collect()
}

#[test]
fn each_row_of_the_table_holds() {
    let table = PAGE.split("<!-- parity -->").nth(1).unwrap();
    let rows: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells)
        .collect();
    assert!(rows.len() > 50, "{} rows were found", rows.len());
    let notification = Notification::parse(BODY.as_bytes()).unwrap();
    for row in rows {
        let [theirs, ours, expected] = &row[..] else {
            panic!("{row:?}");
        };
        let directory = tempfile::tempdir().unwrap();
        let template = format!("{{% set it = {ours} %}}[{{{{ it | safe }}}}]");
        std::fs::write(directory.path().join("row.md"), template).unwrap();
        let renderer = Renderer::new(&Options {
            directory: Some(directory.path().to_owned()),
            ..Options::default()
        })
        .unwrap_or_else(|error| panic!("{ours}: {error}"));
        let outcome = renderer.render(&Subject {
            notification: &notification,
            receiver: "ops",
            template: "row",
            data: None,
            changed: None,
            conversation: None,
            now: NOW.parse().unwrap(),
        });
        assert_eq!(outcome.fallback, None, "{ours}");
        assert_eq!(
            outcome.messages[0].markdown,
            format!("[{expected}]"),
            "{theirs}"
        );
    }
}
