//! Sends notifications as Alertmanager does: over kept connections, one at a time on each.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::bodies::Body;
use crate::wire::Wire;

/// What is to be sent.
pub(crate) struct Load {
    pub(crate) to: SocketAddr,
    /// Of how many receivers each notification goes to the next.
    pub(crate) receivers: u32,
    pub(crate) connections: usize,
    /// How many notifications.
    pub(crate) count: u32,
    /// How many alerts each of them has.
    pub(crate) alerts: usize,
    /// Numbers begin with this; none may be sent twice.
    pub(crate) first: u32,
}

/// How it was answered.
#[derive(Default)]
pub(crate) struct Answers {
    /// How many answers had which status.
    pub(crate) statuses: BTreeMap<u16, u32>,
    /// How long each took, from the shortest on.
    pub(crate) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
}

impl Answers {
    /// Notifications that were answered otherwise than with 200.
    pub(crate) fn failed(&self) -> u32 {
        let statuses = self.statuses.iter();
        statuses
            .filter(|(status, _)| **status != 200)
            .map(|(_, count)| count)
            .sum()
    }

    /// Notifications a second.
    pub(crate) fn rate(&self) -> f64 {
        let answered: u32 = self.statuses.values().sum();
        f64::from(answered) / self.took.as_secs_f64()
    }

    /// The latency that so many in a hundred do not exceed.
    pub(crate) fn percentile(&self, hundredths: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let at = last * hundredths / 100;
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

/// One thread that sends.
pub(crate) struct Sender(Runtime);

impl Sender {
    pub(crate) fn new() -> Result<Self> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Ok(Self(runtime.enable_all().build()?))
    }

    /// Sends it all and waits for the answers.
    pub(crate) fn send(&self, load: &Load) -> Result<Answers> {
        self.0.block_on(send(load))
    }
}

async fn send(load: &Load) -> Result<Answers> {
    let body = Arc::new(Body::new(load.alerts));
    let next = Arc::new(AtomicU32::new(0));
    let mut streams = Vec::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(load.to).await;
        streams.push(stream.with_context(|| format!("cannot connect to {}", load.to))?);
    }
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for stream in streams {
        let (body, next) = (Arc::clone(&body), Arc::clone(&next));
        let (to, receivers, first, count) = (load.to, load.receivers, load.first, load.count);
        senders.spawn(async move {
            let mut wire = Wire::new(stream)?;
            let mut answers = Answers::default();
            let mut request = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok::<_, anyhow::Error>(answers);
                }
                request.clear();
                head(
                    &mut request,
                    to,
                    (receivers > 1).then(|| index % receivers),
                    body.len(),
                )?;
                body.write(first + index, &mut request);
                let sent = Instant::now();
                wire.stream.write_all(&request).await?;
                let answer = wire
                    .read()
                    .await?
                    .context("the relay closed the connection")?;
                let status = answer.status()?;
                answers.latencies.push(sent.elapsed());
                *answers.statuses.entry(status).or_default() += 1;
            }
        });
    }
    let mut all = Answers::default();
    while let Some(answers) = senders.join_next().await {
        let answers = answers??;
        all.latencies.extend(answers.latencies);
        for (status, count) in answers.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
    }
    all.took = begun.elapsed();
    all.latencies.sort_unstable();
    Ok(all)
}

fn head(
    request: &mut Vec<u8>,
    to: SocketAddr,
    receiver: Option<u32>,
    length: usize,
) -> std::io::Result<()> {
    let path = receiver.map_or_else(String::new, |number| format!("/team-{number}"));
    write!(
        request,
        "POST /alertmanager{path} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: Alertmanager/0.34.2\r\n\
         Content-Length: {length}\r\nContent-Type: application/json\r\n\r\n"
    )
}
