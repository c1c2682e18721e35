//! Go's layouts of times: `2006-01-02 15:04:05 MST`. Alertmanager's `date` and `toDate` take
//! them, and templates that come from there bring theirs along.
//!
//! A layout is an example: how the reference time, Mon Jan 2 15:04:05 MST 2006, would look.
//! The elements are those of Go's package `time`.

use std::fmt::Write as _;

use jiff::Zoned;

mod parse;

pub(super) use parse::parse;

/// A part of a layout that stands for a part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Abbreviation,
    Offset(OffsetStyle),
    /// So many digits, after a separator; with `trim` without zeros at the end.
    Fraction {
        digits: usize,
        trim: bool,
    },
}

/// How an offset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OffsetStyle {
    /// `Z` stands for none.
    zulu: bool,
    colons: bool,
    until: Precision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Hours,
    Minutes,
    Seconds,
}

/// Longest first, as Go looks for them.
const OFFSETS: [(&str, OffsetStyle); 10] = {
    const fn style(zulu: bool, colons: bool, until: Precision) -> OffsetStyle {
        OffsetStyle {
            zulu,
            colons,
            until,
        }
    }
    [
        ("-070000", style(false, false, Precision::Seconds)),
        ("-07:00:00", style(false, true, Precision::Seconds)),
        ("-0700", style(false, false, Precision::Minutes)),
        ("-07:00", style(false, true, Precision::Minutes)),
        ("-07", style(false, false, Precision::Hours)),
        ("Z070000", style(true, false, Precision::Seconds)),
        ("Z07:00:00", style(true, true, Precision::Seconds)),
        ("Z0700", style(true, false, Precision::Minutes)),
        ("Z07:00", style(true, true, Precision::Minutes)),
        ("Z07", style(true, false, Precision::Hours)),
    ]
};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The next element: the text before it, it, and what follows. `None` where none is left.
fn next(layout: &str) -> Option<(&str, Element, &str)> {
    for (at, c) in layout.char_indices() {
        if let Some((skipped, element, length)) = element(&layout[at..], c) {
            let begin = at + skipped;
            return Some((&layout[..begin], element, &layout[begin + length..]));
        }
    }
    None
}

/// The element that begins here, how many bytes before it are text, and its length.
fn element(layout: &str, first: char) -> Option<(usize, Element, usize)> {
    let begins = |text: &str| layout.starts_with(text);
    // `Jan` within a word such as `Jane` is none.
    let word = |length: usize| {
        let next = layout.as_bytes().get(length);
        !next.is_some_and(u8::is_ascii_lowercase)
    };
    let found = |element, length| Some((0, element, length));
    match first {
        'J' if begins("January") => found(Element::LongMonth, 7),
        'J' if begins("Jan") && word(3) => found(Element::Month, 3),
        'M' if begins("Monday") => found(Element::LongWeekday, 6),
        'M' if begins("Mon") && word(3) => found(Element::Weekday, 3),
        'M' if begins("MST") => found(Element::Abbreviation, 3),
        '0' if begins("002") => found(Element::ZeroYearDay, 3),
        '0' => {
            let element = match layout.as_bytes().get(1)? {
                b'1' => Element::ZeroMonth,
                b'2' => Element::ZeroDay,
                b'3' => Element::ZeroHour12,
                b'4' => Element::ZeroMinute,
                b'5' => Element::ZeroSecond,
                b'6' => Element::Year,
                _ => return None,
            };
            found(element, 2)
        }
        '1' if begins("15") => found(Element::Hour, 2),
        '1' => found(Element::NumberMonth, 1),
        '2' if begins("2006") => found(Element::LongYear, 4),
        '2' => found(Element::Day, 1),
        '_' if begins("_2006") => Some((1, Element::LongYear, 4)),
        '_' if begins("_2") => found(Element::UnderDay, 2),
        '_' if begins("__2") => found(Element::UnderYearDay, 3),
        '3' => found(Element::Hour12, 1),
        '4' => found(Element::Minute, 1),
        '5' => found(Element::Second, 1),
        'P' if begins("PM") => found(Element::UpperPm, 2),
        'p' if begins("pm") => found(Element::LowerPm, 2),
        '-' | 'Z' => {
            let (text, style) = OFFSETS.iter().find(|(text, _)| begins(text))?;
            found(Element::Offset(*style), text.len())
        }
        '.' | ',' => {
            let digit = *layout.as_bytes().get(1)?;
            if !matches!(digit, b'0' | b'9') {
                return None;
            }
            let rest = &layout.as_bytes()[1..];
            let digits = rest.iter().take_while(|byte| **byte == digit).count();
            if rest.get(digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let trim = digit == b'9';
            found(Element::Fraction { digits, trim }, 1 + digits)
        }
        _ => None,
    }
}

/// The time in this layout.
pub(super) fn format(time: &Zoned, layout: &str) -> String {
    let mut text = String::with_capacity(layout.len() + 16);
    let mut rest = layout;
    while let Some((before, element, after)) = next(rest) {
        text.push_str(before);
        let written = &rest[before.len()..rest.len() - after.len()];
        push(&mut text, time, element, written);
        rest = after;
    }
    text.push_str(rest);
    text
}

fn push(text: &mut String, time: &Zoned, element: Element, written: &str) {
    let month = name(&MONTHS, time.month());
    let weekday = name(&WEEKDAYS, time.weekday().to_monday_one_offset());
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    // Writing to a string does not fail.
    let _ = match element {
        Element::LongMonth => write!(text, "{month}"),
        Element::Month => write!(text, "{}", &month[..3]),
        Element::NumberMonth => write!(text, "{}", time.month()),
        Element::ZeroMonth => write!(text, "{:02}", time.month()),
        Element::LongWeekday => write!(text, "{weekday}"),
        Element::Weekday => write!(text, "{}", &weekday[..3]),
        Element::Day => write!(text, "{}", time.day()),
        Element::UnderDay => write!(text, "{:2}", time.day()),
        Element::ZeroDay => write!(text, "{:02}", time.day()),
        Element::UnderYearDay => write!(text, "{:3}", time.day_of_year()),
        Element::ZeroYearDay => write!(text, "{:03}", time.day_of_year()),
        Element::Hour => write!(text, "{:02}", time.hour()),
        Element::Hour12 => write!(text, "{hour12}"),
        Element::ZeroHour12 => write!(text, "{hour12:02}"),
        Element::Minute => write!(text, "{}", time.minute()),
        Element::ZeroMinute => write!(text, "{:02}", time.minute()),
        Element::Second => write!(text, "{}", time.second()),
        Element::ZeroSecond => write!(text, "{:02}", time.second()),
        Element::LongYear => write!(text, "{:04}", time.year()),
        Element::Year => write!(text, "{:02}", time.year().rem_euclid(100)),
        Element::UpperPm => write!(text, "{}", if time.hour() < 12 { "AM" } else { "PM" }),
        Element::LowerPm => write!(text, "{}", if time.hour() < 12 { "am" } else { "pm" }),
        Element::Abbreviation => {
            let info = time.time_zone().to_offset_info(time.timestamp());
            // A zone that is nothing but an offset has none; Go shows `+0530` then.
            write!(text, "{}", info.abbreviation().replace(':', ""))
        }
        Element::Offset(style) => {
            push_offset(text, time.offset().seconds(), style);
            Ok(())
        }
        Element::Fraction { digits, trim } => {
            push_fraction(text, time.subsec_nanosecond(), digits, trim, written);
            Ok(())
        }
    };
}

fn name(names: &[&'static str], number: i8) -> &'static str {
    let index = usize::try_from(number - 1).unwrap_or_default();
    names.get(index).copied().unwrap_or("???")
}

fn push_offset(text: &mut String, seconds: i32, style: OffsetStyle) {
    if style.zulu && seconds == 0 {
        text.push('Z');
        return;
    }
    text.push(if seconds < 0 { '-' } else { '+' });
    let seconds = seconds.abs();
    let colon = if style.colons { ":" } else { "" };
    let _ = write!(text, "{:02}", seconds / 3600);
    if style.until >= Precision::Minutes {
        let _ = write!(text, "{colon}{:02}", seconds / 60 % 60);
    }
    if style.until >= Precision::Seconds {
        let _ = write!(text, "{colon}{:02}", seconds % 60);
    }
}

fn push_fraction(text: &mut String, nanos: i32, digits: usize, trim: bool, written: &str) {
    let all = format!("{nanos:09}");
    // Go prints no more than nine digits of any fraction.
    let mut shown = &all[..digits.min(all.len())];
    if trim {
        shown = shown.trim_end_matches('0');
        if shown.is_empty() {
            return;
        }
    }
    text.push_str(&written[..1]);
    text.push_str(shown);
}

#[cfg(test)]
mod tests;
