//! `/v1/memberships` (docs/facts/webex-api.md §5, §9).

use super::*;

async fn add(sandbox: &Sandbox, email: &str) -> Answer {
    let body = json!({ "roomId": ops(sandbox), "personEmail": email });
    call(sandbox, "POST", "/v1/memberships", &body).await
}

async fn list(sandbox: &Sandbox, query: &str) -> Vec<String> {
    let path = format!("/v1/memberships{query}");
    let answer = call(sandbox, "GET", &path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.json();
    let emails = items["items"].as_array().unwrap().iter();
    emails
        .map(|item| item["personEmail"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_person_is_added_shown_made_a_moderator_and_removed() {
    let sandbox = Sandbox::default();
    let answer = add(&sandbox, "anna.berg@example.org").await;
    let mut membership = answer.json();
    membership["created"].take();
    insta::assert_json_snapshot!(membership);
    let path = format!("/v1/memberships/{}", answer.id());
    assert_eq!(call(&sandbox, "GET", &path, &Value::Null).await.status, 200);
    let put = json!({ "isModerator": true });
    let moderator = call(&sandbox, "PUT", &path, &put).await;
    assert_eq!(moderator.json()["isModerator"], true);

    let again = add(&sandbox, "Anna.Berg@example.org").await;
    assert_eq!(
        (again.status, again.message().as_str()),
        (409, "User is already a participant in the room.")
    );
    let of_room = format!("?roomId={}", ops(&sandbox));
    assert_eq!(
        list(&sandbox, &of_room).await,
        ["sandbox@webex.bot", "anna.berg@example.org"]
    );
    assert_eq!(
        list(
            &sandbox,
            &format!("{of_room}&personEmail=anna.berg@example.org")
        )
        .await,
        ["anna.berg@example.org"]
    );
    assert_eq!(list(&sandbox, &format!("{of_room}&max=1")).await.len(), 1);
    assert_eq!(
        list(&sandbox, "").await,
        ["sandbox@webex.bot", "sandbox@webex.bot"],
        "one's own, in all rooms"
    );
    assert_eq!(
        call(&sandbox, "DELETE", &path, &Value::Null).await.status,
        204
    );
    assert_eq!(call(&sandbox, "GET", &path, &Value::Null).await.status, 404);
    assert_eq!(list(&sandbox, &of_room).await, ["sandbox@webex.bot"]);
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_leaves_a_room_finds_it_no_more_until_another_adds_it() {
    let sandbox = Sandbox::new(Setup::default().bot("other", "other-token"));
    let path = format!("/v1/memberships?roomId={}&personId=me", ops(&sandbox));
    let own = call(&sandbox, "GET", &path, &Value::Null).await.json();
    let id = own["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/memberships/{id}");
    assert_eq!(
        call(&sandbox, "DELETE", &path, &Value::Null).await.status,
        204
    );
    assert_eq!(post(&sandbox, "x").await.status, 404);
    assert_eq!(add(&sandbox, "anna@example.org").await.status, 404);

    let body = json!({ "roomId": ops(&sandbox), "personEmail": "sandbox@webex.bot" });
    let request = request("POST", "/v1/memberships", "other-token", &body);
    assert_eq!(try_send(&sandbox, request).await.unwrap().status, 200);
    assert_eq!(post(&sandbox, "x").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_known_is_not_added() {
    let sandbox = Sandbox::default();
    let room = ops(&sandbox);
    for (body, status, text) in [
        (
            json!({ "personEmail": "anna@example.org" }),
            400,
            "Required String parameter 'roomId' is not present",
        ),
        (
            json!({ "roomId": room }),
            400,
            "Required String parameter 'personId' is not present",
        ),
        (
            json!({ "roomId": room, "personId": "x" }),
            400,
            "Expect base64 ID or UUID.",
        ),
        (
            json!({ "roomId": room, "personEmail": "no@body.test" }),
            404,
            "Failed to find user with specified email address.",
        ),
        (
            json!({ "roomId": "nonsense", "personEmail": "anna@example.org" }),
            404,
            "The requested resource could not be found.",
        ),
    ] {
        let answer = call(&sandbox, "POST", "/v1/memberships", &body).await;
        assert_eq!((answer.status, answer.message().as_str()), (status, text));
    }
    let unknown = call(&sandbox, "GET", "/v1/memberships/x", &Value::Null).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_direct_room_has_two_members_who_stay() {
    let sandbox = Sandbox::default();
    let body = json!({ "toPersonEmail": "anna@example.org", "text": "x" });
    let message = call(&sandbox, "POST", "/v1/messages", &body).await.json();
    let room = message["roomId"].as_str().unwrap();
    assert_eq!(list(&sandbox, &format!("?roomId={room}")).await.len(), 2);
    let body = json!({ "roomId": room, "personEmail": "ben@example.org" });
    let answer = call(&sandbox, "POST", "/v1/memberships", &body).await;
    assert_eq!(answer.status, 403);
}
