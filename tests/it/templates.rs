//! What a template's author sees: `check` and `render`, with samples, files and cards.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::cli::{Ended, command, ended, run};
use crate::programs::{Sandbox, ours, until};

fn check(config: &str) -> Ended {
    ended(command(&["check", "--config", config]).env("WEBEX_TOKEN", "t"))
}

#[test]
fn a_configuration_in_which_much_is_wrong_is_told_with_places_and_remedies() {
    let told = check("examples/broken/config.toml");
    assert_eq!((told.code, told.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(told.stderr);
}

#[test]
fn templates_that_fail_with_data_are_told_with_the_samples_that_showed_it() {
    let told = check("examples/broken/renders.toml");
    assert_eq!((told.code, told.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(told.stderr);
}

#[test]
fn samples_are_listed_and_each_can_be_rendered_in_every_form() {
    let listed = run(&["render", "--list-samples"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""));
    for line in listed.stdout.lines() {
        let name = line.split_whitespace().next().unwrap();
        if name == "life" {
            // A sequence is a room, and no single message.
            continue;
        }
        for format in ["markdown", "text", "html", "card", "request"] {
            let told = run(&[
                "render",
                "--sample",
                name,
                "--template",
                "compact",
                "--format",
                format,
            ]);
            assert_eq!(told.code, 0, "{name} {format}: {told:?}");
            assert!(!told.stdout.trim().is_empty(), "{name} {format}");
            assert!(told.stderr.contains("message 1 of "), "{told:?}");
            assert!(
                told.stderr.contains(" of 7439 bytes as Markdown"),
                "{told:?}"
            );
        }
    }
    assert!(listed.stdout.lines().count() >= 10);
    let told = run(&["render", "--sample", "hostle"]);
    assert_eq!(told.code, 2);
    assert!(told.stderr.contains("hostile"), "{told:?}");
}

#[test]
fn html_of_a_hostile_alert_holds_none_of_its_markup() {
    let told = run(&["render", "--sample", "hostile", "--format", "html"]);
    for markup in ["<blockquote", "<img", "<@", "<spark-mention", "javascript:"] {
        assert!(!told.stdout.contains(markup), "{markup}: {}", told.stdout);
    }
}

#[test]
fn a_template_and_its_card_can_be_files_and_a_failing_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.md");
    let named = path.to_str().unwrap();
    std::fs::write(&path, "**{{ common_labels.alertname }}**").unwrap();
    let told = run(&["render", "--sample", "one_firing", "--template", named]);
    assert_eq!(
        (told.code, told.stdout.as_str()),
        (0, "**KubePodCrashLooping**\n")
    );

    let card = run(&[
        "render",
        "--sample",
        "one_firing",
        "--template",
        named,
        "--format",
        "card",
    ]);
    assert_eq!(card.code, 1);
    assert!(
        card.stderr.contains("write `team.card.json` beside it"),
        "{card:?}"
    );
    std::fs::write(
        folder.path().join("team.card.json"),
        r#"{"type":"AdaptiveCard","version":"1.2","body":[{"type":"TextBlock","text":"{{ status }}"}]}"#,
    )
    .unwrap();
    let card = run(&[
        "render",
        "--sample",
        "one_firing",
        "--template",
        named,
        "--format",
        "card",
    ]);
    let shown: Value = serde_json::from_str(&card.stdout).unwrap();
    assert_eq!(shown["body"][0]["text"], "firing");

    std::fs::write(&path, "fine\n{{ statu }}").unwrap();
    let told = run(&["render", "--sample", "one_firing", "--template", named]);
    assert_eq!(told.code, 1);
    assert!(
        told.stdout.contains("template team failed at team.md:2:4"),
        "{told:?}"
    );
    assert!(told.stderr.contains("  --> team.md:2:4\n"), "{told:?}");
}

#[test]
fn watch_shows_a_template_again_when_it_changes_and_ends_with_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.md");
    std::fs::write(&path, "first").unwrap();
    let mut child = ours()
        .args(["render", "--sample", "one_firing", "--watch", "--template"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "first");
    std::fs::write(&path, "the second").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "the second");
    let stopped = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(stopped.success());
    let status = until("it ends", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_sample_can_be_sent() {
    let sandbox = Sandbox::start();
    let told = ended(
        command(&["send", "--sample", "one_firing"])
            .env("WEBEX_TOKEN", &sandbox.token)
            .env("WEBEX_ROOM", &sandbox.rooms["ops"])
            .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api),
    );
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(told.stdout, "Webex accepted 1 message\n");
    assert_eq!(sandbox.messages("ops").len(), 1);
}
