//! What sends a message: a bot, or an incoming webhook, which the engine keeps among its bots.

use std::fmt;
use std::sync::Arc;

/// What the name of a bot begins with that is no bot, but an incoming webhook: it has a queue, a
/// gate and a pace of its own, as a bot has.
pub const WEBHOOK_BOT: &str = "webhook/";

/// A bot or an incoming webhook, as people are told of it: ``bot `ops` ``, ``webhook `ops` ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Arc<str>);

impl Sender {
    /// By the name that it has among the bots.
    #[must_use]
    pub fn named(name: &Arc<str>) -> Self {
        Self(Arc::clone(name))
    }

    /// Whether it is an incoming webhook, which has a URL instead of an identity.
    #[must_use]
    pub fn is_webhook(&self) -> bool {
        self.0.starts_with(WEBHOOK_BOT)
    }

    /// The word for what it is.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        if self.is_webhook() { "webhook" } else { "bot" }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        match self.0.strip_prefix(WEBHOOK_BOT) {
            Some(webhook) => webhook.into(),
            None => Arc::clone(&self.0),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.strip_prefix(WEBHOOK_BOT).unwrap_or(&self.0);
        write!(f, "{} `{name}`", self.noun())
    }
}
