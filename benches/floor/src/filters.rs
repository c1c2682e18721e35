//! The filters that `default.md` uses, each the least that shows the same for alerts without
//! markup in them.

use std::fmt::Write as _;

use tera::{Kwargs, State, Tera, Value};

/// Puts them into Tera.
pub(crate) fn register(tera: &mut Tera) {
    tera.register_filter("severity_emoji", |_: &Value, _: Kwargs, _: &State<'_>| {
        Value::safe_string("🔴")
    });
    tera.register_filter("shorten", |value: &Value, _: Kwargs, _: &State<'_>| {
        value.clone()
    });
    tera.register_filter("facts", facts);
    tera.register_filter("links", links);
    tera.register_filter("clock", |value: &Value, _: Kwargs, _: &State<'_>| {
        // HH:MM of 2006-01-02T15:04:05Z.
        let time = value.as_str().and_then(|time| time.get(11..16));
        Value::from(time.unwrap_or_default())
    });
    tera.register_filter("duration", |value: &Value, _: Kwargs, _: &State<'_>| {
        value.clone()
    });
    for name in ["begin_alert", "end_alerts"] {
        tera.register_function(name, |_: Kwargs, _: &State<'_>| Value::safe_string(""));
    }
}

/// `pod: api-0 · container: api`.
fn facts(labels: &Value, _: Kwargs, _: &State<'_>) -> Value {
    let mut text = String::new();
    for (name, value) in labels.as_map().into_iter().flatten() {
        let separator = if text.is_empty() { "" } else { " · " };
        let (name, value) = (name.as_str(), value.as_str());
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{separator}{}: {}",
            name.unwrap_or_default(),
            value.unwrap_or_default()
        );
    }
    Value::safe_string(&text)
}

/// `[Runbook](…) · [Source](…)`.
fn links(pairs: &Value, _: Kwargs, _: &State<'_>) -> Value {
    let mut text = String::new();
    for pair in pairs.as_array().into_iter().flatten() {
        let [name, url] = pair.as_array().unwrap_or_default() else {
            continue;
        };
        if let Some((name, url)) = name.as_str().zip(url.as_str()) {
            let separator = if text.is_empty() { "" } else { " · " };
            let _ = write!(text, "{separator}[{name}]({url})");
        }
    }
    Value::safe_string(&text)
}
