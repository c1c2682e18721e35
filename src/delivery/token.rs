//! A bot's token: read from its source, read again when Webex refuses it; or, of a service app,
//! renewed.
//!
//! A rotated Secret takes up to two minutes to arrive in a pod, so for so long a refused
//! token is a passing trouble. After that it is for good, until a probe once in a while
//! finds that it is not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::lease::{Lack, Lease};
use crate::config::{Identity, ServiceApp};
use crate::secrets::{SecretError, SecretSource};

/// How long a refused token may still be mended by the Secret that is on its way.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// The time between two tries with a token that was refused.
pub(super) const PROBE_EVERY: Duration = Duration::from_secs(10);

/// A token and what Webex thinks of it.
pub(super) struct Token {
    state: Mutex<State>,
    /// When it is renewed has changed.
    pub(super) hurried: Notify,
    /// Held by who renews it: one at a time.
    pub(super) renewing: tokio::sync::Mutex<()>,
}

enum State {
    Given(Given),
    Leased(Lease),
}

/// A token that lasts.
struct Given {
    source: SecretSource,
    current: Arc<SecretString>,
    refused: Option<Refused>,
}

#[derive(Clone, Copy)]
struct Refused {
    since: Instant,
    next_probe: Instant,
}

/// Whether the token may be used now.
pub(super) enum Use {
    /// Yes.
    Now(Arc<SecretString>),
    /// It was refused, or there is none yet; wait until then.
    Later(Instant),
    /// It was refused for longer than a Secret takes to arrive.
    Refused,
}

/// What was read for a bot.
pub(super) enum Secrets {
    /// The token, and where from.
    Token(SecretSource, SecretString),
    /// Of a service app they are read when they are shown; that they can be was tried.
    ServiceApp(ServiceApp),
}

impl Secrets {
    /// Reads what a bot needs.
    ///
    /// # Errors
    /// When a secret cannot be had.
    pub(super) fn read(identity: &Identity) -> Result<Self, SecretError> {
        Ok(match identity {
            Identity::Token(source) => Self::Token(source.clone(), source.read()?),
            Identity::ServiceApp(app) => {
                app.read()?;
                Self::ServiceApp(app.clone())
            }
        })
    }

    fn state(self) -> State {
        match self {
            Self::Token(source, token) => State::Given(Given {
                source,
                current: Arc::new(token),
                refused: None,
            }),
            Self::ServiceApp(app) => State::Leased(Lease::new(app, Instant::now())),
        }
    }
}

impl Token {
    /// The token that was read, or one that is to be got.
    pub(super) fn new(secrets: Secrets) -> Self {
        Self {
            state: Mutex::new(secrets.state()),
            hurried: Notify::new(),
            renewing: tokio::sync::Mutex::default(),
        }
    }

    /// What was read takes its place. That the same token was refused is not forgotten, and
    /// an access token that was got stays. Says whether a given one is another.
    pub(super) fn change(&self, secrets: Secrets) -> bool {
        let is_other = {
            let mut state = self.state();
            match (&mut *state, secrets) {
                (State::Given(given), Secrets::Token(source, token)) => {
                    given.source = source;
                    let is_other = !same(&given.current, &token);
                    if is_other {
                        given.current = Arc::new(token);
                        given.refused = None;
                    }
                    is_other
                }
                (State::Leased(lease), Secrets::ServiceApp(app)) if lease.app.is_same(&app) => {
                    lease.hurry(Instant::now());
                    false
                }
                (state, secrets) => {
                    *state = secrets.state();
                    true
                }
            }
        };
        self.hurried.notify_one();
        is_other
    }

    /// Whether the token may be used.
    pub(super) fn look(&self, now: Instant) -> Use {
        match &*self.state() {
            State::Leased(lease) => lease.look(now),
            State::Given(given) => given.look(now),
        }
    }

    /// The token, if it may be used. Of those who wait for a refused token one tries.
    pub(super) fn take(&self, now: Instant) -> Use {
        let mut state = self.state();
        let given = match &mut *state {
            State::Leased(lease) => return lease.look(now),
            State::Given(given) => given,
        };
        let way = given.look(now);
        if let (Use::Now(_), Some(refused)) = (&way, &mut given.refused) {
            refused.next_probe = now + PROBE_EVERY;
        }
        way
    }

    /// Why it cannot be used, where Webex refused it or has not given one.
    pub(super) fn lack(&self, now: Instant) -> Option<Lack> {
        match &*self.state() {
            State::Leased(lease) => lease.lack(now),
            State::Given(given) => given.refused.map(|_| Lack::Refused(String::new())),
        }
    }

    /// How long it may still be used, where it expires.
    pub(super) fn valid_for(&self, now: Instant) -> Option<Duration> {
        match &*self.state() {
            State::Leased(lease) => Some(lease.valid_for(now)),
            State::Given(_) => None,
        }
    }

    /// Webex refused this token. Reads the source again and says whether there is another
    /// token now, with which to try at once. One that expires is renewed meanwhile.
    pub(super) async fn refused(
        &self,
        used: &Arc<SecretString>,
        now: Instant,
        random: f64,
    ) -> bool {
        if let State::Leased(lease) = &mut *self.state() {
            lease.refused(used, now, random);
            self.hurried.notify_one();
            return false;
        }
        if self.reread(used).await {
            return true;
        }
        let mut state = self.state();
        let State::Given(given) = &mut *state else {
            return false; // A reload has made it another bot.
        };
        if !same(&given.current, used) {
            return true;
        }
        let since = given.refused.map_or(now, |refused| refused.since);
        given.refused = Some(Refused {
            since,
            next_probe: now + PROBE_EVERY,
        });
        false
    }

    /// Reads the source again and says whether another token is there now. What is wrong with
    /// the URL of a webhook is so for its room alone, so that it is not noted as refused.
    pub(super) async fn reread(&self, used: &Arc<SecretString>) -> bool {
        let source = match &*self.state() {
            State::Given(given) => given.source.clone(),
            State::Leased(_) => return false,
        };
        let read = tokio::task::spawn_blocking(move || source.read()).await;
        let mut state = self.state();
        let State::Given(given) = &mut *state else {
            return false; // A reload has made it another bot.
        };
        if !same(&given.current, used) {
            return true; // Another delivery has brought the new one.
        }
        if let Ok(Ok(fresh)) = read
            && !same(&fresh, used)
        {
            given.current = Arc::new(fresh);
            given.refused = None;
            return true;
        }
        false
    }

    /// Webex takes this token. Says whether it had been refused before.
    pub(super) fn accepted(&self) -> bool {
        match &mut *self.state() {
            State::Given(given) => given.refused.take().is_some(),
            State::Leased(lease) => lease.accepted(),
        }
    }

    /// Where the token comes from, for people.
    pub(super) fn source(&self) -> String {
        match &*self.state() {
            State::Given(given) => given.source.to_string(),
            State::Leased(lease) => lease.app.to_string(),
        }
    }

    /// Looks at or changes how a service app's token is kept; `None` where it is none.
    pub(super) fn lease<T>(&self, look: impl FnOnce(&mut Lease) -> T) -> Option<T> {
        match &mut *self.state() {
            State::Leased(lease) => Some(look(lease)),
            State::Given(_) => None,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Given {
    fn look(&self, now: Instant) -> Use {
        match self.refused {
            Some(refused) if now < refused.next_probe => {
                if now.duration_since(refused.since) < PATIENCE {
                    Use::Later(refused.next_probe)
                } else {
                    Use::Refused
                }
            }
            _ => Use::Now(Arc::clone(&self.current)),
        }
    }
}

pub(super) fn same(a: &SecretString, b: &SecretString) -> bool {
    use subtle::ConstantTimeEq;
    a.expose_secret()
        .as_bytes()
        .ct_eq(b.expose_secret().as_bytes())
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn read(file: &tempfile::NamedTempFile) -> Token {
        let source = SecretSource::File(file.path().to_owned());
        Token::new(Secrets::read(&Identity::Token(source)).unwrap())
    }

    fn used(token: &Token) -> Arc<SecretString> {
        match token.take(Instant::now()) {
            Use::Now(secret) => secret,
            Use::Later(_) | Use::Refused => panic!("the token cannot be used now"),
        }
    }

    #[tokio::test]
    async fn a_rotated_token_is_used_at_once() {
        let file = file("old\n");
        let token = read(&file);
        let old = used(&token);
        std::fs::write(file.path(), "new\n").unwrap();
        assert!(token.refused(&old, Instant::now(), 0.0).await);
        assert_eq!(used(&token).expose_secret(), "new");
        assert!(
            token.refused(&old, Instant::now(), 0.0).await,
            "known by now"
        );
    }

    #[tokio::test]
    async fn a_refused_token_is_passing_for_two_minutes_and_then_probed() {
        let file = file("bad");
        let token = read(&file);
        let start = Instant::now();
        let bad = used(&token);
        assert!(!token.refused(&bad, start, 0.0).await);
        assert!(matches!(token.take(start), Use::Later(_)));
        let probe = start + PROBE_EVERY;
        assert!(matches!(token.take(probe), Use::Now(_)), "one tries");
        assert!(
            matches!(token.take(probe), Use::Later(_)),
            "the others wait"
        );
        let late = start + PATIENCE;
        assert!(!token.refused(&bad, late, 0.0).await);
        assert!(matches!(token.take(late), Use::Refused));
        assert!(matches!(token.take(late + PROBE_EVERY), Use::Now(_)));
        assert!(token.accepted());
        assert!(matches!(token.take(late), Use::Now(_)));
    }
}
