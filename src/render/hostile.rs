//! Values that try to be more than text, wherever a template may put them.
//!
//! The corpus is `tests/fixtures/hostile.json`; `escape` and `code` try arbitrary text.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options as Markdown, Parser, Tag};

use super::samples::NOW;
use super::*;

const CORPUS: &str = include_str!("../../tests/fixtures/hostile.json");

/// Where a value may stand, and what the template itself puts there.
const PLACES: [(&str, &str, &[&str]); 9] = [
    ("text", "a {{ v }} b", &[]),
    ("line", "{{ v }}", &[]),
    ("bold", "a **x{{ v }}x** b", &["Strong"]),
    ("item", "- x {{ v }}", &["List(None)", "Item"]),
    ("quote", "> x {{ v }}", &["BlockQuote(None)"]),
    (
        "link",
        "[x{{ v }}](https://a.b) {{ \"https://a.b\" | link(text=v) }}",
        &["link https://a.b", "link https://a.b"],
    ),
    ("code", "a {{ v | code }} b", &["code"]),
    (
        "linked code",
        "[{{ v | code }}](https://a.b)",
        &["link https://a.b", "code"],
    ),
    (
        "fence",
        "a\n{{ v | fence(language=\"sh\") }}\nb",
        &["block"],
    ),
];

fn corpus() -> Vec<String> {
    serde_json::from_str(CORPUS).unwrap()
}

fn constructs(markdown: &str) -> Vec<String> {
    let options = Markdown::ENABLE_TABLES
        | Markdown::ENABLE_FOOTNOTES
        | Markdown::ENABLE_STRIKETHROUGH
        | Markdown::ENABLE_TASKLISTS
        | Markdown::ENABLE_GFM;
    Parser::new_ext(markdown, options)
        .filter_map(|event| match event {
            Event::Start(Tag::Paragraph)
            | Event::End(_)
            | Event::Text(_)
            | Event::SoftBreak
            | Event::HardBreak => None,
            Event::Start(Tag::Link { dest_url, .. }) => Some(format!("link {dest_url}")),
            Event::Start(Tag::CodeBlock(_)) => Some("block".to_owned()),
            Event::Start(tag) => Some(format!("{tag:?}")),
            Event::Code(_) => Some("code".to_owned()),
            other => Some(format!("{other:?}")),
        })
        .collect()
}

#[test]
fn no_value_brings_markup_wherever_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    for (place, template, _) in PLACES {
        let file = directory.path().join(format!("{place}.md"));
        let template = format!("{{% set v = common_labels.v %}}{template}");
        std::fs::write(file, template).unwrap();
    }
    let renderer = Renderer::new(&Options {
        directory: Some(directory.path().to_owned()),
        ..Options::default()
    })
    .unwrap();
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for value in corpus() {
        let body = serde_json::json!({
            "version": "4", "groupKey": "k", "commonLabels": {"v": value},
            "alerts": [{"status": "firing", "labels": {"v": value}}],
        })
        .to_string();
        let notification = Notification::parse(body.as_bytes()).unwrap();
        for (place, _, own) in PLACES {
            let outcome = renderer.render(&Subject {
                notification: &notification,
                receiver: "ops",
                template: place,
                data: None,
                changed: None,
                conversation: None,
                now: NOW.parse().unwrap(),
            });
            let markdown = &outcome.messages[0].markdown;
            let shows_nothing = value.trim().is_empty();
            if shows_nothing && outcome.fallback.is_some() {
                continue;
            }
            assert_eq!(outcome.fallback, None, "{place}: {value:?}");
            let found = constructs(markdown);
            let fits = found == own || (shows_nothing && found.len() < own.len());
            assert!(fits, "{place}: {value:?} became {markdown:?}: {found:?}");
            assert!(!markdown.contains("<@"), "{place}: {markdown:?}");
            let hidden = |c: char| escape::is_hidden(c) && !"\n\t\u{200c}\u{200d}".contains(c);
            assert!(!markdown.contains(hidden), "{place}: {markdown:?}");
            let text = seen.entry(place).or_default();
            text.push_str(markdown);
            text.push_str("\n\n");
        }
    }
    for place in ["line", "code", "fence"] {
        insta::assert_snapshot!(format!("hostile_{place}"), seen[place]);
    }
}

#[test]
fn no_value_mentions_anybody_in_what_is_built_in() {
    for value in corpus() {
        let body = serde_json::json!({
            "version": "4", "groupKey": format!("k{value}"), "receiver": value, "externalURL": value,
            "groupLabels": {"alertname": value, "v": value}, "commonLabels": {"alertname": value},
            "alerts": [{
                "status": "firing", "generatorURL": value,
                "labels": {"alertname": value, "severity": value, "v": value},
                "annotations": {
                    "summary": value, "description": value, "runbook_url": value, "v": value,
                },
            }],
        })
        .to_string();
        let notification = Notification::parse(body.as_bytes()).unwrap();
        let renderer = Renderer::new(&Options::default()).unwrap();
        let outcome = renderer.render(&Subject {
            notification: &notification,
            receiver: &value,
            template: DEFAULT_TEMPLATE,
            data: None,
            changed: None,
            conversation: None,
            now: NOW.parse().unwrap(),
        });
        let markdown = &outcome.messages[0].markdown;
        assert_eq!(outcome.fallback, None, "{value:?}");
        assert!(!markdown.contains('<'), "{markdown}");
        for construct in constructs(markdown) {
            let ours = construct == "Strong" || construct.starts_with("link http");
            assert!(ours, "{value:?}: {construct}");
        }
    }
}
