//! `room_from`: rooms by need.

use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, RefusalCause};
use alertmanager_webex::sandbox::{Effect, Fault};
use tokio::time::sleep;

use super::alert;
use crate::harness::{Rig, notification};

const ANNOTATION: &str =
    "room_from = { annotation = \"webex_room\", allow = [\"ops\", \"dead\"] }\n";

fn titles(rig: &Rig, room: &str) -> Vec<String> {
    let messages = rig.messages(room).into_iter();
    messages
        .map(|message| {
            let markdown = message.markdown.unwrap_or_default();
            markdown.lines().next().unwrap_or_default().to_owned()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_is_split_among_the_rooms_that_its_alerts_name() {
    let rig = Rig::with(ANNOTATION);
    let body = notification(
        "g",
        &[
            alert("One", "firing", "", "ops"),
            alert("Two", "resolved", "", "ops"),
            alert("Three", "resolved", "", ""),
        ],
    );
    let outcome = rig.dispatch("default", None, &body).await;
    assert!(
        matches!(outcome, Outcome::Delivered { messages: 2 }),
        "{outcome:?}"
    );
    insta::assert_debug_snapshot!((titles(&rig, "ops"), titles(&rig, "general")));
    let own = rig.messages("general")[0].markdown.clone().unwrap();
    assert!(own.contains("no room is named"), "{own}");
    assert!(!own.contains("One is broken"), "{own}");
    assert_eq!(
        rig.count(r#"room_fallback_alerts_total{receiver="default"}"#),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn the_resolution_reaches_the_room_that_knows_of_the_alert() {
    let rig = Rig::with(ANNOTATION);
    let fires = notification("g", &[alert("One", "firing", "", "ops")]);
    rig.dispatch("default", None, &fires).await;
    let over = notification("g", &[alert("One", "resolved", "", "general")]);
    rig.dispatch("default", None, &over).await;
    assert_eq!(rig.messages("ops").len(), 2);
    assert_eq!(rig.messages("general").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_is_done_only_when_every_room_has_its_part_and_no_room_is_told_twice() {
    let rig = Rig::with(ANNOTATION);
    let ops = rig.sandbox.room_id("ops").unwrap();
    let effect = Effect::Status {
        code: 503,
        retry_after: None,
        body: alertmanager_webex::sandbox::FaultBody::Json,
    };
    let fault = rig.sandbox.set_fault(Fault::new(effect).room(ops)).unwrap();
    let body = notification(
        "g",
        &[
            alert("One", "firing", "", "ops"),
            alert("Two", "firing", "", ""),
        ],
    );
    let outcome = rig.dispatch("default", None, &body).await;
    assert!(matches!(outcome, Outcome::Unfinished(_)), "{outcome:?}");
    assert_eq!(rig.messages("general").len(), 1);
    // The next flush is long after `duplicate_window`.
    sleep(Duration::from_secs(300)).await;
    rig.sandbox.clear_fault(fault).unwrap();
    // The longest pause between tries.
    sleep(Duration::from_secs(30)).await;
    let outcome = rig.dispatch("default", None, &body).await;
    assert!(outcome.is_success(), "{outcome:?}");
    assert_eq!(rig.messages("ops").len(), 1);
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_refuses_for_good_makes_the_whole_partial() {
    let rig = Rig::with(ANNOTATION);
    let body = notification(
        "g",
        &[
            alert("One", "firing", "", "dead"),
            alert("Two", "firing", "", "ops"),
        ],
    );
    let outcome = rig.dispatch("default", None, &body).await;
    let Outcome::Partial {
        messages: 1,
        refused,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(refused[0].cause, RefusalCause::Room);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_told_beside_what_is_delivered() {
    let rig = Rig::with(
        "[receivers.strict]\n\
         room_from = { label = \"webex_room\", allow = [\"ops\"], otherwise = \"refuse\" }",
    );
    let [named, other] = ["ops", "general"].map(|room| {
        alert(room, "firing", "", "").replace(
            "\"severity\"",
            &format!("\"webex_room\":\"{room}\",\"severity\""),
        )
    });
    let both = notification("g", &[named, other.clone()]);
    let outcome = rig.dispatch("strict", None, &both).await;
    let Outcome::Partial {
        messages: 1,
        refused,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(refused[0].cause, RefusalCause::NotAssigned);
    let told = rig.messages("ops")[0].markdown.clone().unwrap();
    assert!(told.contains("One alert is not delivered"), "{told}");
    let outcome = rig
        .dispatch("strict", None, &notification("h", &[other]))
        .await;
    assert!(matches!(outcome, Outcome::NotAssigned(_)), "{outcome:?}");
    assert_eq!(rig.posts(), 1);
}

/// Joins, repeats and conversations are keyed by the rooms.
#[tokio::test(start_paused = true)]
async fn two_urls_that_differ_in_their_room_never_share_a_delivery() {
    let rig =
        Rig::with("conversation = \"thread\"\nroom_from = { query = \"room\", allow = [\"*\"] }\n");
    let body = notification("g", &[alert("One", "firing", "", "")]);
    let more = notification(
        "g",
        &[
            alert("One", "firing", "", ""),
            alert("Two", "firing", "", ""),
        ],
    );
    for body in [&body, &more] {
        for room in ["ops", "general"] {
            let outcome = rig.dispatch("default", Some(room), body).await;
            assert!(
                matches!(outcome, Outcome::Delivered { messages: 1 }),
                "{outcome:?}"
            );
        }
    }
    for room in ["ops", "general"] {
        let messages = rig.messages(room);
        let root = messages
            .iter()
            .find(|message| message.parent_id.is_none())
            .unwrap();
        let replies = messages
            .iter()
            .filter(|one| one.parent_id.as_ref() == Some(&root.id));
        assert_eq!((messages.len(), replies.count()), (2, 1), "{room}");
    }
}
