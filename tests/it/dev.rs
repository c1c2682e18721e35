//! What `dev` adds to the sandbox' page, over real sockets: the playground, samples, what the
//! receiver is doing, and where a message came from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::app::App;
use alertmanager_webex::config::{Draft, Sources};
use alertmanager_webex::dev::{Book, Dev};
use alertmanager_webex::prepared::prepare;
use alertmanager_webex::sandbox::{Message, Sandbox, Server};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{Answer, client};

/// Sandbox, service and what ties them together, as `dev` runs them.
struct Running {
    url: String,
    sandbox: Sandbox,
    templates: tempfile::TempDir,
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Running {
    fn start() -> Self {
        Self::with("")
    }

    /// `more` is TOML behind the configuration.
    fn with(more: &str) -> Self {
        let sandbox = Sandbox::default();
        let server = Server::bind(sandbox.clone(), ([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", server.local_addr());
        let templates = tempfile::tempdir().unwrap();
        std::fs::write(templates.path().join("team.md"), "Team: {{ status }}").unwrap();
        let room = |title| sandbox.room_id(title).unwrap();
        let toml = format!(
            "[rooms]\ngeneral = \"{}\"\nops = \"{}\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\nshutdown_delay = \"0s\"\n\
             [webex]\nbase_url = \"{url}/v1\"\n\
             [templates]\ndirectory = \"{}\"\n\
             [bots.default]\ntoken_env = \"TOKEN\"\n\
             [receivers.default]\nrooms = [\"general\"]\nbot = \"default\"\n\
             [receivers.\"team/ops\"]\nrooms = [\"ops\"]\nbot = \"default\"\n{more}",
            room("general"),
            room("ops"),
            templates.path().display(),
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), toml).unwrap();
        let sources = Sources {
            file: Some(file.path().to_owned()),
            environment: BTreeMap::from([("TOKEN".to_owned(), "sandbox".to_owned())]),
        };
        let options = Draft::read(&sources).unwrap().render_options();
        let prepared = prepare(&sources).unwrap_or_else(|error| panic!("{error}"));
        let book = Arc::new(Book::default());
        let app = App::start_watched(prepared, book.clone()).unwrap();
        let dev = Dev::new(&app, options, book).unwrap();
        let server = server.with_extension(Arc::new(dev));
        let stop = CancellationToken::new();
        let (page, service) = (stop.clone(), stop.clone());
        let tasks = vec![
            tokio::spawn(async { server.run_until(page.cancelled_owned()).await.unwrap() }),
            tokio::spawn(async { app.run_until(service.cancelled_owned()).await.unwrap() }),
        ];
        Self {
            url,
            sandbox,
            templates,
            stop,
            tasks,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(client().get(format!("{}/dev/v1/{path}", self.url))).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        let request = client()
            .post(format!("{}/dev/v1/{path}", self.url))
            .header("Content-Type", "application/json")
            .body(body.to_string());
        Answer::of(request).await
    }

    /// A rendering that is answered 200.
    async fn render(&self, body: Value) -> Value {
        let answer = self.post("render", body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    fn messages(&self, room: &str) -> Vec<Message> {
        self.sandbox.messages(&self.sandbox.room_id(room).unwrap())
    }

    /// Asks until `found` finds what it looks for.
    async fn until<T>(&self, path: &str, found: impl Fn(&Value) -> Option<T>) -> T {
        let ask = async {
            loop {
                let answer = self.get(path).await;
                if let Some(found) = found(&answer.body) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ask)
            .await
            .unwrap_or_else(|_| panic!("{path} never told what was waited for"))
    }

    async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// A template that is tried out.
fn tried(markdown: &str) -> Value {
    json!({"template": {"name": "mine", "markdown": markdown}, "sample": "one_firing"})
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_goes_the_whole_way_and_its_message_knows_where_it_came_from() {
    let dev = Running::start();
    let sent = dev.post("send", json!({"sample": "one_firing"})).await.body;
    assert_eq!(sent["answers"][0]["status"], 200, "{sent}");
    assert_eq!(sent["answers"][0]["reason"], "delivered");
    let messages = dev.messages("general");
    assert_eq!(
        sent["messages"],
        json!([{"room": messages[0].room_id, "id": messages[0].id}])
    );
    assert_eq!(sent["rooms"][0]["id"], messages[0].room_id);

    let origin = dev
        .get(&format!("messages/{}/notification", messages[0].id))
        .await;
    assert_eq!(origin.status, 200);
    let notifications = origin.body["notifications"].as_array().unwrap();
    assert_eq!(notifications.len(), 1);
    assert_eq!(notifications[0]["receiver"], "default");
    assert_eq!(
        notifications[0]["body"]["groupKey"],
        "{}:{alertname=\"KubePodCrashLooping\"}"
    );

    // As if it happened now, so the second is no repeat of the first. A pasted one is moved.
    let pasted = json!({"notification": notifications[0]["body"], "receiver": "team/ops"});
    for _ in 0..2 {
        assert_eq!(
            dev.post("send", json!({"sample": "one_firing"})).await.body["answers"][0]["reason"],
            "delivered"
        );
        assert_eq!(
            dev.post("send", pasted.clone()).await.body["answers"][0]["reason"],
            "delivered"
        );
    }
    assert_eq!(
        (dev.messages("general").len(), dev.messages("ops").len()),
        (3, 2)
    );

    // What the service refuses is shown as it refuses it.
    let refused = dev
        .post("send", json!({"notification": {"version": "3"}}))
        .await
        .body;
    assert_eq!(refused["answers"][0]["status"], 400, "{refused}");
    assert_eq!(refused["answers"][0]["reason"], "bad_payload");
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_is_tried_out_is_used_for_that_notification_only() {
    let dev = Running::start();
    let sent = dev.post("send", tried("Tried: {{ status }}")).await;
    assert_eq!(sent.body["answers"][0]["reason"], "delivered", "{sent:?}");
    dev.post("send", json!({"sample": "one_firing"})).await;
    let messages = dev.messages("general");
    assert_eq!(messages[0].markdown.as_deref(), Some("Tried: firing"));
    assert!(
        messages[1]
            .markdown
            .as_deref()
            .unwrap()
            .contains("KubePodCrashLooping")
    );

    let broken = dev.post("send", tried("{{ status | uper }}")).await;
    assert_eq!(broken.status, 422, "{broken:?}");
    assert_eq!(broken.body["problems"][0]["line"], 1);
    assert_eq!(dev.messages("general").len(), 2);
    assert_eq!(std::fs::read_dir(dev.templates.path()).unwrap().count(), 1);
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_message_knows_each_notification_that_made_it_so() {
    let dev = Running::with(
        "[receivers.update]\nbot = \"default\"\nrooms = [\"ops\"]\nconversation = \"update\"\n",
    );
    // As if it happened now: the second time the alert has begun anew.
    for _ in 0..2 {
        let asked = json!({"sample": "one_firing", "receiver": "update"});
        let sent = dev.post("send", asked).await.body;
        assert_eq!(sent["answers"][0]["reason"], "delivered", "{sent}");
    }
    let messages = dev.messages("ops");
    assert_eq!((messages.len(), messages[0].edits), (2, 1));
    for (message, notifications) in messages.iter().zip([2, 1]) {
        let path = format!("messages/{}/notification", message.id);
        let origin = dev.get(&path).await.body;
        let told = origin["notifications"].as_array().unwrap().len();
        assert_eq!(told, notifications, "{origin}");
    }
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_knows_all_its_notifications() {
    let dev = Running::with(
        "[bots.slow]\ntoken_env = \"TOKEN\"\nmessages_per_minute = 120\nburst = 1\n\
         [receivers.slow]\nbot = \"slow\"\nrooms = [\"ops\"]\n\
         [delivery]\nanswer_within = \"200ms\"\ndigest_after = \"1s\"\n",
    );
    let asked = json!({"sample": "storm_of_groups", "receiver": "slow"});
    let sent = dev.post("send", asked).await.body;
    assert_eq!(sent["notifications"], 500, "{sent}");
    let counts = sent["answers"].as_array().unwrap().iter();
    assert_eq!(
        counts
            .map(|told| told["count"].as_u64().unwrap())
            .sum::<u64>(),
        500
    );
    let digest = dev
        .until("receiver", |standing| {
            let outcomes = standing["outcomes"].as_array()?;
            let messages = outcomes
                .iter()
                .map(|outcome| outcome["messages"][0]["id"].as_str());
            let messages: Vec<&str> = messages.flatten().collect();
            let twice = messages
                .iter()
                .find(|message| messages.iter().filter(|other| other == message).count() > 1);
            twice.map(|message| (*message).to_owned())
        })
        .await;
    let origin = dev
        .get(&format!("messages/{digest}/notification"))
        .await
        .body;
    assert!(
        origin["notifications"].as_array().unwrap().len() > 1,
        "{origin}"
    );
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_receiver_is_doing_is_told() {
    let dev = Running::with("[delivery]\nanswer_within = \"300ms\"\n");
    let idle = dev.get("receiver").await.body;
    assert_eq!(idle["waiting"], 0);
    assert_eq!(idle["bots"][0]["gate_closed_until"], Value::Null);
    assert_eq!(
        idle["receivers"][0],
        json!({"name": "default", "waiting": 0, "oldest_ms": null})
    );

    let fault = json!({"effect": {"too_many_requests": {"retry_after": 3600}}, "method": "POST"});
    dev.sandbox
        .set_fault(serde_json::from_value(fault).unwrap())
        .unwrap();
    let sent = dev.post("send", json!({"sample": "one_firing"})).await.body;
    assert_eq!(sent["answers"][0]["status"], 503, "{sent}");
    assert_eq!(sent["answers"][0]["reason"], "rate_limited");
    let busy = dev.get("receiver").await.body;
    assert_eq!(busy["waiting"], 1, "{busy}");
    let closed: jiff::Timestamp = busy["bots"][0]["gate_closed_until"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let left = closed.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((3_000..=3_600).contains(&left), "{left}");
    assert!(
        busy["bots"][0]["trouble"]
            .as_str()
            .unwrap()
            .contains("limits the rate")
    );
    assert_eq!(busy["receivers"][0]["waiting"], 1);
    assert!(busy["receivers"][0]["oldest_ms"].as_u64().unwrap() >= 300);
    assert_eq!(busy["underway"][0]["receiver"], "default");
    assert_eq!(
        busy["underway"][0]["group"],
        "alertname=KubePodCrashLooping, namespace=payments"
    );
    assert_eq!(busy["answers"][0]["status"], 503);
    assert_eq!(busy["outcomes"], json!([]));
    dev.stop().await;
}
