//! Spans of a trace, as the code that is traced sees them.
//!
//! They are made by hand and not from the spans of `tracing`: one of those ends when the last
//! that holds it is gone, and a delivery holds the request's long after it was answered.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::OnceLock;
use std::time::SystemTime;

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::SdkTracer;

use super::{Kind, parts};

/// Makes spans, if they are exported.
pub(super) static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// A span that is under way, or nothing where nothing is traced. Clones are the same span.
#[derive(Debug, Clone, Default)]
pub struct Trace(Option<Context>);

/// When something began.
#[derive(Debug, Clone, Copy)]
pub struct Moment(SystemTime);

impl Moment {
    /// This one.
    #[must_use]
    pub fn now() -> Self {
        Self(SystemTime::now())
    }
}

impl Trace {
    /// The span of a request that came in, continuing the trace of its caller.
    #[must_use]
    pub fn request(traceparent: Option<&str>, tracestate: Option<&str>) -> Self {
        let Some(tracer) = TRACER.get() else {
            return Self::default();
        };
        let remote = traceparent.and_then(|parent| remote(parent, tracestate));
        let parent = remote.map_or_else(Context::new, |remote| {
            Context::new().with_remote_span_context(remote)
        });
        let builder = tracer
            .span_builder("POST /alertmanager/{receiver}")
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", "POST"),
                KeyValue::new("http.route", "/alertmanager/{receiver}"),
            ]);
        let span = tracer.build_with_context(builder, &parent);
        Self(Some(parent.with_span(span)))
    }

    /// The span in whose scope this is called.
    #[must_use]
    pub fn current() -> Self {
        if TRACER.get().is_none() {
            return Self::default();
        }
        let context = Context::current();
        Self(context.has_active_span().then_some(context))
    }

    /// A part of this one, from now on.
    #[must_use]
    pub fn child(&self, name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        self.part(name.into(), kind, SystemTime::now())
    }

    fn part(&self, name: Cow<'static, str>, kind: Kind, start: SystemTime) -> Self {
        let (Some(parent), Some(tracer)) = (&self.0, TRACER.get()) else {
            return Self::default();
        };
        let kind = match kind {
            Kind::Internal => SpanKind::Internal,
            Kind::Client => SpanKind::Client,
        };
        let builder = tracer
            .span_builder(name)
            .with_kind(kind)
            .with_start_time(start);
        let span = tracer.build_with_context(builder, parent);
        Self(Some(parent.with_span(span)))
    }

    /// It has waited since then, and does no more.
    pub fn waited(&self, since: Moment) {
        self.part("wait".into(), Kind::Internal, since.0).end();
    }

    /// Notes something.
    pub fn set(&self, key: &'static str, value: impl Display) {
        self.attribute(key, || Value::from(value.to_string()));
    }

    /// Notes a number.
    pub fn count(&self, key: &'static str, number: usize) {
        self.attribute(key, || {
            Value::from(i64::try_from(number).unwrap_or(i64::MAX))
        });
    }

    fn attribute(&self, key: &'static str, value: impl FnOnce() -> Value) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(key, value()));
        }
    }

    /// It failed: one word for what happened.
    pub fn failed(&self, why: impl Display) {
        if let Some(context) = &self.0 {
            let why = why.to_string();
            context.span().set_status(Status::error(why.clone()));
            context
                .span()
                .set_attribute(KeyValue::new("error.type", why));
        }
    }

    /// It is done for another one as well.
    pub fn link(&self, other: &Self) {
        if let (Some(context), Some(other)) = (&self.0, &other.0) {
            let other = other.span().span_context().clone();
            context.span().add_link(other, Vec::new());
        }
    }

    /// It ends now.
    pub fn end(&self) {
        if let Some(context) = &self.0 {
            context.span().end();
        }
    }

    /// The id of the trace.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let context = self.0.as_ref()?;
        Some(context.span().span_context().trace_id().to_string())
    }

    /// What is done within `act` finds it as [`Self::current`].
    pub fn in_scope<T>(&self, act: impl FnOnce() -> T) -> T {
        let _scope = self.0.clone().map(Context::attach);
        act()
    }
}

/// The caller's span, by the headers that it sent.
fn remote(traceparent: &str, tracestate: Option<&str>) -> Option<SpanContext> {
    let (trace, parent, flags) = parts(traceparent)?;
    let sampled = u8::from_str_radix(flags, 16).ok()? & TraceFlags::SAMPLED.to_u8();
    let state = tracestate.and_then(|state| state.parse::<TraceState>().ok());
    Some(SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(parent).ok()?,
        TraceFlags::new(sampled),
        true,
        state.unwrap_or_default(),
    ))
}
