//! How durations are written in the configuration: `9s`, `15m`, `1m 30s`.
//!
//! Sizes need nothing of our own: `bytesize` reads and writes `4MiB`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Text of a form, as the schema tells it.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $pattern:literal) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $what.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

text!(
    /// A duration in the schema. It takes the units that people write; the parser of `jiff`
    /// takes their long names as well.
    Duration,
    "duration",
    r"^\s*\d+(\.\d+)?\s*[a-zµ]+(,?\s*\d+(\.\d+)?\s*[a-zµ]+)*\s*$"
);
text!(
    /// A size in the schema.
    Size,
    "size",
    r"^\s*\d+(\.\d+)?\s*([kKmMgGtTpPeE][iI]?)?[bB]?\s*$"
);
text!(
    /// An address with a port in the schema.
    Address,
    "address",
    r"^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.%]+\]):\d{1,5}$"
);

/// For `#[serde(with = "units::duration")]` on a [`std::time::Duration`].
pub(crate) mod duration {
    use std::time::Duration;

    use jiff::fmt::friendly::{Designator, SpanParser, SpanPrinter};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&written(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The parser's own error repeats what was written; a value may be a secret in the
        // wrong place, so ours does not.
        SpanParser::new()
            .parse_unsigned_duration(&text)
            .map_err(|_| D::Error::custom("this is not a duration; write it like `9s` or `1m 30s`"))
    }

    /// As a person writes it: `1m 30s`.
    pub(crate) fn written(duration: Duration) -> String {
        SpanPrinter::new()
            .designator(Designator::Compact)
            .unsigned_duration_to_string(&duration)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    fn read(text: &str) -> Result<Duration, serde_json::Error> {
        duration::deserialize(&mut serde_json::Deserializer::from_str(&format!(
            "{text:?}"
        )))
    }

    #[test]
    fn durations_are_read_as_they_are_written() {
        for (text, seconds) in [("9s", 9), ("15m", 900), ("1m 30s", 90), ("2h", 7200)] {
            let duration = read(text).unwrap();
            assert_eq!(duration, Duration::from_secs(seconds), "{text}");
            assert_eq!(duration::written(duration), text);
        }
    }

    #[test]
    fn a_wrong_duration_is_not_repeated_in_the_error() {
        let error = read("s3cret").unwrap_err().to_string();
        assert!(error.contains("write it like `9s`"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
