//! The body of a POST or PUT of a message, and what is wrong with it in itself.
//!
//! Checks that need bots, rooms or other messages are in `messages.rs`.

use serde::Deserialize;
use serde_json::Value;

use super::MESSAGE_LIMIT;
use super::behaviour::Behaviour;
use super::model::Upload;
use super::refusal::Refusal;

const CARD_TYPE: &str = "application/vnd.microsoft.card.adaptive";

/// Most buttons of a card (docs/facts/webex-api.md §7, A).
const MOST_ACTIONS: usize = 5;

/// Longest address of a file, in bytes (U). It bounds what a message can hold.
const LONGEST_FILE: usize = 2048;

/// The body of a POST or PUT. Fields that Webex does not know are ignored (U).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Draft {
    pub(super) room_id: Option<String>,
    pub(super) parent_id: Option<String>,
    pub(super) to_person_id: Option<String>,
    pub(super) to_person_email: Option<String>,
    pub(super) text: Option<String>,
    pub(super) markdown: Option<String>,
    pub(super) html: Option<String>,
    pub(super) files: Option<Vec<String>>,
    pub(super) attachments: Option<Vec<Value>>,
    /// The file of a form.
    #[serde(skip)]
    pub(super) upload: Option<Upload>,
}

impl Draft {
    pub(super) fn has_card(&self) -> bool {
        self.attachments
            .as_ref()
            .is_some_and(|cards| !cards.is_empty())
    }

    pub(super) fn has_file(&self) -> bool {
        self.upload.is_some() || self.files.as_ref().is_some_and(|files| !files.is_empty())
    }

    pub(super) fn has_text(&self) -> bool {
        is_filled(self.text.as_deref()) || is_filled(self.markdown.as_deref())
    }

    /// Bytes of the longer of `text` and `markdown`.
    pub(super) fn size(&self) -> usize {
        let length = |field: &Option<String>| field.as_ref().map_or(0, String::len);
        length(&self.text).max(length(&self.markdown))
    }

    /// What POST and PUT have in common.
    pub(super) fn check(&self, behaviour: &Behaviour) -> Result<(), Refusal> {
        if self.size() > MESSAGE_LIMIT {
            return Err(Refusal::TooLong);
        }
        let files = self.files.as_deref().unwrap_or_default();
        if files.len() + usize::from(self.upload.is_some()) > 1 {
            return Err(Refusal::ManyFiles);
        }
        // A: a public URL. The sandbox fetches nothing.
        let is_url = |file: &String| {
            file.len() <= LONGEST_FILE
                && (file.starts_with("http://") || file.starts_with("https://"))
        };
        if !files.iter().all(is_url) {
            return Err(Refusal::InvalidParameter("files"));
        }
        match self.attachments.as_deref().unwrap_or_default() {
            [] => Ok(()),
            [card] => check_card(card, behaviour),
            _ => Err(Refusal::ManyCards),
        }
    }
}

/// Whether there is anything to see. That blanks count as nothing is U.
pub(super) fn is_filled(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

/// A field that is there and not empty.
pub(super) fn given(field: Option<&String>) -> Option<&str> {
    field.map(String::as_str).filter(|value| !value.is_empty())
}

/// The envelope, the version and the number of buttons are A; that Webex answers 400 is D.
fn check_card(card: &Value, behaviour: &Behaviour) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal::Card(why));
    if card["contentType"] != CARD_TYPE {
        return refuse(format!("`contentType` must be `{CARD_TYPE}`"));
    }
    let content = &card["content"];
    if content["type"] != "AdaptiveCard" {
        return refuse("`content.type` must be `AdaptiveCard`".to_owned());
    }
    let version = content["version"].as_str().unwrap_or_default();
    if !matches!(version, "1.0" | "1.1" | "1.2" | "1.3") {
        return refuse("`content.version` must be from 1.0 to 1.3".to_owned());
    }
    let actions = content["actions"].as_array().map_or(0, Vec::len);
    if actions > MOST_ACTIONS {
        return refuse(format!(
            "{actions} actions, of which at most {MOST_ACTIONS} are supported"
        ));
    }
    let size = card.to_string().len();
    let most = behaviour.card_max_bytes;
    if size > most {
        return refuse(format!(
            "{size} bytes, of which at most {most} are supported"
        ));
    }
    Ok(())
}
