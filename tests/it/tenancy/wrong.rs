//! What is wrong with the keys of tenancy, told with place and remedy.

use std::collections::BTreeMap;

use alertmanager_webex::config::Sources;
use alertmanager_webex::prepared::prepare;

/// What `check` says of a file with these receivers: errors, else warnings.
fn told(receivers: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let toml = format!(
        "[bots.default]\ntoken_env = \"TOKEN\"\n\
         [rooms]\nops = \"Y2lzY29zcGFyazovL3VzL1JPT00vb3Bz\"\n\
         dev-a = \"Y2lzY29zcGFyazovL3VzL1JPT00vZGV2LWE\"\n{receivers}"
    );
    std::fs::write(&file, toml).unwrap();
    let sources = Sources {
        file: Some(file.clone()),
        environment: BTreeMap::from([("TOKEN".to_owned(), "t".to_owned())]),
    };
    let told = match prepare(&sources) {
        Err(error) => error.to_string(),
        Ok(prepared) => {
            let warnings = prepared.config.warnings.iter();
            let told: Vec<String> = warnings.map(ToString::to_string).collect();
            told.join("\n")
        }
    };
    told.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_person_who_cannot_be_written_to() {
    insta::assert_snapshot!(told(
        "[receivers.default]
people = [
  \"on call\",
  \"oncall@example.org\",
  \"OnCall@example.org\",
]"
    ));
}

#[test]
fn namespaces_that_mean_something_else_than_they_seem() {
    insta::assert_snapshot!(told(
        "[receivers.default]
rooms = [\"ops\"]
namespaces = [
  \"team-*-dev\",
  \"\",
  \"team a\",
]"
    ));
    insta::assert_snapshot!(told(
        "[receivers.default]
rooms = [\"ops\"]
namespaces = [
  \"Team_A\",
  \"team*\",
  \"team-a\",
]
[receivers.\"team-c/main/webex\"]
rooms = [\"ops\"]
namespaces = [\"team-b\", \"team-b-*\"]
[receivers.\"team-b/main/webex\"]
rooms = [\"ops\"]
namespaces = [\"team-b\", \"team-b-*\"]"
    ));
}

#[test]
fn rooms_by_need_that_cannot_work() {
    insta::assert_snapshot!(told(
        "[receivers.nowhere]
rooms = [\"ops\"]
room_from = { allow = [\"ops\"] }
[receivers.everywhere]
rooms = [\"ops\"]
room_from = { label = \"room\", query = \"room\", allow = [\"ops\"] }
[receivers.nothing]
rooms = [\"ops\"]
room_from = { label = \"a b\" }
[receivers.strange]
rooms = [\"ops\"]
[receivers.strange.room_from]
annotations = \"room\"
query = 3
otherwise = \"perhaps\"
allow = [
  \"opps\",
  \"Y2lzY29zcGFyazovL3VzL1JPT00vZGV2LWE\",
  \"d*v\",
]
[receivers.empty]
room_from = { query = \"room\", allow = [\"ops\"] }"
    ));
    insta::assert_snapshot!(told(
        "[receivers.default]
rooms = [\"ops\"]
room_from = { query = \"room\", allow = [\"dev-*\", \"prod-*\"], otherwise = \"refuse\" }
[receivers.sound]
room_from = { query = \"room\", allow = [\"*\"], otherwise = \"refuse\" }"
    ));
}
