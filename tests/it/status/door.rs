//! Who may see what of the status, where, and how it is answered.

use std::fmt::Write as _;

use reqwest::Method;

use crate::harness::{Answer, Service, client, firing};

const TEAM: &str = "token-of-the-team-checkout";
const ADMIN: &str = "token-of-the-platform-team";

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        for (name, text) in [
            ("team", TEAM),
            ("admin", ADMIN),
            ("password", "a password of ann"),
        ] {
            std::fs::write(files.0.path().join(name), text).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A receiver with a token, one with a login, and, if `open` is, the harness's own.
    fn receivers(&self, open: bool) -> String {
        let own = if open {
            String::new()
        } else {
            format!("bearer_token_file = \"{}\"\n", self.path("admin"))
        };
        format!(
            "{own}[receivers.\"checkout/webex/main\"]\nrooms = [\"ops\"]\nbearer_token_file = \"{}\"\n\
             [receivers.payments]\nrooms = [\"general\"]\n\
             [[receivers.payments.basic_auth]]\nusername = \"ann\"\npassword_file = \"{}\"\n",
            self.path("team"),
            self.path("password"),
        )
    }
}

/// What is asked for, by whom: the names that are told, or the reason of the refusal.
async fn table(doors: &[(&str, String)]) -> String {
    let mut table = String::new();
    for (door, base) in doors {
        for receiver in ["(all)", "", "checkout/webex/main", "payments", "nobody"] {
            for (whose, token) in [("nothing", ""), ("team", TEAM), ("admin", ADMIN)] {
                let query = match receiver {
                    "(all)" => String::new(),
                    name => format!("?receiver={name}"),
                };
                let mut request = client().get(format!("{base}/api/v1/status{query}"));
                if !token.is_empty() {
                    request = request.bearer_auth(token);
                }
                let answer = Answer::of(request).await;
                let told = match answer.body["receivers"].as_array() {
                    Some(told) => {
                        let names = told.iter().map(|one| one["name"].as_str().unwrap());
                        names.collect::<Vec<_>>().join(" ")
                    }
                    None => answer.body["reason"].as_str().unwrap().to_owned(),
                };
                writeln!(
                    table,
                    "{door:6} {receiver:20} {whose:8} {} {told}",
                    answer.status
                )
                .unwrap();
            }
        }
    }
    table
}

#[tokio::test]
async fn who_sees_what_where_nobody_guards_the_whole() {
    let files = Files::new();
    let service = Service::with(&files.receivers(true));
    insta::assert_snapshot!(table(&[("main", service.url(""))]).await);
    let ann = client()
        .get(service.url("/api/v1/status?receiver=payments"))
        .basic_auth("ann", Some("a password of ann"));
    assert_eq!(Answer::of(ann).await.status, 200);
    service.stop().await;
}

#[tokio::test]
async fn who_sees_what_where_the_platform_has_a_token() {
    let files = Files::new();
    let server = format!("admin_bearer_token_file = \"{}\"", files.path("admin"));
    let service = Service::with_server(&server, &files.receivers(true));
    insta::assert_snapshot!(table(&[("main", service.url(""))]).await);
    service.stop().await;
}

#[tokio::test]
async fn who_sees_what_where_the_platform_has_a_port() {
    let files = Files::new();
    let server = "open = false\nadmin_listen = \"127.0.0.1:0\"";
    let service = Service::with_server(server, &files.receivers(false));
    let admin = format!("http://{}", service.admin_address.unwrap());
    insta::assert_snapshot!(table(&[("main", service.url("")), ("admin", admin)]).await);

    // A stranger is told the same of what there is and of what there is not.
    let mut told = Vec::new();
    for receiver in ["checkout/webex/main", "payments", "", "nobody", "no%0abody"] {
        let url = service.url(&format!("/api/v1/status?receiver={receiver}"));
        let answer = Answer::of(client().get(url)).await;
        let headers = answer.headers.iter();
        let mut headers: Vec<_> = headers
            .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort();
        told.push((answer.status, headers, answer.body));
    }
    assert!(told.iter().all(|answer| *answer == told[0]), "{told:#?}");
    service.stop().await;
}

#[tokio::test]
async fn guesses_are_counted_together_with_those_of_notifications() {
    let files = Files::new();
    let service = Service::with(&files.receivers(true));
    let mut reason = String::new();
    for _ in 0..1000 {
        let guess = client()
            .get(service.url("/api/v1/status?receiver=payments"))
            .bearer_auth("guess");
        reason = Answer::of(guess).await.body["reason"]
            .as_str()
            .unwrap()
            .to_owned();
        if reason != "unauthorized" {
            break;
        }
    }
    assert_eq!(reason, "locked_out");
    let post = service.post("/alertmanager/payments", firing("Down")).await;
    assert_eq!(post.body["reason"], "locked_out");
    service.stop().await;
}

#[tokio::test]
async fn the_view_of_a_receiver_holds_nothing_of_others() {
    let files = Files::new();
    let service = Service::with(&files.receivers(true));
    service.post("/alertmanager", firing("Down")).await;
    let mine = client()
        .get(service.url("/api/v1/status?receiver=checkout/webex/main"))
        .bearer_auth(TEAM);
    let told = Answer::of(mine).await.body;
    let fields: Vec<_> = told["bots"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["gate_closed_until", "kind", "name", "trouble"]);
    assert!(told.get("summary").is_none(), "{told}");
    for foreign in ["payments", "general", "errors", "warnings"] {
        assert!(!told.to_string().contains(foreign), "{foreign}: {told}");
    }
    service.stop().await;
}

/// Status, and the headers that matter, in the order of the list.
async fn head(method: &str, url: &str) -> String {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let answer = client().request(method, url).send().await.unwrap();
    let mut told = answer.status().as_u16().to_string();
    for name in [
        "content-type",
        "allow",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "cache-control",
    ] {
        if let Some(value) = answer.headers().get(name) {
            write!(told, "\n  {name}: {}", value.to_str().unwrap()).unwrap();
        }
    }
    told
}

#[tokio::test]
async fn a_browser_is_told_how_little_the_page_may_do() {
    let service = Service::start();
    let mut table = String::new();
    for (method, path) in [
        ("GET", "/"),
        ("HEAD", "/"),
        ("POST", "/"),
        ("GET", "/status/page.js"),
        ("GET", "/status/nothing.js"),
        ("GET", "/status/..%2fpage.js"),
        ("HEAD", "/api/v1/status"),
        ("DELETE", "/api/v1/status"),
        ("GET", "/api/v1/status?token=x"),
    ] {
        let told = head(method, &service.url(path)).await;
        writeln!(table, "{method} {path} {told}").unwrap();
    }
    insta::assert_snapshot!(table);
    service.stop().await;
}

#[tokio::test]
async fn what_is_known_already_is_not_sent_again() {
    let service = Service::start();
    let url = service.url("/api/v1/status");
    let first = Answer::of(client().get(&url)).await;
    let again = || {
        client()
            .get(&url)
            .header("If-None-Match", &first.headers["etag"])
    };
    let same = Answer::of(again()).await;
    assert_eq!((same.status, same.body.as_str()), (304, Some("")));
    service.post("/alertmanager", firing("Down")).await;
    assert_eq!(Answer::of(again()).await.status, 200);
    service.stop().await;
}

#[tokio::test]
async fn the_page_finds_its_files_behind_a_prefix_and_a_proxy() {
    let service = Service::with_server("path_prefix = \"/a/webex\"", "");
    for (page, beside) in [
        ("/a/webex/", "status/page.js"),
        ("/a/webex", "webex/status/page.js"),
    ] {
        let text = client()
            .get(service.url(page))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(text.contains(&format!("src=\"{beside}\"")), "{text}");
        let url = reqwest::Url::parse(&service.url(page))
            .unwrap()
            .join(beside)
            .unwrap();
        assert_eq!(
            client().get(url).send().await.unwrap().status().as_u16(),
            200
        );
    }
    assert_eq!(Answer::of(client().get(service.url("/"))).await.status, 404);
    service.stop().await;
}
