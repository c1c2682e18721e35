//! One message, looked at closely, and messages as the page may show them.

use serde::Serialize;

use super::super::history::{Exchange, Version};
use super::super::model::Message;
use super::super::{Error, Sandbox};
use super::reply::{Refused, Reply, json};

/// A message, with HTML that may be put into the page.
#[derive(Serialize)]
pub(super) struct PageMessage {
    page_html: Option<String>,
    #[serde(flatten)]
    message: Message,
}

impl PageMessage {
    pub(super) fn of(mut message: Message) -> Self {
        let page_html = message.page_html();
        // What is not sanitised is not even sent to the page.
        message.html = None;
        Self { page_html, message }
    }
}

/// A message with all that is known of it.
#[derive(Serialize)]
struct Detail {
    message: PageMessage,
    /// Oldest first; the last one is how it is now.
    versions: Vec<PageVersion>,
    /// Its thread: ids of the replies, oldest first.
    replies: Vec<String>,
}

/// One state of a message.
#[derive(Serialize)]
struct PageVersion {
    /// How often the message had been edited then.
    edits: u32,
    at: jiff::Timestamp,
    text: Option<String>,
    markdown: Option<String>,
    /// The source, to be shown as text only.
    html: Option<String>,
    /// Sanitised: may be put into a page.
    page_html: Option<String>,
    card: Option<serde_json::Value>,
    size: usize,
    #[serde(flatten)]
    exchange: MaybeExchange,
}

/// Without an exchange, the same fields are `null`.
#[derive(Serialize)]
struct MaybeExchange {
    request: Option<super::super::history::SentRequest>,
    outcome: Option<super::super::Outcome>,
    answer: Option<super::super::history::GivenAnswer>,
}

impl PageVersion {
    fn of(Version { message, exchange }: Version) -> Self {
        let exchange = exchange.map(|exchange| Exchange::clone(&exchange));
        let (request, outcome, answer) = match exchange {
            Some(exchange) => {
                let mut answer = exchange.answer;
                // What was not kept because the message holds it.
                if let Some(answer) = &mut answer
                    && answer.body.is_none()
                {
                    answer.body = Some(super::super::messages::as_answered(&message));
                }
                (Some(exchange.request), Some(exchange.outcome), answer)
            }
            None => (None, None, None),
        };
        Self {
            edits: message.edits,
            at: message.updated.unwrap_or(message.created),
            text: message.text.clone(),
            markdown: message.markdown.clone(),
            html: message.html.clone(),
            page_html: message.page_html(),
            card: message.card.clone(),
            size: message.size,
            exchange: MaybeExchange {
                request,
                outcome,
                answer,
            },
        }
    }
}

/// One message, looked at closely.
pub(super) fn message(sandbox: &Sandbox, id: &str) -> Result<Reply, Refused> {
    let versions = sandbox.versions(id)?;
    let now = versions
        .last()
        .map(|version| Message::clone(&version.message))
        .ok_or_else(|| Error::UnknownMessage(id.to_owned()))?;
    let replies = sandbox.read(|state| {
        state
            .messages(&now.room_id)
            .filter(|message| message.parent_id.as_deref() == Some(id))
            .map(|message| message.id.clone())
            .collect()
    });
    json(&Detail {
        message: PageMessage::of(now),
        versions: versions.into_iter().map(PageVersion::of).collect(),
        replies,
    })
}
