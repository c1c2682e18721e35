//! The bounded record of what was asked.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::model::{Outcome, RequestRecord};

/// How many of the newest requests are kept.
pub(super) const MOST_REQUESTS: usize = 5_000;

/// Longest path that is kept, in bytes: callers choose it.
pub(super) const LONGEST_PATH: usize = 300;

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    records: VecDeque<RequestRecord>,
    last_number: u64,
}

impl RequestLog {
    pub(super) fn note(&mut self, method: &str, path: &str, bot: Option<&str>, outcome: Outcome) {
        if self.records.len() >= MOST_REQUESTS {
            self.records.pop_front();
        }
        self.last_number += 1;
        self.records.push_back(RequestRecord {
            number: self.last_number,
            at: Timestamp::now(),
            method: method.to_owned(),
            path: cut(path, LONGEST_PATH).to_owned(),
            bot: bot.map(str::to_owned),
            outcome,
        });
    }

    /// Oldest first.
    pub(super) fn list(&self) -> Vec<RequestRecord> {
        self.records.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
    }
}

/// The beginning of `text`, of at most so many bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_requests_are_kept_and_their_paths_are_cut() {
        let mut log = RequestLog::default();
        for _ in 0..MOST_REQUESTS + 10 {
            log.note("GET", &"ä".repeat(1000), None, Outcome::Answered(404));
        }
        let records = log.list();
        assert_eq!(records.len(), MOST_REQUESTS);
        assert_eq!(records[0].number, 11);
        assert!(records[0].path.len() <= LONGEST_PATH);
    }
}
