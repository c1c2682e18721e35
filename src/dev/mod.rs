//! What `dev` adds to the sandbox' page, below `/dev/v1/`: the playground for templates,
//! samples to send, and what the receiver is doing.
//!
//! The sandbox knows nothing of alerts; this module knows both sides and ties them together,
//! as the sandbox' [`Extension`]. It writes nothing to disk. `requests` reads what is asked,
//! `playground` renders it, `sending` posts it to the service's own port, `book` is told by the
//! delivery engine what becomes of it, `standing` shows that.
//!
//! What does not belong here: the page (`sandbox/page`), and anything that `serve` needs.

mod answer;
mod book;
mod error;
mod playground;
mod requests;
mod samples;
mod sending;
mod standing;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub use book::Book;

use crate::app::App;
use crate::delivery::Engine;
use crate::render::{self, Options};
use crate::sandbox::Extension;
use answer::{json, refused};
use error::Error;

/// Renderings at once: each may take a core for seconds.
const MOST_RENDERINGS: usize = 2;
/// Sends at once: each may be a storm.
const MOST_SENDS: usize = 2;

/// What the page may ask of the receiver that runs in the same process.
#[derive(Clone)]
pub struct Dev(Arc<Inner>);

struct Inner {
    service: SocketAddr,
    engine: Arc<Engine>,
    options: Options,
    book: Arc<Book>,
    /// Where rendering and sending run: not on the threads that serve the page.
    runtime: Handle,
    rendering: Semaphore,
    sending: Semaphore,
    client: reqwest::Client,
}

impl fmt::Debug for Dev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dev")
            .field("service", &self.0.service)
            .finish_non_exhaustive()
    }
}

impl Dev {
    /// Ties the service to the page. `book` must be who watches the service's deliveries,
    /// `options` what its templates were loaded with. Must be called on the runtime.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(app: &App, options: Options, book: Arc<Book>) -> Result<Self, reqwest::Error> {
        crate::webex::install_provider();
        Ok(Self(Arc::new(Inner {
            service: reachable(app.address()),
            engine: app.engine(),
            options,
            book,
            runtime: Handle::current(),
            rendering: Semaphore::new(MOST_RENDERINGS),
            sending: Semaphore::new(MOST_SENDS),
            client: sending::client()?,
        })))
    }

    async fn route(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let path = request.uri().path();
        let call = path.strip_prefix("/dev/v1/").unwrap_or_default();
        let method = request.method();
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        match call {
            "receivers" if is_read => {
                Ok(json(&standing::receivers(self.0.engine.loaded().routes())))
            }
            "templates" if is_read => self.templates().await,
            "samples" if is_read => Ok(json(&samples::listed(jiff::Timestamp::now()))),
            "receiver" if is_read => Ok(json(&standing::now(&self.0))),
            "render" if *method == Method::POST => {
                let asked = requests::Render::read(request.body())?;
                Ok(json(&playground::render(&self.0, asked).await?))
            }
            "send" if *method == Method::POST => {
                let asked = requests::Send::read(request.body())?;
                Ok(json(&sending::send(&self.0, asked).await?))
            }
            "receivers" | "templates" | "samples" | "receiver" => {
                Err(Error::MethodNotAllowed("GET"))
            }
            "render" | "send" => Err(Error::MethodNotAllowed("POST")),
            _ => match message_of(call) {
                Some(id) if is_read => match self.0.book.notifications(id) {
                    found if found.is_empty() => Err(Error::UnknownMessage(id.to_owned())),
                    found => Ok(json(&standing::notifications(&found))),
                },
                Some(_) => Err(Error::MethodNotAllowed("GET")),
                None => Err(Error::NotFound(path.to_owned())),
            },
        }
    }

    /// Reads the directory anew, as it may have changed.
    async fn templates(&self) -> Result<Response<Bytes>, Error> {
        let options = self.0.options.clone();
        let written = self
            .0
            .runtime
            .spawn_blocking(move || render::written(&options))
            .await
            .map_err(|_| Error::Panicked)??;
        Ok(json(&playground::listed(written)))
    }
}

impl Extension for Dev {
    fn answer(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send + '_>> {
        Box::pin(async move {
            self.route(request)
                .await
                .unwrap_or_else(|error| refused(&error))
        })
    }
}

/// The id in `messages/{id}/notification`.
fn message_of(call: &str) -> Option<&str> {
    let id = call
        .strip_prefix("messages/")?
        .strip_suffix("/notification")?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// Where a listener on all addresses can be reached from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
