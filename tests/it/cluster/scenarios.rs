//! Each scenario of `chart/ci`, as the API server and the operator's webhook see it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::admission::Admission;
use super::commands::chart;
use super::control_plane::ControlPlane;
use super::project::RELEASE;
use super::step;

/// What the scenarios together have to hold, so that nothing is left out here: kind and version.
const KINDS: [&str; 11] = [
    "AlertmanagerConfig monitoring.coreos.com/v1alpha1",
    "AlertmanagerConfig monitoring.coreos.com/v1beta1",
    "ConfigMap v1",
    "Deployment apps/v1",
    "NetworkPolicy networking.k8s.io/v1",
    "Pod v1",
    "PodDisruptionBudget policy/v1",
    "PrometheusRule monitoring.coreos.com/v1",
    "Service v1",
    "ServiceAccount v1",
    "ServiceMonitor monitoring.coreos.com/v1",
];

/// No upgrade can change names: they are in the selector of a Deployment, which is immutable.
const SAME_NAME: [&str; 2] = [
    "--set-string=nameOverride=",
    "--set-string=fullnameOverride=alertmanager-webex",
];

/// Values files, by the name of their scenario.
fn scenarios() -> Vec<(String, PathBuf)> {
    let files = std::fs::read_dir(Path::new(&chart()).join("ci")).unwrap();
    let mut scenarios: Vec<_> = files
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix("-values.yaml")?;
            Some((name.to_owned(), path.clone()))
        })
        .collect();
    scenarios.sort();
    assert!(scenarios.len() > 1, "{scenarios:?}");
    scenarios
}

/// Names of all objects of a namespace, or of those that belong to none.
fn objects(cluster: &ControlPlane, namespace: Option<&str>) -> BTreeSet<String> {
    let namespaced = format!("--namespaced={}", namespace.is_some());
    let kinds = cluster.kubectl(&["api-resources", "--verbs=list", &namespaced, "-o=name"]);
    let kinds: Vec<&str> = kinds
        .lines()
        // They come and go by themselves, or are only another view of what is there.
        .filter(|kind| !kind.starts_with("events") && *kind != "componentstatuses")
        .collect();
    let kinds = kinds.join(",");
    let mut get = vec!["get", &kinds, "-o=name", "--ignore-not-found"];
    get.extend(namespace.map(|_| "-n").into_iter().chain(namespace));
    let names = cluster.kubectl(&get);
    names.lines().map(str::to_owned).collect()
}

/// What the release has made, by what Helm says of it. All of it is there.
fn made(cluster: &ControlPlane, namespace: &str) -> Vec<Value> {
    let manifest = cluster.helm(&["get", "manifest", RELEASE, "-n", namespace], "");
    let get = ["get", "-n", namespace, "-o=json", "-f", "-"];
    let list = cluster.try_kubectl(&get, &manifest).well("kubectl get");
    list.json()["items"].as_array().unwrap().clone()
}

/// Nothing of the namespace belongs to a release but what is in its manifest.
fn holds_only_its_own(cluster: &ControlPlane, namespace: &str, before: &BTreeSet<String>) {
    let expected: BTreeSet<String> = made(cluster, namespace)
        .iter()
        .map(|object| {
            let kind = object["kind"].as_str().unwrap().to_lowercase();
            let group = match object["apiVersion"].as_str().unwrap().split_once('/') {
                Some((group, _)) => format!(".{group}"),
                None => String::new(),
            };
            let name = object["metadata"]["name"].as_str().unwrap();
            format!("{kind}{group}/{name}")
        })
        .collect();
    let found: BTreeSet<String> = objects(cluster, Some(namespace))
        .difference(before)
        // Helm's own memory.
        .filter(|name| !name.starts_with("secret/sh.helm.release."))
        .cloned()
        .collect();
    assert_eq!(found, expected, "objects of {namespace}");
}

/// The objects in what Helm has rendered.
fn rendered_objects(cluster: &ControlPlane, namespace: &str, rendered: &str) -> Vec<Value> {
    let create = ["create", "--dry-run=client", "-o=json", "-f", "-"];
    let create = [&create[..], &["-n", namespace]].concat();
    let printed = cluster
        .try_kubectl(&create, rendered)
        .well("kubectl create");
    // One object after the other, without a list around them.
    let objects = serde_json::Deserializer::from_str(&printed.stdout).into_iter();
    objects.map(Result::unwrap).collect()
}

/// The pods among them: those of `helm test`, and those that a Deployment would have.
fn pods(objects: &[Value]) -> Vec<Value> {
    let mut pods = Vec::new();
    for object in objects {
        match object["kind"].as_str().unwrap() {
            "Pod" => pods.push(object.clone()),
            "Deployment" => {
                let mut pod = object["spec"]["template"].clone();
                pod["apiVersion"] = "v1".into();
                pod["kind"] = "Pod".into();
                pod["metadata"]["name"] = object["metadata"]["name"].clone();
                pods.push(pod);
            }
            _ => {}
        }
    }
    assert!(pods.len() > 1, "{objects:?}");
    pods
}

/// The API server knows every key, warns of nothing, and would say so if it did not.
fn is_strictly_valid(cluster: &ControlPlane, namespace: &str, rendered: &str) {
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-n",
        namespace,
        "-f",
        "-",
    ];
    let ran = cluster.try_kubectl(&apply, rendered);
    let ran = ran.well(&format!("strict validation of {namespace}"));
    assert!(
        !ran.stderr.contains("Warning"),
        "{namespace}: {}",
        ran.stderr
    );

    let misspelt = rendered.replace(
        "automountServiceAccountToken",
        "autoMountServiceAccountToken",
    );
    let ran = cluster.try_kubectl(&apply, &misspelt);
    assert!(
        !ran.done && ran.stderr.contains("autoMountServiceAccountToken"),
        "{ran:?}"
    );
}

/// The API server takes each pod as it is, and would refuse it with one right more.
fn pods_are_restricted(cluster: &ControlPlane, namespace: &str, pods: Vec<Value>) {
    let create = [
        "create",
        "--dry-run=server",
        "--validate=strict",
        "-n",
        namespace,
        "-o=json",
        "-f",
        "-",
    ];
    for mut pod in pods {
        let ran = cluster.try_kubectl(&create, &pod.to_string());
        let ran = ran.well("a pod of the chart");
        assert_eq!(ran.stderr, "", "{pod}");
        let taken = ran.json();
        assert_eq!(taken["spec"]["automountServiceAccountToken"], false);
        // Where a token is mounted, admission adds a volume for it.
        let volumes = taken["spec"]["volumes"].to_string();
        assert!(!volumes.contains("kube-api-access"), "{volumes}");

        pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true.into();
        let ran = cluster.try_kubectl(&create, &pod.to_string());
        assert!(
            !ran.done
                && ran
                    .stderr
                    .contains("violates PodSecurity \"restricted:latest\""),
            "{ran:?}"
        );
    }
}

/// The account of the pods may do what everybody who is known may do, and nothing else.
fn account_has_no_rights(cluster: &ControlPlane, namespace: &str, pods: &[Value]) {
    let rights = |account: &str| {
        let account = format!("--as=system:serviceaccount:{namespace}:{account}");
        cluster.kubectl(&["auth", "can-i", "--list", "-n", namespace, &account])
    };
    let stranger = rights("somebody-nobody-knows");
    assert!(stranger.contains("selfsubjectaccessreviews"), "{stranger}");
    for pod in pods {
        let account = pod["spec"]["serviceAccountName"].as_str().unwrap();
        assert_eq!(rights(account), stranger, "rights of {account}");
    }
}

#[test]
fn each_scenario_is_taken_by_a_strict_server_and_leaves_nothing_behind() {
    let cluster = ControlPlane::start();
    let _admission = Admission::start(&cluster);
    let mut kinds = BTreeSet::new();
    for (name, values) in scenarios() {
        step(&format!("scenario `{name}`"), || {
            let values = format!("--values={}", values.display());
            let (chart, release) = (chart(), ["-n", &name, &values]);
            cluster.namespace(&name);
            let mine = objects(&cluster, Some(&name));
            let everybodys = objects(&cluster, None);

            cluster.helm(&[&["install", RELEASE, &chart], &release[..]].concat(), "");
            holds_only_its_own(&cluster, &name, &mine);
            let template = [&["template", RELEASE, &chart], &release[..]].concat();
            let rendered = cluster.helm(&template, "");
            is_strictly_valid(&cluster, &name, &rendered);
            let objects_of_chart = rendered_objects(&cluster, &name, &rendered);
            for object in &objects_of_chart {
                let word = |key: &str| object[key].as_str().unwrap().to_owned();
                kinds.insert(format!("{} {}", word("kind"), word("apiVersion")));
            }
            let pods = pods(&objects_of_chart);
            account_has_no_rights(&cluster, &name, &pods);
            pods_are_restricted(&cluster, &name, pods);

            cluster.helm(&["uninstall", RELEASE, "-n", &name], "");
            assert_eq!(objects(&cluster, Some(&name)), mine, "{name}");
            assert_eq!(objects(&cluster, None), everybodys, "{name}");
        });
    }
    assert_eq!(kinds, KINDS.map(str::to_owned).into());
    upgrades(&cluster);
}

/// From each scenario to the next, and from the last to the first.
fn upgrades(cluster: &ControlPlane) {
    let namespace = "upgrades";
    cluster.namespace(namespace);
    let before = objects(cluster, Some(namespace));
    let mut scenarios = scenarios();
    scenarios.push(scenarios[0].clone());
    for (index, (name, values)) in scenarios.iter().enumerate() {
        let verb = if index == 0 { "install" } else { "upgrade" };
        step(&format!("{verb} to scenario `{name}`"), || {
            let values = format!("--values={}", values.display());
            let mut arguments = vec![verb, RELEASE, "-n", namespace, &values];
            let chart = chart();
            arguments.push(&chart);
            arguments.extend(SAME_NAME);
            cluster.helm(&arguments, "");
            holds_only_its_own(cluster, namespace, &before);
        });
    }
    cluster.helm(&["uninstall", RELEASE, "-n", namespace], "");
    assert_eq!(objects(cluster, Some(namespace)), before);
}
