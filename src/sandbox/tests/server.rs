//! Over a real socket: what the core cannot show.

use std::future::Future;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::*;

/// Longer than any of this takes; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn served<T>(run: impl AsyncFnOnce(SocketAddr, Sandbox) -> T) -> T {
    served_with(None, run).await
}

async fn served_with<T>(
    extension: Option<std::sync::Arc<dyn Extension>>,
    run: impl AsyncFnOnce(SocketAddr, Sandbox) -> T,
) -> T {
    let mut server = Server::bind(Sandbox::default(), "127.0.0.1:0".parse().unwrap()).unwrap();
    if let Some(extension) = extension {
        server = server.with_extension(extension);
    }
    let (address, sandbox) = (server.local_addr(), server.sandbox());
    let stop = CancellationToken::new();
    let running = server.run_until(stop.clone().cancelled_owned());
    let (ended, result) = tokio::join!(running, async {
        let result = patient(run(address, sandbox)).await;
        stop.cancel();
        result
    });
    ended.unwrap();
    result
}

async fn patient<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("within the test's patience")
}

/// Sends a request and reads until the connection closes.
async fn exchange(address: SocketAddr, head: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{head}\r\nHost: sandbox.test\r\nAuthorization: Bearer sandbox\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A closed connection is the end of an answer, however it was closed.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

fn message(sandbox: &Sandbox) -> String {
    json!({ "roomId": ops(sandbox), "text": "x" }).to_string()
}

#[tokio::test]
async fn a_message_posted_over_the_network_is_in_the_room() {
    served(async |address, sandbox| {
        let answer = exchange(address, "POST /v1/messages HTTP/1.1", &message(&sandbox)).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.to_lowercase().contains("\r\ntrackingid: routergw_"),
            "{answer}"
        );
        assert_eq!(sandbox.messages(&ops(&sandbox)).len(), 1);
        for (path, part) in [("/", "not Webex"), ("/control/v1/rooms", "\"ops\"")] {
            let answer = exchange(address, &format!("GET {path} HTTP/1.1"), "").await;
            assert!(String::from_utf8(answer).unwrap().contains(part), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_reset_closes_the_connection_without_a_byte_of_an_answer() {
    served(async |address, sandbox| {
        sandbox.set_fault(Fault::new(Effect::Reset)).unwrap();
        let answer = exchange(address, "POST /v1/messages HTTP/1.1", &message(&sandbox)).await;
        assert_eq!(String::from_utf8_lossy(&answer), "");
        assert_eq!(sandbox.messages(&ops(&sandbox)), []);
    })
    .await;
}

#[tokio::test]
async fn what_is_accepted_then_dropped_is_in_the_room_and_not_a_byte_says_so() {
    served(async |address, sandbox| {
        let effect = Effect::AcceptThenDrop {
            code: None,
            body: FaultBody::Json,
        };
        sandbox.set_fault(Fault::new(effect)).unwrap();
        let answer = exchange(address, "POST /v1/messages HTTP/1.1", &message(&sandbox)).await;
        assert_eq!(String::from_utf8_lossy(&answer), "");
        assert_eq!(sandbox.messages(&ops(&sandbox)).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_hang_holds_the_connection_open_until_the_server_stops() {
    let (give, given) = tokio::sync::oneshot::channel();
    served(async |address, sandbox| {
        let effect = Effect::Hang { accepted: true };
        sandbox.set_fault(Fault::new(effect)).unwrap();
        let body = message(&sandbox);
        let request = async move { exchange(address, "POST /v1/messages HTTP/1.1", &body).await };
        let task = tokio::spawn(request);
        sandbox.message_where(&ops(&sandbox), |_| true).await;
        assert!(!task.is_finished());
        give.send(task).unwrap();
    })
    .await;
    let answer = patient(given.await.unwrap()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "");
}

/// Reads until the stream holds `part`.
async fn read_until(stream: &mut TcpStream, part: &str) -> String {
    let mut read = String::new();
    while !read.contains(part) {
        read.push(stream.read_u8().await.unwrap().into());
    }
    read
}

#[tokio::test]
async fn changes_are_streamed_as_they_happen_until_the_server_stops() {
    let (give, given) = tokio::sync::oneshot::channel();
    served(async |address, sandbox| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "GET /control/v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let head = read_until(&mut stream, "data: ").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        read_until(&mut stream, "\n\n").await;
        post(&sandbox, "x").await;
        let change = read_until(&mut stream, "\n\n").await;
        assert!(change.contains(r#""changed":["messages"]"#), "{change}");
        give.send(stream).unwrap();
    })
    .await;
    let mut rest = String::new();
    let mut stream = given.await.unwrap();
    patient(stream.read_to_string(&mut rest)).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "an end, not a break: {rest}");
}

#[tokio::test]
async fn what_is_below_dev_is_the_extensions() {
    struct Echo;

    impl Extension for Echo {
        fn answer(
            &self,
            request: http::Request<Bytes>,
        ) -> std::pin::Pin<Box<dyn Future<Output = http::Response<Bytes>> + Send + '_>> {
            Box::pin(async move {
                let text = format!("{} {:?}", request.uri().path(), request.body());
                http::Response::new(Bytes::from(text))
            })
        }
    }

    served(async |address, _| {
        let answer = exchange(address, "POST /dev/status HTTP/1.1", "x").await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(answer.contains("alertmanager-webex dev"), "{answer}");
        let state = exchange(address, "GET /control/v1/state HTTP/1.1", "").await;
        assert!(String::from_utf8(state).unwrap().contains("\"dev\":false"));
    })
    .await;
    served_with(Some(std::sync::Arc::new(Echo)), async |address, _| {
        let answer = exchange(address, "POST /dev/status HTTP/1.1", "x").await;
        assert!(answer.ends_with(b"/dev/status b\"x\""));
        let state = exchange(address, "GET /control/v1/state HTTP/1.1", "").await;
        assert!(String::from_utf8(state).unwrap().contains("\"dev\":true"));
        let foreign = "POST /dev/status HTTP/1.1\r\nOrigin: http://evil.test";
        let answer = exchange(address, foreign, "x").await;
        assert!(answer.starts_with(b"HTTP/1.1 403"));
        let large = "x".repeat(2 * BODY_LIMIT);
        let answer = exchange(address, "POST /dev/status HTTP/1.1", &large).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 413"));
    })
    .await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_400_and_the_server_lives() {
    served(async |address, sandbox| {
        let body = format!("{{\"text\": \"{}\"}}", "x".repeat(2 * BODY_LIMIT));
        let answer = exchange(address, "POST /v1/messages HTTP/1.1", &body).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
        let answer = exchange(address, "POST /v1/messages HTTP/1.1", &message(&sandbox)).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    })
    .await;
}

#[tokio::test]
async fn a_server_can_run_in_a_task_and_idle_connections_do_not_hold_up_its_stop() {
    let server = Server::bind(Sandbox::default(), "127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.local_addr();
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run_until(stop.clone().cancelled_owned()));
    let mut idle = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: sandbox.test\r\n\r\n";
    idle.write_all(request).await.unwrap();
    idle.read_u8().await.unwrap();
    stop.cancel();
    patient(running).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_that_may_hold_no_body_holds_none_and_the_connection_is_used_on() {
    served(async |address, sandbox| {
        let effect = Effect::Status {
            code: 204,
            retry_after: None,
            body: FaultBody::Json,
        };
        sandbox.set_fault(Fault::new(effect).times(1)).unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "GET /v1/people/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox\r\n";
        let twice = format!("{head}\r\n{head}Connection: close\r\n\r\n");
        stream.write_all(twice.as_bytes()).await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert!(answers.starts_with("HTTP/1.1 204"), "{answers}");
        let second = answers.split("\r\n\r\n").nth(1).unwrap();
        assert!(second.starts_with("HTTP/1.1 200"), "{answers}");
    })
    .await;
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let server = Server::bind(Sandbox::default(), "127.0.0.1:0".parse().unwrap()).unwrap();
    let error = Server::bind(Sandbox::default(), server.local_addr()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", server.local_addr())
    );
}
