//! Kubernetes as far as it goes without nodes: etcd, kube-apiserver and prometheus-operator, all
//! real, and the chart installed into them by Helm.
//!
//! Nobody schedules pods here and no kubelet runs them. So [`kubelet`] does what a node would: it
//! mounts what the pod's template names, and runs its container in a file system of its own, with
//! the command, the environment and the user that stand there.
//!
//! `make test-cluster` runs these tests, each with a control plane of its own.

mod admission;
mod commands;
mod control_plane;
mod helm_test;
mod kubelet;
mod operator;
mod page;
mod project;
mod scenarios;
mod whole_way;
mod with_tls;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Does something that takes a while, and says so as `tools/step` does.
#[expect(
    clippy::print_stderr,
    reason = "whoever waits wants to see what is going on"
)]
fn step<T>(text: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    eprintln!("    {text}");
    let done = work();
    let seconds = start.elapsed().as_secs();
    if seconds > 2 {
        eprintln!("        done in {seconds} s");
    }
    done
}

/// An address on loopback that no other test has, so that ports can be the usual ones.
fn address(number: u8) -> Ipv4Addr {
    let [_, _, middle, low] = std::process::id().to_be_bytes();
    // Those from 100 on are for storms.
    assert!(number < 100, "there are too many pods");
    Ipv4Addr::new(127, number.max(1), middle, low.max(1))
}

/// A program, or a folder of them, that the Makefile installs and names.
fn installed(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let Some(path) = path.filter(|path| path.exists()) else {
        panic!("{variable} names nothing that exists; run `make test-cluster`, which installs it")
    };
    path
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
