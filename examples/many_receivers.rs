//! Starts the service with two thousand receivers, reloads it, and prints what that takes.
//!
//! ```text
//! cargo run --release --example many_receivers            # or with another number behind `--`
//! ```
//!
//! Each receiver has a name as prometheus-operator makes it, a room, a namespace and a token file
//! of its own. Start is from reading the file to listening, without the time of the system to load
//! the program. Reload is what a caller of `POST /-/reload` waits.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use alertmanager_webex::app::App;
use alertmanager_webex::config::Sources;
use alertmanager_webex::prepared::prepare;
use alertmanager_webex::webex;
use anyhow::{Context as _, Result, ensure};

fn main() -> Result<()> {
    webex::install_provider();
    let receivers = match std::env::args().nth(1) {
        Some(number) => number.parse().context("the number of receivers")?,
        None => 2000,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(measure(receivers))
}

async fn measure(receivers: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("config.toml");
    std::fs::write(&config, toml(folder.path(), receivers, "default")?)?;
    let sources = Sources {
        file: Some(config.clone()),
        environment: BTreeMap::from([("TOKEN".to_owned(), "t".to_owned())]),
    };
    let before = memory()?;
    let start = Instant::now();
    let app = App::start(prepare(&sources)?)?;
    let started = start.elapsed();
    let after_start = memory()?;
    let url = format!("http://{}", app.address());
    let running = tokio::spawn(app.run_until(std::future::pending()));
    let client = reqwest::Client::builder().no_proxy().build()?;

    let mut reloads = Vec::new();
    for round in 0..10 {
        let template = ["compact", "default"][round % 2];
        std::fs::write(&config, toml(folder.path(), receivers, template)?)?;
        let start = Instant::now();
        let answer = client.post(format!("{url}/-/reload")).send().await?;
        reloads.push(start.elapsed());
        ensure!(answer.status().is_success(), "{}", answer.text().await?);
    }
    let after_reloads = memory()?;
    let start = Instant::now();
    let metrics = client
        .get(format!("{url}/metrics"))
        .header("Accept", "application/openmetrics-text;version=1.0.0")
        .send()
        .await?
        .text()
        .await?;
    let scraped = start.elapsed();
    let classic = client.get(format!("{url}/metrics")).send().await?;
    let classic = classic.text().await?;
    running.abort();

    println!("receivers                  {receivers}");
    println!("start                      {}", ms(started));
    reloads.sort();
    println!(
        "reload, median of 10       {}",
        ms(reloads[reloads.len() / 2])
    );
    println!(
        "reload, slowest            {}",
        ms(reloads[reloads.len() - 1])
    );
    println!(
        "/metrics                   {:.2} MB in {}",
        megabytes(metrics.len()),
        ms(scraped)
    );
    println!(
        "/metrics, classic          {:.2} MB",
        megabytes(classic.len())
    );
    println!("memory before              {:.1} MB", megabytes(before));
    println!(
        "memory after start         {:.1} MB",
        megabytes(after_start)
    );
    println!(
        "memory after 10 reloads    {:.1} MB",
        megabytes(after_reloads)
    );
    println!("memory after /metrics      {:.1} MB", megabytes(memory()?));
    Ok(())
}

fn toml(folder: &Path, receivers: usize, template: &str) -> Result<String> {
    let mut text = String::from(
        "[server]\nlisten = \"127.0.0.1:0\"\n[webex]\nbase_url = \"http://127.0.0.1:9/v1\"\n\
         [bots.default]\ntoken_env = \"TOKEN\"\n",
    );
    for number in 0..receivers {
        let token = folder.join(format!("token-{number}"));
        if !token.exists() {
            std::fs::write(&token, format!("a-token-of-team-{number}-and-no-other"))?;
        }
        write!(
            text,
            "[receivers.\"team-{number:04}/alerts/webex\"]\n\
             rooms = [\"Y2lzY29zcGFyazovL3VzL1JPT00v{number:016}\"]\n\
             namespaces = [\"team-{number:04}\"]\n\
             template = \"{template}\"\nbearer_token_file = \"{}\"\n",
            token.display()
        )?;
    }
    Ok(text)
}

/// What the process holds, in bytes.
fn memory() -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no VmRSS")?.parse::<usize>()? * 1024)
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

#[allow(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
