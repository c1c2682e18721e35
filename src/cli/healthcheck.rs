//! `healthcheck`: is the service that runs here ready? For platforms that run a command to
//! know, as `docker` and `compose` do; Kubernetes asks the endpoint itself.

use std::process::ExitCode;
use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use super::output::{print, tell_config};
use super::{ConfigArgument, runtime};
use crate::config::{ConfigError, Draft, Server};
use crate::http::Probe;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Where the service is, such as `http://127.0.0.1:9091`; else where the configuration says
    #[arg(long, value_name = "URL", value_parser = address)]
    url: Option<Url>,
    /// How long the answer may take
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    timeout: Duration,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // A configuration that cannot be read is exit 2 elsewhere, which Docker reserves here.
    let server = match server(&arguments.config) {
        Ok(server) => server,
        Err(error) => {
            tell_config(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    let probe = Probe::new(&server, arguments.url.as_ref(), arguments.timeout)?;
    runtime(1)?.block_on(probe.ask())?;
    print(&format!("ready: {}", probe.url))?;
    Ok(ExitCode::SUCCESS)
}

/// How the service is reached. What else the file says may be under repair.
fn server(config: &ConfigArgument) -> Result<Server, ConfigError> {
    Draft::read(&config.sources())?.server()
}

fn address(text: &str) -> Result<Url, String> {
    let example = "write it like `http://127.0.0.1:9091`";
    match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(url),
        Ok(_) => Err(format!("this is not the address of a service; {example}")),
        Err(error) => Err(format!("{error}; {example}")),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "this is no time; write it like `5s`".to_owned())
}
