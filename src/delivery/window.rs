//! How many requests of a bot may be under way at once. Pure.
//!
//! Webex tells its limit only by a 429, and whatever is under way by then may be refused as
//! well. So little is ventured at first, and as much more as Webex takes: the slow start of TCP
//! (RFC 5681), with its rule that only a window that is used up says anything (RFC 7661).

use super::job::Settled;

/// No more are under way at once: an answer that is slow must not become a crowd.
const MOST: usize = 512;
/// Nor so many before Webex has taken any: those past its limit are refused.
const AT_FIRST: usize = 100;
/// Nor more than these as long as Webex refuses none. Each has a connection and a copy of its
/// message, some 25 KiB; twice as many would be no faster, since one processor makes fewer in the
/// time that Webex takes to answer.
const WIDEST: usize = 256;

/// What is under way, and how much may be while no limit is known.
#[derive(Debug)]
pub(super) struct Window {
    under_way: usize,
    most: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            under_way: 0,
            most: AT_FIRST,
        }
    }

    /// How many are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether no more may leave. Where the pace was learned, that is what protects Webex.
    pub(super) fn is_full(&self, has_pace: bool) -> bool {
        self.under_way >= if has_pace { MOST } else { self.most }
    }

    /// A request leaves.
    pub(super) fn leaves(&mut self) {
        self.under_way += 1;
    }

    /// A request is back.
    pub(super) fn returns(&mut self, settled: &Settled) {
        let was_used_up = self.under_way >= self.most;
        self.under_way = self.under_way.saturating_sub(1);
        match settled {
            Settled::Accepted if was_used_up => self.most = WIDEST.min(self.most + 1),
            Settled::Limited(_) => self.most = AT_FIRST,
            _ => {}
        }
        if self.under_way == 0 {
            // What Webex took before a pause says little of what it takes after it.
            self.most = AT_FIRST;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Sends until it is full.
    fn fill(window: &mut Window) {
        while !window.is_full(false) {
            window.leaves();
        }
    }

    #[test]
    fn it_grows_by_what_webex_takes_up_to_a_bound() {
        let mut window = Window::new();
        fill(&mut window);
        assert_eq!(window.under_way(), AT_FIRST);
        for taken in 1..=100 {
            window.returns(&Settled::Accepted);
            fill(&mut window);
            assert_eq!(window.under_way(), AT_FIRST + taken);
        }
        for _ in 0..1000 {
            window.returns(&Settled::Accepted);
            fill(&mut window);
        }
        assert_eq!(window.under_way(), WIDEST);
    }

    #[test]
    fn a_refusal_a_failure_and_a_window_that_is_not_used_up_widen_nothing() {
        let mut window = Window::new();
        fill(&mut window);
        window.returns(&Settled::Accepted);
        window.returns(&Settled::Again);
        window.returns(&Settled::Accepted);
        fill(&mut window);
        assert_eq!(window.under_way(), AT_FIRST + 1);
        window.returns(&Settled::Limited(Duration::ZERO));
        assert!(window.is_full(false), "as narrow as at first");
        assert!(!window.is_full(true), "the pace is known now");
    }

    #[test]
    fn after_a_pause_it_begins_anew() {
        let mut window = Window::new();
        fill(&mut window);
        window.returns(&Settled::Accepted);
        while window.under_way() > 0 {
            window.returns(&Settled::Accepted);
        }
        fill(&mut window);
        assert_eq!(window.under_way(), AT_FIRST);
    }
}
