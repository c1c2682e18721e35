//! The page at `/`: its files, compiled in, and the policy that keeps it harmless.
//!
//! It holds no data and asks nothing of who loads it. What it shows comes from the API and is
//! untrusted: it is set as text, and the policy would stop a script that got through. Links are
//! relative, so that a proxy may put a prefix before them.

use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::web::Path;
use actix_web::{HttpResponse, HttpResponseBuilder};

use super::super::answers::Rejection;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const INDEX: &str = include_str!("page/index.html");
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of the page: its name, its content type, what it holds.
type File = (&'static str, &'static str, &'static str);

/// All files. There is no other way to serve one.
const FILES: [File; 7] = [
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("style.css", STYLE, include_str!("page/style.css")),
    ("page.js", SCRIPT, include_str!("page/page.js")),
    ("ask.js", SCRIPT, include_str!("page/ask.js")),
    ("receivers.js", SCRIPT, include_str!("page/receivers.js")),
    ("words.js", SCRIPT, include_str!("page/words.js")),
    // One way to build elements of untrusted text is easier to keep safe than two.
    ("ui.js", SCRIPT, include_str!("../../sandbox/page/ui.js")),
];

/// The page.
pub(super) async fn index() -> HttpResponse {
    html(INDEX.to_owned())
}

/// The page for an address that ends in `folder` without a slash.
pub(super) fn index_of(folder: &str) -> String {
    INDEX.replace("=\"status/", &format!("=\"{folder}/status/"))
}

pub(super) fn html(body: String) -> HttpResponse {
    builder().content_type(ContentType::html()).body(body)
}

/// A file of the page.
pub(super) async fn file(name: Path<String>) -> Result<HttpResponse, Rejection> {
    let found = FILES.iter().find(|(known, ..)| *known == *name);
    let (_, content_type, body) = found.ok_or(Rejection::NotFound)?;
    Ok(builder().content_type(*content_type).body(*body))
}

fn builder() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY));
    response
}
