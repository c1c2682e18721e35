//! `check`: is this configuration one that works?
//!
//! Templates fail with data, not by themselves, so every receiver's is rendered with each
//! sample.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use super::fallback::report;
use super::output::{counted, print, tell, tell_config};
use super::{ConfigArgument, Format, online, runtime};
use crate::alertmanager::{Notification, Status};
use crate::config::{Config, Identity, Problem, Severity, can_replace_secret};
use crate::http::{self, Doubt, ServerTlsError};
use crate::prepared::{Prepared, prepare};
use crate::render::samples::{self, ALL};
use crate::render::{self, Fallback, Subject};
use crate::routing::{Conversation, Destination, Receiver, Target};
use crate::secrets::SecretError;
use crate::webex::{Client, Https};

/// A larger sample is rendered once a template, not once a receiver: there may be thousands.
const LARGE: usize = 16 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Ask Webex whether each token is valid and each bot is in its rooms; nothing is posted
    #[arg(long)]
    online: bool,
    /// How to print what Webex answered
    #[arg(long, value_enum, default_value_t, requires = "online")]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let prepared = match prepare(&arguments.config.sources()) {
        Ok(prepared) => prepared,
        Err(error) => {
            // What was asked for is the finding, so it is no matter of usage here.
            tell_config(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    let config = &prepared.config;
    for warning in &config.warnings {
        tell(&warning.to_string());
    }
    // Where a configuration is written, its secrets are rarely at hand.
    for (name, bot) in &config.bots {
        if !arguments.online
            && let Err(error) = bot.identity.check()
        {
            tell(&format!(
                "warning: bot `{name}`: {error}\n  hint: `serve` needs it; here nothing depends on it"
            ));
        }
    }
    if !rooms(config, arguments.online) {
        return Ok(ExitCode::FAILURE);
    }
    forgetful(config);
    if !webhooks(&prepared, arguments.online) {
        return Ok(ExitCode::FAILURE);
    }
    if config.webex.proxy.is_some() {
        tell(&format!(
            "note: Webex is reached through the proxy {}",
            config.webex.proxy
        ));
    }
    if !doors(config) {
        return Ok(ExitCode::FAILURE);
    }
    for receiver in config.routes.iter() {
        let is_edited = matches!(receiver.conversation, Conversation::Update { .. });
        if is_edited && prepared.renderer.has_card(&receiver.template) {
            tell(&format!(
                "warning: receiver `{}`: its messages go without the card of template `{}`, \
                 because Webex edits no message that has one\n  \
                 hint: write `conversation = \"thread\"`, or name a template without a card",
                receiver.name, receiver.template
            ));
        }
    }
    let failures = failures(&prepared)?;
    for (failed, found) in &failures {
        tell(&format!("{}{}", report(failed, &whose(found)), with(found)));
    }
    if !failures.is_empty() {
        tell(&format!(
            "{} with the samples; `render --sample NAME` shows what became of one",
            counted(failures.len(), "failure")
        ));
        return Ok(ExitCode::FAILURE);
    }
    let webhooks = match config.webhooks.len() {
        0 => String::new(),
        number => format!("{}, ", counted(number, "webhook")),
    };
    let sound = format!(
        "ok: {}, {webhooks}{}, {}",
        counted(config.bots.len(), "bot"),
        counted(config.routes.iter().count(), "receiver"),
        counted(prepared.renderer.names().len(), "template")
    );
    if !arguments.online {
        print(&sound)?;
        return Ok(ExitCode::SUCCESS);
    }
    tell(&sound);
    ask_webex(config, arguments.format)
}

/// Tells of files with ids of rooms that are not here, and says whether what was asked can be
/// told without them.
fn rooms(config: &Config, is_online: bool) -> bool {
    for absent in &config.absent {
        let hint = "`serve` needs it; here nothing depends on it".to_owned();
        let warning = Problem {
            severity: Severity::Warning,
            hint,
            ..absent.clone()
        };
        let told = if is_online { absent } else { &warning };
        tell(&told.to_string());
    }
    config.absent.is_empty() || !is_online
}

/// Tells what is wrong with webhooks, and says whether the service would start with what is at
/// hand.
fn webhooks(prepared: &Prepared, is_online: bool) -> bool {
    let mut is_sound = true;
    for webhook in prepared.config.webhooks.values() {
        match webhook.identity.check() {
            Err(error @ SecretError::NotAWebhook(..)) => {
                tell(&format!("error: {error}"));
                is_sound = false;
            }
            Err(error) if !is_online => tell(&format!(
                "warning: {error}\n  hint: `serve` needs it; here nothing depends on it"
            )),
            Ok(()) | Err(_) => {}
        }
    }
    for receiver in prepared.config.routes.iter() {
        let is_webhook = |one: &Destination| matches!(one.target, Target::Webhook(_));
        if receiver.destinations.iter().any(is_webhook)
            && prepared.renderer.has_card(&receiver.template)
        {
            tell(&format!(
                "warning: receiver `{}`: its webhooks get no card of template `{}`, because \
                 webhooks take Markdown alone\n  \
                 hint: use a bot and its rooms where the card matters",
                receiver.name, receiver.template
            ));
        }
    }
    is_sound
}

/// Asks Webex, prints what it said, and says whether all can be posted.
fn ask_webex(config: &Config, format: Format) -> anyhow::Result<ExitCode> {
    tell(&format!("asking Webex at {}", config.webex.base_url));
    let report = runtime(1)?.block_on(async {
        let client = Client::new(&config.webex.base_url, Arc::new(Https::new(&config.webex)?))?;
        anyhow::Ok(online::ask(&client, config).await)
    })?;
    print(&match format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string_pretty(&report)?,
    })?;
    Ok(if report.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Warns of service apps whose refresh token, should Webex replace it, would be lost with the
/// process.
fn forgetful(config: &Config) {
    for (name, bot) in &config.bots {
        let Identity::ServiceApp(app) = &bot.identity else {
            continue;
        };
        let file = app.refresh_token_file().filter(|file| file.exists());
        if let Some(file) = file
            && let Err(error) = can_replace_secret(file)
        {
            tell(&format!(
                "warning: bot `{name}`: no other refresh token can be written to {} ({error}); \
                 where Webex replaces it, a restart may lose it\n  \
                 hint: put the file into a folder where the user that runs this may write",
                file.display()
            ));
        }
    }
}

/// Tells what is wrong with the credentials of callers and with the certificate, and says
/// whether the service would start with what is at hand.
fn doors(config: &Config) -> bool {
    let absent = |error: &dyn std::fmt::Display| {
        tell(&format!(
            "warning: {error}\n  hint: `serve` needs it; here nothing depends on it"
        ));
    };
    let (unreadable, weak) = http::inspect_credentials(&config.routes, &config.server);
    for error in unreadable {
        absent(&error);
    }
    for weak in weak {
        tell(&format!("warning: {weak}"));
    }
    match http::inspect(&config.server.tls) {
        Ok(doubts) => {
            for doubt in &doubts {
                let word = if doubt.is_fatal() { "error" } else { "warning" };
                tell(&format!("{word}: {doubt}"));
            }
            !doubts.iter().any(Doubt::is_fatal)
        }
        Err(error @ ServerTlsError::Unreadable { .. }) => {
            absent(&error);
            true
        }
        Err(error) => {
            tell(&format!("error: {error}"));
            false
        }
    }
}

/// For whom and with what a template failed.
#[derive(Default)]
struct Found {
    receivers: BTreeSet<String>,
    samples: Vec<&'static str>,
}

/// What fails, each once, in the order of the receivers and of the samples.
fn failures(prepared: &Prepared) -> anyhow::Result<Vec<(Fallback, Found)>> {
    let now = samples::NOW.parse()?;
    let bodies: Vec<_> = ALL
        .iter()
        .map(|sample| (sample.name, sample.body()))
        .collect();
    let mut failures: Vec<(Fallback, Found)> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for receiver in prepared.config.routes.iter() {
        // Receivers of one template differ in little, which large samples do not show better.
        let again = !known.insert(&receiver.template);
        for (sample, body) in &bodies {
            if again && body.len() > LARGE {
                continue;
            }
            let notification = Notification::parse(body.as_bytes())?;
            let failed = in_each_state(receiver, &notification, |conversation| {
                let rendered = prepared.renderer.render(&Subject {
                    notification: &notification,
                    receiver: &receiver.name,
                    template: &receiver.template,
                    data: Some(&receiver.messages),
                    changed: None,
                    conversation,
                    now,
                });
                rendered.fallback
            });
            for failed in failed {
                let index = failures.iter().position(|(known, _)| *known == failed);
                let index = index.unwrap_or_else(|| {
                    failures.push((failed, Found::default()));
                    failures.len() - 1
                });
                let found = &mut failures[index].1;
                found.receivers.insert(receiver.name.to_string());
                if !found.samples.contains(sample) {
                    found.samples.push(sample);
                }
            }
        }
    }
    Ok(failures)
}

/// What fails where a message is the first of its group, an edit of it, or a reply, as far as
/// the receiver has these.
fn in_each_state(
    receiver: &Receiver,
    notification: &Notification<'_>,
    fails: impl Fn(Option<render::Conversation<'_>>) -> Option<Fallback>,
) -> Vec<Fallback> {
    if receiver.conversation == Conversation::New {
        return fails(None).into_iter().collect();
    }
    let of = |status| -> Vec<usize> {
        let alerts = notification.alerts.iter().enumerate();
        alerts
            .filter(|(_, alert)| alert.status == status)
            .map(|(index, _)| index)
            .collect()
    };
    let (firing, resolved) = (of(Status::Firing), of(Status::Resolved));
    let first = render::Conversation {
        is_reply: false,
        root_since: None,
        edit_number: 0,
        newly_firing: &firing,
        newly_resolved: &resolved,
        is_repeat: false,
    };
    let reply = render::Conversation {
        is_reply: true,
        root_since: samples::NOW.parse().ok(),
        ..first
    };
    let repeat = render::Conversation {
        newly_firing: &[],
        newly_resolved: &[],
        is_repeat: true,
        ..reply
    };
    let edit = render::Conversation {
        is_reply: false,
        edit_number: 1,
        ..reply
    };
    let mut states = vec![first, reply, repeat];
    if receiver.conversation != Conversation::Thread {
        states.push(edit);
    }
    let mut failed: Vec<Fallback> = Vec::new();
    for fallback in states.into_iter().filter_map(|state| fails(Some(state))) {
        if !failed.contains(&fallback) {
            failed.push(fallback);
        }
    }
    failed
}

/// ``receivers `ops`, `db`: ``
fn whose(found: &Found) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = found
        .receivers
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = names[..names.len().min(SHOWN)].join(", ");
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("receiver{plural} {shown}{more}: ")
}

fn with(found: &Found) -> String {
    if found.samples.len() == ALL.len() {
        return "\n  note: with every sample".to_owned();
    }
    let names: Vec<String> = found
        .samples
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("\n  note: with the sample{plural} {}", names.join(", "))
}
