//! From a project's `AlertmanagerConfig` to its room: the operator makes Alertmanager's
//! configuration of it, the real Alertmanager runs on exactly that, and posts to the Service; the
//! receiver runs on exactly the `ConfigMap` and the Secrets of its pod.

use serde_json::{Value, json};

use super::admission::Admission;
use super::control_plane::ControlPlane;
use super::kubelet::Pod;
use super::operator::{self, Alertmanager, Operator};
use super::project::{Project, RELEASE, serve};
use super::step;
use crate::programs::{Program, Sandbox, captured, http_with, until};

const CHECKOUT: Project = Project {
    namespace: "checkout",
    room: "ops",
    version: "v1alpha1",
};
const SEARCH: Project = Project {
    namespace: "search",
    room: "general",
    version: "v1beta1",
};

#[test]
fn an_alert_finds_its_projects_room_through_the_operators_configuration() {
    let sandbox = Sandbox::start();
    let cluster = ControlPlane::start();
    let _admission = Admission::start(&cluster);
    let _operator = Operator::start(&cluster);
    let way = Way::start(&cluster, &sandbox);
    step(
        "alerts arrive in the room of their project, and nowhere else",
        || way.alerts_arrive(),
    );
    step("who forges an alert is refused", || {
        way.forged_alerts_are_refused();
    });
    step("a new token of Webex is taken up from the Secret", || {
        way.a_token_is_rotated();
    });
    step(
        "a new token of the caller is taken up on both sides",
        || way.a_callers_token_is_rotated(),
    );
    step(
        "a change of the values is taken up without a new pod",
        || way.values_change(),
    );
    way.nothing_leaked();
}

/// Two projects, and the Alertmanager that they share.
struct Way<'a> {
    cluster: &'a ControlPlane,
    sandbox: &'a Sandbox,
    /// Of [`CHECKOUT`] and [`SEARCH`].
    pods: [Pod<'a>; 2],
    _services: [Program; 2],
    alertmanager: Alertmanager,
    alertmanagers: Pod<'a>,
}

impl<'a> Way<'a> {
    fn start(cluster: &'a ControlPlane, sandbox: &'a Sandbox) -> Self {
        step("install the chart for two projects", || {
            for project in [CHECKOUT, SEARCH] {
                project.prepare(cluster, sandbox);
                project.helm(cluster, "install", &project.values(sandbox, ""));
            }
        });
        let pods = [(CHECKOUT, 10), (SEARCH, 11)]
            .map(|(project, number)| Pod::of(cluster, "deployment", project.namespace, number));
        let services = [serve(&pods[0]), serve(&pods[1])];
        step("run Alertmanager on what the operator has made", || {
            let configuration = operator::generated(cluster, |yaml| {
                yaml.contains("checkout/") && yaml.contains("search/")
            });
            for project in [CHECKOUT, SEARCH] {
                let namespace = project.namespace;
                let url = format!("http://{RELEASE}.{namespace}.svc:9091/alertmanager");
                for part in [format!("namespace=\"{namespace}\""), url] {
                    assert!(configuration.contains(&part), "{configuration}");
                }
            }
            let mut alertmanagers = Pod::of(cluster, "statefulset", operator::NAMESPACE, 12);
            let hosts = [CHECKOUT.host(&pods[0]), SEARCH.host(&pods[1])];
            Self {
                cluster,
                sandbox,
                alertmanager: Alertmanager::run(&mut alertmanagers, &configuration, &hosts),
                alertmanagers,
                pods,
                _services: services,
            }
        })
    }

    /// Where one who is in the cluster reaches the receiver of [`CHECKOUT`].
    fn url(&self) -> String {
        format!("http://{}:9091/alertmanager", self.pods[0].address())
    }

    fn alerts_arrive(&self) {
        self.alertmanager.tell(&json!([
            alert("DiskFull", Some("checkout")),
            alert("QueueStuck", Some("search")),
            alert("Foreign", Some("payments")),
            alert("Stray", None),
        ]));
        arrives(self.sandbox, "ops", 1, "DiskFull");
        arrives(self.sandbox, "general", 1, "QueueStuck");
    }

    fn forged_alerts_are_refused(&self) {
        let own = notification("checkout");
        for token in [None, Some(SEARCH.caller()), Some(String::new())] {
            let answer = http_with("POST", &self.url(), token.as_deref(), own.as_str());
            assert_eq!(
                (answer.status, answer.reason().as_str()),
                (401, "unauthorized"),
                "{token:?}"
            );
        }
        let token = CHECKOUT.caller();
        let answer = http_with("POST", &self.url(), Some(&token), notification("search"));
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (403, "foreign_namespace")
        );
    }

    fn a_token_is_rotated(&self) {
        let token = "another-token-of-the-bot";
        self.sandbox.set_token(token);
        self.alertmanager
            .tell(&json!([alert("AfterRotation", Some("checkout"))]));
        until("Webex refuses the old token", || {
            self.sandbox.posts().contains(&401).then_some(())
        });
        for (project, pod) in [CHECKOUT, SEARCH].iter().zip(&self.pods) {
            project.rotate(self.cluster, "token", token);
            pod.sync();
        }
        arrives(self.sandbox, "ops", 2, "AfterRotation");
    }

    fn a_callers_token_is_rotated(&self) {
        let token = "another-token-of-alertmanager";
        CHECKOUT.rotate(self.cluster, "caller", token);
        let configuration = operator::generated(self.cluster, |yaml| yaml.contains(token));
        self.alertmanager
            .reload(&self.alertmanagers, &configuration);
        self.pods[0].sync();
        self.alertmanager
            .tell(&json!([alert("NewCredentials", Some("checkout"))]));
        arrives(self.sandbox, "ops", 3, "NewCredentials");
        let answer = http_with(
            "POST",
            &self.url(),
            Some(&CHECKOUT.caller()),
            notification("checkout"),
        );
        assert_eq!(answer.status, 401, "the old one counts no more: {answer:?}");
    }

    fn values_change(&self) {
        let template = || {
            let get = ["deployment", RELEASE, "-n", CHECKOUT.namespace];
            self.cluster.get(&get)["spec"]["template"].clone()
        };
        let before = template();
        let night = &self.sandbox.rooms["general"];
        let values = CHECKOUT
            .values(self.sandbox, &format!("  rooms: {{night: \"{night}\"}}\n"))
            .replace(
                "{namespaces: [checkout]}",
                "{namespaces: [checkout], rooms: [default, night]}",
            );
        CHECKOUT.helm(self.cluster, "upgrade", &values);
        assert_eq!(template(), before, "the same pod goes on");
        self.pods[0].sync();
        until("the new configuration counts", || {
            let token = Some("another-token-of-alertmanager");
            let answer = http_with("POST", &self.url(), token, notification("checkout"));
            assert_eq!(answer.status, 200, "{answer:?}");
            (self.sandbox.messages("general").len() == 2).then_some(())
        });
    }

    fn nothing_leaked(&self) {
        let rooms = ["ops", "general"].map(|room| self.sandbox.messages(room).concat());
        for foreign in ["Foreign", "Stray"] {
            assert!(!rooms.concat().contains(foreign), "{rooms:?}");
        }
        let printed = self.alertmanager.printed();
        for secret in ["alertmanager-of-", "another-token"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

pub(super) fn alert(name: &str, namespace: Option<&str>) -> Value {
    let mut alert = json!({
        "labels": {"alertname": name, "severity": "critical"},
        "annotations": {"summary": format!("{name} is the matter")},
    });
    if let Some(namespace) = namespace {
        alert["labels"]["namespace"] = namespace.into();
    }
    alert
}

/// A real notification whose alerts have this label.
fn notification(namespace: &str) -> String {
    let mut body: Value = serde_json::from_str(&captured("one-firing")).unwrap();
    for alert in body["alerts"].as_array_mut().unwrap() {
        alert["labels"]["namespace"] = namespace.into();
    }
    body["commonLabels"]["namespace"] = namespace.into();
    body.to_string()
}

/// Waits for one message more, which tells of this alert.
pub(super) fn arrives(sandbox: &Sandbox, room: &str, number: usize, alert: &str) {
    let messages = sandbox.await_messages(room, number);
    assert!(
        messages.len() == number && messages[number - 1].contains(alert),
        "{alert} in `{room}`: {messages:#?}"
    );
}
