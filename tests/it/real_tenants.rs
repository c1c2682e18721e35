//! Projects as real Alertmanagers reach us: prometheus-operator's names in the path, a room
//! in the URL, a room in an annotation.

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::programs::{Sandbox, Service, http, until};
use crate::real_storms::Alertmanager;

/// Flushes at once, and every second while something changes.
const ROUTE: &str = "group_by: [job], group_wait: 0s, group_interval: 1s, repeat_interval: 4h";

const RECEIVERS: &str = r#"
[receivers."team-a/main/url"]
rooms = ["general"]
namespaces = ["team-a"]
room_from = { query = "room", allow = ["ops"] }

[receivers."team-a/main/annotation"]
rooms = ["general"]
room_from = { annotation = "webex_room", allow = ["ops"] }
"#;

struct Rig {
    sandbox: Sandbox,
    service: Service,
    alertmanager: Alertmanager,
    start: jiff::Timestamp,
    _config: NamedTempFile,
}

impl Rig {
    /// An Alertmanager that notifies this path.
    fn start(variable: &str, path: &str) -> Self {
        let sandbox = Sandbox::start();
        let mut config = NamedTempFile::new().unwrap();
        write!(
            config,
            "[bots.default]\ntoken_env = \"TOKEN\"\n[webex]\nbase_url = \"{}\"\n\
             [rooms]\nops = \"{}\"\ngeneral = \"{}\"\n{RECEIVERS}",
            sandbox.api, sandbox.rooms["ops"], sandbox.rooms["general"]
        )
        .unwrap();
        let service = Service::configured(&sandbox, config.path());
        let cluster = ["--cluster.listen-address=".to_owned()];
        let url = service.url(&format!("/alertmanager/{path}"));
        let alertmanager = Alertmanager::with(variable, &url, ROUTE, &cluster);
        Self {
            sandbox,
            service,
            alertmanager,
            start: jiff::Timestamp::now(),
            _config: config,
        }
    }

    fn alert(&self, name: &str, namespace: &str, room: &str, fires: bool) -> Value {
        let mut alert = json!({
            "labels": {"alertname": name, "job": "api", "namespace": namespace},
            "annotations": {"summary": format!("{name} is broken"), "webex_room": room},
            "startsAt": self.start.to_string(),
        });
        if !fires {
            alert["endsAt"] = jiff::Timestamp::now().to_string().into();
        }
        alert
    }

    /// Waits until so many notifications were answered with this reason.
    fn await_answers(&self, receiver: &str, reason: &str, number: u64) {
        let series = format!(
            "alertmanager_webex_notifications_total{{receiver=\"{receiver}\",outcome=\"{reason}\"}} "
        );
        until(&format!("{number} answers `{reason}`"), || {
            let metrics = http("GET", &self.service.url("/metrics"), "").text;
            let mut counts = metrics
                .lines()
                .filter_map(|line| line.strip_prefix(&series));
            let count: u64 = counts.next()?.parse().unwrap();
            (count >= number).then_some(())
        });
    }
}

fn a_room_in_the_url(variable: &str, path: &str) {
    let rig = Rig::start(variable, path);
    let mine = rig.alert("Mine", "team-a", "", true);
    rig.alertmanager.tell(&json!([mine]));
    let messages = rig.sandbox.await_messages("ops", 1);
    assert!(messages[0].contains("Mine"), "{messages:?}");
    assert!(rig.sandbox.messages("general").is_empty());
    // The same group, so that Alertmanager sends both; then the other one alone.
    rig.alertmanager
        .tell(&json!([rig.alert("Foreign", "team-b", "", true)]));
    rig.await_answers("team-a/main/url", "duplicate", 1);
    rig.alertmanager
        .tell(&json!([rig.alert("Mine", "team-a", "", false)]));
    let messages = rig.sandbox.await_messages("ops", 2);
    assert!(messages[1].contains("Resolved"), "{messages:?}");
    assert!(
        messages[1].contains("One alert is withheld"),
        "{messages:?}"
    );
    rig.alertmanager
        .tell(&json!([rig.alert("Another", "team-b", "", true)]));
    rig.await_answers("team-a/main/url", "foreign_namespace", 1);
    let told = format!(
        "{:?}{:?}",
        rig.sandbox.messages("ops"),
        rig.sandbox.messages("general")
    );
    assert!(
        !told.contains("Foreign") && !told.contains("Another"),
        "{told}"
    );
}

#[test]
fn the_current_alertmanager_names_receiver_and_room_in_the_url() {
    a_room_in_the_url("ALERTMANAGER_BIN", "team-a/main/url?room=ops");
}

#[test]
fn the_old_alertmanager_names_receiver_and_room_in_the_url_also_with_escaped_slashes() {
    a_room_in_the_url("ALERTMANAGER_OLD_BIN", "team-a%2Fmain%2Furl?room=ops");
}

fn a_room_in_an_annotation(variable: &str) {
    let rig = Rig::start(variable, "team-a/main/annotation");
    rig.alertmanager.tell(&json!([
        rig.alert("Chosen", "a", "ops", true),
        rig.alert("Plain", "a", "", true),
    ]));
    let ops = rig.sandbox.await_messages("ops", 1);
    let own = rig.sandbox.await_messages("general", 1);
    assert!(
        ops[0].contains("Chosen") && !ops[0].contains("Plain"),
        "{ops:?}"
    );
    assert!(
        own[0].contains("Plain") && !own[0].contains("Chosen"),
        "{own:?}"
    );
    assert!(own[0].contains("no room is named"), "{own:?}");

    // The whole group is sent again, and `ops` hears nothing of it.
    rig.alertmanager
        .tell(&json!([rig.alert("Plain", "a", "", false)]));
    let own = rig.sandbox.await_messages("general", 2);
    assert!(own[1].contains("Resolved"), "{own:?}");

    // The annotation has changed, and the room that knows of the alert hears of its end.
    rig.alertmanager
        .tell(&json!([rig.alert("Chosen", "a", "general", false)]));
    let ops = rig.sandbox.await_messages("ops", 2);
    assert!(
        ops[1].contains("Resolved") && ops[1].contains("Chosen"),
        "{ops:?}"
    );
    assert_eq!(rig.sandbox.messages("ops").len(), 2);
    assert_eq!(rig.sandbox.messages("general").len(), 2);
}

#[test]
fn a_group_of_the_current_alertmanager_is_split_among_the_rooms_of_its_annotations() {
    a_room_in_an_annotation("ALERTMANAGER_BIN");
}

#[test]
fn a_group_of_the_old_alertmanager_is_split_among_the_rooms_of_its_annotations() {
    a_room_in_an_annotation("ALERTMANAGER_OLD_BIN");
}
