//! A bot's token for the commands that ask Webex themselves.
//!
//! For a service app Webex is asked for one. It may replace the refresh token at that, so this
//! is done only where the new one can be written to its file: a running service reads it
//! there, and else would be left with one that is refused.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Identity, ServiceApp, can_replace_secret, replace_secret};
use crate::webex::{Client, Renewal};

/// What can be had.
pub(super) enum Access {
    /// A token.
    Token(SecretString),
    /// Nothing without doing harm, and why.
    Withheld(String),
    /// Nothing, and why.
    Failed(String),
}

/// A token for this bot.
pub(super) async fn access(client: &Client, identity: &Identity) -> Access {
    match identity {
        Identity::Token(source) => match source.read() {
            Ok(token) => Access::Token(token),
            Err(error) => Access::Failed(error.to_string()),
        },
        Identity::ServiceApp(app) => match app.refresh_token_file() {
            Some(file) => of_app(client, app, file).await,
            None => Access::Withheld("its refresh token is in no file".to_owned()),
        },
    }
}

async fn of_app(client: &Client, app: &ServiceApp, file: &Path) -> Access {
    let secrets = match app.read() {
        Ok(secrets) => secrets,
        Err(error) => return Access::Failed(error.to_string()),
    };
    if let Err(error) = can_replace_secret(file) {
        return Access::Withheld(format!(
            "asking might replace its refresh token, and {} cannot be written ({error})",
            file.display()
        ));
    }
    let answer = client
        .renew(&Renewal {
            client_id: &app.client_id,
            client_secret: &secrets.client_secret,
            refresh_token: &secrets.refresh_token,
        })
        .await;
    let grant = match answer {
        Ok(grant) => grant,
        Err(error) => {
            return Access::Failed(format!(
                "no access token: {error}; put the app's present client secret and refresh \
                 token into their files"
            ));
        }
    };
    if let Some(fresh) = &grant.refresh_token
        && fresh.expose_secret() != secrets.refresh_token.expose_secret()
        && let Err(error) = replace_secret(file, fresh)
    {
        return Access::Failed(format!(
            "Webex has replaced its refresh token, and {} cannot be written ({error}); \
             get another one from Webex",
            file.display()
        ));
    }
    Access::Token(grant.access_token)
}
