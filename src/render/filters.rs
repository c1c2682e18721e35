//! What templates can call besides Tera's own filters and functions. `docs/templates.md`
//! lists them; keep the two alike.
//!
//! A filter that makes Markdown escapes what it is given and returns safe text.
//!
//! What does not belong here: how the things themselves are made (`links`, `time`,
//! `severity`).

#![expect(
    clippy::needless_pass_by_value,
    reason = "Tera passes arguments and state by value"
)]

use std::fmt::Write as _;

use jiff::Timestamp;
use tera::{Error, Kwargs, Map, State, Tera, TeraResult, Value};

use super::escape::push_escaped;
use super::severity::Severity;
use super::shorten::brief;
use super::split::{BEGIN_ALERT, END_ALERTS};
use super::{links, time};

/// How many pairs `facts` shows unless told otherwise.
const FACTS: usize = 10;

/// How much of a value `facts` shows unless told otherwise, in characters.
const FACT_CHARS: usize = 80;

/// How much `shorten` leaves unless told otherwise, in characters.
const LINE_CHARS: usize = 120;

/// The shortest value that `facts` looks for in the text besides: shorter ones stand in any
/// text by chance.
const MENTION_BYTES: usize = 3;

/// Between facts and between links.
const SEPARATOR: &str = " · ";

/// Registers all of them. Must come before templates are added: Tera checks the names then.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("clock", clock);
    tera.register_filter("duration", duration);
    tera.register_filter("facts", facts);
    tera.register_filter("link", link);
    tera.register_filter("links", all_links);
    tera.register_filter("remove", remove);
    tera.register_filter("severity_emoji", severity_emoji);
    tera.register_filter("shorten", shorten);
    tera.register_filter("url", url);
    tera.register_function("begin_alert", |_: Kwargs, _: &State<'_>| {
        Value::safe_string(BEGIN_ALERT.encode_utf8(&mut [0; 4]))
    });
    tera.register_function("end_alerts", |_: Kwargs, _: &State<'_>| {
        Value::safe_string(END_ALERTS.encode_utf8(&mut [0; 4]))
    });
}

/// `starts_at | clock`: `14:03 UTC`.
fn clock(value: &Value, _: Kwargs, state: &State<'_>) -> TeraResult<Value> {
    Ok(match timestamp(value)? {
        Some(at) => time::clock(at, now(state)?).into(),
        None => Value::from(""),
    })
}

/// `starts_at | duration(until=ends_at)`: `12 min`; until now where that is left out.
fn duration(value: &Value, kwargs: Kwargs, state: &State<'_>) -> TeraResult<Value> {
    let until = match kwargs.get::<&Value>("until")? {
        Some(until) => timestamp(until)?,
        None => Some(now(state)?),
    };
    Ok(match timestamp(value)?.zip(until) {
        Some((from, until)) => time::span(from, until).into(),
        None => Value::from(""),
    })
}

/// `labels | facts`: `pod: api-0 · container: api`. At most `max` pairs, values cut to
/// `length` characters, none whose name is one of `without`, and none whose value already
/// stands in the text `besides`.
fn facts(map: &Map, kwargs: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let max = kwargs.get::<usize>("max")?.unwrap_or(FACTS);
    let length = kwargs.get::<usize>("length")?.unwrap_or(FACT_CHARS);
    let besides = kwargs.get::<&str>("besides")?.unwrap_or_default();
    let without = kwargs.get::<Vec<&str>>("without")?.unwrap_or_default();
    let mut text = String::new();
    let mut count = 0;
    for (name, value) in map {
        let name = name.as_str().unwrap_or_default();
        let value = value.as_str().unwrap_or_default();
        if value.is_empty() || without.contains(&name) || mentions(besides, value) {
            continue;
        }
        count += 1;
        if count > max {
            continue;
        }
        if !text.is_empty() {
            text.push_str(SEPARATOR);
        }
        push_escaped(&mut text, &brief(name, length, 1));
        text.push_str(": ");
        push_escaped(&mut text, &brief(value, length, 1));
    }
    if count > max {
        // Writing to a string does not fail.
        let _ = write!(text, "{SEPARATOR}… {} more", count - max);
    }
    Ok(Value::safe_string(&text))
}

/// Whether a value stands in a text as a word of its own.
fn mentions(text: &str, value: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    value.len() >= MENTION_BYTES
        && text.match_indices(value).any(|(start, _)| {
            let before = text[..start].chars().next_back();
            let mut after = text[start + value.len()..].chars();
            let next = match after.next() {
                // A full stop, unless it goes on as a host name does.
                Some('.') => after.next(),
                next => next,
            };
            !before.is_some_and(|c| joins(c) || c == '.') && !next.is_some_and(joins)
        })
}

/// `text | shorten(length=300, lines=6)`: at most so many characters and lines, ending with
/// a whole word and `…` where something was left out. One line of 120 unless told otherwise.
fn shorten(text: &str, kwargs: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let length = kwargs.get::<usize>("length")?.unwrap_or(LINE_CHARS);
    let lines = kwargs.get::<usize>("lines")?.unwrap_or(1);
    Ok(brief(text, length, lines).into_owned())
}

/// `map | remove(names=["a", "b"])`: the pairs but for those.
fn remove(map: &Map, kwargs: Kwargs, _: &State<'_>) -> TeraResult<Map> {
    let names = kwargs.must_get::<Vec<&str>>("names")?;
    Ok(map
        .iter()
        .filter(|(name, _)| name.as_str().is_none_or(|name| !names.contains(&name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect())
}

/// `url | link(text="Runbook")`: a Markdown link, or nothing where the URL is none.
fn link(target: &Value, kwargs: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let text = kwargs.must_get::<&str>("text")?;
    let link = target.as_str().and_then(|target| links::link(text, target));
    Ok(Value::safe_string(&link.unwrap_or_default()))
}

/// `[["Runbook", url], ["Source", other]] | links`: those of them that lead somewhere.
fn all_links(pairs: &[Value], _: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let mut text = String::new();
    for pair in pairs {
        let [name, target] = pair.as_array().unwrap_or_default() else {
            return Err(Error::message(
                "`links` takes a list of pairs: [[\"Runbook\", url], [\"Source\", other]]",
            ));
        };
        let link = name.as_str().zip(target.as_str());
        if let Some(link) = link.and_then(|(name, target)| links::link(name, target)) {
            if !text.is_empty() {
                text.push_str(SEPARATOR);
            }
            text.push_str(&link);
        }
    }
    Ok(Value::safe_string(&text))
}

/// `url`: safe between the brackets of a link the template writes itself; empty where it is
/// no http or https URL.
fn url(target: &Value, _: Kwargs, _: &State<'_>) -> Value {
    let safe = target.as_str().and_then(links::url);
    Value::safe_string(&safe.unwrap_or_default())
}

/// `severity | severity_emoji`: 🔴, 🟠, 🔵, or 🔔 for what it does not know.
fn severity_emoji(label: &Value, _: Kwargs, _: &State<'_>) -> Value {
    let severity = Severity::from_label(label.as_str().unwrap_or_default());
    Value::safe_string(severity.emoji())
}

fn now(state: &State<'_>) -> TeraResult<Timestamp> {
    let now = state.get::<Value>("now")?.unwrap_or_else(Value::none);
    timestamp(&now)?.ok_or_else(|| Error::message("`now` is missing"))
}

/// An RFC 3339 time; `None` for a time that is not known.
fn timestamp(value: &Value) -> TeraResult<Option<Timestamp>> {
    if value.is_none() || value.is_undefined() {
        return Ok(None);
    }
    match value.as_str() {
        Some("") => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| Error::message("this is no time; use `starts_at`, `ends_at` or `now`")),
        None => Err(Error::message(format!(
            "a time is needed, such as `starts_at`, not a {}",
            value.name()
        ))),
    }
}
