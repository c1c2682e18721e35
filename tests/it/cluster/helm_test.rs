//! `helm test`: its pods as the release has them, run one after the other as Helm would. Their log
//! tells the project's team in words what is wrong.

use std::process::ExitStatus;

use serde_json::Value;

use super::control_plane::ControlPlane;
use super::kubelet::Pod;
use super::project::{Project, RELEASE, image, serve};
use super::step;
use crate::programs::Sandbox;

/// The pods of `helm test`, in the order of their weights.
fn pods(cluster: &ControlPlane, namespace: &str) -> Vec<Value> {
    let hooks = cluster.helm(&["get", "hooks", RELEASE, "-n", namespace], "");
    // The server takes each of them, in a namespace that takes only restricted pods.
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
    let created = cluster
        .try_kubectl(&create, &hooks)
        .well("the pods of `helm test`");
    assert_eq!(created.stderr, "");
    let pods = serde_json::Deserializer::from_str(&created.stdout).into_iter();
    let mut pods: Vec<Value> = pods.map(Result::unwrap).collect();
    let weight = |pod: &Value| -> i32 {
        let weight = &pod["metadata"]["annotations"]["helm.sh/hook-weight"];
        weight.as_str().unwrap().parse().unwrap()
    };
    pods.sort_by_key(weight);
    pods
}

/// Runs the pods until one fails. The exit code of the last, and what all have printed.
fn test(cluster: &ControlPlane, project: &Project, service: &Pod) -> (ExitStatus, String) {
    let mut printed = String::new();
    let mut last = None;
    for (number, pod) in pods(cluster, project.namespace).iter().enumerate() {
        assert_eq!(pod["metadata"]["annotations"]["helm.sh/hook"], "test");
        let name = pod["metadata"]["name"].as_str().unwrap();
        let number = 20 + u8::try_from(number).unwrap();
        let spec = pod["spec"].clone();
        let pod = Pod::new(cluster, project.namespace, name, spec, number);
        let container = &pod.containers("containers")[0];
        let program = pod.start(container, &image(), &[project.host(service)], &[]);
        let (status, text) = program.end();
        printed = printed + &text + "\n";
        last = Some(status);
        if !status.success() {
            break;
        }
    }
    (last.expect("there is a pod"), printed)
}

/// Standard output and errors come in any order, so this looks for the sentence alone.
fn says(printed: &str, sentence: &str) {
    assert!(printed.contains(sentence), "{printed}");
}

#[test]
fn helm_test_says_in_words_what_is_wrong() {
    let sandbox = Sandbox::start();
    let cluster = ControlPlane::start();
    let project = Project {
        namespace: "checkout",
        room: "ops",
        version: "v1alpha1",
    };
    project.prepare(&cluster, &sandbox);
    let values = project.values(&sandbox, "");
    // This cluster has no operator.
    let values = values.replace("enabled: true", "enabled: false");
    project.helm(&cluster, "install", &values);
    let pod = Pod::of(&cluster, "deployment", project.namespace, 10);
    let service = serve(&pod);

    step("all is well", || {
        let (status, printed) = test(&cluster, &project, &pod);
        assert!(status.success(), "{printed}");
        let messages = sandbox.messages("ops");
        assert!(
            messages.len() == 1 && messages[0].contains("This is a test"),
            "{messages:?}"
        );
    });

    step("the token is wrong", || {
        project.rotate(&cluster, "token", "not-the-token");
        let (status, printed) = test(&cluster, &project, &pod);
        assert_eq!(status.code(), Some(1), "{printed}");
        says(
            &printed,
            "FAILED: Webex refuses the token; put the present one into its file or variable",
        );
        project.rotate(&cluster, "token", &sandbox.token);
    });

    step("the bot is not in the room", || {
        let elsewhere =
            "Y2lzY29zcGFyazovL3VzL1JPT00vMTIzNDU2NzgtMTIzNC0xMjM0LTEyMzQtMTIzNDU2Nzg5YWJj";
        project.rotate(&cluster, "room", elsewhere);
        let (status, printed) = test(&cluster, &project, &pod);
        assert_eq!(status.code(), Some(1), "{printed}");
        says(
            &printed,
            "FAILED: no such room, or the bot is not in it; add the bot to the room, or mend the id",
        );
        project.rotate(&cluster, "room", &sandbox.rooms["ops"]);
    });

    step("the service is not there", || {
        drop(service);
        let (status, printed) = test(&cluster, &project, &pod);
        assert_eq!(status.code(), Some(1), "{printed}");
        says(
            &printed,
            "the service does not answer; is it running, and is the URL right?",
        );
    });
}
