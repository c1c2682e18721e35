//! `GET /metrics`, in the format that is asked for.
//!
//! Uncompressed: what compresses would be code of its own for a text that Prometheus fetches
//! twice a minute over a network that is near.

use actix_web::http::header::{Accept, Header as _, Quality};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::Service;
use super::answers::Answer;

/// A format of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// What Prometheus prefers since 2.5.
    Open,
    /// What everybody reads.
    Classic,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// All metrics of the process.
pub(super) async fn metrics(request: HttpRequest, service: Data<Service>) -> HttpResponse {
    if let Err(rejection) = service.current.load().callers.admit_admin(request.head()) {
        return Answer::from(rejection).into_response();
    }
    let format = format(Accept::parse(&request).ok().as_ref());
    let text = match format {
        Format::Open => service.metrics.text(),
        Format::Classic => service.metrics.classic_text(),
    };
    HttpResponse::Ok()
        .content_type(format.content_type())
        .body(text)
}

/// The format that is liked best of those that there are. Who asks for none of them, or for
/// nothing, gets the classic one, as Prometheus' own libraries do it.
fn format(accept: Option<&Accept>) -> Format {
    let Some(accept) = accept else {
        return Format::Classic;
    };
    let acceptable = accept.0.iter().filter(|one| one.quality > Quality::ZERO);
    let mut acceptable: Vec<_> = acceptable
        .filter_map(|one| {
            let version = one.item.get_param("version");
            let version = version.as_ref().map_or("", |version| version.as_str());
            let format = match (one.item.essence_str(), version) {
                ("application/openmetrics-text", "" | "1.0.0") => Format::Open,
                ("text/plain", "" | "0.0.4") | ("text/*" | "*/*", _) => Format::Classic,
                _ => return None,
            };
            Some((one.quality, format))
        })
        .collect();
    // Of two that are liked alike, the first.
    acceptable.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    acceptable
        .first()
        .map_or(Format::Classic, |(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_format_that_is_liked_best_is_given() {
        for (accept, expected) in [
            // Prometheus 2.42, and Prometheus 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::Open,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::Open,
            ),
            // With `scrape_protocols: [PrometheusText0.0.4]`, and with protobuf first.
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.2", Format::Classic),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
                Format::Open,
            ),
            // curl and browsers.
            ("*/*", Format::Classic),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Classic),
            ("application/openmetrics-text", Format::Open),
            (
                "text/plain;q=0.5, application/openmetrics-text;q=0.8",
                Format::Open,
            ),
            (
                "application/openmetrics-text;q=0.2, text/plain",
                Format::Classic,
            ),
            ("application/openmetrics-text;q=0, */*", Format::Classic),
            (
                "application/openmetrics-text;version=2.0.0",
                Format::Classic,
            ),
            ("application/json", Format::Classic),
            ("nonsense", Format::Classic),
            ("", Format::Classic),
        ] {
            let request = TestRequest::default().insert_header(("Accept", accept));
            let parsed = Accept::parse(&request.to_http_request()).ok();
            assert_eq!(format(parsed.as_ref()), expected, "{accept}");
        }
        assert_eq!(format(None), Format::Classic);
    }
}
