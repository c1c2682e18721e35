//! What is read, what is forgiven, and what is refused.

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
