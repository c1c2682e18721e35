//! `send`: deliver notifications the whole way, and say what became of them.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use jiff::Timestamp;
use url::Url;

use super::body::BodyArgument;
use super::caller::{Caller, CallerArguments, unanswered};
use super::output::{counted, print, tell};
use super::{ConfigArgument, logs, runtime};
use crate::alertmanager::Notification;
use crate::app::engine;
use crate::delivery::Outcome;
use crate::http::told;
use crate::prepared::prepare;
use crate::render::samples::Sequence;
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
    #[command(flatten)]
    caller: CallerArguments,
    /// How many times faster than in life a sequence such as `--sample life` is sent
    /// [default: 60]
    #[arg(long, value_name = "N", value_parser = speed)]
    speed: Option<f64>,
}

/// A minute of life is a second.
const SPEED: f64 = 60.0;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let play = Play::of(arguments)?;
    match &arguments.url {
        Some(url) => runtime(1)?.block_on(to_service(url, &arguments.caller.caller()?, &play)),
        None => to_webex(arguments, &play),
    }
}

/// What is to be sent.
enum Play {
    One(Vec<u8>),
    /// One after the other, so many times faster than in life.
    Sequence(&'static Sequence, f64),
}

impl Play {
    fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        match (arguments.body.sequence(), arguments.speed) {
            (Some(sequence), speed) => Ok(Self::Sequence(sequence, speed.unwrap_or(SPEED))),
            (None, None) => Ok(Self::One(arguments.body.read(Timestamp::now())?)),
            (None, Some(_)) => {
                bail!("`--speed` is for a sequence, such as `--sample life`; leave it out")
            }
        }
    }

    /// Sends each notification when its time has come. Ends with the first that fails.
    async fn each(
        &self,
        mut send: impl AsyncFnMut(&[u8]) -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<ExitCode> {
        let (sequence, speed) = match self {
            Self::One(body) => return send(body).await,
            Self::Sequence(sequence, speed) => (sequence, speed),
        };
        let start = Timestamp::now();
        for (number, step) in sequence.steps.iter().enumerate() {
            tokio::time::sleep(step.pause.div_f64(*speed)).await;
            let (number, of) = (number + 1, sequence.steps.len());
            tell(&format!("{number} of {of}: {}", step.shows));
            let body = step.body(start, Timestamp::now());
            if send(body.as_bytes()).await? != ExitCode::SUCCESS {
                if number < of {
                    tell(&format!(
                        "stopped; {} not sent",
                        counted(of - number, "notification")
                    ));
                }
                return Ok(ExitCode::FAILURE);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Takes a speed that ends within a day, and that a clock can count.
fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text
        .parse()
        .map_err(|_| "this is not a number; write it like `60`".to_owned())?;
    if (0.01..=1e6).contains(&speed) {
        Ok(speed)
    } else {
        Err("this is not within 0.01 and 1000000".to_owned())
    }
}

/// Posts as Alertmanager would, and shows the answers.
async fn to_service(url: &Url, caller: &Caller, play: &Play) -> anyhow::Result<ExitCode> {
    tell(&format!("sending to {url}"));
    play.each(async |body| {
        let answer = caller
            .post(url)
            .header("Content-Type", "application/json")
            .body(body.to_vec())
            .send()
            .await
            .map_err(|error| unanswered(&error))?;
        let status = answer.status();
        print(&answer.text().await?)?;
        if status.is_success() {
            Ok(ExitCode::SUCCESS)
        } else {
            tell(&format!("error: the service answered {status}"));
            Ok(ExitCode::FAILURE)
        }
    })
    .await
}

/// Delivers with the engine that `serve` runs, in this process.
fn to_webex(arguments: &Arguments, play: &Play) -> anyhow::Result<ExitCode> {
    let prepared = prepare(&arguments.config.sources())?;
    logs(&prepared.config.log)?;
    let name = &arguments.receiver;
    let Some(receiver) = prepared.config.routes.find(name).cloned() else {
        bail!("no receiver is named `{name}`; choose one with `--receiver`");
    };
    if let Play::One(body) = play {
        Notification::parse(body)?;
    }
    let https = Https::new(&prepared.config.webex)?;
    runtime(1)?.block_on(async {
        let (engine, _) = engine(&prepared.config, prepared.renderer, Arc::new(https))?;
        tell(&format!(
            "delivering to {}",
            counted(receiver.destinations.len(), "room")
        ));
        play.each(async |body| {
            let notification = Notification::parse(body)?;
            let dispatch = engine.dispatch(&engine.loaded(), &receiver, None, &notification);
            let outcome = dispatch.outcome().await;
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
        .await
    })
}
