//! How fast a bot may send, as Webex teaches it. Pure: time is passed in.
//!
//! Webex publishes no quota and adjusts it. What it does tell is a 429: at that moment its
//! bucket is empty. So between two refusals exactly as much was accepted as the quota
//! granted, as long as the bucket did not overflow, which it cannot while the pace is above
//! the quota. Where it was below, the pace at the refusal is a little above the quota, and
//! a tenth less is a little below. From there the pace creeps up until the next refusal.
//! Without two refusals the first guess is rough and is left behind fast.
//!
//! Not every 429 tells of a quota: they also come in outages. So a stretch in which something
//! else than the pace held messages up is no measure, and no refusal takes away more than half
//! of the pace. What is lower than that is a guess until the next refusal bears it out.
//!
//! The configured ceiling is `governor`'s matter (`gate`).

use std::time::Duration;

use tokio::time::Instant;

/// Just below what was measured, so that the bucket fills a little.
const CAUTION: f64 = 0.97;
/// From the pace at a refusal, which is above the quota, to one that is below.
const STEP_BACK: f64 = 0.9;
/// A measure over less time says more about the bucket than about the quota.
const SHORTEST_MEASURE: Duration = Duration::from_secs(1);
/// So long after a refusal the measure is trusted, and the pace only creeps.
const TRUST: Duration = Duration::from_secs(120);
/// Growth in a second while the measure is trusted: one refusal in two minutes or so.
const CREEP: f64 = 1.001;
/// Growth in a second when it is not: tenfold in two minutes.
const CLIMB: f64 = 1.02;
/// A measure of fewer messages is off by too much; it is a guess still.
const FEWEST: u32 = 8;
/// The most that a refusal takes away. A quota seldom falls by more at once, and where it does
/// the next refusals follow soon.
const DEEPEST_CUT: f64 = 0.5;
/// So much of a stretch may something else than the pace hold messages up. With more of it the
/// bucket may have overflowed.
const MOST_SLACK: f64 = 0.25;
/// Growth in a second after a guess.
const SEEK: f64 = 1.05;
/// No refusal lowers the pace below this: one message in ten seconds.
const SLOWEST: f64 = 0.1;
/// A first guess is no lower: what was refused at once says nothing of the quota.
const FIRST_GUESS: f64 = 1.0;
/// A pace above this is none.
const FASTEST: f64 = 1000.0;

/// What is known of the quota.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    learned: Option<Learned>,
    /// When the stretch began over which is measured: the last refusal, or the first
    /// request after a pause.
    measuring: Option<Instant>,
    accepted: u32,
    /// Whether the stretch began with a refusal, so that the bucket was empty.
    from_empty: bool,
    /// The lowest pace over the stretch.
    lowest: f64,
    /// For how long in the stretch the pace would have let something go, and nothing went.
    slack: Duration,
    /// The guess of the last refusal, until something is sent after it.
    guess: Option<Guess>,
}

/// A guess from what a full bucket gave: answers of what was under way may come in after the
/// refusal, although Webex took it before.
#[derive(Debug, Clone, Copy)]
struct Guess {
    accepted: u32,
    took: Duration,
    most: f64,
}

impl Guess {
    fn rate(self) -> f64 {
        measured(self.accepted, self.took).min(self.most)
    }
}

#[derive(Debug, Clone, Copy)]
struct Learned {
    /// Messages a second at `since`.
    base: f64,
    since: Instant,
    /// Whether it goes back to a measure between refusals.
    exact: bool,
    next: Instant,
}

impl Learned {
    fn rate(&self, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.since);
        let growth = if self.exact {
            let trusted = elapsed.min(TRUST).as_secs_f64();
            let beyond = elapsed.saturating_sub(TRUST).as_secs_f64();
            CREEP.powf(trusted) * CLIMB.powf(beyond)
        } else {
            SEEK.powf(elapsed.as_secs_f64())
        };
        (self.base * growth).min(FASTEST)
    }
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            learned: None,
            measuring: None,
            accepted: 0,
            from_empty: false,
            lowest: FASTEST,
            slack: Duration::ZERO,
            guess: None,
        }
    }

    /// Messages a second, where one was learned that still holds.
    pub(super) fn rate(&self, now: Instant) -> Option<f64> {
        self.learned
            .as_ref()
            .map(|learned| learned.rate(now))
            .filter(|rate| *rate < FASTEST)
    }

    /// When the next request may leave.
    pub(super) fn next(&self) -> Option<Instant> {
        self.learned.as_ref().map(|learned| learned.next)
    }

    /// A request leaves.
    pub(super) fn sent(&mut self, now: Instant) {
        self.measuring.get_or_insert(now);
        self.guess = None;
        let rate = self.rate(now);
        if let (Some(learned), Some(rate)) = (&mut self.learned, rate) {
            self.slack += now.saturating_duration_since(learned.next);
            learned.next = learned.next.max(now) + Duration::from_secs_f64(1.0 / rate);
        } else {
            self.learned = None;
        }
    }

    /// Webex took a message.
    pub(super) fn accepted(&mut self) {
        if let (Some(guess), Some(learned)) = (&mut self.guess, &mut self.learned) {
            guess.accepted = guess.accepted.saturating_add(1);
            learned.base = learned.base.max(guess.rate());
            self.lowest = learned.base;
        } else {
            self.accepted = self.accepted.saturating_add(1);
        }
    }

    /// Nothing waits: what follows says nothing of the quota until the next refusal.
    pub(super) fn idle(&mut self) {
        self.from_empty = false;
        self.measuring = None;
        self.accepted = 0;
        self.slack = Duration::ZERO;
    }

    /// Webex refused, and the gate opens again at `opens`.
    pub(super) fn refused(&mut self, now: Instant, opens: Instant) {
        let current = self.rate(now);
        let since = self.measuring.unwrap_or(now);
        // A first guess counts the wait as well, over which the bucket filled.
        let until = if self.from_empty { now } else { opens };
        let took = until.saturating_duration_since(since).max(SHORTEST_MEASURE);
        let guess = Guess {
            accepted: self.accepted,
            took,
            most: current.map_or(FASTEST, |current| current * CAUTION),
        };
        let measured = measured(self.accepted, took);
        // Whether the bucket was empty at both ends of the stretch, and nothing but the pace
        // held messages up in between.
        let found = self.from_empty && self.slack <= took.mul_f64(MOST_SLACK);
        let enough = self.accepted >= FEWEST;
        let wanted = if !found {
            // Who sent little did not find the quota; half the pace is low enough.
            measured.max(current.map_or(FIRST_GUESS, |current| current * DEEPEST_CUT))
        } else if self.lowest >= measured {
            measured * CAUTION
        } else {
            current.unwrap_or(measured) * STEP_BACK
        };
        let deepest = current.map_or(SLOWEST, |current| current * DEEPEST_CUT);
        let base = current
            .map_or(wanted, |current| wanted.min(current * CAUTION))
            .max(deepest)
            .clamp(SLOWEST, FASTEST);
        let exact = enough || self.learned.is_some_and(|learned| learned.exact);
        self.learned = Some(Learned {
            base,
            since: opens,
            exact: exact && found && wanted >= deepest,
            next: opens,
        });
        self.guess = (!self.from_empty).then_some(guess);
        // The bucket is empty at each refusal, so a measure of too few goes on over them.
        if enough || !found {
            self.measuring = Some(now);
            self.accepted = 0;
            self.slack = Duration::ZERO;
            self.lowest = base;
            self.from_empty = true;
        } else {
            self.lowest = self.lowest.min(base);
        }
    }
}

/// Messages a second. The bucket held less than one more, half of it on average.
fn measured(accepted: u32, took: Duration) -> f64 {
    (f64::from(accepted) + 0.5) / took.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Webex with a quota: a bucket that holds two seconds of it. Plays for so long, and returns
    /// accepted and refused requests.
    fn play(pace: &mut Pace, now: &mut Instant, quota: f64, secs: u64) -> (u32, u32) {
        let start = *now;
        let (mut tokens, mut filled) = (quota * 2.0, start);
        let (mut accepted, mut refused) = (0, 0);
        while *now < start + Duration::from_secs(secs) {
            if let Some(next) = pace.next() {
                *now = next.max(*now);
            }
            pace.sent(*now);
            *now += Duration::from_millis(5);
            let grown = now.duration_since(filled).as_secs_f64() * quota;
            tokens = (tokens + grown).min((quota * 2.0).max(1.0));
            filled = *now;
            if tokens >= 1.0 {
                tokens -= 1.0;
                pace.accepted();
                accepted += 1;
            } else {
                let wait = ((1.0 - tokens) / quota).ceil().max(1.0);
                let opens = *now + Duration::from_secs_f64(wait);
                pace.refused(*now, opens);
                *now = opens;
                refused += 1;
            }
        }
        (accepted, refused)
    }

    /// A pace that was learned from a quota, and when.
    fn learned(quota: f64) -> (Pace, Instant) {
        let (mut pace, mut now) = (Pace::new(), Instant::now());
        play(&mut pace, &mut now, quota, 60);
        let found = pace.rate(now).unwrap();
        assert!((found / quota - 1.0).abs() < 0.2, "{found} for {quota}");
        (pace, now)
    }

    #[test]
    fn the_pace_converges_to_a_quota_that_nobody_told() {
        for quota in [0.5, 1.0, 5.0, 20.0] {
            let (mut pace, mut now) = (Pace::new(), Instant::now());
            play(&mut pace, &mut now, quota, 60);
            let (accepted, refused) = play(&mut pace, &mut now, quota, 180);
            let goodput = f64::from(accepted) / (180.0 * quota);
            assert!(goodput >= 0.9, "quota {quota}: goodput {goodput:.2}");
            let allowed = 3.0_f64.max(f64::from(accepted + refused) * 0.02);
            assert!(
                f64::from(refused) <= allowed,
                "quota {quota}: {refused} refused of {accepted}"
            );
        }
    }

    #[test]
    fn answers_that_come_in_after_the_first_refusal_count_for_the_guess() {
        let start = Instant::now();
        let opens = start + Duration::from_secs(1);
        let mut guesses = [1, 9].map(|before| {
            let mut pace = Pace::new();
            (0..20).for_each(|_| pace.sent(start));
            (0..before).for_each(|_| pace.accepted());
            pace.refused(start, opens);
            (before..10).for_each(|_| pace.accepted());
            pace.sent(opens);
            // This one is of the next stretch.
            pace.accepted();
            pace.rate(opens).unwrap()
        });
        guesses.sort_by(f64::total_cmp);
        assert!((guesses[0] - 10.5).abs() < 0.01, "{guesses:?}");
        assert!((guesses[1] - 10.5).abs() < 0.01, "{guesses:?}");
    }

    #[test]
    fn what_an_outage_held_up_is_no_measure() {
        let (mut pace, mut now) = learned(10.0);
        // Probes, for a minute; the last one is answered 429 by something on the way.
        for probe in 0..30 {
            now += Duration::from_secs(2);
            pace.sent(now);
            if probe == 29 {
                pace.refused(now, now + Duration::from_secs(1));
            } else if probe % 3 == 0 {
                pace.accepted();
            }
        }
        let after = pace.rate(now + Duration::from_secs(1)).unwrap();
        assert!(after >= 4.5, "{after}");
        let later = pace.rate(now + Duration::from_secs(20)).unwrap();
        assert!(later >= 9.0, "{later}");
    }

    #[test]
    fn senseless_refusals_are_left_behind_within_a_minute() {
        let (mut pace, mut now) = learned(10.0);
        for _ in 0..5 {
            let opens = now + Duration::from_secs(5);
            pace.refused(now, opens);
            now = opens;
            for _ in 0..2 {
                pace.sent(now);
                pace.accepted();
                now = now.max(pace.next().unwrap());
            }
        }
        let low = pace.rate(now).unwrap();
        assert!(low < 2.0, "each counts, for it may be true: {low}");
        let later = pace.rate(now + Duration::from_secs(60)).unwrap();
        assert!(later >= 6.0, "{later}");
    }

    #[test]
    fn a_quota_that_falls_to_a_twentieth_is_found_with_few_refusals() {
        let (mut pace, mut now) = learned(20.0);
        let (accepted, refused) = play(&mut pace, &mut now, 1.0, 240);
        assert!(refused <= 12, "{refused}");
        assert!(accepted >= 200, "{accepted} of 240");
    }

    #[test]
    fn a_bad_first_guess_does_not_starve() {
        let start = Instant::now();
        let mut pace = Pace::new();
        pace.sent(start);
        pace.refused(start, start + Duration::from_secs(1));
        let slow = pace.rate(start + Duration::from_secs(1)).unwrap();
        assert!((slow - FIRST_GUESS).abs() < 0.01, "{slow}");
        let later = pace.rate(start + Duration::from_secs(61)).unwrap();
        assert!(later > 15.0, "{later}");
    }

    #[test]
    fn without_a_refusal_there_is_no_pace() {
        let mut pace = Pace::new();
        let now = Instant::now();
        for _ in 0..1000 {
            pace.sent(now);
            pace.accepted();
        }
        assert_eq!(pace.rate(now), None);
        assert_eq!(pace.next(), None);
    }
}
