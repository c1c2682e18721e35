//! What the author of a configuration is told, and what wins over what.

use std::collections::BTreeMap;

use alertmanager_webex::config::{ConfigError, Place, Sources};
use alertmanager_webex::prepared::{Prepared, prepare};
use alertmanager_webex::routing::Conversation;

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
fn a_secret_in_the_wrong_place_is_shown_nowhere() {
    let values = [
        ("server", "listen"),
        ("server", "body_limit"),
        ("server", "workers"),
        ("server", "shutdown_grace"),
        ("server", "no_such_key"),
        ("delivery", "answer_within"),
        ("delivery", "max_waiting"),
        ("webex", "base_url"),
        ("webex", "ca_file"),
        ("webex", "request_timeout"),
        ("bots.default", "token"),
        ("bots.default", "token_env"),
        ("bots.default", "burst"),
        ("bots", "another"),
        ("receivers.default", "bot"),
        ("receivers.default", "template"),
        ("receivers.default", "rooms"),
        ("receivers.default", "dry_run"),
        ("receivers.default", "bearer_token_file"),
        ("receivers.default", "basic_auth"),
        ("receivers.default", "client_subjects"),
        ("server", "admin_listen"),
        ("server", "admin_bearer_token_file"),
        ("server", "open"),
        ("server", "max_connections"),
        ("server", "head_timeout"),
        ("server", "tls"),
        ("server.tls", "cert_file"),
        ("receivers", "another"),
        ("receivers.default", "mention"),
        ("receivers.default.mention", "severity"),
        ("receivers.default.mention", "people"),
        ("receivers.default.mention", "everyone"),
        ("templates", "timezone"),
        ("links", "rewrite"),
        ("log", "format"),
        ("log", "level"),
    ];
    for (section, key) in values {
        for value in [
            format!("\"{SECRET}\""),
            SECRET.to_owned(),
            format!("\"{SECRET}"),
            format!("'{SECRET}"),
            format!("\"\"\"{SECRET}"),
            format!("\"a\" {SECRET}"),
            format!("[\"{SECRET}\""),
            format!("[{{ token = \"{SECRET}\" }}]"),
            format!("{{ token = \"{SECRET}\" }}"),
        ] {
            let told = refused(&format!("[{section}]\n{key} = {value}\n"), &[]);
            assert!(
                !told.contains("SECRET"),
                "{section}.{key} = {value}\n{told}"
            );
            assert!(told.contains("--> config.toml:"), "{section}.{key}\n{told}");
        }
    }
    for file in [
        format!("{SECRET}\n"),
        format!("[bots.default]\ntoken_file\n{SECRET}\n"),
        format!("[bots.default]\ntoken_file = \"{SECRET}\"\n"),
        format!("[bots.default\n{SECRET} = 1\n"),
    ] {
        let told = refused(&file, &[]);
        assert!(!told.contains("SECRET"), "{file}\n{told}");
    }
}

#[test]
fn a_secret_in_the_wrong_variable_is_shown_nowhere() {
    for variable in [
        "WEBEX_ROOM",
        "ALERTMANAGER_WEBEX__WEBEX__BASE_URL",
        "ALERTMANAGER_WEBEX__SERVER__LISTEN",
        "ALERTMANAGER_WEBEX__LOG__FORMAT",
        "ALERTMANAGER_WEBEX__LOG__LEVEL",
        "ALERTMANAGER_WEBEX__TOKEN",
        "ALERTMANAGER_WEBEX__BOTS__DEFAULT__TOKEN_ENV",
        "ALERTMANAGER_WEBEX__BOTS",
        "ALERTMANAGER_WEBEX__WEBEX",
    ] {
        match read(None, &[(variable, SECRET)]) {
            Ok(_) => panic!("{variable} alone was accepted"),
            Err(told) => assert!(!told.contains("SECRET"), "{variable}\n{told}"),
        }
    }
}

#[test]
fn token_and_room_alone_suffice() {
    let prepared = read(None, &[("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", ROOM)]).unwrap();
    let config = prepared.config;
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.server.listen.port(), 9091);
    assert_eq!(config.webex.base_url.as_str(), "https://webexapis.com/v1");
    let receiver = config.routes.find("").expect("`POST /alertmanager`");
    assert_eq!(receiver.destinations[0].id().as_ref(), ROOM);
    assert_eq!(&*receiver.destinations[0].bot, "default");
}

#[test]
fn without_file_and_variables_the_remedy_is_both() {
    insta::assert_snapshot!(read(None, &[]).unwrap_err(), @"
    error: `bots`: there is no bot, so nothing can be posted
      hint: set WEBEX_TOKEN, or write `[bots.default]` with a `token_file`
    error: `receivers`: there is no receiver, so nobody can be told
      hint: set WEBEX_ROOM, or write `[receivers.default]` with `rooms`
    ");
}

#[test]
fn what_a_variable_alone_gets_wrong_is_told_of_the_variable() {
    for (room, expected) in [
        (
            "ops",
            "error: `receivers.default.rooms`: no room is named `ops`\n  \
             --> environment variable WEBEX_ROOM\n  \
             hint: write its id, or give it a name in `[rooms]`",
        ),
        (
            "",
            "error: `receivers.default.rooms`: this is empty\n  \
             --> environment variable WEBEX_ROOM\n  \
             hint: write a room's name or its id",
        ),
    ] {
        let told = read(None, &[("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", room)]).unwrap_err();
        assert_eq!(told, expected);
    }
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let file = sound_with("[server]\nlisten = \"127.0.0.1:1111\"\nworkers = 3");
    let variables = [("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:2222")];
    let server = accepted(&file, &variables).config.server;
    assert_eq!(server.listen.port(), 2222);
    assert_eq!(server.workers.get(), 3);
    assert_eq!(server.body_limit.as_u64(), 4 << 20);
}

#[test]
fn a_variable_sets_every_kind_of_value() {
    let variables = [
        ("ALERTMANAGER_WEBEX__SERVER__WORKERS", "5"),
        ("ALERTMANAGER_WEBEX__SERVER__BODY_LIMIT", "1MiB"),
        ("ALERTMANAGER_WEBEX__DELIVERY__ANSWER_WITHIN", "300ms"),
        ("ALERTMANAGER_WEBEX__DELIVERY__MAX_WAITING", "7"),
        (
            "ALERTMANAGER_WEBEX__WEBEX__BASE_URL",
            "http://[::1]:9095/v1/",
        ),
        ("ALERTMANAGER_WEBEX__LOG__FORMAT", "json"),
        ("ALERTMANAGER_WEBEX__TEMPLATES__TIMEZONE", "Europe/Berlin"),
        (
            "ALERTMANAGER_WEBEX__LOG__LEVEL",
            "warn,alertmanager_webex=debug",
        ),
    ];
    let config = accepted(&sound_with(""), &variables).config;
    assert_eq!(config.server.workers.get(), 5);
    assert_eq!(config.server.body_limit.as_u64(), 1 << 20);
    assert_eq!(config.delivery.answer_within.as_millis(), 300);
    assert_eq!(config.delivery.max_waiting, 7);
    assert_eq!(config.webex.base_url.as_str(), "http://[::1]:9095/v1");
    assert_eq!(config.log.level, "warn,alertmanager_webex=debug");
}

#[test]
fn what_kubernetes_sets_for_a_service_of_our_name_is_not_ours() {
    let variables = [
        ("ALERTMANAGER_WEBEX_SERVICE_HOST", "10.0.0.1"),
        ("ALERTMANAGER_WEBEX_PORT_9091_TCP", "tcp://10.0.0.1:9091"),
    ];
    let config = accepted(&sound_with(""), &variables).config;
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_variable_that_the_file_makes_useless_is_a_warning() {
    let variables = [("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", "x")];
    insta::assert_snapshot!(warned(&sound_with(""), &variables), @"
    warning: this has no effect, because the file has `receivers` of its own
      --> environment variable WEBEX_ROOM
      hint: unset it, or remove those from the file
    warning: this has no effect, because the file has `bots` of its own
      --> environment variable WEBEX_TOKEN
      hint: unset it, or remove those from the file
    ");
}

#[test]
fn a_file_may_leave_token_or_room_to_the_variables() {
    let bot = "[bots.team]\ntoken_env = \"WEBEX_TOKEN\"\n";
    let variables = [("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", ROOM)];
    let config = accepted(bot, &variables).config;
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let receiver = config.routes.find("default").unwrap();
    assert_eq!(&*receiver.destinations[0].bot, "team");
}

#[test]
fn times_that_work_hardly_as_meant_are_warnings() {
    let file = sound_with(
        "[delivery]\nanswer_within = \"20s\"\n\
         [server]\nshutdown_grace = \"5s\"",
    );
    insta::assert_snapshot!(warned(&file, &[]), @"
    warning: `delivery.answer_within`: Alertmanager hangs up after its group_interval, which may be 10 s, and sends again at once
      --> config.toml:6
      hint: stay below 10s, unless every group_interval is longer
    warning: `server.shutdown_grace`: this is shorter than `webex.request_timeout`, so a post that is under way may be cut off at shutdown and arrive twice
      --> config.toml:8
      hint: make it longer than `webex.request_timeout`
    ");
}

#[test]
fn values_that_would_break_later_are_refused_at_start() {
    for (section, expected) in [
        (
            "[delivery]\nmax_waiting = 0",
            "every notification would be turned away",
        ),
        (
            "[delivery]\ngive_up_after = \"5000000h\"",
            "longer than 30 days",
        ),
        ("[server]\nworkers = 4000000000", "more threads than 512"),
        ("[server]\nbody_limit = \"0B\"", "no body would be read"),
        (
            "[webex]\nbase_url = \"https://user:pass@host/v1\"",
            "more than host and path",
        ),
        (
            "[webex]\nbase_url = \"ftp://host/v1\"",
            "not an http or https address",
        ),
        ("[log]\nlevel = \"alertmanager_webex\"", "not a log level"),
        ("[log]\nlevel = \"info,\"", "not a log level"),
    ] {
        let told = refused(&sound_with(section), &[]);
        assert!(told.contains(expected), "{section}\n{told}");
        assert_eq!(told.matches("error:").count(), 1, "{section}\n{told}");
    }
}

#[test]
fn a_conversation_is_one_of_three_and_its_option_belongs_to_one() {
    for (written, meant) in [
        ("", Conversation::New),
        ("conversation = \"new\"", Conversation::New),
        ("conversation = \"thread\"", Conversation::Thread),
        (
            "conversation = \"update\"",
            Conversation::Update {
                reply_on_resolve: false,
            },
        ),
        (
            "conversation = \"update\"\nreply_on_resolve = true",
            Conversation::Update {
                reply_on_resolve: true,
            },
        ),
    ] {
        let config = accepted(&sound_with(written), &[]).config;
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        assert_eq!(config.routes.find("").unwrap().conversation, meant);
    }
    let alone = |mode| {
        let room = ("WEBEX_ROOM", ROOM);
        read(
            None,
            &[("WEBEX_TOKEN", "t"), room, ("WEBEX_CONVERSATION", mode)],
        )
    };
    let config = alone(" thread\n").unwrap().config;
    let receiver = config.routes.find("").unwrap();
    assert_eq!(receiver.conversation, Conversation::Thread);
    insta::assert_snapshot!(alone("threads").unwrap_err(), @"
    error: this is not a way to tell a group's later notifications
      --> environment variable WEBEX_CONVERSATION
      hint: write `new`, `thread` or `update`
    ");
    let file = sound_with("");
    insta::assert_snapshot!(warned(&file, &[("WEBEX_CONVERSATION", "thread")]), @"
    warning: this has no effect, because the file has `receivers` of its own
      --> environment variable WEBEX_CONVERSATION
      hint: unset it, or remove those from the file
    ");
    let without_effect = sound_with("reply_on_resolve = true");
    insta::assert_snapshot!(warned(&without_effect, &[]), @r#"
    warning: `receivers.default.reply_on_resolve`: this has no effect, because `conversation` is not `update`
      --> config.toml:5
      hint: write `conversation = "update"`, or leave this out
    "#);
    let wrong = sound_with("conversation = \"threads\"\nreply_on_resolve = \"perhaps\"");
    insta::assert_snapshot!(refused(&wrong, &[]), @r#"
    error: `receivers.default.conversation`: this is not a way to tell a group's later notifications
      --> config.toml:5
      hint: write `"new"`, `"thread"` or `"update"`
    error: `receivers.default.reply_on_resolve`: this is text, not `true` or `false`
      --> config.toml:6
      hint: write it without quotes
    "#);
}

#[test]
fn a_room_of_the_wrong_kind_is_a_warning() {
    // ciscospark://us/PEOPLE/…
    let person = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS82ZmUyYThjMC0zYjFkLTExZWYtOWY2YS01ZDBjN2UxYjJhMzQ";
    let file = sound_with(&format!("[rooms]\nops = \"{person}\""));
    insta::assert_snapshot!(warned(&file, &[]), @"
    warning: `rooms.ops`: this is the id of a PEOPLE, not of a ROOM
      --> config.toml:6
      hint: copy the id of the room itself
    ");
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

#[test]
fn broken_templates_are_told_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("team.md"), "{{ status }\n").unwrap();
    let directory = folder.path().to_str().unwrap();
    let file = sound_with(&format!(
        "[templates]\ndirectory = \"{directory}\"\n[log]\nformat = \"xml\""
    ));
    let told = refused(&file, &[]).replace(directory, "templates");
    assert!(told.contains("templates/team.md:1:11"), "{told}");
    assert!(
        told.contains("`log.format`: this is not a log format"),
        "{told}"
    );
}

#[test]
fn a_template_of_ones_own_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("team.md"), "{{ status }}\n").unwrap();
    let file = format!(
        "[templates]\ndirectory = \"{}\"\n\
         [bots.default]\ntoken_file = \"/run/token\"\n\
         [receivers.default]\nrooms = [\"{ROOM}\"]\ntemplate = \"team\"\n",
        folder.path().display()
    );
    accepted(&file, &[]);
}

#[test]
fn a_time_zone_that_is_none_is_told_with_the_one_that_was_meant() {
    for (name, hint) in [
        ("Europe/Berli", "did you mean `Europe/Berlin`?"),
        ("berlin", "did you mean `Europe/Berlin`?"),
        ("new york", "did you mean `America/New_York`?"),
        ("", "such as `UTC` or `Europe/Berlin`"),
    ] {
        let told = refused(
            &sound_with(&format!("[templates]\ntimezone = \"{name}\"")),
            &[],
        );
        assert!(
            told.starts_with("error: `templates.timezone`: no time zone has this name"),
            "{told}"
        );
        assert!(told.contains(hint), "{told}");
    }
}

#[test]
fn rules_that_would_go_round_in_circles_are_refused() {
    let told = refused(
        &sound_with(
            "[[links.rewrite]]\nfrom = \"http://a\"\nto = \"http://b\"\n\
             [[links.rewrite]]\nfrom = \"http://b/c\"\nto = \"https://d\"",
        ),
        &[],
    );
    insta::assert_snapshot!(told, @"
    error: `links.rewrite.to`: another rule would rewrite this address again
      --> config.toml:7
      hint: write where both lead in the end
    ");
}

#[test]
fn a_service_app_that_lacks_something_or_has_too_much_is_told_what() {
    let told = refused(
        &format!(
            "[bots.a]\nclient_id = \"C1\"\n\
             [bots.b]\nclient_id = \"C1\"\nclient_secret_file = \"/s\"\nrefresh_token_file = \"/r\"\ntoken_env = \"T\"\n\
             [bots.c]\nclient_id = \"two words\"\nclient_secret_file = \"/s\"\nrefresh_token_file = \"/s\"\n\
             [bots.d]\nclient_id = \"C2\"\nclient_secret_file = \"{SECRET}\"\nrefresh_token_file = \"/r\"\n\
             [bots.e]\nclient_id = 5\nclient_secret_file = \"\"\nrefresh_token_file = \"/e\"\n\
             [receivers.default]\nbot = \"a\"\nrooms = [\"{ROOM}\"]\n"
        ),
        &[("T", "t")],
    );
    assert!(!told.contains(SECRET));
    insta::assert_snapshot!(told);
}

#[test]
fn a_service_app_that_is_whole_is_accepted() {
    let toml = format!(
        "[bots.default]\nclient_id = \"C1\"\nclient_secret_file = \"/s\"\nrefresh_token_file = \"/r\"\n\
         [receivers.default]\nrooms = [\"{ROOM}\"]\n"
    );
    assert_eq!(warned(&toml, &[]), "");
}
