//! Turns, order, parking, and that nothing is lost on the way.

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
