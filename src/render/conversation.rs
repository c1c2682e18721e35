//! Where a message stands in the conversation about its group: the first message, an edit of
//! it, or a reply; and what has changed since the room was last told.
//!
//! What does not belong here: deciding which of them it is, and where the first message is
//! (`delivery`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use tera::{Context, Value};

use super::context::value;
use super::time::Moment;
use super::{Locality, Subject};
use crate::alertmanager::Status;

/// What a template may know of the conversation that a message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversation<'a> {
    /// A reply to the group's first message; otherwise that message itself, as posted first
    /// or as edited.
    pub is_reply: bool,
    /// When the first message was posted; `None` where this is it.
    pub root_since: Option<Timestamp>,
    /// Which edit of the first message this is; 0 as it is posted first, and for replies.
    pub edit_number: u32,
    /// Which alerts fire newly since the room was last told, as indexes into the
    /// notification's. What is out of range is ignored.
    pub newly_firing: &'a [usize],
    /// Which are newly resolved, likewise.
    pub newly_resolved: &'a [usize],
    /// Whether it tells again on purpose what the room knows.
    pub is_repeat: bool,
}

/// The alerts of a notification as data: all of them, and the lists of those that fire and of
/// those that are over.
type Alerts<'v> = (&'v [Value], &'v Value, &'v Value);

/// Sets what templates see of the conversation.
pub(super) fn set(
    context: &mut Context,
    subject: &Subject<'_>,
    alerts: Alerts<'_>,
    locality: &Locality,
) {
    let conversation = subject.conversation.as_ref();
    let moment = |at: Option<Timestamp>| match at {
        Some(at) => value(&Moment::new(at, &locality.timezone)),
        None => Value::none(),
    };
    context.insert_value("changed", changed(subject, alerts));
    let is_reply = conversation.is_some_and(|conversation| conversation.is_reply);
    context.insert_value("is_reply", is_reply.into());
    let is_repeat = conversation.is_some_and(|conversation| conversation.is_repeat);
    context.insert_value("is_repeat", is_repeat.into());
    let edit_number = conversation.map_or(0, |conversation| conversation.edit_number);
    context.insert_value("edit_number", u64::from(edit_number).into());
    let root_since = conversation.and_then(|conversation| conversation.root_since);
    context.insert_value("root_since", moment(root_since));
    context.insert_value("began_at", moment(began_at(subject)));
    context.insert_value("ended_at", moment(ended_at(subject)));
}

/// The alerts that are new or newly resolved, by what they are now; all where that is not
/// known.
fn changed(subject: &Subject<'_>, (alerts, firing, resolved): Alerts<'_>) -> Value {
    if subject.conversation.is_none() && subject.changed.is_none() {
        let all = [("firing", firing.clone()), ("resolved", resolved.clone())];
        return BTreeMap::from(all).into();
    }
    let of = |status: Status| -> Value {
        let picked: Vec<Value> = match (&subject.conversation, subject.changed) {
            (Some(conversation), _) => {
                let indexes = match status {
                    Status::Firing => conversation.newly_firing,
                    Status::Resolved => conversation.newly_resolved,
                };
                indexes
                    .iter()
                    .filter_map(|index| alerts.get(*index).cloned())
                    .collect()
            }
            (None, known) => {
                let known = known.unwrap_or_default().iter();
                let of_status = |index: &&usize| {
                    let alert = subject.notification.alerts.get(**index);
                    alert.is_some_and(|alert| alert.status == status)
                };
                known
                    .filter(of_status)
                    .filter_map(|index| alerts.get(*index).cloned())
                    .collect()
            }
        };
        picked.into()
    };
    let changed = [
        ("firing", of(Status::Firing)),
        ("resolved", of(Status::Resolved)),
    ];
    BTreeMap::from(changed).into()
}

/// When the trouble began: with the first of the alerts, or before the room was first told,
/// because alerts that are over for long are not mentioned any more.
fn began_at(subject: &Subject<'_>) -> Option<Timestamp> {
    let alerts = subject.notification.alerts.iter();
    let root_since = subject
        .conversation
        .and_then(|conversation| conversation.root_since);
    alerts
        .filter_map(|alert| alert.starts_at)
        .chain(root_since)
        .min()
}

/// When the last alert ended; `None` while one fires.
fn ended_at(subject: &Subject<'_>) -> Option<Timestamp> {
    if subject.notification.status == Status::Firing {
        return None;
    }
    let alerts = subject.notification.alerts.iter();
    alerts.filter_map(|alert| alert.ends_at).max()
}
