//! Edits, deletions, lists, threads (docs/facts/webex-api.md §2, §3), and what the knobs change about them.

use super::*;

async fn reply(sandbox: &Sandbox, parent: &str) -> Answer {
    let body = json!({ "roomId": ops(sandbox), "text": "reply", "parentId": parent });
    call(sandbox, "POST", "/v1/messages", &body).await
}

async fn edit(sandbox: &Sandbox, id: &str, text: &str) -> Answer {
    let body = json!({ "roomId": ops(sandbox), "markdown": text });
    call(sandbox, "PUT", &format!("/v1/messages/{id}"), &body).await
}

#[tokio::test(start_paused = true)]
async fn a_message_is_edited_ten_times_and_no_more() {
    let sandbox = Sandbox::default();
    let id = post(&sandbox, "**first**").await.id();
    for number in 1..=10 {
        let answer = edit(&sandbox, &id, &format!("edit *{number}*")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["text"], format!("edit {number}"));
        assert!(answer.json()["updated"].is_string());
    }
    let answer = edit(&sandbox, &id, "once more").await;
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("edit limit has been reached"));
    let messages = sandbox.messages(&ops(&sandbox));
    assert_eq!(
        (messages[0].edits, messages[0].markdown.as_deref()),
        (10, Some("edit *10*"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_edit_counts_for_nothing() {
    let sandbox = Sandbox::default();
    let id = post(&sandbox, "first").await.id();
    let path = format!("/v1/messages/{id}");
    for body in [
        json!({ "markdown": "no room" }),
        json!({ "roomId": ops(&sandbox) }),
        json!({ "roomId": ops(&sandbox), "markdown": "x".repeat(7440) }),
        json!({ "roomId": ops(&sandbox), "markdown": "x", "html": "x" }),
    ] {
        assert_eq!(
            call(&sandbox, "PUT", &path, &body).await.status,
            400,
            "{body}"
        );
    }
    let elsewhere = json!({ "roomId": sandbox.room_id("general"), "markdown": "x" });
    assert_eq!(call(&sandbox, "PUT", &path, &elsewhere).await.status, 404);
    assert_eq!(sandbox.messages(&ops(&sandbox))[0].edits, 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_with_a_card_is_edited_only_where_the_knob_allows_it() {
    let sandbox = Sandbox::default();
    let body = json!({ "roomId": ops(&sandbox), "text": "x", "attachments": [card()] });
    let id = call(&sandbox, "POST", "/v1/messages", &body).await.id();
    let path = format!("/v1/messages/{id}");
    let answer = call(&sandbox, "PUT", &path, &body).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .message()
            .contains("feature is currently unsupported")
    );
    sandbox.set_behaviour(Behaviour {
        card_edits: CardEdits::Allow,
        ..Behaviour::default()
    });
    assert_eq!(call(&sandbox, "PUT", &path, &body).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_message_is_gone() {
    let sandbox = Sandbox::default();
    let id = post(&sandbox, "x").await.id();
    let path = format!("/v1/messages/{id}");
    let answer = call(&sandbox, "DELETE", &path, &Value::Null).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(call(&sandbox, "GET", &path, &Value::Null).await.status, 404);
    assert_eq!(
        call(&sandbox, "DELETE", &path, &Value::Null).await.status,
        404
    );
    assert_eq!(edit(&sandbox, &id, "x").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_message_can_be_neither_seen_nor_changed() {
    let sandbox = Sandbox::new(Setup::default().bot("other", "other-token"));
    let id = post(&sandbox, "x").await.id();
    let path = format!("/v1/messages/{id}");
    let body = json!({ "roomId": ops(&sandbox), "text": "mine" });
    for method in ["GET", "PUT", "DELETE"] {
        let request = request(method, &path, "other-token", &body);
        assert_eq!(
            try_send(&sandbox, request).await.unwrap().status,
            404,
            "{method}"
        );
    }
    // What mentions a bot it sees, but may not change.
    let id = post(&sandbox, "<@personEmail:other@webex.bot>").await.id();
    let path = format!("/v1/messages/{id}");
    for (method, status) in [("GET", 200), ("PUT", 403), ("DELETE", 403)] {
        let request = request(method, &path, "other-token", &body);
        assert_eq!(
            try_send(&sandbox, request).await.unwrap().status,
            status,
            "{method}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_bot_lists_only_what_mentions_it_newest_first() {
    let sandbox = Sandbox::default();
    let room = ops(&sandbox);
    post(&sandbox, "nobody").await;
    let first = post(&sandbox, "<@personEmail:sandbox@webex.bot|me> one")
        .await
        .id();
    let second = post(&sandbox, "<@personEmail:sandbox@webex.bot> two")
        .await
        .id();
    let list = async |query: &str| {
        let path = format!("/v1/messages?roomId={room}{query}");
        call(&sandbox, "GET", &path, &Value::Null).await
    };
    assert_eq!(list("").await.status, 403);
    let ids = |answer: Answer| -> Vec<String> {
        let items = answer.json()["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        ids(list("&mentionedPeople=me").await),
        [second.clone(), first.clone()]
    );
    assert_eq!(
        ids(list("&mentionedPeople=me&max=1").await),
        [second.as_str()]
    );
    let before = format!("&mentionedPeople=me&beforeMessage={second}");
    assert_eq!(ids(list(&before).await), [first]);
    assert_eq!(list("&mentionedPeople=me&max=101").await.status, 400);
    assert_eq!(
        list("&mentionedPeople=me&before=yesterday").await.status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn a_conversation_of_two_is_listed_without_mentions_and_by_parent() {
    let sandbox = Sandbox::default();
    let body = json!({ "toPersonEmail": "anna@example.org", "text": "root" });
    let first = call(&sandbox, "POST", "/v1/messages", &body).await.json();
    let body = json!({ "roomId": first["roomId"], "text": "reply", "parentId": first["id"] });
    let reply = call(&sandbox, "POST", "/v1/messages", &body).await.json();
    assert_eq!(reply["parentId"], first["id"]);
    let room = first["roomId"].as_str().unwrap();
    let parent = first["id"].as_str().unwrap();
    for (query, found) in [(String::new(), 2), (format!("&parentId={parent}"), 1)] {
        let path = format!("/v1/messages?roomId={room}{query}");
        let answer = call(&sandbox, "GET", &path, &Value::Null).await;
        assert_eq!(answer.json()["items"].as_array().unwrap().len(), found);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_to_a_reply_becomes_what_the_knob_says() {
    let sandbox = Sandbox::default();
    let root = post(&sandbox, "root").await.id();
    let first = reply(&sandbox, &root).await.id();
    for (mode, status) in [
        (ReplyToReply::BadRequest, 400),
        (ReplyToReply::NotFound, 404),
        (ReplyToReply::Normalise, 200),
    ] {
        sandbox.set_behaviour(Behaviour {
            reply_to_reply: mode,
            ..Behaviour::default()
        });
        let answer = reply(&sandbox, &first).await;
        assert_eq!(answer.status, status, "{mode:?}");
        if status == 200 {
            assert_eq!(answer.json()["parentId"], root);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_to_what_is_not_in_the_room_becomes_what_the_knob_says() {
    let sandbox = Sandbox::default();
    let deleted = post(&sandbox, "root").await.id();
    sandbox.delete_message(&deleted).unwrap();
    let general = sandbox.room_id("general").unwrap();
    let body = json!({ "roomId": general, "text": "root" });
    let elsewhere = call(&sandbox, "POST", "/v1/messages", &body).await.id();
    let unknown = "Y2lzY29zcGFyazovL3VzL01FU1NBR0UvbmV2ZXI".to_owned();
    for parent in [deleted, elsewhere, unknown] {
        for (mode, status) in [
            (DeletedParent::BadRequest, 400),
            (DeletedParent::NotFound, 404),
            (DeletedParent::Post, 200),
        ] {
            sandbox.set_behaviour(Behaviour {
                deleted_parent: mode,
                ..Behaviour::default()
            });
            let answer = reply(&sandbox, &parent).await;
            assert_eq!(answer.status, status, "{mode:?} {parent}");
            if status == 200 {
                assert!(answer.json()["parentId"].is_null());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_card_without_text_is_taken_only_where_the_knob_allows_it() {
    let sandbox = Sandbox::default();
    let body = json!({ "roomId": ops(&sandbox), "attachments": [card()] });
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body).await.status,
        400
    );
    sandbox.set_behaviour(Behaviour {
        card_without_text: CardWithoutText::Allow,
        ..Behaviour::default()
    });
    assert_eq!(
        call(&sandbox, "POST", "/v1/messages", &body).await.status,
        200
    );
}
