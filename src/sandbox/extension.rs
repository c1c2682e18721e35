//! What another part of the program adds to the sandbox' server: paths below `/dev/`.
//!
//! The sandbox knows nothing of the receiver; `dev` runs both and gives the server an
//! extension that knows. The page sees from `"dev": true` that there is one.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};

/// Answers what is asked below `/dev/`.
///
/// The server has refused pages of other origins and bodies over [`BODY_LIMIT`](super::BODY_LIMIT)
/// before. When the server stops, what is not answered yet is broken off.
pub trait Extension: Send + Sync {
    /// One call. The path begins with `/dev/`.
    fn answer(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send + '_>>;
}
