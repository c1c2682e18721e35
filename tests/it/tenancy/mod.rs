//! Many projects, one service: none reads, spams or starves another.

mod example;
mod namespaces;
mod people;
mod quota;
mod rooms;
mod urls;
mod wrong;

/// An alert of a namespace that asks for a room by the annotation `webex_room`; empty for
/// neither.
pub(crate) fn alert(name: &str, status: &str, namespace: &str, room: &str) -> String {
    let pair = |key: &str, value: &str| match value {
        "" => String::new(),
        value => format!(r#","{key}":"{value}""#),
    };
    format!(
        r#"{{"status":"{status}","labels":{{"alertname":"{name}","severity":"warning"{}}},
            "annotations":{{"summary":"{name} is broken"{}}},
            "startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T01:00:00Z",
            "fingerprint":"fp-{name}-{namespace}"}}"#,
        pair("namespace", namespace),
        pair("webex_room", room),
    )
}
