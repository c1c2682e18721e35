//! `kubectl` and `helm`, run to their end.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::control_plane::ControlPlane;
use super::installed;

/// What a command has printed, and whether it went well.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) done: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ran {
    /// Fails unless the command went well.
    pub(super) fn well(self, what: &str) -> Self {
        assert!(self.done, "{what}:\n{}{}", self.stdout, self.stderr);
        self
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command to its end, with this as its standard input.
pub(super) fn run(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_owned();
    // Who does not read all of it has closed it, and says by its exit code what that means.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    Ran {
        done: status.success(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

impl ControlPlane {
    fn command(&self, variable: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(installed(variable));
        command
            .env_clear()
            .env("HOME", self.folder())
            .env("KUBECONFIG", self.kubeconfig())
            .args(arguments);
        command
    }

    /// Runs `kubectl`, however it ends.
    pub(super) fn try_kubectl(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command("KUBECTL_BIN", arguments);
        run(command.arg("--request-timeout=30s"), input)
    }

    /// Runs `kubectl`, and fails if that fails. Returns what it printed to stdout.
    pub(super) fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments, "")
            .well(&format!("kubectl {}", arguments.join(" ")))
            .stdout
    }

    /// One object, or a list of them.
    pub(super) fn get(&self, arguments: &[&str]) -> Value {
        let printed = self.kubectl(&[&["get", "-o", "json"], arguments].concat());
        serde_json::from_str(&printed).unwrap()
    }

    /// Creates or changes what stands in this YAML or JSON, and takes no unknown key.
    pub(super) fn apply(&self, namespace: &str, text: &str) {
        let arguments = ["apply", "--validate=strict", "-n", namespace, "-f", "-"];
        let ran = self.try_kubectl(&arguments, text);
        let ran = ran.well(&format!("kubectl apply of\n{text}\n"));
        assert_eq!(ran.stderr, "", "{text}");
    }

    /// Runs `helm`, however it ends. `values` is YAML, which goes before what a file says.
    pub(super) fn try_helm(&self, arguments: &[&str], values: &str) -> Ran {
        run(&mut self.command("HELM_BIN", arguments), values)
    }

    /// Runs `helm`, and fails if that fails, or if the server had to warn.
    pub(super) fn helm(&self, arguments: &[&str], values: &str) -> String {
        let what = format!("helm {}", arguments.join(" "));
        let ran = self.try_helm(arguments, values).well(&what);
        assert!(
            !ran.stderr.to_lowercase().contains("warn"),
            "{what}: {ran:?}"
        );
        ran.stdout
    }
}

/// The chart of this repository.
pub(super) fn chart() -> String {
    let folder = super::repository().join("chart");
    folder.to_str().unwrap().to_owned()
}
