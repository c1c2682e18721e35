//! A room as a person sees it: threads indented, edits marked.

use std::fmt::Write as _;

use alertmanager_webex::sandbox::Message;

/// Shows messages in the order of their threads. What depends on the time of the test is left
/// out.
pub(crate) fn show(messages: &[Message]) -> String {
    let mut text = String::new();
    for root in messages
        .iter()
        .filter(|message| message.parent_id.is_none())
    {
        push(&mut text, root, "");
        let replies = messages.iter();
        for reply in replies.filter(|message| message.parent_id.as_ref() == Some(&root.id)) {
            push(&mut text, reply, "    ");
        }
    }
    // Replies to what is gone.
    for orphan in messages.iter().filter(|message| {
        let parent = message.parent_id.as_ref();
        parent.is_some_and(|parent| messages.iter().all(|other| other.id != *parent))
    }) {
        push(&mut text, orphan, "  ? ");
    }
    text
}

fn push(text: &mut String, message: &Message, indent: &str) {
    let edited = match message.edits {
        0 => String::new(),
        edits => format!(" (edited, {edits})"),
    };
    let card = if message.card.is_some() {
        " (card)"
    } else {
        ""
    };
    let said = message.markdown.as_deref().or(message.text.as_deref());
    let mut lines = said.unwrap_or_default().lines();
    let first = lines.next().unwrap_or_default();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{indent}• {}{card}{edited}", timeless(first));
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(text, "{indent}  {}", timeless(line));
    }
}

/// How long something fires depends on when it is asked.
fn timeless(line: &str) -> String {
    match line.split_once(" · for ") {
        Some((before, _)) => format!("{before} · for …"),
        None => line.trim_end().to_owned(),
    }
}
