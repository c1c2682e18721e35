//! The command line: one file a subcommand.
//!
//! stdout is data, stderr is logs and progress. Exit 0 is done, 1 failed, 2 usage, which a
//! configuration that cannot be used counts as.

mod access;
mod body;
mod caller;
mod check;
mod completions;
mod dev;
mod fallback;
mod healthcheck;
mod online;
mod output;
mod render;
mod room;
mod rooms;
mod sandbox;
mod schema;
mod send;
mod serve;
mod table;
mod watch;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Parser, Subcommand, ValueEnum};

use crate::app::StartError;
use crate::config::{LogFormat, Sources};
use crate::routing::{Conversation, Receiver};
use crate::telemetry::{LogLevel, Logs, init_logs};
use output::{failed, tell};

/// A configuration that cannot be used, or a wrong command line.
const USAGE: u8 = 2;
/// Names the configuration where no option does: an image has one place for it.
const CONFIG_VARIABLE: &str = "ALERTMANAGER_WEBEX_CONFIG";

/// Posts Alertmanager's notifications to Webex, and answers 2xx only when Webex has them
#[derive(Debug, Parser)]
#[command(name = "alertmanager-webex", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Arguments),
    /// Run service and sandbox in one process, ready to try
    Dev(dev::Arguments),
    /// Run only the sandbox, a stand-in for Webex
    Sandbox(sandbox::Arguments),
    /// Validate configuration and templates, and render samples
    Check(check::Arguments),
    /// Show what a notification would become
    Render(render::Arguments),
    /// Deliver one notification and say what Webex answered
    Send(send::Arguments),
    /// List the rooms that a bot is in, with their ids
    Rooms(rooms::Arguments),
    /// Ask the service that runs here whether it is ready
    Healthcheck(healthcheck::Arguments),
    /// Print the JSON Schema of the configuration
    Schema,
    /// Print what a shell needs to complete this command line
    Completions(completions::Arguments),
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// The configuration that a subcommand works on.
#[derive(Debug, clap::Args)]
struct ConfigArgument {
    /// The TOML file, which `ALERTMANAGER_WEBEX_CONFIG` may name as well; without it,
    /// `WEBEX_TOKEN` and `WEBEX_ROOM` suffice
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgument {
    fn sources(&self) -> Sources {
        let named = || std::env::var_os(CONFIG_VARIABLE).filter(|file| !file.is_empty());
        Sources::new(self.config.clone().or_else(|| named().map(PathBuf::from)))
    }
}

/// What becomes of later notifications of a group, as `conversation` of a receiver says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ConversationMode {
    /// Each is a message of its own
    New,
    /// They reply to the first
    Thread,
    /// The first is edited to the present state
    Update,
}

impl ConversationMode {
    /// As a configuration writes it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Thread => "thread",
            Self::Update => "update",
        }
    }

    /// Another way for a receiver to tell them; what else it says of it stays.
    fn of(self, receiver: &Receiver) -> Receiver {
        let conversation = match (self, receiver.conversation) {
            (Self::New, _) => Conversation::New,
            (Self::Thread, _) => Conversation::Thread,
            (Self::Update, update @ Conversation::Update { .. }) => update,
            (Self::Update, _) => Conversation::Update {
                reply_on_resolve: false,
            },
        };
        Receiver {
            conversation,
            ..receiver.clone()
        }
    }
}

/// Runs the command line and says how it ended.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout, a mistake to stderr; where neither can be written to,
            // nobody can be told.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    let done = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Sandbox(arguments) => sandbox::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Render(arguments) => render::run(&arguments),
        Command::Send(arguments) => send::run(&arguments),
        Command::Rooms(arguments) => rooms::run(&arguments),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::Schema => schema::run(),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    done.unwrap_or_else(|error| failed(&error))
}

/// Whether this says that something else listens there.
fn port_is_taken(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .chain(match error.downcast_ref::<StartError>() {
            Some(StartError::Bind { source, .. }) => Some(source),
            _ => None,
        })
        .any(|cause| cause.kind() == std::io::ErrorKind::AddrInUse)
}

/// That a port is taken, with the option that chooses another.
fn not_listening(error: anyhow::Error, address: SocketAddr, option: &str) -> anyhow::Error {
    if port_is_taken(&error) {
        anyhow!(
            "cannot listen on {address}: something listens there already; choose another `{option}`"
        )
    } else {
        error
    }
}

/// Sets up logs as the configuration says.
fn logs(log: &crate::config::Log) -> anyhow::Result<(Logs, LogLevel)> {
    Ok(init_logs(log.format == LogFormat::Json, &log.level)?)
}

/// A runtime with a bounded number of workers.
fn runtime(workers: u32) -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::try_from(workers).unwrap_or(1))
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Is done when the process is asked to stop, by SIGTERM or Ctrl-C. A second signal stops it
/// at once.
///
/// Signals count from this call on, not from the first poll: call it before saying that the
/// process is ready, or a signal that comes right then kills it. Must be called on the
/// runtime.
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    async {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            // Without handlers the signals end the process as they do by default.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tell("stopped at once by a second signal");
            std::process::exit(1);
        });
    }
}
