//! Service apps and the renewal of their tokens (docs/facts/webex-api.md §9).

use std::time::Duration;

use rstest::rstest;

use super::control::control;
use super::*;

fn app() -> ServiceApp {
    ServiceApp::new("client", "client-secret", "first")
}

fn with(app: ServiceApp) -> Sandbox {
    let sandbox = Sandbox::default();
    sandbox.add_service_app("team", app).unwrap();
    sandbox
}

async fn form(sandbox: &Sandbox, body: &str) -> Answer {
    let request = Request::post("/v1/access_token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    try_send(sandbox, request).await.unwrap()
}

async fn refresh(sandbox: &Sandbox, token: &str) -> Answer {
    let body = format!(
        "grant_type=refresh_token&client_id=client&client_secret=client-secret&refresh_token={token}"
    );
    form(sandbox, &body).await
}

async fn me(sandbox: &Sandbox, token: &str) -> Answer {
    let request = request("GET", "/v1/people/me", token, &Value::Null);
    try_send(sandbox, request).await.unwrap()
}

fn text(answer: &Answer, field: &str) -> String {
    answer.json()[field].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_gives_an_access_token_that_expires() {
    let sandbox = with(app().expires_in(60));
    let answer = refresh(&sandbox, "first").await;
    assert_eq!(answer.status, 200);
    let given = answer.json();
    assert_eq!(
        (
            &given["expires_in"],
            &given["refresh_token"],
            &given["refresh_token_expires_in"],
            &given["token_type"]
        ),
        (
            &json!(60),
            &json!("first"),
            &json!(7_776_000),
            &json!("Bearer")
        )
    );
    let token = text(&answer, "access_token");
    let person = me(&sandbox, &token).await;
    assert_eq!(
        (person.status, &person.json()["type"]),
        (200, &json!("appuser"))
    );
    let body = json!({ "roomId": ops(&sandbox), "text": "x" });
    let post = request("POST", "/v1/messages", &token, &body);
    assert_eq!(try_send(&sandbox, post).await.unwrap().status, 200);

    let second = text(&refresh(&sandbox, "first").await, "access_token");
    assert_ne!(token, second);
    assert_eq!(me(&sandbox, &token).await.status, 200, "it has time left");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(me(&sandbox, &token).await.status, 401);
    let third = text(&refresh(&sandbox, "first").await, "access_token");
    assert_eq!(me(&sandbox, &third).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_may_be_replaced_each_time_and_the_old_one_is_refused() {
    let sandbox = with(app().rotating());
    let second = text(&refresh(&sandbox, "first").await, "refresh_token");
    assert_ne!(second, "first");
    let refused = refresh(&sandbox, "first").await;
    assert_eq!(
        (refused.status, refused.message().as_str()),
        (
            400,
            "The refresh token provided is expired, revoked, malformed, or invalid."
        )
    );
    assert_eq!(refresh(&sandbox, &second).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_a_refresh_token_begins_again_with_each_refresh() {
    let sandbox = with(ServiceApp {
        refresh_token_expires_in: 100,
        ..app()
    });
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(80)).await;
        assert_eq!(refresh(&sandbox, "first").await.status, 200);
    }
    tokio::time::advance(Duration::from_secs(100)).await;
    assert_eq!(refresh(&sandbox, "first").await.status, 400);
}

#[rstest]
#[case("", 400, "Required String parameter 'grant_type' is not present")]
#[case(
    "grant_type=refresh_token&client_id=client&client_secret=client-secret",
    400,
    "Required String parameter 'refresh_token' is not present"
)]
#[case(
    "grant_type=password&client_id=client&client_secret=client-secret&refresh_token=first",
    400,
    "Parameter 'grant_type' has an invalid value"
)]
#[case(
    "grant_type=refresh_token&client_id=other&client_secret=client-secret&refresh_token=first",
    401,
    "The client is unknown, or its secret is wrong."
)]
#[case(
    "grant_type=refresh_token&client_id=client&client_secret=wrong&refresh_token=first",
    401,
    "The client is unknown, or its secret is wrong."
)]
#[tokio::test(start_paused = true)]
async fn a_wrong_grant_is_refused(#[case] body: &str, #[case] status: u16, #[case] text: &str) {
    let answer = form(&with(app()), body).await;
    assert_eq!((answer.status, answer.message().as_str()), (status, text));
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_a_form_and_nothing_else() {
    let sandbox = with(app());
    let body = json!({ "grant_type": "refresh_token" });
    let json = request("POST", "/v1/access_token", "x", &body);
    assert_eq!(try_send(&sandbox, json).await.unwrap().status, 415);
    let get = request("GET", "/v1/access_token", "x", &Value::Null);
    assert_eq!(try_send(&sandbox, get).await.unwrap().status, 405);
}

#[tokio::test(start_paused = true)]
async fn an_app_is_made_changed_and_shown_over_the_control_api_without_its_secrets() {
    let sandbox = Sandbox::default();
    let (status, bot) = control(
        &sandbox,
        "POST",
        "bots",
        r#"{"name": "team", "service_app": {"client_id": "client",
            "client_secret": "client-secret", "refresh_token": "first", "expires_in": 60}}"#,
    );
    assert_eq!(status, 201, "{bot}");
    let token = text(&refresh(&sandbox, "first").await, "access_token");
    let (_, bots) = control(&sandbox, "GET", "bots", "");
    assert_eq!(
        bots[1]["service_app"],
        json!({ "client_id": "client", "expires_in": 60, "rotate_refresh_token": false,
            "refreshes": 1, "valid_tokens": 1 })
    );
    for secret in ["client-secret", "first", &token] {
        assert!(!bots.to_string().contains(secret), "{bots}");
    }
    let patch = r#"{"service_app": {"expire_tokens": true, "refresh_token": "second"}}"#;
    assert_eq!(control(&sandbox, "PATCH", "bots/team", patch).0, 200);
    assert_eq!(me(&sandbox, &token).await.status, 401);
    assert_eq!(refresh(&sandbox, "first").await.status, 400);
    assert_eq!(refresh(&sandbox, "second").await.status, 200);
    sandbox.revoke_token("team").unwrap();
    assert_eq!(refresh(&sandbox, "second").await.status, 400);
    let same_client = sandbox.add_service_app("other", app());
    assert!(matches!(same_client, Err(Error::ClientTaken)));
}

#[tokio::test(start_paused = true)]
async fn a_fault_on_the_renewal_meets_it() {
    let sandbox = with(app());
    let fault = Fault::new(Effect::Status {
        code: 503,
        retry_after: None,
        body: FaultBody::Empty,
    });
    let fault = fault.on("POST", "/v1/access_token").bot("team").times(1);
    sandbox.set_fault(fault).unwrap();
    assert_eq!(refresh(&sandbox, "first").await.status, 503);
    assert_eq!(refresh(&sandbox, "first").await.status, 200);
    let requests = sandbox.requests();
    assert_eq!(requests[0].bot.as_deref(), Some("team"));
}

#[tokio::test(start_paused = true)]
async fn a_token_says_when_it_expires() {
    let sandbox = with(app().expires_in(60));
    let path = "/v1/authorizations/tokenExpiry";
    let token = text(&refresh(&sandbox, "first").await, "access_token");
    let answer = try_send(&sandbox, request("GET", path, &token, &Value::Null))
        .await
        .unwrap();
    let ahead = answer.json()["exp"].as_i64().unwrap() - jiff::Timestamp::now().as_millisecond();
    assert!((50_000..=60_000).contains(&ahead), "{ahead}");
    let answer = call(&sandbox, "GET", path, &Value::Null).await;
    assert!(answer.json()["exp"].as_i64().unwrap() > 4_000_000_000_000);
}
