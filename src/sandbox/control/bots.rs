//! Bots over the control API.

use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;

use super::super::quota::Quota;
use super::super::service_app::{ServiceApp, ServiceAppPatch};
use super::super::{Error, Sandbox};
use super::reply::{Refused, Reply, created, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBot {
    name: String,
    #[serde(default, deserialize_with = "some_secret")]
    token: Option<SecretString>,
    service_app: Option<ServiceApp>,
}

/// What is left out stays; `"quota": null` lifts it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BotPatch {
    #[serde(default, deserialize_with = "some_secret")]
    token: Option<SecretString>,
    revoked: Option<bool>,
    #[serde(default)]
    quota: QuotaPatch,
    service_app: Option<ServiceAppPatch>,
}

fn some_secret<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(text.into()))
}

/// Left out, `null` and a value are three different wishes.
#[derive(Default)]
enum QuotaPatch {
    #[default]
    Keep,
    Set(Option<Quota>),
}

impl<'de> Deserialize<'de> for QuotaPatch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Set)
    }
}

pub(super) fn add(sandbox: &Sandbox, new: NewBot) -> Result<Reply, Refused> {
    match (new.token, new.service_app) {
        (Some(token), None) => created(&sandbox.add_bot(&new.name, token)?),
        (None, Some(app)) => created(&sandbox.add_service_app(&new.name, app)?),
        _ => Err(Refused::new(
            StatusCode::BAD_REQUEST,
            "a bot needs one of `token` and `service_app`",
        )),
    }
}

pub(super) fn change(sandbox: &Sandbox, bot: &str, patch: BotPatch) -> Result<Reply, Refused> {
    // All that can be refused is looked at before anything is changed.
    if let QuotaPatch::Set(Some(quota)) = patch.quota {
        quota.check()?;
    }
    if let Some(app) = patch.service_app {
        sandbox.change_service_app(bot, app)?;
    }
    if let Some(token) = patch.token {
        sandbox.set_token(bot, token)?;
    }
    if let QuotaPatch::Set(quota) = patch.quota {
        sandbox.set_quota(bot, quota)?;
    }
    match patch.revoked {
        Some(true) => sandbox.revoke_token(bot)?,
        Some(false) => sandbox.restore_token(bot)?,
        None => {}
    }
    let bots = sandbox.bots();
    let changed = bots.iter().find(|known| known.name == bot);
    json(&changed.ok_or_else(|| Error::UnknownBot(bot.to_owned()))?)
}
