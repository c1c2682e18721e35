//! The service as a process, and what is done to it.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::judge::Replaced;
use super::ledger::now;
use super::load::RECEIVERS;
use super::plan::BOTS;
use super::recorder::exchange;
use crate::programs::{Program, Sandbox, ours, until};

/// What a process holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// Resident memory in KiB.
    pub(super) memory: u64,
    pub(super) threads: u64,
    pub(super) descriptors: u64,
}

/// The service, its files, and its lives.
pub(super) struct Deployment<'a> {
    sandbox: &'a Sandbox,
    pub(super) address: SocketAddr,
    files: TempDir,
    /// Where the logs go.
    records: PathBuf,
    program: Option<Program>,
    lives: u32,
    tokens: u32,
    reloads: u32,
    pub(super) replaced: Vec<Replaced>,
    /// `ambiguous_posts_total` of the processes that have ended.
    ambiguous: u64,
    /// What was not as it must be.
    pub(super) anomalies: Vec<String>,
}

impl<'a> Deployment<'a> {
    pub(super) fn start(sandbox: &'a Sandbox, address: SocketAddr, records: &Path) -> Self {
        let mut new = Self {
            sandbox,
            address,
            files: tempfile::tempdir().unwrap(),
            records: records.to_owned(),
            program: None,
            lives: 0,
            tokens: 0,
            reloads: 0,
            replaced: Vec::new(),
            ambiguous: 0,
            anomalies: Vec::new(),
        };
        let templates = new.files.path().join("templates");
        fs::create_dir(&templates).unwrap();
        let all = "{% for alert in alerts %}{{ alert.labels.mark }}g{{ alert.annotations.generation }} \
                   {{ alert.status }};{% endfor %}";
        for name in ["soak", "thread", "digest"] {
            fs::write(templates.join(format!("{name}.md")), all).unwrap();
        }
        for bot in BOTS {
            new.write(&format!("{bot}.token"), &first_token(bot));
        }
        new.configure("");
        new.run();
        new
    }

    /// Files are replaced as a whole, as whoever deploys does it.
    fn write(&self, name: &str, text: &str) {
        let path = self.files.path().join(name);
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn configure(&self, more: &str) {
        let folder = self.files.path().display();
        // Another ceiling at each reload, so that there is something to take up.
        let ceiling = 600 + self.reloads % 50;
        let mut toml = format!(
            "[server]\nlisten = \"{}\"\nshutdown_delay = \"500ms\"\nshutdown_grace = \"15s\"\n\
             [delivery]\ndigest_after = \"5s\"\n\
             [webex]\nbase_url = \"{}\"\nrequest_timeout = \"10s\"\n\
             [templates]\ndirectory = \"{folder}/templates\"\n",
            self.address, self.sandbox.api
        );
        for bot in BOTS {
            writeln!(
                toml,
                "[bots.{bot}]\ntoken_file = \"{folder}/{bot}.token\"\n\
                 messages_per_minute = {ceiling}\nburst = 20"
            )
            .unwrap();
        }
        toml += "[rooms]\n";
        for room in super::load::rooms() {
            writeln!(toml, "{room} = \"{}\"", self.sandbox.rooms[room]).unwrap();
        }
        for (name, rooms) in RECEIVERS {
            let (bot, own) = match name {
                "thread" => ("beta", "conversation = \"thread\""),
                "update" => ("beta", "conversation = \"update\""),
                "capped" => ("gamma", "max_messages_per_minute = 60"),
                _ => ("alpha", ""),
            };
            writeln!(
                toml,
                "[receivers.{name}]\nbot = \"{bot}\"\nrooms = {rooms:?}\ntemplate = \"soak\"\n{own}"
            )
            .unwrap();
        }
        self.write("config.toml", &(toml + more));
    }

    fn run(&mut self) {
        let program = Program::start(
            ours()
                .args(["serve", "--config"])
                .arg(self.files.path().join("config.toml"))
                .env("RUST_LOG", "warn,alertmanager_webex=info"),
        );
        program.word_after("ready on ");
        self.program = Some(program);
        self.lives += 1;
    }

    fn program(&self) -> &Program {
        self.program.as_ref().expect("one runs between the steps")
    }

    fn keep_log(&self, printed: &str) {
        let path = self.records.join(format!("serve-{}.log", self.lives));
        fs::write(path, printed).unwrap();
    }

    /// SIGTERM; the next process begins when the old one has ended.
    pub(super) fn hand_over(&mut self) {
        self.end();
        self.run();
    }

    fn end(&mut self) {
        self.ambiguous += self.metric("ambiguous_posts_total");
        let program = self.program.take().expect("one runs between the steps");
        program.signal("TERM");
        let (status, printed) = program.end();
        self.replaced.push(Replaced {
            at: now(),
            killed: false,
        });
        self.keep_log(&printed);
        if status.code() != Some(0) {
            let life = self.lives;
            self.anomalies
                .push(format!("process {life} ended with {status}"));
        }
    }

    /// SIGKILL, and a while without anybody at the port.
    pub(super) fn kill(&mut self, down: Duration) {
        self.ambiguous += self.metric("ambiguous_posts_total");
        let program = self.program.take().expect("one runs between the steps");
        program.signal("KILL");
        let (_, printed) = program.end();
        self.replaced.push(Replaced {
            at: now(),
            killed: true,
        });
        self.keep_log(&printed);
        std::thread::sleep(down);
        self.run();
    }

    /// Ends the last process and says how many posts of all of them were ambiguous; of a
    /// killed one, those of its last moment are missing.
    pub(super) fn finish(&mut self) -> u64 {
        self.end();
        self.replaced.pop();
        self.ambiguous
    }

    /// The file first, as people do it: until Webex follows, the new token is refused.
    pub(super) fn rotate(&mut self, bot: &str) {
        self.tokens += 1;
        let token = format!("{bot}-{}", self.tokens);
        self.write(&format!("{bot}.token"), &token);
        let patch = format!(r#"{{"token":"{token}"}}"#);
        self.sandbox
            .control("PATCH", &format!("bots/{bot}"), &patch);
    }

    pub(super) fn reload(&mut self) {
        self.reloads += 1;
        self.configure("");
        self.ask_to_reload(200, "reloaded");
    }

    /// What was wrong does not stay, and does not count for a moment.
    pub(super) fn reload_bad(&mut self) {
        self.configure("[receivers.solo.mistake]\nrooms = []\n");
        self.ask_to_reload(422, "config_refused");
        self.reload();
    }

    fn ask_to_reload(&mut self, wanted: u16, reason: &str) {
        let (status, body) = exchange(self.address, "POST", "/-/reload", b"").unwrap();
        let body = String::from_utf8_lossy(&body);
        if status != wanted || !body.contains(reason) {
            self.anomalies.push(format!(
                "reload: {status} {body}, and not {wanted} {reason}"
            ));
        }
    }

    /// Half a request from each, held open by whoever takes what is returned.
    pub(super) fn slow_clients(&self, count: usize) -> Vec<TcpStream> {
        let clients = (0..count).filter_map(|number| {
            let mut client = TcpStream::connect(self.address).ok()?;
            let half: &[u8] = if number % 2 == 0 {
                b"POST /alertmanager/solo HTTP/1.1\r\nContent-Le"
            } else {
                b"POST /alertmanager/solo HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"version\""
            };
            client.write_all(half).ok()?;
            Some(client)
        });
        clients.collect()
    }

    /// Each is refused, or its connection closed, and nothing comes of it.
    pub(super) fn garbage(&mut self) {
        let solo = "/alertmanager/solo";
        let deep = "[".repeat(100_000);
        let requests: [(&str, &[u8], u16); 5] = [
            (solo, b"{not json", 400),
            (solo, b"{\"alerts\":7}", 400),
            (solo, deep.as_bytes(), 400),
            (solo, b"", 400),
            ("/alertmanager/nobody", b"{}", 404),
        ];
        for (path, body, wanted) in requests {
            match exchange(self.address, "POST", path, body) {
                Ok((status, _)) if status == wanted => {}
                other => {
                    let beginning: String =
                        String::from_utf8_lossy(body).chars().take(20).collect();
                    self.anomalies
                        .push(format!("garbage {path} {beginning}: {other:?}"));
                }
            }
        }
        for bytes in [
            &b"\x16\x03\x01\x00\xff\x00"[..],
            b"\0\0\0\0\r\n\r\n",
            b"BREW / COFFEE\r\n\r\n",
        ] {
            let mut client = TcpStream::connect(self.address).unwrap();
            client
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            let mut answer = Vec::new();
            // It may be closed before all is written or read.
            let _ = client.write_all(bytes);
            let _ = client.shutdown(std::net::Shutdown::Write);
            let _ = client.read_to_end(&mut answer);
            if answer.starts_with(b"HTTP/1.1 2") {
                self.anomalies
                    .push(format!("garbage {bytes:?} was accepted"));
            }
        }
    }

    /// The sum of a metric.
    pub(super) fn metric(&self, name: &str) -> u64 {
        let text = exchange(self.address, "GET", "/metrics", b"");
        let text = text.map(|(_, text)| String::from_utf8_lossy(&text).into_owned());
        let name = format!("alertmanager_webex_{name}");
        crate::real_storms::sum(&text.unwrap_or_default(), &name, |_| true)
    }

    /// What it holds when nothing is left to do.
    pub(super) fn held(&self) -> Held {
        let process = format!("/proc/{}", self.program().id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|line| line.split_whitespace().next());
            value.unwrap().parse().unwrap()
        };
        Held {
            memory: field("VmRSS:"),
            threads: field("Threads:"),
            descriptors: fs::read_dir(format!("{process}/fd")).unwrap().count() as u64,
        }
    }

    /// Waits until no notification waits.
    pub(super) fn await_empty(&self) {
        until("nothing waits in the service", || {
            (self.metric("waiting_notifications") == 0).then_some(())
        });
    }
}

/// What a bot begins with.
pub(super) fn first_token(bot: &str) -> String {
    format!("{bot}-0")
}
