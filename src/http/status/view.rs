//! What is told of the status: fills the fields of `GET /api/v1/status`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};

use super::super::{Current, Service};
use super::asked::Asked;
use super::fields::{
    Bot, Configuration, Details, Load, OneReceiver, Outcome, Place, Refusing, Status, Summary, Told,
};
use super::judge::{self, Known, State, short, trouble_in_words};
use crate::delivery::{BotState, DeadRoom, Engine, Standing};
use crate::routing::{Conversation, Destination, Receiver, Sender, Target};

/// Everything, or what the query leaves of it. `all` says whether nothing is kept back.
pub(super) fn whole(service: &Service, current: &Current, asked: &Asked, all: bool) -> String {
    let engine = &service.engine;
    let look = Look::new(engine);
    let mut summary = Summary {
        waiting_notifications: engine.snapshot().waiting,
        ..Summary::default()
    };
    let mut found: Vec<(State, &Arc<Receiver>)> = Vec::new();
    for receiver in current.loaded.routes().iter() {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method's path is not general enough in its lifetime"
        )]
        let state = look.known(receiver, |known| known.state());
        summary.count(state);
        let is_asked = asked.states.is_empty() || asked.states.contains(&state);
        let shows_places = all || receiver.access.is_open();
        if is_asked && holds(receiver, &asked.filter, shows_places) {
            found.push((state, receiver));
        }
    }
    summary.matching = found.len();
    // By name they are already; what is well and what was never used stand among each other.
    found.sort_by_key(|(state, _)| (*state).min(State::Ok));
    found.truncate(asked.limit);
    let receivers = found.into_iter();
    let receivers = receivers.map(|(_, one)| look.receiver(one, all || one.access.is_open()));
    let status = Status {
        receivers: receivers.collect(),
        bots: look.bots(|_| true, true),
        summary: Some(summary),
        ..head(service, "all", all)
    };
    json(&status)
}

/// What concerns one receiver.
pub(super) fn one(service: &Service, receiver: &Arc<Receiver>) -> String {
    let look = Look::new(&service.engine);
    let by_need = receiver.room_from.as_ref().map(|from| &from.bot);
    let is_its = |bot: &Arc<str>| {
        let mut destinations = receiver.destinations.iter();
        destinations.any(|one| one.bot == *bot) || by_need == Some(bot)
    };
    let status = Status {
        receivers: vec![look.receiver(receiver, true)],
        bots: look.bots(is_its, false),
        ..head(service, "receiver", false)
    };
    json(&status)
}

fn json(status: &Status) -> String {
    serde_json::to_string(status).expect("the status has no maps with keys that are no text")
}

/// What is told of the process. `all` says whether what is wrong with the configuration is
/// told, too.
fn head(service: &Service, view: &'static str, all: bool) -> Status {
    let config = service.reloads.status();
    let told = |lines: Vec<String>| all.then_some(lines);
    Status {
        version: env!("CARGO_PKG_VERSION"),
        revision: option_env!("ALERTMANAGER_WEBEX_REVISION"),
        started_at: seconds(service.started_at),
        state: if service.engine.is_ready() {
            "ready"
        } else {
            "stopping"
        },
        view,
        configuration: Configuration {
            loaded_at: seconds(config.loaded_at),
            refused_at: config.refused_at.map(seconds),
            errors: told(config.errors),
            warnings: told(config.warnings),
            restart_needed_for: told(config.restart),
        },
        summary: None,
        bots: Vec::new(),
        receivers: Vec::new(),
    }
}

impl Summary {
    fn count(&mut self, state: State) {
        self.receivers += 1;
        *match state {
            State::Failing => &mut self.failing,
            State::Rejected => &mut self.rejected,
            State::Waiting => &mut self.waiting,
            State::Ok => &mut self.ok,
            State::Unused => &mut self.unused,
        } += 1;
    }
}

/// Whether a receiver's name, or where it leads, holds a text in lower case.
fn holds(receiver: &Receiver, text: &str, shows_places: bool) -> bool {
    let has = |name: &str| name.to_lowercase().contains(text);
    text.is_empty()
        || has(&receiver.name)
        || shows_places && receiver.destinations.iter().any(|one| has(&one.name))
}

/// The engine as it is at one moment.
struct Look<'a> {
    engine: &'a Engine,
    standings: HashMap<Arc<str>, Standing>,
    dead: HashMap<Arc<str>, Vec<DeadRoom>>,
    oldest: HashMap<Arc<str>, Timestamp>,
}

impl<'a> Look<'a> {
    fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            standings: engine.standings(),
            dead: engine.dead_rooms(),
            oldest: engine.oldest_waiting(),
        }
    }

    fn known<T>(&self, receiver: &Arc<Receiver>, ask: impl FnOnce(&Known<'_>) -> T) -> T {
        let dead = self.dead.get(&receiver.name);
        let dead: Vec<&DeadRoom> = dead
            .into_iter()
            .flatten()
            // Others were taken out of the configuration since.
            .filter(|room| may_reach(receiver, &room.refusal.room))
            .collect();
        let waiting = self.engine.waiting_of(&receiver.name);
        let trouble = || self.engine.trouble_of(receiver);
        ask(&Known {
            standing: self.standings.get(&receiver.name),
            dead: &dead,
            waiting,
            oldest: self.oldest.get(&receiver.name).copied(),
            trouble: (waiting > 0).then(trouble).flatten(),
        })
    }

    fn receiver(&self, receiver: &Arc<Receiver>, with_details: bool) -> OneReceiver {
        self.known(receiver, |known| {
            let verdict = known.verdict();
            let standing = known.standing;
            let number = |of: fn(&Standing) -> u64| standing.map_or(0, of);
            let readable = |message: String| without_ids(message, receiver);
            let last_outcome = standing.and_then(|standing| {
                let (reason, message) = judge::told(standing)?;
                Some(Outcome {
                    reason,
                    at: seconds(standing.at),
                    message: with_details.then(|| readable(message)),
                })
            });
            let details = with_details.then(|| Details {
                message: verdict.message.map(readable),
                refused_request: standing
                    .and_then(Standing::refused_last)
                    .map(|refused| Told {
                        reason: refused.told.reason,
                        message: readable(refused.told.message.clone()),
                        at: Some(seconds(refused.at)),
                    }),
                destinations: receiver.destinations.iter().map(place).collect(),
                rooms_may_be_chosen: receiver.room_from.is_some(),
                refusing: known
                    .dead
                    .iter()
                    .map(|room| refusing(room, receiver))
                    .collect(),
                template: receiver.template.clone(),
                conversation: conversation(receiver.conversation),
                dry_run: receiver.dry_run,
            });
            OneReceiver {
                name: Arc::clone(&receiver.name),
                state: verdict.state,
                reason: verdict.reason,
                since: verdict.since.map(seconds),
                last_success_at: standing.and_then(|one| one.last_success).map(seconds),
                last_outcome,
                waiting_notifications: known.waiting,
                oldest_waiting_since: known.oldest.map(seconds),
                delivered_notifications: number(|one| one.delivered),
                failed_notifications: number(|one| one.failed),
                delivered_messages: number(|one| one.messages),
                refused_requests: number(|one| one.refused_requests),
                asks_for_credentials: !receiver.access.is_open(),
                details,
            }
        })
    }

    /// The bots that are asked for, those with trouble first; `load` says whether what others
    /// put on them is told.
    fn bots(&self, is_asked: impl Fn(&Arc<str>) -> bool, load: bool) -> Vec<Bot> {
        let bots = self.engine.snapshot().bots.into_iter();
        let mut bots: Vec<Bot> = bots
            .filter(|(name, _)| is_asked(name))
            .map(|(name, state)| bot(&name, &state, load))
            .collect();
        bots.sort_by_key(|bot| bot.trouble.is_none());
        bots
    }
}

fn bot(name: &Arc<str>, state: &BotState, load: bool) -> Bot {
    let sender = Sender::named(name);
    let closed = state.gate_closed_for;
    Bot {
        name: sender.name(),
        kind: sender.noun(),
        gate_closed_until: (!closed.is_zero()).then(|| after(closed)),
        trouble: state.trouble.as_ref().map(|trouble| {
            let (reason, message) = trouble_in_words(trouble);
            Told {
                reason,
                message,
                at: None,
            }
        }),
        load: load.then(|| Load {
            waiting_messages: state.waiting,
            requests_in_flight: state.in_flight,
            // Two digits are what a person reads.
            pace_messages_per_second: (state.pace * 100.0).round() / 100.0,
            token_valid_until: state.token_valid_for.map(after),
            removed: state.leaving,
        }),
    }
}

/// Whether a room of that name is one of the receiver's, or may be chosen.
fn may_reach(receiver: &Receiver, room: &str) -> bool {
    let by_need = receiver.room_from.as_ref();
    receiver.destinations.iter().any(|one| *one.name == *room)
        || by_need.is_some_and(|from| from.room(room).is_some())
}

fn place(destination: &Destination) -> Place {
    Place {
        kind: destination.target.noun(),
        name: shown(destination),
        bot: Sender::named(&destination.bot).name(),
    }
}

/// The name in the configuration, or the end of the id where there is none.
fn shown(destination: &Destination) -> Arc<str> {
    match &destination.target {
        Target::Room(id) if *id == destination.name => short(id),
        _ => Arc::clone(&destination.name),
    }
}

fn refusing(room: &DeadRoom, receiver: &Receiver) -> Refusing {
    let name = &room.refusal.room;
    let known = receiver.destinations.iter().find(|one| one.name == *name);
    Refusing {
        kind: room.refusal.noun,
        name: known.map_or_else(|| Arc::clone(name), shown),
        since: seconds(room.since),
        message: without_ids(room.refusal.to_string(), receiver),
    }
}

/// A message in which rooms that have no name are called by the end of their id.
fn without_ids(message: String, receiver: &Receiver) -> String {
    let unnamed = receiver.destinations.iter().filter_map(|destination| {
        let Target::Room(id) = &destination.target else {
            return None;
        };
        (*id == destination.name).then_some(id)
    });
    unnamed.fold(message, |message, id| message.replace(&**id, &short(id)))
}

fn conversation(conversation: Conversation) -> &'static str {
    match conversation {
        Conversation::New => "new",
        Conversation::Thread => "thread",
        Conversation::Update { .. } => "update",
    }
}

/// To the second, so that what has not changed is told in the same words.
fn seconds(at: Timestamp) -> Timestamp {
    let down = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Floor);
    at.round(down).unwrap_or(at)
}

/// So long from now, to the second.
fn after(wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    let then = Timestamp::now().checked_add(wait).unwrap_or(Timestamp::MAX);
    then.round(Unit::Second).unwrap_or(then)
}
