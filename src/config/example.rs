//! `config.example.toml` tells the truth: all keys, no other, with their defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::settings::{BasicAuth, Bot, Mention, Receiver, Rewrite, RoomFrom, Settings, Webhook};
use super::{Draft, Sources};

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// The example with every optional key written out: a comment with one `#` and a key, or the
/// header of a table or of a list's item.
pub(super) fn with_optional_keys() -> String {
    let uncommented = EXAMPLE.lines().map(|line| {
        line.strip_prefix("# ")
            .filter(|rest| {
                let key = rest.split(" = ").next().unwrap_or_default();
                rest.starts_with("[[")
                    || rest.starts_with('[') && rest.ends_with(']')
                    || rest.contains(" = ")
                        && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            })
            .unwrap_or(line)
    });
    uncommented.collect::<Vec<_>>().join("\n")
}

fn keys(table: &Value) -> BTreeSet<String> {
    table.as_object().unwrap().keys().cloned().collect()
}

fn settings(text: &str) -> Settings {
    toml::from_str(text).unwrap()
}

#[test]
fn what_it_writes_out_is_the_default() {
    let example = settings(EXAMPLE);
    let defaults = Settings::default();
    assert_eq!(example.server, defaults.server);
    assert_eq!(example.delivery, defaults.delivery);
    assert_eq!(example.webex, defaults.webex);
    assert_eq!(example.templates, defaults.templates);
    assert_eq!(example.links, defaults.links);
    assert_eq!(example.log, defaults.log);
    let bot = Bot {
        token_file: None,
        ..example.bots["default"].clone()
    };
    assert_eq!(bot, Bot::default());
    let receiver = Receiver {
        bot: None,
        rooms: Vec::new(),
        ..example.receivers["default"].clone()
    };
    assert_eq!(receiver, Receiver::default());
}

#[test]
fn it_names_every_key_and_no_other() {
    let example: Value = toml::from_str(&with_optional_keys()).unwrap();
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    assert_eq!(keys(&example), keys(&defaults));
    for section in ["server", "delivery", "webex", "templates", "links", "log"] {
        assert_eq!(
            keys(&example[section]),
            keys(&defaults[section]),
            "{section}"
        );
    }
    let bot = serde_json::to_value(Bot::default()).unwrap();
    assert_eq!(keys(&example["bots"]["default"]), keys(&bot));
    let webhook = serde_json::to_value(Webhook::default()).unwrap();
    assert_eq!(keys(&example["webhooks"]["alerts"]), keys(&webhook));
    let receiver = serde_json::to_value(Receiver::default()).unwrap();
    assert_eq!(keys(&example["receivers"]["default"]), keys(&receiver));
    let mention = serde_json::to_value(Mention::default()).unwrap();
    assert_eq!(
        keys(&example["receivers"]["default"]["mention"]),
        keys(&mention)
    );
    let login = serde_json::to_value(BasicAuth::default()).unwrap();
    assert_eq!(
        keys(&example["receivers"]["default"]["basic_auth"][0]),
        keys(&login)
    );
    assert_eq!(
        keys(&example["server"]["tls"]),
        keys(&defaults["server"]["tls"])
    );
    let mut room_from = keys(&example["receivers"]["default"]["room_from"]);
    // Of the three places of a room's name, one can be written.
    room_from.extend(["label", "query"].map(str::to_owned));
    let all = serde_json::to_value(RoomFrom::default()).unwrap();
    assert_eq!(room_from, keys(&all));
    let rewrite = serde_json::to_value(Rewrite::default()).unwrap();
    assert_eq!(keys(&example["links"]["rewrite"][0]), keys(&rewrite));
}

#[test]
fn each_key_is_explained() {
    let text = with_optional_keys();
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let is_room = line.starts_with("ops = ");
        let is_second_of_two = line.starts_with("token_env = ") || line.starts_with("url_env = ");
        if line.contains(" = ") && !line.starts_with('#') && !is_room && !is_second_of_two {
            assert!(lines[number - 1].starts_with("# "), "{line}");
        }
    }
}

#[test]
fn it_is_accepted_without_a_warning_also_with_every_optional_key() {
    let folder = tempfile::tempdir().unwrap();
    // A bot has a token or is a service app, and the folder of templates must be there.
    let all = with_optional_keys()
        .replace("\ntoken_env = ", "\n# token_env = ")
        .replace("\nclient_id = ", "\n# client_id = ")
        .replace("\nclient_secret_file = ", "\n# client_secret_file = ")
        .replace("\nrefresh_token_file = ", "\n# refresh_token_file = ")
        .replace("\nurl_env = ", "\n# url_env = ")
        .replace(
            "/etc/alertmanager-webex/templates",
            folder.path().to_str().unwrap(),
        );
    for text in [EXAMPLE, &all] {
        let file: PathBuf = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        let sources = Sources {
            file: Some(file),
            environment: BTreeMap::new(),
        };
        let draft = Draft::read(&sources).unwrap();
        let config = draft.finish(Some(&["default".to_owned()])).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    }
}
