//! Each built-in template with each sample, and what holds for all of them.

use super::super::*;
use super::{constructs, render_with};

const TEMPLATES: [&str; 5] = ["default", "compact", "detailed", "digest", "fallback"];

/// All messages as one text, for a snapshot.
fn joined(messages: &[Message], show: impl Fn(&str) -> String) -> String {
    let shown: Vec<String> = messages
        .iter()
        .map(|message| show(&message.markdown))
        .collect();
    shown.join("\n\n======== next message\n\n")
}

#[test]
fn every_template_reads_well_with_every_sample() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    for template in TEMPLATES {
        for (name, body) in samples::all() {
            let outcome = render_with(&renderer, template, &body);
            assert_eq!(outcome.fallback, None, "{template} {name}");
            for message in &outcome.messages {
                assert!(message.markdown.len() <= MESSAGE_BYTES - NOTE_BYTES);
                assert!(plain_text(&message.markdown).len() <= MESSAGE_BYTES - NOTE_BYTES);
            }
            insta::assert_snapshot!(
                format!("{template}_{name}"),
                joined(&outcome.messages, str::to_owned)
            );
            if template == DEFAULT_TEMPLATE {
                insta::assert_snapshot!(
                    format!("{template}_{name}.text"),
                    joined(&outcome.messages, plain_text)
                );
            }
        }
    }
}

#[test]
fn every_template_brings_no_markup_of_a_hostile_alert() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    for template in TEMPLATES {
        let outcome = render_with(&renderer, template, &samples::hostile());
        for message in &outcome.messages {
            assert!(!message.markdown.contains('<'), "{template}");
            for construct in constructs(&message.markdown) {
                let ours = ["Strong", "List(None)", "Item", "Emphasis"]
                    .contains(&construct.as_str())
                    || construct.starts_with("link https://alertmanager.example.org/")
                    || construct.starts_with("link https://example.org/a%20b")
                    || construct.starts_with("link https://evil.example.org/%29%20%3C@all%3E");
                assert!(ours, "{template}: {construct}");
            }
        }
    }
}

#[test]
fn what_a_real_alertmanager_sent_renders_with_every_template() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut bodies = 0;
    for version in ["alertmanager-0.25", "alertmanager-0.34"] {
        for entry in std::fs::read_dir(folder.join(version)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let body = std::fs::read_to_string(&path).unwrap();
            if Notification::parse(body.as_bytes()).is_err() {
                continue;
            }
            bodies += 1;
            for template in TEMPLATES {
                let outcome = render_with(&renderer, template, &body);
                assert_eq!(outcome.fallback, None, "{template} {}", path.display());
            }
        }
    }
    assert!(bodies > 15, "{bodies}");
}

#[test]
fn an_alertmanager_that_gives_no_reason_is_read_by_the_content() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let body = include_str!("../../../tests/fixtures/alertmanager-0.25/group-mixed.json");
    assert!(!body.contains("notification_reason"));
    let outcome = render_with(&renderer, DEFAULT_TEMPLATE, body);
    insta::assert_snapshot!(outcome.messages[0].markdown);
}

#[test]
fn a_digest_template_of_the_directory_makes_the_lines_of_digests() {
    let (_directory, renderer) = super::renderer_with(&[(
        "digest.md",
        "{{ alerts | length }} of\n{{ common_labels.alertname }}",
    )]);
    let body = samples::firing(3);
    let notification = Notification::parse(body.as_bytes()).unwrap();
    let entry = renderer.entry(&Subject {
        notification: &notification,
        receiver: "ops",
        template: DEFAULT_TEMPLATE,
        data: None,
        changed: None,
        conversation: None,
        now: samples::NOW.parse().unwrap(),
    });
    assert_eq!(entry.firing, 3);
    let digest = renderer.digest(&[&entry]).markdown;
    assert!(digest.ends_with("\n\n3 of KubePodCrashLooping"), "{digest}");
}
