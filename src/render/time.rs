//! Times and spans as people say them: `14:03 UTC`, `3 h 5 min`.
//!
//! What does not belong here: reading the clock; the present is passed in.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The time of day, with the date where that is not today's, with the year where that is
/// not this year's.
pub(super) fn clock(time: Timestamp, now: Timestamp) -> String {
    let time = time.to_zoned(TimeZone::UTC);
    let now = now.to_zoned(TimeZone::UTC);
    let format = if time.date() == now.date() {
        "%H:%M %Z"
    } else if time.year() == now.year() {
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
            assert_eq!(clock(at(time), now), expected);
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
}
