//! What filters say of wrong arguments, what they refuse to make, and what the data holds.

use jiff::tz::TimeZone;
use serde_json::json;

use crate::alertmanager::Notification;
use crate::render::samples::{self, NOW};
use crate::render::{
    Address, Mention, Options, ReceiverData, Rendered, Renderer, Rewrites, Subject,
};

/// Renders a template without a file's trouble around it.
struct Trial {
    options: Options,
    data: Option<ReceiverData>,
    changed: Option<Vec<usize>>,
}

impl Trial {
    fn plain() -> Self {
        Self {
            options: Options::default(),
            data: None,
            changed: None,
        }
    }

    fn render(&self, template: &str, body: &str) -> Rendered {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("team.md"), template).unwrap();
        let renderer = Renderer::new(&Options {
            directory: Some(directory.path().to_owned()),
            ..self.options.clone()
        })
        .unwrap();
        let notification = Notification::parse(body.as_bytes()).unwrap();
        renderer.render(&Subject {
            notification: &notification,
            receiver: "ops",
            template: "team",
            data: self.data.as_ref(),
            changed: self.changed.as_deref(),
            conversation: None,
            now: NOW.parse().unwrap(),
        })
    }

    fn shows(&self, template: &str, body: &str) -> String {
        let rendered = self.render(template, body);
        assert_eq!(rendered.fallback, None, "{template}");
        rendered.messages[0].markdown.clone()
    }
}

/// Why a template fails.
fn refused(template: &str) -> String {
    let rendered = Trial::plain().render(template, &samples::firing(2));
    let fallback = rendered
        .fallback
        .unwrap_or_else(|| panic!("{template} works"));
    // The room is told as well.
    assert!(
        rendered.messages[0]
            .markdown
            .contains("template team failed")
    );
    fallback.reason
}

#[test]
fn what_is_wrong_is_said_with_the_filter_the_argument_and_a_remedy() {
    let told: Vec<String> = [
        "{{ alerts[0].labels.team }}",
        "{{ common_labels.team }}",
        "é {% for a in alerts %}{{ a.labels.team }}{% endfor %}",
        "{{ common_labels.team.x }}",
        "{{ alerts[0].labels[\"team\"] }}",
        "{{ alerts[0].labels.team | to_upper }}",
        "{{ alerts | to_upper }}",
        "{{ status | shorten(len=3) }}",
        "{{ status | shorten(length=\"a\") }}",
        "{{ status | trim_space(x=1) }}",
        "{{ status | match }}",
        "{{ status | match(pattern=\"a(b\") }}",
        "{{ status | re_replace_all(pattern=\"a\") }}",
        "{{ status | date(layout=\"2006\") }}",
        "{{ now | date }}",
        "{{ now | tz(name=\"Mars\") }}",
        "{{ status | humanize_duration }}",
        "{{ alerts[0].ends_at | since }}",
        "{{ status | must_to_date(layout=\"2006\") }}",
        "{{ status | base64_decode }}",
        "{{ \"%zz\" | url_unescape }}",
        "{{ status | names }}",
        "{{ status | facts }}",
        "{{ status | fence(language=\"a b\") }}",
        "{{ [status] | links }}",
        "{{ status | append(value=1) }}",
        "{{ mention() }}",
        "{{ route_labels() }}",
    ]
    .into_iter()
    .map(|template| format!("{template}\n    {}", refused(template)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn no_filter_eats_the_process() {
    for template in [
        "{% set_global x = \"aa\" %}{% for i in range(end=60) %}\
         {% set_global x = x | re_replace_all(pattern=\"a\", with=\"$0$0\") %}{% endfor %}{{ x }}",
        "{% set_global x = [1, 1] %}{% for i in range(end=60) %}\
         {% set_global x = list(values=[x, x]) %}{% endfor %}{{ x | to_json }}",
        "{% set_global x = [1, 1] %}{% for i in range(end=60) %}\
         {% set_global x = x | append(values=x) %}{% endfor %}{{ x | length }}",
        "{% set_global x = {\"a\": 1} %}{% for i in range(end=60) %}\
         {% set_global x = dict(a=x, b=x) %}{% endfor %}{{ x | to_json }}",
        "{% set_global x = [1] %}{% for i in range(end=60) %}\
         {% set_global x = [x, x] %}{% endfor %}{{ x | to_json }}",
        "{% set_global x = \"aaaaaaaaaa\" %}{% for i in range(end=60) %}\
         {% set_global x = [x, x] | join %}{% endfor %}{{ x }}",
        "{{ status | match(pattern=\"((a{100}){100}){100}\") }}",
    ] {
        let reason = refused(template);
        assert!(
            reason.contains("more than ") || reason.contains("too "),
            "{template}: {reason}"
        );
    }
}

#[test]
fn times_are_told_in_the_configured_zone() {
    let trial = Trial {
        options: Options {
            timezone: TimeZone::get("America/New_York").unwrap(),
            ..Options::default()
        },
        ..Trial::plain()
    };
    let template = "{{ alerts[0].starts_at }} {{ alerts[0].starts_at | clock }} \
        {{ alerts[0].starts_at | date(layout=\"15:04 MST\") }} {{ now() | date(layout=\"15:04\") }} \
        {{ now | tz(name=\"UTC\") | clock }} {{ alerts[0].starts_at | duration }}";
    assert_eq!(
        trial.shows(template, &samples::firing(1)),
        "2026-03-04T09:00:12.345-05:00 09:00 EST 09:00 EST 09:05 14:05 UTC 5 min"
    );
}

#[test]
fn addresses_of_the_cluster_are_rewritten_wherever_they_are_links() {
    let trial = Trial {
        options: Options {
            links: Rewrites::new([
                ("http://am:9093", "https://am.example.org"),
                ("http://prom:9090", "https://prom.example.org"),
                ("http://docs", "https://docs.example.org"),
            ]),
            ..Options::default()
        },
        ..Trial::plain()
    };
    let body = json!({
        "version": "4", "groupKey": "k", "receiver": "r", "externalURL": "http://am:9093",
        "commonLabels": {"a": "b"},
        "alerts": [{
            "labels": {"a": "b"}, "generatorURL": "http://prom:9090/graph",
            "annotations": {"runbook_url": "http://docs/x"},
        }],
    })
    .to_string();
    let template = "{% set a = alerts[0] %}{% set runbook = a.annotations.runbook_url %}\
        {{ external_url | safe }} {{ alertmanager_url | safe }} {{ silence_url | safe }} \
        {{ a.silence_url | safe }} {{ a.generator_url | safe }} {{ a.generator_url | link(text=\"S\") }} \
        {{ runbook | link(text=\"R\") }} {{ [[\"R\", runbook]] | links }} {{ runbook | safe_url }}";
    assert_eq!(
        trial.shows(template, &body),
        "https://am.example.org https://am.example.org/#/alerts?receiver=r \
         https://am.example.org/#/silences/new?filter=%7Ba%3D%22b%22%7D \
         https://am.example.org/#/silences/new?filter=%7Ba%3D%22b%22%7D \
         https://prom.example.org/graph [S](https://prom.example.org/graph) \
         [R](https://docs.example.org/x) [R](https://docs.example.org/x) https://docs.example.org/x"
    );
}

fn on_call() -> ReceiverData {
    let people = [Address::parse("on_call@example.org").unwrap()];
    let mention = Mention::new(vec!["critical".to_owned()], &people, false);
    let settings = json!({"team": "<b>", "deep": {"list": [1, 2.5, true, "x"]}});
    ReceiverData::new(settings.as_object().unwrap(), Some(mention))
}

#[test]
fn settings_are_passed_as_they_are_and_escaped_like_all_text() {
    let trial = Trial {
        data: Some(on_call()),
        ..Trial::plain()
    };
    assert_eq!(
        trial.shows(
            "{{ settings.team }} {{ settings.deep.list | to_json | safe }}",
            &samples::firing(1)
        ),
        "&lt;b&gt; [1,2.5,true,\"x\"]"
    );
    let none = Trial::plain();
    assert_eq!(
        none.shows(
            "[{{ settings.team or \"\" }}{{ mention }}]",
            &samples::firing(1)
        ),
        "[]"
    );
}

#[test]
fn whom_the_configuration_names_is_mentioned_while_it_fires() {
    let trial = Trial {
        data: Some(on_call()),
        ..Trial::plain()
    };
    let person = "<@personEmail:on_call@example.org>";
    let built_in = "{% include \"default.md\" %}";
    let first_line = |markdown: String| markdown.lines().next().unwrap().trim_end().to_owned();
    let firing = first_line(trial.shows(built_in, &samples::firing(2)));
    assert!(firing.ends_with(person), "{firing}");
    let resolved = samples::firing(2).replace("\"firing\"", "\"resolved\"");
    assert!(!trial.shows(built_in, &resolved).contains("<@"));
    let warning = samples::firing(2).replace("\"critical\"", "\"warning\"");
    assert!(!trial.shows(built_in, &warning).contains("<@"));
    // A broken template is no reason to let somebody sleep.
    let broken = trial.render("{{ gone }}", &samples::firing(2));
    assert!(broken.messages[0].markdown.contains(person));
    assert_eq!(
        trial.shows(
            "{{ \"a_b@c.d\" | mention }} {{ mention(email=\"a@b.c\") }} {{ \"<@all>\" | mention }} \
             {{ alerts[0].labels.owner | mention }}.",
            &samples::firing(1)
        ),
        "<@personEmail:a_b@c.d> <@personEmail:a@b.c> &lt;@all&gt; ."
    );
}

#[test]
fn what_has_changed_is_all_unless_it_is_known() {
    let template = "{% for a in changed.firing %}{{ a.status }} {{ a.labels.pod }};{% endfor %}\
        {% for a in changed.resolved %}{{ a.status }} {{ a.labels.pod }};{% endfor %}";
    let body = samples::mixed();
    assert_eq!(
        Trial::plain().shows(template, &body).matches(';').count(),
        3
    );
    let known = Trial {
        changed: Some(vec![1, 7]),
        ..Trial::plain()
    };
    assert_eq!(known.shows(template, &body), "firing api-7d9f8c6b5-00002;");
}

#[test]
fn the_filters_of_messages_do_what_the_documentation_says() {
    let shows = |template: &str| Trial::plain().shows(template, &samples::firing(1));
    assert_eq!(
        shows("{{ \"überlang\" | truncate_bytes(length=7) }}"),
        "übe…"
    );
    assert_eq!(shows("{{ \"über\" | truncate_bytes(length=5) }}"), "über");
    assert_eq!(shows("{{ \"über\" | truncate_bytes(length=2) }}"), "ü");
    assert_eq!(shows("{{ \"a*b\" | code }}"), "`a*b`");
    assert_eq!(shows("{{ \"a*b\" | fence }}"), "```\na*b\n```");
    assert_eq!(shows("{{ \"a+b\" | query_unescape }}"), "a b");
    assert_eq!(shows("{{ list() | length }}"), "0");
    assert_eq!(
        shows("{{ [\"https://a.b\" | link(text=\"A\"), \"<b>\", 5] | join(sep=\" > \") }}"),
        "[A](https://a.b) &gt; &lt;b&gt; &gt; 5"
    );
    assert_eq!(
        shows("{{ [\"a\", \"<b>\"] | join(sep=\"*\") }}"),
        "a\\*&lt;b&gt;"
    );
    assert_eq!(
        shows(
            "{% for pair in group_labels | sorted_pairs %}{{ pair.name }}={{ pair.value }},{% endfor %}"
        ),
        "alertname=KubePodCrashLooping,namespace=payments,"
    );
}
