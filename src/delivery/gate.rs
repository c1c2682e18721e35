//! When a bot may send: its quota, and the gate that Webex closes with a 429.
//!
//! Whoever wants to send takes a turn, in the order of asking. Only the first in the row
//! watches gate and quota, so that ten thousand waiting cost nothing, no request reaches
//! Webex through a closed gate, and its opening is no stampede: one request goes ahead, and
//! the others follow when Webex has taken it.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// The gate and the quota of one bot.
pub(super) struct Gate {
    state: watch::Sender<State>,
    turn: Mutex<()>,
    quota: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Webex said 429.
    Closed {
        until: Instant,
    },
    /// The time is over, and one request tries whether Webex takes it.
    Probing,
}

impl Gate {
    /// An open gate with a full quota of `burst`.
    pub(super) fn new(messages_per_minute: NonZeroU32, burst: NonZeroU32) -> Self {
        Self {
            state: watch::Sender::new(State::Open),
            turn: Mutex::new(()),
            quota: RateLimiter::direct_with_clock(
                Quota::per_minute(messages_per_minute).allow_burst(burst),
                TokioClock::new(),
            ),
        }
    }

    /// Waits until a request may be sent. The request must be sent at once, and the pass
    /// told what came of it.
    pub(super) async fn pass(&self) -> Pass<'_> {
        let _turn = self.turn.lock().await;
        let mut state = self.state.subscribe();
        loop {
            let now = *state.borrow_and_update();
            match now {
                State::Closed { until } if Instant::now() < until => {
                    tokio::select! {
                        () = sleep_until(until) => {}
                        _ = state.changed() => {}
                    }
                }
                State::Probing => {
                    // It changes when the probe is done; the sender lives as long as we.
                    let _ = state.changed().await;
                }
                State::Open | State::Closed { .. } => match self.quota.check() {
                    Ok(()) => {
                        if let Some(pass) = self.pass_if_still(now) {
                            return pass;
                        }
                    }
                    Err(not_yet) => {
                        sleep(not_yet.wait_time_from(self.quota.clock().now())).await;
                    }
                },
            }
        }
    }

    /// A request under way may have closed the gate since it was looked at.
    fn pass_if_still(&self, seen: State) -> Option<Pass<'_>> {
        let probe = seen != State::Open;
        let mut unchanged = false;
        self.state.send_if_modified(|state| {
            unchanged = *state == seen;
            if unchanged && probe {
                *state = State::Probing;
            }
            unchanged && probe
        });
        unchanged.then_some(Pass { gate: self, probe })
    }

    /// Closes the gate for so long; never shorter than it is closed already. Says whether
    /// that is news.
    pub(super) fn close(&self, wait: Duration) -> bool {
        let wanted = Instant::now() + wait;
        self.state.send_if_modified(|state| {
            let news = !matches!(*state, State::Closed { until } if wanted <= until);
            if news {
                *state = State::Closed { until: wanted };
            }
            news
        })
    }

    /// How long the gate stays closed; zero when it is open.
    pub(super) fn closed_for(&self) -> Duration {
        match *self.state.borrow() {
            State::Closed { until } => until.saturating_duration_since(Instant::now()),
            State::Open | State::Probing => Duration::ZERO,
        }
    }
}

/// The right to send one request.
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    probe: bool,
}

impl Pass<'_> {
    /// Webex took a request; whoever waits may follow. Says whether that opened the gate.
    pub(super) fn accepted(self) -> bool {
        self.gate.state.send_if_modified(|state| {
            let opens = *state == State::Probing;
            if opens {
                *state = State::Open;
            }
            opens
        })
    }
}

impl Drop for Pass<'_> {
    /// A probe that ended without success or a 429 leaves its place to the next one.
    fn drop(&mut self) {
        if self.probe {
            self.gate.state.send_if_modified(|state| {
                let unfinished = *state == State::Probing;
                if unfinished {
                    *state = State::Closed {
                        until: Instant::now(),
                    };
                }
                unfinished
            });
        }
    }
}

/// Tokio's clock for governor, so that paused time holds for the quota as well.
#[derive(Debug, Clone)]
struct TokioClock {
    start: Instant,
}

impl TokioClock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn gate(per_minute: u32, burst: u32) -> Arc<Gate> {
        let number = |n| NonZeroU32::new(n).unwrap();
        Arc::new(Gate::new(number(per_minute), number(burst)))
    }

    #[tokio::test(start_paused = true)]
    async fn the_quota_lets_a_burst_through_and_then_one_at_a_time() {
        let gate = gate(60, 3);
        let start = Instant::now();
        for _ in 0..5 {
            gate.pass().await.accepted();
        }
        let waited = start.elapsed();
        assert!(waited >= Duration::from_secs(2), "{waited:?}");
        assert!(waited < Duration::from_millis(2100), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_passes_a_closed_gate_and_one_goes_ahead_when_it_opens() {
        let gate = gate(6000, 100);
        gate.close(Duration::from_secs(20));
        let start = Instant::now();
        let passed = Arc::new(AtomicUsize::new(0));
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let (gate, passed) = (Arc::clone(&gate), Arc::clone(&passed));
                tokio::spawn(async move {
                    let pass = gate.pass().await;
                    assert!(start.elapsed() >= Duration::from_secs(20));
                    passed.fetch_add(1, Ordering::SeqCst);
                    // Webex takes a second to answer the one that goes ahead.
                    sleep(Duration::from_secs(1)).await;
                    pass.accepted();
                })
            })
            .collect();
        sleep(Duration::from_millis(20_500)).await;
        assert_eq!(passed.load(Ordering::SeqCst), 1);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(passed.load(Ordering::SeqCst), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_breaks_off_leaves_its_place_to_the_next() {
        let gate = gate(6000, 100);
        gate.close(Duration::from_secs(5));
        drop(gate.pass().await);
        assert!(
            gate.pass().await.accepted(),
            "the second one is a probe too"
        );
        assert_eq!(gate.closed_for(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn closing_again_never_shortens() {
        let gate = gate(6000, 100);
        gate.close(Duration::from_secs(60));
        gate.close(Duration::from_secs(1));
        assert_eq!(gate.closed_for(), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn turns_go_by_the_order_of_asking() {
        let gate = gate(60, 1);
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for number in 0..5 {
            let (asking, noted) = (Arc::clone(&gate), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                asking.pass().await.accepted();
                noted.lock().unwrap().push(number);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    }
}
