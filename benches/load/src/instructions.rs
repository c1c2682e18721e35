//! `instructions`: how many instructions a notification takes, counted by cachegrind.
//!
//! A count hardly depends on what else the machine does, so a regression shows on a busy one.
//! The release binary runs under cachegrind and is sent notifications over one connection, one
//! after the other. What a run with more of them counts beyond one with fewer is what those
//! cost; start and end drop out. Only instructions of the process count, not the kernel's.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::chat::Chat;
use crate::measure::all_taken;
use crate::relay::{Relay, Setting};
use crate::sender::{Load, Sender};

/// Alerts of a notification, and how many of those are sent beyond the warm-up.
const STEPS: [(usize, u32); 3] = [(1, 300), (10, 150), (100, 40)];
/// Fills pools and caches; in each run.
const WARM_UP: u32 = 50;
/// How much more than what is recorded is taken for a regression, and how much less for
/// something that should be recorded.
const TOLERANCE: f64 = 0.10;

/// Counts, and tells what there is to compare with nothing.
pub(crate) fn show(relay: &Relay) -> Result<()> {
    println!("instructions a notification, {}:", relay.name());
    for (alerts, each) in counted(relay)? {
        println!("  {alerts:>6} {each:12}");
    }
    Ok(())
}

/// Instructions a notification, by its alerts.
fn counted(relay: &Relay) -> Result<BTreeMap<String, u64>> {
    let base = count(relay, None)?;
    STEPS
        .iter()
        .map(|(alerts, more)| {
            let total = count(relay, Some((*alerts, *more)))?;
            let each = total.saturating_sub(base) / u64::from(*more);
            Ok((alerts.to_string(), each))
        })
        .collect()
}

/// Counts, and compares with the record or writes it.
pub(crate) fn run(relay: &Relay, record: &Path, write: bool) -> Result<()> {
    let counted = counted(relay)?;
    let recorded = read(record)?;
    println!("instructions a notification, {}:", relay.name());
    println!("  alerts      counted     recorded   change");
    let mut grown = false;
    for (alerts, _) in STEPS {
        let now = counted[&alerts.to_string()];
        match recorded.get(&alerts.to_string()) {
            Some(before) => {
                let change = now as f64 / *before as f64 - 1.0;
                grown |= change > TOLERANCE;
                println!(
                    "  {alerts:6} {now:12} {before:12}   {:+.1} %",
                    change * 100.0
                );
            }
            None => println!("  {alerts:6} {now:12}            -"),
        }
    }
    if write {
        let mut text = String::from(
            "# Instructions that a notification of so many alerts takes, on x86-64, as `make bench-instructions`\n\
             # counts them. `make record-instructions` writes this file; commit it with what changed the counts.\n\
             [a-notification-of]\n",
        );
        for (alerts, _) in STEPS {
            let line = format!("{alerts} = {}\n", counted[&alerts.to_string()]);
            text.push_str(&line);
        }
        std::fs::write(record, text)?;
        println!("recorded in {}", record.display());
        return Ok(());
    }
    ensure!(
        STEPS
            .iter()
            .all(|(alerts, _)| recorded.contains_key(&alerts.to_string())),
        "{} lacks some of the counts; run `make record-instructions`",
        record.display()
    );
    if grown {
        bail!(
            "a notification takes more than {:.0} % more instructions than recorded in {}; \
             find out why, or, if it is worth it, run `make record-instructions` and commit the file with the change",
            TOLERANCE * 100.0,
            record.display()
        );
    }
    Ok(())
}

fn read(record: &Path) -> Result<BTreeMap<String, u64>> {
    let Ok(text) = std::fs::read_to_string(record) else {
        return Ok(BTreeMap::new());
    };
    let table: BTreeMap<String, BTreeMap<String, u64>> =
        toml::from_str(&text).with_context(|| format!("cannot read {}", record.display()))?;
    Ok(table.into_values().next().unwrap_or_default())
}

/// All instructions of a run with the warm-up and, perhaps, more.
fn count(relay: &Relay, more: Option<(usize, u32)>) -> Result<u64> {
    let chat = Chat::start()?;
    let sender = Sender::new()?;
    let out = std::env::current_dir()?.join("target/load/cachegrind.out");
    let argument = format!("--cachegrind-out-file={}", out.display());
    let valgrind = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--quiet",
        &argument,
    ];
    let running = relay
        .start_under(chat.address, &Setting::default(), Some(&valgrind))
        .context(
            "cannot run it under cachegrind; install valgrind (Debian: apt-get install valgrind)",
        )?;
    let load = |alerts, count, first| Load {
        to: running.address,
        receivers: 1,
        connections: 1,
        count,
        alerts,
        first,
    };
    all_taken(&sender.send(&load(1, WARM_UP, 0))?)?;
    if let Some((alerts, count)) = more {
        all_taken(&sender.send(&load(alerts, count, WARM_UP))?)?;
    }
    running.process.stop()?;
    let counts = std::fs::read_to_string(&out)?;
    let total = counts.lines().find_map(|line| {
        let total = line
            .strip_prefix("summary: ")
            .or_else(|| line.strip_prefix("totals: "))?;
        total.split_whitespace().next()?.parse().ok()
    });
    total.with_context(|| format!("no sum in {}", out.display()))
}
