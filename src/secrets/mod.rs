//! Secrets: where they come from, and a type that cannot show them.
//!
//! What does not belong here: which keys of the configuration name them (`config`), and when
//! they are read (`delivery`, `http`).

mod webhook_url;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

pub use webhook_url::WebhookRule;
pub(crate) use webhook_url::{has_user, is_this_machine};

/// The largest file that is taken for a secret.
const MAX_BYTES: u64 = 64 * 1024;

/// Whether a text that should be a name or a path may be a secret in the wrong place, so
/// that it is not shown. Webex's tokens have a hundred letters and no slash; the URL of an
/// incoming webhook is one as well.
pub(crate) fn could_be_a_secret(text: &str) -> bool {
    text.len() >= 32 && !text.contains('/') || text.contains("://")
}

/// Where a secret is read from.
#[derive(Clone)]
pub enum SecretSource {
    /// A file, which may change while we run.
    File(PathBuf),
    /// An environment variable of that name, read once.
    Variable(String, SecretString),
    /// The URL of an incoming webhook, which stands there and is judged whenever it is read.
    Webhook(Box<Self>, Arc<WebhookRule>),
}

/// Why a secret could not be had. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret file {}: {source}; mount it, and let the user that runs this read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{0} is empty; put the token into it")]
    Empty(String),
    /// It should hold two things.
    #[error("{0} does not hold `user:password`; write both into it, with a colon between them")]
    NotAPair(String),
    /// It cannot be sent in a header.
    #[error("{0} holds characters that no token has; it should hold the token and nothing else")]
    NotAToken(String),
    /// Nobody can type it, so it is none.
    #[error(
        "{0} holds control characters, which no password has; it should hold the password and nothing else"
    )]
    NotAPassword(String),
    /// It is not the URL of an incoming webhook.
    #[error(
        "{0} does not hold the URL of an incoming webhook: {1}; copy the URL that Webex's App Hub shows, whole"
    )]
    NotAWebhook(String, &'static str),
}

impl SecretSource {
    /// Reads the secret as it is now. White space around it is forgiven.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or holds what no header can carry.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let text = self.text()?;
        let trimmed = text.expose_secret().trim();
        if let Self::Webhook(_, rule) = self
            && let Some(fault) = rule.fault(trimmed)
        {
            return Err(SecretError::NotAWebhook(self.to_string(), fault));
        }
        if trimmed.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        if !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::NotAToken(self.to_string()));
        }
        Ok(trimmed.into())
    }

    /// Reads tokens, one a line: while one replaces another, both are good.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_tokens(&self) -> Result<Vec<SecretString>, SecretError> {
        let is_token = |line: &str| line.bytes().all(|byte| byte.is_ascii_graphic());
        self.lines(is_token, SecretError::NotAToken)
    }

    /// Reads passwords, one a line. They may hold blanks, but not around them.
    ///
    /// # Errors
    /// When they cannot be read, there is none, or one holds a control character.
    pub fn read_passwords(&self) -> Result<Vec<SecretString>, SecretError> {
        let is_password = |line: &str| !line.contains(char::is_control);
        self.lines(is_password, SecretError::NotAPassword)
    }

    fn lines(
        &self,
        is_sound: impl Fn(&str) -> bool,
        error: impl Fn(String) -> SecretError,
    ) -> Result<Vec<SecretString>, SecretError> {
        let text = self.text()?;
        let lines = text.expose_secret().lines().map(str::trim);
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        if lines.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        if !lines.iter().all(|line| is_sound(line)) {
            return Err(error(self.to_string()));
        }
        Ok(lines.into_iter().map(SecretString::from).collect())
    }

    /// All that stands there.
    fn text(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Variable(_, secret) => Ok(secret.clone()),
            Self::Webhook(source, _) => source.text(),
            Self::File(path) => {
                let unreadable = |source| SecretError::Unreadable {
                    path: path.clone(),
                    source,
                };
                let size = std::fs::metadata(path).map_err(unreadable)?.len();
                if size > MAX_BYTES {
                    return Err(SecretError::NotAToken(self.to_string()));
                }
                Ok(std::fs::read_to_string(path).map_err(unreadable)?.into())
            }
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the secret file {}", path.display()),
            Self::Variable(name, _) => write!(f, "the environment variable {name}"),
            Self::Webhook(source, _) => source.fmt(f),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_newline_is_forgiven_and_debug_shows_no_secret() {
        let source = SecretSource::Variable("WEBEX_TOKEN".into(), "s3cret\n".to_owned().into());
        assert_eq!(source.read().unwrap().expose_secret(), "s3cret");
        assert!(!format!("{source:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for (text, expected) in [(" \n", "is empty"), ("two words", "no token has")] {
            let source = SecretSource::Variable("T".into(), text.to_owned().into());
            let error = source.read().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("two"), "{error}");
        }
    }

    #[test]
    fn several_lines_are_several_secrets() {
        let read = |text: &str| {
            let source = SecretSource::Variable("T".into(), text.to_owned().into());
            let shown = |secrets: Vec<SecretString>| -> Vec<String> {
                let texts = secrets.iter().map(|s| s.expose_secret().to_owned());
                texts.collect()
            };
            let passwords = source.read_passwords().map(shown);
            (source.read_tokens().map(shown).ok(), passwords.ok())
        };
        let both = |lines: &[&str]| Some(lines.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(read("a\r\n\n b \n"), (both(&["a", "b"]), both(&["a", "b"])));
        assert_eq!(read("pass word\n"), (None, both(&["pass word"])));
        assert_eq!(read("a\u{7}b"), (None, None));
        assert_eq!(read("\n \n"), (None, None));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = SecretSource::File("/nowhere/token".into())
            .read()
            .unwrap_err();
        assert!(error.to_string().contains("/nowhere/token"));
        assert!(std::error::Error::source(&error).is_some());
    }
}
