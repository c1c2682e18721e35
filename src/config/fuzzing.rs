//! Whatever stands in a configuration: it is refused with remedies, or it can be run, and no
//! secret is told. See `crate::fuzzing`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::files::Seen;
use super::layers::{Sources, read_text};
use super::problem::{ConfigError, Problem};
use super::resolve::{Config, Draft};
use crate::secrets::could_be_a_secret;

/// What stands in an input for a token that somebody wrote into the file.
const HERE: &str = "T0KEN";
const WRITTEN: &str = "d3JpdHRlbkluVGhlRmlsZVdoZXJlSXRTaG91bGROb3RTdGFuZA_PF84_1eb65fdf";

/// A token where it belongs.
const IN_ENVIRONMENT: &str = "ZDI4NmQ4ZTItNzM2aW5UaGVFbnZpcm9ubWVudA_PF84_9643417f9974ad72";

/// So much of a secret is told of none.
const TOLD: usize = 12;

/// Takes the text of the file.
pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // A part of a token alone, which the fuzzer reads out of this program, is none.
    let parts = [WRITTEN, IN_ENVIRONMENT].map(|token| &token[..TOLD]);
    if parts.iter().any(|part| text.contains(part)) {
        return;
    }
    let text = text.replace(HERE, WRITTEN);
    let token = ("WEBEX_TOKEN".to_owned(), IN_ENVIRONMENT.to_owned());
    let sources = Sources {
        file: Some(PathBuf::from("config.toml")),
        environment: BTreeMap::from([token]),
    };
    let (told, problems) = match read(&sources, &text) {
        Ok(config) => {
            assert!(config.routes.iter().next().is_some());
            assert!(!format!("{config:?}").contains(&IN_ENVIRONMENT[..TOLD]));
            let problems = [config.warnings, config.absent].concat();
            (ConfigError::Invalid(problems.clone()).to_string(), problems)
        }
        Err(error) => {
            let told = error.to_string();
            match error {
                ConfigError::Invalid(problems) => {
                    assert!(!problems.is_empty());
                    (told, problems)
                }
                ConfigError::Unreadable { .. } => panic!("it is no file: {told}"),
            }
        }
    };
    assert!(!told.contains(&IN_ENVIRONMENT[..TOLD]), "{told}");
    if !may_be_told(&text) {
        assert!(!told.contains(&WRITTEN[..TOLD]), "{told}");
    }
    problems.iter().for_each(has_a_remedy);
}

fn read(sources: &Sources, text: &str) -> Result<Config, ConfigError> {
    let layers = read_text(sources, text)?;
    Draft::of(sources, layers, Seen::default()).finish(Some(&["default".to_owned()]))
}

fn has_a_remedy(problem: &Problem) {
    let texts = [&problem.key, &problem.message, &problem.hint];
    for text in texts {
        assert!(!text.contains(char::is_control), "{problem}");
    }
    assert!(!problem.message.is_empty(), "{problem}");
    assert!(!problem.hint.is_empty(), "{problem}");
}

/// Whether the token stands where nobody would look for one: in a key, or in what is rather the
/// name of a file. What is no TOML is not told at all.
fn may_be_told(text: &str) -> bool {
    let table: Result<toml::Table, _> = text.parse();
    table.is_ok_and(|table| in_table(&table))
}

fn in_table(table: &toml::Table) -> bool {
    let mut entries = table.iter();
    entries.any(|(key, value)| key.contains(&WRITTEN[..TOLD]) || in_value(value))
}

fn in_value(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text.contains(&WRITTEN[..TOLD]) && !could_be_a_secret(text),
        toml::Value::Array(list) => list.iter().any(in_value),
        toml::Value::Table(table) => in_table(table),
        _ => false,
    }
}
