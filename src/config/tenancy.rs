//! What a project may see and where it may post: namespaces, and rooms by need.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judge::Judge;
use super::layers::{closest, listed};
use super::receivers::Known;
use super::room_id;
use super::rooms::Ids;
use super::settings;
use crate::routing::{Otherwise, Pattern, RoomFrom, Source, Target};
use crate::secrets::could_be_a_secret;

/// The longest name of a namespace (RFC 1123).
const LONGEST_NAMESPACE: usize = 63;

/// All rooms that have a name, and whose id is known.
pub(super) type NamedRooms = Arc<BTreeMap<Arc<str>, Target>>;

impl Judge<'_> {
    /// The namespaces whose alerts a receiver takes.
    pub(super) fn namespaces(&mut self, receiver: &str, written: &[String]) -> Vec<Pattern> {
        let mut patterns: Vec<Pattern> = Vec::new();
        for (index, text) in written.iter().enumerate() {
            let index = index.to_string();
            let path = ["receivers", receiver, "namespaces", &index];
            let Some(pattern) = Pattern::parse(text) else {
                self.error(
                    &path,
                    "this is neither a namespace nor the beginning of some",
                    "write it like `team-a`, or `team-a-*` for all that begin so",
                );
                continue;
            };
            let name = pattern.text();
            let in_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if name.len() > LONGEST_NAMESPACE || !name.bytes().all(in_name) {
                self.warn(
                    &path,
                    "no namespace of Kubernetes has such a name",
                    "write small letters, digits and `-`, as `kubectl get namespaces` shows it",
                );
            } else if pattern.is_beginning() && !name.is_empty() && !name.ends_with('-') {
                self.warn(
                    &path,
                    "this also means namespaces that begin so by chance, \
                     as `team-a*` means `team-apple`",
                    "write two entries, like `team-a` and `team-a-*`",
                );
            }
            let covers = |one: &Pattern, other: &Pattern| {
                one == other || one.is_beginning() && other.text().starts_with(one.text())
            };
            if patterns
                .iter()
                .any(|other| covers(other, &pattern) || covers(&pattern, other))
            {
                self.warn(
                    &path,
                    "this and another entry mean the same namespaces, or one of them more",
                    "keep the one that is meant",
                );
            }
            patterns.push(pattern);
        }
        let parts: Vec<&str> = receiver.split('/').collect();
        if let [namespace, _, _] = parts[..]
            && !patterns.is_empty()
            && !patterns.iter().any(|pattern| pattern.matches(namespace))
        {
            self.warn(
                &["receivers", receiver, "namespaces"],
                format!(
                    "prometheus-operator sends a receiver of this name alerts of namespace \
                     `{namespace}` alone, which is not among these, so all would be refused"
                ),
                "add it, or mend the receiver's name",
            );
        }
        patterns
    }

    /// Rooms that may be asked for.
    pub(super) fn room_from(
        &mut self,
        receiver: &str,
        written: &settings::RoomFrom,
        known: &Known<'_>,
        bot: Option<&Arc<str>>,
    ) -> Option<RoomFrom> {
        let key = ["receivers", receiver, "room_from"];
        if *written == settings::RoomFrom::default() {
            return None;
        }
        let source = self.source(&key, written);
        let allow_key = ["receivers", receiver, "room_from", "allow"];
        if written.allow.is_empty() && !self.noted(&allow_key) {
            self.error(
                &key,
                "it is not said which rooms may be chosen",
                "write `allow = [\"ops\", \"dev-*\"]`, with names from `[rooms]`",
            );
        }
        let mut allow = Vec::new();
        for (index, text) in written.allow.iter().enumerate() {
            let index = index.to_string();
            let path = [&allow_key[..], &[&index]].concat();
            allow.extend(self.allowed(&path, text, known.rooms));
        }
        Some(RoomFrom {
            source: source?,
            allow,
            otherwise: match written.otherwise {
                settings::Otherwise::OwnRooms => Otherwise::OwnRooms,
                settings::Otherwise::Refuse => Otherwise::Refuse,
            },
            rooms: Arc::clone(known.named),
            bot: Arc::clone(bot?),
        })
    }

    /// Where the room's name stands.
    fn source(&mut self, key: &[&str], written: &settings::RoomFrom) -> Option<Source> {
        let settings::RoomFrom {
            label,
            annotation,
            query,
            ..
        } = written;
        let given = [
            ("label", label),
            ("annotation", annotation),
            ("query", query),
        ];
        let mut given = given
            .into_iter()
            .filter_map(|(key, name)| Some((key, name.as_ref()?)));
        let hint =
            "write `annotation = \"webex_room\"`, `label = \"webex_room\"` or `query = \"room\"`";
        let first = given.next();
        if given.next().is_some() {
            self.error(
                key,
                "the room's name cannot stand in several places",
                "keep one of `label`, `annotation` and `query`",
            );
            return None;
        }
        let Some((place, name)) = first else {
            let noted = ["label", "annotation", "query"]
                .iter()
                .any(|place| self.noted(&[key, &[place]].concat()));
            if !noted {
                self.error(key, "it is not said where the room's name stands", hint);
            }
            return None;
        };
        let in_name = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        if name.is_empty() || !name.bytes().all(in_name) || could_be_a_secret(name) {
            self.error(
                &[key, &[place]].concat(),
                "this is not the name of a label, an annotation or a parameter",
                hint,
            );
            return None;
        }
        Some(match place {
            "label" => Source::Label(name.clone()),
            "annotation" => Source::Annotation(name.clone()),
            _ => Source::Query(name.clone()),
        })
    }

    /// A room that may be chosen, or all whose names begin alike.
    fn allowed(&mut self, path: &[&str], text: &str, rooms: &Ids) -> Option<Pattern> {
        let Some(pattern) = Pattern::parse(text) else {
            self.error(
                path,
                "this is neither a room's name nor the beginning of some",
                "write a name from `[rooms]`, or `dev-*` for all that begin so",
            );
            return None;
        };
        if rooms.keys().any(|name| pattern.matches(name)) {
            return Some(pattern);
        }
        if room_id::is_no_name(text) {
            self.error(
                path,
                "a room can be chosen by its name alone",
                "give the room a name in `[rooms]`, and write that here",
            );
        } else if pattern.is_beginning() {
            self.warn(
                path,
                "no room's name begins so",
                "mend it, or give a room such a name in `[rooms]`",
            );
        } else if !self.noted(&["rooms", text]) {
            let names: Vec<&String> = rooms.keys().collect();
            let near = closest(text, names.iter().map(|name| name.as_str()));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "give the room a name in `[rooms]`".to_owned(),
                None => format!("known rooms: {}", listed(&names)),
            };
            self.error(path, format!("no room is named `{text}`"), &hint);
        }
        Some(pattern)
    }
}
