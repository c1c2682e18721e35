//! The access token of a service app: until when it may be used, and when it is renewed. Pure:
//! time and chance are passed in; `renewal` asks Webex.
//!
//! It is renewed well ahead of its end, so that a Webex that gives no token for days is
//! trouble only for metrics and log. Where Webex refuses it before, it is renewed at once,
//! and only once: a fresh token that is refused as well is not mended by another.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::retry::{gate_wait, pause};
use super::token::{PATIENCE, PROBE_EVERY, Use, same};
use crate::config::ServiceApp;
use crate::webex::{Error, Grant};

/// A token is renewed when this part of its life is over: with what chance adds, 75 to 85 %.
const USED: f64 = 0.75;
const SPREAD: f64 = 0.1;
/// The life of a token of which Webex did not say how long it lasts.
const UNSTATED_LIFE: Duration = Duration::from_secs(3600);
/// No token is renewed sooner after the last one, however short its life.
const SHORTEST: Duration = Duration::from_secs(1);
/// The time between two tries once a refusal is for good.
const RARELY: Duration = Duration::from_secs(60);

/// A service app's access token, and how it is kept.
pub(super) struct Lease {
    pub(super) app: ServiceApp,
    held: Option<Held>,
    next: Instant,
    failures: u32,
    trouble: Option<Ill>,
    /// The refresh token that Webex gave last, and what the file held at that time.
    replaced: Option<Replaced>,
}

struct Held {
    token: Arc<SecretString>,
    until: Instant,
    is_refused: bool,
    /// Webex has taken it at least once.
    is_proven: bool,
}

struct Ill {
    said: String,
    /// Since when Webex refuses, where it does.
    refused_since: Option<Instant>,
    /// Webex refuses a token that it has just given.
    is_of_fresh_token: bool,
}

struct Replaced {
    file_held: SecretString,
    by: SecretString,
}

/// Why there is no token that can be used.
pub(super) enum Lack {
    /// Webex refuses.
    Refused(String),
    /// Webex has not given one yet.
    Absent(String),
}

impl Lease {
    /// None yet; it is to be fetched now.
    pub(super) fn new(app: ServiceApp, now: Instant) -> Self {
        Self {
            app,
            held: None,
            next: now,
            failures: 0,
            trouble: None,
            replaced: None,
        }
    }

    pub(super) fn look(&self, now: Instant) -> Use {
        if let Some(held) = self.usable(now) {
            return Use::Now(Arc::clone(&held.token));
        }
        match self.refused_since() {
            // While it is being renewed that may be about to change.
            Some(since) if now.duration_since(since) >= PATIENCE && now < self.next => Use::Refused,
            _ => Use::Later(now + PROBE_EVERY),
        }
    }

    fn usable(&self, now: Instant) -> Option<&Held> {
        let held = self.held.as_ref()?;
        (!held.is_refused && now < held.until).then_some(held)
    }

    fn refused_since(&self) -> Option<Instant> {
        self.trouble.as_ref()?.refused_since
    }

    /// How long the token may still be used; zero where there is none.
    pub(super) fn valid_for(&self, now: Instant) -> Duration {
        self.usable(now)
            .map_or(Duration::ZERO, |held| held.until.duration_since(now))
    }

    /// Why nothing can be sent, where that is so.
    pub(super) fn lack(&self, now: Instant) -> Option<Lack> {
        if self.usable(now).is_some() {
            return None;
        }
        Some(match &self.trouble {
            Some(ill) if ill.refused_since.is_some() => Lack::Refused(ill.said.clone()),
            Some(ill) => Lack::Absent(ill.said.clone()),
            None => Lack::Absent("its access token is being fetched".to_owned()),
        })
    }

    /// When it is to be renewed.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Something may have been mended: where renewing failed, it is tried now.
    pub(super) fn hurry(&mut self, now: Instant) {
        if self.failures > 0 {
            self.next = now;
        }
    }

    /// Webex refused this token for a message.
    pub(super) fn refused(&mut self, used: &SecretString, now: Instant, random: f64) {
        let Some(held) = &mut self.held else {
            return;
        };
        // Of those who are refused together the first one counts.
        if held.is_refused || !same(&held.token, used) {
            return;
        }
        held.is_refused = true;
        if held.is_proven {
            self.next = now;
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let since = self.refused_since().unwrap_or(now);
        self.next = now + pause(self.failures, random, probe_after(since, now));
        self.trouble = Some(Ill {
            said: "Webex refuses the access token that it has just given".to_owned(),
            refused_since: Some(since),
            is_of_fresh_token: true,
        });
    }

    /// Webex takes the token. Says whether it had refused one just given.
    pub(super) fn accepted(&mut self) -> bool {
        if let Some(held) = &mut self.held {
            held.is_proven = true;
        }
        let was_ill = self.trouble.take_if(|ill| ill.is_of_fresh_token).is_some();
        if was_ill {
            self.failures = 0;
        }
        was_ill
    }

    /// The refresh token to show: the file's, unless Webex has replaced that very one.
    pub(super) fn refresh_token(&self, in_file: SecretString) -> SecretString {
        match &self.replaced {
            Some(replaced) if same(&replaced.file_held, &in_file) => replaced.by.clone(),
            _ => in_file,
        }
    }

    /// Webex has replaced the refresh token, which the file may not know. Says whether that
    /// is the first time since the file was as it is.
    pub(super) fn replaced(&mut self, file_held: SecretString, by: SecretString) -> bool {
        let is_first = !matches!(&self.replaced, Some(last) if same(&last.file_held, &file_held));
        self.replaced = Some(Replaced { file_held, by });
        is_first
    }

    /// Whether there never was a token.
    pub(super) fn is_first(&self) -> bool {
        self.held.is_none()
    }

    /// Webex gave a token. Says whether there had been trouble with that.
    pub(super) fn granted(&mut self, grant: &Grant, now: Instant, random: f64) -> bool {
        let life = grant.expires_in.unwrap_or(UNSTATED_LIFE);
        let ahead = life.mul_f64(USED + SPREAD * random.clamp(0.0, 1.0));
        self.next = now + ahead.max(SHORTEST);
        self.held = Some(Held {
            token: Arc::new(grant.access_token.clone()),
            until: now + life,
            is_refused: false,
            is_proven: false,
        });
        let was_ill = self.trouble.take_if(|ill| !ill.is_of_fresh_token).is_some();
        if self.trouble.is_none() {
            self.failures = 0;
        }
        was_ill
    }

    /// Webex gave no token. Says whether that is news.
    pub(super) fn failed(&mut self, failure: &Failure, now: Instant, random: f64) -> bool {
        self.failures = self.failures.saturating_add(1);
        let before = self.trouble.as_ref();
        let refused_before = before.and_then(|ill| ill.refused_since);
        let refused_since = failure.is_refusal.then(|| refused_before.unwrap_or(now));
        let is_news =
            before.is_none_or(|ill| ill.refused_since.is_some() != refused_since.is_some());
        let at_least = refused_since.map_or(failure.at_least, |since| {
            failure.at_least.max(probe_after(since, now))
        });
        self.next = now + pause(self.failures, random, at_least);
        self.trouble = Some(Ill {
            said: failure.said.clone(),
            refused_since,
            is_of_fresh_token: false,
        });
        is_news
    }
}

fn probe_after(since: Instant, now: Instant) -> Duration {
    if now.duration_since(since) < PATIENCE {
        PROBE_EVERY
    } else {
        RARELY
    }
}

/// Why there is no token.
pub(super) struct Failure {
    pub(super) said: String,
    /// Trying again alone does not mend it.
    pub(super) is_refusal: bool,
    pub(super) at_least: Duration,
}

impl Failure {
    /// What an answer to a renewal means.
    pub(super) fn of(error: &Error) -> Self {
        let (is_refusal, at_least) = match error {
            Error::Status {
                status,
                retry_after,
                ..
            } => match status.as_u16() {
                429 => (false, gate_wait(*retry_after)),
                408 | 423 => (false, Duration::ZERO),
                400..=499 => (true, Duration::ZERO),
                _ => (false, Duration::ZERO),
            },
            _ => (false, Duration::ZERO),
        };
        Self {
            said: error.to_string(),
            is_refusal,
            at_least,
        }
    }

    /// Something of ours is in the way.
    pub(super) fn passing(said: String) -> Self {
        Self {
            said,
            is_refusal: false,
            at_least: PROBE_EVERY,
        }
    }

    /// The word for a metric.
    pub(super) fn word(&self) -> &'static str {
        if self.is_refusal { "refused" } else { "failed" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretSource;

    fn lease(now: Instant) -> Lease {
        let app = ServiceApp {
            client_id: "client".to_owned(),
            client_secret: SecretSource::File("/secret".into()),
            refresh_token: SecretSource::File("/refresh".into()),
        };
        Lease::new(app, now)
    }

    fn grant(token: &str, seconds: Option<u64>) -> Grant {
        Grant {
            access_token: token.to_owned().into(),
            expires_in: seconds.map(Duration::from_secs),
            refresh_token: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn renewal_is_between_three_quarters_and_the_end_of_a_life() {
        let now = Instant::now();
        let mut lease = lease(now);
        for (seconds, random, from, to) in [
            (Some(1_000), 0.0, 750, 750),
            (Some(1_000), 1.0, 850, 850),
            (None, 0.5, 2_700, 3_060),
            (Some(1), 0.0, 1, 1),
            (Some(LONGEST), 0.5, LONGEST / 4 * 3, LONGEST),
        ] {
            lease.granted(&grant("a", seconds), now, random);
            let next = lease.next().duration_since(now).as_secs();
            assert!((from..=to).contains(&next), "{seconds:?}: {next}");
        }
    }

    /// What `webex::grant` takes at most.
    const LONGEST: u64 = 3_155_760_000;

    #[tokio::test(start_paused = true)]
    async fn of_a_hundred_refusals_one_counts_and_a_late_one_of_an_old_token_does_not() {
        let now = Instant::now();
        let mut lease = lease(now);
        lease.granted(&grant("old", Some(1_000)), now, 0.5);
        assert!(!lease.accepted());
        let old: SecretString = "old".to_owned().into();
        for later in 0..100 {
            lease.refused(&old, now + Duration::from_secs(later), 0.5);
        }
        assert_eq!(lease.next(), now, "at once, and not moved");
        assert!(matches!(lease.look(now), Use::Later(_)));
        lease.granted(&grant("new", Some(1_000)), now, 0.5);
        lease.refused(&old, now, 0.5);
        assert!(matches!(lease.look(now), Use::Now(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_token_is_not_used_and_is_said_to_be_lacking() {
        let now = Instant::now();
        let mut lease = lease(now);
        lease.granted(&grant("a", Some(100)), now, 0.5);
        let failure = Failure {
            said: "no".to_owned(),
            is_refusal: true,
            at_least: Duration::ZERO,
        };
        assert!(lease.failed(&failure, now, 0.5), "news");
        assert!(!lease.failed(&failure, now, 0.5), "the same again");
        assert!(lease.lack(now).is_none(), "it is good until its end");
        let end = now + Duration::from_secs(100);
        assert!(matches!(lease.lack(end), Some(Lack::Refused(_))));
        assert!(matches!(lease.look(end), Use::Later(_)));
        assert!(
            matches!(lease.look(now + PATIENCE), Use::Later(_)),
            "it is tried again"
        );
        lease.failed(&failure, now + PATIENCE, 0.5);
        assert!(matches!(lease.look(now + PATIENCE), Use::Refused));
    }

    #[tokio::test(start_paused = true)]
    async fn the_file_counts_unless_it_holds_what_webex_replaced() {
        let now = Instant::now();
        let mut lease = lease(now);
        let secret = |text: &str| SecretString::from(text.to_owned());
        let shown = |lease: &Lease, file| same(&lease.refresh_token(secret(file)), &secret("new"));
        assert!(!shown(&lease, "old"));
        assert!(lease.replaced(secret("old"), secret("new")));
        assert!(shown(&lease, "old") && shown(&lease, "new"));
        assert!(!shown(&lease, "by hand"));
        assert!(!lease.replaced(secret("old"), secret("newer")), "told once");
    }
}
