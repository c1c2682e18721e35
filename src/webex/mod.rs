//! Webex's Messaging API: one HTTP call, one classified answer.
//!
//! [`Client`] makes a request from a message and an [`Accepted`] or an [`Error`] from what
//! comes back. [`Transport`] is the one seam below it: reqwest in the service, the sandbox
//! itself in tests with paused time.
//!
//! What does not belong here: when to try again, which bot posts, what the text says.

mod client;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod grant;
mod proxy;
mod rooms;
mod tls;
mod transport;
mod types;

pub use client::Client;
pub use error::{CODES, Error, RetryAfter};
pub use grant::{Grant, Renewal};
pub use proxy::ProxyError;
pub use tls::{TlsError, install_provider};
pub use transport::{Https, Transport, TransportError, WayError};
pub use types::{Accepted, Attachment, Edit, IncomingMessage, NewMessage, Person, Recipient, Room};
