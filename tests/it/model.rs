//! Whatever comes in whatever order, the promise holds.
//!
//! Random sequences of notifications, clients that hang up, faults of Webex, rooms that come
//! and go, and at times a drain. Time is paused. Askers behave as Alertmanager: a group has
//! one at a time, it asks again until it is told for good, and what is newer takes its place.
//! Each notification bears a mark of its own, by which it is found in the rooms.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::{Effect, FaultBody, RetryAfter};
use proptest::prelude::*;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::drawn::{cases, in_paused_time};
use crate::harness::Rig;

/// Receivers and the rooms that they post to.
const RECEIVERS: [(&str, &[&str]); 3] = [
    ("default", &["general"]),
    ("ops", &["ops"]),
    ("two", &["general", "ops"]),
];
const CONFIGURATION: &str =
    "[receivers.ops]\nrooms = [\"ops\"]\n[receivers.two]\nrooms = [\"general\", \"ops\"]\n";
/// Longer than any gate, any backoff and `give_up_after`, one after the other.
const AT_LAST: Duration = Duration::from_secs(7200);

/// What an alert of a group does in a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Firing,
    Resolved,
}

#[derive(Debug, Clone)]
enum Step {
    Submit {
        receiver: usize,
        group: u8,
        alerts: [State; 2],
        hangs_up: bool,
    },
    Fault {
        effect: Effect,
        times: u32,
    },
    RoomGone(bool),
    RoomBack(bool),
    Advance {
        ms: u64,
    },
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        1 => Just(State::Absent),
        3 => Just(State::Firing),
        2 => Just(State::Resolved),
    ]
}

fn effect() -> impl Strategy<Value = Effect> {
    let limited = |retry_after| Effect::TooManyRequests {
        retry_after,
        body: FaultBody::Html,
    };
    let status = |code| Effect::Status {
        code,
        retry_after: None,
        body: FaultBody::Json,
    };
    let dropped = |code| Effect::AcceptThenDrop {
        code,
        body: FaultBody::Empty,
    };
    prop_oneof![
        proptest::sample::select(vec![
            limited(None),
            limited(Some(RetryAfter::Text("rand(30),add(30)".to_owned()))),
            limited(Some(RetryAfter::Seconds(0))),
            limited(Some(RetryAfter::Seconds(-7))),
            limited(Some(RetryAfter::Seconds(20))),
            limited(Some(RetryAfter::Seconds(300))),
            limited(Some(RetryAfter::Date {
                date_in_seconds: 30
            })),
        ]),
        proptest::sample::select(vec![200, 302, 400, 401, 403, 408, 423, 500, 502, 503, 504])
            .prop_map(status),
        proptest::sample::select(vec![
            dropped(None),
            dropped(Some(502)),
            Effect::Reset,
            Effect::Hang { accepted: false },
            Effect::Hang { accepted: true },
        ]),
        (1u64..20_000).prop_map(|ms| Effect::Latency { ms }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..RECEIVERS.len(), 0u8..4, [state(), state()], prop::bool::weighted(0.2))
            .prop_map(|(receiver, group, alerts, hangs_up)| Step::Submit {
                receiver,
                group,
                alerts,
                hangs_up,
            }),
        4 => (effect(), 1u32..5).prop_map(|(effect, times)| Step::Fault { effect, times }),
        1 => any::<bool>().prop_map(Step::RoomGone),
        1 => any::<bool>().prop_map(Step::RoomBack),
        4 => (1u64..30_000).prop_map(|ms| Step::Advance { ms }),
    ]
}

/// A notification that was submitted.
#[derive(Debug, Clone, Copy)]
struct Sent {
    receiver: usize,
    group: u8,
    alerts: [State; 2],
}

impl Sent {
    fn body(&self, number: usize) -> String {
        let alerts: Vec<_> = self
            .alerts
            .iter()
            .enumerate()
            .filter(|(_, state)| **state != State::Absent)
            .map(|(index, state)| {
                let status = if *state == State::Firing { "firing" } else { "resolved" };
                format!(
                    r#"{{"status":"{status}","labels":{{"alertname":"{mark}"}},"fingerprint":"{index}",
                        "startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T01:00:00Z"}}"#,
                    mark = mark(number)
                )
            })
            .collect();
        format!(
            r#"{{"version":"4","groupKey":"group{}","receiver":"webex","alerts":[{}]}}"#,
            self.group,
            alerts.join(",")
        )
    }

    /// Whether a message of `other` tells what this says.
    fn is_told_by(&self, other: &Self, is_newer: bool) -> bool {
        self.receiver == other.receiver
            && self.group == other.group
            && self.alerts.iter().zip(&other.alerts).all(|(own, other)| {
                *own == State::Absent
                    || own == other
                    || (is_newer && *own == State::Firing && *other == State::Resolved)
            })
    }
}

fn mark(number: usize) -> String {
    format!("n{number:04}n")
}

/// The notifications in a text, in the order of their marks.
fn marks(text: &str) -> Vec<usize> {
    let mut found: Vec<usize> = text
        .as_bytes()
        .windows(6)
        .filter(|window| window[0] == b'n' && window[5] == b'n')
        .filter_map(|window| std::str::from_utf8(&window[1..5]).ok()?.parse().ok())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// One run of the model.
struct Model {
    rig: Rig,
    sent: Mutex<Vec<Sent>>,
    /// What is wrong, found while it ran.
    wrong: Mutex<Vec<String>>,
    given_back: Mutex<Vec<usize>>,
}

impl Model {
    /// The marks in a room, message by message.
    fn in_room(&self, room: &str) -> Vec<Vec<usize>> {
        let messages = self.rig.messages(room).into_iter();
        messages
            .map(|message| marks(&message.markdown.or(message.text).unwrap()))
            .collect()
    }

    fn submit(self: &Arc<Self>, sent: Sent, hangs_up: bool) -> Option<JoinHandle<()>> {
        let receiver = RECEIVERS[sent.receiver].0;
        let number = {
            let mut all = self.sent.lock().unwrap();
            all.push(sent);
            all.len() - 1
        };
        let body = sent.body(number);
        let first = self.rig.submit_to(receiver, &body);
        if hangs_up {
            return None;
        }
        let model = Arc::clone(self);
        Some(tokio::spawn(async move {
            let mut ticket = first;
            loop {
                let outcome = ticket.outcome().await;
                if !matches!(outcome, Outcome::Unfinished(_)) {
                    model.told(number, &outcome);
                    return;
                }
                ticket = model.rig.submit_to(receiver, &body);
            }
        }))
    }

    /// Somebody is told for good: is it true?
    fn told(&self, number: usize, outcome: &Outcome) {
        let sent = self.sent.lock().unwrap().clone();
        let own = &sent[number];
        let rooms = RECEIVERS[own.receiver].1;
        let with = rooms.iter().filter(|room| {
            let mut marks = self.in_room(room).into_iter().flatten();
            marks.any(|other| own.is_told_by(&sent[other], other > number))
        });
        let with = with.count();
        let is_true = match outcome {
            Outcome::Delivered { .. } => with == rooms.len(),
            Outcome::Partial { .. } | Outcome::Repeat { .. } => with > 0,
            Outcome::Refused(_) => true,
            Outcome::Draining => {
                self.given_back.lock().unwrap().push(number);
                true
            }
            _ => false,
        };
        if !is_true {
            let wrong = format!("{number} was told {outcome:?}, and {with} rooms have it");
            self.wrong.lock().unwrap().push(wrong);
        }
    }

    async fn step(
        self: &Arc<Self>,
        step: &Step,
        askers: &mut BTreeMap<(usize, u8), JoinHandle<()>>,
    ) {
        let room = |ops: bool| if ops { "ops" } else { "general" };
        match step.clone() {
            Step::Submit {
                receiver,
                group,
                mut alerts,
                hangs_up,
            } => {
                if alerts == [State::Absent; 2] {
                    alerts[0] = State::Firing;
                }
                // A flush of the group has ended when the next one begins.
                if let Some(before) = askers.remove(&(receiver, group)) {
                    before.abort();
                }
                let sent = Sent {
                    receiver,
                    group,
                    alerts,
                };
                if let Some(asker) = self.submit(sent, hangs_up) {
                    askers.insert((receiver, group), asker);
                }
            }
            Step::Fault { effect, times } => self.rig.fail(effect, times),
            Step::RoomGone(ops) => {
                // It may be gone already.
                let _ = self.rig.sandbox.remove_member(room(ops), "sandbox");
            }
            Step::RoomBack(ops) => self.rig.sandbox.add_member(room(ops), "sandbox").unwrap(),
            Step::Advance { ms } => sleep(Duration::from_millis(ms)).await,
        }
    }

    /// What the rooms say about all of it.
    fn judge(&self) -> Result<(), TestCaseError> {
        let sent = self.sent.lock().unwrap();
        let given_back = self.given_back.lock().unwrap();
        let ambiguous = self.rig.count(r#"ambiguous_posts_total{bot="default"}"#);
        let ambiguous = usize::try_from(ambiguous).unwrap();
        let mut twice = 0;
        let mut sizes = Vec::new();
        for room in ["general", "ops"] {
            let messages = self.in_room(room);
            let mut last: BTreeMap<(usize, u8), usize> = BTreeMap::new();
            for number in messages.iter().flatten() {
                let own = &sent[*number];
                let last = last.entry((own.receiver, own.group)).or_insert(*number);
                prop_assert!(
                    *last <= *number,
                    "{number} came after {last} in {messages:?}"
                );
                *last = *number;
            }
            for number in 0..sent.len() {
                let times = messages.iter().flatten().filter(|n| **n == number).count();
                let wanted = usize::from(!given_back.contains(&number));
                twice += times.saturating_sub(wanted);
            }
            sizes.extend(messages.iter().map(Vec::len));
        }
        // Each ambiguous post may be there, with as many notifications as a digest holds.
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let most: usize = sizes.iter().take(ambiguous).sum();
        prop_assert!(
            twice <= most,
            "{twice} were posted twice or given back, and {ambiguous} posts were ambiguous"
        );
        let wrong = self.wrong.lock().unwrap();
        prop_assert!(wrong.is_empty(), "{wrong:?}");
        Ok(())
    }
}

async fn play(steps: Vec<Step>, drains: bool) -> Result<(), TestCaseError> {
    let model = Arc::new(Model {
        rig: Rig::with(CONFIGURATION),
        sent: Mutex::default(),
        wrong: Mutex::default(),
        given_back: Mutex::default(),
    });
    let mut askers = BTreeMap::new();
    for step in &steps {
        model.step(step, &mut askers).await;
    }
    if drains {
        model.rig.engine.drain(Duration::from_secs(40)).await;
    }
    // Webex is well again, so all comes to an end.
    model.rig.sandbox.clear_faults();
    for room in ["general", "ops"] {
        model.rig.sandbox.add_member(room, "sandbox").unwrap();
    }
    for (key, asker) in askers {
        let ended = timeout(AT_LAST, asker).await;
        prop_assert!(ended.is_ok(), "{key:?} waits for ever");
        prop_assert!(ended.unwrap().is_ok(), "{key:?} panicked");
    }
    let nothing_waits = timeout(AT_LAST, async {
        while model.rig.engine.snapshot().waiting > 0 {
            sleep(Duration::from_secs(1)).await;
        }
    });
    prop_assert!(nothing_waits.await.is_ok(), "something waits for ever");
    let bot = model.rig.engine.snapshot().bots["default"].clone();
    prop_assert_eq!((bot.waiting, bot.in_flight), (0, 0));
    for (receiver, _) in RECEIVERS {
        let waiting = format!(r#"waiting_notifications{{receiver="{receiver}"}}"#);
        prop_assert_eq!(model.rig.count(&waiting), 0);
    }
    model.judge()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn the_promise_holds_whatever_comes(
        steps in prop::collection::vec(step(), 1..40),
        drains in prop::bool::weighted(0.3),
        seed in any::<u64>(),
    ) {
        in_paused_time(seed, play(steps, drains))?;
    }
}
