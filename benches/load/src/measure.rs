//! `measure`: what a notification costs, and what a process takes.
//!
//! Everything is measured several times and the least is told: other programs on the machine
//! only ever add.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::chat::Chat;
use crate::process::Used;
use crate::relay::{Relay, Running, Setting};
use crate::sender::{Answers, Load, Sender};

/// Alerts of a notification, and how many of those are sent: 20,000 together with
/// [`WARM_UP`].
const STEPS: [(usize, u32); 3] = [(1, 10_000), (10, 5_000), (100, 2_000)];
const WARM_UP: u32 = 3_000;
/// Kept connections.
const CONNECTIONS: usize = 32;
/// How often it is started to see how long that takes.
const STARTS: usize = 10;

/// What the kernel and the stand-in say of a step.
struct Step {
    alerts: usize,
    cpu_ms: f64,
    switches: f64,
    rate: f64,
    latencies: [Duration; 3],
    new_connections: usize,
}

/// What one run gave.
struct Run {
    ready: Duration,
    idle: f64,
    threads: f64,
    after: f64,
    connections: usize,
    steps: Vec<Step>,
    peaks: Vec<(&'static str, f64)>,
    bounds: Vec<(usize, f64)>,
}

pub(crate) fn run(relays: &[Relay], runs: usize) -> Result<()> {
    let mut results: Vec<Vec<Run>> = relays.iter().map(|_| Vec::new()).collect();
    // In turn, so that what else the machine does meets all of them.
    for number in 1..=runs {
        for (relay, results) in relays.iter().zip(&mut results) {
            eprintln!("    run {number} of {runs}: {}", relay.name());
            results.push(once(relay)?);
        }
    }
    for (relay, runs) in relays.iter().zip(&results) {
        print(relay, runs);
    }
    Ok(())
}

fn once(relay: &Relay) -> Result<Run> {
    let chat = Chat::start()?;
    let sender = Sender::new()?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let running = relay.start(chat.address, &Setting::default())?;
        starts.push(running.process.ready_after);
        running.process.stop()?;
    }
    starts.sort_unstable();

    let running = relay.start(chat.address, &Setting::default())?;
    std::thread::sleep(Duration::from_secs(1));
    let (idle, threads) = (running.process.resident()?, running.process.threads()?);
    let mut first = 0;
    let mut load = |alerts, count| {
        let load = Load {
            to: running.address,
            receivers: 1,
            connections: CONNECTIONS,
            count,
            alerts,
            first,
        };
        first += count;
        load
    };
    all_taken(&sender.send(&load(1, WARM_UP))?)?;
    let steps = STEPS
        .iter()
        .map(|(alerts, count)| step(&running, &chat, &sender, &load(*alerts, *count)))
        .collect::<Result<Vec<_>>>()?;
    let after = running.process.resident()?;
    let connections = chat.connections();
    running.process.stop()?;
    Ok(Run {
        ready: starts[STARTS / 2],
        idle,
        threads,
        after,
        connections,
        steps,
        peaks: peaks(relay, &chat, &sender)?,
        bounds: bounds(relay, &chat, &sender)?,
    })
}

/// Sends and reads what that took.
fn step(running: &Running, chat: &Chat, sender: &Sender, load: &Load) -> Result<Step> {
    let (before, connections) = (running.process.used()?, chat.connections());
    let answers = sender.send(load)?;
    all_taken(&answers)?;
    let spent = spent(before, running.process.used()?, load.count);
    Ok(Step {
        alerts: load.alerts,
        cpu_ms: spent.0,
        switches: spent.1,
        rate: answers.rate(),
        latencies: [50, 99, 100].map(|hundredths| answers.percentile(hundredths)),
        new_connections: chat.connections() - connections,
    })
}

/// Milliseconds of the processor and switches of threads, a notification.
pub(crate) fn spent(before: Used, after: Used, count: u32) -> (f64, f64) {
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1000.0;
    let switches = after.switches.saturating_sub(before.switches);
    let count = f64::from(count);
    // Far below 2^52.
    (cpu / count, switches as f64 / count)
}

/// Nothing may be refused where a cost is told: what is refused costs less.
pub(crate) fn all_taken(answers: &Answers) -> Result<()> {
    ensure!(
        answers.failed() == 0,
        "not every notification was taken: {:?}",
        answers.statuses
    );
    Ok(())
}

/// The most memory in a burst over many connections, while the chat takes 50 ms.
fn peaks(relay: &Relay, chat: &Chat, sender: &Sender) -> Result<Vec<(&'static str, f64)>> {
    let cases = [
        ("500 connections × 10 alerts", 500, 10),
        ("256 connections × 100 alerts", 256, 100),
    ];
    chat.delay(Duration::from_millis(50));
    let mut peaks = Vec::new();
    for (name, connections, alerts) in cases {
        let running = relay.start(chat.address, &Setting::default())?;
        let load = Load {
            to: running.address,
            receivers: 1,
            connections,
            count: u32::try_from(connections)? * 4,
            alerts,
            first: 0,
        };
        all_taken(&sender.send(&load)?)?;
        peaks.push((name, running.process.peak()?));
        running.process.stop()?;
    }
    chat.delay(Duration::ZERO);
    Ok(peaks)
}

/// How near the rate comes to connections ÷ latency, while the chat takes 50 ms.
fn bounds(relay: &Relay, chat: &Chat, sender: &Sender) -> Result<Vec<(usize, f64)>> {
    const DELAY: Duration = Duration::from_millis(50);
    chat.delay(DELAY);
    let mut bounds = Vec::new();
    for connections in [32, 256] {
        let running = relay.start(chat.address, &Setting::default())?;
        let load = |first, rounds| -> Result<Load> {
            Ok(Load {
                to: running.address,
                receivers: 1,
                connections,
                count: u32::try_from(connections)? * rounds,
                alerts: 1,
                first,
            })
        };
        all_taken(&sender.send(&load(0, 4)?)?)?;
        let answers = sender.send(&load(1_000_000, 40)?)?;
        all_taken(&answers)?;
        let most = connections as f64 / DELAY.as_secs_f64();
        bounds.push((connections, answers.rate() / most * 100.0));
        running.process.stop()?;
    }
    chat.delay(Duration::ZERO);
    Ok(bounds)
}

fn print(relay: &Relay, runs: &[Run]) {
    let least = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).fold(0.0, f64::max);
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!("\n{}, best of {}:", relay.name(), runs.len());
    let ready = least(&|run| milliseconds(run.ready));
    println!("  ready after exec                {ready:8.1} ms");
    println!(
        "  resident when idle              {:8.1} MiB, {:.0} threads",
        least(&|run| run.idle),
        least(&|run| run.threads)
    );
    let sent: u32 = WARM_UP + STEPS.iter().map(|(_, count)| count).sum::<u32>();
    println!(
        "  … after {sent} notifications   {:8.1} MiB",
        least(&|run| run.after)
    );
    for (index, (name, _)) in runs[0].peaks.iter().enumerate() {
        println!(
            "  peak, {name:30}{:4.1} MiB",
            least(&|run| run.peaks[index].1)
        );
    }
    println!(
        "  alerts   CPU ms   switches   a second   median ms    p99 ms    max ms   new connections"
    );
    for (index, step) in runs[0].steps.iter().enumerate() {
        let at = |place: usize| least(&|run| milliseconds(run.steps[index].latencies[place]));
        println!(
            "  {:6}   {:6.4}   {:8.2}   {:8.0}   {:9.2} {:9.2} {:9.2}   {:15.0}",
            step.alerts,
            least(&|run| run.steps[index].cpu_ms),
            least(&|run| run.steps[index].switches),
            most(&|run| run.steps[index].rate),
            at(0),
            at(1),
            at(2),
            most(&|run| run.steps[index].new_connections as f64),
        );
    }
    println!(
        "  connections to the chat         {:8.0}",
        most(&|run| run.connections as f64)
    );
    for (index, (connections, _)) in runs[0].bounds.iter().enumerate() {
        println!(
            "  of the bound of {connections:3} connections ÷ 50 ms  {:5.1} %",
            most(&|run| run.bounds[index].1)
        );
    }
}
