//! Replaces a secret's file whole: a reader finds the old text or the new one, and never half
//! of either, whenever the machine stops.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

/// Only its owner.
const PRIVATE: u32 = 0o600;
/// What of a mode is for the owner.
const OF_OWNER: u32 = 0o700;

/// Puts a secret where another one is. Group and mode stay; where the group cannot be kept,
/// its rights are not either.
///
/// # Errors
/// When the folder takes no new file, or the file is not there.
pub fn replace_secret(file: &Path, secret: &SecretString) -> io::Result<()> {
    let (file, beside) = places(file)?;
    let written = begin(&beside).and_then(|mut new| {
        new.write_all(secret.expose_secret().as_bytes())?;
        new.write_all(b"\n")?;
        keep_rights(&file, &new, &beside)?;
        new.sync_all()?;
        std::fs::rename(&beside, &file)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
        return written;
    }
    // The rename itself; some file systems cannot do this for a folder.
    if let Some(folder) = file.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Tries whether [`replace_secret`] could do its work. A file beside it is made for that, and
/// removed again: rights alone do not tell of file systems that are read-only or full.
///
/// # Errors
/// When it could not.
pub fn can_replace_secret(file: &Path) -> io::Result<()> {
    let (_, beside) = places(file)?;
    begin(&beside)?;
    std::fs::remove_file(&beside)
}

/// The file itself, where a link leads to it, and one beside it.
fn places(file: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let file = file.canonicalize()?;
    let mut name = std::ffi::OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(".new");
    let beside = file.with_file_name(name);
    Ok((file, beside))
}

/// A new file that nobody else can read. One that was left behind goes.
fn begin(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path)
}

fn keep_rights(old: &Path, new: &File, path: &Path) -> io::Result<()> {
    let old = std::fs::metadata(old)?;
    // Only root may give a file away; whoever owns it may choose among its groups.
    if chown(path, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = chown(path, None, Some(old.gid()));
    }
    let mut mode = old.mode() & 0o777;
    if new.metadata()?.gid() != old.gid() {
        mode &= OF_OWNER;
    }
    new.set_permissions(Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_replaced_with_its_rights_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("refresh");
        std::fs::write(&file, "old\n").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        std::fs::write(folder.path().join(".refresh.new"), "of a crash").unwrap();

        can_replace_secret(&link).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old\n");
        replace_secret(&link, &"new".to_owned().into()).unwrap();

        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\n");
        assert!(link.is_symlink(), "the link stays one");
        let found = std::fs::metadata(&file).unwrap();
        assert_eq!(found.mode() & 0o777, 0o640);
        let names = std::fs::read_dir(folder.path()).unwrap();
        assert_eq!(names.count(), 2);
    }

    #[test]
    fn where_nothing_can_be_put_beside_it_the_old_secret_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("refresh");
        std::fs::write(&file, "old\n").unwrap();
        // Holds also for root, which a folder without rights would not keep out.
        std::fs::create_dir(folder.path().join(".refresh.new")).unwrap();
        assert!(can_replace_secret(&file).is_err());
        assert!(replace_secret(&file, &"new".to_owned().into()).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old\n");
        let missing = folder.path().join("missing");
        assert!(replace_secret(&missing, &"new".to_owned().into()).is_err());
        assert!(!missing.exists());
    }
}
