//! What each key takes, in words for whoever wrote something else there.
//!
//! Serde's own words name Rust's types and repeat values. A value that is no duration may be
//! a token in the wrong place, so what is said here comes from the key and from the kind of
//! the value, never from the value.

use config::ValueKind;

/// What a key takes.
pub(super) struct Expected {
    shape: Shape,
    what: &'static str,
    hint: &'static str,
}

/// The kinds of values, as a person who writes TOML knows them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Switch,
    List,
    Table,
}

const ADDRESS: Expected = text(
    "an address with a port",
    "write it like `\"0.0.0.0:9091\"`; a name such as `localhost` is not taken",
);
const DURATION: Expected = text("a duration", "write it like `\"9s\"` or `\"1m 30s\"`");
const SIZE: Expected = text("a size", "write it like `\"4MiB\"`");
const FORMAT: Expected = text("a log format", "write `\"text\"` or `\"json\"`");
const CONVERSATION: Expected = text(
    "a way to tell a group's later notifications",
    "write `\"new\"`, `\"thread\"` or `\"update\"`",
);
const ZONE: Expected = text("a time zone", "write it like `\"Europe/Berlin\"`");
const ANY_TEXT: Expected = text("text", "write it in quotes");
const COUNT: Expected = Expected {
    shape: Shape::Number,
    what: "a whole number from 1 to 4294967295",
    hint: "write it like `300`",
};
const LOGINS: Expected = list(
    "a list of names and passwords",
    "write `[[receivers.NAME.basic_auth]]`, and `username` and `password_file` below",
);
const LOGIN: Expected =
    table("write `[[receivers.NAME.basic_auth]]`, and `username` and `password_file` below");
const SUBJECTS: Expected = list(
    "a list of names in certificates",
    "write it like `[\"alertmanager.monitoring.svc\"]`",
);
const TLS: Expected = table("write `[server.tls]`, and its keys below");
const ROOMS: Expected = list(
    "a list of rooms",
    "write it like `[\"ops\"]`, with names from `[rooms]` or room ids",
);
const ROOM: Expected = text(
    "a room's id",
    "write it in quotes, or `{ id_file = \"/run/secrets/webex/room\" }`",
);
const RULES: Expected = list(
    "a list of rules",
    "write `[[links.rewrite]]`, and `from` and `to` below",
);
const RULE: Expected = table("write `[[links.rewrite]]`, and `from` and `to` below");
const ROOM_FROM: Expected =
    table("write it like `{ annotation = \"webex_room\", allow = [\"ops\"] }`");
const ALLOWED: Expected = list(
    "a list of rooms",
    "write it like `[\"ops\", \"dev-*\"]`, with names from `[rooms]`",
);
const OTHERWISE: Expected = text(
    "what becomes of an alert without a room",
    "write `\"own_rooms\"` or `\"refuse\"`",
);
const NAMESPACES: Expected = list(
    "a list of namespaces",
    "write it like `[\"team-a\", \"team-a-*\"]`",
);
const SEVERITIES: Expected = list("a list of severities", "write it like `[\"critical\"]`");
const PEOPLE: Expected = list(
    "a list of e-mail addresses",
    "write it like `[\"oncall@example.org\"]`",
);
const HOSTS: Expected = list(
    "a list of hosts",
    "write it like `[\"sandbox.example.org\", \".internal\"]`",
);
const MENTION: Expected =
    table("write it like `{ severity = [\"critical\"], people = [\"oncall@example.org\"] }`");
const SETTINGS: Expected =
    table("write it like `{ runbooks = \"https://runbooks.example.org\" }`, with keys of your own");
const SWITCH: Expected = Expected {
    shape: Shape::Switch,
    what: "`true` or `false`",
    hint: "write it without quotes",
};
const TABLE: Expected = table("write the name in brackets, as in `[server]`, and its keys below");
const BOT: Expected = table("write `[bots.NAME]`, and its keys below");
const WEBHOOK: Expected = table("write `[webhooks.NAME]`, and its keys below");
const WEBHOOKS: Expected = list(
    "a list of webhooks",
    "write it like `[\"alerts\"]`, with names of `[webhooks.NAME]`",
);
const RECEIVER: Expected = table("write `[receivers.NAME]`, and its keys below");

const fn text(what: &'static str, hint: &'static str) -> Expected {
    Expected {
        shape: Shape::Text,
        what,
        hint,
    }
}

const fn list(what: &'static str, hint: &'static str) -> Expected {
    Expected {
        shape: Shape::List,
        what,
        hint,
    }
}

const fn table(hint: &'static str) -> Expected {
    Expected {
        shape: Shape::Table,
        what: "a table",
        hint,
    }
}

/// What the key at this path takes.
pub(super) fn expected(path: &[String]) -> Expected {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["server", "listen" | "admin_listen"] => ADDRESS,
        ["server", "tls"] => TLS,
        ["server", "body_limit"] | ["delivery", "max_waiting_bytes"] => SIZE,
        [
            "server",
            "shutdown_delay" | "shutdown_grace" | "head_timeout" | "body_timeout",
        ]
        | [
            "delivery",
            "answer_within" | "give_up_after" | "duplicate_window" | "digest_after",
        ]
        | ["webex", "request_timeout"] => DURATION,
        ["server", "workers" | "max_connections"]
        | ["delivery", "max_waiting"]
        | [
            "bots",
            _,
            "messages_per_minute" | "burst" | "room_messages_per_minute",
        ]
        | ["webhooks", _, "messages_per_minute" | "burst"]
        | ["receivers", _, "max_messages_per_minute"] => COUNT,
        ["webex", "no_proxy"] => HOSTS,
        ["receivers", _, "rooms"] => ROOMS,
        ["receivers", _, "webhooks"] => WEBHOOKS,
        ["receivers", _, "room_from"] => ROOM_FROM,
        ["receivers", _, "room_from", "allow"] => ALLOWED,
        ["receivers", _, "room_from", "otherwise"] => OTHERWISE,
        ["receivers", _, "namespaces"] => NAMESPACES,
        ["receivers", _, "conversation"] => CONVERSATION,
        ["receivers", _, "basic_auth"] => LOGINS,
        ["receivers", _, "basic_auth", _] => LOGIN,
        ["receivers", _, "client_subjects"] => SUBJECTS,
        ["server", "open"]
        | ["webex", "allow_http"]
        | ["receivers", _, "dry_run" | "reply_on_resolve"]
        | ["receivers", _, "mention", "everyone"] => SWITCH,
        ["receivers", _, "mention"] => MENTION,
        ["receivers", _, "mention", "severity"] => SEVERITIES,
        ["receivers", _, "people"] | ["receivers", _, "mention", "people"] => PEOPLE,
        ["receivers", _, "settings"] => SETTINGS,
        ["templates", "timezone"] => ZONE,
        ["links", "rewrite"] => RULES,
        ["links", "rewrite", _] => RULE,
        ["log", "format"] => FORMAT,
        ["bots", _] => BOT,
        ["rooms", _] => ROOM,
        ["webhooks", _] => WEBHOOK,
        ["receivers", _] => RECEIVER,
        [_] => TABLE,
        _ => ANY_TEXT,
    }
}

impl Expected {
    /// What is wrong with a value of this kind. A variable holds nothing but text, so its
    /// kind says nothing.
    pub(super) fn misfit(&self, found: Option<&ValueKind>, in_variable: bool) -> String {
        let what = self.what;
        match found.and_then(shape_of) {
            Some((shape, kind)) if shape != self.shape && !in_variable => {
                format!("this is {kind}, not {what}")
            }
            _ => format!("this is not {what}"),
        }
    }

    /// What to write instead. What stands in a variable has no quotes.
    pub(super) fn hint(&self, in_variable: bool) -> String {
        if in_variable {
            self.hint.replace("`\"", "`").replace("\"`", "`")
        } else {
            self.hint.to_owned()
        }
    }
}

fn shape_of(kind: &ValueKind) -> Option<(Shape, &'static str)> {
    Some(match kind {
        ValueKind::Nil => return None,
        ValueKind::Boolean(_) => (Shape::Switch, "`true` or `false`"),
        ValueKind::I64(_)
        | ValueKind::I128(_)
        | ValueKind::U64(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_) => (Shape::Number, "a number"),
        ValueKind::String(_) => (Shape::Text, "text"),
        ValueKind::Table(_) => (Shape::Table, "a table"),
        ValueKind::Array(_) => (Shape::List, "a list"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::config::settings::{Bot, Receiver, Settings, Webhook};

    /// The shape of the default agrees with what is told to who wrote something else.
    fn agrees(path: &[&str], default: &Value) {
        let keys: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        let wanted = expected(&keys).shape;
        let fits = match default {
            // Optional keys, which are null, are paths, names and ceilings.
            Value::Null => matches!(wanted, Shape::Text | Shape::Number),
            Value::String(_) => wanted == Shape::Text,
            Value::Bool(_) => wanted == Shape::Switch,
            Value::Number(_) => wanted == Shape::Number,
            Value::Array(_) => wanted == Shape::List,
            Value::Object(_) => wanted == Shape::Table,
        };
        assert!(fits, "{path:?} is by default {default}");
        if let Value::Object(table) = default {
            for (key, value) in table {
                agrees(&[path, &[key.as_str()]].concat(), value);
            }
        }
    }

    #[test]
    fn each_key_says_what_it_takes() {
        let Value::Object(settings) = serde_json::to_value(Settings::default()).unwrap() else {
            panic!("settings are a table");
        };
        for (section, value) in &settings {
            agrees(&[section], value);
        }
        agrees(
            &["bots", "ops"],
            &serde_json::to_value(Bot::default()).unwrap(),
        );
        agrees(
            &["webhooks", "ops"],
            &serde_json::to_value(Webhook::default()).unwrap(),
        );
        agrees(
            &["receivers", "ops"],
            &serde_json::to_value(Receiver::default()).unwrap(),
        );
    }

    #[test]
    fn what_is_text_by_default_but_has_a_form_of_its_own_is_told_so() {
        let defaults = serde_json::to_value(Settings::default()).unwrap();
        let duration =
            |text: &str| text.ends_with(['s', 'm']) && text.starts_with(char::is_numeric);
        for (section, keys) in defaults.as_object().unwrap() {
            for (key, value) in keys.as_object().unwrap() {
                let path = [section.clone(), key.clone()];
                if value.as_str().is_some_and(duration) {
                    assert_eq!(expected(&path).what, DURATION.what, "{path:?}");
                }
            }
        }
    }

    #[test]
    fn the_value_itself_is_not_repeated() {
        let secret = ValueKind::String("s3cret".to_owned());
        let path = ["server", "workers"].map(str::to_owned);
        assert_eq!(
            expected(&path).misfit(Some(&secret), false),
            "this is text, not a whole number from 1 to 4294967295"
        );
    }
}
