//! Webex ids: unpadded base64 of `ciscospark://<cluster>/<TYPE>/<key>` (docs/facts/webex-api.md §10).
//!
//! They are derived from names and numbers instead of drawn at random, so that the room id
//! in somebody's notes still works after a restart and a test can name what it expects.
//! Who may use an id, and what it points at, does not belong here.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use uuid::{Builder, Uuid, Variant, Version};

/// Reads what Webex hands out: Cisco's own sample ids hold trailing bits that a strict
/// decoder refuses, and some SDKs add the padding back.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Longer than any id that was seen; keeps a hostile path from being decoded.
const LONGEST: usize = 512;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Room,
    Message,
    Person,
    Organization,
    Membership,
    Webhook,
    Content,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Room => "ROOM",
            Self::Message => "MESSAGE",
            Self::Person => "PEOPLE",
            Self::Organization => "ORGANIZATION",
            Self::Membership => "MEMBERSHIP",
            Self::Webhook => "WEBHOOK",
            Self::Content => "CONTENT",
        }
    }
}

/// The id of `key` in `cluster`, such as `us` or `urn:TEAM:us-west-2_r`.
pub(super) fn encode(cluster: &str, kind: Kind, key: Uuid) -> String {
    encode_key(cluster, kind, key)
}

/// The same with a key that is no UUID, such as `<uuid>:<uuid>`.
pub(super) fn encode_key(cluster: &str, kind: Kind, key: impl fmt::Display) -> String {
    LENIENT.encode(format!("ciscospark://{cluster}/{}/{key}", kind.as_str()))
}

/// Whether Webex would take this for an id at all: base64 of a `ciscospark://` address.
pub(super) fn is_well_formed(id: &str) -> bool {
    key(id).is_some()
}

/// The last part of a decoded id; also of a bare UUID, which list calls are said to accept
/// (their error text reads "base64 ID or UUID").
pub(super) fn key_or_uuid(id: &str) -> Option<String> {
    key(id).or_else(|| Uuid::try_parse(id).ok().map(|uuid| uuid.to_string()))
}

/// The last part of a decoded id, in lower case.
fn key(id: &str) -> Option<String> {
    if id.len() > LONGEST {
        return None;
    }
    let bytes = LENIENT.decode(id).ok()?;
    let address = String::from_utf8(bytes).ok()?;
    let rest = address.strip_prefix("ciscospark://")?;
    let (_, key) = rest.rsplit_once('/')?;
    (!key.is_empty()).then(|| key.to_ascii_lowercase())
}

/// A UUID that is always the same for the same parts: FNV-1a over them, 128 bits wide.
/// Names in a test double need no cryptographic hash.
pub(super) fn stable_uuid(parts: &[&[u8]]) -> Uuid {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = OFFSET;
    for part in parts {
        // A length before each part keeps ("ab", "c") apart from ("a", "bc").
        for byte in (part.len() as u64).to_le_bytes().iter().chain(*part) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }
    Builder::from_u128(hash)
        .with_variant(Variant::RFC4122)
        .with_version(Version::Custom)
        .into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_unpadded_base64_of_an_address_and_reads_back() {
        let uuid = stable_uuid(&[b"room", b"ops"]);
        let id = encode("us", Kind::Room, uuid);
        assert!(id.starts_with("Y2lzY29zcGFyazovL3VzL1JPT00v"), "{id}");
        assert!(!id.contains('='));
        assert_eq!(key_or_uuid(&id), Some(uuid.to_string()));
        assert!(is_well_formed(&id));
        let person = encode("us", Kind::Person, uuid);
        assert!(is_well_formed(&person));
        assert!(is_well_formed(&format!("{person}=")), "padding is forgiven");
    }

    #[test]
    fn the_same_name_gives_the_same_uuid_and_another_name_another() {
        assert_eq!(stable_uuid(&[b"a", b"b"]), stable_uuid(&[b"a", b"b"]));
        assert_ne!(stable_uuid(&[b"ab", b"c"]), stable_uuid(&[b"a", b"bc"]));
        assert_eq!(
            stable_uuid(&[b"room", b"ops"]).to_string(),
            "51091eff-7035-870b-862a-9fd5fefde953",
            "the ids of the default rooms stand in documentation and must not change"
        );
    }

    #[test]
    fn nonsense_is_no_id_but_a_bare_uuid_is_one_to_list_calls() {
        for id in ["", "ops", "%%%", "Y2lzY28", &"A".repeat(2000)] {
            assert!(!is_well_formed(id), "{id}");
            assert_eq!(key_or_uuid(id), None, "{id}");
        }
        let uuid = stable_uuid(&[b"x"]);
        assert!(!is_well_formed(&uuid.to_string()));
        assert_eq!(key_or_uuid(&uuid.to_string()), Some(uuid.to_string()));
    }

    #[test]
    fn ciscos_own_sample_id_with_trailing_bits_is_an_id() {
        let id = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS9mNWIzNjE4Ny1jOGRkLTQ3MjctOGIyZi1mOWM0NDdmMjkwNDY";
        assert!(is_well_formed(id));
        let trailing = format!("{}X", &id[..id.len() - 1]);
        assert!(is_well_formed(&trailing));
    }
}
