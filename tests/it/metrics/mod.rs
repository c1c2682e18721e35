//! What Prometheus reads: both formats, sound to Prometheus' own tools, complete, and bounded.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::sandbox::{Sandbox, ServiceApp, Setup};
use alertmanager_webex::telemetry::catalogue;
use prometheus_client::metrics::MetricType;
use tokio::time::sleep;

use crate::harness::{Answer, Direct, Rig, Service, client, firing};

const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All that a configuration can ask for, so that every metric has a series.
async fn everything() -> (Rig, tempfile::TempDir) {
    let sandbox = Sandbox::new(Setup::default());
    let app: ServiceApp = serde_json::from_value(serde_json::json!({
        "client_id": "client", "client_secret": "client-secret", "refresh_token": "first",
    }))
    .unwrap();
    sandbox.add_service_app("team", app).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("secret", "client-secret"), ("refresh", "first")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let more = format!(
        "bot = \"default\"\nnamespaces = [\"team-a\"]\n\
         room_from = {{ annotation = \"webex_room\", allow = [\"ops\"] }}\n\
         [bots.team]\nclient_id = \"client\"\nclient_secret_file = \"{0}/secret\"\n\
         refresh_token_file = \"{0}/refresh\"\n",
        folder.path().display()
    );
    let transport = Arc::new(Direct(sandbox.clone()));
    let rig = Rig::over(sandbox, transport, &more);
    sleep(Duration::from_secs(1)).await;
    (rig, folder)
}

/// The name of a series without labels and without what a histogram appends.
fn family(series: &str) -> &str {
    let name = series.split(['{', ' ']).next().unwrap();
    ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

/// The names of the labels of a series, but for a bucket's.
fn labels(series: &str) -> Vec<&str> {
    let Some((_, labels)) = series.split_once('{') else {
        return Vec::new();
    };
    let names = labels.split("=\"").filter_map(|before| {
        let name = before.rsplit([',', ' ']).next()?;
        let is_name = name.chars().all(|char| char.is_ascii_lowercase());
        (is_name && name != "le").then_some(name)
    });
    names.collect()
}

#[tokio::test(start_paused = true)]
async fn every_metric_is_described_and_everything_that_is_described_is_there() {
    let (rig, _folder) = everything().await;
    let text = rig.metrics.classic_text();
    let mut told = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert_eq!(told.insert(name, kind), None, "{name} is described twice");
    }
    let described: BTreeMap<_, _> = catalogue::ALL
        .iter()
        .map(|one| {
            let kind = match &one.kind {
                MetricType::Info => "gauge",
                kind => kind.as_str(),
            };
            (one.full_name(), kind.to_owned())
        })
        .collect();
    let told: BTreeMap<_, _> = told
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect();
    assert_eq!(told, described);
    for series in text.lines().filter(|line| !line.starts_with('#')) {
        let name = family(series);
        let described = catalogue::ALL.iter().find(|one| one.full_name() == name);
        let described = described.unwrap_or_else(|| panic!("{series}"));
        assert_eq!(labels(series), described.labels, "{series}");
        for words in [described.help, described.look] {
            assert!(!words.contains(['\\', '\n', '"']), "{words}");
        }
        assert!(!described.help.ends_with('.'), "{}", described.help);
        assert!(described.look.ends_with('.'), "{}", described.look);
    }
}

/// Runs `promtool check metrics`: that of `$PROMTOOL`, else that of the machine.
fn promtool(text: &str) -> String {
    let program = std::env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let child = Command::new(&program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| {
        panic!(
            "cannot run {program}: {error}; install Prometheus, or name its promtool in PROMTOOL"
        )
    });
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    format!("{}\n{said}", ended.status)
}

#[tokio::test(start_paused = true)]
async fn prometheus_own_tool_finds_nothing_to_say_of_them() {
    let (rig, _folder) = everything().await;
    assert_eq!(promtool(&rig.metrics.classic_text()), "exit status: 0\n");
    // It is not blind.
    let wrong = "# TYPE wrong counter\nwrong 1\n";
    assert!(promtool(wrong).contains("wrong"), "{}", promtool(wrong));
}

/// The series of the service's own with their values; the process moves while one looks.
fn own(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| line.starts_with("alertmanager_webex_"))
        .collect()
}

#[tokio::test]
async fn both_formats_tell_the_same_to_whoever_asks_for_them() {
    let service = Service::start();
    service.post("/alertmanager", firing("Down")).await;
    let get = async |accept: Option<&str>| {
        let mut request = client().get(service.url("/metrics"));
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        let answer = Answer::of(request).await;
        let format = answer.headers["content-type"].to_str().unwrap().to_owned();
        (format, answer.body.as_str().unwrap().to_owned())
    };
    let (format, open) = get(Some("application/openmetrics-text;version=1.0.0")).await;
    assert_eq!(format, OPEN);
    assert!(open.ends_with("\n# EOF\n"));
    let (format, classic) = get(None).await;
    assert_eq!(format, CLASSIC);
    assert_eq!(own(&open), own(&classic));
    assert!(own(&classic).len() > 50);
    assert_eq!(get(Some("text/plain")).await.0, CLASSIC);
    service.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn the_process_is_told_of_under_the_usual_names() {
    let rig = Rig::new();
    let text = rig.metrics.text();
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.trim().parse().unwrap()
    };
    let now = jiff::Timestamp::now().as_second();
    #[allow(clippy::cast_precision_loss, reason = "a time of day")]
    let age = now as f64 - value("process_start_time_seconds ");
    assert!((-1.0..600.0).contains(&age), "{age}");
    let (resident, virtual_) = (
        value("process_resident_memory_bytes "),
        value("process_virtual_memory_bytes "),
    );
    assert!(
        resident > 1e6 && virtual_ > resident,
        "{resident} {virtual_}"
    );
    assert!(value("process_cpu_seconds_total ") < 600.0);
    assert!(value("process_open_fds ") >= 3.0);
    assert!(value("process_max_fds ") > value("process_open_fds "));
    assert!(value("process_threads ") >= 1.0);
    assert!(value("tokio_workers ") >= 1.0);
    assert!(value("tokio_workers_busy_seconds_total ") >= 0.0);
}

#[tokio::test]
async fn strangers_cannot_make_series() {
    let service = Service::start();
    let count = async || {
        let text = Answer::of(client().get(service.url("/metrics"))).await;
        own(text.body.as_str().unwrap()).len()
    };
    let before = count().await;
    for number in 0..100 {
        let answer = service
            .post(&format!("/alertmanager/no-{number}"), firing("Down"))
            .await;
        assert_eq!(answer.status, 404);
    }
    assert_eq!(count().await, before);
    let text = Answer::of(client().get(service.url("/metrics"))).await;
    let counted = r#"notifications_total{receiver="(unknown)",outcome="unknown_receiver"} 100"#;
    assert!(text.body.as_str().unwrap().contains(counted), "{text:?}");
    service.stop().await;
}

/// What alerts are built on must be there before it happens: `increase()` does not see a series
/// that begins with 1.
#[tokio::test(start_paused = true)]
async fn what_is_watched_is_there_at_zero_for_each_receiver_and_bot() {
    let rig = Rig::with("[receivers.two]\nrooms = [\"general\", \"ops\"]\n");
    for (receiver, more) in [("default", &[][..]), ("two", &["partial"])] {
        let watched = [
            "delivered",
            "given_up",
            "internal",
            "message_refused",
            "overloaded",
            "rate_limited",
            "room_refused",
            "token_refused",
            "waiting",
            "webex_unavailable",
        ];
        for outcome in watched.iter().chain(more) {
            let series =
                format!(r#"notifications_total{{receiver="{receiver}",outcome="{outcome}"}}"#);
            assert_eq!(rig.count(&series), 0);
        }
        for reason in ["template", "markdown_refused", "card_refused"] {
            let series = format!(r#"fallbacks_total{{receiver="{receiver}",reason="{reason}"}}"#);
            assert_eq!(rig.count(&series), 0);
        }
        for name in [
            "given_up_total",
            "duplicates_suppressed_total",
            "waiting_notifications",
            "oldest_waiting_seconds",
            "last_success_timestamp_seconds",
        ] {
            let value = rig.metric(&format!(r#"{name}{{receiver="{receiver}"}}"#));
            assert!(["0", "0.0"].contains(&value.as_str()), "{name} {value}");
        }
    }
    for code in ["401", "404", "429", "500", "503", "connect", "timeout"] {
        let series = format!(r#"webex_requests_total{{bot="default",code="{code}"}}"#);
        assert_eq!(rig.count(&series), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn two_thousand_receivers_of_as_many_teams_stay_under_five_megabytes() {
    let mut more = String::new();
    for number in 0..2000 {
        write!(
            more,
            "[receivers.\"team-{number:04}/alerts/webex\"]\nrooms = [\"ops\"]\n\
             namespaces = [\"team-{number:04}\"]\n"
        )
        .unwrap();
    }
    let rig = Rig::with(&more);
    for text in [rig.metrics.text(), rig.metrics.classic_text()] {
        assert!(text.len() < 5_000_000, "{} bytes", text.len());
        assert!(text.contains("withheld_alerts_total{receiver=\"team-1999/alerts/webex\"} 0"));
    }
}
