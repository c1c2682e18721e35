//! What is said in a message besides what the template made of it: that it is late, that
//! another room refuses, that Webex did not take the card or the Markdown.

use std::time::Duration;

use tokio::time::Instant;

use super::Engine;
use super::job::Job;
use super::retry::Form;
use crate::render::{self, Message};
use crate::webex;

/// What is posted when nobody has asked for it for so long says so: its flush has ended, and
/// Alertmanager may never mention the alert again, not even its resolution.
const LATE: Duration = Duration::from_secs(90);

/// The text that is posted for a job, and its form.
pub(super) fn text(engine: &Engine, job: &Job) -> (String, Form) {
    let now = Instant::now();
    if job.is_digest() {
        let entries: Vec<_> = job
            .items
            .iter()
            .map(|(_, item)| &item.delivery.entry)
            .collect();
        let mut digest = engine.loaded().renderer.digest(&entries);
        let late = job.items.iter().map(|(_, item)| &item.delivery);
        if let Some(oldest) = late
            .filter(|delivery| delivery.unasked_for(now) > LATE)
            .map(|delivery| delivery.as_of)
            .min()
        {
            digest.append_note(&late_note(oldest));
        }
        return (digest.markdown, Form::Markdown);
    }
    let item = job.first();
    if let Some(plainer) = &item.plainer {
        return (plainer.to_string(), item.form);
    }
    let delivery = &item.delivery;
    let mut notes = Vec::new();
    if delivery.unasked_for(now) > LATE {
        notes.push(late_note(delivery.as_of));
    }
    for refusal in delivery.refusals() {
        notes.push(format!("Not delivered elsewhere: {refusal}"));
    }
    if notes.is_empty() {
        return (item.message().markdown.clone(), item.form);
    }
    let mut message = item.message().clone();
    message.append_note(&notes.join(" "));
    // Who sees a card does not see the text beside it, where the notes stand.
    let form = match item.form {
        Form::Card => Form::Markdown,
        form => form,
    };
    (message.markdown, form)
}

/// The same to be sent without its card, with a word on why.
pub(super) fn without_card(message: &Message, error: &webex::Error) -> String {
    let mut noted = message.clone();
    noted.append_note(&format!(
        "Shown without its card, because Webex refused it: {error}"
    ));
    noted.markdown
}

/// The same as plain text, with a word on why.
pub(super) fn plain(message: &Message, error: &webex::Error) -> String {
    let mut noted = message.clone();
    noted.append_note(&format!(
        "Shown as plain text, because Webex refused the Markdown: {error}"
    ));
    render::plain_text(&noted.markdown)
}

fn late_note(as_of: jiff::Timestamp) -> String {
    format!(
        "Late: this is the state as of {}. Whether it is over may not be told here; look at Alertmanager.",
        as_of.strftime("%Y-%m-%d %H:%M UTC")
    )
}
