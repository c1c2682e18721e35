//! What Webex refuses: rooms, tokens, messages.

use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, RefusalCause, Trouble};
use tokio::time::{Instant, sleep};

use super::{is_delivered, status};
use crate::harness::{Rig, firing};

#[tokio::test(start_paused = true)]
async fn a_room_that_refuses_is_told_with_webexs_words_and_asked_again_in_half_a_minute() {
    let rig = Rig::with("[receivers.lost]\nrooms = [\"dead\"]\n");
    let refused = async || {
        let outcome = rig.submit_to("lost", &firing("Down")).outcome().await;
        let Outcome::Refused(refused) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(refused[0].cause, RefusalCause::Room);
        refused[0].to_string()
    };
    let told = refused().await;
    assert!(
        told.contains("room `dead`") && told.contains("404"),
        "{told}"
    );
    assert!(told.contains("trackingId"), "{told}");
    for _ in 0..20 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(refused().await, told, "at once, in the words of the first");
    }
    assert_eq!(rig.posts(), 1);
    sleep(Duration::from_secs(10)).await;
    refused().await;
    assert_eq!(rig.posts(), 2, "one probe");
    let id = "Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA";
    rig.sandbox.add_room("dead", Some(id)).unwrap();
    sleep(Duration::from_secs(30)).await;
    let outcome = rig.submit_to("lost", &firing("Down")).outcome().await;
    assert!(is_delivered(&outcome), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_room_costs_the_others_nothing() {
    let rig = Rig::with("[receivers.two]\nrooms = [\"dead\", \"ops\"]\n");
    let outcome = rig.submit_to("two", &firing("Down")).outcome().await;
    let Outcome::Partial { messages, refused } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((messages, refused.len()), (1, 1));
    assert_eq!(rig.messages("ops").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_markdown_goes_out_as_plain_text_and_says_so() {
    let rig = Rig::new();
    rig.fail(status(400), 1);
    assert!(is_delivered(&rig.outcome(&firing("Down")).await));
    let messages = rig.messages("general");
    assert_eq!(messages[0].markdown, None);
    let text = messages[0].text.as_ref().unwrap();
    assert!(text.contains("Down is broken"), "{text}");
    assert!(text.contains("Webex refused the Markdown"), "{text}");
    assert!(!text.contains("**"), "{text}");
    let fallbacks = r#"fallbacks_total{receiver="default",reason="markdown_refused"}"#;
    assert_eq!(rig.count(fallbacks), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_refused_in_every_form_is_refused_for_good() {
    let rig = Rig::new();
    rig.fail(status(400), 0);
    let outcome = rig.outcome(&firing("Down")).await;
    let Outcome::Refused(refused) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(refused[0].cause, RefusalCause::Message);
    assert_eq!(rig.posts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_passing_for_two_minutes_and_then_for_good() {
    let rig = Rig::new();
    rig.sandbox.revoke_token("sandbox").unwrap();
    let start = Instant::now();
    let mut passing = 0;
    let last = loop {
        let outcome = rig.outcome(&firing("Down")).await;
        match outcome {
            Outcome::Unfinished(Trouble::TokenRefused { .. }) => passing += 1,
            other => break other,
        }
    };
    let Outcome::Refused(refused) = last else {
        panic!("{last:?}");
    };
    assert_eq!(refused[0].cause, RefusalCause::Token);
    assert!(start.elapsed() >= Duration::from_secs(120));
    assert!(passing >= 12, "{passing}");
    assert!(rig.posts() <= 14, "probed once in a while: {}", rig.posts());
    assert!(
        !refused[0].to_string().contains("sandbox"),
        "the token is not told"
    );

    rig.sandbox.restore_token("sandbox").unwrap();
    sleep(Duration::from_secs(10)).await;
    assert!(is_delivered(&rig.outcome(&firing("Down")).await));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_is_picked_up_by_what_waits() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "sandbox\n").unwrap();
    let rig = Rig::with(&format!(
        "bot = \"rotating\"\n[bots.rotating]\ntoken_file = \"{}\"\n",
        file.path().display()
    ));
    rig.sandbox
        .set_token("sandbox", "rotated".to_owned())
        .unwrap();
    let ticket = rig.submit(&firing("Down"));
    sleep(Duration::from_secs(1)).await;
    std::fs::write(file.path(), "rotated\n").unwrap();
    let outcome = ticket.outcome().await;
    let delivered = is_delivered(&outcome) || is_delivered(&rig.outcome(&firing("Down")).await);
    assert!(delivered, "{outcome:?}");
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_healthy_room_is_told_of_the_one_that_refuses() {
    let rig = Rig::with("[receivers.two]\nrooms = [\"dead\", \"ops\"]\n");
    for body in [firing("A"), firing("B")] {
        let outcome = rig.submit_to("two", &body).outcome().await;
        assert!(matches!(outcome, Outcome::Partial { .. }), "{outcome:?}");
    }
    let last = rig.messages("ops").pop().unwrap().markdown.unwrap();
    assert!(last.contains("Not delivered elsewhere: room"), "{last}");
}
