//! Whether it is Webex that fails, and not a message.
//!
//! When different groups fail one after the other with no success between, one of them
//! probes and the rest wait. Parking each by itself would send a request for each: of an
//! outage of 20 s they made 202 instead of 9.

use std::time::Duration;

use tokio::time::Instant;

use super::content::GroupId;
use super::retry::pause;

/// So many failures of different groups in a row are no coincidence.
const GROUPS: u32 = 3;

/// No probe waits longer: it is one request, and everybody waits for what it finds.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Failures since the last success.
#[derive(Debug, Default)]
pub(super) struct Outage {
    groups: u32,
    last: Option<GroupId>,
    probes: u32,
    next_probe: Option<Instant>,
}

impl Outage {
    /// Whether Webex is taken to be down.
    pub(super) fn is_on(&self) -> bool {
        self.groups >= GROUPS
    }

    /// When the next request may try.
    pub(super) fn next_probe(&self) -> Option<Instant> {
        self.next_probe
    }

    /// A request failed. Says whether that began an outage.
    pub(super) fn failed(
        &mut self,
        group: Option<GroupId>,
        now: Instant,
        at_least: Duration,
        random: f64,
    ) -> bool {
        let before = self.is_on();
        if !before && self.last != group {
            self.groups += 1;
            self.last = group;
        }
        if self.is_on() {
            self.probes += 1;
            self.next_probe = Some(now + pause(self.probes, random, at_least).min(LONGEST_PAUSE));
        }
        self.is_on() && !before
    }

    /// Webex answered. Says whether that ended an outage.
    pub(super) fn over(&mut self) -> bool {
        let was_on = self.is_on();
        *self = Self::default();
        was_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::content::GroupId;

    #[test]
    fn three_groups_in_a_row_are_an_outage_and_one_group_alone_is_not() {
        let now = Instant::now();
        let failed = |outage: &mut Outage, group| {
            outage.failed(Some(GroupId::of(group)), now, Duration::ZERO, 1.0)
        };
        let mut outage = Outage::default();
        for _ in 0..10 {
            assert!(!failed(&mut outage, 1));
        }
        assert!(!failed(&mut outage, 2));
        assert!(failed(&mut outage, 3), "now it begins");
        assert!(!failed(&mut outage, 4), "that is no news");
        assert!(outage.next_probe().is_some_and(|probe| probe > now));
        assert!(outage.over());
        assert!(!outage.is_on());
    }
}
