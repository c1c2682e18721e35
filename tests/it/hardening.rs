//! Clients that are slow, stuck, greedy or lie, on raw sockets: they are got rid of in a
//! bounded time, and cost nobody else anything.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Answer, Service, client, firing};
use crate::programs;

/// Short deadlines, so that a test need not wait long for what it waits for.
const SHORT: &str = "head_timeout = \"1s\"\nbody_timeout = \"300ms\"";
/// Nothing that works takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.address).await.unwrap()
}

/// A notification as it goes over the wire.
fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// All that comes until the service hangs up.
async fn to_the_end(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let reading = connection.read_to_end(&mut read);
    // A reset is an end as well: the service hung up while something was on its way to it.
    let _ = tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the service hangs up");
    String::from_utf8(read).unwrap()
}

/// What comes up to and with this text.
async fn up_to(connection: &mut TcpStream, end: &str) -> String {
    let mut read = String::new();
    let reading = async {
        while !read.ends_with(end) {
            read.push(char::from(connection.read_u8().await.unwrap()));
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .unwrap_or_else(|_| panic!("{end:?} did not come"));
    read
}

/// The end of each of our bodies.
const END: &str = "\"}";

fn statuses(text: &str) -> Vec<&str> {
    let parts = text.split("HTTP/1.1 ").skip(1);
    parts.map(|part| part.get(..3).unwrap()).collect()
}

#[tokio::test]
async fn a_head_that_does_not_end_is_answered_408() {
    let service = Service::with_server(SHORT, "");
    let mut connection = connect(&service).await;
    connection
        .write_all(b"POST /alertmanager HTTP/1.1\r\nHo")
        .await
        .unwrap();
    assert_eq!(statuses(&to_the_end(&mut connection).await), ["408"]);
    service.stop().await;
}

#[tokio::test]
async fn a_later_head_on_a_kept_connection_must_end_as_well() {
    let service = Service::with_server(SHORT, "");
    let mut connection = connect(&service).await;
    let request = post("/alertmanager", "", &firing("Down"));
    connection.write_all(request.as_bytes()).await.unwrap();
    let first = up_to(&mut connection, END).await;
    assert_eq!(statuses(&first), ["200"]);
    connection.write_all(b"POST /alert").await.unwrap();
    assert_eq!(to_the_end(&mut connection).await, "");
    service.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_end_is_answered_408_in_words() {
    let service = Service::with_server(SHORT, "");
    for request in [
        "Content-Length: 100\r\n\r\n{\"version\"",
        "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"version\"",
    ] {
        let mut connection = connect(&service).await;
        let head = "POST /alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        let request = format!("{head}{request}");
        connection.write_all(request.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut connection).await;
        assert_eq!(statuses(&answer), ["408"]);
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(body, @r#"{"status":"error","reason":"too_slow","message":"the body did not arrive within 0.3 s (`server.body_timeout`); look at the network between Alertmanager and this service"}"#);
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_in_the_middle_costs_nothing() {
    let service = Service::start();
    let request = post("/alertmanager", "", &firing("Down"));
    for length in [1, 10, 40, 90, request.len() - 1] {
        let mut connection = connect(&service).await;
        connection
            .write_all(&request.as_bytes()[..length])
            .await
            .unwrap();
        drop(connection);
    }
    assert_eq!(
        service.post("/alertmanager", firing("Down")).await.status,
        200
    );
    service.stop().await;
}

#[tokio::test]
async fn requests_one_behind_the_other_are_answered_in_order() {
    let service = Service::start();
    let mut connection = connect(&service).await;
    let bodies = [firing("A"), "hello".to_owned(), firing("B")];
    let requests: String = bodies
        .iter()
        .map(|body| post("/alertmanager", "", body))
        .collect();
    connection.write_all(requests.as_bytes()).await.unwrap();
    let answers = to_the_end(&mut connection).await;
    // Whoever sends what is no notification is hung up on, once what came with it is answered.
    assert_eq!(statuses(&answers), ["200", "400", "200"]);
    let mut connection = connect(&service).await;
    let many: String = (0..50)
        .map(|number| post("/alertmanager", "", &firing(&format!("Many{number}"))))
        .collect();
    connection.write_all(many.as_bytes()).await.unwrap();
    for _ in 0..50 {
        assert_eq!(statuses(&up_to(&mut connection, END).await), ["200"]);
    }
    service.stop().await;
}

#[tokio::test]
async fn heads_have_a_bounded_size() {
    let service = Service::start();
    let many: Vec<String> = (0..200)
        .map(|number| format!("X-{number}: x\r\n"))
        .collect();
    let many = many.concat();
    let long = format!("X-Long: {}\r\n", "x".repeat(200_000));
    let request = |path: &str, headers: &str| post(path, headers, &firing("Down"));
    for request in [
        request("/alertmanager", &many),
        request("/alertmanager", &long),
        request(&format!("/alertmanager/{}", "x".repeat(70_000)), ""),
    ] {
        let mut connection = connect(&service).await;
        // The service hangs up before it has read the whole.
        let _ = connection.write_all(request.as_bytes()).await;
        let answer = to_the_end(&mut connection).await;
        let refused = statuses(&answer);
        assert!(
            refused.is_empty() || refused == ["400"] || refused == ["431"],
            "{refused:?}"
        );
    }
    let mut connection = connect(&service).await;
    let request = request(&format!("/alertmanager/{}", "x".repeat(10_000)), "");
    connection.write_all(request.as_bytes()).await.unwrap();
    let answer = to_the_end(&mut connection).await;
    assert_eq!(statuses(&answer), ["404"]);
    assert!(answer.len() < 1500, "the name is not given back whole");
    service.stop().await;
}

#[tokio::test]
async fn what_a_proxy_could_read_otherwise_is_refused() {
    let service = Service::start();
    let inner = post("/alertmanager", "", &firing("Smuggled"));
    for headers in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Content-Length: 6\r\nContent-Length: 5\r\n",
        "Content-Length: 6\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 5\r\n",
        "Content-Length: 5\r\n folded: yes\r\n",
        "Host: y\r\nContent-Length: 0\r\n",
        "X-Null: a\0b\r\nContent-Length: 0\r\n",
        "X\x01: a\r\nContent-Length: 0\r\n",
    ] {
        let mut connection = connect(&service).await;
        let request = format!(
            "POST /alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             {headers}\r\n0\r\n\r\n{inner}"
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut connection).await;
        assert_eq!(statuses(&answer), ["400"], "{headers}");
    }
    for request in [
        "POST /alertmanager HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /alertmanager HTTP/1.1\r\n\r\n",
        "POST /alertmanager HTTP/2.0\r\nHost: x\r\n\r\n",
        "POST  /alertmanager HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /alert\x07manager HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut connection = connect(&service).await;
        connection.write_all(request.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut connection).await;
        assert_eq!(statuses(&answer), ["400"], "{request}");
    }
    let room = service.sandbox.room_id("general").unwrap();
    assert!(
        service.sandbox.messages(&room).is_empty(),
        "nothing came through"
    );
    service.stop().await;
}

#[tokio::test]
async fn bad_chunks_are_refused() {
    let service = Service::start();
    for chunks in [
        "zz\r\n",
        "-1\r\nx\r\n",
        "ffffffffffffffffff\r\nx\r\n",
        "1\r\nxyz\r\n0\r\n\r\n",
        " \r\n",
        "1;\0\r\nx\r\n",
    ] {
        let mut connection = connect(&service).await;
        let request = format!(
            "POST /alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n{chunks}"
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut connection).await;
        assert_eq!(
            statuses(&answer).first(),
            Some(&"400"),
            "{chunks:?}: {answer}"
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn whoever_asks_before_it_sends_a_body_is_answered_before() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "token-of-the-team-a").unwrap();
    let file = token.path().display();
    let service = Service::with(&format!("bearer_token_file = \"{file}\"\n"));
    let body = firing("Down");
    let ask = |headers: &str| {
        let headers = format!("Expect: 100-continue\r\n{headers}");
        post("/alertmanager", &headers, &body)
            .split_inclusive("\r\n\r\n")
            .next()
            .unwrap()
            .to_owned()
    };
    let mut connection = connect(&service).await;
    connection.write_all(ask("").as_bytes()).await.unwrap();
    let answer = to_the_end(&mut connection).await;
    assert_eq!(statuses(&answer), ["401"], "no `100 Continue`");
    assert!(answer.contains("nosniff"), "{answer}");

    let mut connection = connect(&service).await;
    let request = ask("Authorization: Bearer token-of-the-team-a\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let go_on = up_to(&mut connection, "\r\n\r\n").await;
    assert_eq!(statuses(&go_on), ["100"]);
    connection.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(statuses(&up_to(&mut connection, END).await), ["200"]);
    service.stop().await;
}

#[tokio::test]
async fn a_thousand_slow_clients_do_not_hold_up_a_notification() {
    let service = Service::start();
    let mut slow = Vec::new();
    for number in 0..1000 {
        let mut connection = connect(&service).await;
        let begun = match number % 3 {
            0 => "",
            1 => "POST /alertmanager HTTP/1.1\r\nHost: x\r\nX-",
            _ => {
                "POST /alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                 Content-Length: 1000\r\n\r\n{"
            }
        };
        connection.write_all(begun.as_bytes()).await.unwrap();
        slow.push(connection);
    }
    let start = Instant::now();
    let answer = service.post("/alertmanager", firing("Down")).await;
    let took = start.elapsed();
    assert_eq!(answer.status, 200);
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    drop(slow);
    service.stop().await;
}

#[tokio::test]
async fn past_the_limit_connections_wait_until_slow_ones_have_been_hung_up_on() {
    let limited = format!("{SHORT}\nworkers = 1\nmax_connections = 4");
    let service = Service::with_server(&limited, "");
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut connection = connect(&service).await;
        connection.write_all(b"POST ").await.unwrap();
        slow.push(connection);
    }
    let answer = service.post("/alertmanager", firing("Down"));
    let answer = tokio::time::timeout(PATIENCE, answer)
        .await
        .expect("its turn comes");
    assert_eq!(answer.status, 200);
    service.stop().await;
}

#[tokio::test]
async fn json_of_any_depth_is_answered() {
    let service = Service::start();
    let deep = "[".repeat(1_000_000);
    let in_label = firing("Down").replace("\"critical\"", &deep);
    let in_unknown = firing("Down").replacen('{', &format!("{{\"x\":{deep},"), 1);
    let objects = format!("{{\"version\":\"4\",\"x\":{}", "{\"x\":".repeat(500_000));
    for body in [deep, in_label, in_unknown, objects] {
        let answer = service.post("/alertmanager", body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body["reason"], "bad_payload");
    }
    assert_eq!(
        service.post("/alertmanager", firing("Down")).await.status,
        200
    );
    service.stop().await;
}

#[tokio::test]
async fn every_answer_tells_a_browser_to_make_nothing_of_it() {
    let service = Service::start();
    let mut shown = Vec::new();
    for path in [
        "/-/healthy",
        "/-/ready",
        "/metrics",
        "/alertmanager",
        "/nothing",
        "/<script>",
    ] {
        let answer = Answer::of(client().get(service.url(path))).await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        shown.push([
            header("x-content-type-options"),
            header("content-security-policy"),
            header("referrer-policy"),
            header("cache-control"),
        ]);
        assert!(!answer.body.to_string().contains("<script>"));
    }
    assert!(shown.iter().all(|headers| *headers == shown[0]));
    insta::assert_debug_snapshot!(shown[0]);
    service.stop().await;
}

#[test]
fn nobody_writes_lines_of_their_own_into_the_log() {
    let sandbox = programs::Sandbox::start();
    for format in ["text", "json"] {
        let variables = [
            ("ALERTMANAGER_WEBEX__LOG__FORMAT", format),
            ("ALERTMANAGER_WEBEX__LOG__LEVEL", "trace"),
        ];
        let service = programs::Service::start(&sandbox, "ops", &variables);
        let forged = "\\n2026-01-01T00:00:00Z ERROR FORGED \\u001b[31mFORGED";
        let alerts = firing("Down").replace("critical", forged);
        let alerts = alerts.replace(
            "\"groupKey\":\"Down\"",
            &format!("\"groupKey\":\"{forged}\""),
        );
        assert_eq!(service.notify(&alerts).status, 200);
        let url = service.url("/alertmanager/a%0aERROR%20FORGED%1b%5b31m");
        let answer = programs::http("POST", &url, alerts.clone());
        assert_eq!(answer.status, 404);
        assert!(!answer.text.contains('\u{1b}'), "{answer:?}");
        let url = service.url("/alertmanager?x%0a=%0aERROR%20FORGED%1b");
        assert_eq!(programs::http("POST", &url, alerts).reason(), "bad_query");
        let body = "{\"version\":\"\\n\\u001bFORGED\"}";
        assert_eq!(service.notify(body).reason(), "bad_payload");
        service.program.says("bad_payload");
        let printed = service.program.printed();
        for line in printed.lines() {
            assert!(!line.contains('\u{1b}'), "{line:?}");
            // Each line is ours: it begins with the time, and not with the forged one.
            let begins = if format == "json" {
                line.starts_with('{')
            } else {
                let time = line.split(' ').next().unwrap();
                time.parse::<jiff::Timestamp>().is_ok() && !time.starts_with("2026-01-01")
            };
            assert!(begins, "{line:?} in\n{printed}");
        }
    }
}
