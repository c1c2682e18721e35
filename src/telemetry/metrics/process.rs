//! What the kernel knows of this process, under the names that Prometheus' own libraries use.
//! Read when somebody looks. What cannot be read is absent, as everything is where there is no
//! `/proc`: a zero would be a lie.

use std::fmt;

use procfs::process::{self, LimitValue};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::catalogue::{
    PROCESS_CPU, PROCESS_MAX_FDS, PROCESS_OPEN_FDS, PROCESS_RESIDENT, PROCESS_START,
    PROCESS_THREADS, PROCESS_VIRTUAL,
};

/// This process.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let Ok(process) = process::Process::myself() else {
            return Ok(());
        };
        if let Ok(open) = process.fd_count() {
            PROCESS_OPEN_FDS.encode(encoder, float(open as u64))?;
        }
        if let Ok(limits) = process.limits()
            && let LimitValue::Value(most) = limits.max_open_files.soft_limit
        {
            PROCESS_MAX_FDS.encode(encoder, float(most))?;
        }
        let Ok(stat) = process.stat() else {
            return Ok(());
        };
        let ticks = float(procfs::ticks_per_second());
        PROCESS_CPU.encode(encoder, float(stat.utime + stat.stime) / ticks)?;
        PROCESS_RESIDENT.encode(encoder, float(stat.rss * procfs::page_size()))?;
        PROCESS_VIRTUAL.encode(encoder, float(stat.vsize))?;
        PROCESS_THREADS.encode(encoder, float(stat.num_threads.unsigned_abs()))?;
        if let Ok(booted) = procfs::boot_time_secs() {
            let started = float(booted) + float(stat.starttime) / ticks;
            PROCESS_START.encode(encoder, started)?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "none of it comes near 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}
