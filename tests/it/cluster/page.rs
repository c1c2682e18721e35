//! `docs/kubernetes.md`, followed to the letter.
//!
//! What stands in for the world outside: the binary for its image, the folder `chart` for the
//! registry, the sandbox for Webex.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::admission::Admission;
use super::commands::{chart, run};
use super::control_plane::ControlPlane;
use super::kubelet::Pod;
use super::operator::{self, Alertmanager, Operator};
use super::project::serve;
use super::whole_way::{alert, arrives};
use super::{installed, step};
use crate::programs::Sandbox;

const PAGE: &str = include_str!("../../../docs/kubernetes.md");
/// What the page calls its project.
const NAMESPACE: &str = "checkout";
/// Commands that wait for nodes, of which there are none.
const WAITING: [&str; 2] = [
    "kubectl -n checkout rollout status deployment/webex-alertmanager-webex",
    "helm test webex -n checkout",
];

/// What stands below a heading, up to the next.
fn section(heading: &str) -> &'static str {
    let (_, below) = PAGE
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("the page has no `{heading}`"));
    below.split("\n#").next().expect("a split has a first part")
}

/// The blocks of a section that are in this language.
fn blocks(section: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = section.split(&fence).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// Replaces what stands in the text, which has it.
fn replace(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "`{old}` is not in\n{text}");
    text.replace(old, new)
}

/// Runs commands of the page in a folder, with the sandbox's token as what is typed.
fn follow(cluster: &ControlPlane, sandbox: &Sandbox, folder: &Path, commands: &str) -> String {
    let commands = commands
        .lines()
        .filter(|line| !WAITING.iter().any(|waiting| line.starts_with(waiting)))
        .collect::<Vec<_>>()
        .join("\n");
    let script = format!(
        "set -euo pipefail\n\
         kubectl() {{ '{kubectl}' \"$@\"; }}\n\
         helm() {{ '{helm}' \"$@\" $for_helm; }}\n\
         docker() {{ [[ ${{*: -1}} == rooms ]]; '{ours}' rooms; }}\n\
         for_helm='--set-string=config.webex.base_url={api},alertmanagerConfig.groupWait=0s'\n\
         {commands}\n",
        kubectl = installed("KUBECTL_BIN").display(),
        helm = installed("HELM_BIN").display(),
        ours = env!("CARGO_BIN_EXE_alertmanager-webex"),
        api = sandbox.api,
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", cluster.folder())
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api);
    let ran = run(&mut bash, &format!("{}\n", sandbox.token));
    ran.well(&commands).stdout
}

#[test]
fn the_page_leads_from_an_empty_namespace_to_the_first_message() {
    let registry = "oci://ghcr.io/alertmanager-webex/charts/alertmanager-webex";
    let sandbox = Sandbox::start();
    let cluster = ControlPlane::start();
    let _admission = Admission::start(&cluster);
    let _operator = Operator::start(&cluster);
    let folder = tempfile::tempdir().unwrap();

    let printed = step("follow the page", || {
        let way = section("## From an empty namespace to the first message");
        let values = blocks(way, "yaml").concat();
        std::fs::write(folder.path().join("values.yaml"), values).unwrap();
        let commands = blocks(way, "sh").concat();
        for waiting in WAITING {
            assert!(commands.contains(waiting), "{waiting}");
        }
        let commands = replace(&commands, "Y2lzY29zcGFyazov…", &sandbox.rooms["ops"]);
        let commands = replace(&commands, registry, &chart());
        follow(&cluster, &sandbox, folder.path(), &commands)
    });
    assert!(printed.contains(&sandbox.rooms["ops"]), "{printed}");
    assert!(!printed.contains(&sandbox.token), "{printed}");

    step("an alert arrives", || {
        let pod = Pod::of(&cluster, "deployment", NAMESPACE, 10);
        let _service = serve(&pod);
        let receiver = "checkout/webex-alertmanager-webex/webex";
        let configuration = operator::generated(&cluster, |yaml| yaml.contains(receiver));
        let mut alertmanagers = Pod::of(&cluster, "statefulset", operator::NAMESPACE, 12);
        let host = "webex-alertmanager-webex.checkout.svc".to_owned();
        let hosts = [(host, pod.address())];
        let alertmanager = Alertmanager::run(&mut alertmanagers, &configuration, &hosts);
        alertmanager.tell(&json!([alert("DiskFull", Some(NAMESPACE))]));
        arrives(&sandbox, "ops", 1, "DiskFull");
    });

    step(
        "the AlertmanagerConfig by hand, an upgrade, the end",
        || {
            cluster.apply(NAMESPACE, &blocks(section("### By hand"), "yaml").concat());
            operator::generated(&cluster, |yaml| yaml.contains("checkout/webex/webex"));
            let upgrade = blocks(section("## Upgrades and changes"), "sh").concat();
            let upgrade = replace(&upgrade, registry, &chart());
            follow(&cluster, &sandbox, folder.path(), &upgrade);
            let uninstall = "helm uninstall webex -n checkout";
            assert!(PAGE.contains(&format!("`{uninstall}` removes everything")));
            follow(
                &cluster,
                &sandbox,
                folder.path(),
                &format!("for_helm=\n{uninstall}"),
            );
            let left =
                cluster.kubectl(&["get", "all,configmaps,secrets", "-o=name", "-n", NAMESPACE]);
            assert_eq!(left, "secret/webex\n", "what the reader has made");
        },
    );
}
