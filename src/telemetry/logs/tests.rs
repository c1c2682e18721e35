use std::time::Duration;

use tracing_subscriber::prelude::*;

use super::*;

/// Lines that were written, and what tells of those that were not.
fn captured(
    format: LineFormat,
) -> (
    Arc<Mutex<Vec<String>>>,
    Logs,
    tracing::subscriber::DefaultGuard,
) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (layer, logs) = log_layer(format, {
        let lines = Arc::clone(&lines);
        move |line| lines.lock().unwrap().push(line.to_owned())
    });
    let subscriber = tracing_subscriber::registry().with(layer);
    (lines, logs, tracing::subscriber::set_default(subscriber))
}

const TEXT: LineFormat = LineFormat::Text { colours: false };

#[test]
fn a_line_is_an_object_with_the_facts_as_fields_and_the_ids_of_its_request() {
    let (lines, _logs, _guard) = captured(LineFormat::Json);
    let span = tracing::error_span!(
        "request",
        request_id = "r1",
        trace_id = tracing::field::Empty
    );
    span.record("trace_id", "t1");
    let other = tracing::info_span!(parent: &span, "other", secret = "no");
    other.in_scope(|| {
        tracing::info!(receiver = %"ops\n", messages = 2_usize, took_seconds = 0.123_456, "delivered \"it\"\n");
    });
    tracing::warn!("outside");
    let lines = lines.lock().unwrap();
    let mut read: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let time = read.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!(time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert_eq!(
        read,
        serde_json::json!({
            "level": "INFO", "message": "delivered \"it\"\n", "receiver": "ops\n",
            "messages": 2, "took_seconds": 0.123, "request_id": "r1", "trace_id": "t1",
        })
    );
    assert!(!lines[1].contains("request_id"), "{lines:?}");
    assert!(
        lines
            .iter()
            .all(|line| line.ends_with("}\n") && line.matches('\n').count() == 1)
    );
}

#[test]
fn a_line_of_text_has_time_level_sentence_and_fields() {
    let (lines, _logs, _guard) = captured(TEXT);
    tracing::error_span!("request", request_id = "r1").in_scope(|| {
        tracing::warn!(bot = %"default", error = %"no\u{1b}[31m way", "Webex limits\nit");
    });
    let lines = lines.lock().unwrap();
    let (time, rest) = lines[0].split_once(' ').unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    assert_eq!(
        rest,
        " WARN Webex limits\\nit bot=default error=\"no\\u{1b}[31m way\" request_id=r1\n"
    );
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_failures_a_second_are_ten_lines_and_a_count() {
    let (lines, logs, _guard) = captured(TEXT);
    let logs = Arc::new(logs);
    let telling = tokio::spawn({
        let logs = Arc::clone(&logs);
        async move { logs.tell_left_out().await }
    });
    for second in 0..20 {
        for number in 0..10_000 {
            let error = format!("failure {second}.{number}");
            tracing::warn!(receiver = %"ops", %error, "it failed: {error}");
            tracing::debug!("not sampled");
        }
        tracing::warn!(receiver = %format!("other-{second}"), "it failed");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    logs.finish();
    telling.abort();
    let lines = lines.lock().unwrap();
    let about = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(about("receiver=ops"), 20, "ten for each of two windows");
    assert_eq!(about("receiver=other"), 20);
    assert_eq!(about("not sampled"), 200_000);
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("suppressed="))
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(
        told,
        [
            " WARN 99990 more lines like this one were left out in the last 10 s: it failed: failure 0.10 suppressed=99990\n",
            " WARN 99990 more lines like this one were left out in the last 10 s: it failed: failure 10.10 suppressed=99990\n",
        ]
    );
}

#[test]
fn the_variable_wins_over_the_configuration_and_a_mistake_names_where_it_stands() {
    use super::level::filter;
    let enabled = |variable, level| {
        let filter = filter(variable, level).unwrap();
        filter.would_enable("alertmanager_webex::delivery", &Level::DEBUG)
    };
    assert!(enabled(None, "debug"));
    assert!(enabled(Some(" "), "debug"), "empty counts as unset");
    assert!(!enabled(Some("warn"), "debug"));
    assert!(enabled(Some("warn,alertmanager_webex=debug"), "info"));
    let told = |variable| filter(variable, "loud").unwrap_err().to_string();
    assert_eq!(
        told(None),
        "`log.level` has `loud`, which is no level; write `error`, `warn`, `info`, `debug` or `trace`, or `loud=debug` if it is a crate's name"
    );
    assert!(enabled(Some("alertmanager_webex"), "info"));
    let told = told(Some("alertmanager_webex=loud"));
    assert!(told.contains("`RUST_LOG` cannot be read"), "{told}");
    assert!(told.ends_with("such as `info,alertmanager_webex=debug`"));
}

#[test]
fn another_level_counts_at_once_unless_the_variable_has_the_last_word() {
    let count = |variable: Option<&str>| {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (layer, _logs) = log_layer(TEXT, {
            let lines = Arc::clone(&lines);
            move |line| lines.lock().unwrap().push(line.to_owned())
        });
        let (filter, level) = LogLevel::new(variable.map(str::to_owned), "warn").unwrap();
        let subscriber = tracing_subscriber::registry().with(filter).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let say = || tracing::info!("one line");
            say();
            level.apply(level.read("info").unwrap());
            say();
            assert_eq!(level.read("loud").is_err(), variable.is_none());
            level.apply(level.read("error").unwrap());
            say();
        });
        lines.lock().unwrap().len()
    };
    assert_eq!(count(None), 1, "only between the two changes");
    assert_eq!(count(Some("info")), 3);
    assert_eq!(count(Some("error")), 0);
}

#[test]
fn who_wants_no_colours_gets_none() {
    let told = |name: &'static str, value: &'static str| {
        has_colours(move |asked| (asked == name).then(|| value.into()))
    };
    assert!(told("TERM", "xterm"));
    assert!(!told("TERM", "dumb"));
    assert!(!told("NO_COLOR", "1"));
}
