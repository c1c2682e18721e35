//! Who may call which receiver, and who may see metrics and the like.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use actix_http::RequestHead;
use subtle::Choice;

use super::Door;
use super::answers::Rejection;
use super::attempts::{Attempts, Caller};
use super::connection::Peer;
use super::credentials::{Hasher, Secrets, shown_token};
use super::tls::ServerTls;
use crate::config::Server;
use crate::routing::{Access, Receiver, Routes};
use crate::secrets::{SecretError, SecretSource};

/// What stands for metrics and the like where receivers have a name; none can have it.
const ADMIN: &str = "(admin)";

/// Credentials cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// Those of a receiver.
    #[error("receiver `{receiver}` has no credentials: {source}")]
    Receiver {
        /// Its name.
        receiver: Arc<str>,
        /// What is wrong.
        source: SecretError,
    },
    /// Those of `server.admin_bearer_token_file`.
    #[error("`server.admin_bearer_token_file` has no token: {0}")]
    Admin(#[source] SecretError),
}

/// What everybody must show.
pub(super) struct Callers {
    receivers: HashMap<Arc<str>, Guard>,
    admin: Option<Secrets>,
    /// For receivers that do not exist: comparing takes as long as with one that does.
    nobody: Guard,
    /// Whether strangers may learn which receivers there are.
    open: bool,
    /// Judges certificates.
    tls: Option<Arc<ServerTls>>,
    memory: Arc<Memory>,
}

/// What outlives a change of the configuration.
#[derive(Default)]
struct Memory {
    hasher: Hasher,
    attempts: Attempts,
}

/// What a receiver asks for.
struct Guard {
    secrets: Secrets,
    subjects: Vec<String>,
}

impl Guard {
    fn read(receiver: &Receiver, hasher: &Hasher) -> Result<Self, CallerError> {
        let name = &receiver.name;
        let secrets = Secrets::read(&receiver.access, hasher).map_err(|source| {
            let receiver = Arc::clone(name);
            CallerError::Receiver { receiver, source }
        })?;
        Ok(Self {
            secrets,
            subjects: receiver.access.subjects.clone(),
        })
    }

    fn accepts(&self, head: &RequestHead, peer: Option<&Peer>, all: &Callers, whose: &str) -> bool {
        let hasher = &all.memory.hasher;
        let by_secret = self
            .secrets
            .accept(hasher.shown(head.headers()), hasher, whose);
        let tls = all.tls.as_deref();
        let by_name = peer.is_some_and(|peer| peer.is_one_of(&self.subjects, tls));
        (by_secret | Choice::from(u8::from(by_name))).into()
    }
}

impl Callers {
    /// Reads the credentials. Who has failed and who was let in `before` is not forgotten.
    ///
    /// # Errors
    /// With every one that cannot be read.
    pub(super) fn read(
        routes: &Routes,
        server: &Server,
        tls: Option<Arc<ServerTls>>,
        before: Option<&Self>,
    ) -> Result<Self, Vec<CallerError>> {
        let memory = before.map_or_else(Arc::default, |before| Arc::clone(&before.memory));
        let mut errors = Vec::new();
        let receivers = routes
            .iter()
            .filter(|receiver| !receiver.access.is_open())
            .filter_map(|receiver| match Guard::read(receiver, &memory.hasher) {
                Ok(guard) => Some((Arc::clone(&receiver.name), guard)),
                Err(error) => {
                    errors.push(error);
                    None
                }
            })
            .collect();
        let admin = server.admin_bearer_token_file.clone().and_then(|file| {
            let access = Access {
                bearer_tokens: Some(SecretSource::File(file)),
                ..Access::default()
            };
            Secrets::read(&access, &memory.hasher)
                .map_err(|error| errors.push(CallerError::Admin(error)))
                .ok()
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        let callers = Self {
            receivers,
            admin,
            nobody: Guard {
                secrets: Secrets::unknown(&memory.hasher),
                subjects: Vec::new(),
            },
            open: server.open,
            tls,
            memory,
        };
        for whose in callers.weak() {
            tracing::warn!(
                whose,
                "{whose} has a token or a password of less than 16 characters, which can be guessed; choose a longer one",
            );
        }
        Ok(callers)
    }

    /// Whose secrets can be guessed.
    fn weak(&self) -> impl Iterator<Item = String> {
        let receivers = self.receivers.iter();
        let receivers = receivers
            .filter(|(_, guard)| guard.secrets.has_short())
            .map(|(name, _)| format!("receiver `{name}`"));
        let admin = self.admin.as_ref().filter(|admin| admin.has_short());
        let admin = admin.map(|_| "`server.admin_bearer_token_file`".to_owned());
        receivers.chain(admin)
    }

    /// Whether this request may reach this receiver, which is `None` if none has the name
    /// that was asked for.
    pub(super) fn admit<'a>(
        &self,
        asked: &str,
        receiver: Option<&'a Arc<Receiver>>,
        head: &RequestHead,
        peer: Option<&Peer>,
    ) -> Result<&'a Arc<Receiver>, Rejection> {
        let guard = match receiver {
            Some(receiver) => match self.receivers.get(&receiver.name) {
                None => return Ok(receiver),
                Some(guard) => guard,
            },
            None if self.open => return Err(Rejection::UnknownReceiver(visible(asked))),
            None => &self.nobody,
        };
        let whose = format!("receiver `{asked}`");
        let accepts = || guard.accepts(head, peer, self, &whose);
        self.attempt(asked, head.peer_addr.map(|peer| peer.ip()), accepts)?;
        receiver.ok_or(Rejection::Unauthorized)
    }

    /// Whether this request may see metrics and the like.
    pub(super) fn admit_admin(&self, head: &RequestHead) -> Result<(), Rejection> {
        let Some(admin) = &self.admin else {
            return Ok(());
        };
        let hasher = &self.memory.hasher;
        let accepts = || {
            let shown = shown_token(hasher, head.headers());
            admin
                .accept(shown, hasher, "`server.admin_bearer_token_file`")
                .into()
        };
        self.attempt(ADMIN, head.peer_addr.map(|peer| peer.ip()), accepts)
    }

    /// Whether this request may reload the configuration, which tells what is wrong with it.
    /// Where nobody said who may, this machine may.
    pub(super) fn admit_reload(&self, head: &RequestHead, door: Door) -> Result<(), Rejection> {
        self.admit_admin(head)?;
        let is_local = head
            .peer_addr
            .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        if self.admin.is_some() || door == Door::Admin || is_local {
            Ok(())
        } else {
            Err(Rejection::LocalOnly)
        }
    }

    fn attempt(
        &self,
        asked: &str,
        address: Option<IpAddr>,
        accepts: impl FnOnce() -> bool,
    ) -> Result<(), Rejection> {
        let attempts = &self.memory.attempts;
        let caller = Caller::new(address, asked);
        if attempts.is_locked_out(caller) {
            return Err(Rejection::LockedOut);
        }
        if accepts() {
            attempts.succeeded(caller);
            return Ok(());
        }
        attempts.failed(caller);
        Err(if asked == ADMIN {
            Rejection::AdminOnly
        } else {
            Rejection::Unauthorized
        })
    }
}

/// The credentials of callers that cannot be read here and now, and whose can be guessed.
#[must_use]
pub fn inspect_credentials(routes: &Routes, server: &Server) -> (Vec<CallerError>, Vec<String>) {
    match Callers::read(routes, server, None, None) {
        Ok(callers) => {
            let weak = callers.weak().map(|whose| {
                format!(
                    "{whose} has a token or a password of less than 16 characters, which can be guessed; choose a longer one"
                )
            });
            let mut weak: Vec<_> = weak.collect();
            weak.sort();
            (Vec::new(), weak)
        }
        Err(errors) => (errors, Vec::new()),
    }
}

/// A name from outside as it may stand in a log: short, and without control characters.
pub(super) fn visible(name: &str) -> String {
    const MOST: usize = 100;
    name.chars()
        .take(MOST)
        .collect::<String>()
        .escape_debug()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(peer: &str) -> RequestHead {
        let mut head = RequestHead::default();
        head.peer_addr = Some(peer.parse().unwrap());
        head
    }

    fn callers(server: &Server) -> Callers {
        Callers::read(&Routes::default(), server, None, None)
            .map_err(|errors| format!("{errors:?}"))
            .unwrap()
    }

    #[tokio::test]
    async fn a_stranger_does_not_reload_where_nobody_said_who_may() {
        let open = callers(&Server::default());
        for (peer, door, may) in [
            ("127.0.0.1:1", Door::Main, true),
            ("[::1]:1", Door::Main, true),
            ("[::ffff:127.0.0.1]:1", Door::Main, true),
            ("10.0.0.1:1", Door::Main, false),
            ("10.0.0.1:1", Door::Admin, true),
        ] {
            let admitted = open.admit_reload(&head(peer), door);
            assert_eq!(admitted.is_ok(), may, "{peer} {door:?}");
        }
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "token-of-the-platform").unwrap();
        let guarded = callers(&Server {
            admin_bearer_token_file: Some(token.path().to_owned()),
            ..Server::default()
        });
        let mut head = head("10.0.0.1:1");
        assert!(guarded.admit_reload(&head, Door::Main).is_err());
        let shown = "Bearer token-of-the-platform".parse().unwrap();
        head.headers
            .insert(actix_web::http::header::AUTHORIZATION, shown);
        assert!(guarded.admit_reload(&head, Door::Main).is_ok());
    }

    #[test]
    fn a_name_from_outside_is_short_and_has_no_control_characters() {
        let name = visible(&format!("a\n\u{1b}[31m\u{202e}{}", "x".repeat(1000)));
        assert!(name.starts_with("a\\n\\u{1b}[31m"), "{name}");
        assert!(name.len() < 200 && !name.contains(char::is_control));
    }
}
