//! Who is next. Pure: no clock, no I/O.
//!
//! A lane is the ordered queue of one destination. The lanes of a bot take turns by
//! message, so that a room with a thousand waiting notifications does not hold up one with
//! a single alert. Within a lane the order of a group is kept; groups do not wait for each
//! other, and one in backoff is parked and holds up nobody.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::Hash;

use tokio::time::Instant;

/// The lanes of one bot. `L` names a lane, `G` a group, `T` is what waits.
pub(super) struct Lanes<L, G, T> {
    by_id: HashMap<L, Lane<G, T>>,
    /// Lanes that have something ready, in the order of their turns.
    turns: VecDeque<L>,
    /// Those of them that were empty before. They go between the others, so that a single
    /// alert need not wait for a whole round, and many of them hold up nobody for long.
    fresh: HashSet<L>,
    last_was_fresh: bool,
    parked: BinaryHeap<Reverse<Parked<L, G>>>,
    waiting: usize,
}

struct Lane<G, T> {
    groups: HashMap<G, Group<T>>,
    /// Groups whose first item may be taken, in the order of arrival.
    ready: VecDeque<G>,
    waiting: usize,
}

struct Group<T> {
    items: VecDeque<T>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Taken,
    Parked,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Parked<L, G> {
    until: Instant,
    lane: L,
    group: G,
}

/// What becomes of an item that was taken.
pub(super) enum After<T> {
    /// It is done.
    Done,
    /// It has more to send, and takes its next turn.
    Again(T),
    /// It waits until then, and its group with it.
    Park(T, Instant),
}

impl<L, G, T> Lanes<L, G, T>
where
    L: Clone + Eq + Hash + Ord,
    G: Clone + Eq + Hash + Ord,
{
    pub(super) fn new() -> Self {
        Self {
            by_id: HashMap::new(),
            turns: VecDeque::new(),
            fresh: HashSet::new(),
            last_was_fresh: false,
            parked: BinaryHeap::new(),
            waiting: 0,
        }
    }

    /// How many items wait, without those that are taken.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many items of a lane wait.
    pub(super) fn waiting_in(&self, lane: &L) -> usize {
        self.by_id.get(lane).map_or(0, |lane| lane.waiting)
    }

    /// How many lanes have something ready.
    pub(super) fn busy(&self) -> usize {
        self.turns.len()
    }

    /// Puts an item behind those of its group.
    pub(super) fn push(&mut self, lane_id: &L, group_id: &G, item: T) {
        let is_fresh = !self.by_id.contains_key(lane_id);
        let lane = self.by_id.entry(lane_id.clone()).or_insert_with(|| Lane {
            groups: HashMap::new(),
            ready: VecDeque::new(),
            waiting: 0,
        });
        lane.waiting += 1;
        self.waiting += 1;
        if let Some(group) = lane.groups.get_mut(group_id) {
            group.items.push_back(item);
            return;
        }
        let group = Group {
            items: VecDeque::from([item]),
            state: State::Ready,
        };
        lane.groups.insert(group_id.clone(), group);
        if is_fresh {
            lane.ready.push_back(group_id.clone());
            let place = 2 * self.fresh.len() + usize::from(self.last_was_fresh);
            self.turns
                .insert(place.min(self.turns.len()), lane_id.clone());
            self.fresh.insert(lane_id.clone());
        } else {
            Self::make_ready(lane, lane_id, group_id.clone(), &mut self.turns);
        }
    }

    fn make_ready(lane: &mut Lane<G, T>, lane_id: &L, group: G, turns: &mut VecDeque<L>) {
        lane.ready.push_back(group);
        if lane.ready.len() == 1 {
            turns.push_back(lane_id.clone());
        }
    }

    /// Lets parked groups whose time has come take part again.
    pub(super) fn unpark(&mut self, now: Instant) {
        while self
            .parked
            .peek()
            .is_some_and(|Reverse(parked)| parked.until <= now)
        {
            let Some(Reverse(parked)) = self.parked.pop() else {
                return;
            };
            let Some(lane) = self.by_id.get_mut(&parked.lane) else {
                continue;
            };
            if let Some(group) = lane.groups.get_mut(&parked.group)
                && group.state == State::Parked
            {
                group.state = State::Ready;
                Self::make_ready(lane, &parked.lane, parked.group, &mut self.turns);
            }
        }
    }

    /// When the next parked group may take part again.
    pub(super) fn next_unpark(&self) -> Option<Instant> {
        self.parked.peek().map(|Reverse(parked)| parked.until)
    }

    /// Turns to the next lane that may send. Says whether there is one.
    pub(super) fn turn_to(&mut self, may: impl FnMut(&L) -> bool) -> bool {
        let next = self.turns.iter().position(may);
        if let Some(next) = next {
            self.turns.rotate_left(next);
        }
        next.is_some()
    }

    /// The lane whose turn it is.
    pub(super) fn turn(&self) -> Option<&L> {
        self.turns.front()
    }

    /// Takes the first item of the lane whose turn it is. The item is the caller's until
    /// [`Self::put_back`].
    pub(super) fn take(&mut self) -> Option<(L, G, T)> {
        let lane_id = self.turns.pop_front()?;
        self.last_was_fresh = self.fresh.remove(&lane_id);
        let lane = self.by_id.get_mut(&lane_id)?;
        let (group_id, item) = Self::take_ready(lane)?;
        self.waiting -= 1;
        if !lane.ready.is_empty() {
            self.turns.push_back(lane_id.clone());
        }
        Some((lane_id, group_id, item))
    }

    /// Takes the first item of each further group of a lane, as long as it is wanted.
    pub(super) fn take_along(
        &mut self,
        lane_id: &L,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> Vec<(G, T)> {
        let Some(lane) = self.by_id.get_mut(lane_id) else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        for _ in 0..lane.ready.len() {
            let Some(group_id) = lane.ready.front() else {
                break;
            };
            let first = lane
                .groups
                .get(group_id)
                .and_then(|group| group.items.front());
            if first.is_some_and(&mut wanted) {
                if let Some(pair) = Self::take_ready(lane) {
                    self.waiting -= 1;
                    taken.push(pair);
                }
            } else {
                lane.ready.rotate_left(1);
            }
        }
        if lane.ready.is_empty() {
            self.turns.retain(|turn| turn != lane_id);
        }
        taken
    }

    fn take_ready(lane: &mut Lane<G, T>) -> Option<(G, T)> {
        let group_id = lane.ready.pop_front()?;
        let group = lane.groups.get_mut(&group_id)?;
        let item = group.items.pop_front()?;
        group.state = State::Taken;
        lane.waiting -= 1;
        Some((group_id, item))
    }

    /// Says what becomes of an item that was taken.
    pub(super) fn put_back(&mut self, lane_id: &L, group_id: &G, after: After<T>) {
        let Some(lane) = self.by_id.get_mut(lane_id) else {
            return;
        };
        let Some(group) = lane.groups.get_mut(group_id) else {
            return;
        };
        let (item, until) = match after {
            After::Done => (None, None),
            After::Again(item) => (Some(item), None),
            After::Park(item, until) => (Some(item), Some(until)),
        };
        if let Some(item) = item {
            group.items.push_front(item);
            lane.waiting += 1;
            self.waiting += 1;
        }
        if group.items.is_empty() {
            lane.groups.remove(group_id);
            if lane.groups.is_empty() {
                self.by_id.remove(lane_id);
            }
        } else if let Some(until) = until {
            group.state = State::Parked;
            self.parked.push(Reverse(Parked {
                until,
                lane: lane_id.clone(),
                group: group_id.clone(),
            }));
        } else {
            group.state = State::Ready;
            Self::make_ready(lane, lane_id, group_id.clone(), &mut self.turns);
        }
    }

    /// The items of a group that wait in a lane, oldest first; without one that is taken.
    pub(super) fn group(&self, lane: &L, group: &G) -> impl Iterator<Item = &T> {
        self.by_id
            .get(lane)
            .and_then(|lane| lane.groups.get(group))
            .into_iter()
            .flat_map(|group| group.items.iter())
    }

    /// Removes waiting items and returns them. Those that are taken are not touched.
    pub(super) fn remove(&mut self, mut unwanted: impl FnMut(&L, &T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        for (lane_id, lane) in &mut self.by_id {
            let before = removed.len();
            for group in lane.groups.values_mut() {
                let items = std::mem::take(&mut group.items);
                for item in items {
                    if unwanted(lane_id, &item) {
                        removed.push(item);
                    } else {
                        group.items.push_back(item);
                    }
                }
            }
            let gone = removed.len() - before;
            lane.waiting -= gone;
            self.waiting -= gone;
            lane.groups
                .retain(|_, group| !group.items.is_empty() || group.state == State::Taken);
            let groups = &lane.groups;
            lane.ready.retain(|group| groups.contains_key(group));
        }
        self.by_id.retain(|_, lane| !lane.groups.is_empty());
        let lanes = &self.by_id;
        self.turns
            .retain(|turn| lanes.get(turn).is_some_and(|lane| !lane.ready.is_empty()));
        let turns = &self.turns;
        self.fresh.retain(|lane| turns.contains(lane));
        removed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    type Numbers = Lanes<u8, u8, u32>;

    fn taken(lanes: &mut Numbers) -> (u8, u8, u32) {
        lanes.take().expect("something is ready")
    }

    #[test]
    fn a_lane_that_was_empty_need_not_wait_for_a_whole_round_and_starves_nobody() {
        let mut lanes: Lanes<u32, u32, u32> = Lanes::new();
        for lane in 0..10 {
            for group in 0..100 {
                lanes.push(&lane, &group, 0);
            }
        }
        let take = |lanes: &mut Lanes<u32, u32, u32>| {
            let (lane, group, _) = lanes.take().unwrap();
            lanes.put_back(&lane, &group, After::Done);
            lane
        };
        for _ in 0..11 {
            take(&mut lanes);
        }
        lanes.push(&100, &0, 0);
        assert_eq!(take(&mut lanes), 100);
        // A crowd of single alerts takes every second turn at most.
        let mut old = 0;
        for lane in 200..220 {
            lanes.push(&lane, &0, 0);
            lanes.push(&(lane + 100), &0, 0);
            old += u32::from(take(&mut lanes) < 10);
        }
        assert_eq!(old, 10);
    }

    #[test]
    fn lanes_take_turns_by_message_and_a_new_one_comes_within_one_round() {
        let mut lanes = Numbers::new();
        for number in 0..100 {
            lanes.push(&1, &u8::try_from(number).unwrap(), number);
        }
        lanes.push(&2, &0, 1000);
        assert_eq!(taken(&mut lanes).0, 1);
        assert_eq!(taken(&mut lanes), (2, 0, 1000));
        lanes.push(&3, &0, 2000);
        assert_eq!(taken(&mut lanes).0, 1);
        assert_eq!(taken(&mut lanes), (3, 0, 2000));
    }

    #[test]
    fn a_group_gives_its_next_item_only_when_the_first_is_done() {
        let mut lanes = Numbers::new();
        lanes.push(&1, &7, 1);
        lanes.push(&1, &7, 2);
        assert_eq!(taken(&mut lanes), (1, 7, 1));
        assert!(lanes.take().is_none());
        lanes.put_back(&1, &7, After::Again(1));
        assert_eq!(taken(&mut lanes), (1, 7, 1));
        lanes.put_back(&1, &7, After::Done);
        assert_eq!(taken(&mut lanes), (1, 7, 2));
    }

    #[test]
    fn a_parked_group_holds_up_nobody_and_comes_back_in_time() {
        let start = Instant::now();
        let mut lanes = Numbers::new();
        lanes.push(&1, &7, 1);
        lanes.push(&1, &8, 2);
        let until = start + Duration::from_secs(5);
        assert_eq!(taken(&mut lanes), (1, 7, 1));
        lanes.put_back(&1, &7, After::Park(1, until));
        assert_eq!(taken(&mut lanes), (1, 8, 2));
        lanes.put_back(&1, &8, After::Done);
        lanes.unpark(start + Duration::from_secs(4));
        assert!(lanes.take().is_none());
        assert_eq!(lanes.next_unpark(), Some(until));
        lanes.unpark(until);
        assert_eq!(taken(&mut lanes), (1, 7, 1));
    }

    #[test]
    fn what_is_removed_is_gone_and_what_is_taken_stays_the_takers() {
        let mut lanes = Numbers::new();
        for number in 0..4 {
            lanes.push(&1, &u8::try_from(number).unwrap(), number);
        }
        let (lane, group, item) = taken(&mut lanes);
        let mut removed = lanes.remove(|_, item| item % 2 == 1);
        removed.sort_unstable();
        assert_eq!(removed, [1, 3]);
        assert_eq!((lanes.waiting(), lanes.waiting_in(&1)), (1, 1));
        lanes.put_back(&lane, &group, After::Again(item));
        assert_eq!(lanes.waiting(), 2);
    }

    #[derive(Debug, Clone)]
    enum Move {
        Push(u8, u8),
        Take,
        Done(usize),
        Again(usize),
        Park(usize),
        TakeAlong(u8),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            4 => (0u8..4, 0u8..6).prop_map(|(lane, group)| Move::Push(lane, group)),
            4 => Just(Move::Take),
            2 => (0usize..8).prop_map(Move::Done),
            1 => (0usize..8).prop_map(Move::Again),
            1 => (0usize..8).prop_map(Move::Park),
            1 => (0u8..4).prop_map(Move::TakeAlong),
        ];
        prop::collection::vec(one, 0..200)
    }

    proptest! {
        /// Whatever happens: each item comes out once, a group's items in order, nothing is
        /// left behind, and the counts are right.
        #[test]
        fn nothing_is_lost_doubled_or_reordered(moves in moves()) {
            let start = Instant::now();
            let mut lanes = Numbers::new();
            let mut held: Vec<(u8, u8, u32)> = Vec::new();
            let mut done: HashMap<(u8, u8), Vec<u32>> = HashMap::new();
            let (mut pushed, mut waiting) = (0u32, 0usize);
            for step in moves {
                match step {
                    Move::Push(lane, group) => {
                        lanes.push(&lane, &group, pushed);
                        pushed += 1;
                        waiting += 1;
                    }
                    Move::Take => if let Some(item) = lanes.take() {
                        prop_assert!(held.iter().all(|other| (other.0, other.1) != (item.0, item.1)));
                        held.push(item);
                        waiting -= 1;
                    },
                    Move::TakeAlong(lane) => for (group, item) in lanes.take_along(&lane, |item| item % 2 == 0) {
                        held.push((lane, group, item));
                        waiting -= 1;
                    },
                    Move::Done(index) if index < held.len() => {
                        let (lane, group, item) = held.swap_remove(index);
                        lanes.put_back(&lane, &group, After::Done);
                        done.entry((lane, group)).or_default().push(item);
                    }
                    Move::Again(index) | Move::Park(index) if index < held.len() => {
                        let (lane, group, item) = held.swap_remove(index);
                        let after = if matches!(step, Move::Park(_)) {
                            After::Park(item, start)
                        } else {
                            After::Again(item)
                        };
                        lanes.put_back(&lane, &group, after);
                        waiting += 1;
                    }
                    Move::Done(_) | Move::Again(_) | Move::Park(_) => {}
                }
                prop_assert_eq!(lanes.waiting(), waiting);
            }
            for (lane, group, item) in held {
                lanes.put_back(&lane, &group, After::Done);
                done.entry((lane, group)).or_default().push(item);
            }
            lanes.unpark(start);
            while let Some((lane, group, item)) = lanes.take() {
                lanes.put_back(&lane, &group, After::Done);
                done.entry((lane, group)).or_default().push(item);
            }
            prop_assert_eq!(lanes.waiting(), 0);
            prop_assert_eq!(done.values().map(Vec::len).sum::<usize>(), pushed as usize);
            for items in done.values() {
                prop_assert!(items.is_sorted());
            }
        }
    }
}
