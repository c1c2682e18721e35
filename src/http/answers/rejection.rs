//! Why a request does not become a notification, in words that name the remedy.

use crate::alertmanager::PayloadError;

/// Why a request does not become a notification.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum Rejection {
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error(
        "missing or wrong credentials; set what this receiver asks for in `http_config` of Alertmanager's webhook: `authorization`, `basic_auth` or `tls_config`"
    )]
    Unauthorized,
    #[error(
        "missing or wrong token; send `Authorization: Bearer` with the one of `server.admin_bearer_token_file`"
    )]
    AdminOnly,
    #[error(
        "a reload is taken from this machine only; set `server.admin_bearer_token_file` or `server.admin_listen` to take it from elsewhere"
    )]
    LocalOnly,
    #[error(
        "too many wrong credentials from this address, so they are not looked at for some seconds; mend `http_config` in Alertmanager's webhook"
    )]
    LockedOut,
    #[error(
        "no receiver is named `{0}`; mend the webhook's URL, or add `[receivers.\"{0}\"]` to the configuration"
    )]
    UnknownReceiver(String),
    #[error(
        "no receiver is named `{0}`; did you mean `{1}`? Mend the webhook's URL, or add `[receivers.\"{0}\"]` to the configuration"
    )]
    NearReceiver(String, std::sync::Arc<str>),
    #[error("the webhook's URL asks for {what}, but receiver `{receiver}` takes {taken}")]
    BadQuery {
        what: String,
        receiver: String,
        taken: String,
    },
    #[error("the status is asked for what it does not tell; {0}")]
    BadStatusQuery(&'static str),
    #[error(
        "the status of all receivers is at `server.admin_listen`; a receiver that asks for credentials shows its own here: `?receiver=NAME`"
    )]
    StatusElsewhere,
    #[error("there is nothing here; notifications go to `POST /alertmanager/RECEIVER`")]
    NotFound,
    #[error("this path takes {0} only")]
    MethodNotAllowed(&'static str),
    #[error(
        "the body did not arrive within {} s (`server.body_timeout`); look at the network between Alertmanager and this service",
        .0.as_secs_f32()
    )]
    TooSlow(std::time::Duration),
    #[error("the body is larger than {0}; group alerts more finely, or raise `server.body_limit`")]
    TooLarge(bytesize::ByteSize),
    #[error("the body is not declared as JSON; send `Content-Type: application/json`")]
    UnsupportedMediaType,
    #[error("too many requests are being read at the same time; send it again")]
    Busy,
    #[error("the connection broke before the body was complete")]
    Interrupted,
    #[error("a defect of this service: the request panicked; please report it")]
    Panicked,
}
