//! Whatever comes in whatever order, what a room shows last about each alert is its true
//! state.
//!
//! Random sequences of notifications of a few groups, faults of Webex, messages that somebody
//! deletes, rooms that come and go, and hours that pass. Templates name each alert with its
//! state, so that a room's last word on it can be read.

use std::path::Path;
use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{Effect, Fault, FaultBody, Quota, RetryAfter};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::time::sleep;

use super::room::show;
use crate::drawn::{cases, in_paused_time};
use crate::harness::{Rig, alert, reasoned};

const MODES: [&str; 3] = [
    "conversation = \"thread\"\n",
    "conversation = \"update\"\n",
    "conversation = \"update\"\nreply_on_resolve = true\n",
];
const ALERTS: [&str; 3] = ["A", "B", "C"];
const GROUPS: u8 = 2;

/// All that a root, a reply and a digest say: which alert is in what state.
const TEMPLATES: [(&str, &str); 3] = [
    (
        "state.md",
        "root {% for alert in alerts %}[{{ group_key }}.{{ alert.labels.alertname }}={{ alert.status }}] {% endfor %}",
    ),
    (
        "thread.md",
        "news {% for alert in changed.firing %}[{{ group_key }}.{{ alert.labels.alertname }}={{ alert.status }}] {% endfor %}{% for alert in changed.resolved %}[{{ group_key }}.{{ alert.labels.alertname }}={{ alert.status }}] {% endfor %}",
    ),
    (
        "digest.md",
        "digest {% for alert in alerts %}[{{ group_key }}.{{ alert.labels.alertname }}={{ alert.status }}] {% endfor %}",
    ),
];

#[derive(Debug, Clone)]
enum Step {
    /// Of a group: which of the alerts fire, are over, or are not mentioned.
    Submit {
        group: u8,
        alerts: [Option<bool>; 3],
        again: bool,
        waits: bool,
    },
    Fault {
        effect: Effect,
        edits: bool,
        times: u32,
    },
    /// Somebody deletes a first message.
    Delete {
        which: usize,
    },
    Quota(bool),
    Member(bool),
    Pass {
        seconds: u64,
    },
}

fn effect() -> impl Strategy<Value = Effect> {
    let status = |code| Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    };
    let limited = Effect::TooManyRequests {
        retry_after: Some(RetryAfter::Seconds(20)),
        body: FaultBody::Html,
    };
    let dropped = |code| Effect::AcceptThenDrop {
        code,
        body: FaultBody::Empty,
    };
    prop_oneof![
        proptest::sample::select(vec![400, 403, 404, 409, 429, 500, 502, 503]).prop_map(status),
        proptest::sample::select(vec![
            limited,
            dropped(None),
            dropped(Some(502)),
            Effect::Reset,
            Effect::Hang { accepted: true },
            Effect::EditRefused,
        ]),
        (1u64..15_000).prop_map(|ms| Effect::Latency { ms }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let state = || prop_oneof![2 => Just(None), 3 => Just(Some(true)), 2 => Just(Some(false))];
    prop_oneof![
        10 => (0..GROUPS, [state(), state(), state()], prop::bool::weighted(0.15), prop::bool::weighted(0.8))
            .prop_map(|(group, alerts, again, waits)| Step::Submit { group, alerts, again, waits }),
        3 => (effect(), any::<bool>(), 1u32..4)
            .prop_map(|(effect, edits, times)| Step::Fault { effect, edits, times }),
        1 => any::<usize>().prop_map(|which| Step::Delete { which }),
        1 => any::<bool>().prop_map(Step::Quota),
        1 => prop::bool::weighted(0.7).prop_map(Step::Member),
        2 => prop_oneof![1u64..60, 200u64..2000, 40_000u64..90_000]
            .prop_map(|seconds| Step::Pass { seconds }),
    ]
}

fn body(group: u8, alerts: [Option<bool>; 3], again: bool) -> Option<String> {
    let alerts: Vec<_> = ALERTS
        .iter()
        .zip(alerts)
        .filter_map(|(name, firing)| {
            let status = if firing? { "firing" } else { "resolved" };
            Some(alert(name, status, 0))
        })
        .collect();
    let reason = if again { "repeat interval elapsed" } else { "" };
    (!alerts.is_empty()).then(|| reasoned(&format!("g{group}"), &alerts, reason))
}

fn templates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in TEMPLATES {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn rig(conversation: &str, templates: &Path) -> Rig {
    Rig::with(&format!(
        "{conversation}template = \"state\"\n[templates]\ndirectory = \"{}\"\n",
        templates.display()
    ))
}

/// Asks as Alertmanager does, until it is told for good.
async fn told(rig: &Rig, body: &str) -> Outcome {
    for _ in 0..2000 {
        match rig.outcome(body).await {
            Outcome::Unfinished(_) => {}
            outcome => return outcome,
        }
    }
    panic!("never told of {body}");
}

async fn act(rig: &Rig, step: &Step) -> Result<(), TestCaseError> {
    match step {
        Step::Submit {
            group,
            alerts,
            again,
            waits,
        } => {
            if let Some(body) = body(*group, *alerts, *again) {
                if *waits {
                    let outcome = told(rig, &body).await;
                    if matches!(outcome, Outcome::Delivered { .. }) {
                        judge(rig, *group, *alerts)?;
                    }
                } else {
                    drop(rig.submit(&body));
                }
            }
        }
        Step::Fault {
            effect,
            edits,
            times,
        } => {
            let mut fault = Fault::new(effect.clone()).times(*times);
            fault.method = edits.then(|| "PUT".to_owned());
            rig.sandbox.set_fault(fault).unwrap();
        }
        Step::Delete { which } => {
            let messages = rig.messages("general");
            let is_root = |text: &String| text.starts_with("root");
            let roots: Vec<_> = messages
                .iter()
                .filter(|message| message.markdown.as_ref().is_some_and(is_root))
                .collect();
            if !roots.is_empty() {
                let root = roots[which % roots.len()];
                rig.sandbox.delete_message(&root.id).unwrap();
            }
        }
        Step::Quota(short) => rig
            .sandbox
            .set_quota("sandbox", short.then(|| Quota::new(0.2, 1)))
            .unwrap(),
        Step::Member(member) => {
            // It may be so already.
            let _ = if *member {
                rig.sandbox.add_member("general", "sandbox")
            } else {
                rig.sandbox.remove_member("general", "sandbox")
            };
        }
        Step::Pass { seconds } => sleep(Duration::from_secs(*seconds)).await,
    }
    Ok(())
}

/// The room has the last word on each alert of a notification that was told of.
fn judge(rig: &Rig, group: u8, alerts: [Option<bool>; 3]) -> Result<(), TestCaseError> {
    for (name, firing) in ALERTS.iter().zip(alerts) {
        if firing.is_none() {
            continue;
        }
        let said = last_word(rig, &format!("g{group}.{name}"));
        prop_assert_eq!(
            said,
            firing,
            "g{}.{} in\n{}",
            group,
            name,
            show(&rig.messages("general"))
        );
    }
    Ok(())
}

/// The room's last word on an alert: by the last change of what holds it.
fn last_word(rig: &Rig, alert: &str) -> Option<bool> {
    let mut messages = rig.messages("general");
    messages.sort_by_key(|message| message.revision);
    let texts = messages.into_iter().rev();
    let mut texts = texts.map(|message| message.markdown.or(message.text).unwrap());
    texts.find_map(|text| {
        let (_, rest) = text.rsplit_once(&format!("[{alert}="))?;
        Some(rest.starts_with("firing"))
    })
}

async fn play(
    mode: &str,
    steps: Vec<Step>,
    last: [[Option<bool>; 3]; GROUPS as usize],
) -> Result<(), TestCaseError> {
    let folder = templates();
    let rig = rig(mode, folder.path());
    for step in &steps {
        act(&rig, step).await?;
    }
    // All is well again.
    rig.sandbox.clear_faults();
    rig.sandbox.set_quota("sandbox", None).unwrap();
    rig.sandbox.add_member("general", "sandbox").unwrap();
    sleep(Duration::from_secs(7200)).await;
    prop_assert_eq!(rig.engine.snapshot().waiting, 0);
    for (group, alerts) in (0..GROUPS).zip(last) {
        // On purpose, so that it is posted whatever was posted before.
        let Some(body) = body(group, alerts, true) else {
            continue;
        };
        let outcome = told(&rig, &body).await;
        prop_assert!(
            matches!(outcome, Outcome::Delivered { .. } | Outcome::Repeat { .. }),
            "{outcome:?}"
        );
        judge(&rig, group, alerts)?;
    }
    let edited_too_often = rig.messages("general").iter().any(|one| one.edits > 10);
    prop_assert!(!edited_too_often);
    Ok(())
}

fn states() -> impl Strategy<Value = [Option<bool>; 3]> {
    let state = || any::<Option<bool>>();
    [state(), state(), state()]
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn the_last_word_of_a_room_is_true_whatever_comes(
        mode in proptest::sample::select(&MODES[..]),
        steps in prop::collection::vec(step(), 1..25),
        last in [states(), states()],
        seed in any::<u64>(),
    ) {
        in_paused_time(seed, play(mode, steps, last))?;
    }
}
