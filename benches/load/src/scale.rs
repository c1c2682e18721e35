//! `scale`: how what a process costs grows with what it has to do. Writes a table a question,
//! from which `tools/curves` draws.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::chat::Chat;
use crate::measure::{all_taken, spent};
use crate::relay::{Relay, Setting};
use crate::sender::{Load, Sender};

/// Answers the four questions.
pub(crate) fn run(relay: &Relay, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for (name, table) in [
        ("waiting", waiting as fn(&Relay) -> Result<String>),
        ("receivers", receivers),
        ("alerts", alerts),
        ("connections", connections),
    ] {
        eprintln!("    {name}");
        let table = table(relay)?;
        print!("{table}");
        let file = out.join(format!("{name}.csv"));
        std::fs::write(&file, table).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Notifications that wait at a closed gate: memory, and what accepting and keeping them costs.
fn waiting(relay: &Relay) -> Result<String> {
    const LOOK: Duration = Duration::from_secs(2);
    let mut table =
        String::from("waiting,resident_mib,accept_cpu_ms,cpu_percent_while_they_wait\n");
    let sender = Sender::new()?;
    for waiting in [1, 100, 1_000, 5_000, 10_000] {
        let chat = Chat::start()?;
        chat.close();
        let setting = Setting {
            // Longer than a post takes: the first must have been refused.
            answer_within: Duration::from_millis(500),
            ..Setting::default()
        };
        let running = relay.start(chat.address, &setting)?;
        let before = running.process.used()?;
        let answers = sender.send(&Load {
            to: running.address,
            receivers: 1,
            connections: 500.min(usize::try_from(waiting)?),
            count: waiting,
            alerts: 1,
            first: 0,
        })?;
        ensure!(
            answers.failed() == waiting,
            "some did not wait: {:?}",
            answers.statuses
        );
        let accepted = running.process.used()?;
        std::thread::sleep(LOOK);
        let idle = running.process.used()?.cpu.saturating_sub(accepted.cpu);
        let (cpu, _) = spent(before, accepted, waiting);
        let percent = idle.as_secs_f64() / LOOK.as_secs_f64() * 100.0;
        let resident = running.process.resident()?;
        writeln!(table, "{waiting},{resident:.1},{cpu:.4},{percent:.2}")?;
        // What waits is given back; nobody needs to see that here.
        drop(running);
    }
    Ok(table)
}

/// Receivers with a room each: start, memory, and what a notification costs.
fn receivers(relay: &Relay) -> Result<String> {
    let mut table = String::from("receivers,ready_ms,idle_mib,after_mib,cpu_ms\n");
    let sender = Sender::new()?;
    for receivers in [1, 10, 100, 500, 1_000, 2_000] {
        let chat = Chat::start()?;
        let setting = Setting {
            receivers,
            ..Setting::default()
        };
        let running = relay.start(chat.address, &setting)?;
        let ready = running.process.ready_after.as_secs_f64() * 1000.0;
        std::thread::sleep(Duration::from_secs(1));
        let idle = running.process.resident()?;
        let load = |first, count| Load {
            to: running.address,
            receivers,
            connections: 32,
            count,
            alerts: 1,
            first,
        };
        all_taken(&sender.send(&load(0, 4_000))?)?;
        let before = running.process.used()?;
        all_taken(&sender.send(&load(4_000, 6_000))?)?;
        let (cpu, _) = spent(before, running.process.used()?, 6_000);
        let after = running.process.resident()?;
        writeln!(
            table,
            "{receivers},{ready:.1},{idle:.1},{after:.1},{cpu:.4}"
        )?;
        running.process.stop()?;
    }
    Ok(table)
}

/// Alerts a notification.
fn alerts(relay: &Relay) -> Result<String> {
    let mut table = String::from("alerts,cpu_ms,median_ms,peak_mib\n");
    let sender = Sender::new()?;
    for (alerts, count) in [
        (1, 4_000),
        (10, 2_000),
        (100, 400),
        (1_000, 60),
        (2_500, 30),
        (5_000, 20),
    ] {
        let chat = Chat::start()?;
        let running = relay.start(chat.address, &Setting::default())?;
        let load = |first, count| Load {
            to: running.address,
            receivers: 1,
            connections: 1,
            count,
            alerts,
            first,
        };
        all_taken(&sender.send(&load(0, count / 10))?)?;
        let before = running.process.used()?;
        let answers = sender.send(&load(count, count))?;
        all_taken(&answers)?;
        let (cpu, _) = spent(before, running.process.used()?, count);
        let median = answers.percentile(50).as_secs_f64() * 1000.0;
        let peak = running.process.peak()?;
        writeln!(table, "{alerts},{cpu:.4},{median:.2},{peak:.1}")?;
        running.process.stop()?;
    }
    Ok(table)
}

/// Connections that all send at once.
fn connections(relay: &Relay) -> Result<String> {
    let mut table = String::from("connections,a_second,cpu_ms,p99_ms,peak_mib\n");
    let sender = Sender::new()?;
    for connections in [1_usize, 8, 32, 128, 500, 1_000, 2_000] {
        let chat = Chat::start()?;
        let running = relay.start(chat.address, &Setting::default())?;
        let count =
            20_000.max(u32::try_from(connections)? * 10) / if connections == 1 { 10 } else { 1 };
        let load = |first, count| Load {
            to: running.address,
            receivers: 1,
            connections,
            count,
            alerts: 1,
            first,
        };
        all_taken(&sender.send(&load(0, count / 10))?)?;
        let before = running.process.used()?;
        let answers = sender.send(&load(count, count))?;
        all_taken(&answers)?;
        let (cpu, _) = spent(before, running.process.used()?, count);
        let (rate, p99) = (
            answers.rate(),
            answers.percentile(99).as_secs_f64() * 1000.0,
        );
        let peak = running.process.peak()?;
        writeln!(table, "{connections},{rate:.0},{cpu:.4},{p99:.1},{peak:.1}")?;
        running.process.stop()?;
    }
    Ok(table)
}
