//! `check` and `render`: what they print, and how they end.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::{DONE, FAILED, ROOM, command, ended, file, fixtures, run};
use crate::programs::{captured, ours};

#[test]
fn check_takes_the_example_whose_token_is_not_at_hand() {
    let told = run(&["check", "--config", "config.example.toml"]);
    assert_eq!(told.code, DONE, "{told:?}");
    assert_eq!(told.stdout, "ok: 1 bot, 1 receiver, 6 templates\n");
    insta::assert_snapshot!(told.stderr, @"
    warning: bot `default`: cannot read the secret file /run/secrets/webex/token: No such file or directory (os error 2); mount it, and let the user that runs this read it
      hint: `serve` needs it; here nothing depends on it
    ");
}

#[test]
fn check_refuses_a_broken_configuration() {
    let (_folder, path) = file("config.toml", "[servr]\n");
    let told = run(&["check", "--config", &path]);
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    assert!(told.stderr.contains("did you mean `server`?"), "{told:?}");
    assert!(
        told.stderr.ends_with("the configuration has 3 errors\n"),
        "{told:?}"
    );
}

#[test]
fn check_names_a_template_that_does_not_parse_and_one_that_does_not_render() {
    for (template, code, expected) in [
        ("{{ status", FAILED, "team.md:1:"),
        ("{{ status | no_such_filter }}", FAILED, "no_such_filter"),
        ("{{ no_such_thing }}", FAILED, "no_such_thing"),
        ("{{ status }}", DONE, ""),
    ] {
        let (folder, _) = file("team.md", template);
        let text = format!(
            "[templates]\ndirectory = \"{}\"\n[receivers.default]\nrooms = [\"{ROOM}\"]\ntemplate = \"team\"\n",
            folder.path().display()
        );
        let (_other, path) = file("config.toml", &text);
        let told = ended(command(&["check", "--config", &path]).env("WEBEX_TOKEN", "t"));
        assert_eq!(told.code, code, "{template}: {told:?}");
        assert!(told.stderr.contains(expected), "{template}: {told:?}");
    }
}

// `render`.

#[test]
fn every_captured_body_can_be_rendered_in_every_form() {
    for body in fixtures() {
        for format in ["markdown", "text", "html", "request"] {
            let told = run(&["render", body.to_str().unwrap(), "--format", format]);
            assert_eq!(told.code, DONE, "{}: {told:?}", body.display());
            assert!(!told.stdout.trim().is_empty(), "{}", body.display());
        }
    }
}

#[test]
fn stdout_is_data_and_stderr_tells_progress() {
    let body = "tests/fixtures/alertmanager-0.34/one-firing.json";
    let told = run(&["render", body, "--format", "request"]);
    let request: Value = serde_json::from_str(&told.stdout).expect("stdout is JSON alone");
    let markdown = request["markdown"].as_str().unwrap();
    assert_eq!(
        run(&["render", body]).stdout.trim_end(),
        markdown.trim_end()
    );
    assert!(told.stderr.starts_with("message 1 of 1: "), "{told:?}");
    assert_eq!(told.stderr.lines().count(), 1, "{told:?}");
}

#[test]
fn a_body_comes_from_stdin_as_well() {
    let expected = run(&[
        "render",
        "tests/fixtures/alertmanager-0.34/one-resolved.json",
    ]);
    for arguments in [&["render"][..], &["render", "-"]] {
        let told = ended(command(arguments).write_stdin(captured("one-resolved")));
        assert_eq!(told.stdout, expected.stdout);
        assert_eq!(told.code, DONE);
    }
}

#[test]
fn what_cannot_be_rendered_fails_with_the_remedy() {
    let body = "tests/fixtures/alertmanager-0.34/one-firing.json";
    let (_folder, text) = file("body.json", "no JSON");
    let (_other, other) = file("body.json", r#"{"version":"3","groupKey":"x"}"#);
    for (arguments, expected) in [
        (
            &["render", body, "--template", "team"][..],
            "no template is named `team`; known templates: `compact`, `default`, `detailed`, `digest`, `fallback`",
        ),
        (
            &["render", "/nowhere/body.json"],
            "cannot read /nowhere/body.json",
        ),
        (&["render", &text], "JSON"),
        (&["render", &other], "version"),
        (
            &[
                "render",
                body,
                "--config",
                "config.example.toml",
                "--receiver",
                "ops",
            ],
            "no receiver is named `ops`",
        ),
    ] {
        let told = run(arguments);
        assert_eq!(
            (told.code, told.stdout.as_str()),
            (FAILED, ""),
            "{arguments:?}"
        );
        assert!(
            told.stderr.starts_with("error: "),
            "{arguments:?}: {told:?}"
        );
        assert!(told.stderr.contains(expected), "{arguments:?}: {told:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for (keep_stdout, keep_stderr) in [(false, true), (true, false), (false, false)] {
        let mut child = ours()
            .args(["render", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It waits for its stdin, so the readers are gone before it writes.
        let stdout = child.stdout.take().filter(|_| keep_stdout);
        let stderr = child.stderr.take().filter(|_| keep_stderr);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(captured("group-mixed").as_bytes()).unwrap();
        drop(stdin);
        let status = crate::programs::until("render ends", || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(DONE), "{keep_stdout} {keep_stderr}");
        if let Some(mut stderr) = stderr {
            let told = std::io::read_to_string(&mut stderr).unwrap();
            assert!(!told.contains("error"), "{told}");
        }
        drop(stdout);
    }
}

// `send`.
