//! `compose.yaml`: its programs are started with the commands and the files that stand there, on
//! loopback and without an engine, and the alert of the demonstration arrives.
//!
//! Only addresses are rewritten, and where programs keep their data. What an engine would do
//! besides, such as finding a name, is left to the engine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::programs::{Program, http, ours, until};

/// A program that `make` puts into place and names in this variable.
fn program(variable: &str) -> Command {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let Some(path) = path.filter(|path| path.is_file()) else {
        panic!("{variable} names no program; run `make test`, which provides it and says where")
    };
    let mut command = Command::new(path);
    command.env_clear().current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// What a command prints, if it likes what it is given.
fn accepted(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// The file as Compose's own loader reads it, which refuses what the specification does not
/// know.
fn project() -> Value {
    let project = accepted(program("COMPOSE_GO_BIN").args(["--format", "json", "compose.yaml"]));
    serde_json::from_str(&project).unwrap()
}

/// A service, with the files that it would see in a folder of ours.
struct Part<'a> {
    service: &'a Value,
    folder: tempfile::TempDir,
    /// What is written in files and commands, and what stands for it here.
    rewritten: BTreeMap<String, String>,
}

impl<'a> Part<'a> {
    fn new(project: &'a Value, name: &str, rewritten: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let service = &project["services"][name];
        assert!(service.is_object(), "there is no service {name}");
        let mut part = Self {
            service,
            folder,
            rewritten: BTreeMap::new(),
        };
        for (from, to) in rewritten {
            part.rewritten.insert((*from).to_owned(), (*to).to_owned());
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let (source, target) = (&volume["source"], volume["target"].as_str().unwrap());
            let text = std::fs::read_to_string(source.as_str().unwrap()).unwrap();
            let (_, name) = target.rsplit_once('/').unwrap();
            let here = part.folder.path().join(name);
            std::fs::write(&here, part.here(&text)).unwrap();
            let here = here.to_str().unwrap().to_owned();
            part.rewritten.insert(target.to_owned(), here);
        }
        part
    }

    /// A text as it is meant here.
    fn here(&self, text: &str) -> String {
        let replace = |text: String, (from, to): (&String, &String)| text.replace(from, to);
        self.rewritten.iter().fold(text.to_owned(), replace)
    }

    /// Where a folder that stands in the command is here.
    fn keep(&mut self, folder: &str) {
        let here = self.folder.path().join("data");
        let here = here.to_str().unwrap().to_owned();
        self.rewritten
            .insert(format!("={folder}"), format!("={here}"));
    }

    fn start(&self, mut command: Command, more: &[&str]) -> Program {
        let arguments = self.service["command"].as_array().unwrap().iter();
        let arguments = arguments.map(|argument| self.here(argument.as_str().unwrap()));
        command.args(arguments).args(more);
        let environment = self.service["environment"].as_object();
        for (name, value) in environment.into_iter().flatten() {
            command.env(name, value.as_str().unwrap());
        }
        Program::start(&mut command)
    }
}

#[test]
fn what_compose_starts_brings_the_demonstrations_alert_to_the_sandbox() {
    let project = project();
    let sandbox = Part::new(&project, "sandbox", &[("0.0.0.0:9095", "127.0.0.1:0")]);
    let sandbox = sandbox.start(ours(), &[]);
    let page = sandbox.word_after("page ");
    let sandbox_address = page
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();

    let webex = [("sandbox:9095", sandbox_address.as_str())];
    let webex = Part::new(&project, "alertmanager-webex", &webex);
    let mut command = ours();
    command
        // The image names the file by this variable.
        .env(
            "ALERTMANAGER_WEBEX_CONFIG",
            webex.here("/etc/alertmanager-webex/config.toml"),
        )
        .env("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:0");
    let service = webex.start(command, &[]);
    let address = service.word_after("ready on ");
    let address = address.trim_end_matches(':');

    let rewritten = [("alertmanager-webex:9091", address)];
    let mut alertmanager = Part::new(&project, "alertmanager", &rewritten);
    alertmanager.keep("/alertmanager");
    let listen = "--web.listen-address=127.0.0.1:0";
    let alertmanager = alertmanager.start(program("ALERTMANAGER_BIN"), &[listen]);
    let alertmanager_address = alertmanager.line(|line| {
        let (_, rest) = line.split_once("Listening on\" address=")?;
        Some(rest.split_whitespace().next()?.to_owned())
    });

    let rewritten = [
        ("alertmanager-webex:9091", address),
        (
            "\"alertmanager:9093\"",
            &format!("{alertmanager_address:?}"),
        ),
    ];
    let mut prometheus = Part::new(&project, "prometheus", &rewritten);
    prometheus.keep("/prometheus");
    let _prometheus = prometheus.start(program("PROMETHEUS_BIN"), &[listen]);

    let messages = format!("{page}control/v1/rooms/demo/messages");
    let message = until("the demonstration's alert in the room `demo`", || {
        let messages = http("GET", &messages, "").json();
        let mut messages = messages.as_array()?.iter();
        let texts = messages.find_map(|message| message["markdown"].as_str());
        texts
            .filter(|text| text.contains("DemoAlert"))
            .map(str::to_owned)
    });
    assert!(
        message.contains("Its way from Prometheus to this room works"),
        "{message}"
    );
    // Links lead where the ports of compose.yaml are.
    assert!(message.contains("http://127.0.0.1:9090/graph"), "{message}");
    assert!(message.contains("http://127.0.0.1:9093/#/"), "{message}");
}

#[test]
fn the_healthcheck_of_compose_is_a_command_of_the_image() {
    let project = project();
    let check = &project["services"]["alertmanager-webex"]["healthcheck"]["test"];
    assert_eq!(
        *check,
        serde_json::json!(["CMD", "/alertmanager-webex", "healthcheck"])
    );
    let image = include_str!("../../Dockerfile");
    assert!(image.contains("ENTRYPOINT [\"/alertmanager-webex\"]"));
    assert!(image.contains("ENV ALERTMANAGER_WEBEX_CONFIG=/etc/alertmanager-webex/config.toml"));
}

#[test]
fn prometheus_and_alertmanager_accept_their_files_as_they_are() {
    accepted(program("AMTOOL_BIN").args(["check-config", "examples/compose/alertmanager.yml"]));
    accepted(program("PROMTOOL_BIN").args(["check", "config", "examples/compose/prometheus.yml"]));
}
