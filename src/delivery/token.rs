//! A bot's token: read from its source, read again when Webex refuses it.
//!
//! A rotated Secret takes up to two minutes to arrive in a pod, so for so long a refused
//! token is a passing trouble. After that it is for good, until a probe once in a while
//! finds that it is not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::config::SecretSource;

/// How long a refused token may still be mended by the Secret that is on its way.
const PATIENCE: Duration = Duration::from_secs(120);
/// The time between two tries with a token that was refused.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// A token and what Webex thinks of it.
pub(super) struct Token {
    state: Mutex<State>,
}

struct State {
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
    /// It was refused; wait until then.
    Later(Instant),
    /// It was refused for longer than a Secret takes to arrive.
    Refused,
}

impl Token {
    /// A token that was read from there.
    pub(super) fn new(source: SecretSource, token: SecretString) -> Self {
        Self {
            state: Mutex::new(State {
                source,
                current: Arc::new(token),
                refused: None,
            }),
        }
    }

    /// What was read from there takes its place. That the same token was refused is not
    /// forgotten.
    pub(super) fn change(&self, source: SecretSource, token: SecretString) {
        let mut state = self.state();
        state.source = source;
        if !same(&state.current, &token) {
            state.current = Arc::new(token);
            state.refused = None;
        }
    }

    /// Whether the token may be used.
    pub(super) fn look(&self, now: Instant) -> Use {
        let state = self.state();
        match state.refused {
            Some(refused) if now < refused.next_probe => {
                if now.duration_since(refused.since) < PATIENCE {
                    Use::Later(refused.next_probe)
                } else {
                    Use::Refused
                }
            }
            _ => Use::Now(Arc::clone(&state.current)),
        }
    }

    /// The token, if it may be used. Of those who wait for a refused token one tries.
    pub(super) fn take(&self, now: Instant) -> Use {
        let way = self.look(now);
        if let (Use::Now(_), Some(refused)) = (&way, &mut self.state().refused) {
            refused.next_probe = now + PROBE_EVERY;
        }
        way
    }

    /// Whether Webex refused it last.
    pub(super) fn is_refused(&self) -> bool {
        self.state().refused.is_some()
    }

    /// Webex refused this token. Reads the source again and says whether there is another
    /// token now, with which to try at once.
    pub(super) async fn refused(&self, used: &Arc<SecretString>, now: Instant) -> bool {
        let source = self.source();
        let read = tokio::task::spawn_blocking(move || source.read()).await;
        let mut state = self.state();
        if !same(&state.current, used) {
            return true; // Another delivery has brought the new one.
        }
        if let Ok(Ok(fresh)) = read
            && !same(&fresh, used)
        {
            state.current = Arc::new(fresh);
            state.refused = None;
            return true;
        }
        let since = state.refused.map_or(now, |refused| refused.since);
        state.refused = Some(Refused {
            since,
            next_probe: now + PROBE_EVERY,
        });
        false
    }

    /// Webex takes this token. Says whether it had been refused before.
    pub(super) fn accepted(&self) -> bool {
        self.state().refused.take().is_some()
    }

    /// Where the token comes from, for people.
    pub(super) fn source(&self) -> SecretSource {
        self.state().source.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same(a: &SecretString, b: &SecretString) -> bool {
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
        let token = source.read().unwrap();
        Token::new(source, token)
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
        assert!(token.refused(&old, Instant::now()).await);
        assert_eq!(used(&token).expose_secret(), "new");
        assert!(token.refused(&old, Instant::now()).await, "known by now");
    }

    #[tokio::test]
    async fn a_refused_token_is_passing_for_two_minutes_and_then_probed() {
        let file = file("bad");
        let token = read(&file);
        let start = Instant::now();
        let bad = used(&token);
        assert!(!token.refused(&bad, start).await);
        assert!(matches!(token.take(start), Use::Later(_)));
        let probe = start + PROBE_EVERY;
        assert!(matches!(token.take(probe), Use::Now(_)), "one tries");
        assert!(
            matches!(token.take(probe), Use::Later(_)),
            "the others wait"
        );
        let late = start + PATIENCE;
        assert!(!token.refused(&bad, late).await);
        assert!(matches!(token.take(late), Use::Refused));
        assert!(matches!(token.take(late + PROBE_EVERY), Use::Now(_)));
        assert!(token.accepted());
        assert!(matches!(token.take(late), Use::Now(_)));
    }
}
