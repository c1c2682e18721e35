//! The playground: what a template makes of a notification, and what is wrong with it.

use serde_json::{Value, json};

use super::{Running, tried};
use crate::harness::{Answer, client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_templates_and_samples_are_listed() {
    let dev = Running::start();
    let receivers = dev.get("receivers").await.body;
    assert_eq!(receivers[0]["name"], "default");
    assert_eq!(receivers[0]["template"], "default");
    assert_eq!(receivers[0]["rooms"][0]["name"], "general");
    assert_eq!(receivers[1]["name"], "team/ops");

    let templates = dev.get("templates").await.body;
    let named = |name: &str| {
        let all = templates.as_array().unwrap().iter();
        all.clone()
            .find(|template| template["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(named("team")["markdown"], "Team: {{ status }}");
    assert_eq!(named("team")["built_in"], false);
    assert_eq!(named("compact")["built_in"], true);
    assert!(
        named("compact")["card"]
            .as_str()
            .unwrap()
            .contains("AdaptiveCard")
    );
    assert_eq!(named("default")["card"], Value::Null);

    let samples = dev.get("samples").await.body;
    let samples = samples.as_array().unwrap();
    let storm = samples
        .iter()
        .find(|sample| sample["name"] == "storm_of_groups");
    assert_eq!(storm.unwrap()["notifications"], 500);
    let life = samples.iter().find(|sample| sample["name"] == "life");
    assert_eq!(life.unwrap()["notifications"], 6);
    assert!(
        samples
            .iter()
            .all(|sample| sample["body"]["version"] == "4")
    );
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_template_makes_is_shown_in_every_form() {
    let dev = Running::start();
    let own = dev
        .render(tried("**{{ status }}** {{ alerts | length }}"))
        .await;
    assert_eq!(own["template"], "mine");
    let part = &own["parts"][0];
    assert_eq!(part["markdown"], "**firing** 1");
    assert_eq!(part["text"], "firing 1");
    assert!(
        part["html"]
            .as_str()
            .unwrap()
            .contains("<strong>firing</strong>"),
        "{part}"
    );
    assert_eq!(
        part["bytes"],
        json!({"markdown": 12, "text": 8, "card": null})
    );
    assert_eq!(own["problems"], json!([]));
    assert_eq!(own["limits"]["message"], 7439);

    // Without a template it is the receiver's own; one of the directory by its name.
    let configured = dev.render(json!({"sample": "one_resolved"})).await;
    assert_eq!(configured["template"], "default");
    let listed = dev
        .render(json!({"sample": "mixed", "template": {"name": "team"}}))
        .await;
    assert_eq!(listed["parts"][0]["markdown"], "Team: firing");

    // A built-in card goes with its text; the text alone takes it away; a card can be given.
    let compact = dev
        .render(json!({"sample": "mixed", "template": {"name": "compact"}}))
        .await;
    assert_eq!(compact["parts"][0]["card"]["type"], "AdaptiveCard");
    let card = r#"{"type":"AdaptiveCard","version":"1.3","body":[{"type":"TextBlock","text":"{{ status }}"}]}"#;
    let with_card = json!({"sample": "mixed", "template": {"markdown": "a", "card": card}});
    let with_card = dev.render(with_card).await;
    assert_eq!(with_card["template"], "playground");
    assert_eq!(with_card["parts"][0]["card"]["body"][0]["text"], "firing");

    // What is too long is split, each part within the limit.
    let many = dev
        .render(json!({"sample": "storm", "template": {"name": "detailed"}}))
        .await;
    let parts = many["parts"].as_array().unwrap();
    assert!(parts.len() > 1);
    assert!(
        parts
            .iter()
            .all(|part| part["bytes"]["markdown"].as_u64().unwrap() <= 7439)
    );
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_template_is_told_with_its_place() {
    let dev = Running::start();
    let broken = dev.render(tried("fine\n{{ status | uper }}")).await;
    assert_eq!(broken["parts"], json!([]));
    let problem = &broken["problems"][0];
    assert_eq!(
        (&problem["file"], &problem["line"]),
        (&json!("mine.md"), &json!(2))
    );
    assert_eq!(
        (&problem["column"], &problem["length"]),
        (&json!(13), &json!(4)),
        "{problem}"
    );
    assert!(
        problem["hint"].as_str().unwrap().contains("upper"),
        "{problem}"
    );

    let failing = dev.render(tried("fine\n\n  {{ nothing.here }}")).await;
    let problem = &failing["problems"][0];
    assert_eq!(
        (&problem["file"], &problem["line"]),
        (&json!("mine.md"), &json!(3)),
        "{problem}"
    );
    assert!(
        failing["fallback"]
            .as_str()
            .unwrap()
            .starts_with("template mine failed")
    );
    let shown = failing["parts"][0]["markdown"].as_str().unwrap();
    assert!(shown.contains("KubePodCrashLooping") && shown.contains("the built-in one was used"));

    for (card, said) in [
        ("{", "mine.card.json"),
        (
            r#"{"type":"AdaptiveCard","version":"1.5","body":[]}"#,
            "`version` must be",
        ),
    ] {
        let asked = json!({"sample": "mixed", "template": {"name": "mine", "markdown": "text", "card": card}});
        let failing = dev.render(asked).await;
        assert_eq!(failing["problems"][0]["file"], "mine.card.json");
        assert!(
            failing["fallback"].as_str().unwrap().contains(said),
            "{failing}"
        );
        assert_eq!(failing["parts"][0]["card"], Value::Null);
    }
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn templates_that_mean_harm_harm_nobody() {
    let dev = Running::start();
    // As long as it is allowed to be, and each a parser's nightmare.
    for source in [
        "{{ (".repeat(60_000),
        "{% if true %}".repeat(15_000),
        "{{ [[[[[[[[[[".repeat(15_000),
        "{{ 'a' ~ ".to_owned() + &"'a' ~ ".repeat(30_000) + "'a' }}",
    ] {
        let told = dev.render(tried(&source)).await;
        assert_ne!(told["problems"], json!([]), "{}", &source[..40]);
    }
    let told = dev
        .render(tried("{% for a in range(end=1000000000) %}{% endfor %}"))
        .await;
    assert!(
        told["fallback"].as_str().unwrap().contains("limit"),
        "{told}"
    );

    // What a template or an alert holds cannot run on the page.
    let script = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1))";
    for asked in [tried(script), json!({"sample": "hostile"})] {
        let shown = dev.render(asked).await;
        let html = shown["parts"][0]["html"].as_str().unwrap().to_lowercase();
        for tag in ["<script", "<img", "onerror=", "href=\"javascript"] {
            let outside_text = html.contains(tag) && !html.contains("&lt;img");
            assert!(!outside_text, "{tag} in {html}");
        }
    }

    let large = dev.post("render", tried(&"x".repeat(300_000))).await;
    assert_eq!(large.status, 413, "{large:?}");
    assert!(
        large.body["message"].as_str().unwrap().contains("262144"),
        "{large:?}"
    );

    // It goes on working, and nothing was written.
    assert_eq!(
        dev.render(tried("fine")).await["parts"][0]["markdown"],
        "fine"
    );
    assert_eq!(std::fs::read_dir(dev.templates.path()).unwrap().count(), 1);
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_calls_are_told_what_is_wrong_and_what_to_do() {
    let dev = Running::start();
    for (body, status, said) in [
        (json!([]), 400, "cannot be read"),
        (
            json!({"sample": "one_firing", "unknown_one": {}}),
            400,
            "unknown field `unknown_one`",
        ),
        (
            json!({"sample": "one_firing", "template": {"markdown": 3}}),
            400,
            "template.markdown",
        ),
        (json!({}), 400, "one of the two"),
        (
            json!({"sample": "mixed", "notification": {}}),
            400,
            "one of the two",
        ),
        (
            json!({"sample": "nope"}),
            400,
            "known samples: `one_firing`",
        ),
        (
            json!({"sample": "mixed", "receiver": "nope"}),
            400,
            "known receivers: `default`, `team/ops`",
        ),
        (
            json!({"sample": "mixed", "template": {"name": "nope"}}),
            400,
            "known templates: `compact`",
        ),
        (
            json!({"sample": "mixed", "template": {"name": "../../etc/passwd", "markdown": ""}}),
            400,
            "letters, digits",
        ),
        (
            json!({"notification": {"version": "3"}}),
            400,
            "understands \"4\"",
        ),
        (
            json!({"notification": "{ \"version\": \"4\","}),
            400,
            "is not JSON",
        ),
    ] {
        for path in ["render", "send"] {
            if path == "send" && said.contains("understands") || said.contains("is not JSON") {
                continue;
            }
            let answer = dev.post(path, body.clone()).await;
            assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
            let message = answer.body["message"].as_str().unwrap();
            assert!(message.contains(said), "{path} {body}: {message}");
        }
    }
    for (path, status) in [
        ("", 404),
        ("nope", 404),
        ("messages/x/notification", 404),
        ("render", 405),
    ] {
        let answer = dev.get(path).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (status, &json!("error")),
            "{path}"
        );
    }
    assert_eq!(dev.post("receiver", json!({})).await.status, 405);
    let foreign = client()
        .post(format!("{}/dev/v1/send", dev.url))
        .header("Origin", "https://evil.example.org")
        .body(r#"{"sample":"one_firing"}"#);
    assert_eq!(Answer::of(foreign).await.status, 403);
    assert!(dev.messages("general").is_empty());
    dev.stop().await;
}
