//! Counters, gauges and histograms. Every label set exists at zero from the start, so that
//! `rate()` and alerts see the first event.

mod series;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use series::ReceiverSeries;

/// Answers come within 10 s; the buckets are close where people look.
const ANSWER_BUCKETS: [f64; 10] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 9.0, 10.0];
/// A request may take 30 s.
const REQUEST_BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0];
/// The outcomes of `token_renewals_total`.
pub(super) const RENEWALS: [&str; 3] = ["renewed", "refused", "failed"];
/// The reasons of `fallbacks_total`.
pub(super) const FALLBACK_REASONS: [&str; 3] = ["template", "markdown_refused", "card_refused"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverOutcome {
    receiver: Arc<str>,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverLabel {
    receiver: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverKind {
    receiver: Arc<str>,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverReason {
    receiver: Arc<str>,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BotLabel {
    bot: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BotOutcome {
    bot: Arc<str>,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BotCode {
    bot: Arc<str>,
    code: &'static str,
}

/// What kind of message Webex accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// As the template made it.
    New,
    /// A reply to the first message of its group.
    Reply,
    /// The first message of its group, brought up to date.
    Edit,
    /// Several notifications in one message; counted for each of them.
    Digest,
    /// In a plainer form, because something failed.
    Fallback,
}

impl MessageKind {
    const ALL: [Self; 5] = [
        Self::New,
        Self::Reply,
        Self::Edit,
        Self::Digest,
        Self::Fallback,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reply => "reply",
            Self::Edit => "edit",
            Self::Digest => "digest",
            Self::Fallback => "fallback",
        }
    }
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    labels: Labels,
    registry: Mutex<Registry>,
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

/// The closed sets of labels.
#[derive(Debug)]
pub struct Labels {
    /// What may come of a notification.
    pub outcomes: Vec<&'static str>,
    /// Why a request may not become one. A receiver counts in these from the first such
    /// request on: all of them for thousands of receivers would be megabytes of zeros.
    pub rejections: Vec<&'static str>,
    /// The name for receivers that nobody configured.
    pub unknown: Arc<str>,
    /// All codes of a request to Webex.
    pub codes: Vec<&'static str>,
}

impl Metrics {
    /// Metrics at zero, but for those of receivers and bots, which are added.
    #[must_use]
    pub fn new(labels: Labels) -> Self {
        let metrics = Self {
            labels,
            registry: Mutex::new(Registry::with_prefix("alertmanager_webex")),
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
        let registry = &mut *self.registry();
        registry.register(
            "notifications",
            "Notifications answered, by receiver and by the reason in the answer",
            self.notifications.clone(),
        );
        registry.register_with_unit(
            "last_success_timestamp",
            "When a notification of the receiver was last delivered; 0 before the first",
            Unit::Seconds,
            self.last_success.clone(),
        );
        registry.register_with_unit(
            "notification_duration",
            "Time from the request's head to the answer",
            Unit::Seconds,
            self.answer_duration.clone(),
        );
        registry.register(
            "messages",
            "Messages that Webex accepted",
            self.messages.clone(),
        );
        registry.register(
            "webex_requests",
            "Requests to Webex by the status of their answer, or by what happened instead",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "webex_request_duration",
            "Time from a request to Webex to its answer",
            Unit::Seconds,
            self.request_duration.clone(),
        );
        registry.register(
            "waiting_notifications",
            "Notifications that Webex does not have yet",
            self.waiting.clone(),
        );
        registry.register(
            "ambiguous_posts",
            "Posts whose answer was lost, so that they were sent again and may stand twice",
            self.ambiguous.clone(),
        );
        registry.register(
            "token_renewals",
            "Renewals of a service app's access token, by how they ended",
            self.token_renewals.clone(),
        );
        registry.register(
            "fallbacks",
            "Messages posted in a plainer form than meant",
            self.fallbacks.clone(),
        );
        registry.register(
            "withheld_alerts",
            "Alerts withheld because they are not of the receiver's namespaces",
            self.withheld.clone(),
        );
        registry.register(
            "room_fallback_alerts",
            "Alerts in the receiver's own rooms because they ask for no room that they may have",
            self.strayed.clone(),
        );
        registry.register(
            "duplicates_suppressed",
            "Notifications not posted because the same one had just been accepted",
            self.duplicates.clone(),
        );
        registry.register(
            "given_up",
            "Notifications given up because nobody asked for them any more",
            self.given_up.clone(),
        );
        registry.register(
            "config_last_reload_successful",
            "1 if the configuration that was read last counts, 0 if it was refused",
            self.last_reload_successful.clone(),
        );
        registry.register_with_unit(
            "config_last_reload_success_timestamp",
            "When the configuration that counts was loaded",
            Unit::Seconds,
            self.last_reload_success.clone(),
        );
        registry.register(
            "build",
            "Version of this program",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
    }

    /// Adds metrics that are computed when somebody looks.
    pub fn collect_from(&self, collector: Box<dyn Collector>) {
        self.registry().register_collector(collector);
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request was answered.
    pub fn answered(&self, receiver: &Arc<str>, outcome: &'static str, took: Duration) {
        self.notifications
            .get_or_create(&ReceiverOutcome {
                receiver: Arc::clone(receiver),
                outcome,
            })
            .inc();
        self.answer_duration
            .get_or_create(&OutcomeLabel { outcome })
            .observe(took.as_secs_f64());
    }

    /// A notification was delivered.
    pub fn delivered(&self, receiver: &Arc<str>) {
        self.last_success
            .get_or_create(&ReceiverLabel {
                receiver: Arc::clone(receiver),
            })
            .set(jiff::Timestamp::now().as_second());
    }

    /// Webex accepted a message.
    pub fn accepted(&self, receiver: &Arc<str>, kind: MessageKind) {
        self.messages
            .get_or_create(&ReceiverKind {
                receiver: Arc::clone(receiver),
                kind: kind.as_str(),
            })
            .inc();
    }

    /// A request to Webex came to an end; `code` is a status or the word for what happened.
    pub fn requested(&self, bot: &Arc<str>, code: &'static str, took: Duration) {
        self.requests
            .get_or_create(&BotCode {
                bot: Arc::clone(bot),
                code,
            })
            .inc();
        self.request_duration
            .get_or_create(&BotLabel {
                bot: Arc::clone(bot),
            })
            .observe(took.as_secs_f64());
    }

    /// A post's answer was lost.
    pub fn ambiguous(&self, bot: &Arc<str>) {
        self.ambiguous
            .get_or_create(&BotLabel {
                bot: Arc::clone(bot),
            })
            .inc();
    }

    /// A renewal of an access token was `renewed`, `refused` by Webex, or `failed`.
    pub fn token_renewed(&self, bot: &Arc<str>, outcome: &'static str) {
        self.token_renewals
            .get_or_create(&BotOutcome {
                bot: Arc::clone(bot),
                outcome,
            })
            .inc();
    }

    /// The receiver's template failed, and a plainer one took its place.
    pub fn template_failed(&self, receiver: &Arc<str>) {
        self.fell_back(receiver, FALLBACK_REASONS[0]);
    }

    /// Webex refused the Markdown, and the message went out as plain text.
    pub fn markdown_refused(&self, receiver: &Arc<str>) {
        self.fell_back(receiver, FALLBACK_REASONS[1]);
    }

    /// Webex refused the card, and the message went out without it.
    pub fn card_refused(&self, receiver: &Arc<str>) {
        self.fell_back(receiver, FALLBACK_REASONS[2]);
    }

    fn fell_back(&self, receiver: &Arc<str>, reason: &'static str) {
        self.fallbacks
            .get_or_create(&ReceiverReason {
                receiver: Arc::clone(receiver),
                reason,
            })
            .inc();
    }

    /// So many alerts were withheld. With zero the series begins to exist.
    pub fn withheld(&self, receiver: &Arc<str>, alerts: usize) {
        count(&self.withheld, receiver, alerts);
    }

    /// So many alerts asked for no room that they may have. With zero the series begins to
    /// exist.
    pub fn strayed(&self, receiver: &Arc<str>, alerts: usize) {
        count(&self.strayed, receiver, alerts);
    }

    /// The same notification had just been accepted.
    pub fn duplicate(&self, receiver: &Arc<str>) {
        self.duplicates
            .get_or_create(&ReceiverLabel {
                receiver: Arc::clone(receiver),
            })
            .inc();
    }

    /// Nobody asked for the notification any more.
    pub fn given_up(&self, receiver: &Arc<str>) {
        self.given_up
            .get_or_create(&ReceiverLabel {
                receiver: Arc::clone(receiver),
            })
            .inc();
    }

    /// The configuration that was read last counts.
    pub fn config_loaded(&self) {
        self.last_reload_successful.set(1);
        let now = jiff::Timestamp::now().as_second();
        self.last_reload_success.set(now);
    }

    /// The configuration that was read last was refused.
    pub fn config_refused(&self) {
        self.last_reload_successful.set(0);
    }

    /// How many notifications of a receiver wait.
    pub fn waiting(&self, receiver: &Arc<str>) -> Gauge {
        self.waiting
            .get_or_create(&ReceiverLabel {
                receiver: Arc::clone(receiver),
            })
            .clone()
    }

    /// All metrics as text, in the `OpenMetrics` format that Prometheus reads as well.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail, and our own collectors do not either.
        let _ = encode(&mut text, &self.registry());
        text
    }
}

fn count(family: &Family<ReceiverLabel, Counter>, receiver: &Arc<str>, number: usize) {
    let label = ReceiverLabel {
        receiver: Arc::clone(receiver),
    };
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    family.get_or_create(&label).inc_by(number);
}
