//! Rooms whose messages fail one time after the other, so that the log tells when that begins
//! and when it ends, and not each failure. Pure: time is passed in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// Rooms that are told apart; of more, nothing is told.
const MOST: usize = 1024;

/// The rooms of a bot that failed last.
#[derive(Debug, Default)]
pub(super) struct Failing(HashMap<Arc<str>, Run>);

#[derive(Debug)]
struct Run {
    since: Instant,
    failures: u32,
}

impl Failing {
    /// A request for this room failed, and is tried again. Says whether that is the first.
    pub(super) fn failed(&mut self, room: &Arc<str>, now: Instant) -> bool {
        if let Some(run) = self.0.get_mut(room) {
            run.failures += 1;
            return false;
        }
        if self.0.len() >= MOST {
            return false;
        }
        let run = Run {
            since: now,
            failures: 1,
        };
        self.0.insert(Arc::clone(room), run);
        true
    }

    /// Webex took or refused a message for this room. Returns how many requests had failed,
    /// and for how long.
    pub(super) fn answered(&mut self, room: &Arc<str>, now: Instant) -> Option<(u32, Duration)> {
        let run = self.0.remove(room)?;
        Some((run.failures, now.saturating_duration_since(run.since)))
    }

    /// Webex is back after an outage, which was told for all rooms.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_failures_is_told_when_it_begins_and_when_it_ends() {
        let (mut failing, start) = (Failing::default(), Instant::now());
        let (ops, dev): (Arc<str>, Arc<str>) = ("ops".into(), "dev".into());
        assert_eq!(failing.answered(&ops, start), None);
        assert!(failing.failed(&ops, start));
        assert!(!failing.failed(&ops, start));
        assert!(failing.failed(&dev, start), "another room");
        let later = start + Duration::from_secs(5);
        let run = Some((2, Duration::from_secs(5)));
        assert_eq!(failing.answered(&ops, later), run);
        assert_eq!(failing.answered(&ops, later), None);
        failing.clear();
        assert!(failing.failed(&dev, later));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut failing, now) = (Failing::default(), Instant::now());
        for number in 0..2 * MOST {
            failing.failed(&number.to_string().into(), now);
        }
        assert_eq!(failing.0.len(), MOST);
    }
}
