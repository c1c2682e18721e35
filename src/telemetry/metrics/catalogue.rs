//! Every metric: its name, what it means, and what to look at when it moves. The code that
//! counts takes names and words from here, and so does `docs/metrics.md`.
//!
//! What does not belong here: when something is counted.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// What the service's own metrics begin with. Those of the process and of the runtime have the
/// names that they have everywhere.
pub(super) const PREFIX: &str = "alertmanager_webex";

/// A metric, in words.
#[derive(Debug)]
pub struct Described {
    /// Without the prefix, the unit and what the type appends.
    pub(super) name: &'static str,
    /// Whether its name begins with the service's prefix.
    pub(super) is_own: bool,
    /// What it is.
    pub kind: MetricType,
    /// What it is measured in; the name ends with it.
    pub unit: Option<Unit>,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts or measures, in one sentence without its full stop.
    pub help: &'static str,
    /// What to look at when it moves.
    pub look: &'static str,
}

impl Described {
    /// The name that queries use: of a histogram, what stands before `_bucket`, `_sum` and
    /// `_count`.
    #[must_use]
    pub fn full_name(&self) -> String {
        let mut name = self.name.to_owned();
        if self.is_own {
            name = format!("{PREFIX}_{name}");
        }
        if let Some(unit) = &self.unit {
            name = format!("{name}_{}", unit.as_str());
        }
        match self.kind {
            MetricType::Counter => name + "_total",
            MetricType::Info => name + "_info",
            _ => name,
        }
    }

    /// Gauges that are computed when somebody looks: of each bot or receiver, its value.
    /// Without any there is no such metric.
    ///
    /// # Errors
    /// When the encoder cannot be written to.
    pub fn encode_each<'a>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        values: impl Iterator<Item = (&'a Arc<str>, f64)>,
    ) -> fmt::Result {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut family = self.describe(encoder)?;
        for (value_of, value) in values {
            let labels = [(self.labels[0], value_of.as_ref())];
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// The one value of a metric without labels.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>, value: f64) -> fmt::Result {
        let family = self.describe(encoder)?;
        match self.kind {
            MetricType::Counter => ConstCounter::new(value).encode(family),
            _ => ConstGauge::new(value).encode(family),
        }
    }

    fn describe<'s>(
        &'s self,
        encoder: &'s mut DescriptorEncoder<'_>,
    ) -> Result<prometheus_client::encoding::MetricEncoder<'s>, fmt::Error> {
        // The registry ends its own descriptions with a full stop.
        let help = format!("{}.", self.help);
        encoder.encode_descriptor(self.name, &help, self.unit.as_ref(), self.kind)
    }
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $id:ident: $own:literal $name:literal $kind:ident $unit:expr, [$($label:literal),*], $help:literal, $look:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $id: Described = Described {
                name: $name,
                is_own: $own,
                kind: MetricType::$kind,
                unit: $unit,
                labels: &[$($label),*],
                help: $help,
                look: $look,
            };
        )*

        /// All of them, in the order of the page.
        pub static ALL: &[&Described] = &[$(&$id),*];
    };
}

const SECONDS: Option<Unit> = Some(Unit::Seconds);
const BYTES: Option<Unit> = Some(Unit::Bytes);

catalogue! {
    /// Requests by outcome.
    NOTIFICATIONS: true "notifications" Counter None, ["receiver", "outcome"],
        "Notifications answered, by receiver and by the reason in the answer",
        "`delivered`, `partial`, `duplicate` and `dry_run` were answered 2xx; of everything else Alertmanager still owns the notification. A notification is answered each time that Alertmanager sends it: one that waits for Webex counts as `waiting` or `rate_limited` at first, and as `delivered` or `duplicate` when its outcome is told. A caller that hangs up is not answered, and not counted; nor is an outcome that nobody asks for. The message of the answer, which Alertmanager logs, names the remedy.";
    /// Time of the last success.
    LAST_SUCCESS: true "last_success_timestamp" Gauge SECONDS, ["receiver"],
        "When a notification of the receiver was last delivered; 0 before the first",
        "It tells a receiver that nobody uses from one that fails: compare it with `notifications_total` of the same receiver.";
    /// Time to the answer.
    ANSWER_DURATION: true "notification_duration" Histogram SECONDS, ["outcome"],
        "Time from the request's head to the answer",
        "Answers come within `delivery.answer_within`. Where `delivered` is slow, Webex is (`webex_request_duration_seconds`), or messages wait for their turn (`oldest_waiting_seconds`, `bot_pace_messages_per_second`).";
    /// Accepted messages.
    MESSAGES: true "messages" Counter None, ["receiver", "kind"],
        "Messages that Webex accepted",
        "Each part and each room counts. `digest` counts each notification that a digest tells: where it grows, more comes in than Webex takes. `fallback` is a message in a plainer form: `fallbacks_total` says why.";
    /// Requests to Webex.
    REQUESTS: true "webex_requests" Counter None, ["bot", "code"],
        "Requests to Webex by the status of their answer, or by what happened instead",
        "401: the token is refused. 404: a room is unknown, or the bot is not in it. 429: more than Webex allows; the gate closes. 5xx, `connect`, `timeout`, `interrupted`: Webex, or the way to it. `not_webex`: a 2xx that is not of Webex, as a captive portal gives it.";
    /// Time of a request to Webex.
    REQUEST_DURATION: true "webex_request_duration" Histogram SECONDS, ["bot"],
        "Time from a request to Webex to its answer",
        "Normally well under a second. Its count is that of `webex_requests_total` over all codes.";
    /// What waits.
    WAITING: true "waiting_notifications" Gauge None, ["receiver"],
        "Notifications that Webex does not have yet, for each bot and webhook that they go by",
        "Few for a moment are normal. Where it stays up, look at `oldest_waiting_seconds`, and then at the gate and the pace of the receiver's bot.";
    /// The age of what waits.
    OLDEST_WAITING: true "oldest_waiting" Gauge SECONDS, ["receiver"],
        "Age of the oldest notification that Webex does not have yet; 0 where none waits",
        "What takes the place of a notification that waits has waited as long as that one. It ends when Webex has the notification, refuses it, or when nobody has asked for it for `delivery.give_up_after`.";
    /// The gate.
    GATE_CLOSED: true "bot_gate_closed" Gauge SECONDS, ["bot"],
        "How long the bot still waits because Webex answered 429",
        "0 where the gate is open. Where it closes again and again, somebody else may use the same token, or `messages_per_minute` is far above what Webex allows.";
    /// The pace.
    PACE: true "bot_pace_messages_per_second" Gauge None, ["bot"],
        "How fast the bot may send: the configured ceiling, or what Webex taught",
        "Below the ceiling (`messages_per_minute` / 60), Webex has limited the bot; it rises again with success.";
    /// The lease of a token.
    TOKEN_VALID: true "bot_token_valid" Gauge SECONDS, ["bot"],
        "How long the access token of a service app may still be used; it is renewed before",
        "Only of service apps. Where it falls under a day, renewals fail: `token_renewals_total`.";
    /// Posts that may stand twice.
    AMBIGUOUS: true "ambiguous_posts" Counter None, ["bot"],
        "Posts whose answer was lost, so that they were sent again and may stand twice",
        "Time-outs, resets, 500, 502 and 504. Where it grows, raise `webex.request_timeout`, or look at the way to Webex.";
    /// Renewals of tokens.
    TOKEN_RENEWALS: true "token_renewals" Counter None, ["bot", "outcome"],
        "Renewals of a service app's access token, by how they ended",
        "`refused`: the refresh token or the secret is wrong, or the authorisation was taken back. `failed`: Webex could not be asked; it is tried again.";
    /// Fallbacks.
    FALLBACKS: true "fallbacks" Counter None, ["receiver", "reason"],
        "Plainer forms that had to stand in for what was meant",
        "A message that got through in a plainer form says what was wrong. `template`: the template failed with this notification, see the log, and `alertmanager-webex render` with the body. `markdown_refused`, `card_refused`: Webex answered 400.";
    /// Alerts of other namespaces.
    WITHHELD: true "withheld_alerts" Counter None, ["receiver"],
        "Alerts withheld because they are not of the receiver's namespaces",
        "Only of receivers with `namespaces`. A route of Alertmanager leads another project's alerts here.";
    /// Alerts without a room of their own.
    STRAYED: true "room_fallback_alerts" Counter None, ["receiver"],
        "Alerts in the receiver's own rooms because they ask for no room that they may have",
        "Only of receivers with `room_from`. A label or annotation is missing, or names a room that is not allowed.";
    /// Repeats.
    DUPLICATES: true "duplicates_suppressed" Counter None, ["receiver"],
        "Notifications not posted, for each bot and webhook, because the same one had just been accepted",
        "Alertmanager's next try, or its peer in a cluster. It grows with each delivery that took longer than `delivery.answer_within`.";
    /// Given up.
    GIVEN_UP: true "given_up" Counter None, ["receiver"],
        "Notifications given up, for each bot and webhook, because nobody asked for them any more",
        "Webex never had them. Look at what held them up: `webex_requests_total`, `bot_gate_closed_seconds`.";
    /// Whether the last reload counts.
    RELOAD_SUCCESSFUL: true "config_last_reload_successful" Gauge None, [],
        "1 if the configuration that was read last counts, 0 if it was refused",
        "The log and the status page say what is wrong with it; the one before stays.";
    /// When the configuration was loaded.
    RELOAD_SUCCESS: true "config_last_reload_success_timestamp" Gauge SECONDS, [],
        "When the configuration that counts was loaded",
        "It moves with each reload, also one that changed nothing.";
    /// The version.
    BUILD: true "build" Info None, ["version", "revision"],
        "Version of this program, and the revision of its source",
        "`revision` is `unknown` where the build was not told it.";
    /// Time of the processor.
    PROCESS_CPU: false "process_cpu" Counter SECONDS, [],
        "Time of the processor that the process has used, in user and system mode",
        "A notification costs well under a millisecond: see the benchmarks.";
    /// Open files.
    PROCESS_OPEN_FDS: false "process_open_fds" Gauge None, [],
        "File descriptors that are open",
        "Connections of callers and to Webex. Near `process_max_fds` none is accepted any more.";
    /// How many may be open.
    PROCESS_MAX_FDS: false "process_max_fds" Gauge None, [],
        "File descriptors that may be open",
        "Set by the system (`ulimit -n`). Absent where there is no limit.";
    /// Resident memory.
    PROCESS_RESIDENT: false "process_resident_memory" Gauge BYTES, [],
        "Resident memory",
        "It grows with what waits: `waiting_notifications`, bounded by `delivery.max_waiting_bytes`.";
    /// Virtual memory.
    PROCESS_VIRTUAL: false "process_virtual_memory" Gauge BYTES, [],
        "Virtual memory",
        "Mostly addresses that nothing stands behind.";
    /// When the process began.
    PROCESS_START: false "process_start_time" Gauge SECONDS, [],
        "When the process was started, in seconds since 1970",
        "Where it changes, the process was restarted: what waited was given back to Alertmanager.";
    /// Threads.
    PROCESS_THREADS: false "process_threads" Gauge None, [],
        "Threads of the process",
        "A few for deliveries and `server.workers` for requests; reloads take one more for a while.";
    /// Threads that deliver.
    TOKIO_WORKERS: false "tokio_workers" Gauge None, [],
        "Threads of the runtime that delivers",
        "Fixed at start. The threads that answer requests have runtimes of their own, which are not here.";
    /// Tasks.
    TOKIO_TASKS: false "tokio_alive_tasks" Gauge None, [],
        "Tasks of the runtime that delivers",
        "Two a bot, one a request to Webex that is under way, and a few more.";
    /// Tasks that wait for a thread.
    TOKIO_QUEUE: false "tokio_global_queue_depth" Gauge None, [],
        "Tasks that wait for a thread of the runtime that delivers",
        "0 nearly always; where it stays up, the process lacks CPU.";
    /// Busy threads.
    TOKIO_BUSY: false "tokio_workers_busy" Counter SECONDS, [],
        "Time that the threads of the runtime that delivers were busy, all together",
        "Its rate, divided by `tokio_workers`, is their load.";
}
