//! What the messages of a conversation say: replies, edits, and what templates know of them.

use super::super::*;
use super::renderer_with;

/// A message of a conversation, with the built-in templates.
fn told(body: &str, template: &str, conversation: Conversation<'_>) -> String {
    let renderer = Renderer::new(&Options::default()).unwrap();
    told_by(&renderer, body, template, conversation)
}

fn told_by(
    renderer: &Renderer,
    body: &str,
    template: &str,
    conversation: Conversation<'_>,
) -> String {
    let notification = Notification::parse(body.as_bytes()).unwrap();
    let outcome = renderer.render(&Subject {
        notification: &notification,
        receiver: "ops",
        template,
        data: None,
        changed: None,
        conversation: Some(conversation),
        now: samples::NOW.parse().unwrap(),
    });
    assert_eq!(outcome.fallback, None);
    outcome.messages[0].markdown.clone()
}

fn root<'a>() -> Conversation<'a> {
    Conversation {
        is_reply: false,
        root_since: None,
        edit_number: 0,
        newly_firing: &[],
        newly_resolved: &[],
        is_repeat: false,
    }
}

fn reply<'a>(newly_firing: &'a [usize], newly_resolved: &'a [usize]) -> Conversation<'a> {
    Conversation {
        is_reply: true,
        root_since: Some("2026-03-04T13:55:00Z".parse().unwrap()),
        newly_firing,
        newly_resolved,
        ..root()
    }
}

#[test]
fn a_reply_says_what_has_changed() {
    let repeat = Conversation {
        is_repeat: true,
        ..reply(&[], &[])
    };
    let mixed = samples::mixed();
    let over = samples::find("one_resolved").unwrap().body();
    let different = samples::find("different_alerts").unwrap().body();
    let all_over = samples::mixed().replace("\"firing\"", "\"resolved\"");
    let told = [
        ("one more of two", samples::firing(2), reply(&[1], &[])),
        ("all are new", samples::firing(2), reply(&[0, 1], &[])),
        ("some are over", mixed.clone(), reply(&[], &[0, 2])),
        ("one is new, two are over", mixed, reply(&[1], &[0, 2])),
        ("all are over", all_over, reply(&[], &[1])),
        ("the only one is over", over, reply(&[], &[0])),
        ("a repeat of one", samples::firing(1), repeat),
        ("a repeat of twelve", samples::firing(12), repeat),
        ("nothing is new", samples::firing(2), reply(&[], &[])),
        ("different alerts", different, reply(&[1, 2], &[])),
        ("hostile", samples::hostile(), reply(&[1], &[])),
        ("out of range", samples::firing(1), reply(&[7], &[9])),
    ]
    .map(|(name, body, conversation)| {
        let text = told(&body, DEFAULT_TEMPLATE, conversation);
        format!("---- {name}\n{text}\n")
    });
    insta::assert_snapshot!(told.join(""));
}

#[test]
fn a_first_message_that_is_brought_up_to_date_says_in_its_title_when_all_is_over() {
    let edit = Conversation {
        edit_number: 3,
        root_since: reply(&[], &[]).root_since,
        ..root()
    };
    let one = samples::find("one_resolved").unwrap().body();
    let all = samples::mixed().replace("\"firing\"", "\"resolved\"");
    let mut shown = Vec::new();
    for template in [DEFAULT_TEMPLATE, "compact", "detailed"] {
        for (name, body) in [("one", &one), ("all", &all), ("some", &samples::mixed())] {
            let text = told(body, template, edit);
            let lines: Vec<&str> = text.lines().take(3).collect();
            shown.push(format!("---- {template} {name}\n{}\n", lines.join("\n")));
        }
    }
    insta::assert_snapshot!(shown.join(""));
}

#[test]
fn a_reply_shows_no_markup_of_a_hostile_alert() {
    let text = told(&samples::hostile(), DEFAULT_TEMPLATE, reply(&[0, 1], &[]));
    assert!(!text.contains('<'), "{text}");
    for construct in super::constructs(&text) {
        let ours = construct == "Strong"
            || construct.starts_with("link https://alertmanager.example.org/");
        assert!(ours, "{construct}");
    }
}

#[test]
fn templates_know_the_conversation_and_have_sensible_values_without_one() {
    let template = "{{ is_reply }} {{ is_repeat }} {{ edit_number }} [{{ root_since }}] \
        {{ changed.firing | length }} {{ changed.resolved | length }} \
        {{ began_at }} [{{ ended_at }}]";
    let (_directory, renderer) = renderer_with(&[("team.md", template), ("thread.md", template)]);
    let body = samples::mixed();
    let without = super::render_with(&renderer, "team", &body);
    assert_eq!(without.fallback, None);
    let with = |conversation| told_by(&renderer, &body, "team", conversation);
    let edited = Conversation {
        edit_number: 3,
        root_since: reply(&[], &[]).root_since,
        newly_resolved: &[0, 2],
        ..root()
    };
    insta::assert_snapshot!(
        [
            without.messages[0].markdown.clone(),
            with(root()),
            with(edited),
            with(reply(&[1], &[0])),
        ]
        .join("\n"),
        @r"
        false false 0 [] 1 2 2026-03-04T14:01:12.345Z []
        false false 0 [] 0 0 2026-03-04T14:01:12.345Z []
        false false 3 [2026-03-04T13:55:00Z] 0 2 2026-03-04T13:55:00Z []
        true false 0 [2026-03-04T13:55:00Z] 1 1 2026-03-04T13:55:00Z []
        "
    );
}

#[test]
fn a_reply_is_made_by_the_own_thread_template_and_by_the_built_in_one_if_that_fails() {
    let (_directory, renderer) = renderer_with(&[("thread.md", "{{ sumary }}")]);
    let notification = samples::firing(2);
    let notification = Notification::parse(notification.as_bytes()).unwrap();
    let outcome = renderer.render(&Subject {
        notification: &notification,
        receiver: "ops",
        template: "compact",
        data: None,
        changed: None,
        conversation: Some(reply(&[1], &[])),
        now: samples::NOW.parse().unwrap(),
    });
    let markdown = &outcome.messages[0].markdown;
    assert!(markdown.starts_with("🔴 **1 new, 2 firing: "), "{markdown}");
    assert!(
        markdown.contains("template thread failed at thread.md:1:4"),
        "{markdown}"
    );
    assert_eq!(outcome.fallback.unwrap().template, "thread");
    assert_eq!(outcome.messages[0].card, None);
}

#[test]
fn a_reply_mentions_only_for_what_is_new_and_for_a_repeat() {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let people = [Address::parse("oncall@example.org").unwrap()];
    let data = ReceiverData::new(
        &serde_json::Map::new(),
        Some(Mention::new(vec!["critical".to_owned()], &people, false)),
    );
    // The first is a warning, the second an information, the third critical.
    let body = samples::find("different_alerts").unwrap().body();
    let notification = Notification::parse(body.as_bytes()).unwrap();
    let mentions = |conversation| {
        let outcome = renderer.render(&Subject {
            notification: &notification,
            receiver: "ops",
            template: DEFAULT_TEMPLATE,
            data: Some(&data),
            changed: None,
            conversation: Some(conversation),
            now: samples::NOW.parse().unwrap(),
        });
        outcome.messages[0]
            .markdown
            .contains("<@personEmail:oncall@example.org>")
    };
    assert!(mentions(root()));
    assert!(mentions(reply(&[2], &[])));
    assert!(!mentions(reply(&[0, 1], &[])));
    assert!(mentions(Conversation {
        is_repeat: true,
        ..reply(&[], &[])
    }));
}
