//! Log lines: a sentence that can be read alone, and the same facts as fields. To stderr,
//! because stdout is data. `docs/logging.md` lists them all.
//!
//! A layer of its own stands here for that of `tracing-subscriber`, whose lines can be broken
//! by a line break in a value, hide the request's id in a nested object, and cannot be left
//! out and counted. `level` is which lines are made, `line` what one looks
//! like, `sampling` which ones are left out.

mod level;
mod line;
mod sampling;

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _, RandomState};
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

pub use level::{LogError, LogLevel};
pub use line::Format as LineFormat;
use line::{Collector, Parts};
use sampling::{Admission, LeftOut, Sampler, WINDOW};

/// The span whose fields every line within it carries.
pub(crate) const REQUEST_SPAN: &str = "request";

/// Fields that say whom a line is about: lines about different ones are counted apart.
const SUBJECTS: [&str; 4] = ["receiver", "bot", "from", "key"];

/// Sets up logs for the process. `RUST_LOG` wins over `level`; an empty one does not count.
///
/// # Errors
/// When the level cannot be read, or logs were set up before.
pub fn init_logs(json: bool, level: &str) -> Result<(Logs, LogLevel), LogError> {
    use tracing_subscriber::prelude::*;
    let (filter, level) = LogLevel::new(std::env::var("RUST_LOG").ok(), level)?;
    let format = if json {
        LineFormat::Json
    } else {
        let colours = std::io::stderr().is_terminal()
            && has_colours(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
        LineFormat::Text { colours }
    };
    let (layer, logs) = log_layer(format, |line| {
        // Where nobody reads, nobody can be told.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    });
    // The filter is one for all, and not that layer's alone: what it lets through need not be
    // asked about again for each line and each span.
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()?;
    Ok((logs, level))
}

/// Whether a terminal is to show colours, by what the environment says (<https://no-color.org>).
fn has_colours(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> bool {
    variable("NO_COLOR").is_none() && variable("TERM").is_none_or(|term| term != "dumb")
}

/// A layer that hands each line, with its end, to `write`.
pub fn log_layer(
    format: LineFormat,
    write: impl Fn(&str) + Send + Sync + 'static,
) -> (LogLayer, Logs) {
    let shared = Arc::new(Shared {
        format,
        write: Box::new(write),
        sampler: Mutex::default(),
        left_out: Notify::new(),
        random: RandomState::new(),
    });
    (LogLayer(Arc::clone(&shared)), Logs(shared))
}

/// Makes lines of events.
pub struct LogLayer(Arc<Shared>);

/// What was left out of the log, to be told in time.
pub struct Logs(Arc<Shared>);

struct Shared {
    format: LineFormat,
    write: Box<dyn Fn(&str) + Send + Sync>,
    sampler: Mutex<Sampler>,
    /// The first line of a window was left out.
    left_out: Notify,
    random: RandomState,
}

/// What lines within a span carry, ready to be appended.
struct Carried(String);

thread_local! {
    /// What a line is put together in.
    static PARTS: RefCell<Parts> = RefCell::default();
}

impl Logs {
    /// Tells what is left out, each time a window is over. Does nothing as long as nothing is
    /// left out, and never ends.
    pub async fn tell_left_out(&self) {
        loop {
            let due = self.0.sampler().due();
            match due {
                Some(due) => {
                    tokio::time::sleep_until(due).await;
                    let left_out = self.0.sampler().tell(Instant::now());
                    self.0.tell(left_out);
                }
                None => self.0.left_out.notified().await,
            }
        }
    }

    /// Tells what was left out so far, at the end of the process.
    pub fn finish(&self) {
        let left_out = self.0.sampler().tell_all();
        self.0.tell(left_out);
    }
}

impl Shared {
    fn sampler(&self) -> MutexGuard<'_, Sampler> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, left_out: Vec<LeftOut>) {
        for LeftOut {
            level,
            number,
            example,
        } in left_out
        {
            let mut parts = Parts::default();
            let seconds = WINDOW.as_secs();
            // The example is escaped already.
            let _ = write!(
                parts.sentence,
                "{number} more lines like this one were left out in the last {seconds} s: {example}"
            );
            line::number(self.format, &mut parts.fields, "suppressed", number);
            (self.write)(parts.line(self.format, level, ""));
        }
    }

    /// Whether a line is written; if not, it is counted.
    fn admits(&self, event: &Event<'_>, parts: &mut Parts) -> bool {
        let metadata = event.metadata();
        let level = *metadata.level();
        if level > Level::INFO {
            return true;
        }
        let mut subject = Subject::new(&self.random);
        event.record(&mut subject);
        let now = Instant::now();
        let (left_out, admission) = {
            let mut sampler = self.sampler();
            let left_out = sampler.tell(now);
            let admission = sampler.admit(&metadata.callsite(), subject.id(), level, now);
            (left_out, admission)
        };
        self.tell(left_out);
        match admission {
            Admission::Write => true,
            Admission::LeaveOut => false,
            Admission::First(key) => {
                self.collect(parts, |collector| event.record(collector));
                self.sampler().describe(&key, level, &parts.sentence);
                self.left_out.notify_one();
                false
            }
        }
    }

    fn collect(&self, parts: &mut Parts, record: impl FnOnce(&mut Collector<'_>)) {
        parts.clear();
        record(&mut Collector {
            format: self.format,
            sentence: &mut parts.sentence,
            fields: &mut parts.fields,
        });
    }

    fn carry(&self, carried: &mut String, record: impl FnOnce(&mut Collector<'_>)) {
        record(&mut Collector {
            format: self.format,
            sentence: &mut String::new(),
            fields: carried,
        });
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| span.name() == REQUEST_SPAN) else {
            return;
        };
        let mut carried = String::new();
        self.0
            .carry(&mut carried, |collector| attributes.record(collector));
        span.extensions_mut().insert(Carried(carried));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Carried(carried)) = span.extensions_mut().get_mut()
        {
            self.0.carry(carried, |collector| values.record(collector));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // Taken, not borrowed: formatting a value might log.
        let mut parts = PARTS.take();
        if self.0.admits(event, &mut parts) {
            self.0
                .collect(&mut parts, |collector| event.record(collector));
            let mut scope = context.event_scope(event).into_iter().flatten();
            let span = scope.find(|span| span.name() == REQUEST_SPAN);
            let extensions = span.as_ref().map(|span| span.extensions());
            let carried = extensions.as_ref().and_then(|all| all.get::<Carried>());
            let carried = carried.map_or("", |Carried(carried)| carried);
            let line = parts.line(self.0.format, *event.metadata().level(), carried);
            (self.0.write)(line);
        }
        PARTS.set(parts);
    }
}

/// Finds whom a line is about: a hash of what its fields of [`SUBJECTS`] say, with keys of
/// its own, since that may be any text.
struct Subject {
    hasher: DefaultHasher,
    is_known: bool,
}

impl Subject {
    fn new(random: &RandomState) -> Self {
        Self {
            hasher: random.build_hasher(),
            is_known: false,
        }
    }

    fn id(&self) -> Option<u64> {
        self.is_known.then(|| self.hasher.finish())
    }

    /// Whether a field is one of [`SUBJECTS`]; its value is told apart from the one before.
    fn counts(&mut self, field: &Field) -> bool {
        let counts = SUBJECTS.contains(&field.name());
        if counts {
            self.is_known = true;
            self.hasher.write_u8(0);
        }
        counts
    }
}

impl Visit for Subject {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.counts(field) {
            // Hashing does not fail.
            let _ = write!(self, "{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.counts(field) {
            self.hasher.write(value.as_bytes());
        }
    }

    // No other value says whom a line is about, nor is it written to find that out.
    fn record_f64(&mut self, _: &Field, _: f64) {}
    fn record_i64(&mut self, _: &Field, _: i64) {}
    fn record_u64(&mut self, _: &Field, _: u64) {}
    fn record_bool(&mut self, _: &Field, _: bool) {}
}

impl fmt::Write for Subject {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hasher.write(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
