//! Direct messages: people as destinations.

use alertmanager_webex::delivery::{Outcome, RefusalCause};

use crate::harness::{Rig, firing};

fn direct_messages(rig: &Rig, address: &str) -> usize {
    let rooms = rig.sandbox.rooms();
    let messages = rooms.iter().flat_map(|room| rig.sandbox.messages(&room.id));
    messages
        .filter(|message| message.to.as_ref().is_some_and(|to| to.email == address))
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_person_gets_a_direct_message_beside_the_rooms_or_instead_of_them() {
    let rig = Rig::with(
        "people = [\"anna@example.org\"]\n\
         [receivers.night]\npeople = [\"anna@example.org\", \"ben@example.org\"]",
    );
    let both = rig.submit(&firing("Down")).outcome().await;
    assert!(
        matches!(both, Outcome::Delivered { messages: 2 }),
        "{both:?}"
    );
    assert_eq!(rig.messages("general").len(), 1);
    assert_eq!(direct_messages(&rig, "anna@example.org"), 1);

    let alone = rig.submit_to("night", &firing("Down")).outcome().await;
    assert!(
        matches!(alone, Outcome::Delivered { messages: 2 }),
        "{alone:?}"
    );
    assert_eq!(rig.messages("general").len(), 1);
    assert_eq!(direct_messages(&rig, "anna@example.org"), 2);
    assert_eq!(direct_messages(&rig, "ben@example.org"), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_with_that_address_is_a_refusal_for_good_with_the_remedy() {
    let rig = Rig::with("[receivers.night]\npeople = [\"gone@elsewhere.test\"]");
    let Outcome::Refused(refused) = rig.submit_to("night", &firing("Down")).outcome().await else {
        panic!("nobody has this address");
    };
    assert_eq!(refused[0].cause, RefusalCause::Room);
    let told = refused[0].to_string();
    let (told, _) = told.split_once(", trackingId").unwrap();
    insta::assert_snapshot!(told, @"person `gone@elsewhere.test` is unknown to Webex (Webex answered 404 Not Found: Failed to find user with specified email address.");
    assert!(
        refused[0]
            .to_string()
            .ends_with("write the address that the person has in Webex")
    );
    assert_eq!(rig.posts(), 1, "and it is not tried again");
}
