//! Service apps: bots whose access tokens expire, and `POST /v1/access_token`, which renews
//! them (docs/facts/webex-api.md §9).
//!
//! A bot's own token lasts; a service app has a client id, a secret and a refresh token, and
//! gets access tokens for them. Those that it got before stay valid until their time is over.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::changes::Subject;
use super::refusal::Refusal;
use super::reply::Reply;
use super::service_app::{ServiceApp, ServiceAppPatch, ServiceAppView, check_seconds, wrong};
use super::{Error, Sandbox, knobs};

/// How many access tokens of an app are valid at once; the oldest goes.
const MOST_TOKENS: usize = 20;

struct AccessToken {
    token: SecretString,
    until: Instant,
}

/// A service app with the tokens that it was given.
pub(super) struct AppEntry {
    app: ServiceApp,
    refresh_until: Instant,
    refreshes: u64,
    tokens: VecDeque<AccessToken>,
}

impl AppEntry {
    pub(super) fn new(app: ServiceApp, now: Instant) -> Self {
        Self {
            refresh_until: now + Duration::from_secs(app.refresh_token_expires_in),
            app,
            refreshes: 0,
            tokens: VecDeque::new(),
        }
    }

    pub(super) fn view(&self, now: Instant) -> ServiceAppView {
        ServiceAppView {
            client_id: self.app.client_id.clone(),
            expires_in: self.app.expires_in,
            rotate_refresh_token: self.app.rotate_refresh_token,
            refreshes: self.refreshes,
            valid_tokens: self.tokens.iter().filter(|token| token.until > now).count(),
        }
    }

    pub(super) fn client_id(&self) -> &str {
        &self.app.client_id
    }

    /// Until when this access token is valid, if it is one of this app's; all are looked at.
    pub(super) fn valid_until(&self, token: &str, now: Instant) -> Option<Instant> {
        let mut found = None;
        for known in &self.tokens {
            if is_same(&known.token, token) && known.until > now {
                found = Some(known.until);
            }
        }
        found
    }

    /// What can be refused was looked at before.
    pub(super) fn change(&mut self, patch: ServiceAppPatch, now: Instant) {
        if let Some(seconds) = patch.expires_in {
            self.app.expires_in = seconds;
        }
        if let Some(rotate) = patch.rotate_refresh_token {
            self.app.rotate_refresh_token = rotate;
        }
        if let Some(token) = patch.refresh_token {
            self.app.refresh_token = token;
            self.refresh_until = now + Duration::from_secs(self.app.refresh_token_expires_in);
        }
        if patch.expire_tokens {
            self.tokens.clear();
        }
    }

    fn grant(
        &mut self,
        request: &Grant,
        fresh: [String; 2],
        now: Instant,
    ) -> Result<Reply, Refusal> {
        // Both are compared, whatever the first one said.
        let is_client = is_same(&self.app.client_secret, &request.client_secret);
        let is_refresh = is_same(&self.app.refresh_token, &request.refresh_token);
        if !is_client {
            return Err(Refusal::Client);
        }
        if !is_refresh || self.refresh_until <= now {
            return Err(Refusal::RefreshToken);
        }
        let [access, refresh] = fresh;
        self.refreshes += 1;
        self.tokens.retain(|token| token.until > now);
        if self.tokens.len() >= MOST_TOKENS {
            self.tokens.pop_front();
        }
        self.tokens.push_back(AccessToken {
            token: access.clone().into(),
            until: now + Duration::from_secs(self.app.expires_in),
        });
        // C: the clock begins again with each refresh.
        self.refresh_until = now + Duration::from_secs(self.app.refresh_token_expires_in);
        if self.app.rotate_refresh_token {
            self.app.refresh_token = refresh.into();
        }
        Ok(Reply::json(&GrantJson {
            access_token: &access,
            expires_in: self.app.expires_in,
            refresh_token: self.app.refresh_token.expose_secret(),
            refresh_token_expires_in: self.app.refresh_token_expires_in,
            token_type: "Bearer",
        }))
    }
}

fn is_same(known: &SecretString, given: &str) -> bool {
    known
        .expose_secret()
        .as_bytes()
        .ct_eq(given.as_bytes())
        .into()
}

#[derive(Serialize)]
struct GrantJson<'a> {
    access_token: &'a str,
    expires_in: u64,
    refresh_token: &'a str,
    refresh_token_expires_in: u64,
    token_type: &'static str,
}

/// What `POST /v1/access_token` was sent, or why it is refused.
#[derive(Default)]
pub(super) struct Grant {
    pub(super) client_id: String,
    client_secret: String,
    refresh_token: String,
}

impl Grant {
    /// Reads the form. Only a refresh is known here: the first tokens of an app are made in
    /// Webex' own pages.
    pub(super) fn of(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let essence = essence(request.headers());
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::ContentType(essence));
        }
        if request.body().len() > super::BODY_LIMIT {
            return Err(Refusal::TooLarge);
        }
        let mut grant = Self::default();
        let mut grant_type = String::new();
        for (name, value) in url::form_urlencoded::parse(request.body()) {
            match &*name {
                "grant_type" => grant_type = value.into_owned(),
                "client_id" => grant.client_id = value.into_owned(),
                "client_secret" => grant.client_secret = value.into_owned(),
                "refresh_token" => grant.refresh_token = value.into_owned(),
                _ => {}
            }
        }
        for (name, value) in [
            ("grant_type", &grant_type),
            ("client_id", &grant.client_id),
            ("client_secret", &grant.client_secret),
            ("refresh_token", &grant.refresh_token),
        ] {
            if value.is_empty() {
                return Err(Refusal::MissingParameter(name));
            }
        }
        if grant_type != "refresh_token" {
            return Err(Refusal::InvalidParameter("grant_type"));
        }
        Ok(grant)
    }
}

/// The content type of a request, without its parameters.
pub(super) fn essence(headers: &HeaderMap) -> String {
    let given = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default();
    given
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// `POST /v1/access_token`.
pub(super) fn refresh(sandbox: &Sandbox, grant: &Grant) -> Result<Reply, Refusal> {
    let fresh = [(); 2].map(|()| fresh_token());
    sandbox.change(|state| {
        let (app, is_revoked) = state
            .app_of_client(&grant.client_id)
            .ok_or(Refusal::Client)?;
        if is_revoked {
            return Err(Refusal::RefreshToken);
        }
        let reply = app.grant(grant, fresh, Instant::now())?;
        state.changed(Subject::Bots);
        Ok(reply)
    })
}

/// Of the length of Webex' tokens. Nothing secret hangs on it.
fn fresh_token() -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(88)
        .collect()
}

impl Sandbox {
    /// Adds a bot that gets its access tokens by a refresh token; it has none to begin with.
    ///
    /// # Errors
    ///
    /// Where the name or the client id is taken, or a value makes no sense.
    pub fn add_service_app(&self, name: &str, app: ServiceApp) -> Result<super::Bot, Error> {
        knobs::check_bot_name(name)?;
        app.check()?;
        self.change(|state| {
            if state.app_of_client(&app.client_id).is_some() {
                return Err(Error::ClientTaken);
            }
            knobs::check_new_bot(state, name)?;
            let entry = AppEntry::new(app, Instant::now());
            Ok(state.add_app(name, entry))
        })
    }

    /// Changes a service app.
    ///
    /// # Errors
    ///
    /// Where there is no such bot, it is no service app, or a value makes no sense.
    pub fn change_service_app(&self, name: &str, patch: ServiceAppPatch) -> Result<(), Error> {
        if let Some(seconds) = patch.expires_in {
            check_seconds(seconds)?;
        }
        if let Some(token) = &patch.refresh_token
            && !knobs::is_token(token.expose_secret())
        {
            return wrong("`refresh_token` must be visible ASCII without blanks");
        }
        self.change(|state| {
            if !state.has_bot(name) {
                return Err(Error::UnknownBot(name.to_owned()));
            }
            let Some(app) = state.app(name) else {
                return wrong("this bot is none; its token is fixed");
            };
            app.change(patch, Instant::now());
            state.changed(Subject::Bots);
            Ok(())
        })
    }
}
