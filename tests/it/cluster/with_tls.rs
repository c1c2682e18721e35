//! The whole way with TLS: the Service's certificate is checked by Alertmanager, and Alertmanager's
//! by the receiver. All of them are in Secrets, and reach both pods as files.

use serde_json::json;

use super::admission::Admission;
use super::control_plane::ControlPlane;
use super::kubelet::Pod;
use super::operator::{self, Alertmanager, Operator};
use super::project::{Project, RELEASE, serve};
use super::whole_way::{alert, arrives};
use crate::programs::Sandbox;
use crate::tls::{Authority, Pair};

/// `config.server` and what belongs to it.
const VALUES: &str = "
existingSecret: webex
config:
  webex: {base_url: API}
  server:
    shutdown_delay: 0s
    tls:
      cert_file: {existingSecret: webex-tls, key: tls.crt}
      key_file: {existingSecret: webex-tls, key: tls.key}
      client_ca_file: {existingConfigMap: cluster-ca, key: ca.crt}
  receivers:
    default:
      namespaces: [payments]
      client_subjects: [alertmanager.monitoring.svc]
serverCa: {existingConfigMap: cluster-ca}
alertmanagerConfig:
  enabled: true
  groupWait: 0s
  groupInterval: 1s
  clientCertificate: {existingSecret: alertmanager-client}
";

fn put_certificates(cluster: &ControlPlane, namespace: &str) {
    let authority = Authority::new("cluster");
    let server = authority.server(&[&format!("{RELEASE}.{namespace}.svc")]);
    let client = authority.client(&["alertmanager.monitoring.svc"], "alertmanager");
    let config_map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-ca"},
        "data": {"ca.crt": authority.pem()},
    });
    cluster.apply(namespace, &config_map.to_string());
    let secret = |name: &str, pair: &Pair| {
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": name},
            "stringData": {"tls.crt": pair.certificate, "tls.key": pair.key},
        });
        cluster.apply(namespace, &secret.to_string());
    };
    secret("webex-tls", &server);
    secret("alertmanager-client", &client);
}

#[test]
fn alertmanager_and_the_receiver_know_each_other_by_certificates_from_secrets() {
    let sandbox = Sandbox::start();
    let cluster = ControlPlane::start();
    let _admission = Admission::start(&cluster);
    let _operator = Operator::start(&cluster);
    let payments = Project {
        namespace: "payments",
        room: "ops",
        version: "v1alpha1",
    };
    payments.prepare(&cluster, &sandbox);
    put_certificates(&cluster, payments.namespace);
    let values = VALUES.replace("API", &sandbox.api);
    payments.helm(&cluster, "install", &values);
    let pod = Pod::of(&cluster, "deployment", payments.namespace, 10);
    let _service = serve(&pod);

    let configuration = operator::generated(&cluster, |yaml| yaml.contains("payments/"));
    let url = format!("https://{RELEASE}.payments.svc:9091/alertmanager");
    assert!(configuration.contains(&url), "{configuration}");
    let mut alertmanagers = Pod::of(&cluster, "statefulset", operator::NAMESPACE, 12);
    let hosts = [payments.host(&pod)];
    let alertmanager = Alertmanager::run(&mut alertmanagers, &configuration, &hosts);
    alertmanager.tell(&json!([alert("DiskFull", Some("payments"))]));
    arrives(&sandbox, "ops", 1, "DiskFull");
    let printed = alertmanager.printed();
    assert!(!printed.contains("level=ERROR"), "{printed}");
}
