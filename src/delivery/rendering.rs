//! What a notification becomes by the templates of its receiver, and what is said of that.
//!
//! What does not belong here: how a message looks (`render`), and which one of a conversation
//! it is (`conversation`).

use super::{Engine, Loaded};
use crate::alertmanager::Notification;
use crate::render::{Message, Rendered, Renderer, Subject};
use crate::routing::{Conversation, Receiver};
use crate::telemetry::{SpanKind, Trace};

impl Engine {
    pub(super) fn dry_run(
        &self,
        loaded: &Loaded,
        receiver: &Receiver,
        notification: &Notification<'_>,
    ) {
        let rendered = self.render(
            loaded,
            receiver,
            &Subject {
                notification,
                receiver: &receiver.name,
                template: &receiver.template,
                data: Some(&receiver.messages),
                changed: None,
                conversation: None,
                now: jiff::Timestamp::now(),
            },
        );
        let (receiver, messages) = (&receiver.name, rendered.messages.len());
        let bytes: usize = rendered.messages.iter().map(Message::bytes).sum();
        tracing::info!(
            %receiver, messages, bytes,
            "a notification of receiver `{receiver}` is not posted, since `dry_run` is on; `log.level = \"debug\"` shows what it would be",
        );
        for message in &rendered.messages {
            let markdown = &message.markdown;
            tracing::debug!(%receiver, %markdown, "receiver `{receiver}` would post this: {markdown}");
        }
    }

    pub(super) fn render(
        &self,
        loaded: &Loaded,
        receiver: &Receiver,
        subject: &Subject<'_>,
    ) -> Rendered {
        let is_reply = subject.conversation.is_some_and(|stage| stage.is_reply);
        let is_to_be_edited =
            matches!(receiver.conversation, Conversation::Update { .. }) && !is_reply;
        let templates = renderer_of(loaded, receiver);
        let trace = Trace::current().child("render", SpanKind::Internal);
        let rendered = if is_to_be_edited {
            templates.render_without_card(subject)
        } else {
            templates.render(subject)
        };
        trace.set("alertmanager_webex.template", &receiver.template);
        trace.count("alertmanager_webex.messages", rendered.messages.len());
        if rendered.fallback.is_some() {
            self.metrics.template_failed(&receiver.name);
            trace.failed("template_failed");
        }
        trace.end();
        self.tell_template(receiver, rendered.fallback.as_ref());
        rendered
    }
}

/// The templates of a receiver: the configured ones, unless others are tried out.
pub(super) fn renderer_of<'a>(loaded: &'a Loaded, receiver: &'a Receiver) -> &'a Renderer {
    receiver.tried.as_ref().unwrap_or(&loaded.renderer)
}
