//! Log lines: a sentence that can be read alone, and the same facts as fields. To stderr,
//! because stdout is data.

use tracing_subscriber::filter::{ParseError, Targets};

/// Libraries whose own lines at info say nothing that ours do not; a level of the user's
/// that names them still counts.
const QUIET: &str = "actix_server=warn";

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `log.level` or `RUST_LOG` says nothing that can be followed.
    #[error(
        "the log level cannot be read: {0}; write `info`, or directives such as `info,alertmanager_webex=debug`"
    )]
    Level(#[from] ParseError),
    /// Logs were set up already.
    #[error("logs are set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets up logs for the process. `RUST_LOG` wins over `level`.
///
/// # Errors
/// When the level cannot be read, or logs were set up before.
pub fn init_logs(json: bool, level: &str) -> Result<(), LogError> {
    use tracing_subscriber::prelude::*;
    let directives = std::env::var("RUST_LOG").unwrap_or_else(|_| format!("{QUIET},{level}"));
    // Levels by module suffice; filters by fields would bring an engine for regular
    // expressions along.
    let filter: Targets = directives.parse()?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    let lines = if json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed()
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()?;
    Ok(())
}
