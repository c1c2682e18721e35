//! What tokio knows of the runtime that delivers. Read when somebody looks.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use tokio::runtime::Handle;

use super::catalogue::{TOKIO_BUSY, TOKIO_QUEUE, TOKIO_TASKS, TOKIO_WORKERS};

/// A runtime.
#[derive(Debug)]
pub(super) struct Runtime(pub(super) Handle);

impl Collector for Runtime {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let metrics = self.0.metrics();
        let workers = metrics.num_workers();
        TOKIO_WORKERS.encode(encoder, float(workers))?;
        TOKIO_TASKS.encode(encoder, float(metrics.num_alive_tasks()))?;
        TOKIO_QUEUE.encode(encoder, float(metrics.global_queue_depth()))?;
        // Elsewhere tokio does not count it.
        #[cfg(target_has_atomic = "64")]
        {
            let busy = (0..workers).map(|worker| metrics.worker_total_busy_duration(worker));
            let busy: Duration = busy.sum();
            TOKIO_BUSY.encode(encoder, busy.as_secs_f64())?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "none of it comes near 2^53")]
fn float(number: usize) -> f64 {
    number as f64
}
