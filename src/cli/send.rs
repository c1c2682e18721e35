//! `send`: deliver one notification the whole way, and say what became of it.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use url::Url;

use super::{BodyArgument, ConfigArgument, counted, logs, print, runtime, tell};
use crate::alertmanager::Notification;
use crate::app::{engine, prepare};
use crate::delivery::Outcome;
use crate::http::told;
use crate::routing::DEFAULT_RECEIVER;
use crate::webex::Https;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    body: BodyArgument,
    #[command(flatten)]
    config: ConfigArgument,
    /// The receiver of the configuration
    #[arg(long, value_name = "NAME", default_value = DEFAULT_RECEIVER, conflicts_with = "url")]
    receiver: String,
    /// Send to a running service instead, such as `http://127.0.0.1:9091/alertmanager`
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    url: Option<Url>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let body = arguments.body.read(jiff::Timestamp::now())?;
    match &arguments.url {
        Some(url) => runtime(1)?.block_on(to_service(url.clone(), body)),
        None => to_webex(arguments, &body),
    }
}

/// Posts the body as Alertmanager would, and shows the answer.
async fn to_service(url: Url, body: Vec<u8>) -> anyhow::Result<ExitCode> {
    tell(&format!("sending to {url}"));
    crate::webex::install_provider();
    let answer = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?
        .post(url)
        .header("Content-Type", "application/json")
        .body(body)
        .send()
        .await
        .context("the service does not answer; is it running, and is the URL right?")?;
    let status = answer.status();
    print(&answer.text().await?)?;
    if status.is_success() {
        Ok(ExitCode::SUCCESS)
    } else {
        tell(&format!("error: the service answered {status}"));
        Ok(ExitCode::FAILURE)
    }
}

/// Delivers with the engine that `serve` runs, in this process.
fn to_webex(arguments: &Arguments, body: &[u8]) -> anyhow::Result<ExitCode> {
    let prepared = prepare(&arguments.config.sources())?;
    logs(&prepared.config.log)?;
    let name = &arguments.receiver;
    let Some(receiver) = prepared.config.routes.find(name).cloned() else {
        bail!("no receiver is named `{name}`; choose one with `--receiver`");
    };
    let notification = Notification::parse(body)?;
    let https = Https::new(&prepared.config.webex)?;
    runtime(1)?.block_on(async {
        let (engine, _) = engine(&prepared.config, prepared.renderer, Arc::new(https))?;
        tell(&format!(
            "delivering to {}",
            counted(receiver.destinations.len(), "room")
        ));
        let outcome = engine.submit(&receiver, &notification).outcome().await;
        let done = matches!(outcome, Outcome::Delivered { .. } | Outcome::DryRun);
        print(&match outcome {
            // A service would go on; this process ends, and with it the delivery.
            Outcome::Unfinished(trouble) => format!("not delivered, and given up: {trouble}"),
            outcome => told(outcome),
        })?;
        Ok(if done {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}
