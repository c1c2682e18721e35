//! What a caller shows, and whether it is right.
//!
//! Secrets are compared as keyed hashes, whole and all of them: neither their length nor where
//! they differ shows in the time. The key is made anew with each process, and the secrets
//! themselves are not kept.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::GeneralPurposeConfig;
use ring::{hmac, rand::SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use tokio::time::Instant;

use crate::routing::Access;
use crate::secrets::{SecretError, SecretSource};

/// How long a file may have changed before it is noticed.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// Shorter ones can be guessed.
const SHORT: usize = 16;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A credential that cannot be read back.
#[derive(Clone, Copy)]
pub(super) struct Tag([u8; 32]);

/// Makes tags of credentials.
pub(super) struct Hasher(hmac::Key);

impl Default for Hasher {
    fn default() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Self(key.expect("the system has random numbers"))
    }
}

impl Hasher {
    /// A tag that nothing has.
    pub(super) fn nothing(&self) -> Tag {
        self.tag("nothing", b"")
    }

    fn bearer(&self, token: &[u8]) -> Tag {
        self.tag("bearer", token)
    }

    /// `login` is name, colon, password, as it stands in the header.
    fn basic(&self, login: &[u8]) -> Tag {
        self.tag("basic", login)
    }

    fn tag(&self, kind: &str, secret: &[u8]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(secret);
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        Tag(tag)
    }

    /// What the request shows.
    pub(super) fn shown(&self, headers: &HeaderMap) -> Option<Tag> {
        let (scheme, rest) = only(headers)?.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            Some(self.bearer(rest.as_bytes()))
        } else if scheme.eq_ignore_ascii_case("basic") {
            Some(self.basic(&BASE64.decode(rest).ok()?))
        } else {
            None
        }
    }
}

/// A token, also as the password of any name: a browser asks for nothing else.
pub(super) fn shown_token(hasher: &Hasher, headers: &HeaderMap) -> Option<Tag> {
    let basic = || {
        let (scheme, rest) = only(headers)?.split_once(' ')?;
        let login = BASE64.decode(rest.trim()).ok()?;
        let colon = login.iter().position(|byte| *byte == b':')?;
        (scheme.eq_ignore_ascii_case("basic")).then(|| hasher.bearer(&login[colon + 1..]))
    };
    basic().or_else(|| hasher.shown(headers))
}

/// The one header with credentials. Two are none: which of them a proxy would look at is
/// anybody's guess.
fn only(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The secrets of which a caller must show one.
pub(super) struct Secrets {
    tokens: Option<SecretSource>,
    logins: Vec<(String, SecretSource)>,
    state: Mutex<State>,
}

struct State {
    tags: Vec<Tag>,
    read: Instant,
    /// Whether it was said that they cannot be read any more.
    told: bool,
    has_short: bool,
}

impl Secrets {
    /// Reads what a receiver asks for.
    pub(super) fn read(access: &Access, hasher: &Hasher) -> Result<Self, SecretError> {
        let (tokens, logins) = (access.bearer_tokens.clone(), access.logins.clone());
        let (tags, has_short) = read(tokens.as_ref(), &logins, hasher)?;
        Ok(Self {
            tokens,
            logins,
            state: Mutex::new(State {
                tags,
                read: Instant::now(),
                told: false,
                has_short,
            }),
        })
    }

    /// Secrets that nobody has, to spend the same time on.
    pub(super) fn unknown(hasher: &Hasher) -> Self {
        Self {
            tokens: None,
            logins: Vec::new(),
            state: Mutex::new(State {
                tags: vec![hasher.nothing()],
                read: Instant::now(),
                told: false,
                has_short: false,
            }),
        }
    }

    /// Whether one is short enough to be guessed.
    pub(super) fn has_short(&self) -> bool {
        self.state().has_short
    }

    /// Whether what is shown is one of them. `whose` is for the log.
    pub(super) fn accept(&self, shown: Option<Tag>, hasher: &Hasher, whose: &str) -> Choice {
        let mut state = self.state();
        if state.read.elapsed() >= FRESH_FOR {
            self.reread(&mut state, hasher, whose);
        }
        let shown = shown.unwrap_or_else(|| hasher.tag("shown", b""));
        let none = Choice::from(0);
        state
            .tags
            .iter()
            .fold(none, |found, tag| found | tag.0.ct_eq(&shown.0))
    }

    /// A Secret that is replaced is taken without a restart, and what is no longer in it is
    /// no longer good. What cannot be read, as while it is replaced, changes nothing.
    fn reread(&self, state: &mut State, hasher: &Hasher, whose: &str) {
        state.read = Instant::now();
        if self.tokens.is_none() && self.logins.is_empty() {
            return;
        }
        match read(self.tokens.as_ref(), &self.logins, hasher) {
            Ok((tags, has_short)) => {
                state.tags = tags;
                state.has_short = has_short;
                state.told = false;
            }
            Err(error) if !state.told => {
                state.told = true;
                tracing::warn!(
                    whose, %error,
                    "the credentials of {whose} cannot be read any more, so the last ones count: {error}",
                );
            }
            Err(_) => {}
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tags, and whether one of them is of a short secret.
fn read(
    tokens: Option<&SecretSource>,
    logins: &[(String, SecretSource)],
    hasher: &Hasher,
) -> Result<(Vec<Tag>, bool), SecretError> {
    let mut tags = Vec::new();
    let mut has_short = false;
    let mut note = |secret: &SecretString| has_short |= secret.expose_secret().len() < SHORT;
    if let Some(source) = tokens {
        for token in source.read_tokens()? {
            note(&token);
            tags.push(hasher.bearer(token.expose_secret().as_bytes()));
        }
    }
    for (name, source) in logins {
        for password in source.read_passwords()? {
            note(&password);
            let login: SecretString = format!("{name}:{}", password.expose_secret()).into();
            tags.push(hasher.basic(login.expose_secret().as_bytes()));
        }
    }
    Ok((tags, has_short))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn header(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn accepts(secrets: &Secrets, hasher: &Hasher, shown: &[&str]) -> bool {
        let shown = hasher.shown(&header(shown));
        secrets.accept(shown, hasher, "test").into()
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_several_credentials_suffices_and_nothing_else_does() {
        let (tokens, passwords) = (file("old\nnew\n"), file("pässword one\n"));
        let access = Access {
            bearer_tokens: Some(SecretSource::File(tokens.path().to_owned())),
            logins: vec![(
                "am".to_owned(),
                SecretSource::File(passwords.path().to_owned()),
            )],
            subjects: Vec::new(),
        };
        let hasher = Hasher::default();
        let secrets = Secrets::read(&access, &hasher).unwrap();
        let basic = |login: &str| format!("Basic {}", BASE64.encode(login));
        let right = basic("am:pässword one");
        for shown in ["Bearer old", "bearer new", "Bearer  new ", right.as_str()] {
            assert!(accepts(&secrets, &hasher, &[shown]), "{shown}");
        }
        assert!(accepts(&secrets, &hasher, &[right.trim_end_matches('=')]));
        for shown in [
            "Bearer",
            "Bearer ",
            "Bearer nothing",
            "Bearer old\tnew",
            "Basic old",
            "Basic ####",
            "Digest old",
            "old",
            &basic("am:old"),
            &basic("old"),
            &basic("other:pässword one"),
            &basic("am"),
            "",
        ] {
            assert!(!accepts(&secrets, &hasher, &[shown]), "{shown}");
        }
        assert!(!accepts(&secrets, &hasher, &[]));
        assert!(!accepts(&secrets, &hasher, &["Bearer old", "Bearer old"]));
        assert!(secrets.has_short());
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_changes_is_seen_and_one_that_vanishes_changes_nothing() {
        let tokens = file("old\n");
        let access = Access {
            bearer_tokens: Some(SecretSource::File(tokens.path().to_owned())),
            ..Access::default()
        };
        let hasher = Hasher::default();
        let secrets = Secrets::read(&access, &hasher).unwrap();
        std::fs::write(tokens.path(), "new\n").unwrap();
        tokio::time::advance(FRESH_FOR).await;
        assert!(accepts(&secrets, &hasher, &["Bearer new"]));
        assert!(!accepts(&secrets, &hasher, &["Bearer old"]));
        std::fs::write(tokens.path(), "").unwrap();
        tokio::time::advance(FRESH_FOR).await;
        assert!(accepts(&secrets, &hasher, &["Bearer new"]));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_has_the_secrets_of_what_is_unknown() {
        let hasher = Hasher::default();
        let secrets = Secrets::unknown(&hasher);
        for shown in [&[][..], &["Bearer "], &["Bearer nothing"], &["Basic "]] {
            assert!(!accepts(&secrets, &hasher, shown), "{shown:?}");
        }
    }
}
