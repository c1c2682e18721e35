//! Filters and functions of labels, lists and maps.

use std::fmt::Write as _;

use tera::value::Key;
use tera::{Map, TeraResult, Value};

use super::call::{Call, Registry};
use super::json;
use crate::render::escape::push_escaped;
use crate::render::shorten::brief;

/// How many pairs `facts` shows unless told otherwise.
const FACTS: usize = 10;

/// How much of a value `facts` shows unless told otherwise, in characters.
const FACT_CHARS: usize = 80;

/// The shortest value that `facts` looks for in the text besides: shorter ones stand in any
/// text by chance.
const MENTION_BYTES: usize = 3;

/// The longest text that `join` and `string` make.
const JOINED_BYTES: usize = 256 * 1024;

/// How many parts a list or map may have, those of its parts included.
const PARTS: usize = 10_000;

/// Between facts.
const SEPARATOR: &str = " · ";

pub(super) fn register(registry: &mut Registry<'_>) {
    registry.filter("facts", &["max", "length", "besides", "without"], facts);
    registry.filter("remove", &["names"], remove);
    registry.filter("sorted_pairs", &[], sorted_pairs);
    registry.filter("names", &[], |value, call| {
        Ok(pairs(value, call)?
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
            .into())
    });
    registry.filter("values", &[], |value, call| {
        Ok(pairs(value, call)?
            .into_iter()
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .into())
    });
    registry.filter("string", &[], string);
    registry.filter("join", &["sep"], join);
    registry.filter("append", &["value", "values"], append);
    registry.filter("to_json", &[], |value, call| {
        json::to_json(value).map(Into::into).ok_or_else(|| {
            call.error("was given something too deep or too large; choose a part of it")
        })
    });
    registry.function("string_slice", Some(&["values"]), string_slice);
    registry.function("list", Some(&["values"]), list);
    registry.function("dict", None, dict);
    registry.function("route_labels", Some(&["name"]), route_labels);
}

/// `labels | facts`: `pod: api-0 · container: api`. At most `max` pairs, values cut to
/// `length` characters, none whose name is one of `without`, and none whose value already
/// stands in the text `besides`.
fn facts(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let max = call.count_or("max", FACTS)?;
    let length = call.count_or("length", FACT_CHARS)?;
    let besides = call.text_or("besides", "")?;
    let without = call.texts("without")?;
    let mut text = String::with_capacity(256);
    let mut count = 0;
    for (name, value) in call.map(value)? {
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

/// `map | remove(names=["a", "b"])`: the pairs but for those.
fn remove(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    call.must("names", "labels | remove(names=[\"job\"])")?;
    let names = call.texts("names")?;
    let kept: Map = call
        .map(value)?
        .iter()
        .filter(|(name, _)| name.as_str().is_none_or(|name| !names.contains(&name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(kept.into())
}

/// The pairs of a map in Alertmanager's order, or those that `sorted_pairs` gave.
fn pairs(value: &Value, call: &Call<'_>) -> TeraResult<Vec<(Value, Value)>> {
    if let Some(list) = value.as_array() {
        let pair = |pair: &Value| {
            let pair = pair.as_map()?;
            let part = |name| pair.get(&Key::Str(name)).cloned();
            Some((part("name")?, part("value")?))
        };
        return list.iter().map(pair).collect::<Option<_>>().ok_or_else(|| {
            call.error("takes a map such as `labels`, or what `sorted_pairs` gives")
        });
    }
    let mut pairs: Vec<_> = call
        .map(value)?
        .iter()
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    pairs.sort_by(|(a, _), (b, _)| {
        let follows = |name: &str| name != "alertname";
        (follows(a), a).cmp(&(follows(b), b))
    });
    let pairs = pairs.into_iter();
    Ok(pairs.map(|(name, value)| (name.into(), value)).collect())
}

/// `labels | sorted_pairs`: a list of `name` and `value`.
fn sorted_pairs(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let pairs = pairs(value, call)?.into_iter();
    let list: Vec<Value> = pairs
        .map(|(name, value)| {
            let pair = [("name".into(), name), ("value".into(), value)];
            Map::from_iter(pair).into()
        })
        .collect();
    Ok(list.into())
}

/// `labels | string`: `alertname=Down, job=node`, as Alertmanager prints labels.
fn string(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let mut text = String::new();
    for (name, value) in pairs(value, call)? {
        let separator = if text.is_empty() { "" } else { ", " };
        let value = call.text(&value)?;
        let _ = write!(text, "{separator}{name}={value}");
        if text.len() > JOINED_BYTES {
            return Err(call.too_much());
        }
    }
    Ok(text.into())
}

/// `list | join(sep=", ")`. As Tera's own: beside links and other safe text the rest is
/// escaped, so that the whole is safe. Unlike there, white space of `sep` stays then.
fn join(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let list = call.list(value)?;
    let separator = call.text_or("sep", "")?;
    let safe = call.escapes() && list.iter().any(|item| item.is_string() && item.is_safe());
    let mut between = separator.to_owned();
    if safe {
        let core = separator.trim();
        let mut escaped = String::new();
        push_escaped(&mut escaped, core);
        if !core.is_empty() {
            between = separator.replace(core, &escaped);
        }
    }
    let mut text = String::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            text.push_str(&between);
        }
        if safe && !item.is_safe() {
            push_escaped(&mut text, &call.text(item)?);
        } else {
            text.push_str(&call.text(item)?);
        }
        if text.len() > JOINED_BYTES {
            return Err(call.too_much());
        }
    }
    Ok(if safe {
        Value::safe_string(&text)
    } else {
        text.into()
    })
}

/// `list | append(value=1)` or `list | append(values=[1, 2])`.
fn append(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let mut list = call.list(value)?.to_vec();
    match (call.given("value"), call.given("values")) {
        (Some(one), None) => list.push(one.clone()),
        (None, Some(many)) => list.extend_from_slice(call.list(many)?),
        _ => {
            return Err(call.error(
                "needs one of `value` and `values`; write it like `list | append(value=1)`",
            ));
        }
    }
    bounded(list.into(), call)
}

/// `list(values=["a", 1])`; without values an empty one.
fn list(_: &Value, call: &Call<'_>) -> TeraResult<Value> {
    match call.given("values") {
        None => Ok(Vec::<Value>::new().into()),
        Some(values) => {
            call.list(values)?;
            bounded(values.clone(), call)
        }
    }
}

/// `string_slice(values=["a", "b"])`.
fn string_slice(_: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let texts = call.texts("values")?.into_iter();
    Ok(texts.map(Value::from).collect::<Vec<_>>().into())
}

/// `dict(a=1, b="c")`.
fn dict(_: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let map: Map = call
        .arguments()
        .map(|(name, value)| (name.to_owned().into(), value.clone()))
        .collect();
    bounded(map.into(), call)
}

/// `route_labels(name="team")`: the route's label, empty where it has none of that name.
fn route_labels(_: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let name = call.must_text("name", "route_labels(name=\"team\")")?;
    let labels = call.variable("route_labels")?;
    let label = labels
        .as_map()
        .and_then(|labels| labels.get(&Key::Str(name)));
    Ok(label.cloned().unwrap_or_else(|| Value::from("")))
}

fn bounded(value: Value, call: &Call<'_>) -> TeraResult<Value> {
    if json::is_bounded(&value, &mut PARTS.clone(), json::DEPTH) {
        Ok(value)
    } else {
        Err(call.too_much())
    }
}
