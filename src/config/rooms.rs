//! Rooms: names for ids, which stand in the configuration or in files of their own.
//!
//! An id is no secret as a token is. But where one chart or one image serves many projects,
//! it comes from where the token comes from: a Secret that is mounted as files.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::judge::Judge;
use super::problem::Problem;
use crate::secrets::could_be_a_secret;

/// The largest file that is taken for one that holds an id.
const MAX_BYTES: u64 = 4096;

/// A room: its id, or where that is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Room {
    /// The id itself.
    Id(String),
    /// `{ id_file = "…" }`
    File(RoomFile),
}

/// Where the id of a room is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct RoomFile {
    /// The file that holds the id, and nothing else.
    pub id_file: Option<PathBuf>,
}

/// By hand, since serde tells of an untagged enum only that nothing fits: neither which key
/// is unknown nor which value is wrong.
impl<'de> Deserialize<'de> for Room {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Room;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, or a table with `id_file`")
            }

            fn visit_str<E>(self, id: &str) -> Result<Room, E> {
                Ok(Room::Id(id.to_owned()))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Room, M::Error> {
                RoomFile::deserialize(MapAccessDeserializer::new(map)).map(Room::File)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// The ids of rooms, by name: nothing where it could not be had, which is told elsewhere.
pub(super) type Ids = BTreeMap<String, Option<Arc<str>>>;

impl Judge<'_> {
    /// The ids, and which of their files are not to be had here. The latter is no mistake of
    /// the configuration, which is often written where its files are not.
    pub(super) fn rooms(&mut self, rooms: &BTreeMap<String, Room>) -> (Ids, Vec<Problem>) {
        let mut absent = Vec::new();
        let ids = rooms.iter().map(|(name, room)| {
            let id = match room {
                Room::Id(id) => {
                    self.room_id(&["rooms", name], id);
                    Some(id.as_str().into())
                }
                Room::File(RoomFile { id_file }) => {
                    let path = ["rooms", name, "id_file"];
                    match self.id_file(name, id_file.as_deref()).map(read) {
                        None => None,
                        Some(Ok(text)) => self.id_in_file(&path, &text),
                        Some(Err(error)) => {
                            absent.push(self.absent(&path, id_file.as_deref(), &error));
                            None
                        }
                    }
                }
            };
            (name.clone(), id)
        });
        (ids.collect(), absent)
    }

    /// The file, unless what stands there is none.
    fn id_file<'a>(&mut self, name: &str, file: Option<&'a Path>) -> Option<&'a Path> {
        let hint = "write `{ id_file = \"/run/secrets/webex/room\" }`, or the id itself in quotes";
        let path = ["rooms", name, "id_file"];
        let Some(file) = file else {
            if !self.noted_below(&path[..2]) {
                self.error(&path[..2], "this room has no id", hint);
            }
            return None;
        };
        if file.as_os_str().is_empty() {
            self.error(&path, "this path is empty", hint);
            return None;
        }
        if file.to_str().is_some_and(could_be_a_secret) {
            self.error(&path, "this is not the path of a file", hint);
            return None;
        }
        Some(file)
    }

    fn id_in_file(&mut self, path: &[&str], text: &[u8]) -> Option<Arc<str>> {
        let Ok(text) = std::str::from_utf8(text) else {
            self.no_id(path);
            return None;
        };
        let id = text.trim();
        if id.is_empty() {
            let hint = "put the room's id into it, and nothing else";
            self.error(path, "this file is empty", hint);
            return None;
        }
        self.room_id(path, id);
        Some(id.into())
    }

    fn absent(&self, path: &[&str], file: Option<&Path>, error: &Error) -> Problem {
        let file = file.unwrap_or(Path::new("")).display();
        self.problem(
            path,
            format!("cannot read the file {file}: {error}"),
            "mount it, and let the user that runs this read it",
        )
    }
}

/// What a file holds. A pipe is not read: that would wait.
fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let found = std::fs::metadata(file)?;
    if !found.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    if found.len() > MAX_BYTES {
        return Err(Error::new(
            ErrorKind::InvalidData,
            "it is too large to hold an id alone",
        ));
    }
    std::fs::read(file)
}
