//! Incoming webhooks of Webex as destinations: delivered without a bot, limited and refused each
//! by itself, and never named by their URL.

use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, RefusalCause, Trouble};
use alertmanager_webex::sandbox::{
    Behaviour, Effect, Fault, FaultBody, IncomingWebhook, RetryAfter, Sandbox, Setup,
};
use futures_util::future::join_all;

use crate::harness::{Direct, Rig, firing, resolved};

const INCOMING: &str = "/v1/webhooks/incoming/*";

/// Receivers that post to a webhook of room `ops`: `default` beside room `general`, the others
/// alone.
struct Hooked {
    rig: Rig,
    url_file: tempfile::NamedTempFile,
}

fn toml(url_file: &tempfile::NamedTempFile) -> String {
    format!(
        "webhooks = [\"alerts\"]\n\
         [receivers.alone]\nwebhooks = [\"alerts\"]\n\
         [receivers.rich]\nwebhooks = [\"alerts\"]\nconversation = \"thread\"\ntemplate = \"compact\"\n\
         [webhooks.alerts]\nurl_file = \"{}\"\n",
        url_file.path().display()
    )
}

/// Makes a webhook and writes its URL.
fn make(sandbox: &Sandbox, name: &str, url_file: &tempfile::NamedTempFile) {
    let webhook = sandbox.add_webhook(name, "ops").unwrap();
    let url = format!("https://webex.invalid{}\n", webhook.path);
    std::fs::write(url_file.path(), url).unwrap();
}

impl Hooked {
    fn new() -> Self {
        let sandbox = Sandbox::new(Setup::default());
        let url_file = tempfile::NamedTempFile::new().unwrap();
        make(&sandbox, "first", &url_file);
        let transport = Arc::new(Direct(sandbox.clone()));
        let rig = Rig::over(sandbox, transport, &toml(&url_file));
        Self { rig, url_file }
    }

    async fn told(&self, receiver: &str, body: &str) -> Outcome {
        self.rig.dispatch(receiver, None, body).await
    }

    fn fail(&self, effect: Effect, times: u32) {
        let fault = Fault::new(effect).on("POST", INCOMING).times(times);
        self.rig.sandbox.set_fault(fault).unwrap();
    }

    /// How many messages the room of the webhook and the room of the bot have.
    fn rooms(&self) -> (usize, usize) {
        let count = |room| self.rig.messages(room).len();
        (count("ops"), count("general"))
    }
}

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Html,
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_gets_each_notification_alone_or_beside_a_room() {
    let hooked = Hooked::new();
    for answer in [IncomingWebhook::NoContent, IncomingWebhook::Ok] {
        hooked.rig.sandbox.set_behaviour(Behaviour {
            incoming_webhook: answer,
            ..Behaviour::default()
        });
        let group = format!("{answer:?}");
        let alone = hooked.told("alone", &firing(&group)).await;
        assert!(
            matches!(alone, Outcome::Delivered { messages: 1 }),
            "{alone:?}"
        );
    }
    assert_eq!(hooked.rooms(), (2, 0));
    let both = hooked.told("default", &firing("Both")).await;
    assert!(
        matches!(both, Outcome::Delivered { messages: 2 }),
        "{both:?}"
    );
    assert_eq!(hooked.rooms(), (3, 1));
    let again = hooked.told("default", &firing("Both")).await;
    assert!(matches!(again, Outcome::Repeat { .. }), "{again:?}");
    assert_eq!(hooked.rooms(), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn threads_and_cards_become_messages_of_their_own_without_cards() {
    let hooked = Hooked::new();
    for body in [firing("Down"), resolved("Down")] {
        let outcome = hooked.told("rich", &body).await;
        assert!(
            matches!(outcome, Outcome::Delivered { messages: 1 }),
            "{outcome:?}"
        );
    }
    let messages = hooked.rig.messages("ops");
    assert_eq!(messages.len(), 2);
    for message in messages {
        assert_eq!((message.parent_id, message.card), (None, None));
        let markdown = message.markdown.unwrap();
        assert!(markdown.contains("Down"), "{markdown}");
        assert!(!markdown.contains("refused"), "{markdown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_a_webhook_holds_up_no_bot() {
    let hooked = Hooked::new();
    let limited = Effect::TooManyRequests {
        retry_after: Some(RetryAfter::Seconds(40)),
        body: FaultBody::Json,
    };
    hooked.fail(limited, 1);
    let held = hooked.told("default", &firing("Down")).await;
    let Outcome::Unfinished(trouble @ Trouble::RateLimited { .. }) = &held else {
        panic!("{held:?}");
    };
    let told = trouble.to_string();
    assert!(
        told.starts_with("Webex limits the rate of webhook `alerts`; it may post again in "),
        "{told}"
    );
    assert_eq!(hooked.rooms(), (0, 1));
    let bots = hooked.rig.engine.snapshot().bots;
    assert!(bots["default"].gate_closed_for.is_zero());
    assert!(bots["webhook/alerts"].gate_closed_for > Duration::from_secs(25));

    tokio::time::sleep(Duration::from_secs(40)).await;
    let then = hooked.told("default", &firing("Down")).await;
    assert!(then.is_success(), "{then:?}");
    assert_eq!(hooked.rooms(), (1, 1), "the room is not told again");
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_of_a_webhook_does_not_repeat_what_the_room_has() {
    let hooked = Hooked::new();
    hooked.fail(status(503), 100_000);
    for _ in 0..6 {
        let held = hooked.told("default", &firing("Down")).await;
        assert!(
            matches!(&held, Outcome::Unfinished(Trouble::Unavailable { .. })),
            "{held:?}"
        );
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(hooked.rooms(), (0, 1));
    hooked.rig.sandbox.clear_faults();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let then = hooked.told("default", &firing("Down")).await;
    assert!(then.is_success(), "{then:?}");
    assert_eq!(hooked.rooms(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_sent_again_and_counted() {
    let hooked = Hooked::new();
    hooked.fail(status(502), 2);
    let outcome = hooked.told("alone", &firing("Down")).await;
    assert!(
        matches!(outcome, Outcome::Delivered { messages: 1 }),
        "{outcome:?}"
    );
    let counted = r#"ambiguous_posts_total{bot="webhook/alerts"}"#;
    assert_eq!(hooked.rig.count(counted), 2);
    // A portal's page is not Webex's 200.
    hooked.fail(status(200), 1);
    let outcome = hooked.told("alone", &firing("Other")).await;
    assert!(outcome.is_success(), "{outcome:?}");
    assert_eq!(hooked.rig.count(counted), 3);
    assert_eq!(hooked.rooms(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_gone_is_refused_for_good_with_the_remedy() {
    let hooked = Hooked::new();
    for code in [401, 403, 410] {
        hooked.fail(status(code), 1);
        let outcome = hooked.told("alone", &firing(&code.to_string())).await;
        assert!(
            matches!(&outcome, Outcome::Refused(refused) if refused[0].cause == RefusalCause::Room),
            "{code}: {outcome:?}"
        );
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    hooked.rig.sandbox.remove_webhook("first").unwrap();
    let Outcome::Refused(refused) = hooked.told("alone", &firing("Down")).await else {
        panic!("Webex knows it no more");
    };
    let told = refused[0].to_string();
    assert!(
        told.starts_with(
            "webhook `alerts` is unknown to Webex, or switched off (Webex answered 404"
        ),
        "{told}"
    );
    assert!(
        told.ends_with("put its URL into the webhook's file or variable"),
        "{told}"
    );
    assert!(!told.contains("incoming"), "{told}");
    let both = hooked.told("default", &firing("Down")).await;
    let Outcome::Partial { messages, refused } = both else {
        panic!("the room has it: {both:?}");
    };
    assert_eq!((messages, refused.len()), (1, 1));
    assert_eq!(hooked.rooms(), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn another_url_counts_at_once_with_a_reload_and_without_one() {
    let mut hooked = Hooked::new();
    hooked.rig.sandbox.remove_webhook("first").unwrap();
    make(&hooked.rig.sandbox, "second", &hooked.url_file);
    let outcome = hooked.told("alone", &firing("Down")).await;
    assert!(outcome.is_success(), "read again at 404: {outcome:?}");

    hooked.rig.sandbox.remove_webhook("second").unwrap();
    let outcome = hooked.told("alone", &firing("Two")).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    make(&hooked.rig.sandbox, "third", &hooked.url_file);
    let more = toml(&hooked.url_file);
    hooked.rig.reload(|toml| format!("{toml}\n{more}"));
    let outcome = hooked.told("alone", &firing("Three")).await;
    assert!(outcome.is_success(), "its room is asked anew: {outcome:?}");
    assert_eq!(hooked.rooms(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_storm_goes_out_together() {
    let hooked = Hooked::new();
    let bodies: Vec<_> = (0..100).map(|n| firing(&format!("G{n}"))).collect();
    let outcomes = join_all(bodies.iter().map(|body| hooked.told("alone", body))).await;
    for outcome in &outcomes {
        assert!(outcome.is_success(), "{outcome:?}");
    }
    let (posted, _) = hooked.rooms();
    assert!(posted < 12, "{posted} messages for 100 groups");
}
