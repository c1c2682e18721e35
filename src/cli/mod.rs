//! The command line: one file a subcommand.
//!
//! stdout is data, stderr is logs and progress. Exit 0 is done, 1 failed, 2 usage, which a
//! configuration that cannot be used counts as.

mod access;
mod caller;
mod check;
mod completions;
mod dev;
mod fallback;
mod healthcheck;
mod online;
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
use std::io::{IsTerminal as _, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};

use crate::app::StartError;
use crate::config::{ConfigError, LogFormat, Sources};
use crate::render::samples::{self, Sample, Sequence};
use crate::routing::{Conversation, Receiver};
use crate::telemetry::{LogLevel, Logs, init_logs};

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

/// The notification that a subcommand works on.
#[derive(Debug, clap::Args)]
struct BodyArgument {
    /// A webhook body of Alertmanager; without it, or as `-`, stdin is read
    #[arg(conflicts_with = "sample")]
    file: Option<PathBuf>,
    /// One of the built-in notifications instead, or a sequence of them
    #[arg(long, value_name = "NAME", value_parser = sample_parser())]
    sample: Option<BuiltIn>,
}

/// What `--sample` names.
#[derive(Debug, Clone, Copy)]
enum BuiltIn {
    /// One notification.
    Sample(&'static Sample),
    /// Several of one group.
    Sequence(&'static Sequence),
}

/// Takes the name of a sample, and lists all of them in help and errors.
fn sample_parser() -> impl TypedValueParser<Value = BuiltIn> {
    let values = built_in_samples().map(|(name, shows)| PossibleValue::new(name).help(shows));
    PossibleValuesParser::new(values).try_map(|name| {
        samples::find(&name)
            .map(BuiltIn::Sample)
            .or_else(|| samples::find_sequence(&name).map(BuiltIn::Sequence))
            .ok_or_else(|| format!("no sample is named `{name}`"))
    })
}

/// Name of each sample and sequence, and what it shows.
fn built_in_samples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let samples = samples::ALL.iter();
    let sequences = samples::SEQUENCES.iter();
    samples
        .map(|sample| (sample.name, sample.shows))
        .chain(sequences.map(|sequence| (sequence.name, sequence.shows)))
}

impl BodyArgument {
    /// The notifications that are asked for, where these are a sequence.
    fn sequence(&self) -> Option<&'static Sequence> {
        match self.sample {
            Some(BuiltIn::Sequence(sequence)) => Some(sequence),
            _ => None,
        }
    }

    /// Reads the notification, of a sequence the last; a sample is as if it happened now.
    fn read(&self, now: jiff::Timestamp) -> anyhow::Result<Vec<u8>> {
        match self.sample {
            Some(BuiltIn::Sample(sample)) => Ok(sample.body_at(now).into_bytes()),
            Some(BuiltIn::Sequence(sequence)) => {
                let last = sequence.steps.last().context("the sequence is empty")?;
                Ok(last.body(now, now).into_bytes())
            }
            None => body(self.file.as_ref()),
        }
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

/// Says on stderr what failed. A configuration's problems are a list of their own.
fn failed(error: &anyhow::Error) -> ExitCode {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        tell_config(error);
        return ExitCode::from(USAGE);
    }
    if let Some(StartError::Rooms(absent)) = error.downcast_ref::<StartError>() {
        for problem in absent {
            tell(&problem.to_string());
        }
        return ExitCode::FAILURE;
    }
    tell(&format!("error: {}", causes(error)));
    ExitCode::FAILURE
}

/// Says what is wrong with a configuration, all of it.
fn tell_config(error: &ConfigError) {
    match error {
        ConfigError::Invalid(problems) => {
            for problem in problems {
                tell(&format!("{problem}"));
            }
            let errors = counted(problems.len(), "error");
            tell(&format!("the configuration has {errors}"));
        }
        ConfigError::Unreadable { .. } => tell(&format!("error: {error}")),
    }
}

/// The error and its causes, each once: many errors already tell their source.
fn causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    if text.contains(&error.root_cause().to_string()) {
        return text;
    }
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
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

/// `1 room`, `2 rooms`.
fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Writes a line to stderr. Where that fails, nobody can be told, and `eprintln!` would panic.
fn tell(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes data to stdout. Whoever reads it may have gone, as `head` does; that is no failure.
fn print(data: &str) -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write as _};
    match writeln!(std::io::stdout().lock(), "{data}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

/// Says on stderr what somebody should know, without failing.
fn warn(what: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stderr().lock(), "warning: {what}").context("cannot write to stderr")
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

/// Reads a notification from a file, or from stdin where there is none or it is `-`.
fn body(file: Option<&PathBuf>) -> anyhow::Result<Vec<u8>> {
    if let Some(path) = file.filter(|path| path.as_os_str() != "-") {
        return std::fs::read(path).with_context(|| {
            format!(
                "cannot read {}; name a file with a webhook body, or `-` for stdin",
                path.display()
            )
        });
    }
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        tell("reading a notification from stdin; end it with Ctrl-D");
    }
    let mut body = Vec::new();
    stdin.read_to_end(&mut body).context("cannot read stdin")?;
    Ok(body)
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
