//! What the benchmarks work on.

use serde_json::json;

/// A notification of one group, with ten labels and three annotations an alert.
pub(crate) fn body(count: usize) -> String {
    let alerts: Vec<_> = (0..count)
        .map(|index| {
            json!({
                "status": "firing",
                "labels": {
                    "alertname": "KubePodCrashLooping", "cluster": "prod-eu1",
                    "container": "api", "endpoint": "http", "job": "kube-state-metrics",
                    "namespace": "payments", "pod": format!("api-7d9f8c6b5-{index:05}"),
                    "prometheus": "monitoring/k8s", "severity": "critical", "uid": index.to_string(),
                },
                "annotations": {
                    "summary": "Pod is crash looping.",
                    "description": format!(
                        "Pod payments/api-7d9f8c6b5-{index:05} (api) is in waiting state (reason: \"CrashLoopBackOff\")."
                    ),
                    "runbook_url": "https://runbooks.example.org/kubepodcrashlooping",
                },
                "startsAt": "2026-03-04T14:03:12.345Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://prometheus.example.org/graph?g0.expr=rate%28x%5B5m%5D%29&g0.tab=1",
                "fingerprint": format!("{index:016x}"),
            })
        })
        .collect();
    json!({
        "version": "4", "groupKey": "{}:{alertname=\"KubePodCrashLooping\"}", "status": "firing",
        "receiver": "team-a/webex/default", "externalURL": "https://alertmanager.example.org",
        "groupLabels": {"alertname": "KubePodCrashLooping"},
        "commonLabels": {
            "alertname": "KubePodCrashLooping", "cluster": "prod-eu1", "container": "api",
            "endpoint": "http", "job": "kube-state-metrics", "namespace": "payments",
            "prometheus": "monitoring/k8s", "severity": "critical",
        },
        "commonAnnotations": {
            "summary": "Pod is crash looping.",
            "runbook_url": "https://runbooks.example.org/kubepodcrashlooping",
        },
        "alerts": alerts,
    })
    .to_string()
}
