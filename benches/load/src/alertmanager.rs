//! A real Alertmanager, with its own Webex notifier or with a webhook.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::bodies::{annotations, labels};
use crate::chat::room;
use crate::process::{Process, free_port};

/// So long it waits for more alerts of a group before it tells of them.
const GROUP_WAIT: Duration = Duration::from_secs(2);

/// Whom it tells.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tells {
    /// The chat at this address, by `webex_configs`.
    Chat(SocketAddr),
    /// A relay at this address, by `webhook_configs`.
    Relay(SocketAddr),
}

/// An Alertmanager that runs. Its folder goes with it.
pub(crate) struct Alertmanager {
    pub(crate) process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl Alertmanager {
    /// Starts it on a free port, alone and with nothing from before.
    pub(crate) fn start(binary: &Path, tells: Tells) -> Result<Self> {
        let address = free_port()?;
        let folder = Path::new("target/load").join(format!("alertmanager-{}", address.port()));
        std::fs::create_dir_all(&folder).context("cannot make target/load")?;
        let file = folder.join("alertmanager.yml");
        std::fs::write(&file, configuration(tells).to_string())?;
        let mut command = Command::new(binary);
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=");
        Ok(Self {
            process: Process::start(command, address, "/-/ready")?,
            address,
            folder,
        })
    }

    /// Gives it so many groups of so many alerts, numbered from `first` on.
    pub(crate) fn fire(&self, groups: u32, alerts: usize, first: u32) -> Result<()> {
        // Requests of some hundred alerts, as from Prometheus.
        let at_once = u32::try_from((200 / alerts).max(1))?;
        let mut done = 0;
        while done < groups {
            let until = groups.min(done + at_once);
            let batch: Vec<Value> = (done..until)
                .flat_map(|group| (0..alerts).map(move |alert| (group, alert)))
                .map(|(group, alert)| {
                    json!({
                        "labels": labels(&format!("{:08x}", first + group), alert),
                        "annotations": annotations(alert),
                        "generatorURL": "https://prometheus.example.org/graph?g0.expr=disk_free",
                    })
                })
                .collect();
            self.post(&Value::from(batch).to_string())?;
            done = until;
        }
        Ok(())
    }

    fn post(&self, body: &str) -> Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        write!(
            stream,
            "POST /api/v2/alerts HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "Alertmanager did not take the alerts: {answer}"
        );
        Ok(())
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()?;
        std::fs::remove_dir_all(self.folder)?;
        Ok(())
    }
}

/// JSON is YAML as well.
fn configuration(tells: Tells) -> Value {
    let (kind, notifier) = match tells {
        Tells::Chat(chat) => (
            "webex_configs",
            json!({
                "api_url": format!("http://{chat}/v1/messages"),
                "room_id": room(),
                "http_config": {"authorization": {"credentials": "bench"}},
            }),
        ),
        Tells::Relay(relay) => (
            "webhook_configs",
            json!({"url": format!("http://{relay}/alertmanager")}),
        ),
    };
    json!({
        "route": {
            "receiver": "webex",
            "group_by": ["alertname"],
            "group_wait": format!("{}s", GROUP_WAIT.as_secs()),
            "group_interval": "5m",
            "repeat_interval": "4h",
        },
        "receivers": [{"name": "webex", kind: [notifier]}],
    })
}
