//! The page at `/`: its files, compiled in, and the headers that keep them harmless.
//!
//! It reads the control API like anybody else. Everything that it shows is untrusted: HTML
//! comes sanitised from `markdown.rs`, all else is set as text, and the policy below would stop
//! a script that got through. Nothing is loaded from other hosts.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

/// A file of the page: where it is served, its content type, what it holds.
type File = (&'static str, &'static str, &'static str);

/// All files of the page. There is no other way to serve one.
pub(super) const FILES: [File; 22] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/icon.svg", ICON, include_str!("page/icon.svg")),
    ("/style.css", STYLE, include_str!("page/style.css")),
    ("/spaces.css", STYLE, include_str!("page/spaces.css")),
    ("/card.css", STYLE, include_str!("page/card.css")),
    ("/chaos.css", STYLE, include_str!("page/chaos.css")),
    ("/page.js", SCRIPT, include_str!("page/page.js")),
    ("/ui.js", SCRIPT, include_str!("page/ui.js")),
    ("/spaces.js", SCRIPT, include_str!("page/spaces.js")),
    ("/messages.js", SCRIPT, include_str!("page/messages.js")),
    ("/message.js", SCRIPT, include_str!("page/message.js")),
    ("/details.js", SCRIPT, include_str!("page/details.js")),
    ("/card.js", SCRIPT, include_str!("page/card.js")),
    ("/cardtext.js", SCRIPT, include_str!("page/cardtext.js")),
    ("/chaos.js", SCRIPT, include_str!("page/chaos.js")),
    ("/bots.js", SCRIPT, include_str!("page/bots.js")),
    (
        "/playground.css",
        STYLE,
        include_str!("page/playground.css"),
    ),
    ("/playground.js", SCRIPT, include_str!("page/playground.js")),
    ("/editor.js", SCRIPT, include_str!("page/editor.js")),
    ("/result.js", SCRIPT, include_str!("page/result.js")),
    ("/samples.js", SCRIPT, include_str!("page/samples.js")),
    ("/receiver.js", SCRIPT, include_str!("page/receiver.js")),
];

/// The page or one of its files.
pub(super) fn answer(request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path();
    let Some((_, content_type, body)) = FILES.iter().find(|(known, ..)| *known == path) else {
        return plain(
            StatusCode::NOT_FOUND,
            "There is nothing here. The page is at /.\n",
        );
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "Only GET is answered here.\n",
        );
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    with_headers(StatusCode::OK, content_type, body)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    with_headers(status, "text/plain; charset=utf-8", text)
}

fn with_headers(
    status: StatusCode,
    content_type: &'static str,
    body: &'static str,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // A new version of the binary is a new page.
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
