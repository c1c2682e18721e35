//! Which alert goes where, with what notes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::{Access, Conversation, Pattern, Target};
use super::*;
use crate::render::ReceiverData;

fn destination(name: &str) -> Destination {
    Destination {
        bot: "bot".into(),
        name: name.into(),
        target: Target::Room(format!("id-{name}").into()),
    }
}

fn patterns(written: &[&str]) -> Vec<Pattern> {
    let parsed = written.iter().map(|text| Pattern::parse(text).unwrap());
    parsed.collect()
}

/// A receiver with the rooms `own` of its own, in a world with `ops`, `dev-a`, `dev-b`, `secret`.
fn receiver(own: &[&str], namespaces: &[&str], from: Option<(Source, Otherwise)>) -> Arc<Receiver> {
    let rooms: BTreeMap<Arc<str>, Target> = ["ops", "dev-a", "dev-b", "secret"]
        .map(|name| (name.into(), destination(name).target))
        .into();
    Arc::new(Receiver {
        name: "team".into(),
        destinations: own.iter().map(|name| destination(name)).collect(),
        template: "default".to_owned(),
        conversation: Conversation::New,
        messages: ReceiverData::default(),
        access: Access::default(),
        namespaces: patterns(namespaces),
        room_from: from.map(|(source, otherwise)| RoomFrom {
            source,
            allow: patterns(&["ops", "dev-*"]),
            otherwise,
            rooms: Arc::new(rooms),
            bot: "bot".into(),
        }),
        max_messages_per_minute: None,
        dry_run: false,
        tried: None,
    })
}

fn annotation() -> Source {
    Source::Annotation("webex_room".to_owned())
}

/// An alert `name[@namespace][>room][!]`, where `!` says that it is over.
fn alert(written: &str) -> String {
    let (written, status) = match written.strip_suffix('!') {
        Some(written) => (written, "resolved"),
        None => (written, "firing"),
    };
    let (written, room) = written.split_once('>').unwrap_or((written, ""));
    let (name, namespace) = written.split_once('@').unwrap_or((written, ""));
    format!(
        r#"{{"status":"{status}","labels":{{"alertname":"{name}","namespace":"{namespace}","job":"x"}},
            "annotations":{{"webex_room":"{room}"}},"startsAt":"2026-01-01T00:00:00Z"}}"#
    )
}

fn body(alerts: &str, reason: &str) -> String {
    let alerts: Vec<String> = alerts.split_whitespace().map(alert).collect();
    format!(
        r#"{{"version":"4","groupKey":"g","notification_reason":"{reason}","alerts":[{}]}}"#,
        alerts.join(",")
    )
}

/// What goes where, one line a part: `rooms: status alerts | notes`.
fn told(
    receiver: &Arc<Receiver>,
    asked: Option<&str>,
    body: &str,
    memory: &mut Remembered,
) -> String {
    let notification = Notification::parse(body.as_bytes()).unwrap();
    let now = Instant::now();
    let assigned = match assign(receiver, asked, &notification, memory, now) {
        Err(refused) => return format!("refused: {refused}"),
        Ok(assigned) => assigned,
    };
    let mut told = String::new();
    for part in &assigned.parts {
        let rooms: Vec<&str> = part
            .receiver
            .destinations
            .iter()
            .map(|one| &*one.name)
            .collect();
        let alerts = part.notification.alerts.iter();
        let alerts: Vec<&str> = alerts
            .filter_map(|one| one.labels.get("alertname"))
            .collect();
        let news = if part.notification.is_old_news {
            " (old news)"
        } else {
            ""
        };
        write!(
            told,
            "{}: {} {}{news}",
            rooms.join("+"),
            part.notification.status,
            alerts.join("+")
        )
        .unwrap();
        for note in &part.notification.notes {
            write!(told, " | {note}").unwrap();
        }
        told.push('\n');
    }
    if let Some(refused) = assigned.refused {
        write!(told, "refused: {refused}").unwrap();
    }
    told
}

#[test]
fn alerts_of_other_namespaces_are_withheld_and_counted() {
    let receiver = receiver(&["ops"], &["team-a", "team-a-*"], None);
    let told = |alerts: &str| {
        told(
            &receiver,
            None,
            &body(alerts, ""),
            &mut Remembered::default(),
        )
    };
    insta::assert_snapshot!(told("a@team-a b@team-a-dev"), @"ops: firing a+b");
    insta::assert_snapshot!(told("a@team-a b@team-b!"), @"ops: firing a (old news) | One alert is withheld: it is not of this receiver's namespaces.");
    insta::assert_snapshot!(told("a@team-a! b@team-b c d@TEAM-A"), @"ops: resolved a (old news) | 3 alerts are withheld: they are not of this receiver's namespaces.");
    insta::assert_snapshot!(told("b@team-b c@team-apple"), @"refused: none of the 2 alerts is of a namespace of receiver `team`, which takes `team-a`, `team-a-*`; mend the matchers of the route, or `namespaces` of the receiver");
    insta::assert_snapshot!(told("c"), @"refused: the alert is not of a namespace of receiver `team`, which takes `team-a`, `team-a-*`; mend the matchers of the route, or `namespaces` of the receiver");
}

#[test]
fn a_group_is_split_among_the_rooms_that_its_alerts_name() {
    let own = receiver(
        &["ops", "general"],
        &[],
        Some((annotation(), Otherwise::OwnRooms)),
    );
    let told = |alerts: &str| told(&own, None, &body(alerts, ""), &mut Remembered::default());
    insta::assert_snapshot!(told("a>dev-a b>dev-b! c>dev-a"), @"
    dev-a: firing a+c (old news)
    dev-b: resolved b (old news)
    ");
    insta::assert_snapshot!(told("a>dev-a"), @"dev-a: firing a");
    insta::assert_snapshot!(told("a>ops b"), @"
    ops: firing a+b | One of the alerts is shown here because no room is named (annotation `webex_room`).
    general: firing b (old news) | This alert is shown here because no room is named (annotation `webex_room`).
    ");
    insta::assert_snapshot!(told("a>secret b>Y2lzY29zcGFyazovL3VzL1JPT00vb3Bzb3Bzb3Bz c>dev-*"), @"
    ops: firing a+b+c | These alerts are shown here because the room that is named may not be chosen (annotation `webex_room`: secret).
    general: firing a+b+c | These alerts are shown here because the room that is named may not be chosen (annotation `webex_room`: secret).
    ");
}

#[test]
fn what_names_no_room_that_it_may_have_is_refused_where_it_is_said_so() {
    let none = receiver(
        &[],
        &[],
        Some((Source::Label("job".to_owned()), Otherwise::Refuse)),
    );
    let all = |receiver: &Arc<Receiver>, alerts: &str| {
        told(
            receiver,
            None,
            &body(alerts, ""),
            &mut Remembered::default(),
        )
    };
    insta::assert_snapshot!(all(&none, "a b"), @"refused: 2 alerts do not name a room that receiver `team` may choose (label `job` is to name one of `ops`, `dev-*`); mend the name, or `room_from.allow` of the receiver");
    let none = receiver(&[], &["t"], Some((annotation(), Otherwise::Refuse)));
    insta::assert_snapshot!(all(&none, "a@t>ops b@t c@other>ops"), @"
    ops: firing a (old news) | One alert is withheld: it is not of this receiver's namespaces. | One alert is not delivered: it names no room that may be chosen (annotation `webex_room`).
    refused: an alert does not name a room that receiver `team` may choose (annotation `webex_room` is to name one of `ops`, `dev-*`); mend the name, or `room_from.allow` of the receiver
    ");
}

#[test]
fn the_url_names_one_room_for_all() {
    let query = || Source::Query("room".to_owned());
    let own = receiver(
        &["ops", "general"],
        &[],
        Some((query(), Otherwise::OwnRooms)),
    );
    let told = |receiver: &Arc<Receiver>, asked| {
        told(
            receiver,
            asked,
            &body("a b", ""),
            &mut Remembered::default(),
        )
    };
    insta::assert_snapshot!(told(&own, Some(" dev-b ")), @"dev-b: firing a+b");
    insta::assert_snapshot!(told(&own, None), @"ops+general: firing a+b | Shown here because `?room=` of the webhook's URL names no room.");
    insta::assert_snapshot!(told(&own, Some("secret")), @"ops+general: firing a+b | Shown here because `?room=` of the webhook's URL names a room that may not be chosen: secret.");
    let none = receiver(&[], &[], Some((query(), Otherwise::Refuse)));
    insta::assert_snapshot!(told(&none, Some("secret")), @"refused: 2 alerts do not name a room that receiver `team` may choose (`?room=` of the webhook's URL is to name one of `ops`, `dev-*`); mend the name, or `room_from.allow` of the receiver");
    insta::assert_snapshot!(told(&none, Some("ops")), @"ops: firing a+b");
}

#[test]
fn an_alert_stays_in_its_room_until_it_is_over_whatever_its_annotation_becomes() {
    let own = receiver(&["general"], &[], Some((annotation(), Otherwise::OwnRooms)));
    let mut memory = Remembered::default();
    let mut told = |alerts: &str| told(&own, None, &body(alerts, ""), &mut memory);
    insta::assert_snapshot!(told("a>ops b"), @"
    ops: firing a (old news)
    general: firing b (old news) | This alert is shown here because no room is named (annotation `webex_room`).
    ");
    insta::assert_snapshot!(told("a>dev-a! b>dev-b!"), @"
    ops: resolved a (old news)
    general: resolved b (old news)
    ");
    insta::assert_snapshot!(told("a>secret!"), @"ops: resolved a");
}

#[test]
fn what_is_repeated_on_purpose_is_no_old_news_also_where_alertmanager_does_not_say_so() {
    let own = receiver(&["general"], &[], Some((annotation(), Otherwise::OwnRooms)));
    let mut memory = Remembered::default();
    let repeat = body("a>ops b>dev-a", REPEAT_INTERVAL);
    assert!(!told(&own, None, &repeat, &mut memory).contains("old news"));
    let silent = body("a>ops b>dev-a", "");
    assert!(told(&own, None, &silent, &mut memory).contains("old news"));
    let notification = Notification::parse(silent.as_bytes()).unwrap();
    let now = Instant::now();
    let assigned = assign(&own, None, &notification, &mut memory, now).unwrap();
    memory.delivered(assigned.whole.unwrap(), now);
    assert!(!told(&own, None, &silent, &mut memory).contains("old news"));
    let changed = body("a>ops b>dev-a!", "");
    assert!(told(&own, None, &changed, &mut memory).contains("old news"));
}
