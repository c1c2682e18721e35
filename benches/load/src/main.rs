//! Measures relays from Alertmanager to a chat: this project, and what it is compared with.
//!
//! Each relay is a process of its own, from which the kernel's accounting is read. Sender and
//! stand-in for the chat are this process: two threads that do as little as they can.
//! `docs/benchmarks.md` has the figures.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for the terminal that computes with small numbers"
)]

mod alertmanager;
mod bodies;
mod chat;
mod instructions;
mod measure;
mod peers;
mod process;
mod relay;
mod scale;
mod sender;
mod wire;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use relay::Relay;

/// Measures relays from Alertmanager to a chat
#[derive(Debug, Parser)]
struct Cli {
    /// The release binary
    #[arg(
        long,
        global = true,
        default_value = "target/release/alertmanager-webex"
    )]
    product: PathBuf,
    /// The practical limit
    #[arg(long, global = true, default_value = "target/release/floor")]
    floor: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start, memory, CPU, latency, connections; product and floor in turn
    Measure {
        /// How often; the best is told
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// Only the product
        #[arg(long)]
        alone: bool,
    },
    /// Instructions a notification, against the record
    Instructions {
        /// The record
        #[arg(long, default_value = "benches/instructions.toml")]
        record: PathBuf,
        /// Writes the record
        #[arg(long)]
        write: bool,
        /// Counts the floor's, of which nothing is recorded
        #[arg(long, conflicts_with = "write")]
        of_floor: bool,
    },
    /// Alertmanager's own Webex notifier beside product and floor
    Peers {
        /// Alertmanagers; the webhook of the first reaches product and floor
        #[arg(required = true)]
        alertmanagers: Vec<PathBuf>,
        /// How often; the best is told
        #[arg(long, default_value_t = 2)]
        runs: usize,
    },
    /// How cost grows with what waits, receivers, alerts and connections
    Scale {
        /// Where the tables go
        #[arg(long, default_value = "docs/scale")]
        out: PathBuf,
    },
    /// Sends to the product while another program runs it, such as a profiler
    Under {
        /// Alerts of a notification
        #[arg(long, default_value_t = 10)]
        alerts: usize,
        /// How many notifications
        #[arg(long, default_value_t = 20_000)]
        count: u32,
        /// Kept connections
        #[arg(long, default_value_t = 32)]
        connections: usize,
        /// Runs the floor instead
        #[arg(long)]
        of_floor: bool,
        /// The program and its arguments; binary and arguments of the product come behind
        #[arg(required = true, trailing_var_arg = true)]
        program: Vec<String>,
    },
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let product = Relay::Product(cli.product);
    let floor = Relay::Floor(cli.floor);
    match cli.command {
        Command::Measure { runs, alone: true } => measure::run(&[product], runs),
        Command::Measure { runs, alone: false } => measure::run(&[product, floor], runs),
        Command::Instructions {
            record,
            write,
            of_floor: false,
        } => instructions::run(&product, &record, write),
        Command::Instructions { .. } => instructions::show(&floor),
        Command::Peers {
            alertmanagers,
            runs,
        } => peers::run(&alertmanagers, &product, &floor, runs),
        Command::Under {
            alerts,
            count,
            connections,
            of_floor,
            program,
        } => {
            let relay = if of_floor { &floor } else { &product };
            under(relay, &program, (alerts, count, connections))
        }
        Command::Scale { out } => scale::run(&product, &out),
    }
}

/// Sends so many notifications of so many alerts over so many connections to a relay that a
/// program runs.
fn under(
    relay: &Relay,
    program: &[String],
    (alerts, count, connections): (usize, u32, usize),
) -> Result<()> {
    let chat = chat::Chat::start()?;
    let program: Vec<&str> = program.iter().map(String::as_str).collect();
    let setting = relay::Setting::default();
    let running = relay.start_under(chat.address, &setting, Some(&program))?;
    let answers = sender::Sender::new()?.send(&sender::Load {
        to: running.address,
        receivers: 1,
        connections,
        count,
        alerts,
        first: 0,
    })?;
    println!(
        "{:.0} a second, {} failed",
        answers.rate(),
        answers.failed()
    );
    running.process.stop()
}
