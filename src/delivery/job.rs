//! What is sent: one notification's way into one room, and what an attempt came to.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::content::GroupId;
use super::conversation::{Kind, Script};
use super::outcome::{Refusal, RefusalCause};
use super::retry::Form;
use super::ticket::Delivery;
use crate::render::Message;
use crate::routing::{Destination, Receiver, Target};
use crate::telemetry::Moment;

/// The ordered queue of one destination. A receiver with a ceiling of its own has one of its
/// own, so that what waits for its ceiling holds up nobody else in the room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LaneId {
    pub(super) room: Arc<str>,
    pub(super) receiver: Option<Arc<str>>,
}

impl LaneId {
    pub(super) fn new(receiver: &Receiver, destination: &Destination) -> Self {
        let is_limited = receiver.max_messages_per_minute.is_some();
        Self {
            room: Arc::clone(destination.id()),
            receiver: is_limited.then(|| Arc::clone(&receiver.name)),
        }
    }
}

/// One notification's way into one room.
pub(super) struct Item {
    pub(super) delivery: Arc<Delivery>,
    destination: usize,
    /// Which of the messages is next.
    part: usize,
    pub(super) form: Form,
    /// The part in a plainer form, where Webex refused it otherwise.
    pub(super) plainer: Option<Box<str>>,
    pub(super) failures: u32,
    /// With how many others it may go into a digest; halved when Webex refuses one.
    pub(super) batch: usize,
    /// What is to be sent, where it belongs to a conversation and its turn has come.
    pub(super) script: Option<Box<Script>>,
    /// Since when it waits to be sent.
    pub(super) since: Moment,
    /// The first message of that conversation, if it is known to be gone.
    pub(super) dead_root: Option<Arc<str>>,
}

impl Item {
    pub(super) fn new(delivery: &Arc<Delivery>, destination: usize) -> Self {
        let first = delivery.messages.first();
        let target = &delivery.receiver.destinations[destination].target;
        let form = first.map_or(Form::Markdown, |first| richest(first, target));
        Self {
            delivery: Arc::clone(delivery),
            destination,
            part: 0,
            form,
            plainer: None,
            failures: 0,
            batch: usize::MAX,
            script: None,
            since: Moment::now(),
            dead_root: None,
        }
    }

    /// This is to be sent.
    pub(super) fn set_script(&mut self, script: Script) {
        self.form = richest(script.message(), &self.destination().target);
        self.plainer = None;
        self.failures = 0;
        self.script = Some(Box::new(script));
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.delivery.receiver.destinations[self.destination]
    }

    /// The message that is next.
    pub(super) fn message(&self) -> &Message {
        match &self.script {
            Some(script) => script.message(),
            None => &self.delivery.messages[self.part],
        }
    }

    /// Its room has this message; on to the next.
    pub(super) fn next_part(&mut self) {
        self.part += 1;
        if let Some(script) = &mut self.script {
            script.next_request();
        }
        let next = match &self.script {
            Some(script) => Some(script.message()),
            None => self.delivery.messages.get(self.part),
        };
        let form = next.map(|next| richest(next, &self.destination().target));
        self.form = form.unwrap_or(Form::Markdown);
        self.plainer = None;
        self.failures = 0;
    }

    /// Runs on what is to be sent in its conversation.
    pub(super) fn script_mut(&mut self, change: impl FnOnce(&mut Script)) {
        if let Some(script) = &mut self.script {
            change(script);
        }
    }

    /// Whether what is next changes a message that is there.
    pub(super) fn changes_a_message(&self) -> bool {
        matches!(self.kind(), Some(Kind::Edit(_) | Kind::Delete(_)))
    }

    /// What is next in its conversation, where it belongs to one.
    pub(super) fn kind(&self) -> Option<&Kind> {
        self.script.as_ref().map(|script| script.kind())
    }

    /// Whether it is sent in a plainer form than its template has it.
    pub(super) fn is_plainer(&self) -> bool {
        let fallback = self.script.as_ref().map(|script| script.plainer);
        self.plainer.is_some() || fallback.unwrap_or(self.delivery.plainer)
    }

    /// Its room refuses it.
    pub(super) fn refused(&self, cause: RefusalCause, detail: &str) -> Through {
        Through::refused(&self.delivery, self.destination(), cause, detail)
    }

    /// Whether this is the last message.
    pub(super) fn is_last(&self) -> bool {
        match &self.script {
            Some(script) => script.is_last(),
            None => self.part + 1 >= self.delivery.messages.len(),
        }
    }

    pub(super) fn may_join_digest(&self, others: usize) -> bool {
        self.part == 0 && self.plainer.is_none() && self.batch > others
    }
}

/// The form that shows most of a message. Webhooks take no card.
fn richest(message: &Message, target: &Target) -> Form {
    if message.card.is_some() && !matches!(target, Target::Webhook(_)) {
        Form::Card
    } else {
        Form::Markdown
    }
}

/// Something to send: one notification's next message, or a digest of several.
pub(super) struct Job {
    pub(super) lane: LaneId,
    pub(super) items: Vec<(GroupId, Item)>,
}

impl Job {
    /// Whether several notifications go out as one message.
    pub(super) fn is_digest(&self) -> bool {
        self.items.len() > 1
    }

    /// The one item, or the one whose turn it was.
    pub(super) fn first(&self) -> &Item {
        &self.items[0].1
    }

    /// The same, to be changed.
    pub(super) fn first_mut(&mut self) -> &mut Item {
        &mut self.items[0].1
    }

    /// Where it goes.
    pub(super) fn destination(&self) -> &Destination {
        self.first().destination()
    }

    /// What people call the receiver and the room, of the notification whose turn it was.
    pub(super) fn names(&self) -> (&Arc<str>, &Arc<str>) {
        let receiver = &self.first().delivery.receiver.name;
        (receiver, &self.destination().name)
    }

    /// The log's context of the notification whose turn it was.
    pub(super) fn span(&self) -> tracing::Span {
        self.first().delivery.span.clone()
    }

    /// From now on it is sent in this form.
    pub(super) fn make_plainer(&mut self, form: Form, text: &str) {
        for (_, item) in &mut self.items {
            item.form = form;
            item.plainer = Some(text.into());
        }
    }

    /// The notifications in it.
    pub(super) fn deliveries(&self) -> Vec<Arc<Delivery>> {
        let items = self.items.iter();
        items.map(|(_, item)| Arc::clone(&item.delivery)).collect()
    }
}

/// What is to be done.
pub(super) enum Step {
    /// Send this with this token.
    Send(Job, Arc<SecretString>),
    /// The token is refused for good: nothing that waits can be sent.
    RefuseAll,
    /// Nothing before then, or before something changes.
    Wait(Option<Instant>),
}

/// How an attempt ended, as far as the queue is concerned.
pub(super) enum Settled {
    /// Webex has it.
    Accepted,
    /// 429: the gate closes for so long.
    Limited(Duration),
    /// It may be sent again at once, in the form that the items say.
    Again,
    /// It is tried again after a pause.
    Retry { at_least: Duration, random: f64 },
    /// This room refuses for good.
    RoomRefused(String),
    /// This message is refused for good.
    MessageRefused(String),
    /// The attempt panicked.
    Broken,
}

/// What became of an item's way into its room.
pub(super) struct Through {
    pub(super) delivery: Arc<Delivery>,
    /// What people call the room.
    pub(super) room: Arc<str>,
    pub(super) refusal: Option<Refusal>,
}

/// A change of state, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateChange {
    GateClosed,
    GateOpened,
    OutageBegan,
    OutageEnded,
}

impl Through {
    /// The room has it.
    pub(super) fn accepted(delivery: &Arc<Delivery>, destination: &Destination) -> Self {
        Self {
            delivery: Arc::clone(delivery),
            room: Arc::clone(&destination.name),
            refusal: None,
        }
    }

    /// The room refuses it.
    pub(super) fn refused(
        delivery: &Arc<Delivery>,
        destination: &Destination,
        cause: RefusalCause,
        detail: &str,
    ) -> Self {
        Self {
            delivery: Arc::clone(delivery),
            room: Arc::clone(&destination.name),
            refusal: Some(Refusal {
                cause,
                noun: destination.target.noun(),
                room: Arc::clone(&destination.name),
                detail: detail.to_owned(),
            }),
        }
    }
}
