//! What may be counted: one verb for each thing that happens.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::Metrics;
use super::labels::{
    BotCode, BotLabel, BotOutcome, FALLBACK_REASONS, MessageKind, OutcomeLabel, ReceiverKind,
    ReceiverLabel, ReceiverOutcome, ReceiverReason,
};

impl Metrics {
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
}

fn count(family: &Family<ReceiverLabel, Counter>, receiver: &Arc<str>, number: usize) {
    let label = ReceiverLabel {
        receiver: Arc::clone(receiver),
    };
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    family.get_or_create(&label).inc_by(number);
}
