//! Reads a time that was written in a layout.
//!
//! As Go does: names in any case, numbers with or without a leading zero where the layout
//! has none, a fraction of a second also where the layout has none.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Zoned};

use super::{Element, MONTHS, OffsetStyle, WEEKDAYS, next};

/// What was read so far.
struct Fields {
    year: i16,
    month: i8,
    day: i8,
    day_of_year: Option<i16>,
    hour: i8,
    afternoon: Option<bool>,
    minute: i8,
    second: i8,
    nanos: i32,
    offset: Option<i32>,
}

/// The time, in UTC where the text names no offset; `None` where it does not fit.
pub(in crate::render) fn parse(layout: &str, text: &str) -> Option<Zoned> {
    let mut fields = Fields {
        year: 0,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        afternoon: None,
        minute: 0,
        second: 0,
        nanos: 0,
        offset: None,
    };
    let mut layout = layout;
    let mut text = text;
    while let Some((before, element, after)) = next(layout) {
        text = literal(before, text)?;
        text = read(&mut fields, element, after, text)?;
        layout = after;
    }
    text = literal(layout, text)?;
    if text.is_empty() { fields.time() } else { None }
}

/// What follows the text of the layout. A space stands for any number of them.
fn literal<'t>(mut layout: &str, mut text: &'t str) -> Option<&'t str> {
    while let Some(c) = layout.chars().next() {
        if c == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            layout = layout.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
        } else {
            layout = &layout[c.len_utf8()..];
            text = text.strip_prefix(c)?;
        }
    }
    Some(text)
}

fn read<'t>(fields: &mut Fields, element: Element, after: &str, text: &'t str) -> Option<&'t str> {
    match element {
        Element::LongMonth => one_of(&MONTHS, usize::MAX, text, &mut fields.month),
        Element::Month => one_of(&MONTHS, 3, text, &mut fields.month),
        Element::LongWeekday => one_of(&WEEKDAYS, usize::MAX, text, &mut 0),
        Element::Weekday => one_of(&WEEKDAYS, 3, text, &mut 0),
        Element::NumberMonth => number(1, 2, text, &mut fields.month),
        Element::ZeroMonth => number(2, 2, text, &mut fields.month),
        Element::UnderDay => number(
            1,
            2,
            text.strip_prefix(' ').unwrap_or(text),
            &mut fields.day,
        ),
        Element::Day => number(1, 2, text, &mut fields.day),
        Element::ZeroDay => number(2, 2, text, &mut fields.day),
        Element::UnderYearDay | Element::ZeroYearDay => {
            let mut day = 0;
            let rest = number(3, 3, &text.replacen(' ', "0", 2), &mut day).map(str::len)?;
            fields.day_of_year = Some(day);
            text.get(text.len() - rest..)
        }
        Element::Hour => number(1, 2, text, &mut fields.hour),
        Element::Hour12 | Element::ZeroHour12 => {
            let least = if element == Element::Hour12 { 1 } else { 2 };
            let rest = number(least, 2, text, &mut fields.hour)?;
            (0..=12).contains(&fields.hour).then_some(rest)
        }
        Element::Minute => number(1, 2, text, &mut fields.minute),
        Element::ZeroMinute => number(2, 2, text, &mut fields.minute),
        Element::Second | Element::ZeroSecond => {
            let least = if element == Element::Second { 1 } else { 2 };
            let rest = number(least, 2, text, &mut fields.second)?;
            let begins = rest.starts_with(['.', ',']);
            let in_layout = matches!(next(after), Some(("", Element::Fraction { .. }, _)));
            let digit = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
            if begins && digit && !in_layout {
                fraction(fields, usize::MAX, rest)
            } else {
                Some(rest)
            }
        }
        Element::LongYear => number(4, 4, text, &mut fields.year),
        Element::Year => {
            let rest = number(2, 2, text, &mut fields.year)?;
            fields.year += if fields.year >= 69 { 1900 } else { 2000 };
            Some(rest)
        }
        Element::UpperPm => half(fields, "AM", "PM", text),
        Element::LowerPm => half(fields, "am", "pm", text),
        Element::Abbreviation => abbreviation(fields, text),
        Element::Offset(style) => offset(fields, style, text),
        Element::Fraction {
            digits,
            trim: false,
        } => fraction(fields, digits, text),
        Element::Fraction { trim: true, .. } => {
            if text.starts_with(['.', ',']) {
                fraction(fields, usize::MAX, text)
            } else {
                Some(text)
            }
        }
    }
}

/// A number of so many digits.
fn number<'t, N: std::str::FromStr>(
    least: usize,
    most: usize,
    text: &'t str,
    field: &mut N,
) -> Option<&'t str> {
    let digits = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if digits < least {
        return None;
    }
    *field = text[..digits].parse().ok()?;
    Some(&text[digits..])
}

/// A name, of which only the first `length` letters are written.
fn one_of<'t>(names: &[&str], length: usize, text: &'t str, field: &mut i8) -> Option<&'t str> {
    for (number, name) in (1..).zip(names) {
        let name = &name[..length.min(name.len())];
        let found = text.get(..name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            *field = number;
            return text.get(name.len()..);
        }
    }
    None
}

fn half<'t>(fields: &mut Fields, am: &str, pm: &str, text: &'t str) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix(am) {
        fields.afternoon = Some(false);
        return Some(rest);
    }
    fields.afternoon = Some(true);
    text.strip_prefix(pm)
}

/// Separator and digits; with `usize::MAX` as many as there are.
fn fraction<'t>(fields: &mut Fields, digits: usize, text: &'t str) -> Option<&'t str> {
    let rest = text.strip_prefix(['.', ','])?;
    let there = rest
        .bytes()
        .take(digits)
        .take_while(u8::is_ascii_digit)
        .count();
    if there == 0 || (digits != usize::MAX && there < digits) {
        return None;
    }
    let nanos = &rest[..there.min(9)];
    fields.nanos = format!("{nanos:0<9}").parse().ok()?;
    Some(&rest[there..])
}

/// `UTC`, or another abbreviation: what it means depends on the place, so Go, which knows
/// none here, takes it for UTC as well.
fn abbreviation<'t>(fields: &mut Fields, text: &'t str) -> Option<&'t str> {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    fields.offset.get_or_insert(0);
    (3..=5).contains(&letters).then(|| &text[letters..])
}

fn offset<'t>(fields: &mut Fields, style: OffsetStyle, text: &'t str) -> Option<&'t str> {
    if style.zulu
        && let Some(rest) = text.strip_prefix('Z')
    {
        fields.offset = Some(0);
        return Some(rest);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut rest = &text[1..];
    let mut parts = [0_i32; 3];
    for (index, part) in parts.iter_mut().enumerate().take(1 + style.until as usize) {
        if index > 0 && style.colons {
            rest = rest.strip_prefix(':')?;
        }
        rest = number(2, 2, rest, part)?;
    }
    let [hours, minutes, seconds] = parts;
    if hours > 24 || minutes > 59 || seconds > 59 {
        return None;
    }
    fields.offset = Some(sign * (hours * 3600 + minutes * 60 + seconds));
    Some(rest)
}

impl Fields {
    fn time(self) -> Option<Zoned> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = match self.day_of_year {
            None => jiff::civil::Date::new(self.year, self.month, self.day).ok()?,
            Some(day) if day > 0 => {
                let first = jiff::civil::Date::new(self.year, 1, 1).ok()?;
                let days = SignedDuration::from_hours(24 * i64::from(day - 1));
                let date = first.checked_add(days).ok()?;
                (date.year() == self.year).then_some(date)?
            }
            Some(_) => return None,
        };
        let time = jiff::civil::Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let zone = match self.offset {
            None | Some(0) => TimeZone::UTC,
            Some(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
        };
        DateTime::from_parts(date, time).to_zoned(zone).ok()
    }
}
