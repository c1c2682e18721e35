//! What each step on the way of an alert costs, but for rendering, which has benchmarks of its
//! own: `cargo bench --bench stages`.

mod body;

use std::collections::BTreeMap;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;

use alertmanager_webex::alertmanager::Notification;
use alertmanager_webex::app;
use alertmanager_webex::config::Sources;
use alertmanager_webex::prepared::{Prepared, prepare};
use alertmanager_webex::routing::{Remembered, assign};
use alertmanager_webex::webex::{Client, NewMessage, Recipient, Transport, TransportError};
use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use body::body;

/// Answers at once as Webex does when it takes a message.
struct Taken;

impl Transport for Taken {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        black_box(request);
        let answer = r#"{"id":"Y2lzY29zcGFyazovL3VzL01FU1NBR0UvMQ","roomId":"Y2lzY29zcGFyazovL3VzL1JPT00vMQ","roomType":"group","text":"It is told.","personId":"Y2lzY29zcGFyazovL3VzL1BFT1BMRS8x","personEmail":"bench@webex.bot","created":"2026-03-04T14:05:30.000Z"}"#;
        let answer = Response::new(Bytes::from_static(answer.as_bytes()));
        Box::pin(std::future::ready(Ok(answer)))
    }
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build();
    runtime.expect("a runtime of one thread can be made")
}

/// A configuration with two receivers: one that takes all, one that takes a namespace's alerts.
fn prepared() -> Prepared {
    let file = tempfile::NamedTempFile::new().expect("temporary files can be made");
    let toml = "[rooms]\nops = \"Y2lzY29zcGFyazovL3VzL1JPT00vMQ\"\n\
         [bots.default]\ntoken_env = \"TOKEN\"\n\
         messages_per_minute = 4000000000\nburst = 1000000\n\
         [receivers.default]\nrooms = [\"ops\"]\n\
         [receivers.payments]\nrooms = [\"ops\"]\nnamespaces = [\"payments\"]\n";
    std::fs::write(file.path(), toml).expect("as above");
    let sources = Sources {
        file: Some(file.path().to_owned()),
        environment: BTreeMap::from([("TOKEN".to_owned(), "bench".to_owned())]),
    };
    prepare(&sources).expect("the configuration is whole")
}

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    for count in [1, 10, 100, 5000] {
        let body = body(count);
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| black_box(Notification::parse(black_box(body.as_bytes()))));
        });
    }
    group.finish();
}

/// Which alerts may go where, for a receiver of one namespace.
fn route(c: &mut Criterion) {
    let routes = prepared().config.routes;
    let receiver = routes.find("payments").expect("it is configured");
    let mut group = c.benchmark_group("route");
    for count in [1, 10, 100, 5000] {
        let body = body(count);
        let notification = Notification::parse(body.as_bytes()).expect("this is a notification");
        let mut known = Remembered::default();
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| {
                let assigned = assign(
                    receiver,
                    None,
                    black_box(&notification),
                    &mut known,
                    Instant::now(),
                );
                black_box(assigned.is_ok())
            });
        });
    }
    group.finish();
}

/// From the body to the outcome, with a Webex that answers at once: parse, route, join, render,
/// queue, send, remember.
fn deliver(c: &mut Criterion) {
    let runtime = runtime();
    let Prepared {
        config, renderer, ..
    } = prepared();
    let (engine, _) = {
        let _entered = runtime.enter();
        app::engine(&config, renderer, Arc::new(Taken)).expect("the token is there")
    };
    let receiver = config.routes.find("default").expect("it is configured");
    let mut group = c.benchmark_group("deliver");
    for count in [1, 10, 100] {
        let text = body(count);
        let mut number = 0_u64;
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter_batched(
                || {
                    number += 1;
                    // Another group each time; of the same it would be a repeat.
                    text.replacen("\"groupKey\":\"{}", &format!("\"groupKey\":\"{number}"), 1)
                },
                |body| {
                    let notification = Notification::parse(body.as_bytes());
                    let notification = notification.expect("this is a notification");
                    let loaded = engine.loaded();
                    let dispatch = engine.dispatch(&loaded, receiver, None, &notification);
                    runtime.block_on(async {
                        let outcome = dispatch.outcome().await;
                        assert!(outcome.is_success(), "{outcome:?}");
                    });
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// What a request to Webex takes besides its way: written, and the answer read.
fn call(c: &mut Criterion) {
    let runtime = runtime();
    let base = "https://webex.invalid/v1".parse().expect("this is a URL");
    let client = Client::new(&base, Arc::new(Taken)).expect("as above");
    let token = "bench".to_owned().into();
    let markdown = "**Firing** `DiskFull` on \"db-1\": it is 97 % full\n".repeat(20);
    let message = NewMessage {
        to: Recipient::Room("Y2lzY29zcGFyazovL3VzL1JPT00vMQ"),
        markdown: Some(&markdown),
        text: None,
        parent_id: None,
        attachments: None,
    };
    c.bench_function("call", |b| {
        b.iter(|| {
            let answer = runtime.block_on(client.post_message(&token, black_box(&message)));
            assert!(answer.is_ok(), "{answer:?}");
        });
    });
}

criterion_group!(benches, parse, route, deliver, call);
criterion_main!(benches);
