//! The table of answers, row by row.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::Refusal;
use crate::routing::Sender;

use super::*;

fn refused(cause: RefusalCause) -> Outcome {
    Outcome::Refused(vec![Refusal {
        cause,
        noun: "room",
        room: Arc::from("ops"),
        detail: "Webex answered 404 Not Found".into(),
    }])
}

#[test]
fn outcomes_get_the_answers_of_the_table() {
    let unavailable = Trouble::Unavailable { detail: "x".into() };
    let limited = Trouble::RateLimited {
        sender: Sender::named(&"default".into()),
        closed_for: Duration::from_secs(20),
    };
    let over_quota = Trouble::OverQuota {
        per_minute: std::num::NonZeroU32::MIN,
    };
    let token = Trouble::TokenRefused { detail: "x".into() };
    let refusal = |cause| match refused(cause) {
        Outcome::Refused(refused) => refused,
        _ => unreachable!("made so above"),
    };
    let partial = Outcome::Partial {
        messages: 1,
        refused: refusal(RefusalCause::Room),
    };
    let repeat = Outcome::Repeat {
        of: jiff::Timestamp::UNIX_EPOCH,
    };
    for (outcome, status, reason) in [
        (Outcome::Delivered { messages: 2 }, 200, "delivered"),
        (partial, 200, "partial"),
        (repeat, 200, "duplicate"),
        (Outcome::DryRun, 200, "dry_run"),
        (Outcome::Unfinished(Trouble::Waiting), 503, "waiting"),
        (Outcome::Unfinished(limited), 503, "rate_limited"),
        (Outcome::Unfinished(over_quota), 503, "over_quota"),
        (Outcome::Unfinished(unavailable), 503, "webex_unavailable"),
        (Outcome::Unfinished(token), 503, "token_refused"),
        (Outcome::Overloaded, 503, "overloaded"),
        (Outcome::Draining, 503, "draining"),
        (Outcome::GivenUp, 503, "given_up"),
        (Outcome::Broken, 500, "internal"),
        (refused(RefusalCause::Room), 422, "room_refused"),
        (refused(RefusalCause::Token), 422, "token_refused"),
        (refused(RefusalCause::Message), 422, "message_refused"),
    ] {
        let answer = Answer::from(outcome);
        assert_eq!(answer.status.as_u16(), status, "{reason}");
        assert_eq!(answer.reason.as_str(), reason);
    }
}

#[test]
fn a_reason_is_written_alike_in_answers_and_metrics_and_stands_once() {
    let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    for reason in Reason::ALL {
        let json = serde_json::to_value(reason).unwrap();
        assert_eq!(json, reason.as_str());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Reason::ALL.len());
    // What a receiver's configuration may rule out, see `delivery::loaded`.
    for ruled_out in [
        "partial",
        "dry_run",
        "over_quota",
        "foreign_namespace",
        "room_not_allowed",
    ] {
        assert!(Reason::outcomes().contains(&ruled_out), "{ruled_out}");
    }
}

#[test]
fn a_refusal_names_room_cause_and_remedy() {
    insta::assert_snapshot!(
        Answer::from(refused(RefusalCause::Room)).message(),
        @"room `ops` is unknown to Webex, or the bot is not in it (Webex answered 404 Not Found); add the bot to the room, or mend the room id"
    );
}
