//! `check`: is this configuration one that works?

use std::process::ExitCode;

use super::{ConfigArgument, counted, print, tell};
use crate::alertmanager::Notification;
use crate::app::prepare;
use crate::render::Subject;

/// A notification that any template must be able to show.
const SAMPLE: &[u8] = include_bytes!("../../examples/notification.json");

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let prepared = prepare(&arguments.config.sources())?;
    let config = &prepared.config;
    for warning in &config.warnings {
        tell(&warning.to_string());
    }
    // Where a configuration is written, its secrets are rarely at hand.
    for (name, bot) in &config.bots {
        if let Err(error) = bot.token.read() {
            tell(&format!(
                "warning: bot `{name}`: {error}\n  hint: `serve` needs it; here nothing depends on it"
            ));
        }
    }
    let notification = Notification::parse(SAMPLE)?;
    let mut failed = 0;
    for receiver in config.routes.iter() {
        let rendered = prepared.renderer.render(&Subject {
            notification: &notification,
            receiver: &receiver.name,
            template: &receiver.template,
            data: Some(&receiver.messages),
            changed: None,
            now: jiff::Timestamp::now(),
        });
        if let Some(fallback) = rendered.fallback {
            failed += 1;
            tell(&format!(
                "error: `receivers.{}.template`: {fallback}",
                receiver.name
            ));
        }
    }
    if failed > 0 {
        return Ok(ExitCode::FAILURE);
    }
    print(&format!(
        "ok: {}, {}, {}",
        counted(config.bots.len(), "bot"),
        counted(config.routes.iter().count(), "receiver"),
        counted(prepared.renderer.names().len(), "template")
    ))?;
    Ok(ExitCode::SUCCESS)
}
