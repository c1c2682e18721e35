//! How a room looks after several notifications: they go the whole way of a delivery, into a
//! sandbox in this process. So what is a reply, an edit or a message of its own is decided by
//! the very code that decides it in the service.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response};

use super::output::{counted, tell};
use super::{ConversationMode, runtime};
use crate::alertmanager::Notification;
use crate::app::engine;
use crate::config::Sources;
use crate::delivery::Outcome;
use crate::http::told;
use crate::prepared::{Prepared, prepare};
use crate::render::{ReceiverData, Renderer};
use crate::routing::{Conversation, DEFAULT_RECEIVER, Receiver};
use crate::sandbox::{Message, Sandbox};
use crate::webex::{Transport, TransportError};

const ROOM: &str = "general";

/// A notification, and what to call it.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) body: Vec<u8>,
}

/// Whose messages are shown.
pub(super) struct Voice {
    pub(super) receiver: String,
    pub(super) template: String,
    pub(super) data: Option<ReceiverData>,
    pub(super) conversation: Conversation,
    /// Instead of the conversation that it has.
    pub(super) mode: Option<ConversationMode>,
}

/// What the room holds in the end.
pub(super) struct Room {
    pub(super) messages: Vec<Message>,
    /// Whether every notification was delivered.
    pub(super) all_told: bool,
}

/// The sandbox without sockets.
struct InProcess(Sandbox);

impl Transport for InProcess {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        Box::pin(async move {
            let answer = self.0.answer(request).await;
            answer.map_err(|broken| TransportError::Interrupted(broken.to_string()))
        })
    }
}

/// Tells the notifications one after the other, says on stderr what each became, and returns
/// the room.
pub(super) fn after(voice: Voice, renderer: Renderer, all: &[Told]) -> anyhow::Result<Room> {
    let sandbox = Sandbox::default();
    let room_id = sandbox
        .room_id(ROOM)
        .context("the sandbox has lost its room")?;
    let Prepared { mut config, .. } = prepare(&sources(&room_id))?;
    let in_sandbox = config.routes.find(DEFAULT_RECEIVER);
    let in_sandbox = in_sandbox.context("the sandbox has no receiver")?;
    let receiver = Arc::new(voice.receiver(in_sandbox));
    config.routes = [Receiver::clone(&receiver)].into_iter().collect();
    runtime(1)?.block_on(async {
        let transport = Arc::new(InProcess(sandbox.clone()));
        let (engine, _) = engine(&config, renderer, transport)?;
        let mut room = Room {
            messages: Vec::new(),
            all_told: true,
        };
        for (number, one) in all.iter().enumerate() {
            let notification = Notification::parse(&one.body)
                .with_context(|| format!("{} cannot be told", one.name))?;
            let outcome = engine.submit(&receiver, &notification).outcome().await;
            let messages = sandbox.messages(&room_id);
            let (number, of) = (number + 1, all.len());
            let became = match outcome {
                Outcome::Delivered { .. } => became(&room.messages, &messages),
                outcome => {
                    room.all_told = false;
                    told(outcome)
                }
            };
            tell(&format!("{number} of {of}: {}: {became}", one.name));
            room.messages = messages;
        }
        Ok(room)
    })
}

impl Voice {
    /// The receiver that speaks so into the sandbox's room.
    fn receiver(self, sandbox: &Receiver) -> Receiver {
        let receiver = Receiver {
            name: self.receiver.into(),
            template: self.template,
            messages: self.data.unwrap_or_else(|| sandbox.messages.clone()),
            conversation: self.conversation,
            ..sandbox.clone()
        };
        match self.mode {
            Some(mode) => mode.of(&receiver),
            None => receiver,
        }
    }
}

/// A configuration for the sandbox. What is told again on purpose must not be taken for a
/// retry, though it comes at once.
fn sources(room: &str) -> Sources {
    let variables = [
        ("WEBEX_TOKEN", "sandbox"),
        ("WEBEX_ROOM", room),
        (
            "ALERTMANAGER_WEBEX__WEBEX__BASE_URL",
            "https://webex.invalid/v1",
        ),
        ("ALERTMANAGER_WEBEX__DELIVERY__DUPLICATE_WINDOW", "0s"),
    ];
    let environment: BTreeMap<String, String> = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Sources {
        file: None,
        environment,
    }
}

/// What a notification became: `1 reply and 1 edit`.
fn became(before: &[Message], after: &[Message]) -> String {
    let known = |message: &Message| before.iter().find(|other| other.id == message.id);
    let new = |is_reply: bool| {
        let new = after.iter().filter(|message| known(message).is_none());
        new.filter(|message| message.parent_id.is_some() == is_reply)
            .count()
    };
    let edits = after
        .iter()
        .filter(|message| known(message).is_some_and(|old| old.edits < message.edits));
    let gone = before
        .iter()
        .filter(|old| after.iter().all(|message| message.id != old.id));
    let told: Vec<String> = [
        (new(false), "message"),
        (edits.count(), "edit"),
        (new(true), "reply"),
        (gone.count(), "deletion"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, thing)| match (count, thing) {
        (2.., "reply") => format!("{count} replies"),
        _ => counted(count, thing),
    })
    .collect();
    if told.is_empty() {
        return "nothing".to_owned();
    }
    told.join(", ")
}

/// The messages as a person sees them: replies below what they reply to, edits marked. `look`
/// is what is shown of one.
pub(super) fn shown(messages: &[Message], look: impl Fn(&Message) -> Option<String>) -> String {
    let mut blocks = Vec::new();
    let roots = messages
        .iter()
        .filter(|message| message.parent_id.is_none());
    for root in roots {
        let mut lines = marked(root, &look, "● ", "  ");
        let replies = messages
            .iter()
            .filter(|message| message.parent_id.as_ref() == Some(&root.id));
        for reply in replies {
            lines.extend(marked(reply, &look, "    ↳ ", "      "));
        }
        blocks.push(lines.join("\n"));
    }
    blocks.join("\n\n")
}

/// The lines of a message, the first behind one mark and the others behind another.
fn marked(
    message: &Message,
    look: impl Fn(&Message) -> Option<String>,
    first: &str,
    further: &str,
) -> Vec<String> {
    let text = look(message).unwrap_or_default();
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate()
        .map(|(number, line)| {
            let mark = if number == 0 { first } else { further };
            format!("{mark}{}", line.trim_end())
        })
        .collect();
    if message.edits > 0 {
        lines.push(format!("{further}(edited {})", times(message.edits)));
    }
    lines
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
