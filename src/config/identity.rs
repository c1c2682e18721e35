//! How a bot shows Webex who it is: with a token that lasts, or as a service app, whose access
//! tokens expire and are renewed with a refresh token.

use std::fmt;
use std::path::Path;

use secrecy::SecretString;

use crate::secrets::{SecretError, SecretSource};

/// Where a bot's token comes from.
#[derive(Debug, Clone)]
pub enum Identity {
    /// It is given, and lasts.
    Token(SecretSource),
    /// It is got from Webex, and expires.
    ServiceApp(ServiceApp),
}

/// What a service app identifies itself with.
#[derive(Clone)]
pub struct ServiceApp {
    /// The client id.
    pub client_id: String,
    /// Where the client secret is.
    pub client_secret: SecretSource,
    /// Where the refresh token is. Webex may replace it at each renewal, and the new one is
    /// written there.
    pub refresh_token: SecretSource,
}

/// The secrets of a service app, as they stand in their files.
pub struct AppSecrets {
    /// The client secret.
    pub client_secret: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
}

impl ServiceApp {
    /// Reads both secrets as they are now.
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub fn read(&self) -> Result<AppSecrets, SecretError> {
        Ok(AppSecrets {
            client_secret: self.client_secret.read()?,
            refresh_token: self.refresh_token.read()?,
        })
    }

    /// The file of the refresh token.
    #[must_use]
    pub fn refresh_token_file(&self) -> Option<&Path> {
        match &self.refresh_token {
            SecretSource::File(path) => Some(path),
            SecretSource::Variable(..) | SecretSource::Webhook(..) => None,
        }
    }

    /// Whether this is the same app, with its secrets in the same places.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let file = |source: &SecretSource| match source {
            SecretSource::File(path) => Some(path.clone()),
            SecretSource::Variable(..) | SecretSource::Webhook(..) => None,
        };
        self.client_id == other.client_id
            && file(&self.client_secret) == file(&other.client_secret)
            && file(&self.refresh_token) == file(&other.refresh_token)
    }
}

impl fmt::Debug for ServiceApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ServiceApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secret, refresh) = (&self.client_secret, &self.refresh_token);
        write!(f, "a service app with {secret} and {refresh}")
    }
}

impl Identity {
    /// Reads all that is needed, to say whether it is there.
    ///
    /// # Errors
    /// When a secret cannot be had.
    pub fn check(&self) -> Result<(), SecretError> {
        match self {
            Self::Token(source) => source.read().map(|_| ()),
            Self::ServiceApp(app) => app.read().map(|_| ()),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(source) => source.fmt(f),
            Self::ServiceApp(app) => app.fmt(f),
        }
    }
}
