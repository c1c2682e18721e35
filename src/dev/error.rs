//! Why a call below `/dev/` is refused, with the remedy.

use http::StatusCode;

use crate::alertmanager::PayloadError;
use crate::render::{self, BrokenTemplate};

/// Why a call is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the body cannot be read at `{path}`: {source}; see docs/sandbox.md, \"In dev\"")]
    Body {
        /// Where in the body.
        path: String,
        source: serde_json::Error,
    },
    #[error("name a `sample` or give a `notification`, one of the two")]
    OneNotification,
    #[error("no receiver is named `{name}`; known receivers: `{known}`")]
    UnknownReceiver { name: String, known: String },
    #[error("no sample is named `{name}`; known samples: `{known}`")]
    UnknownSample { name: String, known: String },
    #[error("no template is named `{name}`; known templates: `{known}`, or give its `markdown`")]
    UnknownTemplate { name: String, known: String },
    #[error("a template's name is 1 to 60 letters, digits, `-` and `_`")]
    TemplateName,
    #[error("`{what}` has {bytes} bytes; a template here may have {most} at most")]
    TooLarge {
        what: &'static str,
        bytes: usize,
        most: usize,
    },
    #[error("the notification cannot be used: {0}")]
    Payload(#[from] PayloadError),
    #[error("the template cannot be used: {}", .0.first().map_or("", |broken| &broken.message))]
    Broken(Vec<BrokenTemplate>),
    #[error(transparent)]
    Templates(render::Error),
    #[error("too much is being {0} already; wait for it to end")]
    Busy(&'static str),
    #[error("rendering takes longer than {0} s; look for loops within loops")]
    TooSlow(u64),
    #[error("a defect of this program: it panicked; please report it")]
    Panicked,
    #[error("there is no message `{0}` of a notification that is still remembered")]
    UnknownMessage(String),
    #[error("there is nothing at `{0}`; see docs/sandbox.md, \"In dev\"")]
    NotFound(String),
    #[error("this path takes {0} only")]
    MethodNotAllowed(&'static str),
}

impl From<render::Error> for Error {
    fn from(error: render::Error) -> Self {
        match error {
            render::Error::Broken(broken) => Self::Broken(broken),
            error @ render::Error::Directory { .. } => Self::Templates(error),
        }
    }
}

impl Error {
    /// The status to answer with.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Body { .. }
            | Self::OneNotification
            | Self::UnknownReceiver { .. }
            | Self::UnknownSample { .. }
            | Self::UnknownTemplate { .. }
            | Self::TemplateName
            | Self::Payload(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy(_) | Self::TooSlow(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Templates(_) | Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UnknownMessage(_) | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}
