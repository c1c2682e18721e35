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
