//! Which alerts of a notification a receiver may see, and which go where. Pure: what is
//! remembered and the time are passed in.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::time::Instant;

use super::remembered::{Choice, Remembered, Whole};
use super::rooms::{Otherwise, RoomFrom, Source, listed};
use super::targets::{Targets, refused_note, withheld_note};
use super::{Destination, Receiver};
use crate::alertmanager::{Alert, Notification, REPEAT_INTERVAL};

/// A notification, or a part of it, and where it goes.
#[derive(Debug)]
pub struct Part<'n, 'a> {
    /// The receiver, with these destinations alone.
    pub receiver: Arc<Receiver>,
    /// What goes there.
    pub notification: Cow<'n, Notification<'a>>,
}

/// What becomes of a notification.
#[derive(Debug)]
pub struct Assigned<'n, 'a> {
    /// Never empty.
    pub parts: Vec<Part<'n, 'a>>,
    /// How many alerts are of other namespaces, and seen by nobody.
    pub withheld: usize,
    /// How many are in the receiver's own rooms because they ask for no room that they may
    /// have.
    pub strayed: usize,
    /// Why some alerts go nowhere, where some do.
    pub refused: Option<NotAssigned>,
    /// To be told to [`Remembered::delivered`] once all of it is.
    pub whole: Option<Whole>,
}

/// Why a notification, or some of its alerts, go nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAssigned {
    /// None is of a namespace of this receiver.
    #[error(
        "{} of a namespace of receiver `{receiver}`, which takes {allowed}; mend the matchers of \
         the route, or `namespaces` of the receiver", none(*.alerts)
    )]
    Foreign {
        /// How many alerts.
        alerts: usize,
        /// The receiver.
        receiver: Arc<str>,
        /// Its namespaces.
        allowed: String,
    },
    /// They ask for no room that they may have.
    #[error(
        "{} a room that receiver `{receiver}` may choose ({source_of} is to name one of {allowed}); \
         mend the name, or `room_from.allow` of the receiver", names_none(*.alerts)
    )]
    NoRoom {
        /// How many alerts.
        alerts: usize,
        /// The receiver.
        receiver: Arc<str>,
        /// Where the room's name stands.
        source_of: String,
        /// Which may be chosen.
        allowed: String,
    },
}

fn none(alerts: usize) -> String {
    match alerts {
        1 => "the alert is not".to_owned(),
        _ => format!("none of the {alerts} alerts is"),
    }
}

fn names_none(alerts: usize) -> String {
    match alerts {
        1 => "an alert does not name".to_owned(),
        _ => format!("{alerts} alerts do not name"),
    }
}

/// Where one alert goes.
enum Way {
    /// To the room that it asks for.
    Chosen(Destination),
    /// To the receiver's own rooms, as before.
    Own,
    /// To those, because it asks for no room.
    NoneAsked,
    /// To those, because it asks for one that it may not have.
    NotAllowed(Option<String>),
    /// Nowhere.
    Refused,
}

/// Alerts by where they go.
#[derive(Default)]
struct Sorted {
    targets: Targets,
    /// How many ask for no room that they may have, and go to the receiver's own.
    strayed: usize,
    /// How many go nowhere.
    refused: usize,
}

impl Sorted {
    fn add(&mut self, receiver: &Receiver, index: usize, way: &Way) {
        let (targets, own) = (&mut self.targets, &receiver.destinations);
        match way {
            Way::Chosen(destination) => {
                targets.add(destination, index);
            }
            Way::Own => targets.add_own(own, index, |_| {}),
            Way::NoneAsked => {
                self.strayed += 1;
                targets.add_own(own, index, |target| target.none_asked += 1);
            }
            Way::NotAllowed(name) => {
                self.strayed += 1;
                targets.add_own(own, index, |target| {
                    target.not_allowed += 1;
                    target.name = target.name.take().or_else(|| name.clone());
                });
            }
            Way::Refused => self.refused += 1,
        }
    }
}

/// Says which alerts of a notification go where.
///
/// `asked` is the room that the webhook's URL asks for.
///
/// # Errors
/// When none goes anywhere.
pub fn assign<'n, 'a>(
    receiver: &Arc<Receiver>,
    asked: Option<&str>,
    notification: &'n Notification<'a>,
    memory: &mut Remembered,
    now: Instant,
) -> Result<Assigned<'n, 'a>, NotAssigned> {
    let total = notification.alerts.len();
    let kept: Vec<usize> = (0..total)
        .filter(|index| may_see(receiver, &notification.alerts[*index]))
        .collect();
    let withheld = total - kept.len();
    if kept.is_empty() {
        return Err(NotAssigned::Foreign {
            alerts: total,
            receiver: Arc::clone(&receiver.name),
            allowed: listed(&receiver.namespaces),
        });
    }
    let Some(from) = &receiver.room_from else {
        let notes = withheld_note(withheld).into_iter().collect();
        let part = part(receiver, None, notification, &kept, notes);
        return Ok(finish(
            vec![part],
            withheld,
            0,
            None,
            (receiver, notification, memory),
        ));
    };
    let whole_way = match &from.source {
        Source::Query(_) => Some(from.way(asked)),
        Source::Label(_) | Source::Annotation(_) => None,
    };
    let mut sorted = Sorted::default();
    for index in kept {
        let alert = &notification.alerts[index];
        let way = match &whole_way {
            Some(way) => way,
            None => &way_of(from, receiver, notification, alert, (memory, now)),
        };
        sorted.add(receiver, index, way);
    }
    let Sorted {
        mut targets,
        strayed,
        refused,
    } = sorted;
    let refused_note = (refused > 0).then(|| refused_note(refused, &from.source));
    let refused = (refused > 0).then(|| from.no_room(receiver, refused));
    if targets.0.is_empty() {
        // Something was kept, so what went nowhere was refused.
        return Err(refused.unwrap_or_else(|| from.no_room(receiver, 0)));
    }
    if whole_way.is_some() {
        targets.join();
    }
    let parts = targets.0.into_iter().map(|target| {
        let mut notes: Vec<String> = withheld_note(withheld).into_iter().collect();
        notes.extend(target.notes(from));
        notes.extend(refused_note.clone());
        let destinations = Some(target.destinations);
        part(receiver, destinations, notification, &target.alerts, notes)
    });
    let parts = parts.collect();
    Ok(finish(
        parts,
        withheld,
        strayed,
        refused,
        (receiver, notification, memory),
    ))
}

/// Whether a receiver may see an alert. One without a namespace is nobody's.
fn may_see(receiver: &Receiver, alert: &Alert<'_>) -> bool {
    let namespaces = &receiver.namespaces;
    namespaces.is_empty()
        || alert
            .namespace()
            .is_some_and(|name| namespaces.iter().any(|pattern| pattern.matches(name)))
}

impl RoomFrom {
    /// Where an alert goes by what it asks for now.
    fn way(&self, asked: Option<&str>) -> Way {
        let asked = asked.map(str::trim).filter(|name| !name.is_empty());
        match (asked.map(|name| self.room(name)), self.otherwise) {
            (Some(Some(room)), _) => Way::Chosen(room),
            (_, Otherwise::Refuse) => Way::Refused,
            (None, Otherwise::OwnRooms) => Way::NoneAsked,
            (Some(None), Otherwise::OwnRooms) => Way::NotAllowed(asked.and_then(harmless)),
        }
    }

    fn no_room(&self, receiver: &Receiver, alerts: usize) -> NotAssigned {
        NotAssigned::NoRoom {
            alerts,
            receiver: Arc::clone(&receiver.name),
            source_of: self.source.to_string(),
            allowed: self.allowed(),
        }
    }
}

/// Where an alert goes: where it went before, else where it asks to.
fn way_of(
    from: &RoomFrom,
    receiver: &Receiver,
    notification: &Notification<'_>,
    alert: &Alert<'_>,
    (memory, now): (&mut Remembered, Instant),
) -> Way {
    let name = match &from.source {
        // A label is part of what the alert is, so it never changes.
        Source::Label(name) => return from.way(alert.labels.get(name)),
        Source::Annotation(name) => name,
        Source::Query(_) => return from.way(None),
    };
    let way = from.way(alert.annotations.get(name));
    let key = memory.key(&receiver.name, &notification.group_key, alert);
    let way = match memory.recall(key, alert) {
        None => way,
        Some(Choice::Own) if receiver.destinations.is_empty() => way,
        Some(Choice::Own) => match way {
            Way::NoneAsked | Way::NotAllowed(_) => way,
            Way::Chosen(_) | Way::Own | Way::Refused => Way::Own,
        },
        // A reload may have taken it away.
        Some(Choice::Room(room)) => from.room(room).map_or(way, Way::Chosen),
    };
    let choice = match &way {
        Way::Chosen(room) => Choice::Room(Arc::clone(&room.name)),
        Way::Own | Way::NoneAsked | Way::NotAllowed(_) => Choice::Own,
        Way::Refused => return way,
    };
    memory.note(key, alert, choice, now);
    way
}

/// A name that was asked for, as far as it may stand in a message: what is no name is not
/// repeated.
fn harmless(name: &str) -> Option<String> {
    const LONGEST: usize = 40;
    let in_name = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    (name.chars().count() <= LONGEST && name.chars().all(in_name)).then(|| name.to_owned())
}

/// The alerts at these indexes on their way to these destinations.
fn part<'n, 'a>(
    receiver: &Arc<Receiver>,
    destinations: Option<Vec<Destination>>,
    notification: &'n Notification<'a>,
    alerts: &[usize],
    notes: Vec<String>,
) -> Part<'n, 'a> {
    let is_whole = alerts.len() == notification.alerts.len();
    let notification = if is_whole && notes.is_empty() {
        Cow::Borrowed(notification)
    } else {
        let mut part = notification.part(alerts);
        if is_whole {
            part.reason.clone_from(&notification.reason);
        }
        part.notes = notes;
        Cow::Owned(part)
    };
    let receiver = match destinations {
        Some(destinations) if destinations != receiver.destinations => Arc::new(Receiver {
            destinations,
            ..Receiver::clone(receiver)
        }),
        _ => Arc::clone(receiver),
    };
    Part {
        receiver,
        notification,
    }
}

/// Marks the parts that may say nothing new: when an alert elsewhere in the group changes,
/// Alertmanager sends the whole group, and this room need not hear the same again.
fn finish<'n, 'a>(
    mut parts: Vec<Part<'n, 'a>>,
    withheld: usize,
    strayed: usize,
    refused: Option<NotAssigned>,
    (receiver, notification, memory): (&Receiver, &Notification<'_>, &Remembered),
) -> Assigned<'n, 'a> {
    let total = notification.alerts.len();
    let is_split = |part: &Part<'_, '_>| part.notification.alerts.len() < total;
    let mut whole = None;
    if parts.iter().any(is_split) {
        let this = memory.whole(&receiver.name, notification);
        let is_repeat = match notification.reason.as_deref() {
            Some(reason) => reason == REPEAT_INTERVAL,
            // Before 0.32 Alertmanager did not say; nothing new means that it repeats.
            None => memory.was_delivered(&this),
        };
        for part in parts.iter_mut().filter(|part| is_split(part)) {
            part.notification.to_mut().is_old_news = !is_repeat;
        }
        whole = Some(this);
    }
    Assigned {
        parts,
        withheld,
        strayed,
        refused,
        whole,
    }
}

#[cfg(test)]
mod tests;
