//! How bad an alert is, from the many words that rules use in their `severity` label.
//!
//! What does not belong here: who is told about it.

use crate::alertmanager::{Notification, Status};

/// From harmless to bad. An alert without a known severity stands below critical and above
/// warning: nobody should sleep through it because of a missing label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Info,
    Warning,
    Unknown,
    Critical,
}

impl Severity {
    pub(super) fn from_label(label: &str) -> Self {
        const WORDS: [(Severity, &[&str]); 3] = [
            (
                Severity::Critical,
                &[
                    "critical",
                    "crit",
                    "page",
                    "fatal",
                    "emergency",
                    "disaster",
                    "error",
                    "high",
                    "major",
                    "p0",
                    "p1",
                    "sev0",
                    "sev1",
                ],
            ),
            (
                Severity::Warning,
                &[
                    "warning", "warn", "average", "medium", "moderate", "minor", "p2", "p3",
                    "sev2", "sev3",
                ],
            ),
            (
                Severity::Info,
                &[
                    "info",
                    "information",
                    "informational",
                    "notice",
                    "low",
                    "none",
                    "debug",
                    "p4",
                    "p5",
                    "sev4",
                    "sev5",
                ],
            ),
        ];
        WORDS
            .iter()
            .find(|(_, words)| words.iter().any(|word| label.eq_ignore_ascii_case(word)))
            .map_or(Self::Unknown, |(severity, _)| *severity)
    }

    pub(super) const fn emoji(self) -> &'static str {
        match self {
            Self::Critical => "🔴",
            Self::Unknown => "🔔",
            Self::Warning => "🟠",
            Self::Info => "🔵",
        }
    }
}

impl Severity {
    /// What Adaptive Cards call the colour and the style of a container.
    pub(super) const fn colour(self) -> &'static str {
        match self {
            Self::Critical => "attention",
            Self::Unknown | Self::Warning => "warning",
            Self::Info => "accent",
        }
    }
}

/// The `severity` label of the worst alert that fires, or of the worst one where none does;
/// empty if it has none.
pub(super) fn worst<'n>(notification: &'n Notification<'_>) -> &'n str {
    notification
        .alerts
        .iter()
        .map(|alert| {
            let label = alert.labels.get("severity").unwrap_or_default();
            let firing = alert.status == Status::Firing;
            ((firing, Severity::from_label(label)), label)
        })
        .reduce(|worst, other| if other.0 > worst.0 { other } else { worst })
        .map_or("", |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_told_from_the_words_that_rules_use() {
        for (label, expected) in [
            ("critical", "🔴"),
            ("PAGE", "🔴"),
            ("Warning", "🟠"),
            ("info", "🔵"),
            ("none", "🔵"),
            ("", "🔔"),
            ("<@all>", "🔔"),
        ] {
            assert_eq!(Severity::from_label(label).emoji(), expected, "{label}");
        }
    }

    #[test]
    fn the_worst_alert_that_fires_counts() {
        let alert = |status: &str, severity: &str| {
            format!(r#"{{"status":"{status}","labels":{{"severity":"{severity}"}}}}"#)
        };
        for (alerts, expected) in [
            (
                vec![alert("firing", "info"), alert("firing", "warning")],
                "warning",
            ),
            (
                vec![alert("resolved", "critical"), alert("firing", "info")],
                "info",
            ),
            (
                vec![alert("resolved", "info"), alert("resolved", "page")],
                "page",
            ),
            (vec![alert("firing", "warning"), alert("firing", "")], ""),
        ] {
            let body = format!(
                r#"{{"version":"4","groupKey":"k","alerts":[{}]}}"#,
                alerts.join(",")
            );
            let notification = Notification::parse(body.as_bytes()).unwrap();
            assert_eq!(worst(&notification), expected);
        }
    }
}
