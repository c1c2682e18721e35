//! A relay as a process, and what the kernel accounts to it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A relay that does not answer within this time does not start.
const START: Duration = Duration::from_secs(60);
/// How often is asked whether it is ready.
const POLL: Duration = Duration::from_micros(200);

/// A relay that runs. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    /// Whose numbers are read: the child itself, unless it starts another.
    pub(crate) ready_after: Duration,
}

/// What was used since the start.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    /// User and system time of all threads that there are.
    pub(crate) cpu: Duration,
    /// How often a thread was taken off the processor, by its own will or not.
    pub(crate) switches: u64,
}

/// A port of loopback that nothing listens on at the moment.
pub(crate) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Process {
    /// Starts it and waits until it answers a GET of this path with 200.
    pub(crate) fn start(mut command: Command, address: SocketAddr, ready: &str) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut process = Self {
            child,
            ready_after: Duration::ZERO,
        };
        while begun.elapsed() < START {
            if is_ready(address, ready).unwrap_or(false) {
                process.ready_after = begun.elapsed();
                return Ok(process);
            }
            if let Some(status) = process.child.try_wait()? {
                bail!("{} ended with {status}", command.get_program().display());
            }
            std::thread::sleep(POLL);
        }
        bail!(
            "{} did not answer within {} s",
            command.get_program().display(),
            START.as_secs()
        )
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }

    fn status_kib(&self, key: &str) -> Result<f64> {
        let status = self.proc("status")?;
        number(&status, key).with_context(|| format!("no {key} in the process's status"))
    }

    /// Resident memory now, in MiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        Ok(self.status_kib("VmRSS:")? / 1024.0)
    }

    /// The most that was resident, in MiB.
    pub(crate) fn peak(&self) -> Result<f64> {
        Ok(self.status_kib("VmHWM:")? / 1024.0)
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> Result<f64> {
        self.status_kib("Threads:")
    }

    /// What its threads have used so far.
    pub(crate) fn used(&self) -> Result<Used> {
        let mut used = Used::default();
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = task?.path();
            // A thread may end between the one and the other.
            let Ok(times) = std::fs::read_to_string(task.join("schedstat")) else {
                continue;
            };
            let nanoseconds = times.split(' ').next().and_then(|time| time.parse().ok());
            used.cpu += Duration::from_nanos(nanoseconds.context("no time in schedstat")?);
            let Ok(status) = std::fs::read_to_string(task.join("status")) else {
                continue;
            };
            for line in status.lines() {
                if let Some((key, value)) = line.split_once(':')
                    && key.ends_with("voluntary_ctxt_switches")
                {
                    used.switches += value.trim().parse::<u64>()?;
                }
            }
        }
        Ok(used)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").arg(pid).status()?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > START {
                bail!("it did not end within {} s", START.as_secs());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

fn is_ready(address: SocketAddr, path: &str) -> Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}
