//! `peers`: Alertmanager's own Webex notifier beside this project and the floor.
//!
//! The same alerts go into the same Alertmanager by its API, and the same chat is told: by
//! Alertmanager itself, or by a relay that its webhook reaches. So the bodies are Alertmanager's
//! own. Alertmanager does the rest of its work besides: what its notifier costs is what it
//! takes more than one whose webhook is answered at once.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::alertmanager::{Alertmanager, Tells};
use crate::chat::{Chat, wait_for_marks};
use crate::process::Process;
use crate::relay::{Relay, Running, Setting};

/// Alerts of a group, and how many groups.
const STEPS: [(usize, u32); 3] = [(1, 2_000), (10, 500), (100, 100)];
/// Sent before, so that connections are there.
const WARM_UP: u32 = 200;
/// Messages a second that the chat takes in the last part, and how many alerts are told then,
/// each of a group of its own.
const QUOTA: u32 = 20;
const STORM: u32 = 200;
/// How long the storm is watched: less than until Alertmanager's next flush of the groups.
const WATCH: Duration = Duration::from_secs(60);

/// Who brings the alerts to the chat.
enum Way<'a> {
    /// Alertmanager itself.
    Own,
    /// Nobody: Alertmanager's webhook is answered at once.
    Nobody,
    /// This relay.
    Relay(&'a Relay),
}

/// What one run gave; where there is a relay, the second of a pair is the relay's.
#[derive(Default)]
struct Run {
    ready_ms: f64,
    idle: f64,
    peak: f64,
    cpu_ms: Vec<(f64, f64)>,
    /// Groups that the chat was not told of within the time, where it took all.
    untold: usize,
    shown: usize,
    shown_after: f64,
    limited: usize,
}

pub(crate) fn run(
    alertmanagers: &[PathBuf],
    product: &Relay,
    floor: &Relay,
    runs: usize,
) -> Result<()> {
    let mut ways: Vec<(String, &Path, Way<'_>)> = Vec::new();
    for (index, binary) in alertmanagers.iter().enumerate() {
        let version = version(binary)?;
        ways.push((
            format!("Alertmanager {version}, webex_configs"),
            binary,
            Way::Own,
        ));
        if index == 0 {
            ways.push((
                format!("Alertmanager {version}, webhook answered at once"),
                binary,
                Way::Nobody,
            ));
            ways.push((
                format!("… to {}", product.name()),
                binary,
                Way::Relay(product),
            ));
            ways.push((format!("… to {}", floor.name()), binary, Way::Relay(floor)));
        }
    }
    let mut results: Vec<Vec<Run>> = ways.iter().map(|_| Vec::new()).collect();
    for number in 1..=runs {
        for ((name, binary, way), results) in ways.iter().zip(&mut results) {
            eprintln!("    run {number} of {runs}: {name}");
            results.push(once(binary, way)?);
        }
    }
    print(&ways, &results);
    Ok(())
}

fn once(binary: &Path, way: &Way<'_>) -> Result<Run> {
    let chat = Chat::start()?;
    let relay = match way {
        Way::Relay(relay) => Some(relay.start(chat.address, &Setting::default())?),
        Way::Own | Way::Nobody => None,
    };
    let tells = match (way, &relay) {
        (Way::Own, _) => Tells::Chat(chat.address),
        (_, Some(relay)) => Tells::Relay(relay.address),
        (_, None) => Tells::Relay(chat.address),
    };
    let alertmanager = Alertmanager::start(binary, tells)?;
    std::thread::sleep(Duration::from_secs(1));
    let measured = relay
        .as_ref()
        .map_or(&alertmanager.process, |relay| &relay.process);
    let mut run = Run {
        ready_ms: measured.ready_after.as_secs_f64() * 1000.0,
        idle: measured.resident()?,
        ..Run::default()
    };
    let mut first = 0;
    run.untold += told(&alertmanager, &chat, WARM_UP, 1, first)?;
    first += WARM_UP;
    for (alerts, groups) in STEPS {
        let before = used(&alertmanager, relay.as_ref())?;
        run.untold += told(&alertmanager, &chat, groups, alerts, first)?;
        first += groups;
        let after = used(&alertmanager, relay.as_ref())?;
        let each = |after: Duration, before: Duration| {
            after.saturating_sub(before).as_secs_f64() * 1000.0 / f64::from(groups)
        };
        run.cpu_ms
            .push((each(after.0, before.0), each(after.1, before.1)));
    }
    run.peak = measured.peak()?;
    storm(&alertmanager, &chat, first, &mut run)?;
    alertmanager.stop()?;
    if let Some(Running { process, .. }) = relay {
        process.stop()?;
    }
    Ok(run)
}

/// Fires alerts and waits until the chat was told of all groups. Says of how many it was not
/// within the time.
fn told(
    alertmanager: &Alertmanager,
    chat: &Chat,
    groups: u32,
    alerts: usize,
    first: u32,
) -> Result<usize> {
    chat.note_marks();
    alertmanager.fire(groups, alerts, first)?;
    let wanted = usize::try_from(groups)?;
    let told = wait_for_marks(chat, wanted, WATCH);
    // What comes after the last message is part of the cost.
    std::thread::sleep(Duration::from_millis(500));
    Ok(wanted.saturating_sub(told))
}

fn used(alertmanager: &Alertmanager, relay: Option<&Running>) -> Result<(Duration, Duration)> {
    let of = |process: &Process| process.used().map(|used| used.cpu);
    Ok((
        of(&alertmanager.process)?,
        relay.map_or(Ok(Duration::ZERO), |relay| of(&relay.process))?,
    ))
}

/// More at once than the chat takes: what is shown within the time, and when the last was.
fn storm(alertmanager: &Alertmanager, chat: &Chat, first: u32, run: &mut Run) -> Result<()> {
    chat.quota(Some(QUOTA));
    chat.note_marks();
    let begun = Instant::now();
    alertmanager.fire(STORM, 1, first)?;
    while begun.elapsed() < WATCH {
        std::thread::sleep(Duration::from_millis(50));
        let shown = chat.marks();
        if shown > run.shown {
            run.shown = shown;
            run.shown_after = begun.elapsed().as_secs_f64();
        }
        if shown == usize::try_from(STORM)? {
            break;
        }
    }
    run.limited = chat.limited();
    chat.quota(None);
    Ok(())
}

fn version(binary: &Path) -> Result<String> {
    let output = std::process::Command::new(binary)
        .arg("--version")
        .output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    let told = format!("{told}{}", String::from_utf8_lossy(&output.stderr));
    let version = told.split("version ").nth(1);
    Ok(version
        .and_then(|rest| rest.split([',', ' ']).next())
        .unwrap_or("(unknown)")
        .to_owned())
}

fn print(ways: &[(String, &Path, Way<'_>)], results: &[Vec<Run>]) {
    println!("\nCPU ms a notification, Alertmanager + relay; the least of the runs");
    println!("  {:48} {:>15} {:>15} {:>15}", "alerts", "1", "10", "100");
    for ((name, ..), runs) in ways.iter().zip(results) {
        print!("  {name:48}");
        for step in 0..STEPS.len() {
            let least = |of: &dyn Fn(&(f64, f64)) -> f64| {
                let of = runs.iter().map(|run| of(&run.cpu_ms[step]));
                of.fold(f64::INFINITY, f64::min)
            };
            let (alertmanager, relay) = (least(&|cpu| cpu.0), least(&|cpu| cpu.1));
            let relay = if relay > 0.0 {
                format!(" + {relay:.3}")
            } else {
                String::new()
            };
            print!(" {:>15}", format!("{alertmanager:.3}{relay}"));
        }
        println!();
    }
    println!("\nMemory and start of what brings the message to the chat");
    println!(
        "  {:48} {:>9} {:>9} {:>9} {:>13}",
        "", "idle MiB", "peak MiB", "ready ms", "groups untold"
    );
    for ((name, _, way), runs) in ways.iter().zip(results) {
        if matches!(way, Way::Nobody) {
            continue;
        }
        let least = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).fold(f64::INFINITY, f64::min);
        println!(
            "  {name:48} {:9.1} {:9.1} {:9.1} {:13}",
            least(&|run| run.idle),
            least(&|run| run.peak),
            least(&|run| run.ready_ms),
            runs.iter().map(|run| run.untold).sum::<usize>(),
        );
    }
    println!(
        "\n{STORM} alerts of as many groups, while the chat takes {QUOTA} messages a second; watched for {} s",
        WATCH.as_secs()
    );
    println!(
        "  {:48} {:>12} {:>12} {:>8}",
        "", "not shown", "last after", "429s"
    );
    for ((name, _, way), runs) in ways.iter().zip(results) {
        if matches!(way, Way::Nobody) {
            continue;
        }
        let missing = runs.iter().map(|run| STORM as usize - run.shown).max();
        let after = runs.iter().map(|run| run.shown_after).fold(0.0, f64::max);
        let limited = runs.iter().map(|run| run.limited).max();
        println!(
            "  {name:48} {:12} {after:10.1} s {:8}",
            missing.unwrap_or_default(),
            limited.unwrap_or_default()
        );
    }
}
