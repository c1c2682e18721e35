//! URLs: where a reader can go from a message, and how a URL is put into one safely.
//!
//! What does not belong here: text (`escape`).

use super::escape::escaped;
use crate::alertmanager::{Labels, Notification};

/// The characters that Go's `regexp.QuoteMeta` quotes.
const QUOTED_BY_GO: &str = r"\.+*?()|[]{}^$";

/// A URL as it may stand between the brackets of a link: nothing in it can end the link or
/// begin other markup. `None` for what is not http or https.
pub(super) fn url(url: &str) -> Option<String> {
    let url = url.trim();
    let scheme = url.split_once("://").map(|(scheme, _)| scheme)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    if url.len() == scheme.len() + "://".len() {
        return None;
    }
    let host = scheme.len() + "://".len();
    let path = url[host..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| host + at);
    let mut safe = String::with_capacity(url.len() + 16);
    for (at, byte) in url.bytes().enumerate() {
        match byte {
            // What RFC 3986 allows, but for parentheses, star and quote, which are markup,
            // and the semicolon, which could make an entity of an ampersand.
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
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
            | b'%' => {
                safe.push(char::from(byte));
            }
            // An IPv6 address.
            b'[' | b']' if at < path => safe.push(char::from(byte)),
            _ => push_encoded(&mut safe, byte),
        }
    }
    Some(safe)
}

/// A Markdown link, or nothing where the URL is none that can be followed.
pub(super) fn link(text: &str, target: &str) -> Option<String> {
    let target = url(target)?;
    Some(format!("[{}]({target})", escaped(text)))
}

/// Alertmanager's page of a group, as its own templates link to it
/// (`__alertmanagerURL` in `template/default.tmpl`). The receiver is a regular expression
/// there.
pub(super) fn alertmanager(notification: &Notification<'_>) -> String {
    let Some(mut url) = page(notification, "alerts?receiver=") else {
        return String::new();
    };
    for c in notification.receiver.chars() {
        if QUOTED_BY_GO.contains(c) {
            push_encoded(&mut url, b'\\');
        }
        let mut buffer = [0; 4];
        push_component(&mut url, c.encode_utf8(&mut buffer));
    }
    url
}

/// Alertmanager's form for a new silence, filled in with these labels.
pub(super) fn silence(notification: &Notification<'_>, labels: &Labels<'_>) -> String {
    let Some(mut url) = page(notification, "silences/new?filter=") else {
        return String::new();
    };
    url.reserve(labels.iter().map(|(n, v)| n.len() + v.len() + 16).sum());
    push_component(&mut url, "{");
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            push_component(&mut url, ",");
        }
        if is_classic(name) {
            url.push_str(name);
        } else {
            push_quoted(&mut url, name);
        }
        push_component(&mut url, "=");
        push_quoted(&mut url, value);
    }
    push_component(&mut url, "}");
    url
}

fn page(notification: &Notification<'_>, path: &str) -> Option<String> {
    let base = notification.external_url.trim_end_matches('/');
    (!base.is_empty()).then(|| format!("{base}/#/{path}"))
}

/// Whether a label's name needs no quotes in a matcher.
fn is_classic(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A string of a matcher: quoted, with backslashes, quotes and line breaks escaped.
fn push_quoted(url: &mut String, text: &str) {
    push_component(url, "\"");
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '"', '\n']) {
        push_component(url, &rest[..at]);
        push_component(
            url,
            match rest.as_bytes()[at] {
                b'\n' => "\\n",
                b'"' => "\\\"",
                _ => "\\\\",
            },
        );
        rest = &rest[at + 1..];
    }
    push_component(url, rest);
    push_component(url, "\"");
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn push_component(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            push_encoded(url, byte);
        }
    }
}

fn push_encoded(url: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    url.push('%');
    url.push(char::from(DIGITS[usize::from(byte >> 4)]));
    url.push(char::from(DIGITS[usize::from(byte & 0xf)]));
}
