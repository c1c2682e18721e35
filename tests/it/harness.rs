//! The engine and the service as the tests use them: with the sandbox for Webex.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::alertmanager::Notification;
use alertmanager_webex::app::{self, App};
use alertmanager_webex::config::Sources;
use alertmanager_webex::delivery::{Engine, Outcome, Ticket};
use alertmanager_webex::prepared::{Prepared, configuration, prepare};
use alertmanager_webex::routing::Routes;
use alertmanager_webex::sandbox::{Effect, Fault, Message, Sandbox, Setup};
use alertmanager_webex::telemetry::Metrics;
use alertmanager_webex::webex::{Client, Transport, TransportError};
use bytes::Bytes;
use http::{Request, Response};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The sandbox without sockets, so that paused time holds for it as well.
pub(crate) struct Direct(pub(crate) Sandbox);

impl Transport for Direct {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        Box::pin(async move {
            tokio::time::timeout(Duration::from_secs(30), self.0.answer(request))
                .await
                .map_err(|_| TransportError::Timeout)?
                .map_err(|broken| TransportError::Interrupted(broken.to_string()))
        })
    }
}

/// A configuration for the sandbox's bot and rooms; `more` is TOML behind it.
pub(crate) fn prepared(sandbox: &Sandbox, more: &str) -> Prepared {
    prepared_with(sandbox, "0s", more)
}

fn prepared_with(sandbox: &Sandbox, delay: &str, more: &str) -> Prepared {
    prepared_from(&toml(sandbox, delay, more))
}

/// The configuration of [`prepared`] as text.
pub(crate) fn toml(sandbox: &Sandbox, delay: &str, more: &str) -> String {
    let room = |title| sandbox.room_id(title).unwrap();
    format!(
        "[rooms]\ngeneral = \"{}\"\nops = \"{}\"\ndead = \"Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA\"\n\
         [server]\nlisten = \"127.0.0.1:0\"\nshutdown_delay = \"{delay}\"\n\
         [webex]\nbase_url = \"https://webex.invalid/v1\"\n\
         [bots.default]\ntoken_env = \"TOKEN\"\n\
         messages_per_minute = 60000\nburst = 1000\n\
         [receivers.default]\nrooms = [\"general\"]\n{more}",
        room("general"),
        room("ops"),
    )
}

fn prepared_from(toml: &str) -> Prepared {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    prepare(&Sources {
        file: Some(file.path().to_owned()),
        environment: BTreeMap::from([("TOKEN".to_owned(), "sandbox".to_owned())]),
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

/// The engine with the sandbox behind it.
pub(crate) struct Rig {
    pub(crate) engine: Arc<Engine>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sandbox: Sandbox,
    pub(crate) routes: Routes,
    transport: Arc<dyn Transport>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// `more` is TOML behind the configuration of [`prepared`].
    pub(crate) fn with(more: &str) -> Self {
        let sandbox = Sandbox::new(Setup::default());
        let transport = Arc::new(Direct(sandbox.clone()));
        Self::over(sandbox, transport, more)
    }

    pub(crate) fn over(sandbox: Sandbox, transport: Arc<dyn Transport>, more: &str) -> Self {
        let Prepared {
            config, renderer, ..
        } = prepared(&sandbox, more);
        let (engine, metrics) = app::engine(&config, renderer, Arc::clone(&transport)).unwrap();
        Self {
            engine,
            metrics,
            sandbox,
            routes: config.routes,
            transport,
        }
    }

    /// Swaps the configuration for the one of [`prepared`] after an edit.
    pub(crate) fn reload(&mut self, edit: impl FnOnce(&str) -> String) {
        let prepared = prepared_from(&edit(&toml(&self.sandbox, "0s", "")));
        self.routes = prepared.config.routes.clone();
        let client = Client::new(&prepared.config.webex.base_url, Arc::clone(&self.transport));
        let configuration = configuration(&prepared.config, prepared.renderer, client.unwrap());
        let read = self.engine.read(configuration);
        self.engine
            .swap(read.unwrap_or_else(|errors| panic!("{errors:?}")));
    }

    pub(crate) fn submit(&self, body: &str) -> Ticket {
        self.submit_to("default", body)
    }

    pub(crate) fn submit_to(&self, receiver: &str, body: &str) -> Ticket {
        let receiver = self.routes.find(receiver).unwrap();
        let notification = Notification::parse(body.as_bytes()).unwrap();
        self.engine.submit(receiver, &notification)
    }

    /// As a webhook's URL reaches a receiver, with the room that it asks for.
    pub(crate) async fn dispatch(&self, receiver: &str, room: Option<&str>, body: &str) -> Outcome {
        let receiver = self.routes.find(receiver).unwrap();
        let notification = Notification::parse(body.as_bytes()).unwrap();
        let loaded = self.engine.loaded();
        let dispatch = self.engine.dispatch(&loaded, receiver, room, &notification);
        dispatch.outcome().await
    }

    pub(crate) async fn outcome(&self, body: &str) -> Outcome {
        self.submit(body).outcome().await
    }

    pub(crate) fn messages(&self, room: &str) -> Vec<Message> {
        self.sandbox.messages(&self.sandbox.room_id(room).unwrap())
    }

    /// How many posts reached the sandbox, whatever came of them.
    pub(crate) fn posts(&self) -> usize {
        let requests = self.sandbox.requests();
        requests.iter().filter(|r| r.method == "POST").count()
    }

    /// Makes posts fail so many times.
    pub(crate) fn fail(&self, effect: Effect, times: u32) {
        self.sandbox
            .set_fault(Fault {
                effect,
                method: Some("POST".to_owned()),
                path: None,
                room: None,
                bot: None,
                times: (times > 0).then_some(times),
                for_ms: None,
            })
            .unwrap();
    }

    /// The value of a counter, by the beginning of its line.
    pub(crate) fn count(&self, series: &str) -> u64 {
        self.metric(series).parse().unwrap()
    }

    /// The value of a metric, by the beginning of its line.
    pub(crate) fn metric(&self, series: &str) -> String {
        let text = self.metrics.text();
        let beginning = format!("alertmanager_webex_{series} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&beginning));
        value
            .unwrap_or_else(|| panic!("no series {series} in\n{text}"))
            .to_owned()
    }
}

/// An alert of a group: its name, whether it fires, and when it began.
pub(crate) fn alert(name: &str, status: &str, minute: u32) -> String {
    format!(
        r#"{{"status":"{status}","labels":{{"alertname":"{name}","severity":"critical"}},
            "annotations":{{"summary":"{name} is broken"}},"startsAt":"2026-01-01T00:{minute:02}:00Z",
            "endsAt":"2026-01-01T01:00:00Z","fingerprint":"fp-{name}"}}"#
    )
}

/// A notification of one group.
pub(crate) fn notification(group: &str, alerts: &[String]) -> String {
    reasoned(group, alerts, "")
}

/// A notification with Alertmanager's word on why it was sent.
pub(crate) fn reasoned(group: &str, alerts: &[String], reason: &str) -> String {
    format!(
        r#"{{"version":"4","groupKey":"{group}","receiver":"webex","notification_reason":"{reason}",
            "externalURL":"http://alertmanager.example.org","alerts":[{}]}}"#,
        alerts.join(",")
    )
}

/// A group with one alert that fires.
pub(crate) fn firing(group: &str) -> String {
    notification(group, &[alert(group, "firing", 0)])
}

/// The same group with the alert resolved.
pub(crate) fn resolved(group: &str) -> String {
    notification(group, &[alert(group, "resolved", 0)])
}

/// The whole service on a port of its own.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) admin_address: Option<SocketAddr>,
    pub(crate) sandbox: Sandbox,
    stop: CancellationToken,
    running: JoinHandle<std::io::Result<()>>,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    pub(crate) fn with(more: &str) -> Self {
        let sandbox = Sandbox::new(Setup::default());
        let prepared = prepared(&sandbox, more);
        Self::run(sandbox, prepared)
    }

    /// With a time between being asked to end and ending.
    pub(crate) fn with_delay(delay: &str) -> Self {
        let sandbox = Sandbox::new(Setup::default());
        let prepared = prepared_with(&sandbox, delay, "");
        Self::run(sandbox, prepared)
    }

    /// With keys of `[server]`, and more TOML at the end.
    pub(crate) fn with_server(server: &str, more: &str) -> Self {
        let sandbox = Sandbox::new(Setup::default());
        let prepared = prepared_from(
            &toml(&sandbox, "0s", more).replace("\n[webex]\n", &format!("\n{server}\n[webex]\n")),
        );
        Self::run(sandbox, prepared)
    }

    pub(crate) fn run(sandbox: Sandbox, prepared: Prepared) -> Self {
        let transport = Arc::new(Direct(sandbox.clone()));
        let app = App::start_with(prepared, transport).unwrap();
        let stop = CancellationToken::new();
        Self {
            address: app.address(),
            admin_address: app.admin_address(),
            sandbox,
            running: tokio::spawn(app.run_until(stop.clone().cancelled_owned())),
            stop,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts JSON as Alertmanager does.
    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = client()
            .post(self.url(path))
            .header("Content-Type", "application/json")
            .body(body);
        Answer::of(request).await
    }

    /// Ends the service and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }
}

/// An answer as Alertmanager sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: serde_json::Value,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Self {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)),
        }
    }
}

pub(crate) fn client() -> reqwest::Client {
    alertmanager_webex::webex::install_provider();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
