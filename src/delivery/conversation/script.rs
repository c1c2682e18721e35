//! The requests that tell one notification in one room, and what each of them changes of what
//! the room was told. Made when the turn of the notification comes, because only then is it
//! known what the room knows.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::plan::{self, Approach, News, Situation, approach};
use super::{Conversation, Part, Root};
use crate::delivery::Engine;
use crate::delivery::content::AlertState;
use crate::delivery::ticket::Delivery;
use crate::render::{self, Message, Rendered, Subject};
use crate::webex::Accepted;

/// Closes the last edit before the end.
const LAST_EDIT: &str = "Webex takes no more edits of this message until all is resolved; \
                         until then replies tell what changes.";

/// What is still to be sent of one notification into one room.
pub(in crate::delivery) struct Script {
    pub(super) requests: VecDeque<Request>,
    /// The conversation's root when this was made: if another one is there before anything
    /// of this was sent, this is outdated.
    made_on: Option<Arc<str>>,
    /// What later messages reply to.
    pub(super) root: Option<Arc<str>>,
    progress: Progress,
    /// In the end the first message shows what the notification says.
    shows: bool,
    /// Nothing fires any more.
    pub(super) is_end: bool,
    content: Arc<[AlertState]>,
    /// Whether a template failed, so that something plainer is sent.
    pub(in crate::delivery) plainer: bool,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing of it was accepted.
    Waiting,
    /// Something was.
    Underway,
    /// It has posted the root itself.
    Began,
    /// It has, and Webex took no reply to it: the rest is posted without a parent.
    Flat,
}

/// One request.
pub(super) struct Request {
    pub(super) kind: Kind,
    /// Empty where a message is deleted.
    pub(super) message: Message,
}

/// What a request does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::delivery) enum Kind {
    /// Posts the first message of a conversation.
    Root,
    /// Posts a further part of what the first message shows, as a reply to it.
    Part,
    /// Posts a reply that says what is new.
    Reply,
    /// Edits a message that shows the state.
    Edit(Arc<str>),
    /// Deletes one that is not needed any more.
    Delete(Arc<str>),
}

impl Request {
    fn post(kind: Kind, message: Message) -> Self {
        Self { kind, message }
    }

    fn delete(part: &Part) -> Self {
        Self {
            kind: Kind::Delete(Arc::clone(&part.id)),
            message: Message {
                markdown: String::new(),
                card: None,
            },
        }
    }
}

impl Engine {
    /// Says what a notification becomes in a room, and renders that. `dead` is a root that
    /// is known to be gone.
    pub(super) fn script(
        &self,
        delivery: &Delivery,
        conversation: Option<&Conversation>,
        dead: Option<&str>,
        now: Instant,
    ) -> Option<Script> {
        let kept = delivery.kept.as_ref()?;
        let notification = kept.read();
        let alerts = self.names.alerts(&notification);
        let fires = delivery.content.fires();
        let root = conversation.and_then(|one| one.root(fires, dead, now));
        let told = conversation
            .filter(|one| one.lives(fires, now))
            .map_or(&[][..], |one| &one.told);
        let news = News::of(&alerts, told);
        let content = Arc::clone(delivery.content.alerts());
        let approach = approach(&Situation {
            mode: delivery.receiver.conversation,
            root,
            told,
            content: &content,
            news: &news,
            is_repeat: delivery.content.is_again(),
            is_end: !fires,
        });
        let stage = |is_reply: bool| {
            let is_edit = !is_reply && root.is_some() && approach != Approach::Begin;
            render::Conversation {
                is_reply,
                root_since: root.map(|root| root.since),
                edit_number: if is_edit {
                    root.map_or(0, Root::edits) + 1
                } else {
                    0
                },
                newly_firing: &news.firing,
                newly_resolved: &news.resolved,
                is_repeat: root.is_some() && news.is_empty(),
            }
        };
        let render = |is_reply| {
            let subject = Subject {
                notification: &notification,
                receiver: &delivery.receiver.name,
                template: &delivery.receiver.template,
                data: Some(&delivery.receiver.messages),
                changed: None,
                conversation: Some(stage(is_reply)),
                now: Timestamp::now(),
            };
            let loaded = self.loaded();
            let render = || self.render(&loaded, &delivery.receiver, &subject);
            delivery.trace.in_scope(render)
        };
        let mut requests = VecDeque::new();
        let mut plainer = false;
        if approach != Approach::Reply {
            let Rendered { messages, fallback } = render(false);
            plainer |= fallback.is_some();
            requests.extend(match root {
                Some(root) => edits(root, messages, !fires),
                None => first(messages, left_over(conversation, dead)),
            });
        }
        if matches!(
            approach,
            Approach::Reply | Approach::Edit { and_reply: true }
        ) {
            let Rendered { messages, fallback } = render(true);
            plainer |= fallback.is_some();
            let replies = messages.into_iter();
            requests.extend(replies.map(|message| Request::post(Kind::Reply, message)));
        }
        Some(Script {
            requests,
            made_on: conversation.and_then(Conversation::root_id),
            root: root.map(Root::id),
            progress: Progress::Waiting,
            shows: approach != Approach::Reply,
            is_end: !fires,
            content,
            plainer,
        })
    }
}

/// The parts that still show the state of a conversation whose root is gone: nobody would
/// bring them up to date any more.
fn left_over<'a>(conversation: Option<&'a Conversation>, dead: Option<&str>) -> &'a [Part] {
    match conversation.and_then(|one| one.root.as_ref()) {
        Some(root) if Some(&*root.id()) == dead => &root.parts[1..],
        _ => &[],
    }
}

fn first(messages: Vec<Message>, left_over: &[Part]) -> Vec<Request> {
    let kinds = std::iter::once(Kind::Root).chain(std::iter::repeat(Kind::Part));
    let posts = kinds.zip(messages);
    posts
        .map(|(kind, message)| Request::post(kind, message))
        .chain(left_over.iter().map(Request::delete))
        .collect()
}

/// Part for part; what is more is posted, and what is less is deleted.
fn edits(root: &Root, mut messages: Vec<Message>, is_end: bool) -> Vec<Request> {
    if plan::is_last_edit(root, is_end)
        && let Some(first) = messages.first_mut()
    {
        first.append_note(LAST_EDIT);
    }
    let needless = root.parts.get(messages.len()..).unwrap_or_default();
    let ids = root.parts.iter().map(|part| Some(Arc::clone(&part.id)));
    messages
        .into_iter()
        .zip(ids.chain(std::iter::repeat(None)))
        .map(|(message, id)| Request::post(id.map_or(Kind::Part, Kind::Edit), message))
        .chain(needless.iter().map(Request::delete))
        .collect()
}

impl Script {
    /// What the next request replies to, where it is a reply.
    pub(super) fn parent(&self) -> Option<Arc<str>> {
        match self.kind() {
            Kind::Part | Kind::Reply if self.progress != Progress::Flat => self.root.clone(),
            _ => None,
        }
    }

    /// Whether the room has got another root since this was made, and nothing of this.
    pub(super) fn is_outdated(&self, conversation: Option<&Conversation>) -> bool {
        self.progress == Progress::Waiting
            && conversation.and_then(Conversation::root_id) != self.made_on
    }

    /// The next request.
    pub(super) fn next(&self) -> &Request {
        // The planning makes one request at least, and the last one ends the item.
        &self.requests[0]
    }

    /// The message of the next request; empty where one is deleted.
    pub(in crate::delivery) fn message(&self) -> &Message {
        &self.next().message
    }

    /// What the next request does.
    pub(in crate::delivery) fn kind(&self) -> &Kind {
        &self.next().kind
    }

    pub(in crate::delivery) fn is_last(&self) -> bool {
        self.requests.len() <= 1
    }

    /// The next request was accepted; on to the one after it.
    pub(in crate::delivery) fn next_request(&mut self) {
        self.requests.pop_front();
    }

    /// Webex took no reply to the root. Says whether the rest can be posted beside it: where
    /// it was posted a moment ago. Otherwise a new one is needed.
    pub(super) fn goes_on_flat(&mut self) -> bool {
        let began = self.progress == Progress::Began;
        if began {
            self.progress = Progress::Flat;
        }
        began
    }

    /// The message is gone or takes no edit: its text is posted below the root instead.
    pub(super) fn replace(&mut self, delete: bool) {
        let Some(request) = self.requests.front_mut() else {
            return;
        };
        let old = std::mem::replace(&mut request.kind, Kind::Part);
        if let (true, Kind::Edit(id)) = (delete, old) {
            self.requests
                .push_front(Request::delete(&Part { id, edits: 0 }));
        }
    }

    /// What the room was told once the next request was accepted.
    pub(super) fn accepted(
        &mut self,
        conversation: Option<&Conversation>,
        accepted: Option<&Accepted>,
        now: Instant,
    ) -> Conversation {
        let mut next = match conversation {
            Some(known) if *self.kind() != Kind::Root => known.clone(),
            _ => Conversation {
                began: now,
                root: None,
                told: Arc::default(),
                ended: false,
            },
        };
        let id = accepted.map(|accepted| Arc::<str>::from(accepted.id.as_str()));
        match (self.kind().clone(), id) {
            (Kind::Root, Some(id)) => {
                self.root = Some(Arc::clone(&id));
                self.progress = Progress::Began;
                next.root = Some(Root {
                    since: Timestamp::now(),
                    room: accepted.map_or("", |accepted| &accepted.room_id).into(),
                    parts: vec![Part { id, edits: 0 }],
                    shown: Arc::default(),
                    frozen: false,
                });
            }
            (Kind::Part, Some(id)) => {
                if let Some(root) = &mut next.root {
                    root.parts.push(Part { id, edits: 0 });
                }
            }
            (Kind::Edit(id), _) => next.edited(&id),
            (Kind::Delete(id), _) => next.lost(&id),
            (Kind::Reply | Kind::Root | Kind::Part, _) => {}
        }
        if self.progress == Progress::Waiting {
            self.progress = Progress::Underway;
        }
        if self.is_last() {
            next.told = Arc::clone(&self.content);
            next.ended = self.is_end;
            if let (true, Some(root)) = (self.shows, &mut next.root) {
                root.shown = Arc::clone(&self.content);
            }
        }
        next
    }
}

impl Conversation {
    /// A message was edited, or may have been.
    pub(super) fn edited(&mut self, id: &str) {
        let parts = self.root.iter_mut().flat_map(|root| &mut root.parts);
        for part in parts.filter(|part| *part.id == *id) {
            part.edits += 1;
        }
    }

    /// Webex takes no edit of the root.
    pub(super) fn freeze(&mut self) {
        if let Some(root) = &mut self.root {
            root.frozen = true;
        }
    }

    /// The room, as edits must name it, where it is known.
    pub(super) fn room(&self) -> Option<&Arc<str>> {
        let room = self.root.as_ref().map(|root| &root.room);
        room.filter(|room| !room.is_empty())
    }

    /// A message below the root is gone.
    pub(super) fn lost(&mut self, id: &str) {
        if let Some(root) = &mut self.root {
            let first = root.id();
            root.parts
                .retain(|part| *part.id == *first || *part.id != *id);
        }
    }

    /// How often a message was edited.
    pub(super) fn edits_of(&self, id: &str) -> u32 {
        let mut parts = self.root.iter().flat_map(|root| &root.parts);
        parts
            .find(|part| *part.id == *id)
            .map_or(0, |part| part.edits)
    }
}
