//! `/-/healthy` and `/-/ready` tell the truth.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use alertmanager_webex::sandbox::{Effect, FaultBody};
use socket2::{Domain, Socket, Type};

use crate::harness::{Answer, Service, client, firing};
use crate::programs::{Program, http, ours, until};

async fn get(url: &str) -> (u16, String) {
    let answer = Answer::of(client().get(url)).await;
    let body = answer.body.as_str().unwrap_or_default().to_owned();
    (answer.status, body)
}

#[tokio::test]
async fn they_answer_as_those_of_prometheus_do() {
    let service = Service::start();
    let (healthy, ready) = (service.url("/-/healthy"), service.url("/-/ready"));
    let body = |word: &str| (200, format!("alertmanager-webex is {word}.\n"));
    assert_eq!(get(&healthy).await, body("Healthy"));
    assert_eq!(get(&ready).await, body("Ready"));
    for url in [&healthy, &ready] {
        let head = Answer::of(client().head(url)).await;
        assert_eq!((head.status, head.body.as_str()), (200, Some("")));
        let post = Answer::of(client().post(url)).await;
        assert_eq!(post.status, 405);
    }
    service.stop().await;
}

#[tokio::test]
async fn a_webex_that_is_down_makes_it_neither_unready_nor_unhealthy() {
    let service = Service::with("[delivery]\nanswer_within = \"50ms\"\n");
    let down = Effect::Status {
        code: 503,
        retry_after: None,
        body: FaultBody::Json,
    };
    let fault = alertmanager_webex::sandbox::Fault::new(down);
    service.sandbox.set_fault(fault).unwrap();
    let answer = service.post("/alertmanager", firing("Down")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(get(&service.url("/-/ready")).await.0, 200);
    assert_eq!(get(&service.url("/-/healthy")).await.0, 200);
    service.stop().await;
}

#[tokio::test]
async fn while_it_withdraws_it_is_unready_and_healthy() {
    let service = Service::with_delay("2s");
    let (healthy, ready) = (service.url("/-/healthy"), service.url("/-/ready"));
    let stopping = tokio::spawn(service.stop());
    let unready = async {
        loop {
            let (status, body) = get(&ready).await;
            if status != 200 {
                return (status, body);
            }
        }
    };
    let unready = tokio::time::timeout(Duration::from_secs(1), unready).await;
    let expected = "alertmanager-webex is about to end.\n".to_owned();
    assert_eq!(unready.expect("it says so at once"), (503, expected));
    assert_eq!(get(&healthy).await.0, 200);
    stopping.await.unwrap();
}

/// A pipe in the place of a file: who reads it waits until it is written.
fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

/// A port that nobody else gets, and on which nothing listens yet.
fn reserved() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// Nobody finds a port that answers for a service that is not ready: it is bound when
/// configuration, templates and secrets are loaded, and not before.
#[test]
fn nothing_listens_until_configuration_templates_and_secrets_are_loaded() {
    let (_reserved, port) = reserved();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\n[webex]\nbase_url = \"http://127.0.0.1:9/v1\"\n\
         [templates]\ndirectory = \"{0}\"\n[bots.default]\ntoken_file = \"{0}/token\"\n\
         [receivers.default]\nrooms = [\"Y2lzY29zcGFyazovL3VzL1JPT00v0000000000000001\"]\n\
         template = \"team\"\n",
        folder.path().display()
    );
    std::fs::write(path("team.md"), "x").unwrap();
    let mut readings = Vec::new();
    // The token is read last: templates are loaded by then.
    for (name, text) in [("config.toml", config), ("token", "t".to_owned())] {
        let path = path(name);
        pipe(&path);
        let (tell_opened, opened) = mpsc::channel();
        let (tell_go_on, go_on) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            // Waits for who reads.
            let mut pipe = std::fs::File::create(&path).unwrap();
            tell_opened.send(()).unwrap();
            go_on.recv().unwrap();
            // Who reads once more finds a file.
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, &text).unwrap();
            pipe.write_all(text.as_bytes()).unwrap();
        });
        readings.push((opened, tell_go_on));
    }
    let mut command = ours();
    command.args(["serve", "--config"]).arg(path("config.toml"));
    let program = Program::start(&mut command);
    let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    for (opened, go_on) in readings {
        // It reads this file now, and waits for what it says.
        opened.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(!listens());
        go_on.send(()).unwrap();
    }
    until("it is ready", || listens().then_some(()));
    let ready = http("GET", &format!("http://127.0.0.1:{port}/-/ready"), "");
    assert_eq!(ready.status, 200);
    drop(program);
}
