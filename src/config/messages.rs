//! What shapes messages: the time zone, the rewriting of links, mentions.

use std::collections::BTreeSet;

use jiff::tz::{self, TimeZone};
use url::Url;

use super::judge::Judge;
use super::layers::closest;
use super::settings;
use crate::render::{Address, Mention, Rewrites, is_below};

/// The zone of that name, from the database that is compiled in.
pub(super) fn timezone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The rules as far as they make sense.
pub(super) fn rewrites(links: &settings::Links) -> Rewrites {
    Rewrites::new(
        links
            .rewrite
            .iter()
            .map(|rule| (rule.from.as_str(), rule.to.as_str())),
    )
}

impl Judge<'_> {
    pub(super) fn timezone(&mut self, name: &str) {
        if timezone(name).is_some() {
            return;
        }
        let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
        // Whoever writes `berlin` means `Europe/Berlin`.
        let by_city = known.iter().find(|known| {
            let city = known.rsplit('/').next().unwrap_or_default();
            city.eq_ignore_ascii_case(&name.trim().replace(' ', "_"))
        });
        let near = by_city
            .map(String::as_str)
            .or_else(|| closest(name, known.iter().map(String::as_str)));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a name of the tz database, such as `UTC` or `Europe/Berlin`".to_owned(),
        };
        self.error(
            &["templates", "timezone"],
            "no time zone has this name",
            &hint,
        );
    }

    pub(super) fn links(&mut self, links: &settings::Links) {
        let mut seen = BTreeSet::new();
        for (index, rule) in links.rewrite.iter().enumerate() {
            let index = index.to_string();
            let from = ["links", "rewrite", &index, "from"];
            let to = ["links", "rewrite", &index, "to"];
            let from_is_sound = self.address(&from, &rule.from, "http://prometheus-k8s-0:9090");
            let to_is_sound = self.address(&to, &rule.to, "https://prometheus.example.org");
            if !from_is_sound || !to_is_sound {
                continue;
            }
            if !seen.insert(rule.from.trim_end_matches('/')) {
                self.error(
                    &from,
                    "another rule has the same `from`",
                    "keep one of the two",
                );
            }
            let mut others = links.rewrite.iter().filter(|other| *other != rule);
            if others.any(|other| is_below(&other.from, &rule.to)) {
                self.error(
                    &to,
                    "another rule would rewrite this address again",
                    "write where both lead in the end",
                );
            }
        }
    }

    /// Whether this is an address that can begin a link.
    fn address(&mut self, path: &[&str], text: &str, example: &str) -> bool {
        let hint = format!("write it like `{example}`");
        let message = match Url::parse(text) {
            _ if text.is_empty() => {
                if self.noted(path) {
                    return false;
                }
                "this is missing"
            }
            Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
                "this is not an http or https address"
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                "this address holds more than host and path"
            }
            Ok(_) => return true,
            Err(_) => "this is not a URL",
        };
        self.error(path, message, &hint);
        false
    }

    /// A person's address, where this is one.
    pub(super) fn address_of(&mut self, path: &[&str], person: &str) -> Option<Address> {
        let address = Address::parse(person);
        if address.is_none() {
            self.error(
                path,
                "this is not an e-mail address",
                "write the address that the person has in Webex, such as `oncall@example.org`",
            );
        }
        address
    }

    /// Who is mentioned, where anybody is.
    pub(super) fn mention(
        &mut self,
        receiver: &str,
        mention: &settings::Mention,
    ) -> Option<Mention> {
        if *mention == settings::Mention::default() {
            return None;
        }
        let key = ["receivers", receiver, "mention"];
        let people_key = ["receivers", receiver, "mention", "people"];
        let severity_key = ["receivers", receiver, "mention", "severity"];
        if mention.severity.is_empty() && !self.noted(&severity_key) {
            self.error(
                &key,
                "it is not said at which severity",
                "write it like `severity = [\"critical\"]`, with values of the label `severity`",
            );
        }
        if mention.people.is_empty() && !mention.everyone && !self.noted(&people_key) {
            self.error(
                &key,
                "this mentions nobody",
                "write it like `people = [\"oncall@example.org\"]`, or `everyone = true`",
            );
        }
        let mut people = Vec::new();
        for (index, person) in mention.people.iter().enumerate() {
            let index = index.to_string();
            let path = [&people_key[..], &[&index]].concat();
            people.extend(self.address_of(&path, person));
        }
        Some(Mention::new(
            mention.severity.clone(),
            &people,
            mention.everyone,
        ))
    }
}
