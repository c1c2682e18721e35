use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::time::Instant;

use super::plan::{Approach, News, Situation, approach, edits_for, is_last_edit};
use super::store::{Claim, Conversations, Key};
use super::*;
use crate::delivery::content::{AlertState, GroupId};
use crate::routing::Conversation as Mode;

const UPDATE: Mode = Mode::Update {
    reply_on_resolve: false,
};
const UPDATE_AND_REPLY: Mode = Mode::Update {
    reply_on_resolve: true,
};

fn states(alerts: &[(u64, bool)]) -> Arc<[AlertState]> {
    let mut states: Vec<_> = alerts
        .iter()
        .map(|(identity, firing)| AlertState::of(*identity, *firing))
        .collect();
    states.sort_unstable();
    states.into()
}

fn root(shown: &[(u64, bool)], edits: u32) -> Root {
    Root {
        since: Timestamp::UNIX_EPOCH,
        room: "room".into(),
        parts: vec![Part {
            id: "root".into(),
            edits,
        }],
        shown: states(shown),
        frozen: false,
    }
}

fn conversation(root: Option<Root>, told: &[(u64, bool)]) -> Conversation {
    Conversation {
        began: Instant::now(),
        root,
        told: states(told),
        ended: false,
    }
}

fn key(room: &str, group: u128) -> Key {
    Key::of("receiver", room, GroupId::of(group))
}

/// What a notification becomes after the room was told that alert 1 fires.
fn becomes(mode: Mode, root: Option<&Root>, content: &[(u64, bool)]) -> Approach {
    let told = states(&[(1, true)]);
    let content = states(content);
    approach(&Situation {
        mode,
        root,
        told: &told,
        content: &content,
        news: &News::of(&content, &told),
        is_repeat: false,
        is_end: content.iter().all(|alert| !alert.fires()),
    })
}

#[test]
fn what_a_notification_becomes_hangs_on_the_mode_and_on_what_is_new() {
    let begun = root(&[(1, true)], 0);
    let edit = |and_reply| Approach::Edit { and_reply };
    let more: &[_] = &[(1, true), (2, true)];
    let some_over: &[_] = &[(1, false), (2, true)];
    let over: &[_] = &[(1, false)];
    let same: &[_] = &[(1, true)];
    for (content, update, update_and_reply) in [
        (more, edit(true), edit(true)),
        (some_over, edit(true), edit(true)),
        (over, edit(false), edit(true)),
        (same, Approach::Reply, Approach::Reply),
    ] {
        assert_eq!(
            becomes(Mode::Thread, Some(&begun), content),
            Approach::Reply
        );
        assert_eq!(becomes(UPDATE, Some(&begun), content), update);
        assert_eq!(
            becomes(UPDATE_AND_REPLY, Some(&begun), content),
            update_and_reply
        );
        for mode in [Mode::Thread, UPDATE, UPDATE_AND_REPLY] {
            assert_eq!(becomes(mode, None, content), Approach::Begin);
        }
    }
}

#[test]
fn the_last_edit_is_kept_for_the_end() {
    let fires: &[_] = &[(1, true), (2, true)];
    let over: &[_] = &[(1, false)];
    let edited = |times| root(&[(1, true)], times);
    assert!(is_last_edit(&edited(8), false));
    assert!(!is_last_edit(&edited(8), true));
    assert_ne!(becomes(UPDATE, Some(&edited(8)), fires), Approach::Reply);
    assert_eq!(becomes(UPDATE, Some(&edited(9)), fires), Approach::Reply);
    assert_ne!(becomes(UPDATE, Some(&edited(9)), over), Approach::Reply);
    assert_eq!(becomes(UPDATE, Some(&edited(10)), over), Approach::Reply);
    assert_eq!((edits_for(false), edits_for(true)), (9, 10));
    // Replies have told of another alert since, so one of them tells the end as well.
    let behind = root(&[(3, true)], 9);
    assert_eq!(
        becomes(UPDATE, Some(&behind), over),
        Approach::Edit { and_reply: true }
    );
    let frozen = Root {
        frozen: true,
        ..edited(0)
    };
    assert_eq!(becomes(UPDATE, Some(&frozen), over), Approach::Reply);
}

#[test]
fn a_conversation_ends_with_resolution_and_after_a_day() {
    let begun = conversation(Some(root(&[], 0)), &[]);
    let now = begun.began;
    let day = Duration::from_secs(24 * 3600);
    let almost = now + day - Duration::from_secs(1);
    assert!(begun.root(true, None, almost).is_some());
    assert!(begun.root(true, None, now + day).is_none());
    assert!(begun.root(true, Some("root"), now).is_none(), "it is gone");
    assert!(begun.root(true, Some("other"), now).is_some());
    let ended = Conversation {
        ended: true,
        ..begun
    };
    assert!(ended.root(true, None, now).is_none(), "another story");
    assert!(ended.root(false, None, now).is_some(), "a late peer");
}

#[tokio::test]
async fn of_two_first_notifications_the_second_sees_the_root_of_the_first() {
    let store = InMemory::new();
    let first = store.claim(key("room", 1)).await;
    assert!(first.conversation().is_none());
    let mut second = Box::pin(store.claim(key("room", 1)));
    assert!((&mut second).now_or_never().is_none(), "it waits");
    // Other rooms, groups and receivers do not.
    assert!(store.claim(key("other", 1)).now_or_never().is_some());
    assert!(store.claim(key("room", 2)).now_or_never().is_some());
    let told = conversation(Some(root(&[(1, true)], 0)), &[(1, true)]);
    first.keep(told.clone()).await;
    let second = second.await;
    assert_eq!(second.conversation(), Some(&told));
    drop(second);
    assert_eq!(store.claims(), 0, "no lock is left");
}

#[tokio::test]
async fn a_claim_that_is_dropped_changes_nothing_and_lets_the_next_in() {
    let store = InMemory::new();
    let told = conversation(None, &[(1, true)]);
    store.claim(key("room", 1)).await.keep(told.clone()).await;
    let dropped = store.claim(key("room", 1)).await;
    let mut impatient = Box::pin(store.claim(key("room", 1)));
    assert!((&mut impatient).now_or_never().is_none());
    drop(impatient);
    drop(dropped);
    let next: Box<dyn Claim> = store.claim(key("room", 1)).await;
    assert_eq!(next.conversation(), Some(&told));
    drop(next);
    assert_eq!(store.claims(), 0);
}

#[tokio::test]
async fn memory_is_bounded_and_what_is_asked_for_stays() {
    const MOST: u64 = 64 * 1024;
    let store = InMemory::bounded(MOST);
    let alerts: Vec<_> = (0..50).map(|alert| (alert, true)).collect();
    for group in 0..1000 {
        let told = conversation(Some(root(&alerts, 0)), &alerts);
        store.claim(key("room", group)).await.keep(told).await;
        store.claim(key("room", 0)).await;
    }
    let bytes = store.bytes();
    assert!(bytes <= MOST, "{bytes}");
    assert!(bytes > MOST / 2, "{bytes}");
    let asked_for = store.claim(key("room", 0)).await;
    assert!(asked_for.conversation().is_some());
}
