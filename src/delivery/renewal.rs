//! Renews the access token of a service app: ahead of its end, and when Webex refuses it.
//!
//! One task a bot does it, so there is one renewal at a time, whatever asks for it. Messages
//! wait meanwhile, in their queue. When it is time, and what an answer means, is decided by
//! `lease`.

use std::sync::{Arc, Weak};

use secrecy::SecretString;
use tokio::time::{Instant, sleep_until};

use super::Engine;
use super::bot::Bot;
use super::lease::{Failure, Lease};
use super::token::same;
use crate::config::{ServiceApp, replace_secret};
use crate::webex::{Client, Grant, Renewal};

impl Bot {
    /// Keeps the token fresh until the engine is gone. Of a token that lasts, there is nothing
    /// to do.
    pub(super) async fn keep_token(self: Arc<Self>, engine: Weak<Engine>) {
        loop {
            match self.token.lease(|lease| lease.next()) {
                Some(next) if next <= Instant::now() => {
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    let client = engine.loaded().client().clone();
                    let (runtime, random) = (engine.runtime.clone(), engine.random());
                    drop(engine);
                    // In a task of its own: what Webex answers is taken in also where this
                    // bot's work ends meanwhile, and a panic ends nothing else.
                    let renewed = runtime.spawn(Arc::clone(&self).renew(client, random));
                    if renewed.await.is_err() {
                        let failure = Failure::passing("renewing it panicked".to_owned());
                        self.not_renewed(&failure, random);
                    }
                }
                Some(next) => tokio::select! {
                    () = sleep_until(next) => {}
                    () = self.token.hurried.notified() => {}
                },
                None => self.token.hurried.notified().await,
            }
        }
    }

    async fn renew(self: Arc<Self>, client: Client, random: f64) {
        let _alone = self.token.renewing.lock().await;
        let is_due =
            |lease: &mut Lease| (lease.next() <= Instant::now()).then(|| lease.app.clone());
        let Some(app) = self.token.lease(is_due).flatten() else {
            return; // Another one has done it meanwhile.
        };
        let read = {
            let app = app.clone();
            tokio::task::spawn_blocking(move || app.read()).await
        };
        let secrets = match read {
            Ok(Ok(secrets)) => secrets,
            Ok(Err(error)) => {
                return self.not_renewed(&Failure::passing(error.to_string()), random);
            }
            Err(_) => {
                let failure = Failure::passing("reading its secrets panicked".to_owned());
                return self.not_renewed(&failure, random);
            }
        };
        let in_file = secrets.refresh_token;
        let shown = self
            .token
            .lease(|lease| lease.refresh_token(in_file.clone()))
            .unwrap_or_else(|| in_file.clone());
        let start = Instant::now();
        let answer = client
            .renew(&Renewal {
                client_id: &app.client_id,
                client_secret: &secrets.client_secret,
                refresh_token: &shown,
            })
            .await;
        let code = answer
            .as_ref()
            .map_or_else(crate::webex::Error::code, |_| "200");
        self.metrics.requested(&self.name, code, start.elapsed());
        match answer {
            Ok(grant) => {
                // First of all: a replaced refresh token is all that there is.
                if let Some(fresh) = grant.refresh_token.clone()
                    && !same(&fresh, &shown)
                {
                    self.keep_refresh_token(&app, in_file, fresh).await;
                }
                self.renewed(&app, &grant, &client, random).await;
            }
            Err(error) => self.not_renewed(&Failure::of(&error), random),
        }
    }

    async fn renewed(&self, app: &ServiceApp, grant: &Grant, client: &Client, random: f64) {
        let now = Instant::now();
        let bot = &self.name;
        let granted = self.token.lease(|lease| {
            if !lease.app.is_same(app) {
                return None; // A reload has made it another app, which has a token of its own.
            }
            let is_first = lease.is_first();
            Some((is_first, lease.granted(grant, now, random), lease.next()))
        });
        let Some((is_first, was_ill, next)) = granted.flatten() else {
            return;
        };
        self.metrics.token_renewed(bot, "renewed");
        self.wake();
        let next_seconds = next.duration_since(now).as_secs();
        if was_ill {
            tracing::info!(%bot, next_seconds, "the access token of bot `{bot}` can be renewed again");
        } else {
            tracing::info!(%bot, next_seconds, "the access token of bot `{bot}` was renewed; next time in {next_seconds} s");
        }
        if is_first {
            self.introduce(client).await;
        }
    }

    fn not_renewed(&self, failure: &Failure, random: f64) {
        let now = Instant::now();
        let (bot, said) = (&self.name, &failure.said);
        let failed = self.token.lease(|lease| {
            let is_news = lease.failed(failure, now, random);
            (is_news, lease.valid_for(now), lease.app.to_string())
        });
        let Some((is_news, valid_for, source)) = failed else {
            return;
        };
        self.metrics.token_renewed(bot, failure.word());
        // What waits may have nothing to wait for any more.
        self.wake();
        if !is_news {
            return;
        }
        let valid_seconds = valid_for.as_secs();
        if failure.is_refusal {
            tracing::warn!(
                %bot, valid_seconds, %source, error = %said,
                "Webex refuses to renew the access token of bot `{bot}`, which is valid for \
                 {valid_seconds} s more: {said}; it is {source}: put the app's present client \
                 secret and refresh token into their files",
            );
        } else {
            tracing::warn!(
                %bot, valid_seconds, error = %said,
                "the access token of bot `{bot}` cannot be renewed for now, and is valid for \
                 {valid_seconds} s more: {said}",
            );
        }
    }

    /// Keeps a refresh token that Webex has given in place of the last one: in memory, and
    /// for the next process in its file.
    async fn keep_refresh_token(&self, app: &ServiceApp, held: SecretString, fresh: SecretString) {
        let Some(file) = app.refresh_token_file().map(std::path::Path::to_owned) else {
            return;
        };
        let bot = &self.name;
        let is_first = self
            .token
            .lease(|lease| lease.replaced(held, fresh.clone()));
        let written = {
            let file = file.clone();
            tokio::task::spawn_blocking(move || replace_secret(&file, &fresh)).await
        };
        let error = match written {
            Ok(Ok(())) => {
                tracing::info!(%bot, "Webex has replaced the refresh token of bot `{bot}`, and it was written to its file");
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic.to_string(),
        };
        if is_first == Some(true) {
            let file = file.display();
            tracing::warn!(
                %bot, %file, %error,
                "Webex has replaced the refresh token of bot `{bot}`, and the new one cannot be \
                 written to {file} ({error}); it is kept in memory, and a restart loses it; put the \
                 file into a folder where this process may write",
            );
        }
    }
}
