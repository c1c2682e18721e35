//! What the service tells of itself: logs, metrics and traces.
//!
//! A leaf: it knows nobody else's types, so that everybody may tell it things.

mod logs;
mod metrics;
mod traces;

pub use logs::{LineFormat, LogError, LogLayer, LogLevel, Logs, init_logs, log_layer};
pub use metrics::{
    FALLBACK_REASONS, Labels as MetricLabels, MessageKind, Metrics, RENEWALS, ReceiverSeries,
    catalogue,
};
pub use traces::{Kind as SpanKind, Moment, Trace, trace_id};
#[cfg(feature = "otel")]
pub use traces::{Traces, TracesError};
