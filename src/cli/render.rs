//! `render`: what would this notification become?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use super::ConversationMode;
use super::body::{self, BodyArgument, built_in_samples};
use super::fallback::report;
use super::output::{failed, print, tell};
use super::room::{self, Told, Voice};
use super::watch::watch;
use crate::alertmanager::Notification;
use crate::config::{Draft, Sources};
use crate::delivery::recipient;
use crate::prepared::prepare_with;
use crate::render::{
    CARD_BYTES, DEFAULT_TEMPLATE, MESSAGE_BYTES, Message, Options, ReceiverData, Rendered,
    Renderer, Subject, plain_text,
};
use crate::routing::{Conversation, DEFAULT_RECEIVER, Target};
use crate::sandbox::{self, html};
use crate::webex::{Attachment, IncomingMessage, NewMessage};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    body: BodyArgument,
    /// List the built-in notifications
    #[arg(long, conflicts_with_all = ["file", "sample", "watch", "after", "conversation"])]
    list_samples: bool,
    /// The configuration whose receiver and templates are meant; without it, the built-in ones
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The receiver of the configuration
    #[arg(long, value_name = "NAME", requires = "config")]
    receiver: Option<String>,
    /// Another template than the receiver's: its name, or a file `NAME.md`, beside which
    /// `NAME.card.json` is its card
    #[arg(long, value_name = "NAME|FILE")]
    template: Option<String>,
    /// Notifications that came before, in their order; then the room is shown as it looks
    /// after all of them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    after: Vec<PathBuf>,
    /// What becomes of later notifications of a group, with `--after`; without it what the
    /// receiver says, and `thread` without a configuration
    #[arg(long, value_enum, value_name = "MODE")]
    conversation: Option<ConversationMode>,
    /// What to show
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,
    /// Show it again whenever the template, the configuration or the notification changes
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Webex's Markdown
    Markdown,
    /// What is sent where Webex refuses the Markdown
    Text,
    /// What Webex makes of the Markdown, nearly
    Html,
    /// The Adaptive Card that goes with it
    Card,
    /// The bodies of the requests to Webex
    Request,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.list_samples {
        for (name, shows) in built_in_samples() {
            print(&format!("{name:<18} {shows}"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    // Read once where it comes from stdin; a file may change while it is watched.
    let from_file = arguments.body.file.as_deref() != Some(Path::new("-"))
        && (arguments.body.file.is_some() || arguments.body.sample.is_some());
    let read = || arguments.body.read(jiff::Timestamp::now());
    let body = read()?;
    if !arguments.watch {
        return show(arguments, &body);
    }
    watch(&watched(arguments)?, || {
        let body = if from_file { read() } else { Ok(body.clone()) };
        if let Err(error) = body.and_then(|body| show(arguments, &body)) {
            failed(&error);
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What it depends on: the files that are named, and the directory of the templates.
fn watched(arguments: &Arguments) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = arguments.body.file.iter().cloned().collect();
    paths.extend(arguments.after.iter().cloned());
    paths.extend(arguments.config.clone());
    if let Some(file) = template_file(arguments) {
        paths.push(file.with_extension("card.json"));
        paths.push(file);
    }
    if let Some(config) = &arguments.config {
        let sources = Sources::new(Some(config.clone()));
        let draft = Draft::read(&sources)?;
        paths.extend(draft.render_options().directory);
    }
    if paths.is_empty() {
        bail!("there is nothing to watch; name a file, or a template with `--template FILE`");
    }
    Ok(paths)
}

/// Renders and shows it once.
fn show(arguments: &Arguments, body: &[u8]) -> anyhow::Result<ExitCode> {
    let chosen = choose(arguments)?;
    let template = &chosen.template;
    if !chosen.renderer.contains(template) {
        let known = chosen.renderer.names().join("`, `");
        bail!("no template is named `{template}`; known templates: `{known}`");
    }
    if !arguments.after.is_empty() || arguments.body.sequence().is_some() {
        return show_room(arguments, chosen, body);
    }
    if arguments.conversation.is_some() {
        bail!("one notification is told alike in all of them; name earlier ones with `--after`");
    }
    let notification = Notification::parse(body)?;
    let rendered = chosen.renderer.render(&Subject {
        notification: &notification,
        receiver: &chosen.receiver,
        template,
        data: chosen.data.as_ref(),
        changed: None,
        conversation: None,
        now: jiff::Timestamp::now(),
    });
    for (number, message) in rendered.messages.iter().enumerate() {
        if let Some(data) = data(arguments.format, message, &chosen.target)? {
            print(&data)?;
        }
        tell(&budget(number + 1, rendered.messages.len(), message));
    }
    finish(arguments, &rendered, template)
}

/// Shows the room as it looks after several notifications.
fn show_room(arguments: &Arguments, chosen: Chosen, body: &[u8]) -> anyhow::Result<ExitCode> {
    let look = |message: &sandbox::Message| -> Option<String> {
        match arguments.format {
            Format::Markdown => message.markdown.clone().or_else(|| message.text.clone()),
            Format::Text => message.text.clone(),
            Format::Html => message.html.clone(),
            Format::Card | Format::Request => None,
        }
    };
    if matches!(arguments.format, Format::Card | Format::Request) {
        bail!(
            "a room is shown as `markdown`, `text` or `html`; name one notification alone for this"
        );
    }
    let mut told = Vec::new();
    for path in &arguments.after {
        let body = body::read(Some(path))?;
        told.push(Told {
            name: path.display().to_string(),
            body,
        });
    }
    let now = jiff::Timestamp::now();
    match arguments.body.sequence() {
        Some(sequence) => told.extend(sequence.steps.iter().map(|step| Told {
            name: step.shows.to_owned(),
            body: step.body(now, now).into_bytes(),
        })),
        None => told.push(Told {
            name: match &arguments.body.file {
                Some(path) => path.display().to_string(),
                None => "the notification".to_owned(),
            },
            body: body.to_vec(),
        }),
    }
    let mode = match (arguments.conversation, &arguments.config) {
        (None, None) => Some(ConversationMode::Thread),
        (mode, _) => mode,
    };
    let voice = Voice {
        receiver: chosen.receiver,
        template: chosen.template,
        data: chosen.data,
        conversation: chosen.conversation,
        mode,
    };
    let room = room::after(voice, chosen.renderer, &told)?;
    print(&room::shown(&room.messages, look))?;
    Ok(if room.all_told {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What goes to stdout for a message.
fn data(format: Format, message: &Message, target: &Target) -> anyhow::Result<Option<String>> {
    let card = message.card.as_ref();
    Ok(Some(match format {
        Format::Markdown => message.markdown.clone(),
        Format::Text => plain_text(&message.markdown),
        Format::Html => html(&message.markdown),
        Format::Card => {
            let Some(card) = card else { return Ok(None) };
            let card: serde_json::Value = serde_json::from_str(card.json())?;
            serde_json::to_string_pretty(&card)?
        }
        Format::Request => match recipient(target) {
            Some(to) => serde_json::to_string_pretty(&NewMessage {
                to,
                markdown: Some(&message.markdown),
                text: None,
                parent_id: None,
                attachments: card
                    .and_then(|card| Attachment::card(card.json()))
                    .map(|card| [card]),
            })?,
            None => serde_json::to_string_pretty(&IncomingMessage {
                markdown: Some(&message.markdown),
                text: None,
            })?,
        },
    }))
}

/// How much of what Webex takes a message needs.
fn budget(number: usize, parts: usize, message: &Message) -> String {
    let mut text = format!(
        "message {number} of {parts}: {} of {MESSAGE_BYTES} bytes as Markdown, {} as text",
        message.markdown.len(),
        plain_text(&message.markdown).len(),
    );
    if let Some(card) = &message.card {
        // Writing to a string does not fail.
        let _ = write!(text, ", card {} of {CARD_BYTES}", card.json().len());
    }
    text
}

fn finish(arguments: &Arguments, rendered: &Rendered, template: &str) -> anyhow::Result<ExitCode> {
    if let Some(fallback) = &rendered.fallback {
        tell(&report(fallback, ""));
        return Ok(ExitCode::FAILURE);
    }
    let has_card = rendered
        .messages
        .iter()
        .any(|message| message.card.is_some());
    if matches!(arguments.format, Format::Card) && !has_card {
        bail!("no card goes with template `{template}`; write `{template}.card.json` beside it");
    }
    Ok(ExitCode::SUCCESS)
}

struct Chosen {
    renderer: Renderer,
    receiver: String,
    template: String,
    data: Option<ReceiverData>,
    conversation: Conversation,
    target: Target,
}

/// The template as a file, where one is named: with its ending, or with a path.
fn template_file(arguments: &Arguments) -> Option<PathBuf> {
    let named = arguments.template.as_deref()?;
    let path = Path::new(named);
    let is_file = path.extension().is_some_and(|ending| ending == "md");
    is_file.then(|| path.to_path_buf())
}

fn choose(arguments: &Arguments) -> anyhow::Result<Chosen> {
    let mut files = Vec::new();
    let mut named = arguments.template.clone();
    if let Some(file) = template_file(arguments) {
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        named = stem.map(str::to_owned);
        let card = file.with_extension("card.json");
        if card.exists() {
            files.push(card);
        }
        files.push(file);
    }
    let name = arguments.receiver.as_deref().unwrap_or(DEFAULT_RECEIVER);
    let Some(file) = &arguments.config else {
        let options = Options {
            files,
            ..Options::default()
        };
        return Ok(Chosen {
            renderer: Renderer::new(&options)?,
            receiver: name.to_owned(),
            template: named.unwrap_or_else(|| DEFAULT_TEMPLATE.to_owned()),
            data: None,
            conversation: Conversation::New,
            target: Target::Room("ROOM".into()),
        });
    };
    let prepared = prepare_with(&Sources::new(Some(file.clone())), &files)?;
    let receiver =
        prepared.config.routes.find(name).with_context(|| {
            format!("no receiver is named `{name}`; choose one with `--receiver`")
        })?;
    Ok(Chosen {
        receiver: name.to_owned(),
        template: named.unwrap_or_else(|| receiver.template.clone()),
        data: Some(receiver.messages.clone()),
        conversation: receiver.conversation,
        target: receiver.destinations.first().map_or_else(
            || Target::Room("ROOM".into()),
            |destination| destination.target.clone(),
        ),
        renderer: prepared.renderer,
    })
}
