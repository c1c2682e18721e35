//! A bot at work: its token, its gate, its share of the metrics.

use std::sync::Arc;

use tokio::time::Instant;

use super::gate::Gate;
use super::retry::{Form, Verdict, judge};
use super::token::{Token, Use};
use crate::config;
use crate::render::Card;
use crate::telemetry::Metrics;
use crate::webex::{self, Attachment, Client, NewMessage};

/// A Webex identity and the limits that Webex puts on it.
pub(super) struct Bot {
    pub(super) name: Arc<str>,
    pub(super) gate: Gate,
    token: Token,
    client: Client,
    metrics: Arc<Metrics>,
}

/// What came of one try to post.
pub(super) enum Posted {
    /// Webex has it.
    Accepted,
    /// It has not, and this is what to do.
    Failed(Verdict, webex::Error),
    /// The token was refused and another one is there now; try at once.
    TokenChanged,
    /// The token is refused: wait until then, and say so.
    TokenWait(Instant, Option<webex::Error>),
    /// The token is refused for good.
    TokenRefused,
}

impl Bot {
    pub(super) fn new(
        name: Arc<str>,
        settings: &config::Bot,
        client: Client,
        metrics: Arc<Metrics>,
    ) -> Result<Self, config::SecretError> {
        Ok(Self {
            name,
            gate: Gate::new(settings.messages_per_minute, settings.burst),
            token: Token::read(settings.token.clone())?,
            client,
            metrics,
        })
    }

    /// Waits for token, gate and quota, then posts once; the card where `form` says so. `sending` is called when the
    /// request is about to leave.
    pub(super) async fn post(
        &self,
        room_id: &str,
        text: &str,
        card: Option<&Card>,
        form: Form,
        sending: impl FnOnce(),
    ) -> Posted {
        // Whose token is refused takes no turn from those who wait at the gate.
        let token = match self.token.take(Instant::now()) {
            Use::Now(token) => token,
            Use::Later(when) => return Posted::TokenWait(when, None),
            Use::Refused => return Posted::TokenRefused,
        };
        let pass = self.gate.pass().await;
        let message = NewMessage {
            room_id,
            markdown: (form != Form::Text).then_some(text),
            text: (form == Form::Text).then_some(text),
            attachments: card
                .filter(|_| form == Form::Card)
                .and_then(|card| Attachment::card(card.json()))
                .map(|card| [card]),
        };
        sending();
        let start = Instant::now();
        let answer = self.client.post_message(&token, &message).await;
        let code = answer.as_ref().map_or_else(webex::Error::code, |_| "200");
        self.metrics.requested(&self.name, code, start.elapsed());
        match answer {
            Ok(_) => {
                if pass.accepted() {
                    tracing::info!(bot = %self.name, "Webex takes messages of bot `{}` again", self.name);
                }
                if self.token.accepted() {
                    tracing::info!(bot = %self.name, "Webex takes the token of bot `{}` again", self.name);
                }
                Posted::Accepted
            }
            Err(error) => self.failed(error, &token, form).await,
        }
    }

    async fn failed(
        &self,
        error: webex::Error,
        token: &Arc<secrecy::SecretString>,
        form: Form,
    ) -> Posted {
        let verdict = judge(&error, form);
        match verdict {
            Verdict::Token => {
                let now = Instant::now();
                if self.token.refused(token, now).await {
                    tracing::info!(bot = %self.name, "bot `{}` has a new token", self.name);
                    return Posted::TokenChanged;
                }
                match self.token.take(now) {
                    Use::Refused => Posted::TokenRefused,
                    Use::Later(when) => Posted::TokenWait(when, Some(error)),
                    Use::Now(_) => Posted::TokenWait(now, Some(error)),
                }
            }
            Verdict::CloseGate(wait) => {
                if self.gate.close(wait) {
                    tracing::warn!(
                        bot = %self.name, closed_seconds = wait.as_secs(),
                        "Webex limits bot `{}`: nothing is sent for {} s", self.name, wait.as_secs(),
                    );
                }
                Posted::Failed(verdict, error)
            }
            Verdict::Retry { ambiguous, .. } => {
                if ambiguous {
                    self.metrics.ambiguous(&self.name);
                }
                Posted::Failed(verdict, error)
            }
            _ => Posted::Failed(verdict, error),
        }
    }

    /// Asks Webex who it is, and tells the log. Nothing depends on the answer: Alertmanager
    /// needs our 503 and its reason rather than a process that does not start.
    pub(super) async fn introduce(&self) {
        let bot = &self.name;
        let Use::Now(token) = self.token.take(Instant::now()) else {
            return;
        };
        match self.client.identify(&token).await {
            Ok(person) => {
                tracing::info!(%bot, "bot `{bot}` is known to Webex as \"{}\"", person.display_name);
            }
            Err(error) => {
                tracing::warn!(
                    %bot, %error,
                    "bot `{bot}` cannot be verified, its notifications will be answered 503: {error}",
                );
            }
        }
    }

    /// Where its token comes from, for people.
    pub(super) fn token_source(&self) -> String {
        self.token.source().to_string()
    }
}
