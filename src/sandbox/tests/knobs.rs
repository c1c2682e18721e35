//! Bots, rooms, quotas, records, bounds.

use std::time::Duration;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_quota_is_a_bots_own_and_refuses_with_a_wait_that_suffices() {
    let sandbox = Sandbox::new(Setup::default().bot("other", "other-token"));
    sandbox
        .set_quota("sandbox", Some(Quota::new(0.25, 2)))
        .unwrap();
    for status in [200, 200, 429] {
        assert_eq!(post(&sandbox, "x").await.status, status);
    }
    let answer = post(&sandbox, "x").await;
    assert_eq!(answer.header("retry-after"), Some("4"));
    let other = request("GET", "/v1/people/me", "other-token", &Value::Null);
    assert_eq!(try_send(&sandbox, other).await.unwrap().status, 200);
    tokio::time::advance(Duration::from_secs(4)).await;
    assert_eq!(post(&sandbox, "x").await.status, 200);
    sandbox.set_quota("sandbox", None).unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_401_until_it_is_restored_and_a_new_one_replaces_the_old() {
    let sandbox = Sandbox::default();
    sandbox.revoke_token("sandbox").unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 401);
    sandbox.restore_token("sandbox").unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 200);
    sandbox.set_token("sandbox", "new").unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 401);
    let request = request("GET", "/v1/people/me", "new", &Value::Null);
    assert_eq!(try_send(&sandbox, request).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_was_removed_from_a_room_does_not_find_it() {
    let sandbox = Sandbox::default();
    sandbox.remove_member("ops", "sandbox").unwrap();
    let answer = post(&sandbox, "x").await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (404, "Could not find a room with provided ID.")
    );
    sandbox.add_member("ops", "sandbox").unwrap();
    assert_eq!(post(&sandbox, "x").await.status, 200);
}

#[test]
fn the_ids_of_the_default_rooms_are_the_same_in_every_run() {
    let sandbox = Sandbox::default();
    let ids = ["general", "ops"].map(|title| sandbox.room_id(title).unwrap());
    insta::assert_json_snapshot!(ids);
}

#[tokio::test(start_paused = true)]
async fn ids_of_another_cluster_work_alike() {
    let sandbox = Sandbox::new(Setup {
        cluster: "urn:TEAM:us-gov-west-1_a1".to_owned(),
        ..Setup::default()
    });
    assert_ne!(ops(&sandbox), ops(&Sandbox::default()));
    assert_eq!(post(&sandbox, "x").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_room_with_an_id_of_its_own_is_found_by_it() {
    let sandbox = Sandbox::new(Setup::default().room_with_id("team", "our-room"));
    let body = json!({ "roomId": "our-room", "text": "x" });
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body).await.status,
        200
    );
}

#[test]
fn names_ids_and_tokens_are_given_once() {
    let sandbox = Sandbox::default();
    assert!(matches!(
        sandbox.add_bot("sandbox", "x"),
        Err(Error::BotExists(_))
    ));
    assert!(matches!(
        sandbox.add_bot("b", "sandbox"),
        Err(Error::TokenTaken)
    ));
    assert!(matches!(
        sandbox.add_room("ops", None),
        Err(Error::RoomExists(_))
    ));
    sandbox.add_bot("b", "b").unwrap();
    assert!(matches!(
        sandbox.set_token("b", "sandbox"),
        Err(Error::TokenTaken)
    ));
    assert!(
        sandbox
            .rooms()
            .iter()
            .all(|room| room.bots == ["b", "sandbox"])
    );
    for (name, token) in [("", "x"), ("a/b", "x"), ("c", ""), ("c", "a b")] {
        assert!(sandbox.add_bot(name, token).is_err(), "{name} {token}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_recorded_without_tokens() {
    let sandbox = Sandbox::new(Setup::empty().bot("team", "very-secret").room("ops"));
    let path = "/v1/people/me?access_token=very-secret";
    let good = request("GET", path, "very-secret", &Value::Null);
    try_send(&sandbox, good).await.unwrap();
    let bad = request("GET", path, "unknown-secret", &Value::Null);
    try_send(&sandbox, bad).await.unwrap();
    let requests = sandbox.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|r| {
            (
                r.method.as_str(),
                r.path.as_str(),
                r.bot.as_deref(),
                r.outcome,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("GET", "/v1/people/me", Some("team"), Outcome::Answered(200)),
            ("GET", "/v1/people/me", None, Outcome::Answered(401)),
        ]
    );
    let everything = format!("{sandbox:?} {requests:?} {:?}", sandbox.bots());
    assert!(!everything.contains("secret"), "{everything}");
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_messages_are_kept() {
    let sandbox = Sandbox::default();
    let first = post(&sandbox, "first").await.id();
    for _ in 0..state::MOST_MESSAGES {
        post(&sandbox, "x").await;
    }
    let room = &sandbox.rooms()[1];
    assert_eq!((room.messages, room.posted), (5000, 5001));
    let answer = call(
        &sandbox,
        "GET",
        &format!("/v1/messages/{first}"),
        &Value::Null,
    )
    .await;
    assert_eq!(answer.status, 404);
    assert_eq!(sandbox.clear_messages(Some("ops")).unwrap(), 5000);
    assert_eq!(sandbox.rooms()[1].messages, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reset_leaves_what_it_began_with() {
    let sandbox = Sandbox::default();
    let before = post(&sandbox, "x").await.id();
    sandbox.add_room("extra", None).unwrap();
    sandbox.set_fault(Fault::new(Effect::Reset)).unwrap();
    sandbox.revoke_token("sandbox").unwrap();
    sandbox.reset();
    assert_eq!(sandbox.rooms().len(), 2);
    assert_eq!((sandbox.requests(), sandbox.faults()), (vec![], vec![]));
    assert_ne!(
        post(&sandbox, "x").await.id(),
        before,
        "ids are not given twice"
    );
}

#[tokio::test(start_paused = true)]
async fn people_who_are_written_to_do_not_fill_the_memory() {
    let sandbox = Sandbox::default();
    for number in 0..state::MOST_ROOMS + 5 {
        let to = format!("person{number}@example.org");
        let body = json!({ "toPersonEmail": to, "text": "x" });
        let answer = call(&sandbox, "POST", "/v1/messages", &body).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(sandbox.rooms().len(), state::MOST_ROOMS);
    assert!(sandbox.room_id("ops").is_some(), "spaces stay");
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_is_made_again_finds_its_conversations() {
    let sandbox = Sandbox::default();
    let body = json!({ "toPersonEmail": "anna@example.org", "text": "x" });
    call(&sandbox, "POST", "/v1/messages", &body).await.id();
    sandbox.remove_bot("sandbox").unwrap();
    sandbox.add_bot("sandbox", "sandbox").unwrap();
    let id = call(&sandbox, "POST", "/v1/messages", &body).await.id();
    let path = format!("/v1/messages/{id}");
    assert_eq!(call(&sandbox, "GET", &path, &Value::Null).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_message_can_be_awaited() {
    let sandbox = Sandbox::default();
    let room = ops(&sandbox);
    let (found, _) = tokio::join!(
        sandbox.message_where(&room, |message| message.text.as_deref() == Some("second")),
        async {
            post(&sandbox, "first").await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            post(&sandbox, "second").await
        }
    );
    assert_eq!(found.markdown.as_deref(), Some("second"));
}
