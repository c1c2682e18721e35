//! The practical limit: what a relay cannot do without.
//!
//! Takes a webhook with actix-web, parses it with serde, renders this project's `default.md`
//! with Tera, and posts the result with reqwest. No routing, no checks, no limits, no escaping
//! for Markdown, no splitting, no joining, no queue, no retries, no log, no metrics. The filters
//! that the template needs do the least that shows the same.
//!
//! ```text
//! floor 127.0.0.1:9091 http://127.0.0.1:9092/v1/messages
//! ```

mod filters;
mod notification;

use std::net::SocketAddr;

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context as _, Result};
use serde::Serialize;
use tera::Tera;

use notification::Notification;

/// This project's own.
const TEMPLATE: &str = include_str!("../../../templates/default.md");

struct Floor {
    tera: Tera,
    client: reqwest::Client,
    chat: reqwest::Url,
}

/// What the chat takes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    room_id: &'a str,
    markdown: &'a str,
}

#[actix_web::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: floor ADDRESS URL");
    let address: SocketAddr = next()?.parse()?;
    let chat = next()?.parse()?;
    // Only the first call does something, and this is it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut tera = Tera::new();
    tera.autoescape_on([".md"]);
    filters::register(&mut tera);
    tera.add_raw_template("default.md", TEMPLATE)?;
    let floor = Data::new(Floor {
        tera,
        client: reqwest::Client::builder().build()?,
        chat,
    });
    let app = move || {
        App::new()
            .app_data(floor.clone())
            .route("/alertmanager", web::post().to(receive))
            .route("/-/ready", web::get().to(HttpResponse::Ok))
    };
    HttpServer::new(app).workers(2).bind(address)?.run().await?;
    Ok(())
}

async fn receive(body: Bytes, floor: Data<Floor>) -> HttpResponse {
    let Ok(notification) = serde_json::from_slice::<Notification<'_>>(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    let Ok(markdown) = notification.render(&floor.tera) else {
        return HttpResponse::InternalServerError().finish();
    };
    drop(notification);
    drop(body);
    let message = Message {
        room_id: "Y2lzY29zcGFyazovL3VzL1JPT00vYmVuY2g",
        markdown: &markdown,
    };
    let Ok(json) = serde_json::to_vec(&message) else {
        return HttpResponse::InternalServerError().finish();
    };
    let request = floor.client.post(floor.chat.clone());
    let request = request
        .header("authorization", "Bearer bench")
        .header("content-type", "application/json");
    match request.body(json).send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            // The body is read, so that the connection can be used again.
            let whole = answer.bytes().await.is_ok();
            let status = if whole { status } else { 502 };
            actix_web::http::StatusCode::from_u16(status)
                .map_or_else(|_| HttpResponse::BadGateway(), HttpResponse::build)
                .finish()
        }
        Err(_) => HttpResponse::BadGateway().finish(),
    }
}
