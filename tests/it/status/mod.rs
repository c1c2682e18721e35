//! The status: what is told of receivers, bots and the configuration, and to whom.

mod door;
mod scenarios;

use serde_json::Value;

use crate::harness::{Answer, Service, client};

/// What the API says to whoever needs to show nothing.
async fn status(service: &Service, query: &str) -> Value {
    let answer = Answer::of(client().get(service.url(&format!("/api/v1/status{query}")))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// Times and what differs from run to run, by a word.
fn steady(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let is_time = name.ends_with("_at")
                    || name.ends_with("_since")
                    || ["at", "since"].contains(&name.as_str());
                if field.is_null() {
                    continue;
                }
                if is_time || name.ends_with("_until") {
                    let time = field.as_str().unwrap().parse::<jiff::Timestamp>();
                    time.unwrap_or_else(|error| panic!("{name}: {error}"));
                    *field = "(time)".into();
                } else if name == "version" {
                    *field = "(version)".into();
                } else {
                    *field = steady(field.take());
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = steady(item.take());
            }
        }
        Value::String(text) => {
            if let Some((before, after)) = text.split_once("trackingId ROUTERGW_") {
                let rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '-');
                *text = format!("{before}trackingId (id){rest}");
            }
        }
        _ => {}
    }
    value
}
