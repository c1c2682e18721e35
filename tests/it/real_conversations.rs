//! A group that grows, shrinks and ends, told by real Alertmanagers, in each mode.

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::programs::{Sandbox, Service, until};
use crate::real_storms::Alertmanager;

/// Flushes at once, and every second while something changes.
const ROUTE: &str = "group_by: [job], group_wait: 0s, group_interval: 1s, repeat_interval: 4h";

/// The modes are receivers of one service.
struct Rig {
    sandbox: Sandbox,
    service: Service,
    _config: NamedTempFile,
}

impl Rig {
    fn start() -> Self {
        let sandbox = Sandbox::start();
        let mut config = NamedTempFile::new().unwrap();
        write!(
            config,
            "[bots.default]\ntoken_env = \"TOKEN\"\n\
             [webex]\nbase_url = \"{}\"\n\
             [rooms]\nops = \"{}\"\n",
            sandbox.api, sandbox.rooms["ops"]
        )
        .unwrap();
        for mode in ["new", "thread", "update"] {
            write!(
                config,
                "[receivers.{mode}]\nrooms = [\"ops\"]\nconversation = \"{mode}\"\n"
            )
            .unwrap();
        }
        let service = Service::configured(&sandbox, config.path());
        Self {
            sandbox,
            service,
            _config: config,
        }
    }

    fn url(&self, mode: &str) -> String {
        self.service.url(&format!("/alertmanager/{mode}"))
    }

    /// Waits until the room is as wanted: its messages in order, as `R` for a root, `r` for a
    /// reply to the first message, each with how often it was edited where it was.
    fn await_room(&self, wanted: &str) -> Vec<Value> {
        let look = || {
            let messages = self.sandbox.room("ops");
            let shapes = messages.iter().map(|message| {
                let kind = match &message["parent_id"] {
                    Value::Null => "R".to_owned(),
                    parent if *parent == messages[0]["id"] => "r".to_owned(),
                    parent => format!("?{parent}"),
                };
                match message["edits"].as_u64().unwrap() {
                    0 => kind,
                    edits => format!("{kind}{edits}"),
                }
            });
            let shape = shapes.collect::<Vec<_>>().join(" ");
            (shape == wanted).then_some(messages)
        };
        until(&format!("the room shows {wanted}"), look)
    }
}

fn text(message: &Value) -> &str {
    message["markdown"].as_str().unwrap()
}

/// What Prometheus says of alerts of one group.
struct Group {
    start: jiff::Timestamp,
}

impl Group {
    fn alert(&self, name: &str, fires: bool) -> Value {
        let mut alert = json!({
            "labels": {"alertname": name, "job": "api", "severity": "critical"},
            "annotations": {"summary": format!("{name} is broken")},
            "startsAt": self.start.to_string(),
        });
        if !fires {
            alert["endsAt"] = jiff::Timestamp::now().to_string().into();
        }
        alert
    }
}

/// Tells a group's life, and what the room is like after each step.
fn lives(variable: &str, mode: &str, rooms: [&str; 5]) -> Vec<Value> {
    let rig = Rig::start();
    let cluster = ["--cluster.listen-address=".to_owned()];
    let alertmanager = Alertmanager::with(variable, &rig.url(mode), ROUTE, &cluster);
    let group = Group {
        start: jiff::Timestamp::now(),
    };
    let steps = [
        json!([group.alert("Down", true)]),
        json!([group.alert("Slow", true)]),
        json!([group.alert("Down", false)]),
        json!([group.alert("Slow", false)]),
    ];
    for (alerts, room) in steps.iter().zip(rooms) {
        alertmanager.tell(alerts);
        rig.await_room(room);
    }
    // Another story.
    let later = Group {
        start: jiff::Timestamp::now(),
    };
    alertmanager.tell(&json!([later.alert("Slow", true)]));
    rig.await_room(rooms[4])
}

#[test]
fn each_notification_is_a_message_of_its_own() {
    lives(
        "ALERTMANAGER_BIN",
        "new",
        ["R", "R R", "R R R", "R R R R", "R R R R R"],
    );
}

fn one_thread(variable: &str) {
    let messages = lives(
        variable,
        "thread",
        ["R", "R r", "R r r", "R r r r", "R r r r R"],
    );
    for (message, says) in messages.iter().zip([
        "Firing: Down",
        "1 new, 2 firing",
        "1 resolved, 1 still firing",
        "Resolved after",
        "Firing: Slow",
    ]) {
        assert!(text(message).contains(says), "{says}: {}", text(message));
    }
}

#[test]
fn a_group_of_the_current_alertmanager_is_one_thread() {
    one_thread("ALERTMANAGER_BIN");
}

#[test]
fn a_group_of_the_old_alertmanager_is_one_thread() {
    one_thread("ALERTMANAGER_OLD_BIN");
}

#[test]
fn a_group_is_one_message_that_is_kept_up_to_date() {
    let messages = lives(
        "ALERTMANAGER_BIN",
        "update",
        ["R", "R1 r", "R2 r", "R3 r", "R3 r R"],
    );
    assert!(text(&messages[0]).contains("Resolved"), "{messages:?}");
    assert!(
        text(&messages[1]).contains("1 new, 2 firing"),
        "{messages:?}"
    );
}

/// Webex is slower than the second peer waits, so both notify of each change.
fn two_peers(mode: &str, rooms: [&str; 3], posts: &[u64]) {
    let rig = Rig::start();
    rig.sandbox
        .set_fault(r#"{"effect":{"latency":{"ms":2500}}}"#);
    let peers = Alertmanager::pair(|cluster| {
        let patience = "--cluster.peer-timeout=1s".to_owned();
        let cluster = [cluster, &[patience]].concat();
        Alertmanager::with("ALERTMANAGER_BIN", &rig.url(mode), ROUTE, &cluster)
    });
    let group = Group {
        start: jiff::Timestamp::now(),
    };
    // As Prometheus does, each of them is told.
    let tell = |alerts: &Value| {
        for peer in &peers {
            peer.tell(alerts);
        }
    };
    tell(&json!([group.alert("Down", true)]));
    rig.await_room(rooms[0]);
    tell(&json!([group.alert("Slow", true)]));
    rig.await_room(rooms[1]);
    tell(&json!([
        group.alert("Down", false),
        group.alert("Slow", false)
    ]));
    let messages = rig.await_room(rooms[2]);
    let is_over = |message: &Value| text(message).contains("esolved");
    assert!(messages.iter().any(is_over), "{messages:?}");
    assert_eq!(rig.sandbox.posts(), posts, "nothing was posted twice");
}

#[test]
fn two_peers_of_a_cluster_tell_one_thread() {
    two_peers("thread", ["R", "R r", "R r r"], &[200, 200, 200]);
}

#[test]
fn long_two_peers_of_a_cluster_keep_one_message_up_to_date() {
    two_peers("update", ["R", "R1 r", "R2 r"], &[200, 200]);
}
