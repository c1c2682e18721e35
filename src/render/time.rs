//! Times and spans as people say them: `14:03 UTC`, `3 h 5 min`.
//!
//! What does not belong here: reading the clock; the present is passed in.

use std::fmt;

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde::{Serialize, Serializer};

/// A time as templates see it: RFC 3339, with the offset of the configured zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    at: Timestamp,
    zone: &'a TimeZone,
}

impl<'a> Moment<'a> {
    pub(super) fn new(at: Timestamp, zone: &'a TimeZone) -> Self {
        Self { at, zone }
    }
}

impl fmt::Display for Moment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone.to_offset(self.at) {
            Offset::UTC => self.at.fmt(f),
            offset => self.at.display_with_offset(offset).fmt(f),
        }
    }
}

impl Serialize for Moment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The time of day where the time is told, with the date where that is not today's, with the
/// year where that is not this year's.
pub(super) fn clock(time: &Zoned, now: Timestamp) -> String {
    let now = now.to_zoned(time.time_zone().clone());
    if time.date() == now.date() {
        let zone = time.time_zone().to_offset_info(time.timestamp());
        let zone = zone.abbreviation();
        return format!("{:02}:{:02} {zone}", time.hour(), time.minute());
    }
    let format = if time.year() == now.year() {
        "%-d %b %H:%M %Z"
    } else {
        "%-d %b %Y %H:%M %Z"
    };
    time.strftime(format).to_string()
}

/// How long something took, in its two largest units. Clocks that disagree are no reason to
/// show a negative span.
pub(super) fn span(from: Timestamp, until: Timestamp) -> String {
    let seconds = until.duration_since(from).as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{large} {large_unit}")
        } else {
            format!("{large} {large_unit} {small} {small_unit}")
        }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..86400 => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

/// Seconds as Prometheus' `humanizeDuration` tells them: `1d 2h 3m 4s`, `123.5ms`.
pub(super) fn humanized(seconds: f64) -> String {
    const PREFIXES: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];
    let size = seconds.abs();
    if !size.is_finite() {
        return significant(seconds);
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    if size >= 60.0 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole seconds are wanted, and what does not fit becomes the largest number"
        )]
        let whole = size as i64;
        let (days, hours) = (whole / 86400, whole / 3600 % 24);
        let (minutes, seconds) = (whole / 60 % 60, whole % 60);
        return match (days, hours) {
            (0, 0) => format!("{sign}{minutes}m {seconds}s"),
            (0, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
            _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
        };
    }
    if size >= 1.0 || size == 0.0 {
        return format!("{sign}{}s", significant(size));
    }
    let mut scaled = seconds;
    let mut prefix = "";
    for next in PREFIXES {
        if scaled.abs() >= 1.0 {
            break;
        }
        prefix = next;
        scaled *= 1000.0;
    }
    format!("{}{prefix}s", significant(scaled))
}

/// As C and Go write `%.4g`: four digits that count, without zeros at the end.
fn significant(number: f64) -> String {
    if !number.is_finite() {
        return match number {
            f64::INFINITY => "+Inf".to_owned(),
            f64::NEG_INFINITY => "-Inf".to_owned(),
            _ => "NaN".to_owned(),
        };
    }
    let scientific = format!("{number:.3e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let short = |text: &str| {
        let has_decimals = text.contains('.');
        let zeros = |c| has_decimals && c == '0';
        text.trim_end_matches(zeros)
            .trim_end_matches('.')
            .to_owned()
    };
    match usize::try_from(3 - exponent) {
        Ok(decimals) if exponent >= -4 => short(&format!("{number:.decimals$}")),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", short(mantissa), exponent.abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_has_a_date_only_where_it_is_not_today() {
        let now = at("2026-03-04T14:05:30Z");
        for (time, expected) in [
            ("2026-03-04T14:03:12.5Z", "14:03 UTC"),
            ("2026-03-04T00:30:00+02:00", "3 Mar 22:30 UTC"),
            ("2025-12-31T23:59:59Z", "31 Dec 2025 23:59 UTC"),
        ] {
            assert_eq!(clock(&at(time).to_zoned(TimeZone::UTC), now), expected);
        }
    }

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let from = at("2026-03-04T14:00:00Z");
        for (until, expected) in [
            ("2026-03-04T13:00:00Z", "0 s"),
            ("2026-03-04T14:00:59.9Z", "59 s"),
            ("2026-03-04T14:12:59Z", "12 min"),
            ("2026-03-04T16:00:10Z", "2 h"),
            ("2026-03-04T17:05:00Z", "3 h 5 min"),
            ("2026-03-07T18:59:00Z", "3 d 4 h"),
        ] {
            assert_eq!(span(from, at(until)), expected);
        }
    }

    #[test]
    fn seconds_are_told_as_prometheus_tells_them() {
        // The expected results are Prometheus' own.
        for (seconds, expected) in [
            (0.0, "0s"),
            (1.0, "1s"),
            (1.2345, "1.234s"),
            (59.999, "60s"),
            (60.0, "1m 0s"),
            (3600.0, "1h 0m 0s"),
            (93_784.9, "1d 2h 3m 4s"),
            (-93_784.9, "-1d 2h 3m 4s"),
            (0.1235, "123.5ms"),
            (0.0001, "100us"),
            (-0.001, "-1ms"),
            (1e-9, "1ns"),
            (1e-30, "1e-06ys"),
            (0.999_96, "1000ms"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(humanized(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn a_moment_has_the_offset_of_its_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let summer = Moment::new(at("2026-07-04T14:03:12.5Z"), &berlin);
        assert_eq!(summer.to_string(), "2026-07-04T16:03:12.5+02:00");
        let utc = TimeZone::UTC;
        let winter = Moment::new(at("2026-01-04T14:03:12Z"), &utc);
        assert_eq!(winter.to_string(), "2026-01-04T14:03:12Z");
    }
}
