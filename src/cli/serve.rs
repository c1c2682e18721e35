//! `serve`: run the service.

use std::process::ExitCode;

use anyhow::Context as _;

use super::{ConfigArgument, counted, logs, runtime, stop_signal};
use crate::app::{App, prepare};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let prepared = prepare(&arguments.config.sources())?;
    logs(&prepared.config.log)?;
    for warning in &prepared.config.warnings {
        tracing::warn!("{warning}");
    }
    let proxy = &prepared.config.webex.proxy;
    if proxy.is_some() {
        tracing::info!(%proxy, "Webex is reached through the proxy {proxy}");
    }
    let receivers = prepared.config.routes.iter().count();
    let bots = prepared.config.bots.len();
    runtime(prepared.config.server.workers.get())?.block_on(async {
        let stop = stop_signal();
        let app = App::start(prepared)?.watching();
        let address = app.address();
        if let Some(address) = app.admin_address() {
            tracing::info!(%address, "metrics are on {address}");
        }
        tracing::info!(
            %address, receivers, bots, version = env!("CARGO_PKG_VERSION"),
            "ready on {address}: {}, {}", counted(receivers, "receiver"), counted(bots, "bot"),
        );
        app.run_until(stop).await.context("the server failed")
    })?;
    Ok(ExitCode::SUCCESS)
}
