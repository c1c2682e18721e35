//! What makes no sense, section by section; `bots`, `receivers` and others judge the rest.
//!
//! A judge notes and goes on: whoever mends a configuration wants all at once, and wants
//! each mistake told once.

use std::path::Path;
use std::time::Duration;

use super::places::{Places, written};
use super::problem::{Problem, Severity};
use super::settings;
use crate::secrets::could_be_a_secret;

/// Alertmanager ends a flush after `max(group_interval, 10s)`; answering later is a loop of
/// aborted requests.
const FLUSH: Duration = Duration::from_secs(10);
/// Longer than anything here can usefully take, and far from where clocks overflow.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Half a second is what the server's clock may be behind.
const SHORTEST_HEAD: Duration = Duration::from_secs(1);
/// Each is a thread or two; more than machines have processors only costs memory.
const MOST_WORKERS: u32 = 512;

/// Judges settings and notes what is wrong with them.
pub(super) struct Judge<'a> {
    places: &'a Places,
    problems: Vec<Problem>,
}

impl<'a> Judge<'a> {
    /// A judge who knows what was wrong before.
    pub(super) fn new(places: &'a Places, problems: Vec<Problem>) -> Self {
        Self { places, problems }
    }

    /// All that was noted, in the order of the file.
    pub(super) fn problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by(|one, other| one.order().cmp(&other.order()));
        self.problems
    }

    /// An error at a key, which is not noted.
    pub(super) fn problem(&self, path: &[&str], message: String, hint: &str) -> Problem {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        self.places.problem(&path, message, hint)
    }

    fn note(&mut self, severity: Severity, path: &[&str], message: impl Into<String>, hint: &str) {
        let problem = self.problem(path, message.into(), hint);
        self.problems.push(Problem {
            severity,
            ..problem
        });
    }

    pub(super) fn error(&mut self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.note(Severity::Error, path, message, hint);
    }

    pub(super) fn warn(&mut self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.note(Severity::Warning, path, message, hint);
    }

    /// Whether something was wrong with this very key already. Its value was left out then,
    /// and that it is missing now is no second mistake.
    pub(super) fn noted(&self, path: &[&str]) -> bool {
        let key = written(path);
        self.problems.iter().any(|problem| problem.key == key)
    }

    /// Whether something was wrong with a key below this one.
    pub(super) fn noted_below(&self, path: &[&str]) -> bool {
        let above = format!("{}.", written(path));
        let mut problems = self.problems.iter();
        problems.any(|problem| problem.key.starts_with(&above))
    }

    pub(super) fn limits(&mut self, server: &settings::Server, delivery: &settings::Delivery) {
        if server.workers.get() > MOST_WORKERS {
            self.error(
                &["server", "workers"],
                format!("these are more threads than {MOST_WORKERS}"),
                "2 are enough for what Webex takes",
            );
        }
        if server.max_connections < server.workers && server.workers.get() <= MOST_WORKERS {
            self.error(
                &["server", "max_connections"],
                "these are fewer connections than `server.workers`, which share them",
                "leave it out; 4096 is the default",
            );
        }
        if server.body_limit.as_u64() == 0 {
            self.error(
                &["server", "body_limit"],
                "this is zero, so no body would be read",
                "write it like `4MiB`",
            );
        }
        if delivery.max_waiting_bytes.as_u64() == 0 {
            self.error(
                &["delivery", "max_waiting_bytes"],
                "this is zero, so every notification would be turned away",
                "leave it out; 64MiB is the default",
            );
        }
        if delivery.max_waiting == 0 {
            self.error(
                &["delivery", "max_waiting"],
                "this is zero, so every notification would be turned away",
                "leave it out; 10000 is the default",
            );
        }
    }

    pub(super) fn times(
        &mut self,
        server: &settings::Server,
        delivery: &settings::Delivery,
        webex: &settings::Webex,
    ) {
        let hint = "write it like `9s` or `1m 30s`";
        for (path, time, may_be_zero) in [
            (["server", "shutdown_delay"], server.shutdown_delay, true),
            (["server", "shutdown_grace"], server.shutdown_grace, true),
            (["server", "head_timeout"], server.head_timeout, false),
            (["server", "body_timeout"], server.body_timeout, false),
            (["delivery", "answer_within"], delivery.answer_within, false),
            (["delivery", "give_up_after"], delivery.give_up_after, false),
            (
                ["delivery", "duplicate_window"],
                delivery.duplicate_window,
                true,
            ),
            (["delivery", "digest_after"], delivery.digest_after, true),
            (["webex", "request_timeout"], webex.request_timeout, false),
        ] {
            if time.is_zero() && !may_be_zero {
                self.error(&path, "this time is zero", hint);
            }
            if time > LONGEST {
                self.error(&path, "this time is longer than 30 days", hint);
            }
        }
        if !server.head_timeout.is_zero() && server.head_timeout < SHORTEST_HEAD {
            self.error(
                &["server", "head_timeout"],
                "in less than 1 s a sound client on a busy machine may not be done",
                "leave it out; 5s is the default",
            );
        }
        if delivery.answer_within >= FLUSH {
            self.warn(
                &["delivery", "answer_within"],
                "Alertmanager hangs up after its group_interval, which may be 10 s, \
                 and sends again at once",
                "stay below 10s, unless every group_interval is longer",
            );
        }
        if server.shutdown_grace < webex.request_timeout {
            self.warn(
                &["server", "shutdown_grace"],
                "this is shorter than `webex.request_timeout`, so a post that is under way \
                 may be cut off at shutdown and arrive twice",
                "make it longer than `webex.request_timeout`",
            );
        }
    }

    /// A word that is no level names a module to the log, which then logs nothing else.
    pub(super) fn log(&mut self, log: &settings::Log) {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let is_level = |word: &str| LEVELS.contains(&word.trim().to_ascii_lowercase().as_str());
        let is_sound = log.level.split(',').all(|directive| {
            let level = directive
                .rsplit_once('=')
                .map_or(directive, |(_, level)| level);
            is_level(level)
        });
        if !is_sound {
            self.error(
                &["log", "level"],
                "this is not a log level",
                "write `error`, `warn`, `info`, `debug` or `trace`, \
                 or directives such as `info,alertmanager_webex=debug`",
            );
        }
    }

    /// A path to a file. That the file can be read is seen at start, since a configuration
    /// is often written where its files are not.
    pub(super) fn file(&mut self, path: &[&str], file: &Path) {
        if file.as_os_str().is_empty() {
            self.error(path, "this path is empty", "name a file, or remove the key");
        } else if file.to_str().is_some_and(could_be_a_secret) {
            self.error(
                path,
                "this is not the path of a file",
                "write the path of a file that holds the token, such as \
                 `/run/secrets/webex/token`; the token itself does not belong into this file",
            );
        }
    }

    /// Without a bot or a receiver there is nothing to run.
    pub(super) fn presence(&mut self, no_bots: bool, no_receivers: bool) {
        if no_bots && !self.noted(&["bots"]) {
            self.error(
                &["bots"],
                "there is no bot, so nothing can be posted",
                "set WEBEX_TOKEN, or write `[bots.default]` with a `token_file`",
            );
        }
        if no_receivers && !self.noted(&["receivers"]) {
            self.error(
                &["receivers"],
                "there is no receiver, so nobody can be told",
                "set WEBEX_ROOM, or write `[receivers.default]` with `rooms`",
            );
        }
    }
}
