//! Which label sets there are: those that can be counted in exist at zero, and those of
//! receivers and bots that are no longer configured go.

use std::sync::Arc;

use super::Metrics;
use super::labels::{
    BotCode, BotLabel, BotOutcome, FALLBACK_REASONS, MessageKind, OutcomeLabel, RENEWALS,
    ReceiverKind, ReceiverLabel, ReceiverOutcome, ReceiverReason,
};

/// A receiver, and what its configuration rules out.
#[derive(Debug, Clone)]
pub struct ReceiverSeries {
    /// Its name.
    pub name: Arc<str>,
    /// Outcomes and kinds of message that it cannot have. With thousands of receivers they
    /// would be a third of all metrics.
    pub never: Vec<&'static str>,
}

impl Metrics {
    /// Creates at zero what does not hang on receivers or bots.
    pub(super) fn add_common(&self) {
        let labels = &self.labels;
        for outcome in labels.outcomes.iter().chain(&labels.rejections) {
            drop(
                self.answer_duration
                    .get_or_create(&OutcomeLabel { outcome }),
            );
        }
        for outcome in &labels.rejections {
            let receiver = Arc::clone(&labels.unknown);
            drop(
                self.notifications
                    .get_or_create(&ReceiverOutcome { receiver, outcome }),
            );
        }
    }

    /// Creates at zero what receivers and bots count in, where it is not there yet.
    pub fn add(&self, receivers: &[ReceiverSeries], bots: &[Arc<str>]) {
        for ReceiverSeries { name, never } in receivers {
            let can = |label: &&'static str| !never.contains(label);
            for outcome in self.labels.outcomes.iter().copied().filter(can) {
                let receiver = Arc::clone(name);
                drop(
                    self.notifications
                        .get_or_create(&ReceiverOutcome { receiver, outcome }),
                );
            }
            let label = ReceiverLabel {
                receiver: Arc::clone(name),
            };
            drop(self.last_success.get_or_create(&label));
            drop(self.waiting.get_or_create(&label));
            drop(self.duplicates.get_or_create(&label));
            drop(self.given_up.get_or_create(&label));
            for kind in MessageKind::ALL
                .map(MessageKind::as_str)
                .into_iter()
                .filter(can)
            {
                let receiver = Arc::clone(name);
                drop(
                    self.messages
                        .get_or_create(&ReceiverKind { receiver, kind }),
                );
            }
            for reason in FALLBACK_REASONS {
                let receiver = Arc::clone(name);
                drop(
                    self.fallbacks
                        .get_or_create(&ReceiverReason { receiver, reason }),
                );
            }
        }
        for bot in bots {
            let label = BotLabel {
                bot: Arc::clone(bot),
            };
            drop(self.request_duration.get_or_create(&label));
            drop(self.ambiguous.get_or_create(&label));
            for outcome in RENEWALS {
                let bot = Arc::clone(bot);
                drop(
                    self.token_renewals
                        .get_or_create(&BotOutcome { bot, outcome }),
                );
            }
            for code in &self.labels.codes {
                let bot = Arc::clone(bot);
                drop(self.requests.get_or_create(&BotCode { bot, code }));
            }
        }
    }

    /// Removes what a receiver counted in: no such receiver is configured any more.
    pub fn forget_receiver(&self, name: &Arc<str>) {
        let labels = &self.labels;
        for outcome in labels.outcomes.iter().chain(&labels.rejections) {
            let receiver = Arc::clone(name);
            self.notifications
                .remove(&ReceiverOutcome { receiver, outcome });
        }
        let label = ReceiverLabel {
            receiver: Arc::clone(name),
        };
        self.last_success.remove(&label);
        self.waiting.remove(&label);
        self.duplicates.remove(&label);
        self.withheld.remove(&label);
        self.strayed.remove(&label);
        self.given_up.remove(&label);
        for kind in MessageKind::ALL.map(MessageKind::as_str) {
            let receiver = Arc::clone(name);
            self.messages.remove(&ReceiverKind { receiver, kind });
        }
        for reason in FALLBACK_REASONS {
            let receiver = Arc::clone(name);
            self.fallbacks.remove(&ReceiverReason { receiver, reason });
        }
    }

    /// Removes what a bot counted in: no such bot is configured any more.
    pub fn forget_bot(&self, bot: &Arc<str>) {
        let label = BotLabel {
            bot: Arc::clone(bot),
        };
        self.request_duration.remove(&label);
        self.ambiguous.remove(&label);
        for outcome in RENEWALS {
            let bot = Arc::clone(bot);
            self.token_renewals.remove(&BotOutcome { bot, outcome });
        }
        for code in &self.labels.codes {
            let bot = Arc::clone(bot);
            self.requests.remove(&BotCode { bot, code });
        }
    }
}
