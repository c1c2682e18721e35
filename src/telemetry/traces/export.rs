//! Sends spans to a collector: OTLP over HTTP with protobuf, as OpenTelemetry's standard
//! environment variables say.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use super::span::TRACER;

/// So long a collector may take to answer, and so long the end of the process waits for what
/// was not sent yet.
const PATIENCE: Duration = Duration::from_secs(5);

/// Name of the service, where `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` have none.
const SERVICE: &str = "alertmanager-webex";

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The environment asks for what there is not.
    #[error(
        "`{0}` asks for `{1}`, and traces are sent as `http/protobuf` only; unset it, or send them to a collector's port for OTLP over HTTP, mostly 4318"
    )]
    Protocol(&'static str, String),
    /// The environment says something that cannot be used.
    #[error("traces cannot be sent as the variables `OTEL_EXPORTER_OTLP_…` say: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// There is no client.
    #[error("traces cannot be sent: {0}")]
    Client(#[from] reqwest::Error),
}

/// Spans are made and sent as long as this is there.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends spans if an endpoint is set, and does nothing otherwise. Must be called on a
    /// runtime, once in a process.
    ///
    /// # Errors
    /// When the environment says something that cannot be followed.
    pub fn start() -> Result<Self, TracesError> {
        if !is_wanted(|name| std::env::var(name).ok()) {
            return Ok(Self(None));
        }
        check_protocol(|name| std::env::var(name).ok())?;
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client {
                client,
                runtime: tokio::runtime::Handle::current(),
            })
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Telling {
                exporter,
                fails: AtomicBool::new(false),
            })
            .with_resource(resource())
            .build();
        // A second one in this process would find the first; there is none.
        let _ = TRACER.set(provider.tracer(SERVICE));
        Ok(Self(Some(provider)))
    }

    /// Sends what was not sent yet, for a bounded time.
    pub async fn finish(self) {
        if let Some(provider) = self.0 {
            let done = tokio::task::spawn_blocking(move || {
                // What fails was told by the exporter.
                let _ = provider.shutdown_with_timeout(PATIENCE);
            });
            // It gives up by itself; where it does not, nobody waits for it.
            let _ = tokio::time::timeout(PATIENCE + PATIENCE / 5, done).await;
        }
    }
}

/// Whether the environment asks for traces.
fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.trim().is_empty());
    let is_off = |name, word: &str| {
        variable(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
    };
    !is_off("OTEL_SDK_DISABLED", "true")
        && !is_off("OTEL_TRACES_EXPORTER", "none")
        && (is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
}

fn check_protocol(variable: impl Fn(&str) -> Option<String>) -> Result<(), TracesError> {
    let names = [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ];
    // The one for traces wins.
    let set = names
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)));
    match set {
        Some((name, protocol)) if !["", "http/protobuf"].contains(&protocol.trim()) => {
            Err(TracesError::Protocol(name, protocol))
        }
        _ => Ok(()),
    }
}

/// Who sends. The environment wins.
fn resource() -> Resource {
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty())
        || std::env::var("OTEL_RESOURCE_ATTRIBUTES").is_ok_and(|all| {
            all.split(',')
                .any(|one| one.trim().starts_with("service.name="))
        });
    let builder = Resource::builder().with_attribute(opentelemetry::KeyValue::new(
        "service.version",
        env!("CARGO_PKG_VERSION"),
    ));
    if named {
        builder.build()
    } else {
        builder.with_service_name(SERVICE).build()
    }
}

/// Tells the log when a collector begins to fail, and when it takes spans again. Deliveries
/// are not concerned: spans are sent by a thread of their own, and dropped where there are too
/// many.
#[derive(Debug)]
struct Telling<E> {
    exporter: E,
    fails: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Telling<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.exporter.export(batch).await;
        let failed = result.is_err();
        let before = self.fails.swap(failed, Ordering::AcqRel);
        match &result {
            Err(error) if !before => {
                tracing::warn!(
                    %error,
                    "traces cannot be sent, and are dropped until they can; look at the collector and at `OTEL_EXPORTER_OTLP_ENDPOINT`: {error}",
                );
            }
            Ok(()) if before => tracing::info!("traces are sent again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The client that Webex is reached with, without its token and its settings. The exporter
/// runs in a thread that has no runtime.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request)?;
            let answer = client.execute(request).await?;
            let mut whole = Response::new(Bytes::new());
            *whole.status_mut() = answer.status();
            *whole.headers_mut() = answer.headers().clone();
            *whole.body_mut() = answer.bytes().await?;
            Ok::<_, reqwest::Error>(whole)
        });
        Box::pin(async move {
            let answer = sent.await?;
            answer.map_err(|error| HttpError::from(innermost(&error)))
        })
    }
}

/// The innermost cause: the outer ones only repeat the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let _ = error.source();
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |asked| {
            let found = set.iter().find(|(name, _)| *name == asked)?;
            Some(found.1.to_owned())
        }
    }

    #[test]
    fn nothing_is_sent_without_an_endpoint_or_where_it_is_switched_off() {
        const SET: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        assert!(!is_wanted(with(&[])));
        assert!(!is_wanted(with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")])));
        assert!(is_wanted(with(&[SET])));
        assert!(is_wanted(with(&[(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://c:4318/v1/traces"
        )])));
        assert!(!is_wanted(with(&[SET, ("OTEL_SDK_DISABLED", "TRUE")])));
        assert!(!is_wanted(with(&[SET, ("OTEL_TRACES_EXPORTER", "none")])));
    }

    #[test]
    fn another_protocol_is_refused_with_the_remedy() {
        assert!(check_protocol(with(&[])).is_ok());
        let protobuf = with(&[
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ]);
        assert!(check_protocol(protobuf).is_ok(), "the one for traces wins");
        let grpc = check_protocol(with(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]));
        assert_eq!(
            grpc.unwrap_err().to_string(),
            "`OTEL_EXPORTER_OTLP_PROTOCOL` asks for `grpc`, and traces are sent as `http/protobuf` only; unset it, or send them to a collector's port for OTLP over HTTP, mostly 4318"
        );
    }
}
