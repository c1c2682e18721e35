//! What a reload replaces, as one value: whoever holds it sees one whole configuration.
//!
//! A reload reads first ([`Engine::read`], which may fail and changes nothing) and swaps
//! then ([`Engine::swap`], which cannot fail). Bots are matched by name: one that stays
//! keeps its queue, gate, learned pace and quota, so that a reload is no burst; one that
//! leaves sends what waits for it, and ends. What is under way keeps its receiver.
//!
//! What does not belong here: where a configuration comes from, and when it is read.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::Engine;
use super::bot::Bot;
use super::token::{Secrets, Token};
use crate::config;
use crate::render::Renderer;
use crate::routing::{Conversation, Receiver, Routes, Sender};
use crate::telemetry::ReceiverSeries;
use crate::webex::Client;

/// So long a receiver's metrics are kept after it was removed, at least: requests that came
/// before are answered by then.
const KEEP_METRICS: Duration = Duration::from_secs(60);

/// What an engine is to work by.
pub struct Configuration {
    /// When a delivery ends and what is remembered.
    pub settings: config::Delivery,
    /// The bots by name, and the webhooks among them.
    pub bots: BTreeMap<Arc<str>, config::Bot>,
    /// The receivers.
    pub routes: Routes,
    /// The way to Webex.
    pub client: Client,
    /// Makes messages.
    pub renderer: Arc<Renderer>,
}

/// What an engine works by.
pub struct Loaded {
    pub(super) settings: config::Delivery,
    pub(super) bots: BTreeMap<Arc<str>, Arc<Bot>>,
    pub(super) client: Client,
    pub(super) renderer: Arc<Renderer>,
    routes: Routes,
}

impl Loaded {
    /// The receivers.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The way to Webex.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The bot of a receiver whose rooms are reached by one, as those of [`Receiver::ways`] are.
    pub(super) fn bot_of(&self, receiver: &Receiver) -> Option<&Arc<Bot>> {
        self.bots.get(&receiver.destinations.first()?.bot)
    }
}

/// A configuration whose secrets were read: nothing keeps it from being used any more.
pub struct Read {
    loaded: Arc<Loaded>,
    kept: Vec<Kept>,
}

/// A bot that was there before.
struct Kept {
    bot: Arc<Bot>,
    settings: config::Bot,
    secrets: Secrets,
}

impl Read {
    /// What the engine will work by.
    #[must_use]
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.loaded
    }
}

/// A bot's token, or a webhook's URL, cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", without(.bot))]
pub struct TokenError {
    bot: Arc<str>,
    source: crate::secrets::SecretError,
}

fn without(bot: &Arc<str>) -> String {
    let sender = Sender::named(bot);
    let secret = if sender.is_webhook() { "URL" } else { "token" };
    format!("{sender} has no {secret}")
}

/// Reads the tokens, and makes the bots that are not among `present`.
///
/// # Errors
/// With every token that cannot be read.
pub(super) fn read(
    configuration: Configuration,
    metrics: &Arc<crate::telemetry::Metrics>,
    present: impl Fn(&str) -> Option<Arc<Bot>>,
) -> Result<Read, Vec<TokenError>> {
    let (mut bots, mut kept, mut errors) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (name, settings) in configuration.bots {
        let secrets = match Secrets::read(&settings.identity) {
            Ok(secrets) => secrets,
            Err(source) => {
                errors.push(TokenError { bot: name, source });
                continue;
            }
        };
        let bot = if let Some(bot) = present(&name) {
            kept.push(Kept {
                bot: Arc::clone(&bot),
                settings,
                secrets,
            });
            bot
        } else {
            let digest_after = configuration.settings.digest_after;
            let token = Token::new(secrets);
            let metrics = Arc::clone(metrics);
            let name = Arc::clone(&name);
            Arc::new(Bot::new(name, &settings, digest_after, token, metrics))
        };
        bots.insert(name, bot);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let loaded = Arc::new(Loaded {
        settings: configuration.settings,
        bots,
        client: configuration.client,
        renderer: configuration.renderer,
        routes: configuration.routes,
    });
    Ok(Read { loaded, kept })
}

impl Engine {
    /// What the engine works by now.
    #[must_use]
    pub fn loaded(&self) -> Arc<Loaded> {
        self.loaded.load_full()
    }

    /// Reads what another configuration needs. Changes nothing, so that it may be dropped.
    ///
    /// # Errors
    /// With every token that cannot be read.
    pub fn read(&self, configuration: Configuration) -> Result<Read, Vec<TokenError>> {
        let present = self.loaded();
        read(configuration, &self.metrics, |name| {
            let leaving = self.leaving();
            let leaving = leaving.iter().find(|bot| *bot.name == *name);
            present.bots.get(name).or(leaving).cloned()
        })
    }

    /// Works by another configuration from now on.
    pub fn swap(self: &Arc<Self>, read: Read) {
        let new = read.loaded;
        let old = self.loaded.swap(Arc::clone(&new));
        for Kept {
            bot,
            settings,
            secrets,
        } in read.kept
        {
            bot.change(&settings, new.settings.digest_after, secrets);
        }
        self.memory()
            .change(new.settings.duplicate_window, new.settings.give_up_after);
        let receivers: Vec<_> = new.routes.iter().map(|one| series(one)).collect();
        let bots: Vec<_> = new.bots.keys().map(Arc::clone).collect();
        self.metrics.add(&receivers, &bots);
        for receiver in new.routes.iter() {
            if !receiver.namespaces.is_empty() {
                self.metrics.withheld(&receiver.name, 0);
            }
            if receiver.room_from.is_some() {
                self.metrics.strayed(&receiver.name, 0);
            }
        }
        for (name, bot) in &new.bots {
            self.leaving().retain(|leaving| leaving.name != *name);
            bot.stay();
            self.tend(bot);
        }
        for (name, bot) in &old.bots {
            if !new.bots.contains_key(name) {
                let sender = bot.sender();
                tracing::info!(bot = %name, "{sender} was removed from the configuration; it sends what waits for it, and ends");
                bot.leave();
                self.leaving().push(Arc::clone(bot));
                self.tend(bot);
            }
        }
        let gone = old
            .routes
            .iter()
            .filter(|one| new.routes.find(&one.name).is_none());
        let gone: Vec<_> = gone.map(|one| Arc::clone(&one.name)).collect();
        if !gone.is_empty() {
            self.runtime.spawn(forget(Arc::downgrade(self), gone));
        }
    }

    /// Sees to it that a task sends what waits for the bot, and wakes it.
    pub(super) fn tend(self: &Arc<Self>, bot: &Arc<Bot>) {
        self.give_task(bot);
        bot.wake();
    }

    /// Sees to it that a task sends what waits for the bot.
    pub(super) fn give_task(self: &Arc<Self>, bot: &Arc<Bot>) {
        if bot.needs_task() {
            let engine = Arc::downgrade(self);
            let work = Arc::clone(bot).run(engine.clone(), self.gone.clone());
            let token = Arc::clone(bot).keep_token(engine);
            // The token is kept for as long as there is work.
            self.runtime.spawn(async move {
                tokio::select! {
                    () = work => {}
                    () = token => {}
                }
            });
            // A request that came before the reload may bring work to a bot that has left.
            let mut leaving = self.leaving();
            if bot.is_leaving() && !leaving.iter().any(|one| Arc::ptr_eq(one, bot)) {
                leaving.push(Arc::clone(bot));
            }
        }
    }

    /// A bot that was removed has sent all that waited for it.
    pub(super) fn left(&self, bot: &Arc<Bot>) {
        self.leaving().retain(|leaving| !Arc::ptr_eq(leaving, bot));
        if !self.loaded.load().bots.contains_key(&bot.name) {
            self.metrics.forget_bot(&bot.name);
            let (bot, sender) = (&bot.name, bot.sender());
            tracing::info!(%bot, "{sender}, which was removed, has sent all that waited for it");
        }
    }

    /// The bots that were removed and still send.
    pub(super) fn leaving(&self) -> MutexGuard<'_, Vec<Arc<Bot>>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All bots: those of the configuration, and those that leave.
    pub(super) fn all_bots(&self) -> Vec<Arc<Bot>> {
        let mut bots: Vec<_> = self.loaded.load().bots.values().cloned().collect();
        bots.extend(self.leaving().iter().cloned());
        bots
    }
}

/// What a receiver counts in.
fn series(receiver: &Receiver) -> ReceiverSeries {
    let mut never = Vec::new();
    if receiver.destinations.len() < 2 && receiver.room_from.is_none() {
        never.push("partial");
    }
    if receiver.namespaces.is_empty() {
        never.push("foreign_namespace");
    }
    if receiver.room_from.is_none() {
        never.push("room_not_allowed");
    }
    if !receiver.dry_run {
        never.push("dry_run");
    }
    if receiver.max_messages_per_minute.is_none() {
        never.push("over_quota");
    }
    if receiver.conversation == Conversation::New {
        never.extend(["reply", "edit"]);
    }
    ReceiverSeries {
        name: Arc::clone(&receiver.name),
        never,
    }
}

/// Forgets the metrics of receivers that were removed, once nothing of them waits.
async fn forget(engine: std::sync::Weak<Engine>, mut gone: Vec<Arc<str>>) {
    while !gone.is_empty() {
        tokio::time::sleep(KEEP_METRICS).await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        let loaded = engine.loaded();
        gone.retain(|name| {
            let is_back = loaded.routes.find(name).is_some();
            let waits = engine.metrics.waiting(name).get() > 0;
            if !is_back && !waits {
                engine.metrics.forget_receiver(name);
                engine.forget_standing(name);
            }
            waits && !is_back
        });
    }
}
