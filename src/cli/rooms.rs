//! `rooms`: the rooms that a bot is in, with their ids.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};

use super::access::{Access, access};
use super::output::{counted, print, tell};
use super::table::{cell, table};
use super::{ConfigArgument, Format, runtime};
use crate::config::{Bot, Config};
use crate::prepared::prepare;
use crate::webex::{Client, Https};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The bot; may be left out where there is one
    #[arg(long, value_name = "NAME")]
    bot: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut sources = arguments.config.sources();
    let environment = &mut sources.environment;
    if !environment.contains_key("WEBEX_ROOM_FILE") {
        // Who asks for ids has none yet. Nothing is posted to this one, and where the file has
        // receivers it counts for nothing.
        let entry = environment.entry("WEBEX_ROOM".to_owned());
        entry.or_insert_with(|| "-".repeat(32));
    }
    let config = prepare(&sources)?.config;
    let (name, bot) = chosen(&config, arguments.bot.as_deref())?;
    tell(&format!("asking Webex for the rooms of bot `{name}`"));
    let rooms = runtime(1)?.block_on(async {
        let client = Client::new(&config.webex.base_url, Arc::new(Https::new(&config.webex)?))?;
        let token = match access(&client, &bot.identity).await {
            Access::Token(token) => token,
            Access::Withheld(why) | Access::Failed(why) => bail!("bot `{name}`: {why}"),
        };
        let rooms = client.rooms(&token).await;
        rooms.with_context(|| format!("bot `{name}`"))
    })?;
    match arguments.format {
        Format::Json => print(&serde_json::to_string_pretty(&rooms)?)?,
        Format::Text => {
            let mut rows = vec![["TITLE", "TYPE", "ID"].map(str::to_owned).to_vec()];
            rows.extend(rooms.iter().map(|room| {
                [&room.title, &room.kind, &room.id]
                    .map(|text| cell(text))
                    .to_vec()
            }));
            print(&table(&rows))?;
        }
    }
    tell(&counted(rooms.len(), "room"));
    Ok(ExitCode::SUCCESS)
}

/// The bot that was asked for, or the only one.
fn chosen<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<(&'a Arc<str>, &'a Bot)> {
    let names = || {
        let names: Vec<String> = config.bots.keys().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    match name {
        Some(name) => config
            .bots
            .get_key_value(name)
            .ok_or_else(|| anyhow!("no bot is named `{name}`; there are {}", names())),
        None if config.bots.is_empty() => {
            bail!("there is no bot, and webhooks do not tell their rooms; write `[bots.default]`")
        }
        None => match config.bots.iter().collect::<Vec<_>>().as_slice() {
            [one] => Ok(*one),
            _ => bail!("there are several bots; say which by `--bot`: {}", names()),
        },
    }
}
