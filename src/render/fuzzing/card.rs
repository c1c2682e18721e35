//! What is taken for a card is one that Webex takes, and a value in a card is text.

use serde_json::Value;

use crate::render::CARD_BYTES;
use crate::render::card::{Card, escape};
use crate::render::escape::is_hidden;

/// Longer notes would not fit beside a full card, and longer reasons are no sentence.
const NOTE: &str = "a note that comes below, with \"quotes\", a \\ and a [link](https://a.b)";

/// Takes what a template made of a card.
pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    value_is_text(text);
    let card = match Card::parse(text) {
        Err(reason) => {
            assert!(!reason.trim().is_empty());
            return;
        }
        Ok(None) => {
            assert!(text.trim().is_empty());
            return;
        }
        Ok(Some(card)) => card,
    };
    webex_takes(card.json());
    let again = Card::parse(card.json());
    assert_eq!(again, Ok(Some(card.clone())), "it is read as it is written");
    if let Some(card) = card.with_note(NOTE) {
        webex_takes(card.json());
        assert!(card.json().contains("a note that comes below"));
    }
}

/// What Webex's documentation says of cards, judged without a look at how it is checked.
fn webex_takes(json: &str) {
    assert!(json.len() <= CARD_BYTES, "{}", json.len());
    let card: Value = serde_json::from_str(json).expect("a card is JSON");
    assert_eq!(card["type"], "AdaptiveCard");
    let version = card["version"].as_str().unwrap_or_default();
    assert!(["1.0", "1.1", "1.2", "1.3"].contains(&version), "{version}");
    let mut buttons = 0;
    count(&card, &mut buttons);
    assert!(buttons <= 5, "{buttons} buttons: {json}");
}

/// The actions in lists of those, wherever Webex would show one.
fn count(element: &Value, buttons: &mut usize) {
    let kind = element["type"].as_str().unwrap_or_default();
    assert!(!matches!(kind, "Media" | "Action.Execute"), "{kind}");
    let list = |key: &str| element[key].as_array().into_iter().flatten();
    if matches!(kind, "AdaptiveCard" | "ActionSet") {
        for action in list("actions") {
            *buttons += 1;
            if action["type"] == "Action.ShowCard" {
                count(&action["card"], buttons);
            }
            if action["type"] == "Action.OpenUrl" {
                let url = action["url"].as_str().unwrap_or_default();
                let url = url.to_ascii_lowercase();
                assert!(url.starts_with("https://") || url.starts_with("http://"));
            }
        }
    }
    let within: &[&str] = match kind {
        "AdaptiveCard" => &["body"],
        "Container" => &["items"],
        "ColumnSet" => &["columns"],
        _ => &[],
    };
    for child in within.iter().flat_map(|key| list(key)) {
        if kind == "ColumnSet" {
            child["items"]
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|item| count(item, buttons));
        } else {
            count(child, buttons);
        }
    }
}

/// Put between quotes it is a text of JSON, and no link.
pub(crate) fn value_is_text(value: &str) {
    let mut json = b"\"".to_vec();
    escape(value, &mut json).expect("writing to a vector does not fail");
    json.push(b'"');
    let read: String = serde_json::from_slice(&json).expect("it is a text of JSON");
    assert!(!read.contains("](") && !read.contains("<@"), "{read:?}");
    // Some letters, such as Hangul's filler, show nothing, and are shown to be there instead.
    let shows = |c: &char| c.is_alphanumeric() && !is_hidden(*c);
    let letters = |text: &str| text.chars().filter(shows).collect::<String>();
    assert_eq!(letters(&read), letters(value));
}
