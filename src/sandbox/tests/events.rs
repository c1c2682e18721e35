//! The stream of changes.

use std::time::Duration;

use tokio::time::Instant;

use super::super::changes::{Events, MOST_LISTENERS};
use super::*;

/// The next event's id and data, or nothing for a comment.
async fn next(events: &mut Events) -> Option<(String, Value)> {
    let lines = events.next().await;
    let lines = std::str::from_utf8(&lines).unwrap();
    assert!(lines.ends_with("\n\n"), "{lines:?}");
    let field = |name: &str| lines.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(field("data: ")?).unwrap();
    assert_eq!(field("event: "), Some("change"));
    Some((field("id: ").unwrap().to_owned(), data))
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_told_first_of_everything_and_then_of_what_changes() {
    let sandbox = Sandbox::default();
    let mut events = Events::new(&sandbox, None).unwrap();
    let (_, greeting) = next(&mut events).await.unwrap();
    assert_eq!(greeting["rooms"], Value::Null, "any of them");
    assert_eq!(greeting["changed"].as_array().unwrap().len(), 6);

    post(&sandbox, "x").await;
    let (_, change) = next(&mut events).await.unwrap();
    assert_eq!(change["changed"], json!(["messages"]));
    assert_eq!(change["rooms"], json!([ops(&sandbox)]));
    assert_eq!(change["revision"], *sandbox.revisions().borrow());

    sandbox.set_fault(Fault::new(Effect::EditRefused)).unwrap();
    let (_, change) = next(&mut events).await.unwrap();
    assert_eq!(change["changed"], json!(["faults"]));
    assert_eq!(change["rooms"], json!([]));

    sandbox.reset();
    let (_, change) = next(&mut events).await.unwrap();
    assert_eq!(change["changed"].as_array().unwrap().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_one_event() {
    let sandbox = Sandbox::default();
    let mut events = Events::new(&sandbox, None).unwrap();
    next(&mut events).await.unwrap();
    let begun = Instant::now();
    for _ in 0..3 {
        for _ in 0..100 {
            post(&sandbox, "x").await;
        }
        let (_, change) = next(&mut events).await.unwrap();
        assert_eq!(change["revision"], *sandbox.revisions().borrow());
    }
    assert!(begun.elapsed() >= Duration::from_millis(150));
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_a_comment_each_quarter_of_a_minute() {
    let sandbox = Sandbox::default();
    let mut events = Events::new(&sandbox, None).unwrap();
    next(&mut events).await.unwrap();
    let begun = Instant::now();
    assert_eq!(next(&mut events).await, None);
    assert_eq!(begun.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_met_or_ends_with_its_time_is_told() {
    let sandbox = Sandbox::default();
    let fault = Fault::new(Effect::EditRefused).lasting(Duration::from_secs(7));
    sandbox.set_fault(fault).unwrap();
    let fault = Fault::new(Effect::Status {
        code: 500,
        retry_after: None,
        body: FaultBody::Json,
    });
    sandbox.set_fault(fault.times(1)).unwrap();
    let mut events = Events::new(&sandbox, None).unwrap();
    next(&mut events).await.unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 500);
    let (_, change) = next(&mut events).await.unwrap();
    assert_eq!(change["changed"], json!(["faults"]));
    assert_eq!(sandbox.faults().len(), 1);
    let begun = Instant::now();
    let (_, change) = next(&mut events).await.unwrap();
    assert_eq!(change["changed"], json!(["faults"]));
    assert!((6..=7).contains(&begun.elapsed().as_secs()));
    assert_eq!(sandbox.faults(), []);
}

#[tokio::test(start_paused = true)]
async fn who_connects_again_is_told_what_was_missed() {
    let sandbox = Sandbox::default();
    let mut events = Events::new(&sandbox, None).unwrap();
    let (id, _) = next(&mut events).await.unwrap();
    drop(events);
    post(&sandbox, "x").await;
    let mut events = Events::new(&sandbox, Some(&id)).unwrap();
    let (_, change) = next(&mut events).await.unwrap();
    assert_eq!(change["changed"], json!(["messages"]));
    // Of a sandbox that was started before, nothing is known.
    let mut events = Events::new(&Sandbox::default(), Some(&id)).unwrap();
    let (_, change) = next(&mut events).await.unwrap();
    assert_eq!(change["rooms"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn there_are_only_so_many_listeners() {
    let sandbox = Sandbox::default();
    let mut listeners: Vec<_> = (0..MOST_LISTENERS)
        .map(|_| Events::new(&sandbox, None).unwrap())
        .collect();
    assert!(matches!(
        Events::new(&sandbox, None),
        Err(Error::TooManyListeners)
    ));
    listeners.pop();
    assert!(Events::new(&sandbox, None).is_ok());
}
