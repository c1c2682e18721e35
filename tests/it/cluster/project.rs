//! A project as the tests have it: a namespace, a Secret, and a release of the chart.

use std::net::Ipv4Addr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::commands::chart;
use super::control_plane::ControlPlane;
use super::kubelet::{Image, Pod};
use super::repository;
use crate::programs::{Program, Sandbox};

/// The release; named like the chart, as the documentation has it.
pub(super) const RELEASE: &str = "alertmanager-webex";

/// A project with a namespace, a Secret and a release of its own.
pub(super) struct Project {
    pub(super) namespace: &'static str,
    /// Of the sandbox.
    pub(super) room: &'static str,
    /// The version of its `AlertmanagerConfig`.
    pub(super) version: &'static str,
}

impl Project {
    /// What Alertmanager shows, as long as nothing is rotated.
    pub(super) fn caller(&self) -> String {
        format!("alertmanager-of-{}", self.namespace)
    }

    /// Where the Service is found, and the pod behind it.
    pub(super) fn host(&self, pod: &Pod) -> (String, Ipv4Addr) {
        (format!("{RELEASE}.{}.svc", self.namespace), pod.address())
    }

    /// The chart's values; `more` is YAML behind `config`.
    pub(super) fn values(&self, sandbox: &Sandbox, more: &str) -> String {
        format!(
            "existingSecret: webex\n\
             secretKeys: {{caller: caller}}\n\
             alertmanagerConfig:\n  \
               enabled: true\n  \
               apiVersion: monitoring.coreos.com/{version}\n  \
               groupWait: 0s\n  \
               groupInterval: 1s\n\
             config:\n  \
               webex: {{base_url: \"{api}\"}}\n  \
               server: {{shutdown_delay: 0s}}\n  \
               receivers:\n    default: {{namespaces: [{namespace}]}}\n{more}",
            version = self.version,
            namespace = self.namespace,
            api = sandbox.api,
        )
    }

    pub(super) fn prepare(&self, cluster: &ControlPlane, sandbox: &Sandbox) {
        cluster.namespace(self.namespace);
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "webex"},
            "stringData": {
                "token": sandbox.token,
                "room": sandbox.rooms[self.room],
                "caller": self.caller(),
            },
        });
        cluster.apply(self.namespace, &secret.to_string());
    }

    /// `helm install` or `helm upgrade`.
    pub(super) fn helm(&self, cluster: &ControlPlane, verb: &str, values: &str) {
        let arguments = [verb, RELEASE, &chart(), "-n", self.namespace, "--values=-"];
        cluster.helm(&arguments, values);
    }

    /// Changes keys of the Secret, as who rotates a token does.
    pub(super) fn rotate(&self, cluster: &ControlPlane, key: &str, value: &str) {
        let patch = json!({"data": {key: BASE64.encode(value)}}).to_string();
        let arguments = ["patch", "secret", "webex", "-n", self.namespace, "--patch"];
        cluster.kubectl(&[&arguments[..], &[&patch]].concat());
    }
}

/// Our program as the image has it, by the last stage of the Dockerfile.
pub(super) fn image() -> Image {
    let text = std::fs::read_to_string(repository().join("Dockerfile")).unwrap();
    let (_, stage) = text.rsplit_once("\nFROM ").unwrap();
    let value = |instruction: &str| {
        let mut values = stage
            .lines()
            .filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' '));
        values
            .next()
            .unwrap_or_else(|| panic!("the Dockerfile has no {instruction}"))
    };
    let words = |instruction| -> Vec<String> { serde_json::from_str(value(instruction)).unwrap() };
    let (user, _) = value("USER").split_once(':').unwrap();
    Image {
        program: Path::new(env!("CARGO_BIN_EXE_alertmanager-webex")).to_owned(),
        entry_point: words("ENTRYPOINT").remove(0),
        arguments: words("CMD"),
        user: user.parse().unwrap(),
    }
}

/// The service's container. It listens on the pod's address, since the pods share the network.
pub(super) fn serve(pod: &Pod) -> Program {
    let listen = format!("{}:9091", pod.address());
    let admin = format!("{}:9092", pod.address());
    let mut variables = vec![("ALERTMANAGER_WEBEX__SERVER__LISTEN", listen)];
    let container = &pod.containers("containers")[0];
    if pod.has_port(container, "admin") {
        variables.push(("ALERTMANAGER_WEBEX__SERVER__ADMIN_LISTEN", admin));
    }
    let program = pod.start(container, &image(), &[], &variables);
    program.word_after("ready on ");
    program
}
