//! Bots, their tokens and quotas.

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::super::bots::BotChange;
use super::super::model::Bot;
use super::super::quota::{Bucket, Quota};
use super::super::state::State;
use super::super::{Error, Sandbox};
use super::full;

/// How many bots there may be: a bound on memory, not on use.
const MOST_BOTS: usize = 1_000;

impl Sandbox {
    /// All bots.
    #[must_use]
    pub fn bots(&self) -> Vec<Bot> {
        self.read(|state| state.bots())
    }

    /// Adds a bot, which becomes a member of all spaces.
    ///
    /// # Errors
    ///
    /// Where the name or the token is empty or taken, or there are a thousand bots.
    pub fn add_bot(&self, name: &str, token: impl Into<SecretString>) -> Result<Bot, Error> {
        let token = token.into();
        check_bot_name(name)?;
        check_token(&token)?;
        self.change(|state| {
            check_new_bot(state, name)?;
            if state.name_of_bearer(token.expose_secret()).is_some() {
                return Err(Error::TokenTaken);
            }
            Ok(state.add_bot(name, token))
        })
    }

    /// Removes a bot. Its messages stay.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBot`].
    pub fn remove_bot(&self, name: &str) -> Result<(), Error> {
        let is_removed = self.change(|state| state.remove_bot(name));
        known_bot(is_removed, name)
    }

    /// Gives a bot another token, as regenerating does; the old one is refused from now on.
    ///
    /// # Errors
    ///
    /// Where there is no such bot, or the token is empty or taken.
    pub fn set_token(&self, bot: &str, token: impl Into<SecretString>) -> Result<(), Error> {
        let token = token.into();
        check_token(&token)?;
        self.change(|state| {
            let owner = state.name_of_bearer(token.expose_secret());
            if owner.is_some_and(|owner| *owner != *bot) {
                return Err(Error::TokenTaken);
            }
            known_bot(state.change_bot(bot, BotChange::Token(token)), bot)
        })
    }

    /// Refuses a bot's token with 401 until it is restored.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBot`].
    pub fn revoke_token(&self, bot: &str) -> Result<(), Error> {
        self.set_revoked(bot, true)
    }

    /// Takes a revoked token again.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBot`].
    pub fn restore_token(&self, bot: &str) -> Result<(), Error> {
        self.set_revoked(bot, false)
    }

    fn set_revoked(&self, bot: &str, revoked: bool) -> Result<(), Error> {
        known_bot(
            self.change(|state| state.change_bot(bot, BotChange::Revoked(revoked))),
            bot,
        )
    }

    /// Bounds how much a bot may ask, beginning with a full burst; `None` lifts it.
    ///
    /// # Errors
    ///
    /// Where there is no such bot, or the quota makes no sense.
    pub fn set_quota(&self, bot: &str, quota: Option<Quota>) -> Result<(), Error> {
        let bucket = quota
            .map(Quota::check)
            .transpose()?
            .map(|quota| Bucket::full(quota, Instant::now()));
        known_bot(
            self.change(|state| state.change_bot(bot, BotChange::Bucket(bucket))),
            bot,
        )
    }
}

pub(super) fn known_bot(is_known: bool, name: &str) -> Result<(), Error> {
    is_known
        .then_some(())
        .ok_or_else(|| Error::UnknownBot(name.to_owned()))
}

/// A name is a part of an address and of a path.
pub(in super::super) fn is_bot_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && !name.contains(['/', '@'])
        && !name.contains(char::is_whitespace)
}

/// Refuses what is no name of a bot.
pub(in super::super) fn check_bot_name(name: &str) -> Result<(), Error> {
    check_name("bot", name)
}

/// Refuses what is no name of a bot or a webhook.
pub(in super::super) fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    if is_bot_name(name) {
        return Ok(());
    }
    Err(Error::Invalid {
        what,
        why: "`name` must have 1 to 100 bytes, without `/`, `@` and blanks".to_owned(),
    })
}

/// Refuses a bot that there is, or that would be one too many.
pub(in super::super) fn check_new_bot(state: &State, name: &str) -> Result<(), Error> {
    if state.has_bot(name) {
        return Err(Error::BotExists(name.to_owned()));
    }
    if state.bots.len() >= MOST_BOTS {
        return Err(full("bots", MOST_BOTS));
    }
    Ok(())
}

/// What a header can carry.
pub(in super::super) fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn check_token(token: &SecretString) -> Result<(), Error> {
    if is_token(token.expose_secret()) {
        return Ok(());
    }
    Err(Error::Invalid {
        what: "bot",
        why: "`token` must be visible ASCII without blanks".to_owned(),
    })
}
