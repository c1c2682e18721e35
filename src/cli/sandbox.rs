//! `sandbox`: only the stand-in for Webex.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use super::{not_listening, print, runtime, stop_signal};
use crate::sandbox::{BotSetup, RoomSetup, Sandbox, Server, Setup};

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
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut setup = Setup::default();
    setup.bots.extend(arguments.bots.iter().cloned());
    setup.rooms.extend(arguments.rooms.iter().cloned());
    let bots = setup.bots.clone();
    let sandbox = Sandbox::new(setup);
    runtime(1)?.block_on(async {
        let stop = stop_signal();
        let server = Server::bind(sandbox.clone(), arguments.listen)
            .map_err(|error| not_listening(error.into(), arguments.listen, "--listen"))?;
        let address = server.local_addr();
        print(&format!(
            "This is a sandbox, not Webex. Nothing leaves this machine.\n\n\
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
        print("\nStop it with Ctrl-C.")?;
        server.run_until(stop).await.context("the sandbox failed")
    })?;
    Ok(ExitCode::SUCCESS)
}
