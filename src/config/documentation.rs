//! `docs/configuration.md` tells the truth; `tools/docs` judges what other pages show.

use std::collections::BTreeMap;

use serde_json::Value;

use super::settings::{Bot, Receiver, Settings, Webhook};
use super::{Config, ConfigError, Draft, Sources};

const PAGE: &str = include_str!("../../docs/configuration.md");

fn read(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    let sources = Sources {
        file: Some(file),
        environment: BTreeMap::from([("WEBEX_TOKEN".to_owned(), "t".to_owned())]),
    };
    Draft::read(&sources)?.finish(Some(&["default".to_owned()]))
}

/// The blocks of a language in a page.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

#[test]
fn the_file_that_is_shown_as_sound_is_accepted() {
    let text = blocks(PAGE, "toml")[0];
    read(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
}

#[test]
fn the_errors_that_are_shown_are_those_of_the_file_that_is_shown() {
    let Err(ConfigError::Invalid(problems)) = read(blocks(PAGE, "toml").last().unwrap()) else {
        panic!("the page shows a broken file")
    };
    let told: String = problems
        .iter()
        .map(|problem| {
            let path = match &problem.place {
                super::Place::File(path, _) => format!("{}/", path.parent().unwrap().display()),
                _ => String::from("nowhere"),
            };
            problem.to_string().replace(&path, "") + "\n"
        })
        .collect();
    let count = problems.len();
    assert_eq!(
        *blocks(PAGE, "text").last().unwrap(),
        format!("{told}the configuration has {count} errors\n")
    );
}

#[test]
fn every_key_stands_in_a_table_with_its_default() {
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    let mut sections: Vec<(String, Value)> =
        ["server", "delivery", "webex", "templates", "links", "log"]
            .iter()
            .map(|section| ((*section).to_owned(), defaults[section].clone()))
            .collect();
    sections.push((
        "bots.NAME".into(),
        serde_json::to_value(Bot::default()).unwrap(),
    ));
    let webhook = serde_json::to_value(Webhook::default()).unwrap();
    sections.push(("webhooks.NAME".into(), webhook));
    let receiver = serde_json::to_value(Receiver::default()).unwrap();
    sections.push(("receivers.NAME".into(), receiver));
    let tls = defaults["server"]["tls"].clone();
    sections.push(("server.tls".into(), tls));
    for (section, keys) in sections {
        let (_, table) = PAGE.split_once(&format!("### `[{section}]`\n")).unwrap();
        let table = table.split("\n#").next().unwrap_or_default();
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let keys = keys.as_object().unwrap();
        assert_eq!(rows.count(), keys.len(), "{section}");
        for (key, default) in keys {
            let default = match default {
                // A table that is left out says nothing.
                Value::Null | Value::Object(_) => "none".to_owned(),
                // `bytesize` writes `4.0 MiB` for what a person writes as `4MiB`.
                Value::String(text) => format!("`{}`", text.replace(".0 ", "")),
                other => format!("`{other}`"),
            };
            let row = format!("| `{key}` | {default} |");
            assert!(table.contains(&row), "`{section}` lacks {row}");
        }
    }
}
