//! Storms and bad weather with real processes: Alertmanager, `serve`, and the sandbox.
//!
//! Each alert is a group of its own and bears a mark in its summary. When every group was
//! told 200, the marks in the room's messages are counted: a mark that is missing is a lost
//! alert, one in two messages was posted twice. A mark in a digest is one as well.
//!
//! What takes longer than half a minute is named `long_…` and left to `make test-all`.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::programs::{Program, Sandbox, http, ours};

/// A storm and its end take no longer, also where Alertmanager waits for its next flush.
const PATIENCE: Duration = Duration::from_secs(110);

fn await_in_time(event: &str, mut look: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look() {
        assert!(
            Instant::now() < deadline,
            "{event}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An address of this test alone, so that nobody takes the port while nobody listens.
pub(crate) fn own_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let host = Ipv4Addr::new(127, 100 + high % 100, middle, low.max(1));
    let port = 20_000 + NEXT.fetch_add(1, Ordering::Relaxed);
    SocketAddr::from((host, port))
}

/// A real Alertmanager.
pub(crate) struct Alertmanager {
    program: Program,
    address: String,
    _folder: TempDir,
}

impl Alertmanager {
    /// One for which each mark is a group. `cluster` is what it is told of its cluster.
    fn start(service: SocketAddr, cluster: &[String]) -> Self {
        let route = "group_by: [mark], group_wait: 0s, group_interval: 10s, repeat_interval: 4h";
        Self::with(
            "ALERTMANAGER_BIN",
            &format!("http://{service}/alertmanager"),
            route,
            cluster,
        )
    }

    /// `variable` names the program, `url` is what it notifies, and `route` says when.
    pub(crate) fn with(variable: &str, url: &str, route: &str, cluster: &[String]) -> Self {
        let config = format!(
            "route: {{receiver: webex, {route}}}\n\
             receivers: [{{name: webex, webhook_configs: [{{url: '{url}'}}]}}]\n"
        );
        Self::configured(variable, &config, cluster)
    }

    /// `config` is its whole configuration.
    pub(crate) fn configured(variable: &str, config: &str, cluster: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let binary = std::env::var_os(variable).map(PathBuf::from);
        let binary = binary.unwrap_or_else(|| panic!("{variable} is set by `make test`"));
        let program = Program::start(
            Command::new(binary)
                .env_clear()
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.path={}", folder.path().display()))
                .arg("--web.listen-address=127.0.0.1:0")
                .args(cluster),
        );
        // 0.25: `msg=Listening address=…`; since 0.28: `msg="Listening on" address=…`.
        let address = program.line(|line| {
            let (_, rest) = line.split_once("Listening")?;
            let (_, address) = rest.split_once("address=")?;
            Some(address.split_whitespace().next()?.to_owned())
        });
        Self {
            program,
            address,
            _folder: folder,
        }
    }

    fn alone(service: SocketAddr) -> Self {
        Self::start(service, &["--cluster.listen-address=".to_owned()])
    }

    /// Two that know each other, once they do.
    fn two(service: SocketAddr) -> [Self; 2] {
        Self::pair(|cluster| Self::start(service, cluster))
    }

    /// As [`Self::two`], each of them started with what it is to be told of the cluster.
    pub(crate) fn pair(start: impl Fn(&[String]) -> Self) -> [Self; 2] {
        let listen = "--cluster.listen-address=127.0.0.1:0".to_owned();
        let first = start(std::slice::from_ref(&listen));
        let first_peer = {
            let status = first.get("api/v2/status").json();
            let address = &status["cluster"]["peers"][0]["address"];
            address.as_str().unwrap().to_owned()
        };
        let second = start(&[listen, format!("--cluster.peer={first_peer}")]);
        await_in_time("the cluster is complete", || {
            [&first, &second].iter().all(|one| {
                let cluster = one.get("api/v2/status").json()["cluster"].take();
                cluster["status"] == "ready" && cluster["peers"].as_array().unwrap().len() == 2
            })
        });
        [first, second]
    }

    /// All that it printed.
    pub(crate) fn printed(&self) -> String {
        self.program.printed()
    }

    fn get(&self, path: &str) -> crate::programs::Answer {
        http("GET", &format!("http://{}/{path}", self.address), "")
    }

    /// Tells of so many alerts, as Prometheus would.
    fn storm(&self, marks: usize) {
        self.storm_since(marks, jiff::Timestamp::now());
    }

    /// The beginning is Prometheus': all Alertmanagers are told the same.
    fn storm_since(&self, marks: usize, starts_at: jiff::Timestamp) {
        let alerts: Vec<_> = (0..marks)
            .map(|number| {
                serde_json::json!({
                    "labels": {"alertname": "Storm", "severity": "warning", "mark": mark(number)},
                    "annotations": {"summary": format!("{} blows", mark(number))},
                    "startsAt": starts_at.to_string(),
                })
            })
            .collect();
        self.tell(&serde_json::Value::Array(alerts));
    }

    /// Tells of alerts.
    pub(crate) fn tell(&self, alerts: &serde_json::Value) {
        let answer = http(
            "POST",
            &format!("http://{}/api/v2/alerts", self.address),
            alerts.to_string(),
        );
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The sum of a metric.
    fn metric(&self, name: &str) -> u64 {
        sum(&self.get("metrics").text, name, |_| true)
    }

    /// How many of its requests were answered 2xx: then a group is told and rests.
    fn told(&self) -> u64 {
        let look = || {
            // Of one moment: a hundred requests may fail between two looks.
            let metrics = self.get("metrics").text;
            let webhook = |line: &str| line.contains(r#"integration="webhook""#);
            let requests = sum(
                &metrics,
                "alertmanager_notification_requests_total",
                webhook,
            );
            let failed = "alertmanager_notification_requests_failed_total";
            requests.saturating_sub(sum(&metrics, failed, webhook))
        };
        // A request is counted an instant before its failure is.
        look().min(look())
    }

    fn await_told(&self, marks: usize) {
        await_in_time("Alertmanager is told of all", || {
            self.told() >= marks as u64
        });
    }
}

fn mark(number: usize) -> String {
    format!("mark{number:04}mark")
}

/// The sum of the values of the series of a metric.
pub(crate) fn sum(metrics: &str, name: &str, which: impl Fn(&str) -> bool) -> u64 {
    metrics
        .lines()
        .filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' '])) && which(line)
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// `serve` on an address that another can take over, without time for each message alone.
fn serve(sandbox: &Sandbox, api: &str, address: SocketAddr, variables: &[(&str, &str)]) -> Program {
    let program = Program::start(
        ours()
            .arg("serve")
            .env("WEBEX_TOKEN", &sandbox.token)
            .env("WEBEX_ROOM", &sandbox.rooms["ops"])
            .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", api)
            .env("ALERTMANAGER_WEBEX__SERVER__LISTEN", address.to_string())
            .env("RUST_LOG", "warn,alertmanager_webex=info")
            .envs(variables.iter().copied()),
    );
    program.word_after("ready on ");
    program
}

/// What became of the marks.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    lost: Vec<String>,
    twice: Vec<String>,
    messages: usize,
}

fn count(sandbox: &Sandbox, marks: usize) -> Count {
    let messages = sandbox.messages("ops");
    let times = |mark: &String| {
        let with = messages.iter().filter(|message| message.contains(mark));
        with.count()
    };
    let all: Vec<_> = (0..marks).map(mark).collect();
    let with = |wanted: fn(usize) -> bool| {
        let found = all.iter().filter(|mark| wanted(times(mark)));
        found.cloned().collect()
    };
    Count {
        lost: with(|times| times == 0),
        twice: with(|times| times > 1),
        messages: messages.len(),
    }
}

/// How many marks are in the room already.
fn visible(sandbox: &Sandbox, marks: usize) -> usize {
    marks - count(sandbox, marks).lost.len()
}

/// What came of it, for whoever looks: `cargo nextest run --success-output final`.
#[expect(clippy::print_stdout, reason = "the report of a test")]
pub(crate) fn report(text: &str) {
    println!("{text}");
}

fn assert_each_once(sandbox: &Sandbox, marks: usize) {
    let count = count(sandbox, marks);
    report(&format!(
        "{marks} alerts in {} messages, lost {}, twice {}",
        count.messages,
        count.lost.len(),
        count.twice.len()
    ));
    assert!(count.lost.is_empty(), "lost: {count:?}");
    assert!(count.twice.is_empty(), "twice: {count:?}");
}

/// A storm while Webex does as the fault says: each alert is there once in the end.
fn each_once_in_spite_of(fault: &str, marks: usize) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.set_fault(fault);
    let address = own_address();
    let _service = serve(&sandbox, &sandbox.api, address, &[]);
    let alertmanager = Alertmanager::alone(address);
    alertmanager.storm(marks);
    alertmanager.await_told(marks);
    assert_each_once(&sandbox, marks);
    sandbox
}

#[test]
fn an_outage_of_twenty_seconds_loses_nothing_and_doubles_nothing() {
    let fault = r#"{"effect":{"status":{"code":503}},"method":"POST","for_ms":20000}"#;
    let sandbox = each_once_in_spite_of(fault, 100);
    let failed = sandbox.posts().iter().filter(|code| **code == 503).count();
    // Those under way when it begins, and then one that probes.
    assert!(failed <= 50, "{failed} requests into the outage");
}

#[test]
fn long_twenty_seconds_of_broken_connections_lose_nothing_and_double_nothing() {
    let fault = r#"{"effect":"reset","method":"POST","for_ms":20000}"#;
    each_once_in_spite_of(fault, 100);
}

/// Passes on what comes, once it is open; before, nobody listens there.
fn open_door(at: SocketAddr, to: SocketAddr) {
    let listener = TcpListener::bind(at).unwrap();
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            let mut buffer = [0; 16384];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            // It may be closed already.
            let _ = to.shutdown(Shutdown::Write);
        });
    };
    std::thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let Ok(server) = TcpStream::connect(to) else {
                return;
            };
            pass(client.try_clone().unwrap(), server.try_clone().unwrap());
            pass(server, client);
        }
    });
}

#[test]
fn long_twenty_seconds_without_a_connection_lose_nothing_and_double_nothing() {
    const MARKS: usize = 100;
    let sandbox = Sandbox::start();
    let (door, address) = (own_address(), own_address());
    let _service = serve(&sandbox, &format!("http://{door}/v1"), address, &[]);
    let alertmanager = Alertmanager::alone(address);
    alertmanager.storm(MARKS);
    let start = Instant::now();
    await_in_time("the outage ends", || {
        start.elapsed() >= Duration::from_secs(20)
    });
    let (_, to) = sandbox.page.split_once("://").unwrap();
    open_door(door, to.trim_end_matches('/').parse().unwrap());
    alertmanager.await_told(MARKS);
    assert_each_once(&sandbox, MARKS);
}

#[test]
fn a_limit_of_twenty_seconds_loses_nothing_and_doubles_nothing() {
    let fault =
        r#"{"effect":{"too_many_requests":{"retry_after":20}},"method":"POST","for_ms":3000}"#;
    let sandbox = each_once_in_spite_of(fault, 100);
    let limited = sandbox.posts().iter().filter(|code| **code == 429).count();
    // The first burst is under way when the gate closes; then nothing goes through it.
    assert!(limited <= 30, "{limited} requests into a closed gate");
}

fn a_cluster_with_a_slow_webex(milliseconds: u32) {
    const MARKS: usize = 20;
    let sandbox = Sandbox::start();
    sandbox.set_fault(&format!(
        r#"{{"effect":{{"latency":{{"ms":{milliseconds}}}}},"method":"POST"}}"#
    ));
    let address = own_address();
    let service = serve(&sandbox, &sandbox.api, address, &[]);
    let peers = Alertmanager::two(address);
    // As Prometheus does, each of them is told.
    let starts_at = jiff::Timestamp::now();
    for peer in &peers {
        peer.storm_since(MARKS, starts_at);
    }
    await_in_time("each peer knows that all is told", || {
        let told: u64 = peers.iter().map(Alertmanager::told).sum();
        let waiting = sum(
            &http("GET", &format!("http://{address}/metrics"), "").text,
            "alertmanager_webex_waiting_notifications",
            |_| true,
        );
        let looked = peers
            .iter()
            .all(|peer| peer.metric("alertmanager_nflog_queries_total") >= MARKS as u64);
        looked && told >= MARKS as u64 && waiting == 0
    });
    assert_each_once(&sandbox, MARKS);
    let metrics = http("GET", &format!("http://{address}/metrics"), "").text;
    assert_eq!(
        sum(&metrics, "alertmanager_webex_ambiguous_posts_total", |_| {
            true
        }),
        0,
        "slow is not ambiguous"
    );
    drop(service);
}

#[test]
fn long_a_cluster_whose_webex_answers_after_12_seconds_posts_each_once() {
    a_cluster_with_a_slow_webex(12_000);
}

#[test]
fn long_a_cluster_whose_webex_answers_after_16_seconds_posts_each_once() {
    a_cluster_with_a_slow_webex(16_000);
}

/// Some messages are under way at any time, and each is alone, so that the storm is in full swing for some seconds.
const SLOW: &str = r#"{"effect":{"latency":{"ms":300}},"method":"POST"}"#;
const NO_DIGEST: (&str, &str) = ("ALERTMANAGER_WEBEX__DELIVERY__DIGEST_AFTER", "10m");

/// A storm in full swing, in which the service ends as `end` says and the next one takes its
/// place. Returns the sandbox once all is told, and how much of it was there between the two.
fn taken_over_in_a_storm(marks: usize, end: impl FnOnce(Program)) -> (Sandbox, usize) {
    let sandbox = Sandbox::start();
    sandbox.set_fault(SLOW);
    let address = own_address();
    let service = serve(&sandbox, &sandbox.api, address, &[NO_DIGEST]);
    let alertmanager = Alertmanager::alone(address);
    alertmanager.storm(marks);
    await_in_time("half of the storm is there", || {
        visible(&sandbox, marks) > marks / 2
    });
    end(service);
    let before = visible(&sandbox, marks);
    assert!(before < marks, "it ended too late");
    let _next = serve(&sandbox, &sandbox.api, address, &[NO_DIGEST]);
    alertmanager.await_told(marks);
    (sandbox, before)
}

#[test]
fn a_service_that_is_killed_in_a_storm_loses_nothing() {
    const MARKS: usize = 60;
    // SIGKILL.
    let (sandbox, before) = taken_over_in_a_storm(MARKS, drop);
    let count = count(&sandbox, MARKS);
    report(&format!("killed after {before} of {MARKS}: {count:?}"));
    assert!(count.lost.is_empty(), "{count:?}");
    // What was posted and not yet told is posted again. It is little, and cannot be none.
}

#[test]
fn a_service_that_hands_over_in_a_storm_loses_nothing_and_doubles_nothing() {
    const MARKS: usize = 60;
    let (sandbox, before) = taken_over_in_a_storm(MARKS, |service| {
        service.signal("TERM");
        let (status, printed) = service.end();
        assert_eq!(status.code(), Some(0), "{printed}");
    });
    report(&format!("handed over after {before} of {MARKS}"));
    assert_each_once(&sandbox, MARKS);
}
