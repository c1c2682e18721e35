//! Sends a notification the way an Alertmanager does: by HTTP, to the service's own port. So
//! what is shown is what would happen, from the first check to the answer.
//!
//! A template that is tried out is parsed here, kept in memory, and named in a header; the
//! service takes it for that one notification instead of the configured ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Inner;
use super::book::Place;
use super::error::Error;
use super::requests::Send;
use super::standing::room_id;
use crate::http::TRY_HEADER;
use crate::render::samples::Sequence;

/// Requests at once. An Alertmanager sends all groups at once; here both ends of each
/// connection are this process', and it may open a thousand files.
const AT_ONCE: usize = 200;
/// Longer than `delivery.answer_within`.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How much faster a sequence is played than it would happen: a minute is a second.
const FASTER: u32 = 60;
/// The most messages that are named in the answer.
const MOST_MESSAGES: usize = 20;
/// A receiver's name may hold slashes, and they stay.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

/// What became of it.
#[derive(Debug, Serialize)]
pub(super) struct Sent {
    receiver: Arc<str>,
    /// How many notifications were sent.
    notifications: usize,
    /// What Alertmanager would have been told, each answer once.
    answers: Vec<Told>,
    /// The messages that came of it so far.
    messages: Vec<Place>,
    rooms: Vec<Room>,
}

/// An answer of the service.
#[derive(Debug, Serialize)]
struct Told {
    /// HTTP status; 0 where there was no answer.
    status: u16,
    reason: String,
    message: String,
    /// How many notifications were answered so.
    count: usize,
}

/// Where to look.
#[derive(Debug, Serialize)]
struct Room {
    /// None of a person: which room a direct message is in is known when it was posted.
    id: Option<Arc<str>>,
    name: Arc<str>,
}

/// The body of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    reason: String,
    message: String,
}

/// A client for the service: never through a proxy, as it is this process.
pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
}

/// Sends, and waits for all answers. What has not arrived by then still does: the delivery
/// goes on, and is shown as it does.
pub(super) async fn send(dev: &Arc<Inner>, asked: Send) -> Result<Sent, Error> {
    let turn = dev.sending.try_acquire().map_err(|_| Error::Busy("sent"))?;
    let receiver = asked.receiver(dev.engine.loaded().routes())?;
    let bodies = asked.fresh_bodies(Timestamp::now())?;
    let sequence = asked.sequence();
    let tried = if asked.tries_a_template() {
        let (options, receiver) = (dev.options.clone(), Arc::clone(&receiver));
        let parsed = dev
            .runtime
            .spawn_blocking(move || asked.renderer(&options, &receiver))
            .await
            .map_err(|_| Error::Panicked)?;
        let (renderer, template) = parsed?;
        Some(dev.book.try_out(renderer, template))
    } else {
        None
    };
    let path = utf8_percent_encode(&receiver.name, IN_PATH);
    let url = format!("http://{}/alertmanager/{path}", dev.service);
    let target = Target {
        client: dev.client.clone(),
        url,
        tried,
    };
    // On the program's own threads, so that a page that goes away stops nothing.
    let sent = match sequence {
        Some(sequence) => dev.runtime.spawn(one_by_one(target, sequence)),
        None => dev.runtime.spawn(at_once(target, bodies)),
    };
    let (bodies, answers) = sent.await.map_err(|_| Error::Panicked)?;
    drop(turn);
    Ok(Sent {
        notifications: bodies.len(),
        answers: counted(answers),
        messages: dev.book.messages_of(&bodies, MOST_MESSAGES),
        rooms: receiver
            .destinations
            .iter()
            .map(|destination| Room {
                id: room_id(destination),
                name: Arc::clone(&destination.name),
            })
            .collect(),
        receiver: Arc::clone(&receiver.name),
    })
}

/// What was sent, and how each was answered.
type Answered = (Vec<Bytes>, Vec<(u16, Body)>);

/// As an Alertmanager sends the groups of an outage.
async fn at_once(target: Target, bodies: Vec<String>) -> Answered {
    let bodies: Vec<Bytes> = bodies.into_iter().map(Into::into).collect();
    let posts: Vec<_> = bodies
        .iter()
        .map(|body| target.post(body.clone()))
        .collect();
    let answers = futures_util::stream::iter(posts)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    (bodies, answers)
}

/// As an Alertmanager tells of a group while time goes by, only faster.
async fn one_by_one(target: Target, sequence: &'static Sequence) -> Answered {
    let start = Timestamp::now();
    let (mut bodies, mut answers) = (Vec::new(), Vec::new());
    for step in sequence.steps {
        tokio::time::sleep(step.pause / FASTER).await;
        let body = Bytes::from(step.body(start, Timestamp::now()));
        answers.push(target.post(body.clone()).await);
        bodies.push(body);
    }
    (bodies, answers)
}

/// Where notifications are sent to, and with which templates.
struct Target {
    client: reqwest::Client,
    url: String,
    tried: Option<String>,
}

impl Target {
    fn post(&self, body: Bytes) -> impl Future<Output = (u16, Body)> + std::marker::Send + use<> {
        let mut request = self
            .client
            .post(&self.url)
            .header("Content-Type", "application/json")
            .body(body);
        if let Some(tried) = &self.tried {
            request = request.header(TRY_HEADER, tried);
        }
        async move {
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) => {
                    let body = Body {
                        reason: "unreachable".to_owned(),
                        message: format!("the service does not answer: {error}"),
                    };
                    return (0, body);
                }
            };
            let status = answer.status().as_u16();
            let text = answer.bytes().await.unwrap_or_default();
            (status, serde_json::from_slice(&text).unwrap_or_default())
        }
    }
}

/// Each answer once, the most frequent first.
fn counted(answers: Vec<(u16, Body)>) -> Vec<Told> {
    let mut by_reason: BTreeMap<(u16, String), Told> = BTreeMap::new();
    for (status, body) in answers {
        let entry = by_reason
            .entry((status, body.reason.clone()))
            .or_insert_with(|| Told {
                status,
                reason: body.reason,
                message: body.message,
                count: 0,
            });
        entry.count += 1;
    }
    let mut told: Vec<Told> = by_reason.into_values().collect();
    told.sort_by_key(|told| std::cmp::Reverse(told.count));
    told
}
