//! Does something again whenever files change, until Ctrl-C.
//!
//! Looks at the times of the files a few times a second: that works on every file system, also
//! where a `ConfigMap` is swapped or an editor replaces the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::output::tell;
use super::{runtime, stop_signal};

const EVERY: Duration = Duration::from_millis(300);

/// Time of the last change and size, by path.
type Seen = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Calls `act` now and after each change of one of the paths, or of a file in one of them.
pub(super) fn watch(paths: &[PathBuf], mut act: impl FnMut()) -> anyhow::Result<()> {
    runtime(1)?.block_on(async {
        let stop = stop_signal();
        tokio::pin!(stop);
        let mut seen = look(paths);
        act();
        tell("watching for changes; end it with Ctrl-C");
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                _ = ticks.tick() => {}
            }
            let now = look(paths);
            if now != seen {
                seen = now;
                act();
            }
        }
    })
}

fn look(paths: &[PathBuf]) -> Seen {
    let mut seen = Seen::new();
    for path in paths {
        note(&mut seen, path);
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            note(&mut seen, &entry.path());
        }
    }
    seen
}

/// A file that is gone is not noted, which is a change as well.
fn note(seen: &mut Seen, path: &Path) {
    if let Ok(found) = std::fs::metadata(path) {
        seen.insert(path.to_path_buf(), (found.modified().ok(), found.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_file_in_a_folder_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_path_buf()];
        let empty = look(&paths);
        std::fs::write(folder.path().join("a.md"), "a").unwrap();
        let one = look(&paths);
        assert_ne!(empty, one);
        std::fs::write(folder.path().join("a.md"), "longer").unwrap();
        assert_ne!(one, look(&paths));
    }
}
