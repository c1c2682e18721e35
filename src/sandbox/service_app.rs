//! Service apps, as they are given, changed and shown.
//!
//! What is done with them is in `apps.rs`.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Error, knobs};

/// Lengths as Webex gives them: 14 and 90 days (C).
const EXPIRES_IN: u64 = 1_209_600;
const REFRESH_EXPIRES_IN: u64 = 7_776_000;

/// A century, in seconds: more is a mistake.
const LONGEST: u64 = 3_155_760_000;

/// What a service app identifies itself with, and how long its tokens last.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceApp {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    #[serde(deserialize_with = "secret")]
    pub client_secret: SecretString,
    /// The refresh token to begin with.
    #[serde(deserialize_with = "secret")]
    pub refresh_token: SecretString,
    /// How long an access token lasts, in seconds. Default: 14 days.
    #[serde(default = "expires_in")]
    pub expires_in: u64,
    /// How long a refresh token lasts after it was last used, in seconds. Default: 90 days.
    #[serde(default = "refresh_expires_in")]
    pub refresh_token_expires_in: u64,
    /// Whether each refresh gives another refresh token, after which the one before is refused.
    #[serde(default)]
    pub rotate_refresh_token: bool,
}

/// What can be changed about a service app; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceAppPatch {
    /// As in [`ServiceApp`]; for the tokens that are given from now on.
    pub expires_in: Option<u64>,
    /// As in [`ServiceApp`].
    pub rotate_refresh_token: Option<bool>,
    /// Replaces the refresh token; the one before is refused.
    #[serde(deserialize_with = "some_secret")]
    pub refresh_token: Option<SecretString>,
    /// `true` ends all access tokens at once.
    pub expire_tokens: bool,
}

/// A service app, as it is shown: without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceAppView {
    /// The client id.
    pub client_id: String,
    /// How long an access token lasts, in seconds.
    pub expires_in: u64,
    /// Whether each refresh gives another refresh token.
    pub rotate_refresh_token: bool,
    /// How often an access token was given.
    pub refreshes: u64,
    /// How many access tokens are valid now.
    pub valid_tokens: usize,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn some_secret<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    secret(deserializer).map(Some)
}

fn expires_in() -> u64 {
    EXPIRES_IN
}

fn refresh_expires_in() -> u64 {
    REFRESH_EXPIRES_IN
}

impl ServiceApp {
    /// An app whose tokens last as long as Webex' do.
    #[must_use]
    pub fn new(
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
        refresh_token: impl Into<SecretString>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            refresh_token: refresh_token.into(),
            expires_in: EXPIRES_IN,
            refresh_token_expires_in: REFRESH_EXPIRES_IN,
            rotate_refresh_token: false,
        }
    }

    /// Access tokens last so many seconds.
    #[must_use]
    pub fn expires_in(mut self, seconds: u64) -> Self {
        self.expires_in = seconds;
        self
    }

    /// Each refresh gives another refresh token.
    #[must_use]
    pub fn rotating(mut self) -> Self {
        self.rotate_refresh_token = true;
        self
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if !knobs::is_token(&self.client_id)
            || !knobs::is_token(self.client_secret.expose_secret())
            || !knobs::is_token(self.refresh_token.expose_secret())
        {
            return wrong(
                "`client_id`, `client_secret` and `refresh_token` must be visible ASCII without blanks",
            );
        }
        check_seconds(self.expires_in)?;
        check_seconds(self.refresh_token_expires_in)
    }
}

pub(super) fn check_seconds(seconds: u64) -> Result<(), Error> {
    if (1..=LONGEST).contains(&seconds) {
        return Ok(());
    }
    wrong("tokens last 1 to 3155760000 seconds")
}

pub(super) fn wrong(why: &str) -> Result<(), Error> {
    Err(Error::Invalid {
        what: "service_app",
        why: why.to_owned(),
    })
}
