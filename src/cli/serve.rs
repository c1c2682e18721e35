//! `serve`: run the service.

use std::process::ExitCode;

use anyhow::Context as _;

use super::output::counted;
use super::{ConfigArgument, logs, stop_signal};
use crate::app::App;
use crate::prepared::prepare;
use crate::reload::log_warning;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let prepared = prepare(&arguments.config.sources())?;
    let (logs, level) = logs(&prepared.config.log)?;
    for warning in &prepared.config.warnings {
        log_warning(warning);
    }
    let proxy = &prepared.config.webex.proxy;
    if proxy.is_some() {
        tracing::info!(%proxy, "Webex is reached through the proxy {proxy}");
    }
    let receivers = prepared.config.routes.iter().count();
    let bots = prepared.config.bots.len();
    delivering_runtime()?.block_on(async {
        let stop = stop_signal();
        #[cfg(feature = "otel")]
        let traces = {
            // The collector is reached over TLS as Webex is.
            crate::webex::install_provider();
            crate::telemetry::Traces::start()?
        };
        let app = App::start(prepared)?.changing(level).watching();
        let address = app.address();
        if let Some(address) = app.admin_address() {
            tracing::info!(%address, "metrics, status and reload are on {address}");
        }
        let (of_receivers, of_bots) = (counted(receivers, "receiver"), counted(bots, "bot"));
        tracing::info!(
            %address, receivers, bots, version = env!("CARGO_PKG_VERSION"),
            "ready on {address}: {of_receivers}, {of_bots}",
        );
        let ended = tokio::select! {
            ended = app.run_until(stop) => ended.context("the server failed"),
            () = logs.tell_left_out() => Ok(()),
        };
        #[cfg(feature = "otel")]
        traces.finish().await;
        ended
    })?;
    logs.finish();
    Ok(ExitCode::SUCCESS)
}

/// One thread for all that is delivered. HTTP has workers of its own; what is left is a few
/// microseconds a message, and more threads would only pass it between them.
fn delivering_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
