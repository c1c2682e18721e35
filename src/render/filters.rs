//! What templates can call besides Tera's own filters and functions. `docs/templates.md`
//! lists them; keep the two alike.
//!
//! A filter that makes Markdown escapes what it is given and returns safe text.
//!
//! What does not belong here: how the things themselves are made (`links`, `time`,
//! `severity`).

use jiff::Timestamp;
use tera::{Error, Kwargs, Map, State, Tera, TeraResult, Value};

use super::cut::{BEGIN_ALERT, END_ALERTS};
use super::escape::escaped;
use super::severity::Severity;
use super::{links, time};

/// How many pairs `facts` shows unless told otherwise.
const FACTS: usize = 10;

/// How much of a value `facts` shows unless told otherwise, in characters.
const FACT_CHARS: usize = 80;

/// Between facts and between links.
const SEPARATOR: &str = " · ";

/// Registers all of them. Must come before templates are added: Tera checks the names then.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("clock", clock);
    tera.register_filter("duration", duration);
    tera.register_filter("facts", facts);
    tera.register_filter("link", link);
    tera.register_filter("remove", remove);
    tera.register_filter("severity_emoji", severity_emoji);
    tera.register_filter("url", url);
    tera.register_function("begin_alert", |_: Kwargs, _: &State<'_>| {
        Value::safe_string(BEGIN_ALERT.encode_utf8(&mut [0; 4]))
    });
    tera.register_function("end_alerts", |_: Kwargs, _: &State<'_>| {
        Value::safe_string(END_ALERTS.encode_utf8(&mut [0; 4]))
    });
    tera.register_function("links", all_links);
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

/// `labels | facts`: `pod: api-0 · container: api`.
fn facts(map: &Map, kwargs: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let max = kwargs.get::<usize>("max")?.unwrap_or(FACTS);
    let length = kwargs.get::<usize>("length")?.unwrap_or(FACT_CHARS);
    let mut text = String::new();
    let full = |(_, value): &(_, &Value)| value.as_str().is_none_or(|value| !value.is_empty());
    for (name, value) in map.iter().filter(full).take(max) {
        if !text.is_empty() {
            text.push_str(SEPARATOR);
        }
        push_short(&mut text, &name.to_string(), length);
        text.push_str(": ");
        match value.as_str() {
            Some(value) => push_short(&mut text, value, length),
            None => push_short(&mut text, &value.to_string(), length),
        }
    }
    let more = map.iter().filter(full).count().saturating_sub(max);
    if more > 0 {
        text.push_str(&format!("{SEPARATOR}… {more} more"));
    }
    Ok(Value::safe_string(&text))
}

fn push_short(text: &mut String, value: &str, length: usize) {
    match value.char_indices().nth(length) {
        Some((end, _)) => {
            text.push_str(&escaped(&value[..end]));
            text.push('…');
        }
        None => text.push_str(&escaped(value)),
    }
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

/// `links(Source=url, Runbook=other)`: those of them that lead somewhere.
fn all_links(kwargs: Kwargs, _: &State<'_>) -> Value {
    let links: Vec<String> = kwargs
        .iter()
        .filter_map(|(name, target)| links::link(name.as_str()?, target.as_str()?))
        .collect();
    Value::safe_string(&links.join(SEPARATOR))
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
