//! The relays that can be measured: how each is started and told where the chat is.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::chat::room;
use crate::process::{Process, free_port};

/// What stands in every configuration for a token.
const TOKEN: &str = "bench";

/// A relay under measurement.
#[derive(Debug, Clone)]
pub(crate) enum Relay {
    /// This project's release binary, at this path.
    Product(PathBuf),
    /// `benches/floor`, the practical limit.
    Floor(PathBuf),
}

/// What differs from the ordinary configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Receivers, of which each has a room to itself.
    pub(crate) receivers: u32,
    /// Alertmanager is answered within this time.
    pub(crate) answer_within: Duration,
    /// Connections that are taken at a time.
    pub(crate) connections: usize,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            receivers: 1,
            answer_within: Duration::from_secs(9),
            connections: 4096,
        }
    }
}

/// A relay that runs and where it listens.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Relay {
    /// As the tables call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Product(_) => "alertmanager-webex",
            Self::Floor(_) => "floor",
        }
    }

    /// Starts it on a free port.
    pub(crate) fn start(&self, chat: SocketAddr, setting: &Setting) -> Result<Running> {
        self.start_under(chat, setting, None)
    }

    /// As [`Self::start`], by a program that runs it, such as a profiler.
    pub(crate) fn start_under(
        &self,
        chat: SocketAddr,
        setting: &Setting,
        under: Option<&[&str]>,
    ) -> Result<Running> {
        let address = free_port()?;
        let (binary, arguments, environment) = match self {
            Self::Product(binary) => {
                let file = configuration(address, chat, setting)?;
                let arguments = ["serve".into(), "--config".into(), file.into_os_string()];
                (binary, arguments.to_vec(), vec![("BENCH_TOKEN", TOKEN)])
            }
            Self::Floor(binary) => {
                let arguments = [
                    address.to_string().into(),
                    format!("http://{chat}/v1/messages").into(),
                ];
                (binary, arguments.to_vec(), Vec::new())
            }
        };
        let mut command = match under.and_then(<[_]>::split_first) {
            None => Command::new(binary),
            Some((program, more)) => {
                let mut command = Command::new(program);
                command.args(more).arg(binary);
                command
            }
        };
        command.args(arguments).env_clear().envs(environment);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let process = Process::start(command, address, "/-/ready")?;
        Ok(Running { process, address })
    }
}

/// Writes a configuration with no limit in the way: log, metrics, joining and pace are on as
/// they are by default.
fn configuration(address: SocketAddr, chat: SocketAddr, setting: &Setting) -> Result<PathBuf> {
    let (room, limits) = (
        room(),
        "messages_per_minute = 4000000000\nburst = 1000000\n",
    );
    let mut text = format!(
        "[server]\nlisten = \"{address}\"\nmax_connections = {}\nshutdown_delay = \"0s\"\n\
         [delivery]\nanswer_within = \"{}ms\"\nmax_waiting = 100000\n\
         [webex]\nbase_url = \"http://{chat}/v1\"\n\
         [bots.default]\ntoken_env = \"BENCH_TOKEN\"\n{limits}",
        setting.connections,
        setting.answer_within.as_millis(),
    );
    if setting.receivers == 1 {
        write!(text, "[receivers.default]\nrooms = [\"{room}\"]\n")?;
    }
    for number in 0..if setting.receivers == 1 {
        0
    } else {
        setting.receivers
    } {
        let room = format!("{}{number:04}", &room[..room.len() - 4]);
        write!(text, "[receivers.team-{number}]\nrooms = [\"{room}\"]\n")?;
    }
    let folder = Path::new("target/load");
    std::fs::create_dir_all(folder).context("cannot make target/load; run this in the project")?;
    let file = folder.join(format!("{}.toml", address.port()));
    std::fs::write(&file, text)?;
    Ok(file)
}
