//! What a receiver's configuration adds to its messages.
//!
//! What does not belong here: where the messages go (`routing`).

use serde_json::{Map, Value as Json};
use tera::Value;

use super::mention::Mention;

/// Of one receiver, made once from its configuration.
#[derive(Debug, Clone)]
pub struct ReceiverData {
    /// A map; shared by all renderings.
    pub(super) settings: Value,
    pub(super) mention: Option<Mention>,
}

impl ReceiverData {
    /// `settings` are passed to templates as they are.
    #[must_use]
    pub fn new(settings: &Map<String, Json>, mention: Option<Mention>) -> Self {
        Self {
            // Tera refuses only maps whose keys are no text, which JSON has none of.
            settings: Value::try_from_serializable(settings)
                .unwrap_or_else(|_| Value::from(tera::Map::new())),
            mention,
        }
    }
}

impl Default for ReceiverData {
    fn default() -> Self {
        Self::new(&Map::new(), None)
    }
}
