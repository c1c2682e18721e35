//! What `dev` adds to the sandbox' page, over real sockets: the playground, samples, what the
//! receiver is doing, and where a message came from.

mod messages;
mod playground;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::app::App;
use alertmanager_webex::config::{Draft, Sources};
use alertmanager_webex::dev::{Book, Dev};
use alertmanager_webex::prepared::prepare;
use alertmanager_webex::sandbox::{Message, Sandbox, Server};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{Answer, client};

/// Sandbox, service and what ties them together, as `dev` runs them.
struct Running {
    url: String,
    sandbox: Sandbox,
    templates: tempfile::TempDir,
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Running {
    fn start() -> Self {
        Self::with("")
    }

    /// `more` is TOML behind the configuration.
    fn with(more: &str) -> Self {
        let sandbox = Sandbox::default();
        let server = Server::bind(sandbox.clone(), ([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", server.local_addr());
        let templates = tempfile::tempdir().unwrap();
        std::fs::write(templates.path().join("team.md"), "Team: {{ status }}").unwrap();
        let room = |title| sandbox.room_id(title).unwrap();
        let toml = format!(
            "[rooms]\ngeneral = \"{}\"\nops = \"{}\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\nshutdown_delay = \"0s\"\n\
             [webex]\nbase_url = \"{url}/v1\"\n\
             [templates]\ndirectory = \"{}\"\n\
             [bots.default]\ntoken_env = \"TOKEN\"\n\
             [receivers.default]\nrooms = [\"general\"]\nbot = \"default\"\n\
             [receivers.\"team/ops\"]\nrooms = [\"ops\"]\nbot = \"default\"\n{more}",
            room("general"),
            room("ops"),
            templates.path().display(),
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), toml).unwrap();
        let sources = Sources {
            file: Some(file.path().to_owned()),
            environment: BTreeMap::from([("TOKEN".to_owned(), "sandbox".to_owned())]),
        };
        let options = Draft::read(&sources).unwrap().render_options();
        let prepared = prepare(&sources).unwrap_or_else(|error| panic!("{error}"));
        let book = Arc::new(Book::default());
        let app = App::start_watched(prepared, book.clone()).unwrap();
        let dev = Dev::new(&app, options, book).unwrap();
        let server = server.with_extension(Arc::new(dev));
        let stop = CancellationToken::new();
        let (page, service) = (stop.clone(), stop.clone());
        let tasks = vec![
            tokio::spawn(async { server.run_until(page.cancelled_owned()).await.unwrap() }),
            tokio::spawn(async { app.run_until(service.cancelled_owned()).await.unwrap() }),
        ];
        Self {
            url,
            sandbox,
            templates,
            stop,
            tasks,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(client().get(format!("{}/dev/v1/{path}", self.url))).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        let request = client()
            .post(format!("{}/dev/v1/{path}", self.url))
            .header("Content-Type", "application/json")
            .body(body.to_string());
        Answer::of(request).await
    }

    /// A rendering that is answered 200.
    async fn render(&self, body: Value) -> Value {
        let answer = self.post("render", body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    fn messages(&self, room: &str) -> Vec<Message> {
        self.sandbox.messages(&self.sandbox.room_id(room).unwrap())
    }

    /// Asks until `found` finds what it looks for.
    async fn until<T>(&self, path: &str, found: impl Fn(&Value) -> Option<T>) -> T {
        let ask = async {
            loop {
                let answer = self.get(path).await;
                if let Some(found) = found(&answer.body) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ask)
            .await
            .unwrap_or_else(|_| panic!("{path} never told what was waited for"))
    }

    async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// A template that is tried out.
fn tried(markdown: &str) -> Value {
    json!({"template": {"name": "mine", "markdown": markdown}, "sample": "one_firing"})
}
