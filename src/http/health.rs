//! `GET /-/healthy`, `GET /-/ready`: as in Prometheus and Alertmanager. Whoever asks keeps no
//! connection, since anybody may ask.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::Service;

/// The process answers.
pub(super) async fn healthy() -> HttpResponse {
    HttpResponse::Ok()
        .force_close()
        .body("alertmanager-webex is Healthy.\n")
}

/// New notifications are taken. Webex being down is not unready: Alertmanager needs our 503
/// and its reason rather than a missing endpoint.
pub(super) async fn ready(service: Data<Service>) -> HttpResponse {
    if service.engine.is_ready() {
        HttpResponse::Ok()
            .force_close()
            .body("alertmanager-webex is Ready.\n")
    } else {
        HttpResponse::ServiceUnavailable()
            .force_close()
            .body("alertmanager-webex is about to end.\n")
    }
}
