//! Plays storms against the service and the sandbox, and prints how it fared.
//!
//! ```text
//! cargo run --release --example storm            # or `make storm`; about a minute
//! cargo run --release --example storm -- --quick # a smaller storm, some seconds
//! ```
//!
//! The storm and the memory are played in real time: the storm over real sockets, with
//! senders that behave as Alertmanager does. The learned pace and the neighbour take minutes
//! of Webex's time; there the engine meets the sandbox directly and the clock is simulated,
//! each post taking a quarter of a second. What decides the pace is the clock alone, so this
//! says the same as four minutes of waiting.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for the terminal that computes with small numbers"
)]

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alertmanager_webex::alertmanager::Notification;
use alertmanager_webex::app::{self, App};
use alertmanager_webex::config::Sources;
use alertmanager_webex::delivery::{Engine, Outcome, Ticket};
use alertmanager_webex::prepared::{Prepared, prepare};
use alertmanager_webex::routing::Routes;
use alertmanager_webex::sandbox::{
    self, Effect, Fault, FaultBody, Quota, RetryAfter, Sandbox, Server,
};
use alertmanager_webex::webex::{self, Transport, TransportError};
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// What a message to Webex may hold.
const MESSAGE_BYTES: f64 = 7439.0;
/// How long a post takes where the clock is simulated.
const LATENCY_MS: u64 = 250;
/// Far above every quota, so that the pace has to be learned.
const HIGH_CEILING: &str = "messages_per_minute = 60000\nburst = 1000\n";

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    webex::install_provider();
    let groups = if quick { 200 } else { 1000 };
    real_time()?.block_on(storm(groups))?;
    for quota in [1.0, 5.0, 20.0] {
        simulated()?.block_on(learned_pace(quota))?;
    }
    simulated()?.block_on(neighbour("the default ceiling of 5/s", "", None))?;
    let quota = Some(Quota::new(5.0, 10));
    simulated()?.block_on(neighbour(
        "a quota of 5/s that had to be learned",
        HIGH_CEILING,
        quota,
    ))?;
    real_time()?.block_on(memory(if quick { 1000 } else { 10_000 }))
}

fn real_time() -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

fn simulated() -> Result<Runtime> {
    Ok(Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?)
}

/// A configuration for the sandbox's bot and rooms.
fn prepared(sandbox: &Sandbox, base_url: &str, bot: &str, delivery: &str) -> Result<Prepared> {
    let room = |title| sandbox.room_id(title).context("the sandbox has no room");
    let mut file = tempfile::NamedTempFile::new()?;
    write!(
        file,
        "[rooms]\ngeneral = \"{}\"\nops = \"{}\"\n\
         [server]\nlisten = \"127.0.0.1:0\"\n\
         [webex]\nbase_url = \"{base_url}\"\nallow_http = true\n\
         [delivery]\n{delivery}\
         [bots.default]\ntoken_env = \"TOKEN\"\n{bot}\
         [receivers.default]\nrooms = [\"general\"]\n\
         [receivers.ops]\nrooms = [\"ops\"]\n",
        room("general")?,
        room("ops")?,
    )?;
    Ok(prepare(&Sources {
        file: Some(file.path().to_owned()),
        environment: BTreeMap::from([("TOKEN".to_owned(), "sandbox".to_owned())]),
    })?)
}

/// A group of one alert as it is met in the wild, with a mark by which it is found again.
fn notification(mark: &str) -> String {
    let severity = ["critical", "warning", "warning", "info"][mark.len() % 4];
    let labels = format!(
        r#"{{"alertname":"KubePodCrashLooping","severity":"{severity}","namespace":"team-a-production","cluster":"eu-1","pod":"{mark}","container":"server"}}"#
    );
    format!(
        r#"{{"version":"4","groupKey":"{{}}:{{pod=\"{mark}\"}}","status":"firing","receiver":"webex",
            "groupLabels":{{"pod":"{mark}"}},"commonLabels":{labels},
            "externalURL":"https://alertmanager.example.org","alerts":[{{"status":"firing","labels":{labels},
            "annotations":{{"summary":"{mark} restarts again and again","description":"The container exited 14 times within the last ten minutes; its last words are in the log.","runbook_url":"https://runbooks.example.org/KubePodCrashLooping"}},
            "startsAt":"2026-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"{mark}",
            "generatorURL":"https://prometheus.example.org/graph?g0.expr=rate%28kube_pod_container_status_restarts_total%5B10m%5D%29+%3E+0"}}]}}"#
    )
}

fn mark(number: usize) -> String {
    format!("pod{number:05}pod")
}

/// How many posts were answered so.
fn answered(sandbox: &Sandbox, status: u16) -> usize {
    let requests = sandbox.requests();
    let posts = requests.iter().filter(|request| request.method == "POST");
    posts
        .filter(|request| request.outcome == sandbox::Outcome::Answered(status))
        .count()
}

/// All at once into one room, past a quota that nobody told the service.
async fn storm(groups: usize) -> Result<()> {
    let sandbox = Sandbox::default();
    sandbox.set_quota("sandbox", Some(Quota::new(5.0, 10)))?;
    let server = Server::bind(sandbox.clone(), SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let base_url = format!("http://{}/v1", server.local_addr());
    tokio::spawn(server.run_until(std::future::pending()));
    let app = App::start(prepared(&sandbox, &base_url, HIGH_CEILING, "")?)?;
    let url = format!("http://{}/alertmanager", app.address());
    tokio::spawn(app.run_until(std::future::pending()));
    let client = reqwest::Client::builder().no_proxy().build()?;
    // The first connection is made, and the first message is not in the storm.
    send(&client, &url, "before", &AtomicUsize::new(0)).await?;
    sandbox.clear_messages(None)?;
    sandbox.clear_requests();
    sleep(Duration::from_secs(2)).await;

    let told = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    let start = Instant::now();
    for number in 0..groups {
        let (client, url, told) = (client.clone(), url.clone(), Arc::clone(&told));
        senders.spawn(async move { send(&client, &url, &mark(number), &told).await });
    }
    let room = sandbox.room_id("general").context("the room is gone")?;
    let mut progress = Instant::now() + Duration::from_secs(1);
    let seconds = loop {
        let texts: Vec<_> = sandbox
            .messages(&room)
            .into_iter()
            .filter_map(|message| message.markdown)
            .collect();
        let visible = (0..groups)
            .map(mark)
            .filter(|mark| texts.iter().any(|text| text.contains(mark)))
            .count();
        let elapsed = start.elapsed();
        if Instant::now() >= progress || visible == groups {
            progress += Duration::from_secs(1);
            eprintln!(
                "storm: {:3.0} s, {visible} of {groups} visible in {} messages, {} told",
                elapsed.as_secs_f64(),
                texts.len(),
                told.load(Ordering::Relaxed)
            );
        }
        if visible == groups {
            break elapsed.as_secs_f64();
        }
        ensure!(
            elapsed < Duration::from_secs(600),
            "not visible in ten minutes"
        );
        sleep(Duration::from_millis(100)).await;
    };
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    let messages = sandbox.messages(&room);
    let twice = (0..groups)
        .map(mark)
        .filter(|mark| {
            let texts = messages.iter().filter_map(|m| m.markdown.as_ref());
            texts.filter(|text| text.contains(mark.as_str())).count() > 1
        })
        .count();
    let bytes: usize = messages.iter().map(|message| message.size).sum();
    let least = bytes as f64 / MESSAGE_BYTES / 5.0;
    let target = 1.1 * least + 2.0;
    println!(
        "storm: {groups} groups visible after {seconds:.1} s in {} messages of {bytes} bytes; least {least:.1} s, target {target:.1} s ({}); twice {twice}; 429s {}; all told after {:.1} s",
        messages.len(),
        verdict(seconds <= target),
        answered(&sandbox, 429),
        start.elapsed().as_secs_f64(),
    );
    Ok(())
}

/// Sends until it is told 200, with Alertmanager's pauses: they run while a request does.
async fn send(client: &reqwest::Client, url: &str, mark: &str, told: &AtomicUsize) -> Result<()> {
    let body = notification(mark);
    let mut pause = 0.5;
    loop {
        let next = Instant::now() + Duration::from_secs_f64(pause * (0.5 + fastrand::f64()));
        let answer = client
            .post(url)
            .header("Content-Type", "application/json")
            .body(body.clone())
            .send()
            .await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            told.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        tokio::time::sleep_until(next).await;
        pause = (pause * 1.5_f64).min(60.0);
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// The sandbox without sockets, so that the simulated clock holds for it as well.
struct Direct(Sandbox);

impl Transport for Direct {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        Box::pin(async move {
            let answer = self.0.answer(request).await;
            answer.map_err(|broken| TransportError::Interrupted(broken.to_string()))
        })
    }
}

/// The engine with the sandbox behind it.
struct Rig {
    engine: Arc<Engine>,
    routes: Routes,
    sandbox: Sandbox,
}

impl Rig {
    fn new(bot: &str, delivery: &str) -> Result<Self> {
        let sandbox = Sandbox::default();
        let prepared = prepared(&sandbox, "http://webex.invalid/v1", bot, delivery)?;
        let transport = Arc::new(Direct(sandbox.clone()));
        let (engine, _) = app::engine(&prepared.config, prepared.renderer, transport)?;
        let routes = prepared.config.routes;
        Ok(Self {
            engine,
            routes,
            sandbox,
        })
    }

    fn submit(&self, receiver: &str, mark: &str) -> Result<Ticket> {
        let body = notification(mark);
        let notification = Notification::parse(body.as_bytes())?;
        let receiver = self.routes.find(receiver).context("no such receiver")?;
        Ok(self.engine.submit(receiver, &notification))
    }
}

/// As many full messages as the quota lets through, and what it refuses, over the second to
/// the fourth minute.
async fn learned_pace(quota: f64) -> Result<()> {
    // Without digests each notification is a request, and there is always one that waits.
    let rig = Rig::new(HIGH_CEILING, "digest_after = \"10h\"\n")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "2 to 40"
    )]
    let burst = (quota * 2.0) as u32;
    rig.sandbox
        .set_quota("sandbox", Some(Quota::new(quota, burst)))?;
    rig.sandbox
        .set_fault(Fault::new(Effect::Latency { ms: LATENCY_MS }))?;
    let mut number = 0;
    let start = Instant::now();
    for second in 0..240 {
        if second == 60 {
            rig.sandbox.clear_requests();
        }
        while rig.engine.snapshot().waiting < 200 {
            drop(rig.submit("default", &mark(number))?);
            number += 1;
        }
        if second % 30 == 0 {
            let pace = rig.engine.snapshot().bots["default"].pace;
            eprintln!("pace: quota {quota}/s, {second} s, pace {pace:.2}/s");
        }
        tokio::time::sleep_until(start + Duration::from_secs(second + 1)).await;
    }
    let (accepted, refused) = (answered(&rig.sandbox, 200), answered(&rig.sandbox, 429));
    let goodput = accepted as f64 / (quota * 180.0);
    let share = refused as f64 / (accepted + refused) as f64;
    let met = goodput >= 0.9 && (share <= 0.02 || refused <= 3);
    println!(
        "pace: quota {quota}/s, bucket {burst}: goodput {:.1} %, 429s {refused} of {} ({:.1} %), {:.1} a minute ({})",
        goodput * 100.0,
        accepted + refused,
        share * 100.0,
        refused as f64 / 3.0,
        verdict(met)
    );
    Ok(())
}

/// One alert every 2 s to a room, alone and while another room of the bot is stormed.
async fn neighbour(what: &str, bot: &str, quota: Option<Quota>) -> Result<()> {
    let mut figures = Vec::new();
    for stormed in [false, true] {
        let rig = Rig::new(bot, "")?;
        rig.sandbox
            .set_fault(Fault::new(Effect::Latency { ms: LATENCY_MS }))?;
        rig.sandbox.set_quota("sandbox", quota)?;
        let mut took = JoinSet::new();
        let mut groups = 0;
        for number in 0..100 {
            // As soon as one storm of 300 is over, there is the next.
            if stormed && rig.engine.snapshot().waiting < 10 {
                for _ in 0..300 {
                    drop(rig.submit("default", &mark(groups))?);
                    groups += 1;
                }
            }
            // Not always at the same moment of the bot's rhythm.
            sleep(Duration::from_millis(1500 + fastrand::u64(0..1000))).await;
            let ticket = rig.submit("ops", &format!("quiet{number}"))?;
            let start = Instant::now();
            took.spawn(async move {
                let outcome = ticket.outcome().await;
                (start.elapsed(), outcome)
            });
        }
        let mut times = Vec::new();
        while let Some(result) = took.join_next().await {
            let (elapsed, outcome) = result?;
            ensure!(
                matches!(outcome, Outcome::Delivered { .. }),
                "a quiet alert was not delivered: {outcome:?}"
            );
            times.push(elapsed.as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        figures.push((times[50], times[95]));
        eprintln!(
            "neighbour: {what}, {groups} groups next door: p95 {:.2} s",
            times[95]
        );
    }
    let [(alone_median, alone), (beside_median, beside)] = figures[..] else {
        return Ok(());
    };
    println!(
        "neighbour: {what}: median {alone_median:.2} s alone, {beside_median:.2} s beside a storm; p95 {alone:.2} s and {beside:.2} s, {:.1} times ({})",
        beside / alone,
        verdict(beside <= 2.0 * alone)
    );
    Ok(())
}

/// What many that wait take, and how long one more.
async fn memory(waiting: usize) -> Result<()> {
    let rig = Rig::new(HIGH_CEILING, "max_waiting = 20000\n")?;
    rig.sandbox.set_fault(Fault::new(Effect::TooManyRequests {
        retry_after: Some(RetryAfter::Seconds(3600)),
        body: FaultBody::Html,
    }))?;
    drop(rig.submit("default", "first")?);
    sleep(Duration::from_millis(200)).await;
    let before = resident();
    let start = Instant::now();
    for number in 1..waiting {
        drop(rig.submit("default", &mark(number))?);
    }
    let all = start.elapsed();
    let after = resident();
    let mut one_more: Vec<Duration> = Vec::new();
    for number in 0..1000 {
        let body = mark(waiting + number);
        let start = Instant::now();
        drop(rig.submit("default", &body)?);
        one_more.push(start.elapsed());
    }
    one_more.sort();
    println!(
        "memory: {} waiting take {} more of resident memory ({} before); accepting them took {:.0} ms, one more takes {:.0} µs (median; p99 {:.0} µs)",
        rig.engine.snapshot().waiting - 1000,
        before.zip(after).map_or_else(
            || "an unknown amount".to_owned(),
            |(before, after)| format!("{:.1} MiB", after - before)
        ),
        before.map_or_else(|| "unknown".to_owned(), |before| format!("{before:.1} MiB")),
        all.as_secs_f64() * 1e3,
        one_more[500].as_secs_f64() * 1e6,
        one_more[990].as_secs_f64() * 1e6,
    );
    Ok(())
}

/// Resident memory of this process in MiB, where the system tells.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
