//! Bodies of real Alertmanagers, an old one and a current one, are understood.

use std::path::{Path, PathBuf};

use alertmanager_webex::alertmanager::{Notification, Status};

fn folder(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(format!("alertmanager-{version}"))
}

fn body(version: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder(version).join(format!("{name}.json"))).unwrap()
}

#[test]
fn every_captured_body_is_a_notification() {
    for version in ["0.25", "0.34"] {
        let mut count = 0;
        for entry in std::fs::read_dir(folder(version)).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let body = std::fs::read(&path).unwrap();
                let notification = Notification::parse(&body)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                assert!(!notification.group_key.is_empty());
                for alert in &notification.alerts {
                    assert!(alert.starts_at.is_some(), "{}", path.display());
                    assert_eq!(alert.fingerprint.len(), 16);
                    assert_eq!(alert.ends_at.is_some(), alert.status == Status::Resolved);
                }
                count += 1;
            }
        }
        assert!(count >= 10, "{version} has {count} bodies");
    }
}

#[test]
fn a_group_that_is_partly_resolved_fires_still() {
    for version in ["0.25", "0.34"] {
        let body = body(version, "group-mixed");
        let notification = Notification::parse(&body).unwrap();
        assert_eq!(notification.status, Status::Firing);
        assert_eq!(notification.firing().count(), 2);
        assert_eq!(notification.resolved().count(), 1);
    }
}

#[test]
fn the_receivers_name_arrives_as_it_was_written() {
    for version in ["0.25", "0.34"] {
        let body = body(version, "receiver-quoted");
        assert_eq!(Notification::parse(&body).unwrap().receiver, "team.a[x]");
    }
}

#[test]
fn truncation_is_counted() {
    for version in ["0.25", "0.34"] {
        let body = body(version, "truncated");
        let notification = Notification::parse(&body).unwrap();
        assert_eq!(notification.alerts.len(), 2);
        assert_eq!(notification.truncated_alerts, 3);
    }
}

#[test]
fn only_the_new_one_tells_why_it_notifies() {
    let (old, new) = (body("0.25", "repeat"), body("0.34", "repeat"));
    assert_eq!(Notification::parse(&old).unwrap().reason, None);
    assert_eq!(
        Notification::parse(&new).unwrap().reason.as_deref(),
        Some("repeat interval elapsed")
    );
}

#[test]
fn untrusted_text_is_taken_as_it_is() {
    let body = body("0.34", "untrusted-text");
    let notification = Notification::parse(&body).unwrap();
    assert!(
        notification.alerts[0]
            .annotations
            .iter()
            .any(|(_, value)| value.contains("<@all>"))
    );
}
