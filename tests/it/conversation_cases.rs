//! The cases of `docs/conversations.md`, one by one. Time is paused.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{
    Behaviour, DeletedParent, Effect, Fault, FaultBody, Message, Quota, RetryAfter, Sandbox, Setup,
};
use alertmanager_webex::webex::{Transport, TransportError};
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::sleep;

use crate::conversations::{deliver, rig, rig_with};
use crate::harness::{Direct, Rig, alert, firing, notification, resolved};
use crate::room::show;

const THREAD: &str = "conversation = \"thread\"\n";
const UPDATE: &str = "conversation = \"update\"\n";

/// Roots, and replies to them.
fn counts(rig: &Rig, room: &str) -> (usize, usize) {
    let messages = rig.messages(room);
    let is_reply = |message: &&Message| {
        let parent = message.parent_id.as_ref();
        parent.is_some_and(|parent| messages.iter().any(|other| other.id == *parent))
    };
    let replies = messages.iter().filter(is_reply).count();
    (messages.len() - replies, replies)
}

fn group(alerts: &[(&str, &str)]) -> String {
    let alerts: Vec<_> = alerts
        .iter()
        .map(|(name, status)| alert(name, status, 0))
        .collect();
    notification("group", &alerts)
}

/// Of a group so large that it takes several messages.
fn large(alerts: usize) -> String {
    let alerts: Vec<_> = (0..alerts)
        .map(|number| alert(&format!("Alert{number:04}"), "firing", 0))
        .collect();
    notification("group", &alerts)
}

fn fault(rig: &Rig, method: &str, effect: Effect, times: Option<u32>) {
    let mut fault = Fault::new(effect);
    fault.method = Some(method.to_owned());
    fault.times = times;
    rig.sandbox.set_fault(fault).unwrap();
}

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    }
}

fn requests(rig: &Rig, method: &str) -> usize {
    let requests = rig.sandbox.requests();
    requests.iter().filter(|one| one.method == method).count()
}

#[tokio::test(start_paused = true)]
async fn two_first_notifications_at_once_have_one_root() {
    for mode in [THREAD, UPDATE] {
        let rig = rig(mode);
        rig.fail(Effect::Latency { ms: 3000 }, 0);
        // Neither covers the other, so both are told.
        let tickets = [
            rig.submit(&group(&[("A", "firing")])),
            rig.submit(&group(&[("B", "firing")])),
        ];
        for ticket in tickets {
            let outcome = ticket.outcome().await;
            assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
        }
        assert_eq!(counts(&rig, "general"), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn retries_and_a_peer_that_is_late_stay_in_the_one_thread() {
    let rig = rig(THREAD);
    rig.fail(Effect::Latency { ms: 12_000 }, 1);
    let body = group(&[("A", "firing"), ("B", "firing")]);
    let peer = group(&[("A", "firing")]);
    let (first, second) = (rig.submit(&body), rig.submit(&peer));
    let (first, second) = tokio::join!(first.outcome(), second.outcome());
    assert!(matches!(first, Outcome::Unfinished(_)), "{first:?}");
    assert!(matches!(second, Outcome::Unfinished(_)), "{second:?}");
    deliver(&rig, &body).await;
    deliver(&rig, &peer).await;
    assert_eq!(counts(&rig, "general"), (1, 0));
    // A peer that comes after the end tells nothing new, and begins nothing.
    let over = group(&[("A", "resolved"), ("B", "resolved")]);
    deliver(&rig, &over).await;
    sleep(Duration::from_secs(600)).await;
    deliver(&rig, &over).await;
    assert_eq!(counts(&rig, "general"), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn the_same_content_again_is_one_short_line_also_without_a_reason() {
    for mode in [THREAD, UPDATE] {
        let rig = rig(mode);
        let body = group(&[("A", "firing"), ("B", "firing")]);
        deliver(&rig, &body).await;
        sleep(Duration::from_secs(4 * 3600)).await;
        deliver(&rig, &body).await;
        let messages = rig.messages("general");
        assert_eq!(counts(&rig, "general"), (1, 1));
        let repeat = messages[1].markdown.as_deref().unwrap();
        assert!(repeat.contains("2 still firing"), "{repeat}");
        assert_eq!(repeat.lines().count(), 1, "{repeat}");
        assert_eq!(messages[0].edits, 0, "there is nothing to change");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_and_is_overtaken_is_told_once_in_the_root() {
    let rig = rig(THREAD);
    let limited = Effect::TooManyRequests {
        retry_after: Some(RetryAfter::Seconds(5)),
        body: FaultBody::Html,
    };
    rig.fail(limited, 1);
    let older = rig.submit(&group(&[("A", "firing")]));
    sleep(Duration::from_secs(1)).await;
    let newer = rig.submit(&group(&[("A", "firing"), ("B", "firing")]));
    for ticket in [older, newer] {
        let outcome = ticket.outcome().await;
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
    assert_eq!(counts(&rig, "general"), (1, 0));
    let text = show(&rig.messages("general"));
    assert!(text.contains("2 firing: A, B"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn after_a_day_a_group_begins_anew() {
    for mode in [THREAD, UPDATE] {
        let rig = rig(mode);
        deliver(&rig, &group(&[("A", "firing")])).await;
        for name in ["B", "C"] {
            sleep(Duration::from_secs(13 * 3600)).await;
            deliver(&rig, &group(&[("A", "firing"), (name, "firing")])).await;
        }
        assert_eq!(counts(&rig, "general"), (2, 1), "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_text_is_a_root_with_replies_and_grows_and_shrinks_without_rest() {
    let rig = rig(UPDATE);
    let shown = |rig: &Rig| -> Vec<String> {
        let messages = rig.messages("general").into_iter();
        let parts = messages.filter(|message| {
            let text = message.markdown.as_deref().unwrap();
            !text.contains(" new, ") && !text.contains(" new: ")
        });
        parts.map(|part| part.markdown.unwrap()).collect()
    };
    deliver(&rig, &large(1)).await;
    assert_eq!(shown(&rig).len(), 1);
    deliver(&rig, &large(300)).await;
    let grown = shown(&rig).len();
    assert!(grown > 2, "{grown}");
    // Fewer, then one: what is not needed is deleted, and nothing stale stays.
    let over: Vec<_> = (0..180)
        .map(|number| {
            let status = if number == 7 { "firing" } else { "resolved" };
            alert(&format!("Alert{number:04}"), status, 0)
        })
        .collect();
    deliver(&rig, &notification("group", &over)).await;
    let fewer = shown(&rig).len();
    assert!(fewer > 1 && fewer < grown, "{fewer} of {grown}");
    // What says nothing new within three minutes would be taken for a peer's.
    sleep(Duration::from_secs(300)).await;
    let last = notification("group", &[alert("Alert0007", "firing", 0)]);
    deliver(&rig, &last).await;
    let rest = shown(&rig);
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].contains("1 firing: Alert0007"), "{rest:?}");
    let (roots, _) = counts(&rig, "general");
    assert_eq!(roots, 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_somebody_deleted_is_posted_again() {
    let rig = rig(UPDATE);
    deliver(&rig, &large(200)).await;
    let messages = rig.messages("general");
    assert!(messages.len() > 1);
    rig.sandbox.delete_message(&messages[1].id).unwrap();
    let over: Vec<_> = (0..200)
        .map(|number| {
            let status = if number == 0 { "firing" } else { "resolved" };
            alert(&format!("Alert{number:04}"), status, 0)
        })
        .collect();
    deliver(&rig, &notification("group", &over)).await;
    let text = show(&rig.messages("general"));
    for number in 1..200 {
        let name = format!("Alert{number:04}");
        assert!(text.contains(&name), "{name} in {text}");
    }
    assert_eq!(counts(&rig, "general").0, 1);
}

#[tokio::test(start_paused = true)]
async fn webex_s_ten_edits_are_not_exceeded_and_the_last_shows_the_end() {
    let rig = rig(UPDATE);
    let names: Vec<_> = (0..15).map(|number| format!("Alert{number:02}")).collect();
    for present in 1..=names.len() {
        let alerts: Vec<_> = names[..present]
            .iter()
            .map(|name| alert(name, "firing", 0))
            .collect();
        deliver(&rig, &notification("group", &alerts)).await;
    }
    let over: Vec<_> = names
        .iter()
        .map(|name| alert(name, "resolved", 0))
        .collect();
    deliver(&rig, &notification("group", &over)).await;
    let messages = rig.messages("general");
    let root = &messages[0];
    assert_eq!(root.edits, 10);
    let text = root.markdown.as_deref().unwrap();
    assert!(text.contains("15 resolved"), "{text}");
    let refused = rig.count(r#"webex_requests_total{bot="default",code="400"}"#);
    assert_eq!(refused, 0, "Webex was never asked for an eleventh");
    // Replies told what came after the ninth edit, so one tells the end.
    let last = messages.last().unwrap().markdown.as_deref().unwrap();
    assert!(last.contains("All resolved"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_whose_answer_was_lost_counts() {
    let rig = rig(UPDATE);
    deliver(&rig, &group(&[("A", "firing")])).await;
    let dropped = Effect::AcceptThenDrop {
        code: None,
        body: FaultBody::Empty,
    };
    fault(&rig, "PUT", dropped, Some(20));
    deliver(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
    assert_eq!(requests(&rig, "PUT"), 9, "the last one is for the end");
    let text = show(&rig.messages("general"));
    assert!(text.contains("1 new, 2 firing"), "{text}");
    assert_eq!(rig.count(r#"ambiguous_posts_total{bot="default"}"#), 0);
}

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

/// A storm of other groups, so that what comes with it goes into a digest.
async fn storm(rig: &Rig, with: &str) {
    rig.sandbox
        .set_quota("sandbox", Some(Quota::new(1.0, 1)))
        .unwrap();
    let mut tickets = Vec::new();
    for number in 0..60 {
        let body = firing(&format!("Storm{number:02}"));
        tickets.push((rig.submit(&body), body));
    }
    tickets.push((rig.submit(with), with.to_owned()));
    for (ticket, body) in tickets {
        if matches!(ticket.outcome().await, Outcome::Unfinished(_)) {
            deliver(rig, &body).await;
        }
    }
    rig.sandbox.set_quota("sandbox", None).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_digest_tells_a_thread_and_is_nobodys_root() {
    let rig = rig(THREAD);
    deliver(&rig, &group(&[("A", "firing")])).await;
    storm(&rig, &group(&[("A", "firing"), ("B", "firing")])).await;
    assert!(rig.count(r#"messages_total{receiver="default",kind="digest"}"#) > 10);
    // The root is that of before, and B is no news any more.
    deliver(&rig, &group(&[("A", "resolved"), ("B", "firing")])).await;
    let messages = rig.messages("general");
    let last = messages.last().unwrap();
    assert_eq!(last.parent_id.as_ref(), Some(&messages[0].id));
    let text = last.markdown.as_deref().unwrap();
    assert!(text.contains("1 resolved, 1 still firing"), "{text}");
    // A group that only a digest has told of gets its root now.
    let over = resolved("Storm59");
    deliver(&rig, &over).await;
    let last = rig.messages("general").pop().unwrap();
    assert_eq!(last.parent_id, None);
    deliver(&rig, &firing("Storm59").replace("00:00:00", "00:30:00")).await;
    assert_eq!(rig.messages("general").pop().unwrap().parent_id, None);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_kept_up_to_date_is_edited_in_a_storm_as_well() {
    let rig = rig(UPDATE);
    deliver(&rig, &group(&[("A", "firing")])).await;
    storm(&rig, &group(&[("A", "resolved")])).await;
    assert!(rig.count(r#"messages_total{receiver="default",kind="digest"}"#) > 10);
    let root = rig.messages("general").remove(0);
    assert_eq!(root.edits, 1);
    let text = root.markdown.as_deref().unwrap();
    assert!(text.contains("1 resolved: A"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_held_in_bytes_and_given_back_at_the_end() {
    let rig = rig_with(THREAD, "[delivery]\nmax_waiting_bytes = \"20KiB\"\n");
    rig.fail(Effect::Hang { accepted: false }, 0);
    let tickets: Vec<_> = (0..30)
        .map(|number| rig.submit(&firing(&format!("Group{number}"))))
        .collect();
    let mut full = 0;
    for ticket in tickets {
        full += usize::from(matches!(ticket.outcome().await, Outcome::Overloaded));
    }
    assert!(full > 0 && full < 30, "{full}");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_leaves_no_trace_in_the_thread() {
    let rig = rig_with(THREAD, "[delivery]\ngive_up_after = \"1m\"\n");
    deliver(&rig, &group(&[("A", "firing")])).await;
    fault(&rig, "POST", status(503), None);
    drop(rig.submit(&group(&[("A", "firing"), ("B", "firing")])));
    sleep(Duration::from_secs(600)).await;
    rig.sandbox.clear_faults();
    assert_eq!(rig.engine.snapshot().waiting, 0);
    // B was never told, so it is news.
    let all = [("A", "firing"), ("B", "firing"), ("C", "firing")];
    deliver(&rig, &group(&all)).await;
    let text = show(&rig.messages("general"));
    assert!(text.contains("2 new, 3 firing"), "{text}");
    assert_eq!(counts(&rig, "general"), (1, 1));
}
