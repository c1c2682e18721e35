//! What the record says of the promises.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::ledger::{Ledger, Sighting, Tell};
use super::load::{rooms, rooms_of};

/// A process that went, and whose memory went with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replaced {
    /// When it was gone.
    pub(super) at: i64,
    /// `kill -9`, and not a hand-over.
    pub(super) killed: bool,
}

/// How long before the end of a process, and after it, a post may belong to one notification:
/// longer than the service remembers a success, and than Alertmanager tries again.
const WINDOW: i64 = 180_000;

/// A message is stamped before its answer is read, by the same clock in whole milliseconds.
const CLOCK: i64 = 5;

/// What was found. Texts name the alert and the room.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Verdict {
    /// States that Alertmanager was told of.
    pub(super) told: usize,
    /// Messages by state and room.
    pub(super) posted: usize,
    /// Asked of us, and not in its room in the end.
    pub(super) lost: Vec<String>,
    /// Never asked of us: Alertmanager's own gap.
    pub(super) unasked: Vec<String>,
    /// Answered 200 before the room had it.
    pub(super) early: Vec<String>,
    /// Twice in a room without a reason.
    pub(super) twice: Vec<String>,
    /// Twice, because nobody could know that the first is there.
    pub(super) ambiguous: usize,
    /// Twice, because the process that knew of the first was killed, or had ended.
    pub(super) after_kill: usize,
    pub(super) after_hand_over: usize,
    /// Twice, because a peer asked for it again after a newer state had been asked for, or
    /// because it corrects what such a peer asked for: each differs from the newest then
    /// (docs/delivery.md, "Joined, repeated, replaced").
    pub(super) twice_stale: usize,
    /// An older state after a newer one, although it was asked for before that.
    pub(super) disorder: Vec<String>,
    /// The same, where Alertmanager asked for the older state after the newer one.
    pub(super) stale: usize,
}

impl Verdict {
    pub(super) fn of(told: &[Tell], ledger: &Ledger, replaced: &[Replaced]) -> Self {
        let mut verdict = Self {
            told: told.len(),
            posted: ledger.sightings.len(),
            ..Self::default()
        };
        let mut arrivals: BTreeMap<Tell, Vec<i64>> = BTreeMap::new();
        for arrival in &ledger.arrivals {
            arrivals.entry(arrival.tell).or_default().push(arrival.at);
        }
        let mut places: BTreeMap<(usize, usize), Vec<&Sighting>> = BTreeMap::new();
        for sighting in &ledger.sightings {
            let place = (sighting.tell.lane, sighting.room);
            places.entry(place).or_default().push(sighting);
        }
        for tell in told {
            if !arrivals.contains_key(tell) {
                verdict.unasked.push(tell.to_string());
                continue;
            }
            verdict.find_lost(*tell, &places);
        }
        verdict.find_early(ledger, &places);
        for sightings in places.values_mut() {
            sightings.sort_by_key(|sighting| sighting.order);
            verdict.find_twice(sightings, replaced, &arrivals);
            verdict.find_disorder(sightings, &arrivals);
        }
        verdict
    }

    fn find_lost(&mut self, tell: Tell, places: &BTreeMap<(usize, usize), Vec<&Sighting>>) {
        for room in rooms_of(tell.lane) {
            let seen = places.get(&(tell.lane, room));
            if !seen.is_some_and(|seen| seen.iter().any(|sighting| sighting.tell == tell)) {
                self.lost.push(describe(tell, room));
            }
        }
    }

    fn find_early(&mut self, ledger: &Ledger, places: &BTreeMap<(usize, usize), Vec<&Sighting>>) {
        for arrival in &ledger.arrivals {
            let Some(answer) = arrival.answer.filter(|answer| answer.status == 200) else {
                continue;
            };
            for room in rooms_of(arrival.tell.lane) {
                let seen = places.get(&(arrival.tell.lane, room));
                let in_time = |sighting: &&Sighting| {
                    sighting.tell == arrival.tell && sighting.at <= answer.at + CLOCK
                };
                if !seen.is_some_and(|seen| seen.iter().any(in_time)) {
                    self.early.push(describe(arrival.tell, room));
                }
            }
        }
    }

    fn find_twice(
        &mut self,
        sightings: &[&Sighting],
        replaced: &[Replaced],
        arrivals: &BTreeMap<Tell, Vec<i64>>,
    ) {
        let mut last: BTreeMap<Tell, &Sighting> = BTreeMap::new();
        // The newest that a stale peer asked for: what is told after it corrects it.
        let mut stale: Option<&Sighting> = None;
        for sighting in sightings {
            let newer = last
                .range(sighting.tell..)
                .any(|(tell, _)| *tell > sighting.tell);
            if newer && asked_when_stale(sighting, 0, arrivals) {
                stale = Some(sighting);
            }
            let Some(first) = last.insert(sighting.tell, sighting) else {
                continue;
            };
            let corrects = stale.is_some_and(|stale| {
                stale.tell < sighting.tell
                    && stale.order > first.order
                    && asked_between(sighting.tell, stale.at, sighting.at, arrivals)
            });
            let between = replaced.iter().find(|end| {
                (end.at - WINDOW..=end.at).contains(&first.at)
                    && (end.at..=end.at + WINDOW).contains(&sighting.at)
            });
            match (first.confirmed, between) {
                (Some(false), _) => self.ambiguous += 1,
                (_, Some(end)) if end.killed => self.after_kill += 1,
                (_, Some(_)) => self.after_hand_over += 1,
                _ if corrects || asked_when_stale(sighting, first.at, arrivals) => {
                    self.twice_stale += 1;
                }
                _ => self.twice.push(format!(
                    "{}: at {} and at {}",
                    describe(first.tell, first.room),
                    first.at,
                    sighting.at
                )),
            }
        }
    }

    fn find_disorder(&mut self, sightings: &[&Sighting], arrivals: &BTreeMap<Tell, Vec<i64>>) {
        let mut newest: Option<Tell> = None;
        for sighting in sightings {
            match newest.filter(|newest| *newest > sighting.tell) {
                None => newest = Some(sighting.tell),
                Some(_) if asked_when_stale(sighting, 0, arrivals) => self.stale += 1,
                Some(newer) => {
                    let text = describe(sighting.tell, sighting.room);
                    self.disorder.push(format!("{text} after {newer}"));
                }
            }
        }
    }

    /// What must not be.
    pub(super) fn faults(&self) -> Vec<String> {
        let all = [
            ("lost", &self.lost),
            ("answered too early", &self.early),
            ("twice", &self.twice),
            ("out of order", &self.disorder),
        ];
        all.iter()
            .flat_map(|(what, which)| which.iter().map(move |text| format!("{what}: {text}")))
            .collect()
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        for (what, count) in [
            ("states told to Alertmanager", self.told),
            ("seen in rooms, by state and room", self.posted),
            ("lost", self.lost.len()),
            ("answered 200 too early", self.early.len()),
            ("twice, unexplained", self.twice.len()),
            ("twice, the first was ambiguous", self.ambiguous),
            ("twice, after kill -9", self.after_kill),
            ("twice, after a hand-over", self.after_hand_over),
            ("twice, asked for again by a stale peer", self.twice_stale),
            ("out of order, unexplained", self.disorder.len()),
            ("out of order, asked for in that order", self.stale),
            ("never asked for by Alertmanager", self.unasked.len()),
        ] {
            writeln!(table, "{what:<40} {count:>7}").unwrap();
        }
        table
    }
}

/// Whether a message was asked for after the given time, and after a newer state of its alert.
fn asked_when_stale(sighting: &Sighting, after: i64, arrivals: &BTreeMap<Tell, Vec<i64>>) -> bool {
    let tell = sighting.tell;
    let newer = arrivals.range(tell..);
    let newer = newer.take_while(|(newer, _)| newer.lane == tell.lane);
    let newer_at = newer
        .filter(|(newer, _)| **newer > tell)
        .filter_map(|(_, times)| times.first())
        .min();
    newer_at
        .is_some_and(|newer_at| asked_between(tell, after.max(*newer_at), sighting.at, arrivals))
}

/// Whether it was asked for after the one time, and not after the other.
fn asked_between(tell: Tell, after: i64, at: i64, arrivals: &BTreeMap<Tell, Vec<i64>>) -> bool {
    let mut asked = arrivals.get(&tell).into_iter().flatten();
    asked.any(|time| *time > after && *time <= at)
}

fn describe(tell: Tell, room: usize) -> String {
    let room = rooms().nth(room).unwrap_or("?");
    format!("{tell} in `{room}`")
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Answer;
    use super::*;

    const FIRING: Tell = Tell {
        lane: 0,
        generation: 1,
        resolved: false,
    };
    const RESOLVED: Tell = Tell {
        resolved: true,
        ..FIRING
    };

    /// Asked at the first time, in its room at the second, answered at the third.
    fn record(all: &[(Tell, i64, i64, i64)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (number, &(tell, asked, posted, answered)) in all.iter().enumerate() {
            let arrival = ledger.arrived(tell);
            ledger.arrivals[arrival].at = asked;
            let answer = Answer {
                at: answered,
                status: 200,
                taken: true,
            };
            ledger.answered(arrival, answer);
            ledger.sighted(Sighting {
                tell,
                room: rooms_of(0)[0],
                message: number.to_string(),
                at: posted,
                order: number as u64,
                confirmed: Some(true),
            });
        }
        ledger
    }

    #[test]
    fn what_is_told_once_and_in_order_is_in_order() {
        let ledger = record(&[(FIRING, 1, 2, 3), (RESOLVED, 11, 12, 13)]);
        let verdict = Verdict::of(&[FIRING, RESOLVED], &ledger, &[]);
        assert_eq!(verdict.faults(), Vec::<String>::new());
        assert_eq!((verdict.told, verdict.posted), (2, 2));
    }

    #[test]
    fn what_is_in_no_room_is_lost_and_what_was_never_asked_for_is_not() {
        let mut ledger = record(&[(FIRING, 1, 2, 3)]);
        let verdict = Verdict::of(&[FIRING, RESOLVED], &ledger, &[]);
        assert_eq!((verdict.lost.len(), verdict.unasked.len()), (0, 1));
        ledger.arrived(RESOLVED);
        let verdict = Verdict::of(&[FIRING, RESOLVED], &ledger, &[]);
        assert_eq!(verdict.faults(), ["lost: m00000g1 resolved in `solo`"]);
    }

    #[test]
    fn an_answer_before_the_message_is_too_early() {
        let ledger = record(&[(FIRING, 1, 2000, 1000)]);
        let verdict = Verdict::of(&[FIRING], &ledger, &[]);
        assert_eq!(verdict.early.len(), 1);
    }

    #[test]
    fn a_double_needs_a_reason() {
        let mut ledger = record(&[(FIRING, 1, 1000, 1001), (FIRING, 1500, 2000, 2001)]);
        let of = |ledger: &Ledger, replaced: &[Replaced]| Verdict::of(&[FIRING], ledger, replaced);
        assert_eq!(of(&ledger, &[]).twice.len(), 1);
        for (at, killed, after) in [(1400, true, (1, 0)), (1400, false, (0, 1))] {
            let verdict = of(&ledger, &[Replaced { at, killed }]);
            assert!(verdict.twice.is_empty());
            assert_eq!((verdict.after_kill, verdict.after_hand_over), after);
        }
        let late = Replaced {
            at: 2500,
            killed: true,
        };
        assert_eq!(of(&ledger, &[late]).twice.len(), 1);
        // A peer that asks after a newer state was asked for gets it.
        let newer = ledger.arrived(RESOLVED);
        ledger.arrivals[newer].at = 1600;
        assert_eq!(of(&ledger, &[]).twice.len(), 1);
        ledger.arrivals[newer].at = 1200;
        let verdict = of(&ledger, &[]);
        assert_eq!((verdict.twice.len(), verdict.twice_stale), (0, 1));
        ledger.sightings[0].confirmed = Some(false);
        let verdict = of(&ledger, &[]);
        assert_eq!((verdict.twice.len(), verdict.ambiguous), (0, 1));
    }

    #[test]
    fn an_end_that_corrects_what_a_stale_peer_asked_for_is_no_double() {
        let story = [
            (FIRING, 1, 2, 3),
            (RESOLVED, 1000, 1001, 1002),
            (FIRING, 1500, 1501, 1502),
            (RESOLVED, 2000, 2001, 2002),
        ];
        let verdict = Verdict::of(&[FIRING, RESOLVED], &record(&story), &[]);
        assert_eq!(verdict.faults(), Vec::<String>::new());
        assert_eq!((verdict.twice_stale, verdict.stale), (2, 1));
        // Without a request of its own the second end is ours.
        let mut ledger = record(&story);
        ledger.arrivals[3].at = 1400;
        let verdict = Verdict::of(&[FIRING, RESOLVED], &ledger, &[]);
        assert_eq!(verdict.twice.len(), 1);
    }

    #[test]
    fn firing_after_its_resolution_is_out_of_order_unless_it_was_asked_for_so() {
        let reversed = [(RESOLVED, 11, 12, 13), (FIRING, 1, 20, 21)];
        let ledger = record(&reversed);
        let verdict = Verdict::of(&[FIRING, RESOLVED], &ledger, &[]);
        assert_eq!((verdict.disorder.len(), verdict.stale), (1, 0));
        let mut ledger = record(&reversed);
        let again = ledger.arrived(FIRING);
        ledger.arrivals[again].at = 15;
        let verdict = Verdict::of(&[FIRING, RESOLVED], &ledger, &[]);
        assert_eq!((verdict.disorder.len(), verdict.stale), (0, 1));
    }
}
