//! Filters from text to text.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use tera::{TeraResult, Value};

use super::call::{Call, Registry};
use crate::render::cut::boundary;
use crate::render::pattern::PatternError;
use crate::render::shorten::brief;
use crate::render::title::title;

/// How much `shorten` leaves unless told otherwise, in characters.
const LINE_CHARS: usize = 120;

/// Stands for what was cut off.
const CUT: &str = "…";

/// The longest text that `re_replace_all` makes.
const REPLACED_BYTES: usize = 256 * 1024;

pub(super) fn register(registry: &mut Registry<'_>) {
    registry.filter("shorten", &["length", "lines"], shorten);
    registry.filter("truncate_bytes", &["length"], truncate_bytes);
    registry.filter("to_upper", &[], |value, call| {
        Ok(call.text(value)?.to_uppercase().into())
    });
    registry.filter("to_lower", &[], |value, call| {
        Ok(call.text(value)?.to_lowercase().into())
    });
    registry.filter("title", &[], |value, call| {
        Ok(title(&call.text(value)?).into())
    });
    registry.filter("trim_space", &[], |value, call| {
        Ok(call.text(value)?.trim().into())
    });
    registry.filter("match", &["pattern"], matches);
    registry.filter("re_replace_all", &["pattern", "with"], re_replace_all);
    registry.filter("url_unescape", &[], url_unescape);
    registry.filter("query_unescape", &[], url_unescape);
    registry.filter("urlquery", &[], urlquery);
    registry.filter("base64_encode", &[], |value, call| {
        Ok(URL_SAFE.encode(call.text(value)?.as_bytes()).into())
    });
    registry.filter("base64_decode", &[], base64_decode);
}

/// `text | shorten(length=300, lines=6)`: at most so many characters and lines, ending with
/// a whole word and `…` where something was left out. One line of 120 unless told otherwise.
fn shorten(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text(value)?;
    let length = call.count_or("length", LINE_CHARS)?;
    let lines = call.count_or("lines", 1)?;
    Ok(brief(&text, length, lines).into())
}

/// `text | truncate_bytes(length=100)`: at most so many bytes, with `…` where something was
/// left out and there is room for it.
fn truncate_bytes(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text(value)?;
    call.must("length", "text | truncate_bytes(length=100)")?;
    let length = call.count_or("length", 0)?;
    if text.len() <= length {
        return Ok(value.clone());
    }
    let (room, mark) = match length.checked_sub(CUT.len()) {
        Some(room) => (room, CUT),
        None => (length, ""),
    };
    let kept = &text[..boundary(&text, room)];
    Ok(format!("{kept}{mark}").into())
}

/// `text | match(pattern="^kube")`.
fn matches(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text(value)?;
    let pattern = call.must_text("pattern", "text | match(pattern=\"^kube\")")?;
    let found = call.kit.patterns.is_match(pattern, &text);
    found.map(Into::into).map_err(|error| call.error(error))
}

/// `text | re_replace_all(pattern="-[a-z0-9]+$", with="")`.
fn re_replace_all(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    const EXAMPLE: &str = "text | re_replace_all(pattern=\"-[0-9]+$\", with=\"\")";
    let text = call.text(value)?;
    let pattern = call.must_text("pattern", EXAMPLE)?;
    let with = call.must_text("with", EXAMPLE)?;
    let replaced = call
        .kit
        .patterns
        .replace_all(pattern, with, &text, REPLACED_BYTES)
        .map_err(|error: PatternError| call.error(error))?;
    replaced.map(Into::into).ok_or_else(|| call.too_much())
}

/// As Go's `url.QueryUnescape`: `+` is a space.
fn url_unescape(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text(value)?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let pair = digit(rest.next()).zip(digit(rest.next()));
                pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
                    .ok_or_else(|| {
                        call.error("was given a `%` that two hexadecimal digits do not follow")
                    })?
            }
            other => other,
        });
    }
    Ok(text_of(bytes))
}

/// As Go's `url.QueryEscape`: a space is `+`.
fn urlquery(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text(value)?;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            // Writing to a string does not fail.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    Ok(escaped.into())
}

fn base64_decode(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text(value)?;
    URL_SAFE.decode(text.as_bytes()).map(text_of).map_err(|_| {
        call.error("was given text that is no URL-safe base64: letters, digits, `-` and `_`, with `=` at the end")
    })
}

/// What is no text shows as `�`.
fn text_of(bytes: Vec<u8>) -> Value {
    String::from_utf8(bytes)
        .map_err(|error| Cow::<str>::from(String::from_utf8_lossy(error.as_bytes()).into_owned()))
        .map_or_else(Value::from, Value::from)
}
