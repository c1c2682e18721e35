//! What goes wrong and when: drawn from a seed, so that a run can be had again.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

/// One thing that is done to the system.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// A fault of the sandbox.
    Fault(Value),
    /// A new token for a bot: its file is swapped, and Webex takes only the new one.
    Rotate(&'static str),
    /// Another valid configuration.
    Reload,
    /// A configuration that is refused, and then the valid one again.
    ReloadBad,
    /// SIGTERM, and another process on the same port.
    HandOver,
    /// `kill -9`, and another process on the same port after so many milliseconds.
    Kill(u64),
    /// So many clients that send half a request, and wait.
    SlowClients(usize),
    /// Requests that are none, or that make no sense.
    Garbage,
    /// For so many milliseconds no answer of ours reaches Alertmanager.
    LoseAnswers(u64),
}

impl fmt::Display for Action {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(to, "fault {fault}"),
            Self::Rotate(bot) => write!(to, "rotate the token of {bot}"),
            Self::Reload => write!(to, "reload"),
            Self::ReloadBad => write!(to, "reload what is wrong"),
            Self::HandOver => write!(to, "SIGTERM and hand-over"),
            Self::Kill(down) => write!(to, "kill -9, down for {down} ms"),
            Self::SlowClients(count) => write!(to, "{count} slow clients"),
            Self::Garbage => write!(to, "garbage"),
            Self::LoseAnswers(time) => write!(to, "answers are lost for {time} ms"),
        }
    }
}

impl Action {
    /// Whether another process takes over.
    pub(super) fn replaces(&self) -> bool {
        matches!(self, Self::HandOver | Self::Kill(_))
    }
}

/// An action and when, since the beginning of its act.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) action: Action,
}

/// Two acts of the same length, with a rest between them. In the second one the process stays
/// the same, so that what it holds before and after can be compared.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) act: Duration,
    pub(super) acts: [Vec<Step>; 2],
}

/// Bots of the soak.
pub(super) const BOTS: [&str; 3] = ["alpha", "beta", "gamma"];

/// A rest after so many steps lets the backlog shrink, so that there is more than outage.
const MEAN_GAP: Duration = Duration::from_secs(5);

type Draw = fn(&mut Rng) -> Action;

/// Every kind there is. Times are short: what is long is a matter of the paused clock of the
/// other tests, and would leave no time here for anything else. In particular a `Retry-After`
/// of an hour is obeyed, and is not drawn.
const KINDS: &[Draw] = &[
    |rng| limited(rng, &json!({ "retry_after": 3 })),
    |rng| limited(rng, &json!({ "retry_after": 0 })),
    |rng| limited(rng, &json!({ "retry_after": -1, "body": "empty" })),
    |rng| limited(rng, &json!({ "retry_after": "rand(30),add(30)" })),
    |rng| {
        limited(
            rng,
            &json!({ "retry_after": { "date_in_seconds": 4 }, "body": "html" }),
        )
    },
    |rng| limited(rng, &json!({})),
    |rng| for_a_while(rng, &json!({ "status": { "code": 503, "body": "empty" } })),
    |rng| for_a_while(rng, &json!({ "status": { "code": 500 } })),
    |rng| for_a_while(rng, &json!({ "status": { "code": 502, "body": "html" } })),
    |rng| for_a_while(rng, &json!({ "status": { "code": 200, "body": "html" } })),
    |rng| for_a_while(rng, &json!("reset")),
    |rng| for_a_while(rng, &json!("token_revoked")),
    |rng| {
        let ms = rng.u64(300..3000);
        for_a_while(rng, &json!({ "latency": { "ms": ms } }))
    },
    |rng| for_a_while(rng, &json!({ "quota": { "per_second": 2, "burst": 2 } })),
    |rng| some(rng, &json!({ "hang": {} })),
    |rng| some(rng, &json!({ "hang": { "accepted": true } })),
    |rng| some(rng, &json!({ "accept_then_drop": {} })),
    |rng| some(rng, &json!({ "accept_then_drop": { "code": 504 } })),
    // A refusal for good of one of several rooms is 200 `partial`: so these two are for
    // rooms that are alone.
    |_| Action::Fault(json!({ "effect": "bot_removed", "room": "solo", "for_ms": 1500 })),
    |_| {
        Action::Fault(
            json!({ "effect": { "status": { "code": 403 } }, "room": "solo", "times": 1 }),
        )
    },
    |_| Action::Fault(json!({ "effect": { "parent_gone": {} }, "room": "thread", "times": 2 })),
    |_| Action::Fault(json!({ "effect": "edit_refused", "room": "update", "times": 2 })),
    |rng| Action::Rotate(BOTS[rng.usize(..BOTS.len())]),
    |_| Action::Reload,
    |_| Action::ReloadBad,
    |_| Action::HandOver,
    |rng| Action::Kill(rng.u64(100..3000)),
    |rng| Action::SlowClients(rng.usize(5..40)),
    |_| Action::Garbage,
    |rng| Action::LoseAnswers(rng.u64(500..3000)),
];

fn limited(rng: &mut Rng, value: &Value) -> Action {
    some(rng, &json!({ "too_many_requests": value }))
}

/// A fault that some messages of a bot meet.
fn some(rng: &mut Rng, effect: &Value) -> Action {
    let bot = BOTS[rng.usize(..BOTS.len())];
    let times = rng.u32(1..4);
    Action::Fault(json!({
        "effect": effect, "method": "POST", "path": "/v1/messages", "bot": bot, "times": times,
    }))
}

/// A fault that all requests meet for some seconds.
fn for_a_while(rng: &mut Rng, effect: &Value) -> Action {
    Action::Fault(json!({
        "effect": effect, "path": "/v1/messages*", "for_ms": rng.u64(500..4000),
    }))
}

impl Plan {
    /// Each act has every kind, in an order of its own, and more where there is time.
    pub(super) fn draw(seed: u64, length: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        let act = length / 2;
        let acts = [true, false].map(|may_replace| {
            let mut actions: Vec<_> = Vec::new();
            let wanted = usize::try_from(act.as_secs() / MEAN_GAP.as_secs()).unwrap();
            while actions.len() < wanted.max(1) {
                let mut round: Vec<_> = KINDS.iter().map(|draw| draw(&mut rng)).collect();
                round.retain(|action| may_replace || !action.replaces());
                rng.shuffle(&mut round);
                actions.extend(round);
            }
            let gap = act / u32::try_from(actions.len()).unwrap();
            let steps = actions.into_iter().zip(0..);
            steps
                .map(|(action, number)| {
                    let late = gap.mul_f64(rng.f64());
                    let at = gap * number + late;
                    Step { at, action }
                })
                .collect()
        });
        Self { seed, act, acts }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.act.as_secs();
        writeln!(to, "seed {}, two acts of {seconds} s", self.seed)?;
        for (number, steps) in (1..).zip(&self.acts) {
            for step in steps {
                let at = step.at.as_secs_f64();
                writeln!(to, "act {number} at {at:6.1} s: {}", step.action)?;
            }
        }
        Ok(())
    }
}

#[test]
fn a_seed_gives_the_same_plan_again_and_another_gives_another() {
    let minute = Duration::from_secs(60);
    assert_eq!(Plan::draw(7, minute), Plan::draw(7, minute));
    assert_ne!(Plan::draw(7, minute).acts, Plan::draw(8, minute).acts);
}

#[test]
fn each_act_has_every_kind_and_only_the_first_one_replaces_the_process() {
    for minutes in [1, 10] {
        let plan = Plan::draw(1, Duration::from_secs(60 * minutes));
        let [first, second] = &plan.acts;
        let replacing = |steps: &[Step]| steps.iter().filter(|step| step.action.replaces()).count();
        assert!(first.len() >= KINDS.len() && replacing(first) >= 2);
        assert!(second.len() >= KINDS.len() - 2 && replacing(second) == 0);
        for steps in &plan.acts {
            assert!(steps.is_sorted_by_key(|step| step.at));
            assert!(steps.last().unwrap().at < plan.act);
        }
    }
}

#[test]
fn the_sandbox_takes_every_fault_that_is_drawn() {
    let mut rng = Rng::with_seed(1);
    for draw in KINDS {
        if let Action::Fault(fault) = draw(&mut rng) {
            let read = serde_json::from_value::<alertmanager_webex::sandbox::Fault>(fault.clone());
            assert!(read.is_ok(), "{fault}: {read:?}");
        }
    }
}
