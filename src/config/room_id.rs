//! What can be told of a Webex id by looking at it.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Longer than any id that Webex has handed out.
const LONGEST: usize = 512;
/// A UUID has 36 letters, with hyphens, and is the shortest id that Webex takes.
const SHORTEST: usize = 32;

/// Whether this is an id rather than a name: names are short words.
pub(super) fn is_no_name(text: &str) -> bool {
    text.len() >= SHORTEST
}

/// Whether this can be an id at all.
pub(super) fn is_plausible(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=".contains(&byte);
    !id.is_empty() && id.len() <= LONGEST && id.bytes().all(allowed)
}

/// What it is the id of, where that can be told: ids are unpadded base64 of
/// `ciscospark://<cluster>/<TYPE>/<key>`, and Webex itself hands out some that are not
/// canonical.
pub(super) fn kind(id: &str) -> Option<String> {
    let forgiving = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = [STANDARD, URL_SAFE].iter().find_map(|alphabet| {
        GeneralPurpose::new(alphabet, forgiving)
            .decode(id)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    })?;
    let mut parts = decoded.strip_prefix("ciscospark://")?.split('/');
    parts.next()?;
    let kind = parts.next()?;
    let told = !kind.is_empty()
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    told.then(|| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD_NO_PAD;

    use super::*;

    #[test]
    fn an_id_tells_what_it_is_the_id_of() {
        for (text, expected) in [
            ("ciscospark://us/ROOM/11111111-2222-3333", Some("ROOM")),
            ("ciscospark://urn:TEAM:us-west-2_r/PEOPLE/x", Some("PEOPLE")),
            ("ciscospark://us", None),
            ("something else", None),
        ] {
            let id = BASE64_STANDARD_NO_PAD.encode(text);
            assert_eq!(kind(&id).as_deref(), expected, "{text}");
        }
        assert_eq!(kind("bbceb1ad-43f1-3b58-91d4-dcc6a1d3ed2c"), None);
    }

    #[test]
    fn what_has_blanks_is_no_id() {
        assert!(is_plausible("bbceb1ad-43f1-3b58-91d4-dcc6a1d3ed2c"));
        for text in ["", "my room", "https://web.webex.com/spaces/x"] {
            assert!(!is_plausible(text), "{text}");
        }
    }
}
