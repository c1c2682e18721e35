//! prometheus-operator, and the Alertmanager that it configures.

use std::net::Ipv4Addr;
use std::process::Command;

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::kubelet::{Image, Pod};
use super::{address, installed, step};
use crate::programs::{Program, http, until};

/// Where the platform's own objects are.
pub(super) const NAMESPACE: &str = "monitoring";

/// The operator, which acts as the cluster's administrator through a proxy.
pub(super) struct Operator {
    _operator: Program,
    _proxy: Program,
}

impl Operator {
    /// Starts it, and asks it for an Alertmanager that takes every `AlertmanagerConfig`.
    pub(super) fn start(cluster: &ControlPlane) -> Self {
        step("start prometheus-operator", || {
            let proxy = Program::start(
                Command::new(installed("KUBECTL_BIN"))
                    .env_clear()
                    .env("KUBECONFIG", cluster.kubeconfig())
                    .args(["proxy", "--port=8001", "--accept-hosts=.*"])
                    .arg(format!("--address={}", address(1))),
            );
            proxy.says("Starting to serve");
            let operator = Program::start(
                Command::new(installed("OPERATOR_BIN"))
                    .env_clear()
                    .arg(format!("--apiserver=http://{}:8001", address(1)))
                    .arg(format!("--web.listen-address={}:8080", address(1))),
            );
            cluster.namespace(NAMESPACE);
            cluster.apply(NAMESPACE, &alertmanager().to_string());
            Self {
                _operator: operator,
                _proxy: proxy,
            }
        })
    }
}

fn alertmanager() -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Alertmanager",
        "metadata": {"name": "main"},
        "spec": {
            "replicas": 1,
            // The one that runs: the operator writes for a version what that understands.
            "version": version(),
            "alertmanagerConfigSelector": {},
            "alertmanagerConfigNamespaceSelector": {},
        },
    })
}

/// The version of the Alertmanager that will run.
fn version() -> String {
    let mut command = Command::new(installed("ALERTMANAGER_BIN"));
    let printed = super::commands::run(command.arg("--version"), "").stdout;
    let mut words = printed.split_whitespace();
    words
        .find(|word| *word == "version")
        .and_then(|_| words.next())
        .expect("it says its version")
        .to_owned()
}

/// The configuration that the operator has made, once `ready` says that it is the one awaited.
pub(super) fn generated(cluster: &ControlPlane, ready: impl Fn(&str) -> bool) -> String {
    until("the operator's configuration of Alertmanager", || {
        let get = [
            "get",
            "secret",
            "alertmanager-main-generated",
            "-n",
            NAMESPACE,
            "--ignore-not-found",
            "-o=jsonpath={.data.alertmanager\\.yaml\\.gz}",
        ];
        let packed = cluster.kubectl(&get);
        let mut unpack = Command::new("sh");
        unpack.args(["-c", "base64 -d | gzip -d"]);
        let yaml = super::commands::run(&mut unpack, &packed).stdout;
        Some(yaml).filter(|yaml| ready(yaml))
    })
}

/// A real Alertmanager: the pod that the operator has made.
pub(super) struct Alertmanager {
    program: Program,
    address: String,
}

impl Alertmanager {
    /// Runs the pod. `hosts` are the Services that it can reach.
    pub(super) fn run(pod: &mut Pod, configuration: &str, hosts: &[(String, Ipv4Addr)]) -> Self {
        unpack(pod, configuration);
        // Each pod has an address of its own in a cluster, but shares those of this machine here.
        pod.replace_argument(
            "--web.listen-address=:9093",
            &format!("--web.listen-address={}:9093", pod.address()),
        );
        let image = Image {
            program: installed("ALERTMANAGER_BIN"),
            entry_point: "/bin/alertmanager".to_owned(),
            arguments: Vec::new(),
            user: 65534,
        };
        let program = pod.start("alertmanager", &image, hosts, &[]);
        let address = format!("{}:9093", pod.address());
        program.says("Listening on");
        Self { program, address }
    }

    /// Takes up another configuration, as the operator's reloader makes it.
    pub(super) fn reload(&self, pod: &Pod, configuration: &str) {
        unpack(pod, configuration);
        let answer = http("POST", &format!("http://{}/-/reload", self.address), "");
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(super) fn tell(&self, alerts: &Value) {
        let url = format!("http://{}/api/v2/alerts", self.address);
        let answer = http("POST", &url, alerts.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(super) fn printed(&self) -> String {
        self.program.printed()
    }
}

impl Drop for Alertmanager {
    /// A test that fails shows what Alertmanager was answered: it logs that.
    #[expect(
        clippy::print_stderr,
        reason = "it is for whoever reads why the test failed"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Alertmanager's log:\n{}", self.printed());
        }
    }
}

/// What the pod's other containers do with the operator's Secret; their program is not here.
fn unpack(pod: &Pod, configuration: &str) {
    let place = pod.volume("config-out").join("alertmanager.env.yaml");
    std::fs::write(place, configuration).unwrap();
}
