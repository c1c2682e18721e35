//! Counters, gauges and histograms. Every label set exists at zero from the start, so that
//! `rate()` and alerts see the first event.
//!
//! `catalogue` says what there is, `labels` by what it is told apart, `counting` what may
//! happen, `series` what exists, `text` what is read. What only has a value while somebody
//! looks is collected: `process`, `runtime`, and the engine's own gauges.

pub mod catalogue;
mod counting;
mod labels;
#[cfg(target_os = "linux")]
mod process;
mod runtime;
mod series;
mod text;

use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};
use tokio::runtime::Handle;

use catalogue::Described;
use labels::{
    BotCode, BotLabel, BotOutcome, OutcomeLabel, ReceiverKind, ReceiverLabel, ReceiverOutcome,
    ReceiverReason,
};
pub use labels::{FALLBACK_REASONS, Labels, MessageKind, RENEWALS};
pub use series::ReceiverSeries;

/// Answers come within 10 s; the buckets are close where people look.
const ANSWER_BUCKETS: [f64; 10] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 9.0, 10.0];
/// A request may take 30 s.
const REQUEST_BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0];
/// The revision of the source, where the build is told it.
const REVISION: Option<&str> = option_env!("ALERTMANAGER_WEBEX_REVISION");

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    labels: Labels,
    registries: Mutex<Registries>,
    notifications: Family<ReceiverOutcome, Counter>,
    last_success: Family<ReceiverLabel, Gauge>,
    answer_duration: Family<OutcomeLabel, Histogram, fn() -> Histogram>,
    messages: Family<ReceiverKind, Counter>,
    requests: Family<BotCode, Counter>,
    request_duration: Family<BotLabel, Histogram, fn() -> Histogram>,
    waiting: Family<ReceiverLabel, Gauge>,
    ambiguous: Family<BotLabel, Counter>,
    token_renewals: Family<BotOutcome, Counter>,
    fallbacks: Family<ReceiverReason, Counter>,
    withheld: Family<ReceiverLabel, Counter>,
    strayed: Family<ReceiverLabel, Counter>,
    duplicates: Family<ReceiverLabel, Counter>,
    given_up: Family<ReceiverLabel, Counter>,
    last_reload_successful: Gauge,
    last_reload_success: Gauge,
}

#[derive(Debug)]
struct Registries {
    /// The service's own.
    own: Registry,
    /// Those of the process and its runtime.
    others: Registry,
}

impl Metrics {
    /// Metrics at zero, but for those of receivers and bots, which are added. `runtime` is the
    /// one that delivers.
    #[must_use]
    pub fn new(labels: Labels, runtime: Handle) -> Self {
        let mut others = Registry::default();
        #[cfg(target_os = "linux")]
        others.register_collector(Box::new(process::Process));
        others.register_collector(Box::new(runtime::Runtime(runtime)));
        let metrics = Self {
            labels,
            registries: Mutex::new(Registries {
                own: Registry::with_prefix(catalogue::PREFIX),
                others,
            }),
            notifications: Family::default(),
            last_success: Family::default(),
            answer_duration: Family::new_with_constructor(|| Histogram::new(ANSWER_BUCKETS)),
            messages: Family::default(),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS)),
            waiting: Family::default(),
            ambiguous: Family::default(),
            token_renewals: Family::default(),
            fallbacks: Family::default(),
            withheld: Family::default(),
            strayed: Family::default(),
            duplicates: Family::default(),
            given_up: Family::default(),
            last_reload_successful: Gauge::default(),
            last_reload_success: Gauge::default(),
        };
        metrics.config_loaded();
        metrics.register();
        metrics.add_common();
        metrics
    }

    fn register(&self) {
        use catalogue::{
            AMBIGUOUS, ANSWER_DURATION, BUILD, DUPLICATES, FALLBACKS, GIVEN_UP, LAST_SUCCESS,
            MESSAGES, NOTIFICATIONS, RELOAD_SUCCESS, RELOAD_SUCCESSFUL, REQUEST_DURATION, REQUESTS,
            STRAYED, TOKEN_RENEWALS, WAITING, WITHHELD,
        };
        let own = &mut self.registries().own;
        register(own, &NOTIFICATIONS, self.notifications.clone());
        register(own, &LAST_SUCCESS, self.last_success.clone());
        register(own, &ANSWER_DURATION, self.answer_duration.clone());
        register(own, &MESSAGES, self.messages.clone());
        register(own, &REQUESTS, self.requests.clone());
        register(own, &REQUEST_DURATION, self.request_duration.clone());
        register(own, &WAITING, self.waiting.clone());
        register(own, &AMBIGUOUS, self.ambiguous.clone());
        register(own, &TOKEN_RENEWALS, self.token_renewals.clone());
        register(own, &FALLBACKS, self.fallbacks.clone());
        register(own, &WITHHELD, self.withheld.clone());
        register(own, &STRAYED, self.strayed.clone());
        register(own, &DUPLICATES, self.duplicates.clone());
        register(own, &GIVEN_UP, self.given_up.clone());
        register(own, &RELOAD_SUCCESSFUL, self.last_reload_successful.clone());
        register(own, &RELOAD_SUCCESS, self.last_reload_success.clone());
        let build = [
            ("version", env!("CARGO_PKG_VERSION")),
            ("revision", REVISION.unwrap_or("unknown")),
        ];
        register(own, &BUILD, Info::new(build));
    }

    /// Adds metrics that are computed when somebody looks.
    pub fn collect_from(&self, collector: Box<dyn Collector>) {
        self.registries().own.register_collector(collector);
    }

    fn registries(&self) -> MutexGuard<'_, Registries> {
        self.registries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// All metrics as text, in the `OpenMetrics` format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registries = self.registries();
        // Writing to a string does not fail, and our own collectors do not either.
        let _ = encode_registry(&mut text, &registries.own);
        let _ = encode_registry(&mut text, &registries.others);
        let _ = encode_eof(&mut text);
        text
    }

    /// All metrics as text, in the format that Prometheus had before.
    #[must_use]
    pub fn classic_text(&self) -> String {
        let open = self.text();
        // What counters gain in their descriptions is less than what units and marks lose.
        let mut classic = String::with_capacity(open.len());
        text::make_classic(&open, &mut classic);
        classic
    }
}

fn register(registry: &mut Registry, described: &Described, metric: impl Metric) {
    match &described.unit {
        Some(unit) => {
            registry.register_with_unit(described.name, described.help, unit.clone(), metric);
        }
        None => registry.register(described.name, described.help, metric),
    }
}
