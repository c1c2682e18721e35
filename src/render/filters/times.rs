//! Filters and functions of times and spans.
//!
//! A time is text: RFC 3339, and one that has a zone of its own names it in brackets, as in
//! `2026-03-04T15:03:12+01:00[Europe/Berlin]`. A span is a number of seconds.

use jiff::tz::TimeZone;
use jiff::{Zoned, civil};
use tera::{TeraResult, Value};

use super::call::{Call, Registry};
use crate::render::{layout, time};

pub(super) fn register(registry: &mut Registry<'_>) {
    registry.filter("clock", &[], clock);
    registry.filter("duration", &["until"], duration);
    registry.filter("date", &["layout"], date);
    registry.filter("tz", &["name"], tz);
    registry.filter("since", &[], since);
    registry.filter("humanize_duration", &[], humanize_duration);
    registry.filter("to_date", &["layout"], to_date);
    registry.filter("must_to_date", &["layout"], must_to_date);
    registry.function("now", Some(&[]), |_, call| call.variable("now"));
}

/// `starts_at | clock`: `14:03 UTC`.
fn clock(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    Ok(match call.time(value)? {
        Some(at) => time::clock(&at, call.now()?).into(),
        None => Value::from(""),
    })
}

/// `starts_at | duration(until=ends_at)`: `12 min`; until now where that is left out.
fn duration(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let until = match call.given("until") {
        Some(until) => call.time(until)?.map(|until| until.timestamp()),
        None => Some(call.now()?),
    };
    let from = call.time(value)?.map(|from| from.timestamp());
    Ok(match from.zip(until) {
        Some((from, until)) => time::span(from, until).into(),
        None => Value::from(""),
    })
}

/// `starts_at | date(layout="2006-01-02 15:04")`.
fn date(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let layout = call.must_text("layout", "starts_at | date(layout=\"15:04 MST\")")?;
    Ok(match call.time(value)? {
        Some(at) => layout::format(&at, layout).into(),
        None => Value::from(""),
    })
}

/// `starts_at | tz(name="Europe/Berlin")`: the same time, told there.
fn tz(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let name = call.must_text("name", "starts_at | tz(name=\"Europe/Berlin\")")?;
    let zone = call.zone(name)?;
    Ok(match call.time(value)? {
        Some(at) => text_of(&at.with_time_zone(zone)),
        None => Value::from(""),
    })
}

/// `starts_at | since`: seconds until now.
fn since(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let at = call.time(value)?.ok_or_else(|| {
        call.error(
            "was given no time; write `{% if alert.ends_at %}` around it where it may be missing",
        )
    })?;
    let span = call.now()?.duration_since(at.timestamp());
    Ok(span.as_secs_f64().into())
}

/// `seconds | humanize_duration`: `1d 2h 3m 4s`.
fn humanize_duration(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let seconds = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => value.as_f64(),
    };
    seconds
        .map(|seconds| time::humanized(seconds).into())
        .ok_or_else(|| call.error("takes a number of seconds, such as `starts_at | since`"))
}

/// `text | to_date(layout="2006-01-02")`: year 1 where the text does not fit.
fn to_date(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let time = parsed(value, call, "text | to_date(layout=\"2006-01-02\")")?;
    let zero = || civil::date(1, 1, 1).to_zoned(TimeZone::UTC).ok();
    Ok(time
        .or_else(zero)
        .map_or_else(|| Value::from(""), |time| text_of(&time)))
}

/// `text | must_to_date(layout="2006-01-02")`: an error where the text does not fit.
fn must_to_date(value: &Value, call: &Call<'_>) -> TeraResult<Value> {
    let time = parsed(value, call, "text | must_to_date(layout=\"2006-01-02\")")?;
    time.map(|time| text_of(&time)).ok_or_else(|| {
        call.error("was given text that does not fit its `layout`; `to_date` gives year 1 then")
    })
}

fn parsed(value: &Value, call: &Call<'_>, example: &str) -> TeraResult<Option<Zoned>> {
    let text = call.text(value)?;
    Ok(layout::parse(call.must_text("layout", example)?, &text))
}

fn text_of(time: &Zoned) -> Value {
    time.to_string().into()
}
