//! `dev`: sandbox and service in one process, ready to try.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::output::print;
use super::{ConversationMode, logs, not_listening, port_is_taken, runtime, stop_signal};
use crate::app::App;
use crate::config::{Draft, Sources};
use crate::dev::{Book, Dev};
use crate::prepared::prepare;
use crate::sandbox::{Sandbox, Server};
use crate::telemetry::LogLevel;

/// What `examples/alertmanager.yml` sends to.
const USUAL_PORT: u16 = 9091;
/// What the documentation calls the sandbox's.
const USUAL_SANDBOX_PORT: u16 = 9095;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the service listens [default: 127.0.0.1:9091, or a free port where that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the sandbox listens [default: 127.0.0.1:9095, or a free port where that is taken]
    #[arg(long, value_name = "ADDRESS")]
    sandbox_listen: Option<SocketAddr>,
    /// A folder with templates of your own
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// What becomes of later notifications of a group
    #[arg(long, value_enum, default_value = "new", value_name = "MODE")]
    conversation: ConversationMode,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    runtime(2)?.block_on(async {
        let stop = stop_signal();
        let sandbox = Sandbox::default();
        let server = on_usual_port(
            ("--sandbox-listen", arguments.sandbox_listen),
            USUAL_SANDBOX_PORT,
            |address| Server::bind(sandbox.clone(), address).map_err(anyhow::Error::from),
        )?;
        let page = server.local_addr();
        let mut known_level = None;
        let book = Arc::new(Book::default());
        let (app, dev) = on_usual_port(("--listen", arguments.listen), USUAL_PORT, |address| {
            let sources = sources(arguments, &sandbox, page, address)?;
            let options = Draft::read(&sources)?.render_options();
            let prepared = prepare(&sources)?;
            // The second port that is tried finds logs set up.
            let level = if let Some(level) = &known_level {
                LogLevel::clone(level)
            } else {
                let (logs, level) = logs(&prepared.config.log)?;
                tokio::spawn(async move { logs.tell_left_out().await });
                known_level.insert(level).clone()
            };
            let app = App::start_watched(prepared, book.clone())?;
            let dev = Dev::new(&app, options, Arc::clone(&book))?;
            Ok((app.changing(level).watching(), dev))
        })?;
        let server = server.with_extension(Arc::new(dev));
        print(&instructions(page, app.address()))?;

        let stopped = CancellationToken::new();
        let sandbox_stop = stopped.clone();
        let sandbox_server = tokio::spawn(server.run_until(sandbox_stop.cancelled_owned()));
        app.run_until(stop).await.context("the service failed")?;
        stopped.cancel();
        sandbox_server.await?.context("the sandbox failed")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Binds the address that was asked for, else the usual port, else a free one.
fn on_usual_port<T>(
    (option, wanted): (&str, Option<SocketAddr>),
    usual: u16,
    mut bind: impl FnMut(SocketAddr) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match wanted {
        Some(address) => bind(address).map_err(|error| not_listening(error, address, option)),
        None => bind(local(usual)).or_else(|error| {
            if port_is_taken(&error) {
                bind(local(0))
            } else {
                Err(error)
            }
        }),
    }
}

/// A configuration as a user would write it, for the sandbox's bot and its first room.
fn sources(
    arguments: &Arguments,
    sandbox: &Sandbox,
    page: SocketAddr,
    listen: SocketAddr,
) -> anyhow::Result<Sources> {
    let room = sandbox
        .room_id("general")
        .context("the sandbox has lost its room `general`")?;
    let mut environment = BTreeMap::from([
        ("WEBEX_TOKEN".to_owned(), "sandbox".to_owned()),
        ("WEBEX_ROOM".to_owned(), room),
        (
            "WEBEX_CONVERSATION".to_owned(),
            arguments.conversation.as_str().to_owned(),
        ),
        (
            "ALERTMANAGER_WEBEX__WEBEX__BASE_URL".to_owned(),
            format!("http://{page}/v1"),
        ),
        (
            "ALERTMANAGER_WEBEX__SERVER__LISTEN".to_owned(),
            listen.to_string(),
        ),
        (
            "ALERTMANAGER_WEBEX__SERVER__SHUTDOWN_DELAY".to_owned(),
            "0s".to_owned(),
        ),
    ]);
    if let Some(directory) = &arguments.templates {
        let directory = directory
            .to_str()
            .context("the folder of templates has a name that is no text")?;
        environment.insert(
            "ALERTMANAGER_WEBEX__TEMPLATES__DIRECTORY".to_owned(),
            directory.to_owned(),
        );
    }
    Ok(Sources {
        file: None,
        environment,
    })
}

/// What to paste. The tests paste it too.
fn instructions(page: SocketAddr, service: SocketAddr) -> String {
    let now = jiff::Timestamp::now();
    let (prepare, file) = if service.port() == USUAL_PORT {
        (String::new(), "examples/alertmanager.yml")
    } else {
        let port = service.port();
        let line = format!(
            "  config=\"$(mktemp)\" && sed 's/:{USUAL_PORT}/:{port}/' examples/alertmanager.yml > \"$config\"\n"
        );
        (line, "\"$config\"")
    };
    format!(
        r#"Open http://{page}/ : what arrives in Webex is shown there. It is a sandbox; nothing leaves this machine.
The service's own status page is http://{service}/ : what was delivered, what waits, what fails and why.

Press "Send a sample" there, or send a notification by hand:

  curl -sS http://{service}/alertmanager -H 'Content-Type: application/json' -d '{{"version":"4","groupKey":"{{}}:{{alertname=\"DiskFull\"}}","status":"firing","receiver":"webex","groupLabels":{{"alertname":"DiskFull"}},"commonLabels":{{"alertname":"DiskFull","severity":"critical","instance":"db-1"}},"commonAnnotations":{{"summary":"Disk of db-1 is 97 % full"}},"externalURL":"http://127.0.0.1:9093","alerts":[{{"status":"firing","labels":{{"alertname":"DiskFull","severity":"critical","instance":"db-1"}},"annotations":{{"summary":"Disk of db-1 is 97 % full"}},"startsAt":"{now:.0}","fingerprint":"b5d4045c3f466fa9"}}]}}'

Or let a real Alertmanager send it. In the project's folder (`make tools` puts both programs into .tools/bin):

{prepare}  alertmanager --config.file={file} --storage.path="$(mktemp -d)" --cluster.listen-address= --web.listen-address=127.0.0.1:9093

In another terminal, the alert, and later its end:

  amtool --alertmanager.url=http://127.0.0.1:9093 alert add alertname=DiskFull severity=critical instance=db-1 --annotation='summary="Disk of db-1 is 97 % full"'
  amtool --alertmanager.url=http://127.0.0.1:9093 alert add alertname=DiskFull severity=critical instance=db-1 --annotation='summary="Disk of db-1 is 97 % full"' --end="$(date -u +%FT%TZ)"

Stop with Ctrl-C."#
    )
}
