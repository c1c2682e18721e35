//! `namespaces`: what is another project's is withheld, and nothing of it is told.

use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::routing::NotAssigned;
use tokio::time::sleep;

use super::alert;
use crate::harness::{Rig, notification, reasoned};

const TEAM: &str = "namespaces = [\"team-a\"]\n";

#[tokio::test(start_paused = true)]
async fn an_alert_of_another_namespace_is_withheld_and_the_rest_is_told_with_a_note() {
    let rig = Rig::with(TEAM);
    let body = notification(
        "g",
        &[
            alert("Mine", "resolved", "team-a", ""),
            alert("Foreign", "firing", "team-b", ""),
            alert("Nobodys", "firing", "", ""),
        ],
    );
    let outcome = rig.dispatch("default", None, &body).await;
    assert!(
        matches!(outcome, Outcome::Delivered { messages: 1 }),
        "{outcome:?}"
    );
    let messages = rig.messages("general");
    insta::assert_snapshot!(
        messages[0]
            .text
            .as_ref()
            .unwrap_or(messages[0].markdown.as_ref().unwrap())
    );
    assert_eq!(rig.count(r#"withheld_alerts_total{receiver="default"}"#), 2);
}

#[tokio::test(start_paused = true)]
async fn where_none_remains_it_is_refused_and_nothing_is_posted() {
    let rig = Rig::with(TEAM);
    let body = notification("g", &[alert("Foreign", "firing", "team-b", "")]);
    let outcome = rig.dispatch("default", None, &body).await;
    assert!(
        matches!(
            outcome,
            Outcome::NotAssigned(NotAssigned::Foreign { alerts: 1, .. })
        ),
        "{outcome:?}"
    );
    assert_eq!(rig.posts(), 0);
    assert_eq!(rig.count(r#"withheld_alerts_total{receiver="default"}"#), 1);
}

/// The group changes for others, and Alertmanager sends it whole.
#[tokio::test(start_paused = true)]
async fn news_of_another_namespace_is_no_news_here_but_a_repeat_on_purpose_is() {
    let rig = Rig::with(TEAM);
    let with = |foreign: &str, reason: &str| {
        let mine = alert("Mine", "firing", "team-a", "");
        let foreign = alert(foreign, "firing", "team-b", "");
        reasoned("g", &[mine, foreign], reason)
    };
    let first = with("One", "first notification");
    rig.dispatch("default", None, &first).await;
    sleep(Duration::from_secs(3600)).await;
    let news = with("Two", "new alerts added");
    let outcome = rig.dispatch("default", None, &news).await;
    assert!(matches!(outcome, Outcome::Repeat { .. }), "{outcome:?}");
    assert_eq!(rig.posts(), 1);
    sleep(Duration::from_secs(3600)).await;
    let repeat = with("Two", "repeat interval elapsed");
    let outcome = rig.dispatch("default", None, &repeat).await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    assert_eq!(rig.posts(), 2);
}

#[tokio::test(start_paused = true)]
async fn templates_and_cards_know_nothing_foreign() {
    let folder = tempfile::tempdir().unwrap();
    let all = "{{ common_labels }} {{ common_annotations }} {{ alerts | length }} {{ alert_names }} \
               {{ status }} {{ group_labels }} {{ notification_reason }} {{ changed | length }} ";
    std::fs::write(folder.path().join("spy.md"), all).unwrap();
    let card = r#"{"type":"AdaptiveCard","version":"1.3","body":[{"type":"TextBlock","text":"{{ alert_names }}"}]}"#;
    std::fs::write(folder.path().join("spy.card.json"), card).unwrap();
    let rig = Rig::with(&format!(
        "{TEAM}template = \"spy\"\n[templates]\ndirectory = \"{}\"\n",
        folder.path().display()
    ));
    let body = notification(
        "g",
        &[
            alert("Mine", "firing", "team-a", ""),
            alert("Foreign", "firing", "team-b", "foreign-room"),
        ],
    );
    rig.dispatch("default", None, &body).await;
    let message = &rig.messages("general")[0];
    let shown = format!("{:?}{:?}{:?}", message.markdown, message.text, message.card);
    assert!(shown.contains("Mine"), "{shown}");
    assert!(
        !shown.contains("oreign") && !shown.contains("team-b"),
        "{shown}"
    );
    let card = message.card.as_ref().unwrap().to_string();
    assert!(
        card.contains("One alert is withheld"),
        "who sees the card is told: {card}"
    );
}
