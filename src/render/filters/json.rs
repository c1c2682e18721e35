//! Values as JSON, as Go's `json.Marshal` writes it: keys sorted, `<`, `>` and `&` escaped.
//!
//! Bounded in depth and length: a template can put a list into itself over and over.

use tera::{Map, Value};

/// How deep lists and maps may lie in one another.
pub(super) const DEPTH: usize = 32;

/// The longest JSON.
const BYTES: usize = 256 * 1024;

/// The JSON, or `None` where it would be too deep or too long.
pub(super) fn to_json(value: &Value) -> Option<String> {
    let mut json = String::new();
    push(&mut json, value, DEPTH)?;
    Some(json)
}

/// Whether a value is no deeper than allowed and has no more than so many parts, each counted
/// as often as it is shown.
pub(super) fn is_bounded(value: &Value, parts: &mut usize, depth: usize) -> bool {
    let Some(left) = parts.checked_sub(1) else {
        return false;
    };
    *parts = left;
    let Some(below) = depth.checked_sub(1) else {
        return false;
    };
    if let Some(list) = value.as_array() {
        list.iter().all(|value| is_bounded(value, parts, below))
    } else if let Some(map) = value.as_map() {
        map.values().all(|value| is_bounded(value, parts, below))
    } else {
        true
    }
}

fn push(json: &mut String, value: &Value, depth: usize) -> Option<()> {
    let below = depth.checked_sub(1)?;
    if let Some(text) = value.as_str() {
        push_text(json, text);
    } else if let Some(list) = value.as_array() {
        json.push('[');
        for (index, value) in list.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            push(json, value, below)?;
        }
        json.push(']');
    } else if let Some(map) = value.as_map() {
        push_map(json, map, below)?;
    } else if value.is_none()
        || value.is_undefined()
        || value.as_f64().is_some_and(|n| !n.is_finite())
    {
        json.push_str("null");
    } else if value.is_number() || value.is_bool() {
        json.push_str(&value.to_string());
    } else {
        push_text(json, &value.to_string());
    }
    (json.len() <= BYTES).then_some(())
}

fn push_map(json: &mut String, map: &Map, depth: usize) -> Option<()> {
    let mut pairs: Vec<(String, &Value)> = map
        .iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect();
    pairs.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    json.push('{');
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_text(json, name);
        json.push(':');
        push(json, value, depth)?;
    }
    json.push('}');
    Some(())
}

fn push_text(json: &mut String, text: &str) {
    // A text is always JSON.
    let quoted = serde_json::to_string(text).unwrap_or_default();
    for c in quoted.chars() {
        match c {
            '<' => json.push_str("\\u003c"),
            '>' => json.push_str("\\u003e"),
            '&' => json.push_str("\\u0026"),
            '\u{2028}' => json.push_str("\\u2028"),
            '\u{2029}' => json.push_str("\\u2029"),
            _ => json.push(c),
        }
    }
}
