//! The log of a scenario: its lines without what differs in each run.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use alertmanager_webex::telemetry::{LineFormat, log_layer};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Keeps the lines that this thread logs.
pub(super) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    record: Mutex<String>,
    _guard: DefaultGuard,
}

impl Log {
    pub(super) fn start() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (layer, _) = log_layer(LineFormat::Text { colours: false }, {
            let lines = Arc::clone(&lines);
            move |line| lines.lock().unwrap().push(line.to_owned())
        });
        let ours = Targets::new().with_target("alertmanager_webex", LevelFilter::INFO);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(ours));
        Self {
            lines,
            record: Mutex::default(),
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was logged in the scene that is over. `folder` has another name in each run.
    pub(super) fn scene(&self, title: &str, folder: &str) {
        let mut record = self.record.lock().unwrap();
        writeln!(record, "== {title}").unwrap();
        for line in self.lines.lock().unwrap().drain(..) {
            let (time, rest) = line.split_once(' ').unwrap();
            assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
            *record += &steady(rest.trim_end_matches('\n'), folder);
            record.push('\n');
        }
    }

    pub(super) fn record(&self) -> String {
        self.record.lock().unwrap().clone()
    }
}

/// Without ids, times and names of folders that differ in each run.
fn steady(line: &str, folder: &str) -> String {
    let line = line.replace(folder, "FOLDER");
    let words = line.split(' ').map(|word| {
        if let Some((before, _)) = word.split_once("ROUTERGW_") {
            let after = word.trim_start_matches(|c: char| c != ')' && c != '"');
            return format!("{before}…{after}");
        }
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "request_id" => "request_id=…".to_owned(),
            // What took no simulated time took some of the machine's, where files are read.
            "took_seconds" if value.parse::<f64>().is_ok_and(|took| took < 1.0) => {
                "took_seconds=…".to_owned()
            }
            "loaded_at" => "loaded_at=…".to_owned(),
            _ if word.parse::<jiff::Timestamp>().is_ok() => "…".to_owned(),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
