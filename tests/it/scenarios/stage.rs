//! Where a scenario is played: the whole service but for its port, with paused time, and a
//! record of all that it says of itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::test::{TestRequest, call_and_read_body, init_service};
use alertmanager_webex::app::Unbound;
use alertmanager_webex::config::Sources;
use alertmanager_webex::delivery::Engine;
use alertmanager_webex::http::{Door, Service, app};
use alertmanager_webex::prepared::prepare;
use alertmanager_webex::reload::Way;
use alertmanager_webex::sandbox::{Effect, Fault, Sandbox, Setup};
use alertmanager_webex::telemetry::Metrics;
use alertmanager_webex::webex::Transport;
use tempfile::TempDir;
use tokio::time::sleep;

use super::log::Log;
use super::series::Series;
use crate::harness::{Direct, toml};

/// Plays one scenario. What happens between two calls of [`Stage::scene`] is one scene.
pub(super) struct Stage {
    name: &'static str,
    pub(super) sandbox: Sandbox,
    pub(super) engine: Arc<Engine>,
    metrics: Arc<Metrics>,
    service: Arc<Service>,
    folder: TempDir,
    before: RefCell<Series>,
    /// Answers of the present scene, in the order in which they came.
    answers: RefCell<Vec<String>>,
    /// The scenes that are over.
    record: RefCell<String>,
    log: Log,
}

impl Stage {
    /// `more` is TOML behind the configuration of the harness: the receiver `default` with the
    /// room `general`. `FOLDER` in it is a folder of the scenario's own.
    pub(super) fn new(name: &'static str, more: &str) -> Self {
        Self::with_files(name, more, &[])
    }

    /// With files in that folder. `WEBHOOK` in them is the URL of an incoming webhook of the
    /// room `ops`.
    pub(super) fn with_files(name: &'static str, more: &str, files: &[(&str, &str)]) -> Self {
        Self::over(name, more, files, |sandbox| Arc::new(Direct(sandbox)))
    }

    /// With another way to Webex.
    pub(super) fn over(
        name: &'static str,
        more: &str,
        files: &[(&str, &str)],
        transport: impl FnOnce(Sandbox) -> Arc<dyn Transport>,
    ) -> Self {
        let log = Log::start();
        // Pauses between attempts are random; here they are the same in every run.
        fastrand::seed(1);
        let sandbox = Sandbox::new(Setup::default());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let more = more.replace("FOLDER", &folder.path().display().to_string());
        std::fs::write(&file, toml(&sandbox, "0s", &more)).unwrap();
        for (name, text) in files {
            let webhook = || sandbox.add_webhook("alerts", "ops").unwrap().path;
            let text = if text.contains("WEBHOOK") {
                text.replace("WEBHOOK", &format!("https://webex.invalid{}", webhook()))
            } else {
                (*text).to_owned()
            };
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let sources = Sources {
            file: Some(file),
            environment: BTreeMap::from([("TOKEN".to_owned(), "sandbox".to_owned())]),
        };
        let prepared = prepare(&sources).unwrap_or_else(|error| panic!("{error}"));
        let transport = transport(sandbox.clone());
        let way = Way::Given(Arc::clone(&transport));
        let unbound = Unbound::new(prepared, transport, way, None);
        let Unbound {
            engine,
            metrics,
            service,
            reloader,
        } = unbound.unwrap_or_else(|error| panic!("{error}"));
        tokio::spawn(reloader.run());
        let before = Series::read(&metrics.text());
        Self {
            name,
            sandbox,
            engine,
            metrics,
            service,
            folder,
            before: RefCell::new(before),
            answers: RefCell::default(),
            record: RefCell::default(),
            log,
        }
    }

    /// Alertmanager posts a notification; `path` follows `/alertmanager`.
    pub(super) async fn post(&self, path: &str, body: &str) {
        self.call(TestRequest::post(), &format!("/alertmanager{path}"), body)
            .await;
    }

    /// Alertmanager posts, and hangs up after a while that is too short.
    pub(super) async fn post_and_hang_up(&self, path: &str, body: &str) {
        let moment = Duration::from_millis(1);
        // Which of both comes first is part of the scenario.
        let _ = tokio::time::timeout(moment, self.post(path, body)).await;
    }

    /// Any request, from this machine, with JSON.
    pub(super) async fn call(&self, request: TestRequest, path: &str, body: &str) {
        let here: SocketAddr = ([127, 0, 0, 1], 40000).into();
        let request = request
            .uri(path)
            .peer_addr(here)
            .insert_header(("Content-Type", "application/json"))
            .set_payload(body.to_owned())
            .to_request();
        let method = request.method().clone();
        let app = init_service(app(&self.service, Door::Main)).await;
        let answer = call_and_read_body(&app, request).await;
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let reason = answer["reason"].as_str().unwrap();
        let mut answers = self.answers.borrow_mut();
        answers.push(format!("{method} {path}: {reason}"));
    }

    /// Edits the file of the configuration.
    pub(super) fn edit(&self, edit: impl FnOnce(&str) -> String) {
        let file = self.folder.path().join("config.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, edit(&text)).unwrap();
    }

    /// Makes posts fail so many times.
    pub(super) fn fail(&self, effect: Effect, times: u32) {
        let fault = Fault::new(effect).on("POST", "*").times(times);
        self.sandbox.set_fault(fault).unwrap();
    }

    /// Time passes, and whatever is due happens.
    pub(super) async fn pass(&self, time: Duration) {
        sleep(time).await;
    }

    /// A scene is over: its answers, and every series that changed in it.
    pub(super) fn scene(&self, title: &str) {
        let now = Series::read(&self.metrics.text());
        let changes = now.changes_since(&self.before.borrow());
        self.before.replace(now);
        let mut record = self.record.borrow_mut();
        writeln!(record, "== {title}").unwrap();
        self.log
            .scene(title, &self.folder.path().display().to_string());
        for same in self.answers.take().chunk_by(|one, other| one == other) {
            match same {
                [answer] => writeln!(record, "{answer}").unwrap(),
                same => writeln!(record, "{}, {} times", same[0], same.len()).unwrap(),
            }
        }
        for line in changes {
            writeln!(record, "{line}").unwrap();
        }
    }

    /// The scenario is over, and its record is what it was.
    pub(super) fn end(self) {
        assert!(
            self.answers.borrow().is_empty(),
            "the last scene has no title"
        );
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{}.metrics", self.name), self.record.borrow());
            insta::assert_snapshot!(format!("{}.logs", self.name), self.log.record());
        });
    }
}
