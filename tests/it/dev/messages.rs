//! What is sent with a button, what made each message, and what the receiver is doing.

use serde_json::{Value, json};

use super::{Running, tried};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_goes_the_whole_way_and_its_message_knows_where_it_came_from() {
    let dev = Running::start();
    let sent = dev.post("send", json!({"sample": "one_firing"})).await.body;
    assert_eq!(sent["answers"][0]["status"], 200, "{sent}");
    assert_eq!(sent["answers"][0]["reason"], "delivered");
    let messages = dev.messages("general");
    assert_eq!(
        sent["messages"],
        json!([{"room": messages[0].room_id, "id": messages[0].id}])
    );
    assert_eq!(sent["rooms"][0]["id"], messages[0].room_id);

    let origin = dev
        .get(&format!("messages/{}/notification", messages[0].id))
        .await;
    assert_eq!(origin.status, 200);
    let notifications = origin.body["notifications"].as_array().unwrap();
    assert_eq!(notifications.len(), 1);
    assert_eq!(notifications[0]["receiver"], "default");
    assert_eq!(
        notifications[0]["body"]["groupKey"],
        "{}:{alertname=\"KubePodCrashLooping\"}"
    );

    // As if it happened now, so the second is no repeat of the first. A pasted one is moved.
    let pasted = json!({"notification": notifications[0]["body"], "receiver": "team/ops"});
    for _ in 0..2 {
        assert_eq!(
            dev.post("send", json!({"sample": "one_firing"})).await.body["answers"][0]["reason"],
            "delivered"
        );
        assert_eq!(
            dev.post("send", pasted.clone()).await.body["answers"][0]["reason"],
            "delivered"
        );
    }
    assert_eq!(
        (dev.messages("general").len(), dev.messages("ops").len()),
        (3, 2)
    );

    // What the service refuses is shown as it refuses it.
    let refused = dev
        .post("send", json!({"notification": {"version": "3"}}))
        .await
        .body;
    assert_eq!(refused["answers"][0]["status"], 400, "{refused}");
    assert_eq!(refused["answers"][0]["reason"], "bad_payload");
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_is_tried_out_is_used_for_that_notification_only() {
    let dev = Running::start();
    let sent = dev.post("send", tried("Tried: {{ status }}")).await;
    assert_eq!(sent.body["answers"][0]["reason"], "delivered", "{sent:?}");
    dev.post("send", json!({"sample": "one_firing"})).await;
    let messages = dev.messages("general");
    assert_eq!(messages[0].markdown.as_deref(), Some("Tried: firing"));
    assert!(
        messages[1]
            .markdown
            .as_deref()
            .unwrap()
            .contains("KubePodCrashLooping")
    );

    let broken = dev.post("send", tried("{{ status | uper }}")).await;
    assert_eq!(broken.status, 422, "{broken:?}");
    assert_eq!(broken.body["problems"][0]["line"], 1);
    assert_eq!(dev.messages("general").len(), 2);
    assert_eq!(std::fs::read_dir(dev.templates.path()).unwrap().count(), 1);
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_message_knows_each_notification_that_made_it_so() {
    let dev = Running::with(
        "[receivers.update]\nbot = \"default\"\nrooms = [\"ops\"]\nconversation = \"update\"\n",
    );
    // As if it happened now: the second time the alert has begun anew.
    for _ in 0..2 {
        let asked = json!({"sample": "one_firing", "receiver": "update"});
        let sent = dev.post("send", asked).await.body;
        assert_eq!(sent["answers"][0]["reason"], "delivered", "{sent}");
    }
    let messages = dev.messages("ops");
    assert_eq!((messages.len(), messages[0].edits), (2, 1));
    for (message, notifications) in messages.iter().zip([2, 1]) {
        let path = format!("messages/{}/notification", message.id);
        let origin = dev.get(&path).await.body;
        let told = origin["notifications"].as_array().unwrap().len();
        assert_eq!(told, notifications, "{origin}");
    }
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_knows_all_its_notifications() {
    let dev = Running::with(
        "[bots.slow]\ntoken_env = \"TOKEN\"\nmessages_per_minute = 120\nburst = 1\n\
         [receivers.slow]\nbot = \"slow\"\nrooms = [\"ops\"]\n\
         [delivery]\nanswer_within = \"200ms\"\ndigest_after = \"1s\"\n",
    );
    let asked = json!({"sample": "storm_of_groups", "receiver": "slow"});
    let sent = dev.post("send", asked).await.body;
    assert_eq!(sent["notifications"], 500, "{sent}");
    let counts = sent["answers"].as_array().unwrap().iter();
    assert_eq!(
        counts
            .map(|told| told["count"].as_u64().unwrap())
            .sum::<u64>(),
        500
    );
    let digest = dev
        .until("receiver", |standing| {
            let outcomes = standing["outcomes"].as_array()?;
            let messages = outcomes
                .iter()
                .map(|outcome| outcome["messages"][0]["id"].as_str());
            let messages: Vec<&str> = messages.flatten().collect();
            let twice = messages
                .iter()
                .find(|message| messages.iter().filter(|other| other == message).count() > 1);
            twice.map(|message| (*message).to_owned())
        })
        .await;
    let origin = dev
        .get(&format!("messages/{digest}/notification"))
        .await
        .body;
    assert!(
        origin["notifications"].as_array().unwrap().len() > 1,
        "{origin}"
    );
    dev.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_receiver_is_doing_is_told() {
    let dev = Running::with("[delivery]\nanswer_within = \"300ms\"\n");
    let idle = dev.get("receiver").await.body;
    assert_eq!(idle["waiting"], 0);
    assert_eq!(idle["bots"][0]["gate_closed_until"], Value::Null);
    assert_eq!(
        idle["receivers"][0],
        json!({"name": "default", "waiting": 0, "oldest_ms": null})
    );

    let fault = json!({"effect": {"too_many_requests": {"retry_after": 3600}}, "method": "POST"});
    dev.sandbox
        .set_fault(serde_json::from_value(fault).unwrap())
        .unwrap();
    let sent = dev.post("send", json!({"sample": "one_firing"})).await.body;
    assert_eq!(sent["answers"][0]["status"], 503, "{sent}");
    assert_eq!(sent["answers"][0]["reason"], "rate_limited");
    let busy = dev.get("receiver").await.body;
    assert_eq!(busy["waiting"], 1, "{busy}");
    let closed: jiff::Timestamp = busy["bots"][0]["gate_closed_until"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let left = closed.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((3_000..=3_600).contains(&left), "{left}");
    assert!(
        busy["bots"][0]["trouble"]
            .as_str()
            .unwrap()
            .contains("limits the rate")
    );
    assert_eq!(busy["receivers"][0]["waiting"], 1);
    assert!(busy["receivers"][0]["oldest_ms"].as_u64().unwrap() >= 300);
    assert_eq!(busy["underway"][0]["receiver"], "default");
    assert_eq!(
        busy["underway"][0]["group"],
        "alertname=KubePodCrashLooping, namespace=payments"
    );
    assert_eq!(busy["answers"][0]["status"], 503);
    assert_eq!(busy["outcomes"], json!([]));
    dev.stop().await;
}
