//! Traces: what a request did and when, as spans for a collector. `docs/logging.md` has them.
//!
//! Only with the feature `otel`; without it all of this is nothing, but for the id of a trace,
//! which the log has in any case. Webex is never sent a trace's id: it is a third party.

#[cfg(feature = "otel")]
mod export;
#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod span;

#[cfg(feature = "otel")]
pub use export::{Traces, TracesError};
#[cfg(not(feature = "otel"))]
pub use off::{Moment, Trace};
#[cfg(feature = "otel")]
pub use span::{Moment, Trace};

/// What a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something in this process.
    Internal,
    /// A request to another one.
    Client,
}

/// The id of the trace that a request belongs to, by its header `traceparent`: 32 hexadecimal
/// digits, not all zero.
#[must_use]
pub fn trace_id(traceparent: &str) -> Option<&str> {
    parts(traceparent).map(|(trace, _, _)| trace)
}

/// Trace, parent and flags of a header `traceparent`, if it is well formed
/// (<https://www.w3.org/TR/trace-context/>).
fn parts(traceparent: &str) -> Option<(&str, &str, &str)> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // Versions after 00 may have more behind the flags.
    let ends = version != "00" || parts.next().is_none();
    let is_hex = |text: &str, digits: usize| {
        text.len() == digits
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_valid = is_hex(version, 2)
        && version != "ff"
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && [trace, parent]
            .iter()
            .all(|id| id.bytes().any(|byte| byte != b'0'));
    (ends && is_valid).then_some((trace, parent, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn the_id_is_read_where_the_header_is_well_formed() {
        let cases = [
            (format!("00-{TRACE}-00f067aa0b1902b7-01"), true),
            (format!("01-{TRACE}-00f067aa0b1902b7-01-more"), true),
            (format!("00-{TRACE}-00f067aa0b1902b7-01-more"), false),
            (format!("ff-{TRACE}-00f067aa0b1902b7-01"), false),
            (format!("00-{TRACE}-0000000000000000-01"), false),
            (format!("00-{}-00f067aa0b1902b7-01", "0".repeat(32)), false),
            (
                format!("00-{}-00f067aa0b1902b7-01", TRACE.to_uppercase()),
                false,
            ),
            (format!("00-{TRACE}-00f067aa0b1902b7"), false),
            ("00-\u{1b}[31m-x-01".to_owned(), false),
            (String::new(), false),
        ];
        for (header, is_valid) in cases {
            assert_eq!(trace_id(&header), is_valid.then_some(TRACE), "{header}");
        }
    }
}
