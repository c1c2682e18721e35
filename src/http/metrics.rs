//! `GET /metrics`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::Service;
use super::answers::Answer;

/// What Prometheus asks for and understands since 2.5.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of the process.
pub(super) async fn metrics(request: HttpRequest, service: Data<Service>) -> HttpResponse {
    if let Err(rejection) = service.current.load().callers.admit_admin(request.head()) {
        return Answer::from(rejection).into_response();
    }
    HttpResponse::Ok()
        .content_type(OPEN_METRICS)
        .body(service.metrics.text())
}
