//! Who may call what: callers, receivers, credentials, and the exact answers.

use std::fmt::Write as _;

use reqwest::RequestBuilder;
use tempfile::TempDir;

use crate::harness::{Answer, Service, client, firing};

const RECEIVERS: [&str; 5] = ["open", "tokens", "logins", "both", "nobody"];

/// Files with secrets, and the receivers that ask for them.
struct Guarded {
    folder: TempDir,
}

impl Guarded {
    fn new() -> Self {
        let guarded = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        guarded.write("tokens", "old-token-of-the-team\nnew-token-of-the-team\n");
        guarded.write("ann", "ann's first password\nann's next password\n");
        guarded.write("bob", "pässword of bob\n");
        guarded.write("admin", "token-of-the-platform\n");
        guarded
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The receivers; `open` is the one that asks for nothing.
    fn receivers(&self, with_open: bool) -> String {
        let receiver = |name: &str| format!("[receivers.{name}]\nrooms = [\"ops\"]\n");
        let tokens = format!("bearer_token_file = \"{}\"\n", self.path("tokens"));
        let login = |receiver: &str, name: &str| {
            format!(
                "[[receivers.{receiver}.basic_auth]]\nusername = \"{name}\"\npassword_file = \"{}\"\n",
                self.path(name)
            )
        };
        let mut toml = String::new();
        if with_open {
            toml += &receiver("open");
        } else {
            // The harness's own receiver has to ask for something, too.
            toml += &tokens;
        }
        toml += &(receiver("tokens") + &tokens);
        toml += &(receiver("logins") + &login("logins", "ann") + &login("logins", "bob"));
        toml += &(receiver("both") + &tokens + &login("both", "ann"));
        toml
    }
}

/// What a caller shows.
type Shown = (&'static str, fn(RequestBuilder) -> RequestBuilder);

const CREDENTIALS: [Shown; 10] = [
    ("nothing", |request| request),
    ("old token", |request| {
        request.bearer_auth("old-token-of-the-team")
    }),
    ("new token", |request| {
        request.bearer_auth("new-token-of-the-team")
    }),
    ("both tokens at once", |request| {
        request.bearer_auth("old-token-of-the-team\tnew-token-of-the-team")
    }),
    ("wrong token", |request| request.bearer_auth("old-token")),
    ("ann", |request| {
        request.basic_auth("ann", Some("ann's first password"))
    }),
    ("ann's next", |request| {
        request.basic_auth("ann", Some("ann's next password"))
    }),
    ("bob", |request| {
        request.basic_auth("bob", Some("pässword of bob"))
    }),
    ("bob as ann", |request| {
        request.basic_auth("ann", Some("pässword of bob"))
    }),
    ("token as password", |request| {
        request.basic_auth("", Some("old-token-of-the-team"))
    }),
];

/// The table of receivers and credentials, with status and reason.
async fn table(service: &Service, receivers: &[&str]) -> String {
    let mut table = String::new();
    for receiver in receivers {
        for (credential, show) in CREDENTIALS {
            let url = service.url(&format!("/alertmanager/{receiver}"));
            let request = client()
                .post(url)
                .header("Content-Type", "application/json")
                .body(firing(&format!("{receiver} {credential}")));
            let answer = Answer::of(show(request)).await;
            let reason = answer.body["reason"].as_str().unwrap();
            writeln!(
                table,
                "{receiver:8} {credential:20} {} {reason}",
                answer.status
            )
            .unwrap();
        }
    }
    table
}

#[tokio::test]
async fn each_receiver_takes_what_it_names_and_nothing_else() {
    let guarded = Guarded::new();
    let service = Service::with(&guarded.receivers(true));
    insta::assert_snapshot!(table(&service, &RECEIVERS).await);
    let room = service.sandbox.room_id("ops").unwrap();
    let delivered = service.sandbox.messages(&room).len();
    assert_eq!(delivered, 10 + 2 + 3 + 4, "what was refused is not posted");
    service.stop().await;
}

#[tokio::test]
async fn a_closed_service_answers_strangers_alike_whether_there_is_a_receiver_or_not() {
    let guarded = Guarded::new();
    let server = "open = false\nadmin_listen = \"127.0.0.1:0\"";
    let service = Service::with_server(server, &guarded.receivers(false));
    insta::assert_snapshot!(table(&service, &["tokens", "nobody"]).await);
    let mut told = Vec::new();
    for receiver in ["tokens", "logins", "nobody", "no%0abody", ""] {
        let answer = service
            .post(&format!("/alertmanager/{receiver}"), firing("Down"))
            .await;
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort();
        told.push((answer.status, headers, answer.body));
    }
    assert!(told.iter().all(|answer| *answer == told[0]), "{told:#?}");
    insta::assert_debug_snapshot!(told[0]);
    service.stop().await;
}

#[tokio::test]
async fn who_fails_too_often_is_locked_out_there_and_nobody_else_is() {
    let guarded = Guarded::new();
    let service = Service::with(&guarded.receivers(true));
    let post = async |receiver: &str, token: &str| {
        let url = service.url(&format!("/alertmanager/{receiver}"));
        let request = client()
            .post(url)
            .header("Content-Type", "application/json")
            .bearer_auth(token)
            .body(firing(receiver));
        Answer::of(request).await
    };
    let right = "new-token-of-the-team";
    assert_eq!(post("both", right).await.status, 200, "it is known now");
    // A machine that is busy takes so long that a try is forgiven now and then.
    let mut locked_out = None;
    for _ in 0..1000 {
        let answer = post("tokens", "guess").await;
        if answer.status != 401 {
            locked_out = Some(answer);
            break;
        }
        assert_eq!(post("both", "guess").await.status, 401);
    }
    let answer = locked_out.expect("guessing ends at some time");
    insta::assert_snapshot!(
        format!("{} {}", answer.status, answer.body),
        @r#"503 {"message":"too many wrong credentials from this address, so they are not looked at for some seconds; mend `http_config` in Alertmanager's webhook","reason":"locked_out","status":"error"}"#
    );
    assert_eq!(post("both", right).await.status, 200, "known to `both`");
    assert_eq!(post("open", right).await.status, 200);
    let none = post("logins", "guess").await;
    assert_eq!(none.status, 401, "its tries at other receivers count apart");
    let metrics = Answer::of(client().get(service.url("/metrics"))).await;
    let text = metrics.body.as_str().unwrap();
    assert!(text.contains(r#"{receiver="tokens",outcome="locked_out"} "#));
    service.stop().await;
}

#[tokio::test]
async fn a_token_that_changes_in_its_file_counts_without_a_restart() {
    let guarded = Guarded::new();
    let service = Service::with(&guarded.receivers(true));
    let post = async |token: &str| {
        let request = client()
            .post(service.url("/alertmanager/tokens"))
            .header("Content-Type", "application/json")
            .bearer_auth(token)
            .body(firing("Down"));
        Answer::of(request).await.status
    };
    assert_eq!(post("old-token-of-the-team").await, 200);
    guarded.write("tokens", "token-of-tomorrow\n");
    let changed = async {
        while post("token-of-tomorrow").await != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), changed)
        .await
        .expect("the file is read again");
    assert_eq!(post("old-token-of-the-team").await, 401);
    service.stop().await;
}

/// Status of the paths of a listener.
async fn paths(base: &str, token: Option<&str>) -> String {
    let mut told = Vec::new();
    for path in [
        "/-/healthy",
        "/-/ready",
        "/metrics",
        "/alertmanager",
        "/",
        "/api/v1/status",
    ] {
        let request = client().get(format!("{base}{path}"));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = Answer::of(request).await;
        told.push(format!("{path} {}", answer.status));
    }
    told.join(", ")
}

#[tokio::test]
async fn metrics_are_where_and_for_whom_the_configuration_says() {
    let guarded = Guarded::new();
    let token = format!("admin_bearer_token_file = \"{}\"", guarded.path("admin"));
    let apart = "admin_listen = \"127.0.0.1:0\"";
    let mut told = String::new();
    for server in [
        String::new(),
        token.clone(),
        apart.to_owned(),
        format!("{apart}\n{token}"),
        "path_prefix = \"/webex\"".to_owned(),
    ] {
        let service = Service::with_server(&server, "");
        let shown = server
            .lines()
            .map(|line| line.split(" = ").next().unwrap())
            .collect::<Vec<_>>()
            .join(", ");
        writeln!(told, "[{shown}]").unwrap();
        let mut bases = vec![("main", service.url(""))];
        if let Some(address) = service.admin_address {
            bases.push(("admin", format!("http://{address}")));
        }
        if server.contains("path_prefix") {
            bases.push(("prefix", service.url("/webex")));
        }
        for (name, base) in bases {
            for (who, token) in [
                ("anybody", None),
                ("team", Some("old-token-of-the-team")),
                ("platform", Some("token-of-the-platform")),
            ] {
                writeln!(told, "  {name:6} {who:8} {}", paths(&base, token).await).unwrap();
            }
            let browser = client()
                .get(format!("{base}/metrics"))
                .basic_auth("anybody", Some("token-of-the-platform"));
            let answer = Answer::of(browser).await;
            writeln!(told, "  {name:6} browser  /metrics {}", answer.status).unwrap();
        }
        service.stop().await;
    }
    insta::assert_snapshot!(told);
}
