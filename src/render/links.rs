//! URLs: where a reader can go from a message, and how a URL is put into one safely.
//!
//! What does not belong here: text (`escape`).

use super::context::precedes;
use super::escape::push_escaped;
use crate::alertmanager::Labels;

/// The characters that Go's `regexp.QuoteMeta` quotes.
const QUOTED_BY_GO: &str = r"\.+*?()|[]{}^$";

/// The longest URL that becomes a link. Longer ones would take a message's room from what
/// it has to say.
const URL_BYTES: usize = 4096;

/// The longest URL of a silence; past it there is none. Leaving out the labels that are too
/// long would silence more than was meant.
const SILENCE_BYTES: usize = 2048;

/// A URL as it may stand between the brackets of a link: nothing in it can end the link or
/// begin other markup. `None` for what is not http or https, or far too long.
pub(super) fn url(url: &str) -> Option<String> {
    let url = url.trim();
    let scheme = url.split_once("://").map(|(scheme, _)| scheme)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    if url.len() == scheme.len() + "://".len() || url.len() > URL_BYTES {
        return None;
    }
    let host = scheme.len() + "://".len();
    let mut behind = url.bytes().skip(host);
    let path = behind.position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let path = path.map_or(url.len(), |at| host + at);
    let stays = |at: usize, byte: u8| {
        // An IPv6 address has brackets.
        is_plain(byte) || (matches!(byte, b'[' | b']') && at < path)
    };
    let mut safe = String::with_capacity(url.len() + 16);
    let mut copied = 0;
    for (at, byte) in url.bytes().enumerate() {
        if !stays(at, byte) {
            // What stays is ASCII, so what lies between others is whole.
            safe.push_str(url.get(copied..at).unwrap_or_default());
            push_encoded(&mut safe, byte);
            copied = at + 1;
        }
    }
    safe.push_str(url.get(copied..).unwrap_or_default());
    Some(safe)
}

/// Whether a byte is what RFC 3986 allows, but for parentheses, star and quote, which are
/// markup, and the semicolon, which could make an entity of an ampersand.
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            plain[byte as usize] = byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'-' | b'.'
                        | b'_'
                        | b'~'
                        | b':'
                        | b'/'
                        | b'?'
                        | b'#'
                        | b'@'
                        | b'!'
                        | b'$'
                        | b'&'
                        | b'+'
                        | b','
                        | b'='
                        | b'%'
                );
            byte += 1;
        }
        plain
    };
    PLAIN[usize::from(byte)]
}

/// A Markdown link, or nothing where the URL is none that can be followed.
pub(super) fn link(text: &str, target: &str) -> Option<String> {
    let target = url(target)?;
    let mut link = String::with_capacity(target.len() + text.len() + 8);
    link.push('[');
    push_escaped(&mut link, text);
    link.push_str("](");
    link.push_str(&target);
    link.push(')');
    Some(link)
}

/// Alertmanager's page of a group, as its own templates link to it
/// (`__alertmanagerURL` in `template/default.tmpl`). The receiver is a regular expression
/// there.
pub(super) fn alertmanager(external: &str, receiver: &str) -> String {
    let Some(mut url) = page(external, "alerts?receiver=") else {
        return String::new();
    };
    push_each(&mut url, receiver, |byte| {
        QUOTED_BY_GO.as_bytes().contains(&byte).then_some(byte)
    });
    url
}

/// Alertmanager's form for a new silence, filled in with these labels. Empty without labels:
/// such a silence would match everything.
pub(super) fn silence(external: &str, labels: &Labels<'_>) -> String {
    Silences::new(external, &Labels::default()).of(labels)
}

/// Silences for the alerts of a group, of which most matchers are the same.
pub(super) struct Silences<'a> {
    /// What all begin with; none where it is not known where Alertmanager is.
    page: Option<String>,
    /// The labels that all alerts share, each with where its matcher ends in `matchers`.
    common: Vec<(&'a str, &'a str, usize)>,
    /// Those matchers as they stand in a URL, one behind the other.
    matchers: String,
}

impl<'a> Silences<'a> {
    pub(super) fn new(external: &str, common: &'a Labels<'_>) -> Self {
        let mut matchers = String::new();
        let matcher = |(name, value): (&'a str, &'a str)| {
            push_matcher(&mut matchers, name, value);
            (name, value, matchers.len())
        };
        Self {
            page: page(external, "silences/new?filter=%7B"),
            common: common.iter().map(matcher).collect(),
            matchers,
        }
    }

    /// The form for a silence of these labels, as [`silence`].
    pub(super) fn of(&self, labels: &Labels<'_>) -> String {
        let length: usize = labels.iter().map(|(n, v)| n.len() + v.len() + 16).sum();
        let Some(page) = &self.page else {
            return String::new();
        };
        if labels.is_empty() || length > SILENCE_BYTES {
            return String::new();
        }
        let mut url = String::with_capacity(page.len() + length + 16);
        url.push_str(page);
        // Both stand in the same order.
        let mut common = self.common.iter().peekable();
        let mut start = 0;
        for (index, (name, value)) in labels.iter().enumerate() {
            if index > 0 {
                url.push_str("%2C");
            }
            let passed = |other: &str| other != name && precedes(other, name);
            while let Some((.., end)) = common.next_if(|(other, ..)| passed(other)) {
                start = *end;
            }
            match common.next_if(|(other, shared, _)| *other == name && *shared == value) {
                Some((.., end)) => {
                    url.push_str(&self.matchers[start..*end]);
                    start = *end;
                }
                None => push_matcher(&mut url, name, value),
            }
        }
        url.push_str("%7D");
        if url.len() > SILENCE_BYTES {
            url.clear();
        }
        url
    }
}

/// `name="value"` as it stands in a URL.
fn push_matcher(url: &mut String, name: &str, value: &str) {
    if is_classic(name) {
        url.push_str(name);
    } else {
        push_quoted(url, name);
    }
    url.push_str("%3D");
    push_quoted(url, value);
}

fn page(external: &str, path: &str) -> Option<String> {
    let base = external.trim_end_matches('/');
    (!base.is_empty()).then(|| [base, "/#/", path].concat())
}

/// Whether a label's name needs no quotes in a matcher.
fn is_classic(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A string of a matcher: quoted, with backslashes, quotes and line breaks escaped.
fn push_quoted(url: &mut String, text: &str) {
    url.push_str("%22");
    push_each(url, text, |byte| match byte {
        b'\n' => Some(b'n'),
        b'"' | b'\\' => Some(byte),
        _ => None,
    });
    url.push_str("%22");
}

/// Percent-encodes all but the unreserved characters of RFC 3986. What `escape` names another
/// byte for stands as that byte, behind a backslash.
fn push_each(url: &mut String, text: &str, escape: impl Fn(u8) -> Option<u8>) {
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        // A point is unreserved, and something else in a regular expression.
        if is_unreserved(byte) && byte != b'.' {
            continue;
        }
        // Unreserved characters are ASCII, so what lies between others is whole.
        url.push_str(text.get(copied..at).unwrap_or_default());
        copied = at + 1;
        let escaped = escape(byte);
        if escaped.is_some() {
            push_encoded(url, b'\\');
        }
        let byte = escaped.unwrap_or(byte);
        if is_unreserved(byte) {
            url.push(char::from(byte));
        } else {
            push_encoded(url, byte);
        }
    }
    url.push_str(text.get(copied..).unwrap_or_default());
}

fn is_unreserved(byte: u8) -> bool {
    const UNRESERVED: [bool; 256] = {
        let mut unreserved = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            unreserved[byte as usize] =
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            byte += 1;
        }
        unreserved
    };
    UNRESERVED[usize::from(byte)]
}

fn push_encoded(url: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |four: u8| DIGITS[usize::from(four)];
    let encoded = [b'%', digit(byte >> 4), digit(byte & 0xf)];
    // Three characters of ASCII.
    url.push_str(std::str::from_utf8(&encoded).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alertmanager::Notification;

    fn notification(external: &str, labels: &str) -> String {
        format!(
            r#"{{"version":"4","groupKey":"k","receiver":"team\\.a/x","externalURL":"{external}",
                "commonLabels":{labels},"alerts":[{{}}]}}"#
        )
    }

    fn silence_of(external: &str, labels: &str) -> String {
        let body = notification(external, labels);
        let notification = Notification::parse(body.as_bytes()).unwrap();
        silence(&notification.external_url, &notification.common_labels)
    }

    #[test]
    fn a_silence_is_filled_in_with_the_labels_as_matchers() {
        assert_eq!(
            silence_of("https://am.example.org/", r#"{"b":"c d","alertname":"A"}"#),
            "https://am.example.org/#/silences/new?filter=%7Balertname%3D%22A%22%2Cb%3D%22c%20d%22%7D"
        );
        // {"my.label"="a\"b\\c\nd"}
        assert_eq!(
            silence_of("http://am", r#"{"my.label":"a\"b\\c\nd"}"#),
            "http://am/#/silences/new?filter=%7B%22my.label%22%3D%22a%5C%22b%5C%5Cc%5Cnd%22%7D"
        );
    }

    #[test]
    fn a_silence_that_would_match_everything_or_is_too_long_is_not_offered() {
        assert_eq!(silence_of("http://am", "{}"), "");
        assert_eq!(silence_of("", r#"{"a":"b"}"#), "");
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(20_000));
        assert_eq!(silence_of("http://am", &long), "");
    }

    #[test]
    fn alertmanagers_page_takes_the_receiver_as_a_regular_expression() {
        let body = notification("https://am.example.org", "{}");
        let notification = Notification::parse(body.as_bytes()).unwrap();
        assert_eq!(
            alertmanager(&notification.external_url, &notification.receiver),
            "https://am.example.org/#/alerts?receiver=team%5C.a%2Fx"
        );
    }

    #[test]
    fn only_a_web_address_becomes_a_link_and_cannot_leave_it() {
        for (target, expected) in [
            (
                "https://a.b/c?d=e&f=%20#g",
                Some("[x](https://a.b/c?d=e&f=%20#g)"),
            ),
            ("HTTP://a.b", Some("[x](HTTP://a.b)")),
            (
                "http://[::1]:9090/[x]",
                Some("[x](http://[::1]:9090/%5Bx%5D)"),
            ),
            (
                "https://a.b/) <@all> &lt; \\`*",
                Some("[x](https://a.b/%29%20%3C@all%3E%20&lt%3B%20%5C%60%2A)"),
            ),
            ("https://a.b/ü\n", Some("[x](https://a.b/%C3%BC)")),
            ("javascript:alert(1)", None),
            ("javascript://https://a.b", None),
            ("see the wiki", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(link("x", target).as_deref(), expected, "{target}");
        }
        assert_eq!(
            link("x", &format!("https://a.b/{}", "c".repeat(5000))),
            None
        );
        assert_eq!(
            link("a](http://c) [b", "http://d").as_deref(),
            Some("[a\\](http://c) \\[b](http://d)")
        );
    }
}
