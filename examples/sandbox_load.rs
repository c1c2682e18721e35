//! Posts messages to the sandbox as fast as it takes them, and prints how fast that was.
//!
//! ```text
//! make bench-sandbox
//! cargo run --release --example sandbox_load -- --seconds 5 --connections 64
//! ```
//!
//! The release binary beside this program is started as `sandbox`, on a free port of loopback,
//! with its two workers. The posts go over kept connections, one at a time on each, from one
//! thread; so on two cores the sender takes a part of what it measures. The messages are small
//! alerts in Markdown, each distinct, and more than the 5,000 that are kept.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for the terminal that computes with small numbers"
)]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long is posted before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    let seconds = argument("--seconds")?.unwrap_or(5);
    let connections = argument("--connections")?.unwrap_or(32);
    let runs = argument("--runs")?.unwrap_or(3);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut best = 0.0_f64;
    for run in 1..=runs {
        let mut sandbox = Sandbox::start()?;
        let measured = runtime.block_on(measure(&sandbox, seconds, connections));
        let processor = sandbox.processor_seconds();
        let memory = sandbox.resident_mib();
        sandbox.stop()?;
        let mut latencies = measured?;
        latencies.sort_unstable();
        ensure!(!latencies.is_empty(), "nothing was answered");
        let rate = latencies.len() as f64 / f64::from(seconds);
        best = best.max(rate);
        let at = |share: usize| latencies[(latencies.len() - 1) * share / 100].as_secs_f64() * 1e3;
        println!(
            "run {run}: {rate:.0} posts a second over {connections} connections; \
             median {:.2} ms, p99 {:.2} ms; sandbox: {:.0} µs of CPU a post, {memory:.1} MiB",
            at(50),
            at(99),
            processor? * 1e6
                / (latencies.len() as f64 * (1.0 + WARM_UP.as_secs_f64() / f64::from(seconds))),
        );
    }
    println!("best of {runs}: {best:.0} posts a second");
    Ok(())
}

fn argument(name: &str) -> Result<Option<u32>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    let Some(_) = arguments.next() else {
        return Ok(None);
    };
    let value = arguments.next().with_context(|| format!("{name} N"))?;
    Ok(Some(
        value.parse().with_context(|| format!("{name} {value}"))?,
    ))
}

/// The sandbox as a process of its own.
struct Sandbox {
    process: Child,
    address: SocketAddr,
    room: String,
}

impl Sandbox {
    fn start() -> Result<Self> {
        let here = std::env::current_exe()?;
        let folder = here.parent().and_then(std::path::Path::parent);
        let binary = folder
            .context("this program has no folder")?
            .join("alertmanager-webex");
        let mut process = Command::new(&binary)
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{}: build it first", binary.display()))?;
        let told = process.stdout.take().context("it has no output")?;
        let (mut address, mut room) = (None, None);
        for line in BufReader::new(told).lines() {
            let line = line?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["API", url] => {
                    let host = url.strip_prefix("http://").unwrap_or(url);
                    address = Some(host.trim_end_matches("/v1").parse()?);
                }
                ["room", "ops", id] => {
                    room = Some((*id).to_owned());
                    break;
                }
                _ => {}
            }
        }
        Ok(Self {
            process,
            address: address.context("it told no address")?,
            room: room.context("it told no room `ops`")?,
        })
    }

    fn proc(&self, file: &str) -> Result<String> {
        Ok(std::fs::read_to_string(format!(
            "/proc/{}/{file}",
            self.process.id()
        ))?)
    }

    /// User and system time, in seconds: the kernel counts in hundredths.
    fn processor_seconds(&self) -> Result<f64> {
        let stat = self.proc("stat")?;
        let after_name = stat.rsplit_once(')').context("no name in stat")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / 100.0)
    }

    fn resident_mib(&self) -> f64 {
        let status = self.proc("status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    fn stop(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.stop();
    }
}

async fn measure(sandbox: &Sandbox, seconds: u32, connections: u32) -> Result<Vec<Duration>> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + Duration::from_secs(seconds.into());
    let mut senders = JoinSet::new();
    for number in 0..connections {
        let (address, room) = (sandbox.address, sandbox.room.clone());
        senders.spawn(async move { send(address, &room, number, begin, end).await });
    }
    let mut latencies = Vec::new();
    while let Some(sent) = senders.join_next().await {
        latencies.extend(sent??);
    }
    Ok(latencies)
}

/// Posts one message after the other until `end`; how long each one took from `begin` on.
async fn send(
    address: SocketAddr,
    room: &str,
    sender: u32,
    begin: Instant,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    for number in 0.. {
        let body = format!(
            "{{\"roomId\":\"{room}\",\"markdown\":\"**Firing** `DiskFull` on `db-{sender}-{number}`\\n\\n\
             Disk is 97 % full, for **14 minutes**. [Graph](https://prometheus.example.org/graph?g0.expr=disk) \
             · [Silence](https://alertmanager.example.org/#/silences/new)\"}}"
        );
        let request = format!(
            "POST /v1/messages HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sandbox\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        stream.write_all(request.as_bytes()).await?;
        read_answer(&mut stream, &mut buffer).await?;
        if sent >= begin {
            latencies.push(sent.elapsed());
        }
    }
    Ok(latencies)
}

/// Reads one whole answer, which must be 200.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the sandbox closed the connection");
        filled += read;
        let text = &buffer[..filled];
        let Some(head) = text.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let lines = std::str::from_utf8(&text[..head])?;
        ensure!(lines.starts_with("HTTP/1.1 200 "), "answered {lines}");
        let length = lines
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .context("an answer without a length")?
            .1
            .parse::<usize>()?;
        if filled >= head + 4 + length {
            return Ok(());
        }
    }
}
