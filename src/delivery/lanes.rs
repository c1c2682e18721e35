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

    /// All lanes in which something waits or was taken.
    pub(super) fn ids(&self) -> impl Iterator<Item = &L> {
        self.by_id.keys()
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
mod tests;
