//! The gate that Webex closes with a 429. Pure: time is passed in.
//!
//! While it is closed nothing is sent. When its time is over, one request goes ahead, and
//! the others follow once Webex has taken it: the opening is no stampede.

use std::time::Duration;

use tokio::time::Instant;

/// Whether requests may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Yes.
    Open,
    /// Webex said 429.
    Closed {
        /// Until then.
        until: Instant,
    },
    /// The time is over, and one request tries whether Webex takes it.
    Probing,
}

/// What the gate says to who wants to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Go.
    Free,
    /// Not before then.
    Shut(Instant),
    /// Not before the one that goes ahead is back.
    Behind,
}

impl Gate {
    /// Whether a request may be sent now.
    pub(super) fn way(self, now: Instant) -> Way {
        match self {
            Self::Closed { until } if now < until => Way::Shut(until),
            Self::Open | Self::Closed { .. } => Way::Free,
            Self::Probing => Way::Behind,
        }
    }

    /// A request is sent.
    pub(super) fn passed(&mut self) {
        if matches!(self, Self::Closed { .. }) {
            *self = Self::Probing;
        }
    }

    /// Webex took a request. Says whether that opened the gate.
    pub(super) fn accepted(&mut self) -> bool {
        let opens = *self == Self::Probing;
        if opens {
            *self = Self::Open;
        }
        opens
    }

    /// A request came back without saying anything about the rate. Another one may try.
    pub(super) fn undecided(&mut self, now: Instant) {
        if *self == Self::Probing {
            *self = Self::Closed { until: now };
        }
    }

    /// Closes for so long; never shorter than it is closed already. Says whether that is
    /// news: requests under way meet the same closed gate.
    pub(super) fn close(&mut self, now: Instant, wait: Duration) -> bool {
        let wanted = now + wait;
        match *self {
            Self::Closed { until } if now < until => {
                *self = Self::Closed {
                    until: until.max(wanted),
                };
                false
            }
            _ => {
                *self = Self::Closed { until: wanted };
                true
            }
        }
    }

    /// How long it stays closed; zero when it is open.
    pub(super) fn closed_for(self, now: Instant) -> Duration {
        match self {
            Self::Closed { until } => until.saturating_duration_since(now),
            Self::Open | Self::Probing => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn one_goes_ahead_when_the_time_is_over_and_the_others_follow_it() {
        let start = Instant::now();
        let mut gate = Gate::Open;
        assert!(gate.close(start, SECOND * 20));
        assert_eq!(
            gate.way(start + SECOND * 19),
            Way::Shut(start + SECOND * 20)
        );
        let later = start + SECOND * 20;
        assert_eq!(gate.way(later), Way::Free);
        gate.passed();
        assert_eq!(gate.way(later), Way::Behind);
        assert!(gate.accepted());
        assert_eq!(gate.way(later), Way::Free);
        assert!(!gate.accepted(), "it was open");
    }

    #[test]
    fn one_that_breaks_off_leaves_its_place_to_the_next() {
        let start = Instant::now();
        let mut gate = Gate::Open;
        gate.close(start, SECOND);
        let later = start + SECOND;
        gate.passed();
        gate.undecided(later);
        assert_eq!(gate.way(later), Way::Free);
        gate.passed();
        assert_eq!(gate.way(later), Way::Behind, "again one alone");
    }

    #[test]
    fn closing_again_never_shortens_and_is_no_news() {
        let start = Instant::now();
        let mut gate = Gate::Open;
        assert!(gate.close(start, SECOND * 60));
        assert!(!gate.close(start, SECOND));
        assert_eq!(gate.closed_for(start), SECOND * 60);
    }
}
