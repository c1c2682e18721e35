//! What goes to which destination, and what its readers are told about that.

use super::Destination;
use super::rooms::{RoomFrom, Source};

/// What goes to each destination. A room is told all that it is told of a group in one
/// message, whoever asked for it; so each destination stands alone.
#[derive(Default)]
pub(super) struct Targets(pub(super) Vec<Target>);

#[derive(Default)]
pub(super) struct Target {
    pub(super) destinations: Vec<Destination>,
    pub(super) alerts: Vec<usize>,
    pub(super) none_asked: usize,
    pub(super) not_allowed: usize,
    /// A room that was asked for.
    pub(super) name: Option<String>,
}

impl Targets {
    pub(super) fn add(&mut self, destination: &Destination, alert: usize) -> &mut Target {
        let known = |target: &Target| target.destinations.contains(destination);
        let index = self.0.iter().position(known).unwrap_or_else(|| {
            self.0.push(Target {
                destinations: vec![destination.clone()],
                ..Target::default()
            });
            self.0.len() - 1
        });
        let target = &mut self.0[index];
        target.alerts.push(alert);
        target
    }

    pub(super) fn add_own(
        &mut self,
        own: &[Destination],
        alert: usize,
        note: impl Fn(&mut Target),
    ) {
        for destination in own {
            note(self.add(destination, alert));
        }
    }

    /// All alerts go the same way, so it is one delivery.
    pub(super) fn join(&mut self) {
        let rest = self.0.split_off(1);
        if let Some(first) = self.0.first_mut() {
            let destinations = rest.into_iter().flat_map(|target| target.destinations);
            first.destinations.extend(destinations);
        }
    }
}

impl Target {
    pub(super) fn notes(&self, from: &RoomFrom) -> Option<String> {
        let source = &from.source;
        let is_query = matches!(source, Source::Query(_));
        let count = |alerts| counted(alerts, self.alerts.len());
        let asked = self.name.as_ref();
        let asked = asked.map_or_else(String::new, |name| format!(": {name}"));
        Some(match (self.none_asked, self.not_allowed) {
            (0, 0) => return None,
            (_, 0) if is_query => format!("Shown here because {source} names no room."),
            (0, _) if is_query => {
                format!("Shown here because {source} names a room that may not be chosen{asked}.")
            }
            (none, 0) => format!(
                "{} shown here because no room is named ({source}).",
                count(none)
            ),
            (0, other) => format!(
                "{} shown here because the room that is named may not be chosen ({source}{asked}).",
                count(other)
            ),
            (none, other) => format!(
                "{} shown here because no room is named that may be chosen ({source}{asked}).",
                count(none + other)
            ),
        })
    }
}

fn counted(alerts: usize, of: usize) -> String {
    match (alerts, of) {
        (1, 1) => "This alert is".to_owned(),
        (1, _) => "One of the alerts is".to_owned(),
        (alerts, of) if alerts == of => "These alerts are".to_owned(),
        _ => format!("{alerts} of the alerts are"),
    }
}

/// How many, never what: they are not this receiver's.
pub(super) fn withheld_note(withheld: usize) -> Option<String> {
    match withheld {
        0 => None,
        1 => Some("One alert is withheld: it is not of this receiver's namespaces.".to_owned()),
        _ => Some(format!(
            "{withheld} alerts are withheld: they are not of this receiver's namespaces."
        )),
    }
}

pub(super) fn refused_note(alerts: usize, source: &Source) -> String {
    let (what, they) = match alerts {
        1 => ("One alert is".to_owned(), "it names"),
        _ => (format!("{alerts} alerts are"), "they name"),
    };
    format!("{what} not delivered: {they} no room that may be chosen ({source}).")
}
