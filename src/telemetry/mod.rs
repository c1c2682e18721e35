//! What the service tells of itself: logs and metrics.
//!
//! A leaf: it knows nobody else's types, so that everybody may tell it things.

mod logs;
mod metrics;

pub use logs::{LogError, init_logs};
pub use metrics::{
    FALLBACK_REASONS, Labels as MetricLabels, MessageKind, Metrics, RENEWALS, ReceiverSeries,
    catalogue,
};
