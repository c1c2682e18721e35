use proptest::prelude::*;

use super::super::samples;
use super::super::tests::constructs;
use super::super::{MESSAGE_BYTES, NOTE_BYTES, plain_text};
use super::*;

fn entry(body: &str) -> Entry {
    let notification = Notification::parse(body.as_bytes()).unwrap();
    Entry::new(&notification, &notification.external_url)
}

#[test]
fn a_digest_tells_the_worst_first_with_counts_and_links() {
    let entries: Vec<Entry> = samples::all().iter().map(|(_, body)| entry(body)).collect();
    let entries: Vec<&Entry> = entries.iter().rev().collect();
    let message = message(&entries);
    insta::assert_snapshot!(message.markdown);
    assert!(message.markdown.len() <= MESSAGE_BYTES - NOTE_BYTES);
}

#[test]
fn a_storm_fits_into_one_message_and_the_rest_is_counted() {
    let one = entry(&samples::firing(3));
    let mut fitting = 0;
    let mut bytes = 0;
    while bytes + one.bytes() <= DIGEST_BYTES {
        bytes += one.bytes();
        fitting += 1;
    }
    assert!(fitting > 40, "{fitting}");
    let all = message(&vec![&one; fitting]);
    assert_eq!(all.markdown.matches("\n\n🔴").count(), fitting);
    assert!(all.markdown.len() <= MESSAGE_BYTES - NOTE_BYTES);

    let many = message(&vec![&one; 1000]);
    let shown = many.markdown.matches("\n\n🔴").count();
    assert!(shown >= fitting);
    assert!(many.markdown.ends_with(&format!(
        "… and {} more notifications, the least severe ones",
        1000 - shown
    )));
    assert!(many.markdown.len() <= MESSAGE_BYTES - NOTE_BYTES);
}

#[test]
fn nothing_is_a_digest_too() {
    assert!(message(&[]).markdown.contains("0 notifications"));
}

#[test]
fn what_is_over_comes_last_and_severities_have_their_ranks() {
    for (severity, status, rank) in [
        ("critical", "firing", 0),
        ("", "firing", 1),
        ("warning", "firing", 2),
        ("info", "firing", 3),
        ("critical", "resolved", 4),
    ] {
        let body = format!(
            r#"{{"version":"4","groupKey":"k","alerts":[{{"status":"{status}","labels":{{"severity":"{severity}"}}}}]}}"#
        );
        assert_eq!(entry(&body).severity_rank, rank, "{severity} {status}");
    }
}

proptest! {
    #[test]
    fn an_entry_is_one_short_line_without_foreign_markup(
        labels in prop::collection::btree_map("alertname|namespace|cluster|instance", ".{0,300}", 0..5),
        summary in ".{0,400}",
    ) {
        let body = serde_json::json!({
            "version": "4", "groupKey": "k", "commonLabels": labels, "groupLabels": labels,
            "externalURL": "https://a.b",
            "alerts": [{"labels": labels, "annotations": {"summary": summary}}],
        });
        let entry = entry(&body.to_string());
        prop_assert!(entry.bytes() <= ENTRY_BYTES + 3);
        prop_assert!(!entry.markdown.contains('\n'), "{}", entry.markdown);
        let digest = message(&vec![&entry; 60]);
        prop_assert!(digest.markdown.len() <= MESSAGE_BYTES - NOTE_BYTES);
        prop_assert!(plain_text(&digest.markdown).len() <= MESSAGE_BYTES - NOTE_BYTES);
        prop_assert!(!digest.markdown.contains('<'));
        for construct in constructs(&digest.markdown) {
            let ours = matches!(construct.as_str(), "Strong" | "Emphasis")
                || construct.starts_with("link https://a.b/");
            prop_assert!(ours, "{}\n{}", construct, digest.markdown);
        }
    }
}
