//! Which lines are made: by `log.level`, or by `RUST_LOG`, which wins. A reload may change it.

use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::reload;

/// Libraries whose own lines at info say nothing that ours do not; a level of the user's
/// that names them still counts.
const QUIET: &str = "actix_server=warn";

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `log.level` or `RUST_LOG` says nothing that can be followed.
    #[error(
        "{from} cannot be read as log levels: {source}; write `info`, or directives such as `info,alertmanager_webex=debug`"
    )]
    Level {
        /// Where it stands.
        from: &'static str,
        /// What is wrong.
        source: ParseError,
    },
    /// There is a word that is no level.
    #[error(
        "{from} has `{word}`, which is no level; write `error`, `warn`, `info`, `debug` or `trace`, or `{word}=debug` if it is a crate's name"
    )]
    Word {
        /// Where it stands.
        from: &'static str,
        /// The word.
        word: String,
    },
    /// Logs were set up already.
    #[error("logs are set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// The levels that a configuration asks for: read, and not yet in force.
pub struct Levels(Targets);

/// Changes which lines are made.
#[derive(Clone)]
pub struct LogLevel {
    /// What `RUST_LOG` said when the process began.
    variable: Option<String>,
    handle: reload::Handle<Targets, Registry>,
}

impl LogLevel {
    /// A filter for all layers behind it, and what changes it.
    pub(super) fn new(
        variable: Option<String>,
        level: &str,
    ) -> Result<(reload::Layer<Targets, Registry>, Self), LogError> {
        let (layer, handle) = reload::Layer::new(filter(variable.as_deref(), level)?);
        Ok((layer, Self { variable, handle }))
    }

    /// Reads another level, and changes nothing. `RUST_LOG` wins still.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, level: &str) -> Result<Levels, LogError> {
        filter(self.variable.as_deref(), level).map(Levels)
    }

    /// Makes lines by these levels from now on.
    pub fn apply(&self, levels: Levels) {
        // It fails only where nothing is logged any more.
        let _ = self.handle.reload(levels.0);
    }
}

/// Levels by module suffice; filters by fields would bring an engine for regular expressions
/// along.
pub(super) fn filter(variable: Option<&str>, level: &str) -> Result<Targets, LogError> {
    let (directives, from) = match variable.filter(|value| !value.trim().is_empty()) {
        Some(value) => (value.to_owned(), "the environment variable `RUST_LOG`"),
        None => (format!("{QUIET},{level}"), "`log.level`"),
    };
    if let Some(word) = directives
        .split(',')
        .map(str::trim)
        .find(|word| is_no_level(word))
    {
        let word = word.to_owned();
        return Err(LogError::Word { from, word });
    }
    directives
        .parse()
        .map_err(|source| LogError::Level { from, source })
}

/// Whether a directive is one word that is no level. It would be taken for the name of a crate
/// of which everything is logged, and nothing else would be: `wran` is no such crate.
fn is_no_level(directive: &str) -> bool {
    const OURS: &str = env!("CARGO_CRATE_NAME");
    !directive.is_empty()
        && !directive.contains(['=', ':'])
        && directive != OURS
        && directive.parse::<LevelFilter>().is_err()
}
