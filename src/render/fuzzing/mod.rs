//! What holds of text, messages, cards and templates, whatever the input. See `crate::fuzzing`.

pub(crate) mod card;
pub(crate) mod escape;
pub(crate) mod split;
pub(crate) mod template;

use super::{CARD_BYTES, MAX_PARTS, RENDERED_BYTES, Rendered, plain};

/// What every rendering has to be, for Webex to take it and people to read it.
fn can_be_posted(rendered: &Rendered) {
    let messages = &rendered.messages;
    assert!((1..=MAX_PARTS).contains(&messages.len()));
    for message in messages {
        let markdown = &message.markdown;
        assert!(!markdown.trim().is_empty());
        assert!(markdown.len() <= RENDERED_BYTES, "{}", markdown.len());
        let text = plain::uncut(markdown).len();
        assert!(text <= RENDERED_BYTES, "{text} as text: {markdown:?}");
        let card = message.card.as_ref().map_or(0, |card| card.json().len());
        assert!(card <= CARD_BYTES, "{card}");
    }
}
