//! Real processes, as a user starts them: ours, and those of Alertmanager.
//!
//! A program is told by its output where it listens, is ended by its own process id when the
//! test ends however it ends, and whatever is awaited of it is awaited for a bounded time.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Nothing that works takes so long, also on a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Our binary, without the environment of whoever runs the tests.
pub(crate) fn ours() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertmanager-webex"));
    command.env_clear();
    command
}

/// A running process; dropping it ends it.
pub(crate) struct Program {
    child: Child,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

/// What was printed so far, stdout and stderr, line by line.
#[derive(Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Program {
    /// `dev` on free ports, once it has said all that it says at first.
    pub(crate) fn dev(arguments: &[&str]) -> Self {
        let ports = ["--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0"];
        let dev = Self::start(ours().arg("dev").args(ports).args(arguments));
        dev.says("Ctrl-C");
        dev
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let output = Arc::<Output>::default();
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        let readers = vec![
            collect(stdout, Arc::clone(&output)),
            collect(stderr, Arc::clone(&output)),
        ];
        Self {
            child,
            output,
            readers,
        }
    }

    /// Waits for a line from which `found` makes something.
    pub(crate) fn line<T>(&self, found: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.output.lines.lock().unwrap();
        loop {
            if let Some(found) = lines.iter().find_map(|line| found(line)) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the line did not come; there is:\n{}",
                lines.join("\n")
            );
            lines = self.output.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Waits until a line holds this.
    pub(crate) fn says(&self, text: &str) {
        self.line(|line| line.contains(text).then_some(()));
    }

    /// What follows `prefix` on the first line that holds it, up to a blank.
    pub(crate) fn word_after(&self, prefix: &str) -> String {
        self.line(|line| {
            let (_, rest) = line.split_once(prefix)?;
            Some(rest.split_whitespace().next()?.to_owned())
        })
    }

    /// All that was printed so far.
    pub(crate) fn printed(&self) -> String {
        self.output.lines.lock().unwrap().join("\n")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to end, as Kubernetes and Ctrl-C do. The shell's `kill`, because
    /// sending signals takes a system call that the standard library has not.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(shell(&kill).status().unwrap().success());
    }

    /// Waits until the process ends by itself.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = until("the process ends", || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (status, self.printed())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(stream: impl Read + Send + 'static, output: Arc<Output>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            output.lines.lock().unwrap().push(line);
            output.more.notify_all();
        }
    })
}

/// A line for the shell, as a user pastes it.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::null());
    command
}

/// Looks again and again until there is something to see.
pub(crate) fn until<T>(event: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(
            Instant::now() < deadline,
            "{event}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) connection: Option<String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `reason` of our answers.
    pub(crate) fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap().to_owned()
    }
}

/// One request on a connection of its own, past any proxy.
pub(crate) fn http(method: &str, url: &str, body: impl Into<String>) -> Answer {
    http_with(method, url, None, body)
}

/// The same, with a bearer token.
pub(crate) fn http_with(
    method: &str,
    url: &str,
    token: Option<&str>,
    body: impl Into<String>,
) -> Answer {
    alertmanager_webex::webex::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let request = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .unwrap()
            .request(method.parse().unwrap(), url)
            .header("Content-Type", "application/json")
            .body(body.into());
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{method} {url}: {error:?}"));
        let connection = response.headers().get("connection");
        Answer {
            status: response.status().as_u16(),
            connection: connection.map(|value| value.to_str().unwrap().to_owned()),
            text: response.text().await.unwrap(),
        }
    })
}

/// A sandbox in a process of its own, known by what it printed.
pub(crate) struct Sandbox {
    pub(crate) program: Program,
    /// Address of the page, with a slash at the end.
    pub(crate) page: String,
    /// What `webex.base_url` takes.
    pub(crate) api: String,
    pub(crate) token: String,
    /// Ids by name.
    pub(crate) rooms: BTreeMap<String, String>,
}

impl Sandbox {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With more arguments.
    pub(crate) fn with(arguments: &[String]) -> Self {
        let begin = ["sandbox", "--listen", "127.0.0.1:0"];
        let program = Program::start(ours().args(begin).args(arguments));
        let page = program.word_after("page ");
        let api = program.word_after("API ");
        let token = program.word_after(" token ");
        program.says("Ctrl-C");
        let rooms = program
            .printed()
            .lines()
            .filter_map(|line| line.strip_prefix("room "))
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                Some((words.next()?.to_owned(), words.next()?.to_owned()))
            })
            .collect();
        Self {
            program,
            page,
            api,
            token,
            rooms,
        }
    }

    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Answer {
        let answer = http(method, &format!("{}control/v1/{path}", self.page), body);
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        answer
    }

    /// The Markdown of a room's messages, oldest first.
    pub(crate) fn messages(&self, room: &str) -> Vec<String> {
        let messages = self
            .control("GET", &format!("rooms/{room}/messages"), "")
            .json();
        let texts = messages.as_array().unwrap().iter();
        texts
            .map(|message| message["markdown"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A room's messages whole, oldest first.
    pub(crate) fn room(&self, room: &str) -> Vec<Value> {
        let messages = self.control("GET", &format!("rooms/{room}/messages"), "");
        messages.json().as_array().unwrap().clone()
    }

    /// Waits until a room has so many messages.
    pub(crate) fn await_messages(&self, room: &str, number: usize) -> Vec<String> {
        until(&format!("{number} messages in `{room}`"), || {
            Some(self.messages(room)).filter(|messages| messages.len() >= number)
        })
    }

    pub(crate) fn set_fault(&self, fault: &str) {
        self.control("POST", "faults", fault);
    }

    /// Makes an incoming webhook. Returns the part of its URL that nobody may know.
    pub(crate) fn add_webhook(&self, name: &str, room: &str) -> String {
        let new = format!(r#"{{"name":"{name}","room":"{room}"}}"#);
        let webhook = self.control("POST", "webhooks", &new).json();
        webhook["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn set_token(&self, token: &str) {
        self.control(
            "PATCH",
            "bots/sandbox",
            &format!(r#"{{"token":"{token}"}}"#),
        );
    }

    /// What was answered to posts of messages, in their order: statuses.
    pub(crate) fn posts(&self) -> Vec<u64> {
        let requests = self.control("GET", "requests", "").json();
        let requests = requests.as_array().unwrap().iter();
        requests
            .filter(|request| request["method"] == "POST" && request["path"] == "/v1/messages")
            .filter_map(|request| request["outcome"]["answered"].as_u64())
            .collect()
    }
}

/// `serve` for a room of the sandbox, with more variables.
pub(crate) struct Service {
    pub(crate) program: Program,
    /// Such as `127.0.0.1:40123`.
    pub(crate) address: String,
}

impl Service {
    pub(crate) fn start(sandbox: &Sandbox, room: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = ours();
        command
            .env("WEBEX_TOKEN", &sandbox.token)
            .env("WEBEX_ROOM", &sandbox.rooms[room])
            .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api)
            .envs(variables.iter().copied());
        Self::run(&mut command)
    }

    /// `serve` with whatever the command has, on a free port.
    pub(crate) fn run(command: &mut Command) -> Self {
        Self::await_ready(command.arg("serve"))
    }

    /// `serve` with a file, whose variable `TOKEN` is the sandbox's token.
    pub(crate) fn configured(sandbox: &Sandbox, config: &std::path::Path) -> Self {
        let mut command = ours();
        command.args(["serve", "--config"]).arg(config);
        Self::await_ready(command.env("TOKEN", &sandbox.token))
    }

    fn await_ready(command: &mut Command) -> Self {
        command
            .env("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:0")
            .env("ALERTMANAGER_WEBEX__SERVER__SHUTDOWN_DELAY", "0s");
        Self::ready(command)
    }

    /// `serve` with a file that says all.
    pub(crate) fn with_config(config: &Path) -> Self {
        Self::with_config_and(&mut ours(), config)
    }

    /// The same, with what the command has besides.
    pub(crate) fn with_config_and(command: &mut Command, config: &Path) -> Self {
        Self::ready(command.args(["serve", "--config"]).arg(config))
    }

    fn ready(command: &mut Command) -> Self {
        let program = Program::start(command);
        let address = program.word_after("ready on ");
        let address = address.trim_end_matches(':').to_owned();
        Self { program, address }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts a notification as Alertmanager does.
    pub(crate) fn notify(&self, body: &str) -> Answer {
        http("POST", &self.url("/alertmanager"), body)
    }
}

/// A body that a real Alertmanager has sent.
pub(crate) fn captured(name: &str) -> String {
    let path = format!(
        "{}/tests/fixtures/alertmanager-0.34/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}
