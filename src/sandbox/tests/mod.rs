//! Tests of the sandbox as a whole: through its API, its knobs, and its socket.

mod api;
mod apps;
mod control;
mod events;
mod faults;
mod feed;
mod history;
mod knobs;
mod memberships;
mod messages;
mod openapi;
mod server;
mod strictness;
mod threads;
mod webhooks;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use super::*;

/// An answer, taken apart.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }

    fn id(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["id"].as_str().unwrap().to_owned()
    }
}

fn request(method: &str, path: &str, token: &str, body: &Value) -> Request<Bytes> {
    let builder = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "sandbox.test")
        .header("authorization", format!("Bearer {token}"));
    if body.is_null() {
        builder.body(Bytes::new()).unwrap()
    } else {
        builder
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap()
    }
}

async fn try_send(sandbox: &Sandbox, request: Request<Bytes>) -> Result<Answer, Broken> {
    let (head, body) = sandbox.answer(request).await?.into_parts();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
    })
}

async fn call(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Answer {
    try_send(sandbox, request(method, path, "sandbox", body))
        .await
        .unwrap()
}

/// Posts Markdown to `ops`.
async fn post(sandbox: &Sandbox, markdown: &str) -> Answer {
    let body = json!({ "roomId": ops(sandbox), "markdown": markdown });
    call(sandbox, "POST", "/v1/messages", &body).await
}

fn ops(sandbox: &Sandbox) -> String {
    sandbox.room_id("ops").unwrap()
}

fn card() -> Value {
    json!({
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": { "type": "AdaptiveCard", "version": "1.3", "body": [] }
    })
}
