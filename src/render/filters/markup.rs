//! Filters and functions that make Markdown: what they return is safe, whatever they are
//! given.

use tera::{TeraResult, Value};

use super::call::{Call, Registry};
use crate::render::cut::{BEGIN_ALERT, END_ALERTS};
use crate::render::mention::Address;
use crate::render::severity::Severity;
use crate::render::{code, links};

/// Between links.
const SEPARATOR: &str = " · ";

pub(super) fn register(registry: &mut Registry<'_>) {
    registry.filter("link", &["text"], link);
    registry.filter("links", &[], all_links);
    registry.filter("url", &[], |target, call| Ok(url(target, call)));
    registry.filter("safe_url", &[], |target, call| Ok(url(target, call)));
    registry.filter("safe_html", &[], |value, _| Ok(value.clone().mark_safe()));
    registry.filter("code", &[], |value, call| {
        Ok(Value::safe_string(&code::span(&call.text(value)?)))
    });
    registry.filter("fence", &["language"], fence);
    registry.filter("mention", &[], |value, _| Ok(mention(value)));
    registry.function("mention", Some(&["email"]), |_, call| {
        call.must_text("email", "mention(email=\"oncall@example.org\")")
            .map(|email| mention(&email.into()))
    });
    registry.filter("severity_emoji", &[], |value, _| {
        let severity = Severity::from_label(value.as_str().unwrap_or_default());
        Ok(Value::safe_string(severity.emoji()))
    });
    registry.function("begin_alert", Some(&[]), |_, _| Ok(mark(BEGIN_ALERT)));
    registry.function("end_alerts", Some(&[]), |_, _| Ok(mark(END_ALERTS)));
}

fn mark(mark: char) -> Value {
    Value::safe_string(mark.encode_utf8(&mut [0; 4]))
}

/// `url | link(text="Runbook")`: a Markdown link, or nothing where the URL is none.
fn link(target: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.must_text("text", "url | link(text=\"Runbook\")")?;
    let link = target.as_str().and_then(|target| to(text, target, call));
    Ok(Value::safe_string(&link.unwrap_or_default()))
}

/// `[["Runbook", url], ["Source", other]] | links`: those of them that lead somewhere.
fn all_links(pairs: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let mut text = String::with_capacity(512);
    for pair in call.list(pairs)? {
        let [name, target] = pair.as_array().unwrap_or_default() else {
            return Err(
                call.error("takes a list of pairs: [[\"Runbook\", url], [\"Source\", other]]")
            );
        };
        let pair = name.as_str().zip(target.as_str());
        if let Some(link) = pair.and_then(|(name, target)| to(name, target, call)) {
            if !text.is_empty() {
                text.push_str(SEPARATOR);
            }
            text.push_str(&link);
        }
    }
    Ok(Value::safe_string(&text))
}

fn to(text: &str, target: &str, call: &Call<'_>) -> Option<String> {
    links::link(text, &call.kit.locality.links.apply(target.trim()))
}

/// `url`: safe between the brackets of a link the template writes itself; empty where it is
/// no http or https URL.
fn url(target: &Value, call: &Call<'_>) -> Value {
    let links = &call.kit.locality.links;
    let safe = target
        .as_str()
        .and_then(|target| links::url(&links.apply(target.trim())));
    Value::safe_string(&safe.unwrap_or_default())
}

/// `text | fence(language="json")`: a block of code on lines of its own.
fn fence(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text(value)?;
    let language = call.text_or("language", "")?;
    if !code::is_language(language) {
        return Err(call.error("takes letters and digits as `language`, such as \"json\""));
    }
    Ok(Value::safe_string(&code::fence(&text, language)))
}

/// `address | mention`: mentions the person; what is no address stays text, because an alert
/// counts for more than whom it should have called.
fn mention(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    Address::parse(text).map_or_else(
        || Value::normal_string(text),
        |address| Value::safe_string(&address.to_string()),
    )
}
