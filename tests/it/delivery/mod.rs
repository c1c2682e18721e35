//! The promise: a 2xx means that Webex has the message, nothing is lost, nothing twice.
//! Time is paused, so hours pass at once.

mod again;
mod ending;
mod pace;
mod refused;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, Trouble};
use alertmanager_webex::sandbox::{Effect, FaultBody, RetryAfter, Sandbox};
use alertmanager_webex::webex::{Transport, TransportError};
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, sleep};

use crate::harness::{Direct, Rig, firing};

fn limited(retry_after: Option<RetryAfter>) -> Effect {
    Effect::TooManyRequests {
        retry_after,
        body: FaultBody::Html,
    }
}

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    }
}

fn is_delivered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Delivered { .. })
}

#[tokio::test(start_paused = true)]
async fn delivered_means_that_the_room_has_the_message() {
    let rig = Rig::new();
    let outcome = rig.outcome(&firing("Down")).await;
    assert!(
        matches!(outcome, Outcome::Delivered { messages: 1 }),
        "{outcome:?}"
    );
    let messages = rig.messages("general");
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0]
            .markdown
            .as_ref()
            .unwrap()
            .contains("Down is broken")
    );
    assert!(messages[0].size <= 7439);
    assert_eq!(
        rig.count(r#"messages_total{receiver="default",kind="new"}"#),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again_and_posted_once() {
    for effect in [status(503), status(408), status(423), status(501)] {
        let rig = Rig::new();
        rig.fail(effect.clone(), 3);
        let outcome = rig.outcome(&firing("Down")).await;
        assert!(is_delivered(&outcome), "{effect:?}: {outcome:?}");
        assert_eq!(rig.messages("general").len(), 1);
        assert_eq!(rig.posts(), 4);
        assert_eq!(rig.count(r#"ambiguous_posts_total{bot="default"}"#), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_sent_again_and_counted() {
    let dropped = Effect::AcceptThenDrop {
        code: None,
        body: FaultBody::Empty,
    };
    let gateway = Effect::AcceptThenDrop {
        code: Some(502),
        body: FaultBody::Html,
    };
    for (effect, in_room) in [
        (Effect::Reset, 1),
        (dropped, 2),
        (gateway, 2),
        (status(500), 1),
        (status(504), 1),
        (status(200), 1), // A captive portal.
    ] {
        let rig = Rig::new();
        rig.fail(effect.clone(), 1);
        let outcome = rig.outcome(&firing("Down")).await;
        assert!(is_delivered(&outcome), "{effect:?}: {outcome:?}");
        assert_eq!(rig.messages("general").len(), in_room, "{effect:?}");
        assert_eq!(rig.count(r#"ambiguous_posts_total{bot="default"}"#), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_webex_is_answered_in_time_and_the_delivery_goes_on() {
    let rig = Rig::new();
    rig.fail(Effect::Hang { accepted: false }, 1);
    let start = Instant::now();
    let outcome = rig.outcome(&firing("Down")).await;
    assert_eq!(start.elapsed(), Duration::from_secs(9));
    assert!(
        matches!(outcome, Outcome::Unfinished(Trouble::Waiting)),
        "{outcome:?}"
    );
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.messages("general").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_posted_in_a_dry_run() {
    let rig = Rig::with("dry_run = true\n");
    assert!(matches!(
        rig.outcome(&firing("Down")).await,
        Outcome::DryRun
    ));
    assert_eq!(rig.posts(), 0);
}

/// A way to Webex that panics once.
pub(crate) struct Panicking {
    direct: Direct,
    panics: AtomicBool,
}

impl Panicking {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self {
            direct: Direct(sandbox),
            panics: AtomicBool::new(true),
        }
    }
}

impl Transport for Panicking {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "on purpose");
        self.direct.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_delivery_harms_no_other() {
    let sandbox = Sandbox::default();
    let transport = Arc::new(Panicking::new(sandbox.clone()));
    let rig = Rig::over(sandbox, transport, "");
    let (first, second) = (rig.submit(&firing("A")), rig.submit(&firing("B")));
    assert!(matches!(first.outcome().await, Outcome::Broken));
    assert!(is_delivered(&second.outcome().await));
    assert!(
        is_delivered(&rig.outcome(&firing("A")).await),
        "not remembered"
    );
    assert_eq!(rig.count(r#"waiting_notifications{receiver="default"}"#), 0);
}
