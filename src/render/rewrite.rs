//! Addresses that lead nowhere from a phone become ones that do.
//!
//! What does not belong here: how a URL is put into a message (`links`).

use std::borrow::Cow;

/// `[[links.rewrite]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrites(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    from: String,
    to: String,
}

impl Rewrites {
    /// The rules, as pairs of what an address begins with and what it begins with instead.
    pub fn new<'a>(rules: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let whole = |address: &str| address.trim_end_matches('/').to_owned();
        let rules = rules
            .into_iter()
            .filter(|(from, _)| !whole(from).is_empty())
            .map(|(from, to)| Rule {
                from: whole(from),
                to: whole(to),
            });
        Self(rules.collect())
    }

    /// The address as a reader can use it, by the rule with the longest `from` that fits.
    ///
    /// What a rule made stays as it is, so applying twice does no harm: a template may pass
    /// what was rewritten for it to a filter that rewrites as well.
    #[must_use]
    pub fn apply<'u>(&self, address: &'u str) -> Cow<'u, str> {
        let rule = self
            .0
            .iter()
            .filter(|rule| is_below(address, &rule.from))
            .max_by_key(|rule| rule.from.len());
        let Some(rule) = rule else {
            return Cow::Borrowed(address);
        };
        let made = |other: &Rule| other.to.len() >= rule.from.len() && is_below(address, &other.to);
        if self.0.iter().any(made) {
            return Cow::Borrowed(address);
        }
        let rest = address.get(rule.from.len()..).unwrap_or_default();
        Cow::Owned(format!("{}{rest}", rule.to))
    }
}

/// Whether an address is another or lies below it: `http://host:90` does not lie below
/// `http://host:9`.
#[must_use]
pub fn is_below(address: &str, other: &str) -> bool {
    address
        .strip_prefix(other.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_that_fits_counts() {
        let rules = Rewrites::new([
            ("http://prometheus:9090", "https://prom.example.org/"),
            ("http://prometheus:9090/eu/", "https://eu.example.org/prom"),
            ("http://am:9093", "https://am.example.org"),
        ]);
        for (address, expected) in [
            (
                "http://prometheus:9090/graph?g0=x",
                "https://prom.example.org/graph?g0=x",
            ),
            ("http://prometheus:9090", "https://prom.example.org"),
            (
                "http://prometheus:9090/eu/graph",
                "https://eu.example.org/prom/graph",
            ),
            (
                "http://prometheus:9090/europe",
                "https://prom.example.org/europe",
            ),
            ("http://prometheus:90901/x", "http://prometheus:90901/x"),
            ("http://am:9093#/alerts", "https://am.example.org#/alerts"),
            (
                "https://elsewhere.example.org",
                "https://elsewhere.example.org",
            ),
            ("", ""),
        ] {
            assert_eq!(rules.apply(address), expected);
            assert_eq!(rules.apply(&rules.apply(address)), expected, "twice");
        }
    }

    #[test]
    fn what_a_rule_made_is_not_rewritten_again() {
        let rules = Rewrites::new([("http://am", "http://am/prefix")]);
        let once = rules.apply("http://am/x");
        assert_eq!(once, "http://am/prefix/x");
        assert_eq!(rules.apply(&once), once);
    }
}
