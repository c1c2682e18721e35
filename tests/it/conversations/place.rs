//! Where a conversation is: rooms that come, go and change, and roots that are gone.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{Behaviour, DeletedParent, Sandbox, Setup};
use alertmanager_webex::webex::{Transport, TransportError};
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::sleep;

use super::room::show;
use super::{THREAD, UPDATE, counts, deliver, fault, group, large, requests, rig, status};
use crate::harness::{Direct, Rig, firing, resolved};

#[tokio::test(start_paused = true)]
async fn a_bot_that_was_removed_and_added_again_goes_on_in_the_thread() {
    let rig = rig(THREAD);
    deliver(&rig, &group(&[("A", "firing")])).await;
    rig.sandbox.remove_member("general", "sandbox").unwrap();
    let more = group(&[("A", "firing"), ("B", "firing")]);
    let outcome = rig.outcome(&more).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert_eq!(requests(&rig, "POST"), 3, "a reply, and once more without");
    rig.sandbox.add_member("general", "sandbox").unwrap();
    sleep(Duration::from_secs(60)).await;
    deliver(&rig, &more).await;
    assert_eq!(counts(&rig, "general"), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn another_room_after_a_reload_has_a_root_of_its_own() {
    for mode in [THREAD, UPDATE] {
        let mut rig = rig(mode);
        let configured = |toml: &str, room: &str| {
            toml.replace(
                "rooms = [\"general\"]",
                &format!("rooms = [\"{room}\"]\n{mode}template = \"compact\""),
            )
        };
        deliver(&rig, &group(&[("A", "firing")])).await;
        rig.reload(|toml| configured(toml, "ops"));
        deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
        assert_eq!(counts(&rig, "general"), (1, 0));
        assert_eq!(counts(&rig, "ops"), (1, 0));
        rig.reload(|toml| configured(toml, "general"));
        deliver(&rig, &group(&[("A", "resolved"), ("B", "resolved")])).await;
        let text = show(&rig.messages("general"));
        let is_thread = mode == THREAD;
        assert_eq!(
            counts(&rig, "general"),
            (1, usize::from(is_thread)),
            "{text}"
        );
        assert!(text.contains("esolved"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_room_of_a_receiver_has_its_own_root() {
    let rig =
        Rig::with("[receivers.two]\nrooms = [\"general\", \"ops\"]\nconversation = \"thread\"\n");
    for body in [firing("Down"), resolved("Down")] {
        let outcome = rig.submit_to("two", &body).outcome().await;
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
    for room in ["general", "ops"] {
        assert_eq!(counts(&rig, room), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_message_is_replied_to_and_edited_by_the_room_that_webex_names() {
    let rig = Rig::with(&format!(
        "[receivers.person]\npeople = [\"anna@example.org\"]\n{UPDATE}"
    ));
    for alerts in [
        &[("A", "firing")][..],
        &[("A", "firing"), ("B", "firing")],
        &[("A", "resolved"), ("B", "resolved")],
    ] {
        let outcome = rig.submit_to("person", &group(alerts)).outcome().await;
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
    let rooms = rig.sandbox.rooms().into_iter();
    let messages: Vec<_> = rooms
        .flat_map(|room| rig.sandbox.messages(&room.id))
        .collect();
    assert_eq!(messages.len(), 2, "a root and a reply");
    assert_eq!(messages[0].edits, 2);
    assert_eq!(messages[1].parent_id.as_ref(), Some(&messages[0].id));
}

#[tokio::test(start_paused = true)]
async fn whatever_webex_says_to_a_deleted_parent_the_message_is_there() {
    for answer in [
        DeletedParent::Post,
        DeletedParent::BadRequest,
        DeletedParent::NotFound,
    ] {
        let rig = rig(THREAD);
        rig.sandbox.set_behaviour(Behaviour {
            deleted_parent: answer,
            ..Behaviour::default()
        });
        deliver(&rig, &group(&[("A", "firing")])).await;
        let root = rig.messages("general").remove(0);
        rig.sandbox.delete_message(&root.id).unwrap();
        deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
        let text = show(&rig.messages("general"));
        assert_eq!(rig.messages("general").len(), 1, "{answer:?}");
        assert!(text.contains('B'), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_webex_takes_in_no_form_but_text_is_posted_as_text() {
    let rig = rig(THREAD);
    deliver(&rig, &group(&[("A", "firing")])).await;
    // The reply, the same as a new message with its card, without it, and then as text.
    fault(&rig, "POST", status(400), Some(3));
    deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
    let messages = rig.messages("general");
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].markdown, None);
    let text = messages[1].text.as_deref().unwrap();
    assert!(text.contains("2 firing: A, B"), "{text}");
    assert_eq!(requests(&rig, "POST"), 5);
}

/// A Webex that takes no replies at all.
struct NoReplies(Direct);

impl Transport for NoReplies {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        let body = request.body();
        let is_reply = body.windows(10).any(|part| part == b"\"parentId\"");
        if !is_reply {
            return self.0.send(request);
        }
        Box::pin(async {
            let mut refused = Response::new(Bytes::from_static(b"{}"));
            *refused.status_mut() = http::StatusCode::NOT_FOUND;
            Ok(refused)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn where_webex_takes_no_reply_all_is_posted_and_nothing_loops() {
    for mode in [THREAD, UPDATE] {
        let sandbox = Sandbox::new(Setup::default());
        let transport = Arc::new(NoReplies(Direct(sandbox.clone())));
        let rig = Rig::over(
            sandbox,
            transport,
            &format!("{mode}template = \"compact\"\n"),
        );
        deliver(&rig, &large(200)).await;
        let parts = rig.messages("general").len();
        assert!(parts > 1, "{parts}");
        deliver(&rig, &large(201)).await;
        let text = show(&rig.messages("general"));
        assert!(text.contains("Alert0200"), "{text}");
        let refused = rig.count(r#"webex_requests_total{bot="default",code="404"}"#);
        assert!(refused <= 4, "{refused} requests were in vain");
    }
}
