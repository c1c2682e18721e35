//! What the webhook's URL asks for behind its `?`.
//!
//! A parameter that is not understood is an error: a room that is asked for and not heard
//! would be a message in the wrong place.

use std::borrow::Cow;

use url::form_urlencoded;

use super::answers::Rejection;
use crate::routing::{Receiver, Source};

/// The room that a request asks for.
///
/// # Errors
/// When it asks for what the receiver does not take.
pub(super) fn room<'a>(
    query: &'a str,
    receiver: &Receiver,
) -> Result<Option<Cow<'a, str>>, Rejection> {
    let source = receiver.room_from.as_ref().map(|from| &from.source);
    let taken = match source {
        Some(Source::Query(name)) => Some(name),
        Some(Source::Label(_) | Source::Annotation(_)) | None => None,
    };
    let mut asked = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let wrong = |what: &str| {
            Err(Rejection::BadQuery {
                what: what.to_owned(),
                receiver: receiver.name.to_string(),
                taken: taken.map_or_else(
                    || {
                        "no parameters; mend the URL, or give the receiver \
                         `room_from = { query = \"room\", allow = [...] }`"
                            .to_owned()
                    },
                    |name| format!("`?{name}=ROOM` alone; mend the URL"),
                ),
            })
        };
        if taken.is_some_and(|taken| *taken == name) {
            if asked.replace(value).is_some() {
                return wrong("two rooms");
            }
        // Not repeated where it may be a secret in the wrong place.
        } else if name == "room" {
            return wrong("a room (`?room=`)");
        } else {
            return wrong("something that is unknown");
        }
    }
    Ok(asked)
}
