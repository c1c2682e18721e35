//! What the API tells of a receiver in each situation, as a whole.

use std::time::Duration;

use alertmanager_webex::sandbox::{Effect, Fault, FaultBody, RetryAfter};
use serde_json::{Value, json};

use super::{status, steady};
use crate::harness::{Answer, Rig, Service, client, firing};

/// What is asked in time is answered after so long at the most.
const HURRY: &str = "[delivery]\nanswer_within = \"100ms\"\n";
/// Nothing that works takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

fn fail(service: &Service, effect: Effect) {
    let fault = Fault {
        effect,
        method: Some("POST".to_owned()),
        path: None,
        room: None,
        bot: None,
        times: None,
        for_ms: None,
    };
    service.sandbox.set_fault(fault).unwrap();
}

/// Asks as Alertmanager does, until the answer is for this reason: where the machine is busy,
/// the first one may come before Webex has answered us. Then says what the status is once the
/// bot has the same trouble, and nothing is on its way to Webex any more.
async fn told_for(service: &Service, bodies: &[String], reason: &str) -> Value {
    let ask = async {
        for body in bodies {
            while service.post("/alertmanager", body.clone()).await.body["reason"] != reason {}
        }
        loop {
            let told = status(service, "").await;
            let bot = &told["bots"][0];
            let waits = bot["waiting_messages"] == bodies.len();
            if waits && bot["trouble"]["reason"] == reason {
                return told;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, ask).await;
    found.unwrap_or_else(|_| panic!("nobody is told `{reason}` within {PATIENCE:?}"))
}

/// State, reason, message and who waits, of a receiver and of the first bot.
fn gist(told: Value) -> Value {
    let told = steady(told);
    let receiver = &told["receivers"][0];
    let bot = &told["bots"][0];
    json!({
        "summary": told["summary"],
        "receiver": {
            "state": receiver["state"],
            "reason": receiver["reason"],
            "message": receiver["message"],
            "since": receiver["since"],
            "last_outcome": receiver["last_outcome"]["reason"],
            "waiting_notifications": receiver["waiting_notifications"],
            "refused_requests": receiver["refused_requests"],
        },
        "bot": {
            "trouble": bot["trouble"],
            "gate_closed_until": bot["gate_closed_until"],
            "waiting_messages": bot["waiting_messages"],
        },
    })
}

#[tokio::test]
async fn a_receiver_that_was_never_used_says_so_and_one_that_delivers_says_when() {
    let service = Service::start();
    insta::assert_json_snapshot!("unused", steady(status(&service, "").await));
    service.post("/alertmanager", firing("Down")).await;
    insta::assert_json_snapshot!("delivered", steady(status(&service, "").await));
    let once_more = service.post("/alertmanager", firing("Down")).await;
    assert_eq!(once_more.body["reason"], "duplicate");
    let told = status(&service, "").await;
    assert_eq!(told["receivers"][0]["last_outcome"]["reason"], "delivered");
    service.stop().await;
}

#[tokio::test]
async fn a_room_that_refuses_is_told_with_the_remedy_until_it_takes_messages_again() {
    let service = Service::with("[receivers.a]\nrooms = [\"ops\", \"dead\"]\n");
    service.post("/alertmanager/a", firing("Down")).await;
    let told = status(&service, "?receiver=a").await;
    insta::assert_json_snapshot!("partial", steady(told.clone()));
    let since = told["receivers"][0]["since"].clone();
    service.post("/alertmanager/a", firing("Other")).await;
    let told = status(&service, "?receiver=a").await;
    assert_eq!(told["receivers"][0]["since"], since, "the first of the run");
    assert_eq!(told["receivers"][0]["delivered_notifications"], 2);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_one_room_takes_says_nothing_of_the_room_that_has_not_answered() {
    let rig = Rig::with("[receivers.a]\nrooms = [\"general\", \"ops\"]\n");
    let ops = rig.sandbox.room_id("ops").unwrap();
    let at = |room, effect| Fault {
        effect,
        method: Some("POST".to_owned()),
        path: None,
        room,
        bot: None,
        times: None,
        for_ms: None,
    };
    let refuse = at(Some(ops.clone()), Effect::BotRemoved);
    rig.sandbox.set_fault(refuse).unwrap();
    rig.submit_to("a", &firing("One")).outcome().await;
    let since = rig.engine.dead_rooms()["a"][0].since;
    // The room is asked again by now, and slow; meanwhile the other one takes its message.
    tokio::time::advance(Duration::from_secs(40)).await;
    let slow = at(Some(ops), Effect::Latency { ms: 5000 });
    rig.sandbox.set_fault(slow).unwrap();
    let second = rig.submit_to("a", &firing("Two"));
    while rig.messages("general").len() < 2 {
        tokio::time::advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.engine.dead_rooms()["a"].len(), 1, "it has not answered");
    second.outcome().await;
    assert_eq!(rig.engine.dead_rooms()["a"][0].since, since);
}

#[tokio::test]
async fn a_room_without_a_name_is_shown_by_the_end_of_its_id_alone() {
    const ID: &str = "Y2lzY29zcGFyazovL3VzL1JPT00vbm9ib2R5LWhhcy10aGlz";
    let more = format!("[receivers.a]\nrooms = [\"{ID}\"]\n");
    let service = Service::with(&more);
    let answer = service.post("/alertmanager/a", firing("Down")).await;
    assert_eq!(answer.body["reason"], "room_refused");
    let told = status(&service, "?receiver=a").await;
    assert!(!told.to_string().contains(ID), "{told}");
    assert_eq!(told["receivers"][0]["destinations"][0]["name"], "…cy10aGlz");
    let message = told["receivers"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("room `…cy10aGlz` is unknown"),
        "{message}"
    );
    service.stop().await;
}

#[tokio::test]
async fn what_waits_says_for_what() {
    let service = Service::with(HURRY);
    fail(
        &service,
        Effect::TooManyRequests {
            retry_after: Some(RetryAfter::Seconds(600)),
            body: FaultBody::default(),
        },
    );
    let mut told = gist(told_for(&service, &[firing("Down")], "rate_limited").await);
    let message = told["receiver"]["message"].take();
    let message = message.as_str().unwrap();
    assert!(
        message.starts_with("Webex limits the rate of bot `default`"),
        "{message}"
    );
    told["bot"]["trouble"]["message"].take();
    insta::assert_json_snapshot!("gate_closed", told);
    service.stop().await;
}

#[tokio::test]
async fn an_outage_of_webex_is_a_failure_of_what_waits_for_it() {
    let service = Service::with(HURRY);
    fail(
        &service,
        Effect::Status {
            code: 502,
            retry_after: None,
            body: FaultBody::default(),
        },
    );
    let bodies = [firing("One"), firing("Two")];
    let told = told_for(&service, &bodies, "webex_unavailable").await;
    insta::assert_json_snapshot!("unavailable", gist(told));
    service.stop().await;
}

#[tokio::test]
async fn a_refused_token_is_told_at_the_bot_and_at_its_receivers() {
    let service = Service::with(HURRY);
    fail(&service, Effect::TokenRevoked);
    let told = told_for(&service, &[firing("Down")], "token_refused").await;
    insta::assert_json_snapshot!("token_refused", gist(told));
    service.stop().await;
}

#[tokio::test]
async fn a_request_that_is_refused_is_told_until_a_notification_comes() {
    let service = Service::start();
    service.post("/alertmanager", firing("Down")).await;
    let wrong = service.post("/alertmanager", "{}").await;
    assert_eq!(wrong.body["reason"], "bad_payload");
    insta::assert_json_snapshot!("rejected", gist(status(&service, "").await));
    service.post("/alertmanager", firing("Other")).await;
    let told = status(&service, "").await;
    assert_eq!(told["receivers"][0]["state"], "ok");
    assert_eq!(told["receivers"][0]["refused_requests"], 1);
    service.stop().await;
}

#[tokio::test]
async fn while_the_process_ends_it_says_so() {
    let service = Service::with_delay("2s");
    let url = service.url("/api/v1/status");
    let stopping = tokio::spawn(service.stop());
    let look = async {
        loop {
            let told = Answer::of(client().get(&url)).await;
            if told.body["state"] == "stopping" {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(2), look)
        .await
        .expect("it says so at once");
    stopping.await.unwrap();
}

#[tokio::test]
async fn the_worst_come_first_and_are_found_by_name_place_and_state() {
    use std::fmt::Write as _;
    let mut more = String::new();
    for number in 0..2000 {
        writeln!(
            more,
            "[receivers.\"team-{number:04}/main\"]\nrooms = [\"ops\"]"
        )
        .unwrap();
    }
    more += "[receivers.zulu]\nrooms = [\"dead\"]\n";
    let service = Service::with(&more);
    service.post("/alertmanager/zulu", firing("Down")).await;
    service
        .post("/alertmanager/team-1999/main", firing("Down"))
        .await;
    let names = async |query: &str| -> (Vec<String>, Value) {
        let told = status(&service, query).await;
        let receivers = told["receivers"].as_array().unwrap().iter();
        let names = receivers.map(|one| one["name"].as_str().unwrap().to_owned());
        (names.collect(), told["summary"].clone())
    };
    let (all, summary) = names("").await;
    assert_eq!(
        (all.len(), all[0].as_str(), all[1].as_str()),
        (50, "zulu", "default")
    );
    assert_eq!(
        summary,
        json!({
            "receivers": 2002, "failing": 1, "rejected": 0, "waiting": 0, "ok": 1,
            "unused": 2000, "matching": 2002, "waiting_notifications": 0,
        })
    );
    for (query, expected, matching) in [
        (
            "?filter=TEAM-19&limit=2",
            &["team-1900/main", "team-1901/main"][..],
            100,
        ),
        ("?filter=dea", &["zulu"], 1),
        ("?state=trouble", &["zulu"], 1),
        ("?state=ok", &["team-1999/main"], 1),
        ("?state=failing&filter=team", &[], 0),
    ] {
        let (found, summary) = names(query).await;
        assert_eq!(found, expected, "{query}");
        assert_eq!(summary["matching"], matching, "{query}");
    }
    let (found, _) = names("?limit=5000").await;
    assert_eq!(found.len(), 2002);
    service.stop().await;
}
