//! What an answer of Webex means for the message, and how long to wait. Pure decisions.
//!
//! The table is design; its facts come from Webex's documentation of status codes and from
//! what its clients have met (429 with an HTML body, malformed `Retry-After`).

use std::time::Duration;

use crate::webex::{Error, RetryAfter, TransportError};

/// The first pause after a failure that may pass; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No pause is longer, so that a recovered Webex is noticed within the answer to the next
/// few of Alertmanager's tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The wait after a 429 that does not say how long: Webex's own Python SDK takes the same.
const UNSTATED_WAIT: Duration = Duration::from_secs(15);
/// A wait of zero would only bring the next 429.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// Webex's documentation shows waits of an hour; a longer one is a mistake.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// In what form a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As Markdown with a card.
    Card,
    /// As Markdown; where there is a card, because Webex refused it.
    Markdown,
    /// As plain text, because Webex refused the Markdown.
    Text,
}

/// What to do about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Close the bot's gate for so long; it is no failed attempt.
    CloseGate(Duration),
    /// Try again after a pause, at least so long.
    Retry {
        /// Webex may have the message already.
        ambiguous: bool,
        /// What Webex asked for.
        at_least: Duration,
    },
    /// The token is refused: read it again.
    Token,
    /// Send the same once more in a plainer form.
    Plainer,
    /// For good: the room.
    RoomRefused,
    /// For good: this message, or something else that trying again does not mend.
    MessageRefused,
}

/// Judges by the status alone: Webex's texts change.
pub(super) fn judge(error: &Error, form: Form) -> Verdict {
    let retry = |ambiguous, at_least| Verdict::Retry {
        ambiguous,
        at_least,
    };
    match error {
        Error::Transport(TransportError::Connect(_)) => retry(false, Duration::ZERO),
        Error::Transport(TransportError::Timeout | TransportError::Interrupted(_))
        // A list that cannot be read to its end is asked for by commands alone.
        | Error::NotWebex { .. }
        | Error::Paging(_) => retry(true, Duration::ZERO),
        Error::Status {
            status,
            retry_after,
            ..
        } => match status.as_u16() {
            429 => Verdict::CloseGate(gate_wait(*retry_after)),
            401 => Verdict::Token,
            400 if form != Form::Text => Verdict::Plainer,
            403 | 404 => Verdict::RoomRefused,
            500 | 502 | 504 => retry(true, asked_for(*retry_after)),
            408 | 423 | 500..=599 => retry(false, asked_for(*retry_after)),
            _ => Verdict::MessageRefused,
        },
    }
}

/// Judges the answer of an incoming webhook. There is no token to mend: whatever is wrong with
/// the URL is wrong with where it leads to.
pub(super) fn judge_webhook(error: &Error, form: Form) -> Verdict {
    match error {
        Error::Status { status, .. } if matches!(status.as_u16(), 401 | 403 | 404 | 410) => {
            Verdict::RoomRefused
        }
        error => judge(error, form),
    }
}

/// What came of changing or deleting a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edited {
    /// The message is gone, or never was in that room.
    Gone,
    /// Webex does not make it, now or later.
    Refused,
    /// Webex may have made it.
    Unknown,
    /// Webex has not made it, and may later.
    NotMade,
}

/// Judges the answer to a change of a message. Making it again does no harm, so what is not
/// known is tried again, and counts among the ten edits that Webex takes.
pub(super) fn judge_edit(error: &Error) -> Edited {
    match judge(error, Form::Text) {
        Verdict::Retry {
            ambiguous: true, ..
        } => Edited::Unknown,
        Verdict::CloseGate(_) | Verdict::Token | Verdict::Retry { .. } => Edited::NotMade,
        Verdict::RoomRefused => Edited::Gone,
        Verdict::Plainer | Verdict::MessageRefused => Edited::Refused,
    }
}

/// Whether an answer to a reply may be about what it replies to: then the same is posted
/// once more without. What Webex says there is documented nowhere.
pub(super) fn is_about_parent(error: &Error) -> bool {
    matches!(error, Error::Status { status, .. } if matches!(status.as_u16(), 400 | 404))
}

/// How long a 429 closes the gate, whatever its header says.
pub(super) fn gate_wait(retry_after: RetryAfter) -> Duration {
    match retry_after {
        RetryAfter::Wait(wait) => wait.clamp(SHORTEST_WAIT, LONGEST_WAIT),
        RetryAfter::Missing | RetryAfter::Malformed => UNSTATED_WAIT,
    }
}

/// What other answers ask for. It holds up one message only, so it is kept short.
fn asked_for(retry_after: RetryAfter) -> Duration {
    match retry_after {
        RetryAfter::Wait(wait) => wait.min(LONGEST_PAUSE),
        RetryAfter::Missing | RetryAfter::Malformed => Duration::ZERO,
    }
}

/// The pause before try `failures + 1`: exponential with full jitter, where `random` is
/// uniform in 0..1. The jitter spreads what failed together.
pub(super) fn pause(failures: u32, random: f64, at_least: Duration) -> Duration {
    let ceiling = FIRST_PAUSE
        .saturating_mul(
            1u32.checked_shl(failures.saturating_sub(1))
                .unwrap_or(u32::MAX),
        )
        .min(LONGEST_PAUSE);
    ceiling.mul_f64(random.clamp(0.0, 1.0)).max(at_least)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    fn status(code: u16, retry_after: RetryAfter) -> Error {
        Error::Status {
            status: StatusCode::from_u16(code).unwrap(),
            message: None,
            tracking_id: None,
            retry_after,
        }
    }

    fn retry(ambiguous: bool) -> Verdict {
        Verdict::Retry {
            ambiguous,
            at_least: Duration::ZERO,
        }
    }

    #[test]
    fn every_status_has_the_verdict_of_the_table() {
        for code in 100..=599 {
            let expected = match code {
                401 => Verdict::Token,
                429 => Verdict::CloseGate(UNSTATED_WAIT),
                403 | 404 => Verdict::RoomRefused,
                500 | 502 | 504 => retry(true),
                408 | 423 | 501 | 503 | 505..=599 => retry(false),
                _ => Verdict::MessageRefused,
            };
            let error = status(code, RetryAfter::Missing);
            assert_eq!(judge(&error, Form::Text), expected, "{code}");
            for form in [Form::Card, Form::Markdown] {
                let richer = judge(&error, form);
                if code == 400 {
                    assert_eq!(richer, Verdict::Plainer);
                } else {
                    assert_eq!(richer, expected, "{code}");
                }
            }
        }
    }

    #[test]
    fn a_webhook_differs_in_what_is_said_of_its_url() {
        for code in 100..=599 {
            let error = status(code, RetryAfter::Missing);
            let expected = match code {
                401 | 403 | 404 | 410 => Verdict::RoomRefused,
                _ => judge(&error, Form::Markdown),
            };
            assert_eq!(judge_webhook(&error, Form::Markdown), expected, "{code}");
        }
    }

    #[test]
    fn a_change_of_a_message_is_made_again_only_where_it_may_be_made() {
        for code in 300..=599 {
            let expected = match code {
                401 | 408 | 423 | 429 | 501 | 503 | 505.. => Edited::NotMade,
                500 | 502 | 504 => Edited::Unknown,
                403 | 404 => Edited::Gone,
                _ => Edited::Refused,
            };
            let error = status(code, RetryAfter::Missing);
            assert_eq!(judge_edit(&error), expected, "{code}");
            assert_eq!(is_about_parent(&error), code == 400 || code == 404);
        }
        assert_eq!(judge_edit(&TransportError::Timeout.into()), Edited::Unknown);
        let connect = TransportError::Connect(String::new());
        assert_eq!(judge_edit(&connect.into()), Edited::NotMade);
    }

    #[test]
    fn without_an_answer_only_a_missing_connection_is_unambiguous() {
        for (error, ambiguous) in [
            (TransportError::Connect(String::new()), false),
            (TransportError::Timeout, true),
            (TransportError::Interrupted(String::new()), true),
        ] {
            assert_eq!(judge(&error.into(), Form::Markdown), retry(ambiguous));
        }
        let portal = Error::NotWebex {
            status: StatusCode::OK,
        };
        assert_eq!(judge(&portal, Form::Markdown), retry(true));
    }

    #[test]
    fn a_retry_after_has_a_bounded_effect_whatever_it_says() {
        let wait = |seconds| RetryAfter::Wait(Duration::from_secs(seconds));
        for (header, seconds) in [
            (RetryAfter::Missing, 15),
            (RetryAfter::Malformed, 15),
            (wait(0), 1),
            (wait(20), 20),
            (wait(3600), 3600),
            (wait(1_000_000_000_000), 3600),
            (wait(u64::MAX), 3600),
        ] {
            assert_eq!(
                gate_wait(header),
                Duration::from_secs(seconds),
                "{header:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_pause_is_bounded_and_no_shorter_than_asked(
            failures in 0u32..2000, random in 0.0f64..1.0, asked in 0u64..=30,
        ) {
            let asked = Duration::from_secs(asked);
            let pause = pause(failures, random, asked);
            prop_assert!(pause >= asked);
            prop_assert!(pause <= LONGEST_PAUSE);
        }
    }

    #[test]
    fn pauses_double_until_the_longest() {
        let ceilings: Vec<_> = (1..=8)
            .map(|failures| pause(failures, 1.0, Duration::ZERO).as_millis())
            .collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    }
}
