//! A soak: two Alertmanagers of a cluster, the service and the sandbox as processes, thousands
//! of alerts that fire and are over, and all that can go wrong, by a plan drawn from a seed.
//!
//! `make soak SEED=1 MINUTES=10` runs it for long; `make test-all` runs a short one of seed 1.
//! The plan, the logs, the record of requests and messages, and what came of it are in
//! `target/soak/SEED/`. docs/reliability.md says what is promised and what was seen.

mod deployment;
mod judge;
mod ledger;
mod load;
mod plan;
mod recorder;
mod rooms;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deployment::{Deployment, Held, first_token};
use judge::Verdict;
use ledger::{Shared, Tell};
use load::Load;
use plan::{Action, BOTS, Plan, Step};
use recorder::Recorder;
use rooms::Rooms;

use crate::programs::Sandbox;
use crate::real_storms::{Alertmanager, own_address, report};

/// Groups, each an alert that fires again and again.
const LANES: usize = 200;

/// How long after the last fault everything must be told: a few flushes of Alertmanager, a room
/// that is asked again after 30 s, gates of 15 s one after the other, and a backlog.
const SETTLED_WITHIN: Duration = Duration::from_secs(200);

/// What the process may have grown by: resident memory is what the allocator keeps, too, and the
/// process of the first act is a young one.
const MEMORY_FACTOR: f64 = 1.75;

/// How long memory, threads and descriptors may take to be given back: idle connections to
/// Webex and idle threads of the runtime live for a while.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(120);

/// Connections that are kept for the next message.
const KEPT_CONNECTIONS: u64 = 4;

/// A number of the environment, for `make soak`.
fn setting(name: &str, default: f64) -> f64 {
    std::env::var(name).map_or(default, |text| {
        let number = text.parse().ok();
        let sound = number.filter(|number: &f64| *number >= 1.0 && *number <= 1e9);
        sound.unwrap_or_else(|| panic!("{name} is a number from 1 on, and not `{text}`"))
    })
}

#[test]
fn long_a_soak_loses_nothing_and_doubles_nothing_without_a_reason() {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`setting` bounds it"
    )]
    let seed = setting("SOAK_SEED", 1.0) as u64;
    let minutes = setting("SOAK_MINUTES", 1.5).min(120.0);
    let plan = Plan::draw(seed, Duration::from_secs_f64(minutes * 60.0));
    let records = records(seed);
    report(&format!("{plan}\nrecords: {}", records.display()));
    fs::write(records.join("plan.txt"), plan.to_string()).unwrap();

    let begun = Instant::now();
    let (text, faults) = run(&plan, &records);
    let text = format!(
        "seed {seed}, {minutes} min, took {} s\n{text}",
        begun.elapsed().as_secs()
    );
    report(&text);
    fs::write(
        records.join("report.txt"),
        format!("{text}{}\n", faults.join("\n")),
    )
    .unwrap();
    assert!(
        faults.is_empty(),
        "seed {seed} found:\n{}\n`make soak SEED={seed}` plays the same plan again; records are in {}",
        faults.join("\n"),
        records.display()
    );
}

/// An empty folder for what is kept of a run.
fn records(seed: u64) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let folder = target
        .expect("it is in target/")
        .join(format!("soak/{seed}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the threads of a run share.
struct Stage {
    ledger: Shared,
    /// Whether alerts begin to fire.
    begin: AtomicBool,
    over: AtomicBool,
    /// Alerts that fire or are not told.
    open: AtomicUsize,
}

fn run(plan: &Plan, records: &Path) -> (String, Vec<String>) {
    let sandbox = sandbox();
    let address = own_address();
    let stage = Stage {
        ledger: Shared::default(),
        begin: AtomicBool::new(true),
        over: AtomicBool::new(false),
        open: AtomicUsize::new(0),
    };
    let mut service = Deployment::start(&sandbox, address, records);
    let recorder = Recorder::start(address, &stage.ledger);
    let peers = Alertmanager::pair(|cluster| {
        let mut more = cluster.to_vec();
        // Of the group_interval of 10 s as much as 15 s are of the minute that is usual.
        more.push("--cluster.peer-timeout=3s".to_owned());
        Alertmanager::configured(
            "ALERTMANAGER_BIN",
            &load::alertmanager(recorder.address),
            &more,
        )
    });

    let (told, [before, after]) = std::thread::scope(|scope| {
        let load = scope.spawn(|| play_alerts(&peers, &stage, plan.seed));
        scope.spawn(|| {
            let mut rooms = Rooms::new(&sandbox);
            while !stage.over.load(Ordering::Relaxed) {
                rooms.look(&stage.ledger);
                std::thread::sleep(Duration::from_millis(250));
            }
            rooms.look(&stage.ledger);
        });
        let mut held: Vec<Held> = Vec::new();
        for (number, steps) in plan.acts.iter().enumerate() {
            stage.begin.store(true, Ordering::Relaxed);
            play(steps, plan.act, &mut service, &sandbox, &recorder);
            recorder.lose_answers(false);
            sandbox.control("DELETE", "faults", "");
            stage.begin.store(false, Ordering::Relaxed);
            settle(&stage);
            service.await_empty();
            held.push(quiet(&service, held.first()));
            report(&format!("act {} is over: {:?}", number + 1, held[number]));
        }
        stage.over.store(true, Ordering::Relaxed);
        (load.join().unwrap(), [held[0], held[1]])
    });

    let ambiguous = service.finish();
    keep(&stage.ledger, records);
    let printed = peers.each_ref().map(Alertmanager::printed);
    for (number, printed) in (1..).zip(printed) {
        fs::write(records.join(format!("alertmanager-{number}.log")), printed).unwrap();
    }
    let ledger = stage.ledger.lock().unwrap();
    let verdict = Verdict::of(&told, &ledger, &service.replaced);
    let mut faults = verdict.faults();
    faults.append(&mut service.anomalies);
    faults.extend(grown(before, after));
    let mut text = verdict.table();
    let kills = service.replaced.iter().filter(|end| end.killed).count();
    for (what, count) in [
        ("requests of Alertmanager", ledger.arrivals.len()),
        (
            "ambiguous posts, as the service counts",
            usize::try_from(ambiguous).unwrap(),
        ),
        ("kill -9", kills),
        ("hand-overs", service.replaced.len() - kills),
    ] {
        writeln!(text, "{what:<40} {count:>7}").unwrap();
    }
    writeln!(text, "held after the first act: {before:?}").unwrap();
    writeln!(text, "held after the second:    {after:?}").unwrap();
    let unasked = verdict.unasked.len();
    if verdict.told < LANES || unasked * 50 > verdict.told {
        faults.push(format!(
            "of {} states Alertmanager did not ask for {unasked}: that is no soak",
            verdict.told
        ));
    }
    for tell in &verdict.unasked {
        writeln!(text, "never asked for: {tell}").unwrap();
    }
    (text, faults)
}

/// A Webex with bots of small quotas.
fn sandbox() -> Sandbox {
    let mut arguments = Vec::new();
    for bot in BOTS {
        arguments.extend(["--bot".to_owned(), format!("{bot}={}", first_token(bot))]);
    }
    for room in load::rooms() {
        arguments.extend(["--room".to_owned(), room.to_owned()]);
    }
    let sandbox = Sandbox::with(&arguments);
    for bot in BOTS {
        let patch = r#"{"quota":{"per_second":6,"burst":15}}"#;
        sandbox.control("PATCH", &format!("bots/{bot}"), patch);
    }
    sandbox
}

/// Tells both Alertmanagers of the alerts, and says each second how it goes.
fn play_alerts(peers: &[Alertmanager; 2], stage: &Stage, seed: u64) -> Vec<Tell> {
    let mut load = Load::new(LANES, seed);
    let start = Instant::now();
    let mut said = Instant::now();
    while !stage.over.load(Ordering::Relaxed) {
        let begin = stage.begin.load(Ordering::Relaxed);
        let alerts = load.next(&stage.ledger.lock().unwrap(), begin);
        if !alerts.is_empty() {
            let alerts = serde_json::Value::Array(alerts);
            for peer in peers {
                peer.tell(&alerts);
            }
        }
        stage.open.store(load.open(), Ordering::Release);
        if said.elapsed() >= Duration::from_secs(1) {
            said = Instant::now();
            let ledger = stage.ledger.lock().unwrap();
            report(&format!(
                "{:5} s: {} states, {} open, {} requests, {} in rooms",
                start.elapsed().as_secs(),
                load.told.len(),
                load.open(),
                ledger.arrivals.len(),
                ledger.sightings.len()
            ));
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    load.told
}

/// The steps of an act, each at its time or as soon as those before it are done.
fn play(
    steps: &[Step],
    length: Duration,
    service: &mut Deployment<'_>,
    sandbox: &Sandbox,
    recorder: &Recorder,
) {
    let begun = Instant::now();
    let wait_until = |at: Duration| std::thread::sleep(at.saturating_sub(begun.elapsed()));
    // Those of the last but one step and before hang up.
    let mut slow: VecDeque<Vec<TcpStream>> = VecDeque::new();
    for step in steps {
        wait_until(step.at);
        report(&format!("        {}", step.action));
        match &step.action {
            Action::Fault(fault) => sandbox.set_fault(&fault.to_string()),
            Action::Rotate(bot) => service.rotate(bot),
            Action::Reload => service.reload(),
            Action::ReloadBad => service.reload_bad(),
            Action::HandOver => service.hand_over(),
            Action::Kill(down) => service.kill(Duration::from_millis(*down)),
            Action::SlowClients(count) => slow.push_back(service.slow_clients(*count)),
            Action::Garbage => service.garbage(),
            Action::LoseAnswers(milliseconds) => {
                recorder.lose_answers(true);
                std::thread::sleep(Duration::from_millis(*milliseconds));
                recorder.lose_answers(false);
            }
        }
        if slow.len() > 1 {
            slow.pop_front();
        }
    }
    wait_until(length);
}

/// Waits until every alert is over and told, or has had its time.
fn settle(stage: &Stage) {
    let begun = Instant::now();
    // The load looks at `begin` first.
    std::thread::sleep(Duration::from_secs(2));
    while stage.open.load(Ordering::Acquire) > 0 && begun.elapsed() < SETTLED_WITHIN {
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What the process holds when it is quiet; with another time to compare with, as soon as it
/// is back there.
fn quiet(service: &Deployment<'_>, before: Option<&Held>) -> Held {
    let begun = Instant::now();
    // Connections and threads of the last messages rest for a while before they go.
    std::thread::sleep(Duration::from_secs(12));
    loop {
        let held = service.held();
        let back = before.is_none_or(|before| grown(*before, held).is_empty());
        if back || begun.elapsed() > GIVEN_BACK_WITHIN {
            return held;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// What was not given back.
fn grown(before: Held, after: Held) -> Vec<String> {
    let mut grown = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "KiB of a process")]
    let factor = after.memory as f64 / before.memory as f64;
    if factor > MEMORY_FACTOR {
        grown.push(format!("memory grew by a factor of {factor:.2}"));
    }
    for (what, before, after) in [
        ("threads", before.threads, after.threads),
        ("descriptors", before.descriptors, after.descriptors),
    ] {
        let spare = if what == "descriptors" {
            KEPT_CONNECTIONS
        } else {
            0
        };
        if after > before + spare {
            grown.push(format!("{what}: {before} before, {after} after"));
        }
    }
    grown
}

/// The record, a line each, for whoever looks into a failure.
fn keep(ledger: &Shared, records: &Path) {
    let ledger = ledger.lock().unwrap();
    let mut arrivals = String::new();
    for arrival in &ledger.arrivals {
        writeln!(
            arrivals,
            "{} {} {:?}",
            arrival.at, arrival.tell, arrival.answer
        )
        .unwrap();
    }
    fs::write(records.join("requests.txt"), arrivals).unwrap();
    let mut messages = String::new();
    for seen in &ledger.sightings {
        let room = load::rooms().nth(seen.room).unwrap();
        writeln!(
            messages,
            "{} {} {room} {} revision {} confirmed {:?}",
            seen.at, seen.tell, seen.message, seen.order, seen.confirmed
        )
        .unwrap();
    }
    fs::write(records.join("messages.txt"), messages).unwrap();
}
