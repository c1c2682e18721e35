//! What a message's text is where only Markdown was sent.

use std::fmt::Write as _;

/// What is left of our own, well-formed `html` without its tags, entities resolved.
pub(super) fn strip_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let close = if rest.starts_with('<') { '>' } else { ';' };
        let Some(end) = rest.find(close) else { break };
        let token = &rest[..=end];
        match token {
            "&lt;" => text.push('<'),
            "&gt;" => text.push('>'),
            "&amp;" => text.push('&'),
            "&quot;" => text.push('"'),
            "&#39;" => text.push('\''),
            "&nbsp;" => text.push('\u{a0}'),
            // The renderer ends a line after a break itself; the sanitiser may not.
            "<br>" | "<br />" if !rest[end + 1..].starts_with('\n') => text.push('\n'),
            _ => {}
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    let mut lines = String::with_capacity(text.len());
    for line in text.trim().lines() {
        // Blocks inside blocks leave more than one empty line behind.
        if !(line.trim().is_empty() && lines.ends_with("\n\n")) {
            let _ = writeln!(lines, "{}", line.trim_end());
        }
    }
    lines.truncate(lines.trim_end().len());
    lines
}
