//! The command line: what it prints where, and how it ends.

mod check;
mod send;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::programs::PATIENCE;

const ROOM: &str = "Y2lzY29zcGFyazovL3VzL1JPT00vNmZlMmE4YzAtM2IxZC0xMWVmLTlmNmEtNWQwYzdlMWIyYTM0";

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 2;

/// How a command ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command without the environment of whoever runs the tests, and with an end.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertmanager-webex"));
    command
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .timeout(PATIENCE)
        .args(arguments);
    command
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let ended = Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert_ne!(ended.code, 101, "this is a panic: {ended:?}");
    ended
}

pub(crate) fn run(arguments: &[&str]) -> Ended {
    ended(&mut command(arguments))
}

/// `serve` with a token and a room, and with more variables, where it does not start.
fn serve(variables: &[(&str, &str)]) -> Ended {
    ended(
        command(&["serve"])
            .env("WEBEX_TOKEN", "t")
            .env("WEBEX_ROOM", ROOM)
            .env("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:0")
            .envs(variables.iter().copied()),
    )
}

/// A file in a folder that is gone with the first value.
fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let versions = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let bodies: Vec<PathBuf> = versions
        .filter(|path| path.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    assert!(bodies.len() > 20, "{bodies:?}");
    bodies
}

// What there is.

#[test]
fn help_names_every_command_and_goes_to_stdout() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (DONE, ""));
    insta::assert_snapshot!(help.stdout);
    for name in [
        "serve",
        "dev",
        "sandbox",
        "check",
        "render",
        "send",
        "rooms",
        "healthcheck",
        "schema",
        "completions",
    ] {
        let help = run(&[name, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (DONE, ""), "{name}");
        assert!(
            help.stdout.contains(&format!("alertmanager-webex {name}")),
            "{help:?}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_a_matter_of_usage() {
    for arguments in [
        &[][..],
        &["srve"],
        &["serve", "--port", "9091"],
        &["sandbox", "--listen", "here"],
        &["sandbox", "--bot", "team"],
        &["sandbox", "--webhook", "ci"],
        &["render", "--format", "pdf"],
        &["render", "--receiver", "ops"],
        &["send", "--url", "no url"],
        &[
            "send",
            "--url",
            "http://127.0.0.1:1/",
            "--config",
            "config.toml",
        ],
    ] {
        let told = run(arguments);
        assert_eq!(told.code, USAGE, "{arguments:?}: {told:?}");
        assert_eq!(told.stdout, "", "{arguments:?}");
        assert!(!told.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_version_is_one_line() {
    let version = run(&["--version"]);
    assert_eq!(version.code, DONE);
    assert_eq!(
        version.stdout,
        concat!("alertmanager-webex ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

// `serve`, where it does not start.

#[test]
fn serve_with_a_broken_configuration_tells_all_of_it_and_is_a_matter_of_usage() {
    let (_folder, path) = file("config.toml", "[server]\nlisten = 9091\n[log]\nlevel = 1\n");
    let told = run(&["serve", "--config", &path]);
    assert_eq!((told.code, told.stdout.as_str()), (USAGE, ""));
    insta::assert_snapshot!(told.stderr.replace(&path, "config.toml"), @r#"
    error: `bots`: there is no bot, so nothing can be posted
      --> config.toml
      hint: set WEBEX_TOKEN, or write `[bots.default]` with a `token_file`
    error: `receivers`: there is no receiver, so nobody can be told
      --> config.toml
      hint: set WEBEX_ROOM, or write `[receivers.default]` with `rooms`
    error: `server.listen`: this is a number, not an address with a port
      --> config.toml:2
      hint: write it like `"0.0.0.0:9091"`; a name such as `localhost` is not taken
    error: `log.level`: this is not a log level
      --> config.toml:4
      hint: write `error`, `warn`, `info`, `debug` or `trace`, or directives such as `info,alertmanager_webex=debug`
    the configuration has 4 errors
    "#);
}

#[test]
fn a_port_that_is_taken_is_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = serve(&[("ALERTMANAGER_WEBEX__SERVER__LISTEN", &address)]);
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    insta::assert_snapshot!(told.stderr.replace(&address, "ADDRESS"), @"error: cannot listen on ADDRESS: Address already in use (os error 98); choose another `server.listen`, or stop what listens there");
    let told = run(&["sandbox", "--listen", &address]);
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    insta::assert_snapshot!(told.stderr.replace(&address, "ADDRESS"), @"error: cannot listen on ADDRESS: something listens there already; choose another `--listen`");
    let told = run(&[
        "dev",
        "--listen",
        &address,
        "--sandbox-listen",
        "127.0.0.1:0",
    ]);
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    assert!(told.stderr.contains("cannot listen on"), "{told:?}");
}

#[test]
fn a_webhook_for_a_room_that_is_not_there_is_one_line() {
    let told = run(&[
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--webhook",
        "ci=nowhere",
    ]);
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    insta::assert_snapshot!(told.stderr, @"error: --webhook ci=nowhere: there is no room `nowhere`; add it with --room");
}

#[test]
fn a_token_file_that_cannot_be_read_is_one_line() {
    let config = |token: &str| {
        format!("[bots.ops]\ntoken_file = \"{token}\"\n[receivers.default]\nrooms = [\"{ROOM}\"]\n")
    };
    let (_folder, path) = file("config.toml", &config("/nowhere/token"));
    let told = run(&["serve", "--config", &path]);
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    insta::assert_snapshot!(told.stderr, @"error: bot `ops` has no token: cannot read the secret file /nowhere/token: No such file or directory (os error 2); mount it, and let the user that runs this read it");

    for (content, expected) in [
        ("", "is empty"),
        ("\n", "is empty"),
        ("two words", "holds characters that no token has"),
    ] {
        let (_folder, token) = file("token", content);
        // A secret that every user may read is warned of as well.
        std::fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
        let (_other, path) = file("config.toml", &config(&token));
        let told = run(&["serve", "--config", &path]);
        assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
        assert!(told.stderr.contains(expected), "{told:?}");
        assert!(!told.stderr.contains("two words"), "{told:?}");
        assert_eq!(told.stderr.lines().count(), 1, "{told:?}");
    }
}

#[test]
fn a_callers_token_that_cannot_be_read_is_one_line() {
    let text = format!(
        "[receivers.default]\nrooms = [\"{ROOM}\"]\nbearer_token_file = \"/nowhere/caller\"\n"
    );
    let (_folder, path) = file("config.toml", &text);
    let told = ended(command(&["serve", "--config", &path]).env("WEBEX_TOKEN", "t"));
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    insta::assert_snapshot!(told.stderr, @"error: receiver `default` has no credentials: cannot read the secret file /nowhere/caller: No such file or directory (os error 2); mount it, and let the user that runs this read it");
}

#[test]
fn a_ca_file_that_is_no_ca_file_is_one_line() {
    let broken =
        "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    let (_empty, empty) = file("ca.pem", "");
    let (_text, text) = file("ca.pem", "no certificate\n");
    let (_broken, broken) = file("ca.pem", broken);
    for (path, expected) in [
        ("/nowhere/ca.pem", "cannot read the CA file /nowhere/ca.pem"),
        (&empty, "holds no certificate"),
        (&text, "holds no certificate"),
        (&broken, "broken certificate"),
    ] {
        let told = serve(&[("ALERTMANAGER_WEBEX__WEBEX__CA_FILE", path)]);
        assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""), "{told:?}");
        assert!(told.stderr.contains(expected), "{told:?}");
        assert_eq!(told.stderr.lines().count(), 1, "{told:?}");
    }
}

// `check`.

#[test]
fn every_shell_can_complete_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        assert_eq!((script.code, script.stderr.as_str()), (DONE, ""), "{shell}");
        assert!(script.stdout.contains("sandbox-listen"), "{shell}");
    }
    assert_eq!(run(&["completions", "cmd"]).code, USAGE);
}
