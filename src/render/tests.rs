//! What the built-in template makes of each sample, what the fallbacks do, and what holds
//! for every message. The snapshots are what people read: review them as such.

use std::fs;
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use pulldown_cmark::{Event, Parser, Tag};
use tempfile::TempDir;

use super::samples::{self, NOW};
use super::*;

mod built_in;
mod cards;
mod conversations;
mod limits;

pub(super) fn render_with(renderer: &Renderer, template: &str, body: &str) -> Rendered {
    let notification = Notification::parse(body.as_bytes()).unwrap();
    renderer.render(&Subject {
        notification: &notification,
        receiver: "ops",
        template,
        data: None,
        changed: None,
        conversation: None,
        now: NOW.parse().unwrap(),
    })
}

fn render(body: &str) -> Rendered {
    let renderer = Renderer::new(&Options::default()).unwrap();
    render_with(&renderer, DEFAULT_TEMPLATE, body)
}

/// A renderer with these files in its directory.
pub(super) fn renderer_with(files: &[(&str, &str)]) -> (TempDir, Renderer) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let renderer = Renderer::new(&options(&directory)).unwrap();
    (directory, renderer)
}

fn options(directory: &TempDir) -> Options {
    Options {
        directory: Some(directory.path().to_path_buf()),
        ..Options::default()
    }
}

/// Everything that Webex would take for markup: the constructs, and the targets of links.
pub(super) fn constructs(markdown: &str) -> Vec<String> {
    // Neither mathematics nor superscript: Webex knows neither, and `$` and `^` are common.
    let options = pulldown_cmark::Options::ENABLE_TABLES
        | pulldown_cmark::Options::ENABLE_FOOTNOTES
        | pulldown_cmark::Options::ENABLE_STRIKETHROUGH
        | pulldown_cmark::Options::ENABLE_TASKLISTS
        | pulldown_cmark::Options::ENABLE_GFM;
    Parser::new_ext(markdown, options)
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. }) => Some(format!("link {dest_url}")),
            Event::Start(Tag::Paragraph) => None,
            Event::Start(tag) => Some(format!("{tag:?}")),
            Event::Html(html) | Event::InlineHtml(html) => Some(html.to_string()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_hostile_alert_brings_no_markup_of_its_own() {
    let outcome = render(&samples::hostile());
    let markdown = &outcome.messages[0].markdown;
    assert!(!markdown.contains('<'));
    for construct in constructs(markdown) {
        let ours = construct == "Strong"
            || construct.starts_with("link https://alertmanager.example.org/")
            || construct.starts_with("link https://example.org/a%20b")
            || construct.starts_with("link https://evil.example.org/%29%20%3C@all%3E");
        assert!(ours, "{construct}");
    }
}

#[test]
fn a_failing_template_falls_back_and_the_room_is_told_where_it_failed() {
    let (_directory, renderer) = renderer_with(&[
        ("team.md", "fine\n  {{ sumary }}"),
        ("blank.md", "{% if false %}x{% endif %} \n"),
        ("outer.md", "{% include \"team.md\" %}"),
    ]);
    for (template, note) in [
        (
            "team",
            "*⚠️ template team failed at team.md:2:6: Variable &#96;sumary&#96; is not defined; the built-in one was used*",
        ),
        ("outer", "*⚠️ template outer failed at team.md:2:6: "),
        (
            "blank",
            "*⚠️ template blank failed: it rendered to nothing; the built-in one was used*",
        ),
        (
            "gone",
            "*⚠️ template gone failed: there is no such template; the built-in one was used*",
        ),
    ] {
        let outcome = render_with(&renderer, template, &samples::firing(1));
        let markdown = &outcome.messages[0].markdown;
        assert!(
            markdown.starts_with("🔴 **Firing: KubePodCrashLooping**"),
            "{markdown}"
        );
        let last = markdown.rsplit("\n\n").next().unwrap();
        assert!(last.starts_with(note), "{last}");
        assert!(last.len() + 2 <= NOTE_BYTES);
        let fallback = outcome.fallback.unwrap();
        assert_eq!(fallback.template, template);
        assert!(!fallback.to_string().contains('\n'));
    }
}

#[test]
fn a_broken_override_of_default_falls_back_to_the_built_in_one() {
    let (_directory, renderer) = renderer_with(&[("default.md", "{{ nothing.at.all }}")]);
    let outcome = render_with(&renderer, DEFAULT_TEMPLATE, &samples::firing(1));
    assert!(outcome.messages[0].markdown.starts_with("🔴 **Firing: "));
    assert!(outcome.fallback.is_some());
}

#[test]
fn a_fallback_leaves_the_room_for_notes_free() {
    let (_directory, renderer) = renderer_with(&[("team.md", "{{ throw(message=status) }}")]);
    let outcome = render_with(&renderer, "team", &samples::firing(300));
    assert!(outcome.messages.len() > 1);
    let mut message = outcome.messages[0].clone();
    assert!(message.markdown.len() <= MESSAGE_BYTES - NOTE_BYTES);
    message.append_note(&"late ".repeat(100));
    assert!(message.markdown.len() <= MESSAGE_BYTES);
    assert!(message.markdown.contains("template team failed"));
}

#[test]
fn the_last_resort_tells_every_alert() {
    for (name, body) in samples::all() {
        let notification = Notification::parse(body.as_bytes()).unwrap();
        let text = cut::cut_text(
            &fallback::text(&notification).replace('\u{1e}', ""),
            RENDERED_BYTES,
        )
        .into_owned();
        assert!(!text.contains('<'), "{name}");
        assert!(
            constructs(&text).iter().all(|tag| tag == "Strong"),
            "{name}: {text}"
        );
        if name == "mixed" || name == "hostile" {
            insta::assert_snapshot!(format!("last_resort_{name}"), text);
        }
    }
}

#[test]
fn values_are_escaped_unless_they_are_declared_safe() {
    let (_directory, renderer) = renderer_with(&[(
        "team.md",
        "{{ group_labels.team }} {{ group_labels.team | safe }} {{ group_labels }}",
    )]);
    let outcome = render_with(&renderer, "team", &samples::hostile());
    assert_eq!(
        outcome.messages[0].markdown,
        "&lt;/b&gt;&amp;amp;&lt;@all&gt; </b>&amp;<@all> {\"team\": \"&lt;/b&gt;&amp;amp;&lt;@all&gt;\"}"
    );
}

#[test]
fn templates_see_the_whole_notification() {
    let template = "{{ status }} {{ receiver }} {{ configured_receiver }} {{ severity }} \
        {{ version }} {{ truncated_alerts }} {{ notification_reason }} {{ now }} \
        {{ alerts | length }} {{ firing | length }} {{ resolved | length }} \
        {{ alert_names | join(sep=\" \") }} {{ external_url | safe }} {{ group_key | safe }}\n\
        {{ group_labels }} {{ common_labels }} {{ common_annotations }} {{ route_labels }}\n\
        {{ alertmanager_url | safe }} {{ silence_url | safe }}\n\
        {% for alert in alerts %}{% for name, value in alert %}{{ name }}={{ value | safe }} {% endfor %}\n{% endfor %}";
    let (_directory, renderer) = renderer_with(&[("team.md", template)]);
    let outcome = render_with(&renderer, "team", &samples::mixed());
    assert_eq!(outcome.fallback, None);
    insta::assert_snapshot!(outcome.messages[0].markdown);
}

#[test]
fn the_example_of_the_documentation_works() {
    let page = include_str!("../../docs/templates.md");
    let example = page.split("```jinja\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let (_directory, renderer) = renderer_with(&[("team.md", example)]);
    let outcome = render_with(&renderer, "team", &samples::firing(2));
    assert_eq!(outcome.fallback, None);
    assert_eq!(
        outcome.messages[0].markdown,
        "🔴 **KubePodCrashLooping**\n\
         - Pod is crash looping. since 14:00 UTC [Runbook](https://runbooks.example.org/kubepodcrashlooping)\n\
         - Pod is crash looping. since 14:01 UTC [Runbook](https://runbooks.example.org/kubepodcrashlooping)"
    );
}

#[test]
fn the_filters_do_what_the_documentation_says() {
    let (_directory, renderer) = renderer_with(&[(
        "team.md",
        "{% for alert in alerts %}\
         {{ alert.starts_at | clock }}|{{ alert.starts_at | duration }}|\
         {{ alert.starts_at | duration(until=alert.ends_at) }}|{{ alert.ends_at | clock }}|\
         {{ alert.labels | remove(names=[\"pod\", \"job\"]) | facts(max=2, length=9) }}|\
         {{ alert.labels.severity | severity_emoji }}|{{ \"https://a.b/(\" | url }}|\
         {{ \"https://a.b\" | link(text=\"*\") }}|{{ alert.annotations.none | link(text=\"x\") }}|\
         {{ \"one two three\" | shorten(length=8) }}|\
         {{ [[\"A\", \"http://a\"], [\"B\", alert.labels.none], [\"C\", \"http://c\"]] | links }}\
         {% endfor %}",
    )]);
    let outcome = render_with(&renderer, "team", &samples::firing(1));
    assert_eq!(outcome.fallback, None);
    assert_eq!(
        outcome.messages[0].markdown,
        "14:00 UTC|5 min|||alertname: KubePodCr… · cluster: prod-eu1 · … 5 more|🔴|https://a.b/%28|\
         [\\*](https://a.b)||one two…|[A](http://a) · [C](http://c)"
    );
}

#[test]
fn a_mounted_config_map_is_read_through_its_links() {
    let directory = tempfile::tempdir().unwrap();
    let versioned = directory.path().join("..2026_03_04");
    fs::create_dir(&versioned).unwrap();
    fs::write(versioned.join("team.md"), "of the team").unwrap();
    symlink("..2026_03_04", directory.path().join("..data")).unwrap();
    symlink("..data/team.md", directory.path().join("team.md")).unwrap();
    fs::write(directory.path().join(".hidden.md"), "{{ broken").unwrap();
    fs::write(directory.path().join("notes.txt"), "{{ broken").unwrap();
    fs::create_dir(directory.path().join("folder.md")).unwrap();

    let renderer = Renderer::new(&options(&directory)).unwrap();
    assert_eq!(
        renderer.names(),
        [
            "compact", "default", "detailed", "digest", "fallback", "team", "thread"
        ]
    );
    assert!(renderer.contains("team") && !renderer.contains("folder"));
}

#[test]
fn a_directory_that_cannot_be_read_is_named_with_the_remedy() {
    let error = Renderer::new(&Options {
        directory: Some("/no/such/directory".into()),
        ..Options::default()
    })
    .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the template directory `/no/such/directory` cannot be read: "));
    assert!(text.ends_with("remove `templates.directory`"), "{text}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("team.md"), b"\xff\xfe").unwrap();
    let text = Renderer::new(&options(&directory)).unwrap_err().to_string();
    assert!(
        text.contains("team.md: it cannot be read as UTF-8 text"),
        "{text}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_alert_becomes_a_message_without_foreign_markup(
        labels in prop::collection::btree_map("[a-z<@*_.]{1,6}|severity|alertname", ".{0,40}", 0..6),
        summary in ".{0,400}",
        count in 1_usize..40,
    ) {
        let alerts: Vec<_> = (0..count)
            .map(|index| {
                let mut labels = serde_json::json!(labels);
                labels["n"] = index.to_string().into();
                serde_json::json!({
                    "status": if index % 3 == 0 { "resolved" } else { "firing" },
                    "labels": labels,
                    "annotations": {"summary": summary},
                    "startsAt": NOW,
                })
            })
            .collect();
        let body = serde_json::json!({
            "version": "4", "groupKey": "k", "commonLabels": labels, "alerts": alerts,
        });
        let outcome = render(&body.to_string());
        prop_assert_eq!(&outcome.fallback, &None);
        let markdown = &outcome.messages[0].markdown;
        prop_assert!(markdown.len() <= MESSAGE_BYTES - NOTE_BYTES);
        prop_assert!(!markdown.contains('<'));
        prop_assert!(constructs(markdown).iter().all(|tag| tag == "Strong"), "{}", markdown);
    }
}
