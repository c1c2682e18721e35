//! `GET /metrics`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::Service;

/// What Prometheus asks for and understands since 2.5.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of the process.
pub(super) async fn metrics(service: Data<Service>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(OPEN_METRICS)
        .body(service.metrics.text())
}
