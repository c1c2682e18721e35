//! What the author of a configuration is told, and what wins over what.

mod secrets;
mod values;
mod variables;

use std::collections::BTreeMap;

use alertmanager_webex::config::{ConfigError, Place, Sources};
use alertmanager_webex::prepared::{Prepared, prepare};

const ROOM: &str = "Y2lzY29zcGFyazovL3VzL1JPT00vNmZlMmE4YzAtM2IxZC0xMWVmLTlmNmEtNWQwYzdlMWIyYTM0";

/// As long as a token of Webex, in case short words are treated otherwise than long ones.
const SECRET: &str = "SECRET-0123456789-SECRET-0123456789-SECRET_0123_SECRET_0123456789_consumer";

fn read(file: Option<&str>, variables: &[(&str, &str)]) -> Result<Prepared, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
    }
    let environment: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let sources = Sources {
        file: file.map(|_| path.clone()),
        environment,
    };
    let folder = format!("{}/", folder.path().display());
    prepare(&sources).map_err(|error: ConfigError| error.to_string().replace(&folder, ""))
}

/// The errors of a configuration that is refused.
fn refused(file: &str, variables: &[(&str, &str)]) -> String {
    match read(Some(file), variables) {
        Ok(_) => panic!("this was accepted:\n{file}"),
        Err(told) => told,
    }
}

/// A file that is accepted, with a section more.
fn sound_with(section: &str) -> String {
    format!(
        "[bots.default]\ntoken_file = \"/run/token\"\n\
         [receivers.default]\nrooms = [\"{ROOM}\"]\n{section}\n"
    )
}

fn accepted(file: &str, variables: &[(&str, &str)]) -> Prepared {
    read(Some(file), variables).unwrap_or_else(|told| panic!("{told}"))
}

/// The warnings of a configuration that is accepted.
fn warned(file: &str, variables: &[(&str, &str)]) -> String {
    let warnings = accepted(file, variables).config.warnings;
    let told: Vec<String> = warnings
        .into_iter()
        .map(|mut warning| {
            if let Place::File(path, _) = &mut warning.place {
                *path = path.file_name().unwrap().into();
            }
            warning.to_string()
        })
        .collect();
    told.join("\n")
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_the_order_of_the_file() {
    let file = r#"
colour = "red"
token_file = "/run/token"

[server]
listen = "localhost"
lisen = "0.0.0.0:9091"
workers = 0
body_limit = "4 apples"
shutdown_grace = 40

[delivery]
answer_within = "soon"
give_up_after = "0s"
duplicate_window = ["3m"]
max_waiting = -1

[webex]
base_url = "webexapis.com/v1"
request_timeout = true
ca_file = ""

[template]
directory = "/etc/templates"

[templates]
timezone = "Europe/Berli"

[links]
rewrites = []

[[links.rewrite]]
from = "http://prometheus:9090/"
to = "https://prometheus.example.org"

[[links.rewrite]]
from = "http://prometheus:9090"
to = "https://elsewhere.example.org?x"

[[links.rewrite]]
from = "https://prometheus.example.org"
form = "typo"
to = "prometheus.example.org"

[[links.rewrite]]
to = 5

[bots.ops]
token_file = "/run/token"
token_env = "OPS_TOKEN"

[bots.team]
token_files = "/run/token"
messages_per_minute = 0
burst = -5

[bots.other]
token_env = "OTHER_TOKEN"

[bots]
fourth = "/run/token"

[rooms]
ops = "our room"
again = "Y2lzY29zcGFyazovL3VzL1JPT00vNmZlMmE4YzAtM2IxZC0xMWVmLTlmNmEtNWQwYzdlMWIyYTM0"

[receivers.ops]
rooms = [
  "op",
  "again",
  "Y2lzY29zcGFyazovL3VzL1JPT00vNmZlMmE4YzAtM2IxZC0xMWVmLTlmNmEtNWQwYzdlMWIyYTM0",
]
template = "defaults"

[receivers."a b"]
bot = "oops"
rooms = "ops"
dry_run = "perhaps"

[receivers.empty]
bot = "team"
templates = "default"
rooms = []
settings = "none"

[receivers.mentions]
bot = "other"
rooms = ["ops"]
mention = { severity = "critical", people = ["oncall@example.org", "on call"], peoples = [], everyone = "no" }
settings = { any = { thing = [1, "two", 3.5, true, 2026-03-04] } }

[receivers.nobody]
bot = "other"
rooms = ["ops"]
mention = { severity = ["critical"] }

[receivers.whenever]
bot = "other"
rooms = ["ops"]
mention = { everyone = true }

[receivers."team-a/main/webex"]
bot = "nobody"
rooms = ["elsewhere"]

[log]
format = "xml"
level = "loud"
"#;
    let told = refused(
        file,
        &[
            ("ALERTMANAGER_WEBEX__BOTS__OPS__TOKEN_FILE", "/run/token"),
            ("ALERTMANAGER_WEBEX__ROOMS__OPS", ROOM),
            ("ALERTMANAGER_WEBEX__RECEIVERS__OPS__ROOMS", "ops"),
            ("ALERTMANAGER_WEBEX__SERVER__LISTN", "0.0.0.0:9091"),
            ("ALERTMANAGER_WEBEX__SERVER__WORKERS", "many"),
            ("ALERTMANAGER_WEBEX__LISTEN", "9091"),
        ],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn every_line_that_is_not_toml_is_told_at_once() {
    let file = r#"
[server
listen = 0.0.0.0:9091
[bots.default]
token_env = "WEBEX_TOKEN
token_file = '/run/token
burst = 1 per minute
burst = 2
= 3
just a word
"#;
    insta::assert_snapshot!(refused(file, &[]), @r#"
    error: this is not TOML: unclosed table, expected `]`
      --> config.toml:2
      hint: a line is `[section]`, `key = value` or `# comment`
    error: this is not TOML: invalid basic string, expected `"`
      --> config.toml:5
      hint: text stands in quotes, as in `listen = "0.0.0.0:9091"`
    error: this is not TOML: invalid literal string, expected `'`
      --> config.toml:6
      hint: text stands in quotes, as in `listen = "0.0.0.0:9091"`
    error: this is not TOML: string values must be quoted, expected literal string
      --> config.toml:7
      hint: text stands in quotes, as in `listen = "0.0.0.0:9091"`
    error: this is not TOML: duplicate key
      --> config.toml:8
      hint: this name was given already; keep one of the two
    error: this is not TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
      --> config.toml:9
      hint: a line is `[section]`, `key = value` or `# comment`
    error: this is not TOML: key with no value, expected `=`
      --> config.toml:10
      hint: a line is `[section]`, `key = value` or `# comment`
    "#);
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_remedy() {
    let sources = Sources {
        file: Some("/nowhere/config.toml".into()),
        environment: BTreeMap::new(),
    };
    let error = prepare(&sources).unwrap_err();
    insta::assert_snapshot!(error, @"
    cannot read the configuration /nowhere/config.toml: No such file or directory (os error 2)
      hint: name an existing file with `--config`, readable for the user that runs this
    ");
}
