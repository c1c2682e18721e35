//! `render`: what would this notification become?

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use super::{body, print, tell};
use crate::alertmanager::Notification;
use crate::app::prepare;
use crate::config::Sources;
use crate::render::{
    DEFAULT_TEMPLATE, MESSAGE_BYTES, Options, ReceiverData, Renderer, Subject, plain_text,
};
use crate::routing::DEFAULT_RECEIVER;
use crate::webex::NewMessage;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A webhook body of Alertmanager; without it, or as `-`, stdin is read
    file: Option<PathBuf>,
    /// The configuration whose receiver and templates are meant; without it, the built-in ones
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The receiver of the configuration
    #[arg(long, value_name = "NAME", requires = "config")]
    receiver: Option<String>,
    /// Another template than the receiver's
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// What to show
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Webex's Markdown
    Markdown,
    /// What is sent where Webex refuses the Markdown
    Text,
    /// The bodies of the requests to Webex
    Request,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let chosen = choose(arguments)?;
    let template = arguments.template.as_deref().unwrap_or(&chosen.template);
    if !chosen.renderer.contains(template) {
        let known = chosen.renderer.names().join("`, `");
        bail!("no template is named `{template}`; known templates: `{known}`");
    }
    let body = body(arguments.file.as_ref())?;
    let notification = Notification::parse(&body)?;
    let rendered = chosen.renderer.render(&Subject {
        notification: &notification,
        receiver: &chosen.receiver,
        template,
        data: chosen.data.as_ref(),
        changed: None,
        now: jiff::Timestamp::now(),
    });
    let parts = rendered.messages.len();
    for (number, message) in rendered.messages.iter().enumerate() {
        let text = match arguments.format {
            Format::Markdown => message.markdown.clone(),
            Format::Text => plain_text(&message.markdown),
            Format::Request => serde_json::to_string_pretty(&NewMessage {
                room_id: &chosen.room_id,
                markdown: Some(&message.markdown),
                text: None,
            })?,
        };
        print(&text)?;
        tell(&format!(
            "message {} of {parts}: {} of {MESSAGE_BYTES} bytes",
            number + 1,
            message.markdown.len(),
        ));
    }
    match rendered.fallback {
        None => Ok(ExitCode::SUCCESS),
        Some(fallback) => {
            tell(&format!("error: {fallback}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

struct Chosen {
    renderer: Renderer,
    receiver: String,
    template: String,
    data: Option<ReceiverData>,
    room_id: String,
}

fn choose(arguments: &Arguments) -> anyhow::Result<Chosen> {
    let name = arguments.receiver.as_deref().unwrap_or(DEFAULT_RECEIVER);
    let Some(file) = &arguments.config else {
        return Ok(Chosen {
            renderer: Renderer::new(&Options::default())?,
            receiver: name.to_owned(),
            template: DEFAULT_TEMPLATE.to_owned(),
            data: None,
            room_id: "ROOM".to_owned(),
        });
    };
    let prepared = prepare(&Sources::new(Some(file.clone())))?;
    let receiver =
        prepared.config.routes.find(name).with_context(|| {
            format!("no receiver is named `{name}`; choose one with `--receiver`")
        })?;
    Ok(Chosen {
        receiver: name.to_owned(),
        template: receiver.template.clone(),
        data: Some(receiver.messages.clone()),
        room_id: receiver
            .destinations
            .first()
            .map_or_else(String::new, |destination| destination.room_id.to_string()),
        renderer: prepared.renderer,
    })
}
