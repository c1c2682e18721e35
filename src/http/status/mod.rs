//! `GET /` and `GET /api/v1/status`: what the service does and what is wrong, for people and
//! for tools.
//!
//! The page (`page`) holds no data; it asks the API like anybody else. `asked` reads what is
//! asked for, `sight` decides how much of it the caller may see, `judge` says how each receiver
//! is, `view` puts together what is told, which `fields` lists. Nothing is kept for it here: everything is looked up when
//! somebody asks.
//!
//! What does not belong here: what is remembered of receivers (`delivery::standing`).

mod asked;
mod fields;
mod judge;
mod page;
mod sight;
mod view;

#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, guard, web};

use super::answers::{Answer, Rejection};
use super::connection::Peer;
use super::{Door, Service, only};
use asked::Asked;
use sight::Sight;

/// The routes, below the prefix of all paths. They are at both doors, since a receiver's own
/// credentials show its part at each.
pub(super) fn routes(config: &mut ServiceConfig, prefix: &str) {
    let read = || web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    let at = |path: &str| {
        web::resource(format!("{prefix}{path}"))
            .default_service(web::to(async || only("GET or HEAD")))
    };
    // Without its slash, a folder's relative links begin one folder higher.
    if let Some((_, folder)) = prefix.rsplit_once('/') {
        let html = page::index_of(folder);
        let index = move || std::future::ready(page::html(html.clone()));
        config.service(at("").route(read().to(index)));
    }
    config
        .service(at("/").route(read().to(page::index)))
        .service(at("/status/{file}").route(read().to(page::file)))
        .service(at("/api/v1/status").route(read().to(status)));
}

/// The status, as much of it as the caller may see.
async fn status(
    request: HttpRequest,
    service: Data<Service>,
    door: Data<Door>,
) -> Result<HttpResponse, Rejection> {
    let asked = Asked::read(request.query_string())?;
    let current = service.current.load_full();
    let peer = request.conn_data::<Rc<Peer>>().map(AsRef::as_ref);
    let sight = Sight::of(
        &current,
        (**door, service.admin_is_apart),
        (request.head(), peer),
        asked.receiver.as_deref(),
    )?;
    let told = match sight {
        Sight::Whole { all } => view::whole(&service, &current, &asked, all),
        Sight::One(receiver) => view::one(&service, &receiver),
    };
    // A page asks again and again; what it knows need not be sent.
    let mut hasher = DefaultHasher::new();
    told.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let known = request.headers().get(IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok(HttpResponse::NotModified()
            .insert_header((ETAG, tag))
            .finish());
    }
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((ETAG, tag))
        .body(told))
}

impl actix_web::ResponseError for Rejection {
    fn status_code(&self) -> actix_web::http::StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        Answer::refused(self).into_response()
    }
}
