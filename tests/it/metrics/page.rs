//! `docs/metrics.md` is made from the code that counts.

use std::fmt::Write as _;
use std::path::Path;

use alertmanager_webex::http::Reason;
use alertmanager_webex::telemetry::catalogue::{self, Described};
use alertmanager_webex::telemetry::{FALLBACK_REASONS, MessageKind, RENEWALS};
use alertmanager_webex::webex;

const BEGINNING: &str = "<!-- Made from src/telemetry/metrics/catalogue.rs. After a change there:
     INSTA_UPDATE=always cargo test --test it metrics::page -->

# Metrics

*For whoever runs it, or asks questions of their own. Next: [Runbooks](runbooks/README.md).*

`GET /metrics` on `server.listen`, or on `server.admin_listen` where that is set. Prometheus gets
the OpenMetrics text for which it asks; whoever asks for nothing gets the classic text. Neither is
compressed.

Every series exists at zero from the start, so that `rate()` and `increase()` see the first event.
The exceptions: what the configuration of a receiver rules out does not exist for it, and of the
outcomes of requests that never became a notification a receiver has those that it has met.

The number of series is bounded by the configuration. Receivers that nobody configured count as
one, `(unknown)`. A receiver has about 25 series, a bot about 45; two thousand receivers are less
than 5 MB. What is removed from the configuration leaves the metrics a minute later, or when nothing
waits for it any more.
";

const GROUPS: [(&str, &str, &str); 3] = [
    ("The service", "alertmanager_webex_", ""),
    (
        "The process",
        "process_",
        "Under the names that Prometheus' own libraries use. They are read from `/proc`: where there is none, or where it may not be read, they are absent.",
    ),
    (
        "The runtime",
        "tokio_",
        "What tokio tells of the runtime that delivers, as `go_` metrics do of Go's.",
    ),
];

/// A paragraph in lines of at most 100 characters.
fn wrapped(text: &str) -> String {
    let (mut page, mut width) = (String::new(), 0);
    for word in text.split(' ') {
        if width > 0 && width + 1 + word.chars().count() > 100 {
            page.push('\n');
            width = 0;
        } else if width > 0 {
            page.push(' ');
            width += 1;
        }
        page.push_str(word);
        width += word.chars().count();
    }
    page + "\n"
}

fn section(page: &mut String, metric: &Described) {
    let unit = metric
        .unit
        .as_ref()
        .map_or(String::new(), |unit| format!(" · {}", unit.as_str()));
    let labels: Vec<_> = metric
        .labels
        .iter()
        .map(|label| format!("`{label}`"))
        .collect();
    let labels = match labels.len() {
        0 => String::new(),
        _ => format!(" · by {}", labels.join(", ")),
    };
    write!(
        page,
        "\n### `{}`\n\n{}{unit}{labels}\n\n{}\n{}",
        metric.full_name(),
        metric.kind.as_str(),
        wrapped(&format!("{}.", metric.help)),
        wrapped(metric.look),
    )
    .unwrap();
}

fn listed(values: impl IntoIterator<Item = &'static str>) -> String {
    let values: Vec<_> = values
        .into_iter()
        .map(|value| format!("`{value}`"))
        .collect();
    values.join(", ")
}

fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for (title, prefix, words) in GROUPS {
        write!(page, "\n## {title}\n").unwrap();
        if !words.is_empty() {
            write!(page, "\n{}", wrapped(words)).unwrap();
        }
        let metrics = catalogue::ALL.iter();
        for metric in metrics.filter(|metric| metric.full_name().starts_with(prefix)) {
            section(&mut page, metric);
        }
    }
    page.push_str("\n## Labels\n\nThe values of each label are a closed set.\n");
    let accepted = [
        Reason::Delivered,
        Reason::Partial,
        Reason::Duplicate,
        Reason::DryRun,
    ];
    let accepted = accepted.map(Reason::as_str);
    let others = Reason::outcomes().into_iter();
    let others = others.filter(|outcome| !accepted.contains(outcome));
    for (label, values) in [
        (
            "`receiver`",
            "the name of a configured receiver; `(unknown)` for all others".to_owned(),
        ),
        (
            "`bot`",
            "the name of a configured bot; `webhook/NAME` for an incoming webhook".to_owned(),
        ),
        ("`outcome` that is a success", listed(accepted)),
        ("`outcome` that is none", listed(others)),
        (
            "`outcome` of what never became a notification",
            listed(Reason::rejections()),
        ),
        ("`outcome` of `token_renewals_total`", listed(RENEWALS)),
        ("`kind`", listed(MessageKind::ALL.map(MessageKind::as_str))),
        ("`reason`", listed(FALLBACK_REASONS)),
        ("`code`", listed(webex::CODES)),
    ] {
        write!(page, "\n{}", wrapped(&format!("{label}: {values}."))).unwrap();
    }
    let rare = "`partial`, `foreign_namespace`, `room_not_allowed`, `dry_run`, `over_quota`, and the kinds `reply` and `edit` exist only for receivers whose configuration makes them possible.";
    write!(page, "\n{}", wrapped(rare)).unwrap();
    page
}

#[test]
fn the_page_tells_what_the_code_counts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = page();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/metrics.md is not what the code says: run INSTA_UPDATE=always cargo test --test it metrics::page, and read the difference"
    );
}
