//! What Alertmanager is told, and that bad input costs nobody else anything.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Answer, Service, client, firing};

const GUARDED: &str = "bearer_token_file = ";

fn guarded(token: &tempfile::NamedTempFile) -> String {
    std::fs::write(token.path(), "letmein\n").unwrap();
    format!(
        "[receivers.\"team-a/config/webex\"]\nrooms = [\"ops\"]\n{GUARDED}\"{}\"\n",
        token.path().display()
    )
}

/// The answer with what changes from run to run taken out.
fn shown(answer: &Answer) -> String {
    format!("{} {}", answer.status, answer.body)
}

#[tokio::test]
async fn a_delivered_notification_is_answered_200() {
    let service = Service::start();
    let answer = service.post("/alertmanager", firing("Down")).await;
    insta::assert_snapshot!(shown(&answer), @r#"200 {"message":"Webex accepted 1 message","reason":"delivered","status":"ok"}"#);
    assert!(answer.headers.contains_key("x-request-id"));
    service.stop().await;
}

#[tokio::test]
async fn a_receivers_name_may_hold_slashes_and_the_path_a_trailing_one() {
    let token = tempfile::NamedTempFile::new().unwrap();
    let service = Service::with(&guarded(&token));
    for path in [
        "/alertmanager/team-a/config/webex",
        "/alertmanager/team-a%2Fconfig%2Fwebex",
    ] {
        let request = client()
            .post(service.url(path))
            .header("Content-Type", "application/json")
            .bearer_auth("letmein")
            .body(firing(path));
        assert_eq!(Answer::of(request).await.status, 200, "{path}");
    }
    assert_eq!(
        service.post("/alertmanager/", firing("A")).await.status,
        200
    );
    assert_eq!(
        service
            .post("/alertmanager/default", firing("B"))
            .await
            .status,
        200
    );
    service.stop().await;
}

#[tokio::test]
async fn what_is_no_notification_is_answered_with_the_remedy_and_the_process_lives() {
    let service = Service::start();
    let mut told = String::new();
    let version3 = r#"{"version":"3","groupKey":"k","alerts":[{}]}"#;
    let no_group = r#"{"version":"4","alerts":[{}]}"#;
    let grafana = r#"{"version":"1","orgId":1,"groupKey":"k","alerts":[{}]}"#;
    let deep = "[".repeat(5000);
    for body in ["hello", "", version3, no_group, grafana, &deep] {
        let answer = service.post("/alertmanager", body.to_owned()).await;
        told.push_str(&shown(&answer));
        told.push('\n');
    }
    let answer = service
        .post("/alertmanager", b"{\"version\":\"\xff\"}".to_vec())
        .await;
    told.push_str(&shown(&answer));
    insta::assert_snapshot!(told);
    assert_eq!(
        service.post("/alertmanager", firing("Down")).await.status,
        200
    );
    service.stop().await;
}

#[tokio::test]
async fn a_wrong_request_is_answered_by_the_table() {
    let token = tempfile::NamedTempFile::new().unwrap();
    let service = Service::with(&guarded(&token));
    let client = client();
    let url = |path: &str| service.url(path);
    let json = |request: reqwest::RequestBuilder| {
        request
            .header("Content-Type", "application/json")
            .body(firing("Down"))
    };
    let team = "/alertmanager/team-a/config/webex";
    let mut told = String::new();
    for (case, request) in [
        (
            "unknown receiver",
            json(client.post(url("/alertmanager/nobody"))),
        ),
        (
            "name that forges a log line",
            json(client.post(url("/alertmanager/a%0ab%1b[31m"))),
        ),
        ("unknown path", json(client.post(url("/nowhere")))),
        ("wrong method", client.get(url("/alertmanager"))),
        (
            "wrong method for metrics",
            json(client.post(url("/metrics"))),
        ),
        (
            "no content type",
            client.post(url("/alertmanager")).body(firing("Down")),
        ),
        (
            "form",
            client
                .post(url("/alertmanager"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(firing("Down")),
        ),
        ("no credentials", json(client.post(url(team)))),
        (
            "wrong credentials",
            json(client.post(url(team)).bearer_auth("guess")),
        ),
        (
            "basic credentials",
            json(
                client
                    .post(url(team))
                    .basic_auth("letmein", Some("letmein")),
            ),
        ),
    ] {
        let answer = Answer::of(request).await;
        write!(told, "{case}: {}", shown(&answer)).unwrap();
        for header in ["allow", "www-authenticate"] {
            if let Some(value) = answer.headers.get(header) {
                write!(told, " {header}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        told.push('\n');
    }
    insta::assert_snapshot!(told);
    assert!(!told.contains("letmein"));
    service.stop().await;
}

#[tokio::test]
async fn a_body_of_5_mib_is_refused_and_a_label_of_20_kb_is_not() {
    let service = Service::start();
    let answer = service
        .post("/alertmanager", vec![b' '; 5 * 1024 * 1024])
        .await;
    insta::assert_snapshot!(shown(&answer), @r#"413 {"message":"the body is larger than 4.0 MiB; group alerts more finely, or raise `server.body_limit`","reason":"too_large","status":"error"}"#);
    let long = firing("Down").replace("critical", &"x".repeat(20_000));
    assert_eq!(service.post("/alertmanager", long).await.status, 200);
    let room = service.sandbox.room_id("general").unwrap();
    assert!(service.sandbox.messages(&room)[0].size <= 7439);
    service.stop().await;
}

#[tokio::test]
async fn a_body_without_announced_length_is_bounded_too() {
    let service = Service::start();
    let connection = TcpStream::connect(service.address).await.unwrap();
    let (mut reading, mut writing) = connection.into_split();
    let sender = tokio::spawn(async move {
        let head = "POST /alertmanager HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
                    Content-Type: application/json\r\n\r\n";
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        // The service may hang up before it has read them all.
        let _ = writing.write_all(head.as_bytes()).await;
        for _ in 0..80 {
            if writing.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        writing
    });
    let mut answer = [0; 12];
    reading.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(sender.await.unwrap());
    service.stop().await;
}

#[tokio::test]
async fn credentials_are_checked_before_the_body_is_read() {
    let token = tempfile::NamedTempFile::new().unwrap();
    let service = Service::with(&guarded(&token));
    let mut connection = TcpStream::connect(service.address).await.unwrap();
    // The body is announced and never sent.
    let head = "POST /alertmanager/team-a/config/webex HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/json\r\nContent-Length: 100\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(3), connection.read_exact(&mut answer))
        .await
        .expect("an answer comes before the body")
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    service.stop().await;
}

#[tokio::test]
async fn probes_and_metrics_answer() {
    let service = Service::start();
    service.post("/alertmanager", firing("Down")).await;
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(
            Answer::of(client().get(service.url(path))).await.status,
            200
        );
    }
    let metrics = Answer::of(client().get(service.url("/metrics"))).await;
    let text = metrics.body.as_str().unwrap();
    assert!(text.contains(
        r#"alertmanager_webex_notifications_total{receiver="default",outcome="delivered"} 1"#
    ));
    assert!(text.contains(
        r#"alertmanager_webex_notifications_total{receiver="(unknown)",outcome="unknown_receiver"} 0"#
    ));
    service.stop().await;
}

#[tokio::test]
async fn a_hundred_connections_at_once_are_all_answered() {
    let service = Service::start();
    let client = client();
    let posts = (0..100).map(|number| {
        let request = client
            .post(service.url("/alertmanager"))
            .header("Content-Type", "application/json")
            .body(firing(&format!("Alert{number}")));
        async move { Answer::of(request).await.status }
    });
    let answers = futures_util::future::join_all(posts).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let room = service.sandbox.room_id("general").unwrap();
    assert_eq!(service.sandbox.messages(&room).len(), 100);
    service.stop().await;
}

#[tokio::test]
async fn while_it_withdraws_it_is_not_ready_but_still_takes_notifications() {
    let service = Service::with_delay("2s");
    let url = |path: &str| service.url(path);
    let (ready, address) = (url("/-/ready"), url("/alertmanager"));
    let stopping = tokio::spawn(service.stop());
    let not_ready = async {
        while Answer::of(client().get(&ready)).await.status == 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), not_ready)
        .await
        .expect("it says so at once");
    let request = client()
        .post(address)
        .header("Content-Type", "application/json")
        .body(firing("Down"));
    assert_eq!(Answer::of(request).await.status, 200);
    stopping.await.unwrap();
}
