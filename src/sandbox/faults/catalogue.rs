//! Every fault with a sentence and examples: what the page's panel is built from, and what
//! `GET /control/v1/faults/catalogue` answers.
//!
//! Each example is a body of `POST /control/v1/faults`; a test sets them all.

use serde::Serialize;
use serde_json::{Value, json};

/// A kind of fault.
#[derive(Debug, Serialize)]
pub(in super::super) struct Entry {
    /// The effect's name, as in a fault's `effect`.
    effect: &'static str,
    /// A few words for a button.
    title: &'static str,
    /// What happens.
    sentence: &'static str,
    /// Ready to post.
    examples: Vec<Example>,
}

#[derive(Debug, Serialize)]
struct Example {
    title: &'static str,
    fault: Value,
}

fn entry<const N: usize>(
    effect: &'static str,
    title: &'static str,
    sentence: &'static str,
    examples: [(&'static str, Value); N],
) -> Entry {
    let examples = examples
        .into_iter()
        .map(|(title, fault)| Example { title, fault })
        .collect();
    Entry {
        effect,
        title,
        sentence,
        examples,
    }
}

/// All of them, in the order in which they are shown.
#[expect(
    clippy::too_many_lines,
    reason = "it is a table, and reads best in one piece"
)]
pub(in super::super) fn catalogue() -> Vec<Entry> {
    let too_many = |value: Value| json!({ "effect": { "too_many_requests": value } });
    let status = |value: Value| json!({ "effect": { "status": value } });
    vec![
        entry(
            "too_many_requests",
            "Too many requests",
            "Every request is refused with 429, with whatever `Retry-After` is wanted.",
            [
                ("for 5 seconds", too_many(json!({ "retry_after": 5 }))),
                ("without Retry-After", too_many(json!({}))),
                (
                    "with a Retry-After that is no number, as was seen in production",
                    too_many(json!({ "retry_after": "rand(30),add(30)" })),
                ),
                (
                    "for an hour, with a gateway's page, as Webex documents it",
                    too_many(json!({ "retry_after": 3600, "body": "html" })),
                ),
                (
                    "with an absurd Retry-After",
                    too_many(json!({ "retry_after": 1_000_000_000_000_i64 })),
                ),
                (
                    "with a negative Retry-After",
                    too_many(json!({ "retry_after": -1 })),
                ),
                ("with Retry-After: 0", too_many(json!({ "retry_after": 0 }))),
                (
                    "with an HTTP date",
                    too_many(json!({ "retry_after": { "date_in_seconds": 30 } })),
                ),
                (
                    "with an empty body",
                    too_many(json!({ "retry_after": 5, "body": "empty" })),
                ),
            ],
        ),
        entry(
            "quota",
            "A quota",
            "Each bot may ask so much; what goes beyond is refused with 429 and a true \
             `Retry-After`.",
            [
                (
                    "5 requests a second, 10 at once",
                    json!({ "effect": { "quota": { "per_second": 5, "burst": 10 } } }),
                ),
                (
                    "one message each 2 seconds into one room",
                    json!({ "effect": { "quota": { "per_second": 0.5, "burst": 1 } }, "room": "ops" }),
                ),
            ],
        ),
        entry(
            "status",
            "Any status",
            "The request is answered with this status before anything is done.",
            [
                (
                    "503 without a body",
                    status(json!({ "code": 503, "body": "empty" })),
                ),
                (
                    "503 with Retry-After",
                    status(json!({ "code": 503, "retry_after": 10 })),
                ),
                (
                    "502 from a gateway",
                    status(json!({ "code": 502, "body": "html" })),
                ),
                ("500", status(json!({ "code": 500 }))),
                ("504", status(json!({ "code": 504, "body": "empty" }))),
                (
                    "423 with Retry-After",
                    status(json!({ "code": 423, "retry_after": 5 })),
                ),
                (
                    "a captive portal: 200 with a page",
                    status(json!({ "code": 200, "body": "html" })),
                ),
                ("403", status(json!({ "code": 403 }))),
                (
                    "302, a redirect to nowhere",
                    status(json!({ "code": 302, "body": "empty" })),
                ),
            ],
        ),
        entry(
            "reset",
            "Broken connection",
            "The connection closes without an answer, before anything is done.",
            [("every request", json!({ "effect": "reset" }))],
        ),
        entry(
            "accept_then_drop",
            "Accepted, then dropped",
            "The message is posted, and its sender is not told: the connection closes, or a \
             gateway's error is answered.",
            [
                (
                    "the connection closes",
                    json!({ "effect": { "accept_then_drop": {} } }),
                ),
                (
                    "504 is answered",
                    json!({ "effect": { "accept_then_drop": { "code": 504, "body": "html" } } }),
                ),
            ],
        ),
        entry(
            "hang",
            "No answer",
            "There is no answer, ever, until the client gives up.",
            [
                (
                    "before anything is done",
                    json!({ "effect": { "hang": {} } }),
                ),
                (
                    "after the message was posted",
                    json!({ "effect": { "hang": { "accepted": true } } }),
                ),
            ],
        ),
        entry(
            "latency",
            "Slow",
            "The request waits before it is looked at; other faults still apply.",
            [
                ("800 ms", json!({ "effect": { "latency": { "ms": 800 } } })),
                (
                    "12 seconds",
                    json!({ "effect": { "latency": { "ms": 12_000 } } }),
                ),
            ],
        ),
        entry(
            "token_revoked",
            "Token revoked",
            "The bot's token is refused with 401.",
            [
                ("of every bot", json!({ "effect": "token_revoked" })),
                (
                    "of one bot",
                    json!({ "effect": "token_revoked", "bot": "sandbox" }),
                ),
            ],
        ),
        entry(
            "bot_removed",
            "Bot removed from the room",
            "The room is 404 to the bot, as if it had been taken out of it.",
            [
                ("every room", json!({ "effect": "bot_removed" })),
                (
                    "one room",
                    json!({ "effect": "bot_removed", "room": "ops" }),
                ),
            ],
        ),
        entry(
            "card_refused",
            "Card refused",
            "A message with a card is refused with 400.",
            [("every card", json!({ "effect": "card_refused" }))],
        ),
        entry(
            "edit_refused",
            "Edit refused",
            "An edit is refused with 400.",
            [("every edit", json!({ "effect": "edit_refused" }))],
        ),
        entry(
            "parent_gone",
            "Parent deleted",
            "A reply is refused, as if the message that it replies to had been deleted.",
            [
                ("with 404", json!({ "effect": { "parent_gone": {} } })),
                (
                    "with 400",
                    json!({ "effect": { "parent_gone": { "code": 400 } } }),
                ),
            ],
        ),
    ]
}
