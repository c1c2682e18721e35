//! Measures what logs and metrics add to the processor's time of a notification.
//!
//! ```text
//! make bench-telemetry
//! ```
//!
//! Notifications of one alert, each of a group of its own, go the whole way in this process: the
//! routes, JSON, template, queue, the request to Webex, what its answer means. Only sockets and
//! TLS are left out, and Webex, of which a constant answer is all there is. So what the service
//! does is cheaper here than it is, and the shares that are printed are greater than they are.
//!
//! Logs: processes with the log at info, written to `/dev/null`, and processes without, by turns;
//! the medians are compared. Metrics: what is counted for a notification, many times by itself.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;
use std::fs::File;
use std::future::Future;
use std::io::Write as _;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::{Service as ActixService, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use alertmanager_webex::app::Unbound;
use alertmanager_webex::config::Sources;
use alertmanager_webex::http::{Door, app};
use alertmanager_webex::prepared::prepare;
use alertmanager_webex::reload::Way;
use alertmanager_webex::telemetry::{LineFormat, MessageKind, Metrics, log_layer};
use alertmanager_webex::webex::{Transport, TransportError};
use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Request, Response};
use rustix::time::{ClockId, clock_gettime};
use tracing::Dispatch;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

/// Processes of each kind.
const ROUNDS: usize = 15;
/// Notifications in a measurement. So many in a second have no line each: what is too much for a
/// receiver is counted. So they are dealt out.
const NOTIFICATIONS: usize = 500;
/// Receivers: of each so few that all of its notifications have their line.
const RECEIVERS: usize = 10;
/// How often the metrics of one notification are counted.
const COUNTS: u32 = 200_000;

/// Takes every message.
struct Webex;

impl Transport for Webex {
    fn send(
        &self,
        _request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        let answer = Bytes::from_static(br#"{"id":"message","roomId":"room"}"#);
        Box::pin(std::future::ready(Ok(Response::new(answer))))
    }
}

fn main() -> Result<()> {
    if let Some(kind) = std::env::args().nth(1) {
        return alone(&kind);
    }
    let (mut with_log, mut without_log, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (kind, times) in [
            ("without", &mut without_log),
            ("with", &mut with_log),
            ("metrics", &mut metrics),
        ] {
            times.push(in_a_process(kind)?);
        }
    }
    let (with_log, without_log, metrics) = (median(with_log), median(without_log), median(metrics));
    let log = with_log - without_log;
    let bare = without_log - metrics;
    for (what, took) in [
        ("without logs and metrics", bare),
        ("metrics", metrics),
        ("log at info", log),
        ("both", log + metrics),
    ] {
        println!("{what:24} {took:6.2} µs  {:5.1} %", 100.0 * took / bare);
    }
    Ok(())
}

/// One measurement in a process of its own: which lines are wanted is found out once in each.
fn in_a_process(kind: &str) -> Result<f64> {
    let output = Command::new(std::env::current_exe()?).arg(kind).output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Measures, and prints microseconds.
fn alone(kind: &str) -> Result<()> {
    let lines = Arc::new(AtomicUsize::new(0));
    if kind == "with" {
        tracing::dispatcher::set_global_default(log(Arc::clone(&lines))?)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let took = tokio::task::LocalSet::new().block_on(&runtime, measure(kind))?;
    ensure!((kind == "with") == (lines.load(Ordering::Relaxed) > 0));
    println!("{took}");
    Ok(())
}

async fn measure(kind: &str) -> Result<f64> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(
        file.path(),
        format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[bots.default]\ntoken_env = \"TOKEN\"\n\
             messages_per_minute = 60000000\nburst = 1000000\n\
             [rooms]\nops = \"Y2lzY29zcGFyazovL3VzL1JPT00vb3Bz\"\n{}",
            (0..RECEIVERS)
                .map(|number| format!("[receivers.r{number}]\nrooms = [\"ops\"]\n"))
                .collect::<Vec<_>>()
                .concat()
        ),
    )?;
    let prepared = prepare(&Sources {
        file: Some(file.path().to_owned()),
        environment: BTreeMap::from([("TOKEN".to_owned(), "token".to_owned())]),
    })?;
    let transport: Arc<dyn Transport> = Arc::new(Webex);
    let way = Way::Given(Arc::clone(&transport));
    let unbound = Unbound::new(prepared, transport, way, None)?;
    if kind == "metrics" {
        return Ok(counting(&unbound.metrics));
    }
    let service = init_service(app(&unbound.service, Door::Main)).await;
    // The first ones fill tables.
    play(&service, "first").await?;
    play(&service, "then").await
}

/// The log at info, to where nobody reads: one system call a line, as to stderr.
fn log(lines: Arc<AtomicUsize>) -> Result<Dispatch> {
    let null = File::create("/dev/null")?;
    let (layer, _) = log_layer(LineFormat::Text { colours: false }, move |line| {
        lines.fetch_add(1, Ordering::Relaxed);
        // It takes everything.
        let _ = (&null).write_all(line.as_bytes());
    });
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(layer);
    Ok(Dispatch::new(subscriber))
}

/// Plays a round. Returns the processor's time of a notification, in microseconds.
async fn play<S, B, E>(service: &S, round: &str) -> Result<f64>
where
    S: ActixService<actix_http::Request, Response = ServiceResponse<B>, Error = E>,
    E: std::fmt::Debug,
{
    let requests: Vec<_> = (0..NOTIFICATIONS)
        .map(|number| {
            TestRequest::post()
                .uri(&format!("/alertmanager/r{}", number % RECEIVERS))
                .peer_addr(([127, 0, 0, 1], 40000).into())
                .insert_header(("Content-Type", "application/json"))
                .set_payload(body(round, number))
                .to_request()
        })
        .collect();
    let start = processor_time();
    for request in requests {
        let answer = service.call(request).await;
        let answer = answer.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        ensure!(answer.status().is_success(), "{}", answer.status());
    }
    let took = processor_time().saturating_sub(start);
    let number = u32::try_from(NOTIFICATIONS)?;
    Ok((took / number).as_secs_f64() * 1e6)
}

/// An alert as Prometheus sends it: ten labels and three annotations.
fn body(round: &str, number: usize) -> String {
    let labels: Vec<_> = (0..8)
        .map(|label| format!(r#""label{label}":"value-{label}-{number}""#))
        .collect();
    format!(
        r#"{{"version":"4","groupKey":"{{}}:{{alertname=\"Down-{round}-{number}\"}}","receiver":"webex","status":"firing",
            "groupLabels":{{"alertname":"Down-{round}-{number}"}},"commonLabels":{{}},"commonAnnotations":{{}},
            "externalURL":"http://alertmanager.example.org","alerts":[{{"status":"firing",
            "labels":{{"alertname":"Down-{round}-{number}","severity":"critical",{}}},
            "annotations":{{"summary":"a server is down","description":"It has not answered for five minutes.","runbook_url":"https://runbooks.example.org/Down"}},
            "startsAt":"2026-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z",
            "generatorURL":"http://prometheus.example.org/graph","fingerprint":"{number:016x}"}}]}}"#,
        labels.join(",")
    )
}

/// The time that counting one notification takes, in microseconds.
fn counting(metrics: &Metrics) -> f64 {
    let receiver: Arc<str> = "r0".into();
    let bot: Arc<str> = "default".into();
    let took = Duration::from_millis(5);
    let start = processor_time();
    for _ in 0..COUNTS {
        metrics.waiting(&receiver).inc();
        metrics.requested(&bot, "200", took);
        metrics.accepted(&receiver, MessageKind::New);
        metrics.delivered(&receiver);
        metrics.waiting(&receiver).dec();
        metrics.answered(&receiver, "delivered", took);
    }
    processor_time().saturating_sub(start).as_secs_f64() * 1e6 / f64::from(COUNTS)
}

/// What this thread has had of the processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
