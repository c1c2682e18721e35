//! Cards: the built-in one, those of a directory, and what becomes of broken ones.

use serde_json::Value;

use super::super::*;
use super::{render_with, renderer_with};

fn card(outcome: &Rendered) -> Value {
    serde_json::from_str(outcome.messages[0].card.as_ref().unwrap().json()).unwrap()
}

const MINE: &str = r#"{"type":"AdaptiveCard","version":"1.3","body":[{"type":"TextBlock","text":"{{ common_labels.alertname }}"},]}"#;

#[test]
fn the_built_in_card_shows_every_sample() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    for (name, body) in samples::all() {
        let outcome = render_with(&renderer, "compact", &body);
        assert_eq!(outcome.fallback, None, "{name}");
        assert!(
            outcome.messages[1..]
                .iter()
                .all(|message| message.card.is_none())
        );
        insta::assert_json_snapshot!(format!("card_{name}"), card(&outcome));
    }
}

#[test]
fn a_hostile_alert_is_text_in_a_card() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let outcome = render_with(&renderer, "compact", &samples::hostile());
    let json = outcome.messages[0].card.as_ref().unwrap().json();
    assert!(!json.contains("](") && !json.contains("<@") && !json.contains("javascript:"));
}

#[test]
fn no_filter_lets_a_label_out_of_its_text() {
    let body = samples::hostile().replace("a*b*", "x\\\"}],\\\"y\\\":[{");
    assert!(Notification::parse(body.as_bytes()).is_ok());
    let label = "alerts[0].labels.instance";
    for expression in [
        format!("[severity | severity_emoji, {label}] | join(sep=\" \")"),
        format!("[br, {label}] | join"),
        format!("[alertmanager_url | url, {label}] | join"),
        format!("{label} | url"),
        format!("{label} | shorten"),
        format!("{label} | to_json"),
        format!("{label} | truncate_bytes(length=99)"),
        "alerts[0].labels | string".to_owned(),
    ] {
        let card = MINE.replace("common_labels.alertname", &expression);
        let (_directory, renderer) =
            renderer_with(&[("team.md", "text"), ("team.card.json", &card)]);
        let outcome = render_with(&renderer, "team", &body);
        assert_eq!(outcome.fallback, None, "{expression}");
        let card = self::card(&outcome);
        let keys: Vec<&String> = card["body"][0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["text", "type"], "{expression}");
    }
}

#[test]
fn a_card_of_the_directory_goes_with_the_message_of_its_name() {
    let (_directory, renderer) = renderer_with(&[("team.md", "text"), ("team.card.json", MINE)]);
    let outcome = render_with(&renderer, "team", &samples::firing(1));
    assert_eq!(outcome.messages[0].markdown, "text");
    assert_eq!(card(&outcome)["body"][0]["text"], "KubePodCrashLooping");
}

#[test]
fn whoever_overrides_a_message_gets_no_built_in_card_beside_it() {
    let (_directory, renderer) = renderer_with(&[("compact.md", "mine")]);
    let outcome = render_with(&renderer, "compact", &samples::firing(1));
    assert_eq!(outcome.messages[0].card, None);

    let (_directory, renderer) = renderer_with(&[("compact.card.json", MINE)]);
    let outcome = render_with(&renderer, "compact", &samples::firing(1));
    assert!(outcome.messages[0].markdown.starts_with("🔴 **1 firing"));
    assert_eq!(card(&outcome)["body"].as_array().unwrap().len(), 1);
}

#[test]
fn the_card_of_the_documentation_works() {
    let page = include_str!("../../../docs/templates.md");
    let example = page.split("```jinja\n{\n").nth(1).unwrap();
    let example = format!("{{\n{}", example.split("```").next().unwrap());
    let (_directory, renderer) =
        renderer_with(&[("team.md", "text"), ("team.card.json", &example)]);
    let outcome = render_with(&renderer, "team", &samples::firing(2));
    assert_eq!(outcome.fallback, None);
    let card = card(&outcome);
    assert_eq!(card["body"][0]["color"], "attention");
    assert_eq!(card["actions"][0]["title"], "Silence");
}

#[test]
fn a_card_that_renders_to_nothing_is_none() {
    let (_directory, renderer) = renderer_with(&[
        ("team.md", "text"),
        ("team.card.json", "{% if resolved %}x{% endif %}\n"),
    ]);
    let outcome = render_with(&renderer, "team", &samples::firing(1));
    assert_eq!((outcome.fallback, &outcome.messages[0].card), (None, &None));
}

#[test]
fn a_broken_card_leaves_the_message_and_the_room_is_told() {
    for (template, note) in [
        (
            "{{ sumary }}",
            "*⚠️ card team.card.json failed at team.card.json:1:4: Variable &#96;sumary&#96; is not defined; the message has no card*",
        ),
        (
            "{\"type\": }",
            "*⚠️ card team.card.json failed: it is no JSON: expected value near &#96;{\"type\": }&#96;; the message has no card*",
        ),
        (
            "{{ common_labels | facts }}",
            "*⚠️ card team.card.json failed at team.card.json:1:20: &#96;facts&#96; makes Markdown",
        ),
        (
            r#"{"type":"AdaptiveCard","version":"1.6","body":[]}"#,
            "*⚠️ card team.card.json failed: &#96;version&#96; must be \"1.0\" to \"1.3\"",
        ),
    ] {
        let (_directory, renderer) =
            renderer_with(&[("team.md", "text"), ("team.card.json", template)]);
        let outcome = render_with(&renderer, "team", &samples::firing(1));
        let markdown = &outcome.messages[0].markdown;
        assert!(
            markdown.starts_with(&format!("text\n\n{note}")),
            "{markdown}"
        );
        assert_eq!(outcome.messages[0].card, None);
        assert!(outcome.fallback.unwrap().is_card);
    }
}

#[test]
fn a_template_that_fails_takes_its_card_with_it() {
    let (_directory, renderer) =
        renderer_with(&[("team.md", "{{ no }}"), ("team.card.json", MINE)]);
    let outcome = render_with(&renderer, "team", &samples::firing(1));
    assert_eq!(outcome.messages[0].card, None);
    assert!(!outcome.fallback.unwrap().is_card);
}

#[test]
fn cards_include_cards_and_are_parsed_at_load() {
    let (_directory, renderer) = renderer_with(&[
        ("team.md", "text"),
        ("team.card.json", "{% include \"inner.card.json\" %}"),
        ("inner.card.json", MINE),
    ]);
    let outcome = render_with(&renderer, "team", &samples::firing(1));
    assert_eq!(outcome.fallback, None);
    assert!(outcome.messages[0].card.is_some());

    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.card.json"), "\n{% if %}").unwrap();
    std::fs::write(directory.path().join("b.md"), "{{ x | nosuch }}").unwrap();
    let error = Renderer::new(&super::options(&directory))
        .unwrap_err()
        .to_string();
    assert!(error.contains("a.card.json:2:"), "{error}");
    assert!(error.contains("b.md:1:"), "{error}");
}
