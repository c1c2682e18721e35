//! Says when files may have changed.
//!
//! Watched are folders: a `ConfigMap` is a link that Kubernetes swaps, and editors replace
//! files as well, after which a watch of the file itself sees nothing any more. Whether
//! something changed indeed is for who asked to find out; here a storm of events is one.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// So long nothing more must happen before it is looked at what did.
const QUIET: Duration = Duration::from_millis(250);
/// Nobody waits longer for the quiet than this.
const PATIENCE: Duration = Duration::from_secs(2);
/// Files are looked at so often in any case: not every file system tells of changes, and
/// what was refused may hang on a file in a folder that is not watched.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// And so often where the system does not tell of changes at all.
const POLL_EVERY: Duration = Duration::from_secs(5);

/// Watches folders.
pub(super) struct Watch {
    /// None where the system cannot tell.
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    events: mpsc::Receiver<()>,
    /// Something happened that was not looked at yet.
    pending: bool,
}

impl Watch {
    /// Watches nothing yet.
    pub(super) fn new() -> Self {
        let (tell, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| is_change(event.kind)) {
                // Where one waits to be seen, another one is nothing new.
                let _ = tell.try_send(());
            }
        });
        let watcher = watcher.inspect_err(|error| {
            let poll_seconds = POLL_EVERY.as_secs();
            tracing::warn!(
                poll_seconds, %error,
                "the system does not tell of changed files ({error}), so they are looked at every {poll_seconds} s; on Linux, raise `fs.inotify.max_user_instances`",
            );
        });
        Self {
            watcher: watcher.ok(),
            folders: BTreeSet::new(),
            events,
            pending: false,
        }
    }

    /// Watches these folders from now on, and no others. A folder that was swapped for
    /// another of its name is watched anew.
    pub(super) fn follow(&mut self, folders: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for folder in self.folders.difference(&folders) {
            // It is gone, or it was never watched; either way nothing is told of it.
            let _ = watcher.unwatch(folder);
        }
        for folder in &folders {
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                // What is looked at once in a while is found all the same, only later.
                let folder = folder.display();
                tracing::debug!(%folder, %error, "the folder {folder} cannot be watched: {error}");
            }
        }
        self.folders = folders;
    }

    /// Whether something happened since it was last waited for.
    pub(super) fn is_pending(&mut self) -> bool {
        self.pending |= self.events.try_recv().is_ok();
        self.pending
    }

    /// Waits until it is time to look at the files: a moment after the last event of
    /// several, or once in a while. May be dropped at any time.
    pub(super) async fn time_to_look(&mut self) {
        let (every, closed) = match self.watcher {
            Some(_) => (LOOK_EVERY, false),
            None => (POLL_EVERY, true),
        };
        if !self.pending {
            if closed {
                tokio::time::sleep(every).await;
                return;
            }
            if timeout(every, self.events.recv()).await.is_err() {
                return;
            }
            self.pending = true;
        }
        let latest = Instant::now() + PATIENCE;
        loop {
            let quiet = (Instant::now() + QUIET).min(latest);
            tokio::select! {
                Some(()) = self.events.recv() => {}
                () = sleep_until(quiet) => break,
            }
            if Instant::now() >= latest {
                break;
            }
        }
        self.pending = false;
    }
}

/// That somebody reads a file, as we do, is no change.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}
