//! `POST /-/reload`: read the configuration again, now.
//!
//! What does not belong here: how it is read and swapped (`crate::reload`).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::answers::{Answer, reloaded};
use super::{Door, Service};
use crate::config::Changes;

/// Requests that wait while one is read; those beyond wait at the door.
const WAITING: usize = 16;

/// Why a configuration was not taken: each problem as `check` prints it.
pub type Refused = Vec<String>;

/// Somebody asks for a reload, and wants to hear what came of it.
pub type Asked = oneshot::Sender<Result<Changes, Refused>>;

/// What is known of the configuration, for people.
#[derive(Debug, Clone)]
pub struct Status {
    /// When the one that counts was loaded.
    pub loaded_at: Timestamp,
    /// When a later one was refused, if it was.
    pub refused_at: Option<Timestamp>,
    /// What is wrong with that one, as `check` prints it.
    pub errors: Refused,
    /// Keys that differ from what the process was started with, and count only after a
    /// restart.
    pub restart: Vec<String>,
    /// What it warns of, as `check` prints it.
    pub warnings: Vec<String>,
}

/// The way from a request to whoever reloads.
#[derive(Debug)]
pub struct Reloads {
    ask: mpsc::Sender<Asked>,
    status: watch::Receiver<Status>,
}

/// The other end of [`Reloads`].
#[derive(Debug)]
pub struct ReloadRequests {
    /// Who asks.
    pub asked: mpsc::Receiver<Asked>,
    /// What is told.
    pub status: watch::Sender<Status>,
}

impl Reloads {
    /// Both ends; the configuration was loaded just now, with these warnings.
    #[must_use]
    pub fn new(warnings: Vec<String>) -> (Self, ReloadRequests) {
        let (ask, asked) = mpsc::channel(WAITING);
        let (tell, status) = watch::channel(Status {
            loaded_at: Timestamp::now(),
            refused_at: None,
            errors: Vec::new(),
            restart: Vec::new(),
            warnings,
        });
        let requests = ReloadRequests {
            asked,
            status: tell,
        };
        (Self { ask, status }, requests)
    }

    /// What is known of the configuration.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }
}

/// Reloads, and says what changed or why nothing did.
pub(super) async fn reload(
    request: HttpRequest,
    service: Data<Service>,
    door: Data<Door>,
) -> HttpResponse {
    let current = service.current.load_full();
    if let Err(rejection) = current.callers.admit_reload(request.head(), **door) {
        return Answer::from(rejection).into_response();
    }
    drop(current);
    let (tell, told) = oneshot::channel();
    let done = match service.reloads.ask.send(tell).await {
        Ok(()) => told.await.ok(),
        Err(_) => None,
    };
    reloaded(done)
}
