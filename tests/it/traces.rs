//! Traces, as a collector gets them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

use crate::programs::{Sandbox, Service, captured, http, ours};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0b1902b7";

/// A request that the collector got: its head, and what was in it.
type Got = (String, ExportTraceServiceRequest);

/// Takes traces over HTTP, in this process.
struct Collector {
    endpoint: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&got);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let taken = Arc::clone(&taken);
                std::thread::spawn(move || {
                    while let Some(got) = take(stream.as_ref().unwrap()) {
                        taken.lock().unwrap().push(got);
                    }
                });
            }
        });
        Self { endpoint, got }
    }

    fn spans(&self) -> Vec<Span> {
        let got = self.got.lock().unwrap();
        let resources = got.iter().flat_map(|(_, request)| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

/// One request on a connection, answered 200; none where the connection ends.
fn take(mut stream: &TcpStream) -> Option<Got> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        (stream.read(&mut byte).ok()? > 0).then_some(())?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let (_, length) = head.split_once("content-length: ")?;
    let length: usize = length.split("\r\n").next()?.parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let answer =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(answer).ok()?;
    Some((head, request))
}

fn hex(id: &[u8]) -> String {
    let number = id
        .iter()
        .fold(0, |number, byte| number << 8 | u128::from(*byte));
    format!("{number:0digits$x}", digits = id.len() * 2)
}

/// An attribute as text.
fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|one| one.key == key)?;
    Some(match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

fn assert_attributes(span: &Span, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        assert_eq!(attribute(span, key).as_deref(), Some(*value), "{key}");
    }
}

/// The one span of that name.
fn only<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} in {spans:#?}");
    found[0]
}

/// Posts a notification as Alertmanager does where it sends traces itself.
fn notify(service: &Service, body: &str) -> String {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    write!(
        stream,
        "POST /alertmanager HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: vendor=1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Who sent it, and how, and that there was no secret in it.
fn assert_sent(collector: &Collector, token: &str) {
    let got = collector.got.lock().unwrap();
    let (head, export) = &got[0];
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("x-tenant: team-a"), "{head}");
    let resource = export.resource_spans[0].resource.as_ref().unwrap();
    let resource = format!("{:?}", resource.attributes);
    for expected in ["webex-of-team-a", "deployment.environment"] {
        assert!(resource.contains(expected), "{resource}");
    }
    // Neither the token nor the message. The sandbox's token is its name.
    let all = format!("{got:?}");
    for secret in [format!("\"{token}\"").as_str(), "Bearer"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert!(
        !all.contains("summary") && !all.contains("annotations"),
        "{all}"
    );
}

#[test]
fn a_notification_is_a_tree_of_spans_that_goes_on_from_its_caller() {
    let (sandbox, collector) = (Sandbox::start(), Collector::start());
    sandbox.set_fault(r#"{"effect":{"status":{"code":503}},"method":"POST","times":1}"#);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=team-a"),
        ("OTEL_SERVICE_NAME", "webex-of-team-a"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        ("ALERTMANAGER_WEBEX__LOG__FORMAT", "json"),
    ];
    let service = Service::start(&sandbox, "ops", &variables);
    let answer = notify(&service, &captured("one-firing"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    http("GET", &service.url("/metrics"), "");
    // What is not sent yet is sent at the end.
    service.program.signal("TERM");
    let (status, printed) = service.program.end();
    assert!(status.success(), "{printed}");

    let spans = collector.spans();
    assert!(
        spans.iter().all(|span| hex(&span.trace_id) == TRACE),
        "{spans:#?}"
    );
    let request = only(&spans, "POST /alertmanager/{receiver}");
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(request.trace_state, "vendor=1");
    assert_eq!(request.kind(), SpanKind::Server);
    assert_attributes(
        request,
        &[
            ("http.request.method", "POST"),
            ("http.route", "/alertmanager/{receiver}"),
            ("http.response.status_code", "200"),
            ("alertmanager_webex.receiver", "default"),
            ("alertmanager_webex.reason", "delivered"),
        ],
    );
    let render = only(&spans, "render");
    assert_eq!(
        attribute(render, "alertmanager_webex.template").as_deref(),
        Some("default")
    );
    assert_eq!(
        attribute(render, "alertmanager_webex.messages").as_deref(),
        Some("1")
    );
    let named = |name: &str| -> Vec<&Span> {
        let mut found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
        found.sort_by_key(|span| span.start_time_unix_nano);
        found
    };
    let (waits, posts) = (named("wait"), named("POST /messages"));
    assert_eq!((waits.len(), posts.len(), spans.len()), (2, 2, 6));
    for span in waits.iter().chain(&posts).chain([&render]) {
        assert_eq!(span.parent_span_id, request.span_id, "{}", span.name);
    }
    for (wait, post) in waits.iter().zip(&posts) {
        assert!(wait.end_time_unix_nano <= post.start_time_unix_nano);
        assert_eq!(post.kind(), SpanKind::Client);
        assert_attributes(
            post,
            &[
                ("http.request.method", "POST"),
                ("url.template", "/messages"),
                ("alertmanager_webex.bot", "default"),
                ("alertmanager_webex.receiver", "default"),
            ],
        );
    }
    let told = |post: &Span, key| attribute(post, key).unwrap_or_default();
    let codes: Vec<_> = posts
        .iter()
        .map(|post| told(post, "http.response.status_code"))
        .collect();
    assert_eq!(codes, ["503", "200"]);
    assert_eq!(told(posts[0], "error.type"), "503");
    assert_eq!(told(posts[1], "http.request.resend_count"), "1");

    assert_sent(&collector, &sandbox.token);
    // The log knows the trace as well, and Webex knows nothing of it.
    let delivered = printed
        .lines()
        .find(|line| line.contains("delivered a notification"));
    assert!(
        delivered
            .unwrap()
            .contains(&format!("\"trace_id\":\"{TRACE}\"")),
        "{printed}"
    );
    let requests = sandbox.control("GET", "requests", "").text;
    assert!(!requests.contains(TRACE), "{requests}");
}

#[test]
fn a_collector_that_fails_is_one_warning_and_holds_up_nothing() {
    let sandbox = Sandbox::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", closed.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let service = Service::start(&sandbox, "ops", &variables);
    for name in ["one-firing", "group-firing"] {
        let answer = notify(&service, &captured(name));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let told = |line: &str| line.contains("traces cannot be sent").then_some(());
        service.program.line(told);
    }
    service.program.signal("TERM");
    let (status, printed) = service.program.end();
    assert!(status.success(), "{printed}");
    let told = printed
        .lines()
        .filter(|line| line.contains("traces cannot be sent"));
    assert_eq!(told.count(), 1, "{printed}");
}

#[test]
fn without_an_endpoint_nothing_is_traced_and_another_protocol_is_refused() {
    let (sandbox, collector) = (Sandbox::start(), Collector::start());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_SDK_DISABLED", "true"),
    ];
    let service = Service::start(&sandbox, "ops", &variables);
    notify(&service, &captured("one-firing"));
    service.program.signal("TERM");
    let (_, printed) = service.program.end();
    assert!(collector.spans().is_empty());
    assert!(printed.contains(&format!("trace_id={TRACE}")), "{printed}");

    let refused = ours()
        .arg("serve")
        .env("WEBEX_TOKEN", "t")
        .env("WEBEX_ROOM", &sandbox.rooms["ops"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .output()
        .unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.contains("traces are sent as `http/protobuf` only"),
        "{told}"
    );
    assert_eq!(refused.status.code(), Some(1));
}
