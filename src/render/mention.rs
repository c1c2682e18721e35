//! Mentions: the only markup that notifies a person, so the only one that nobody but the
//! configuration and the template may write.
//!
//! What does not belong here: how text is kept from being one (`escape`).

use std::fmt;

use crate::alertmanager::{Alert, Status};

/// The longest e-mail address there is (RFC 5321).
const ADDRESS_BYTES: usize = 254;

/// An e-mail address that cannot leave the mention it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Takes what real addresses are made of; quotes, comments and brackets, which the RFC
    /// allows as well, are nobody's address in Webex.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.split_once('@')?;
        let in_local = |b: u8| b.is_ascii_alphanumeric() || b"._%+'-".contains(&b);
        let in_domain = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
        let sound = text.len() <= ADDRESS_BYTES
            && !local.is_empty()
            && local.bytes().all(in_local)
            && domain.bytes().all(in_domain)
            && domain
                .split('.')
                .all(|part| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-'));
        sound.then(|| Self(text.to_owned()))
    }
}

impl Address {
    /// The address itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As Webex's Markdown mentions a person.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<@personEmail:{}>", self.0)
    }
}

/// Who is mentioned while an alert of such a severity fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    severities: Vec<String>,
    markdown: String,
}

impl Mention {
    /// Mentions these people, or everyone in the room, for values of the label `severity`.
    #[must_use]
    pub fn new(severities: Vec<String>, people: &[Address], everyone: bool) -> Self {
        let everyone = everyone.then(|| "<@all>".to_owned());
        let mut mentions: Vec<String> = everyone.into_iter().collect();
        for person in people {
            let person = person.to_string();
            if !mentions.contains(&person) {
                mentions.push(person);
            }
        }
        Self {
            severities,
            markdown: mentions.join(" "),
        }
    }

    /// The markup for these alerts; empty where nobody is to be mentioned. What is over wakes
    /// nobody.
    pub(super) fn of<'n>(&self, mut alerts: impl Iterator<Item = &'n Alert<'n>>) -> &str {
        let calls = alerts.any(|alert| {
            let severity = alert.labels.get("severity").unwrap_or_default();
            alert.status == Status::Firing
                && self
                    .severities
                    .iter()
                    .any(|word| word.trim().eq_ignore_ascii_case(severity.trim()))
        });
        if calls { &self.markdown } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alertmanager::Notification;

    #[test]
    fn an_address_cannot_leave_its_mention() {
        for sound in [
            "oncall@example.org",
            "o'neil.a+b_c-d%e@mail.example.org",
            "root@localhost",
            " a@b.c ",
        ] {
            let mention = Address::parse(sound).unwrap().to_string();
            assert_eq!(mention, format!("<@personEmail:{}>", sound.trim()));
        }
        let long = format!("{}@b.c", "a".repeat(300));
        for wrong in [
            "", "@", "a", "a@", "@b.c", "a@b@c", "a@b..c", "a@-b.c", "a b@c.d", "a>@b.c",
            "a|b@c.d", "<a@b.c>", "a@b.c>", "a:b@c.d", "ü@b.c", "a\n@b.c", "a`@b.c", "a*@b.c",
            &long,
        ] {
            assert_eq!(Address::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_firing_alert_of_such_a_severity_mentions_anybody() {
        let person = Address::parse("a@b.c").unwrap();
        let people = [person.clone(), person];
        let mention = Mention::new(vec!["critical".to_owned()], &people, true);
        for (alerts, expected) in [
            (
                r#"{"status":"firing","labels":{"severity":"Critical"}}"#,
                true,
            ),
            (
                r#"{"status":"firing","labels":{"severity":"warning"}}"#,
                false,
            ),
            (r#"{"status":"firing","labels":{}}"#, false),
            (
                r#"{"status":"resolved","labels":{"severity":"critical"}}"#,
                false,
            ),
            (
                r#"{"status":"firing"},{"status":"firing","labels":{"severity":"critical"}}"#,
                true,
            ),
        ] {
            let body = format!(r#"{{"version":"4","groupKey":"k","alerts":[{alerts}]}}"#);
            let notification = Notification::parse(body.as_bytes()).unwrap();
            let text = mention.of(notification.alerts.iter());
            let both = "<@all> <@personEmail:a@b.c>";
            assert_eq!(text, if expected { both } else { "" }, "{alerts}");
        }
    }
}
