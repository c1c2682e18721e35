//! The operator's kinds of objects, and its admission webhook: it judges rules and
//! `AlertmanagerConfig`s, and turns the versions of the latter into each other.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::{address, installed, step};
use crate::programs::{Program, until};

/// Kinds that a chart may hold, and the one that the operator makes an Alertmanager of. The
/// operator switches off what it finds no kind for.
const KINDS: [&str; 5] = [
    "alertmanagerconfigs",
    "alertmanagers",
    "podmonitors",
    "prometheusrules",
    "servicemonitors",
];

pub(super) struct Admission {
    _webhook: Program,
}

impl Admission {
    pub(super) fn start(cluster: &ControlPlane) -> Self {
        step(
            "add the operator's kinds of objects, and its admission webhook",
            || {
                let folder = installed("OPERATOR_CRDS");
                let mut arguments = vec!["apply".to_owned(), "--server-side".to_owned()];
                arguments.extend(KINDS.map(|kind| {
                    format!(
                        "--filename={}",
                        folder
                            .join(format!("monitoring.coreos.com_{kind}.yaml"))
                            .display()
                    )
                }));
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                cluster.kubectl(&arguments);
                // What finds a kind missing at its start, never looks again.
                cluster.kubectl(&["wait", "--for=condition=Established", "crd", "--all"]);
                let this = Self {
                    _webhook: webhook(cluster),
                };
                register(cluster);
                this
            },
        )
    }
}

fn url(path: &str) -> String {
    format!("https://{}:8443/{path}", address(1))
}

fn webhook(cluster: &ControlPlane) -> Program {
    let (certificate, key) = cluster.certificate();
    let program = Program::start(
        Command::new(installed("ADMISSION_WEBHOOK_BIN"))
            .env_clear()
            .arg(format!("--web.listen-address={}:8443", address(1)))
            .arg(format!("--web.cert-file={}", certificate.display()))
            .arg(format!("--web.key-file={}", key.display())),
    );
    until("the admission webhook listens", || {
        std::net::TcpStream::connect((address(1), 8443)).ok()
    });
    program
}

/// Tells the API server of the webhook, and waits until it asks there.
fn register(cluster: &ControlPlane) {
    let authority = BASE64.encode(std::fs::read(cluster.certificate().0).unwrap());
    let client = |path: &str| json!({"url": url(path), "caBundle": authority});
    let conversion = json!({"spec": {"conversion": {
        "strategy": "Webhook",
        "webhook": {
            "clientConfig": client("convert"),
            "conversionReviewVersions": ["v1beta1", "v1alpha1"],
        },
    }}});
    cluster.kubectl(&[
        "patch",
        "crd/alertmanagerconfigs.monitoring.coreos.com",
        "--type=merge",
        "--patch",
        &conversion.to_string(),
    ]);
    let judge = |resource: &str, versions: Value| {
        json!({
            "name": format!("{resource}.monitoring.coreos.com"),
            "clientConfig": client(&format!("admission-{resource}/validate")),
            "rules": [{
                "apiGroups": ["monitoring.coreos.com"],
                "apiVersions": versions,
                "operations": ["CREATE", "UPDATE"],
                "resources": [resource],
            }],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
        })
    };
    let webhooks = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "prometheus-operator"},
        "webhooks": [
            judge("prometheusrules", json!(["v1"])),
            judge("alertmanagerconfigs", json!(["v1alpha1", "v1beta1"])),
        ],
    });
    cluster.apply("default", &webhooks.to_string());
    // It is told of a new configuration in its own time; until then a broken rule passes.
    let broken = json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "broken"},
        "spec": {"groups": [{"name": "broken", "rules": [{"alert": "Broken", "expr": "sum("}]}]},
    });
    until("a rule that is no PromQL is refused", || {
        let create = ["create", "--dry-run=server", "-n", "default", "-f", "-"];
        let ran = cluster.try_kubectl(&create, &broken.to_string());
        (!ran.done && ran.stderr.contains("could not parse expression")).then_some(())
    });
}
