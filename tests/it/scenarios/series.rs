//! What changed among the metrics between two looks.

use std::collections::BTreeMap;

const PREFIX: &str = "alertmanager_webex_";

/// The value of every series of the service's own, at one moment. How long things took is left
/// out: how often stays.
#[derive(Debug, Default)]
pub(super) struct Series(BTreeMap<String, Value>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Counter(f64),
    Gauge(f64),
    /// A time of day, which is another one in every run: whether there is one yet.
    Time(bool),
}

impl Series {
    /// Reads the `OpenMetrics` text.
    pub(super) fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.filter_map(|line| line.strip_prefix(PREFIX)?.rsplit_once(' '));
        let values = lines.filter_map(|(series, value)| {
            let value = value.parse().unwrap();
            let name = series.split('{').next()?;
            let value = match name {
                _ if name.ends_with("_bucket") || name.ends_with("_sum") => return None,
                _ if name.ends_with("_total") || name.ends_with("_count") => Value::Counter(value),
                _ if name.ends_with("_timestamp_seconds") => Value::Time(value > 0.0),
                _ => Value::Gauge(value),
            };
            Some((series.to_owned(), value))
        });
        Self(values.collect())
    }

    /// What is not as it was `before`: a line a series, in the order of names. A series that
    /// begins to exist, or ends, says so.
    pub(super) fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, value) in &self.0 {
            let old = before.0.get(name);
            if old.is_some_and(|old| old.is_about(*value)) {
                continue;
            }
            let new = if old.is_none() { " (new)" } else { "" };
            lines.push(match (old, value) {
                (Some(Value::Counter(old)), Value::Counter(value)) => {
                    format!("{name} +{}", value - old)
                }
                (_, Value::Counter(value)) => format!("{name} +{value}{new}"),
                (_, Value::Time(true)) => format!("{name} is set{new}"),
                (_, Value::Time(false)) => format!("{name} is not set{new}"),
                (Some(Value::Gauge(old)), Value::Gauge(value)) => {
                    format!("{name} {} -> {}", rounded(*old), rounded(*value))
                }
                (_, Value::Gauge(value)) => format!("{name} {}{new}", rounded(*value)),
            });
        }
        for name in before.0.keys() {
            if !self.0.contains_key(name) {
                lines.push(format!("{name} is gone"));
            }
        }
        lines
    }
}

impl Value {
    fn is_about(self, other: Self) -> bool {
        match (self, other) {
            (Self::Gauge(one), Self::Gauge(other)) => {
                rounded(one).to_string() == rounded(other).to_string()
            }
            _ => self == other,
        }
    }
}

/// To a tenth: what is more exact hangs on the machine.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
