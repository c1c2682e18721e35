//! `sandbox`: only the stand-in for Webex.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use secrecy::ExposeSecret as _;

use super::output::{print, warn};
use super::{not_listening, runtime, stop_signal};
use crate::sandbox::{BotSetup, RoomSetup, Sandbox, Server, Setup, WebhookSetup};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9095")]
    listen: SocketAddr,
    /// A bot beside `sandbox`; may be given several times
    #[arg(long = "bot", value_name = "NAME=TOKEN")]
    bots: Vec<BotSetup>,
    /// A room beside `general` and `ops`; may be given several times
    #[arg(long = "room", value_name = "NAME[=ID]")]
    rooms: Vec<RoomSetup>,
    /// An incoming webhook that posts to a room; may be given several times
    #[arg(long = "webhook", value_name = "NAME=ROOM")]
    webhooks: Vec<WebhookSetup>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut setup = Setup {
        // Clients may keep ids longer than this sandbox runs.
        seed: fastrand::u64(..),
        ..Setup::default()
    };
    setup.bots.extend(arguments.bots.iter().cloned());
    setup.rooms.extend(arguments.rooms.iter().cloned());
    setup.webhooks.extend(arguments.webhooks.iter().cloned());
    let bots = setup.bots.clone();
    let sandbox = Sandbox::new(setup);
    for webhook in &arguments.webhooks {
        let is_made = sandbox
            .webhooks()
            .iter()
            .any(|made| made.name == webhook.name);
        ensure!(
            is_made,
            "--webhook {}={}: there is no room `{}`; add it with --room",
            webhook.name,
            webhook.room,
            webhook.room
        );
    }
    runtime(1)?.block_on(async {
        let stop = stop_signal();
        let server = Server::bind(sandbox.clone(), arguments.listen)
            .map_err(|error| not_listening(error.into(), arguments.listen, "--listen"))?;
        let address = server.local_addr();
        if let Some(warning) = exposed(address) {
            // stderr, so that it is seen where a script reads stdout.
            warn(&warning)?;
        }
        print(&format!(
            "THIS IS A SANDBOX, NOT WEBEX. Nobody gets what is posted here.\n\n\
             page   http://{address}/\n\
             API    http://{address}/v1"
        ))?;
        // The tokens of a sandbox are no secrets: whoever starts it chose them.
        for bot in bots {
            let token = bot.token.expose_secret();
            print(&format!("bot    {:10} token {token}", bot.name))?;
        }
        for room in sandbox.rooms() {
            print(&format!("room   {:10} {}", room.title, room.id))?;
        }
        for webhook in sandbox.webhooks() {
            print(&format!(
                "webhook {:9} http://{address}{}",
                webhook.name, webhook.path
            ))?;
        }
        print("\nStop it with Ctrl-C.")?;
        server.run_until(stop).await.context("the sandbox failed")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What to say where others can reach the sandbox.
fn exposed(address: SocketAddr) -> Option<String> {
    (!address.ip().is_loopback()).then(|| {
        format!(
            "{address} can be reached from other machines, and the sandbox has no login: whoever \
             reaches it reads all that is posted and turns all knobs; without `--listen` it is \
             this machine alone"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_reach_is_warned_of() {
        for (address, is_exposed) in [
            ("127.0.0.1:9095", false),
            ("[::1]:9095", false),
            ("0.0.0.0:9095", true),
            ("[::]:9095", true),
            ("192.0.2.1:9095", true),
        ] {
            let warning = exposed(address.parse().unwrap());
            assert_eq!(warning.is_some(), is_exposed, "{address}: {warning:?}");
        }
    }
}
