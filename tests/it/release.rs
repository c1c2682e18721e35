//! What the release workflow runs: `tools/release-*`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A tool, which works on a copy of what it looks at.
fn tool(name: &str, root: &Path, arguments: &[&str]) -> Output {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
    Command::new(tools.join(name))
        .args(arguments)
        .env("ROOT", root)
        .output()
        .unwrap()
}

fn root(version: &str, changelog: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(root.path().join(name), text).unwrap();
    std::fs::create_dir(root.path().join("chart")).unwrap();
    write(
        "Cargo.toml",
        format!(
            "[package]\nname = \"x\"\nversion = \"{version}\"\n\n[dependencies]\nversion = \"9\"\n"
        ),
    );
    write(
        "chart/Chart.yaml",
        format!("name: x\nversion: {version}\nappVersion: \"{version}\"\n"),
    );
    write("CHANGELOG.md", changelog.to_owned());
    root
}

const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n- Next.\n\n## [1.2.3] - 2026-01-01\n\n- Now.\n\n## [1.2.2] - 2025-01-01\n\n- Then.\n";

#[test]
fn a_release_is_named_alike_everywhere_or_not_made() {
    let sound = root("1.2.3", CHANGELOG);
    assert!(
        tool("release-version", sound.path(), &["1.2.3"])
            .status
            .success()
    );
    let candidate = root("1.3.0-rc.1", CHANGELOG);
    assert!(
        tool("release-version", candidate.path(), &["1.3.0-rc.1"])
            .status
            .success()
    );
    for (root, version, expected) in [
        (&sound, "1.2.4", "error: version in Cargo.toml says 1.2.3"),
        (
            &sound,
            "1.2.4",
            "error: appVersion in chart/Chart.yaml says 1.2.3",
        ),
        (
            &sound,
            "1.2.4",
            "error: CHANGELOG.md has no section '## [1.2.4]'",
        ),
        (&sound, "latest", "is no version; a tag is like v1.2.3"),
        (&sound, "1.2.3; rm -rf /", "is no version"),
    ] {
        let told = tool("release-version", root.path(), &[version]);
        assert_eq!(told.status.code(), Some(1), "{version}");
        let told = String::from_utf8(told.stderr).unwrap();
        assert!(told.contains(expected), "{version}: {told}");
    }
}

#[test]
fn notes_are_what_the_changelog_says_of_the_version_and_nothing_else() {
    let root = root("1.2.3", CHANGELOG);
    let notes = |version| {
        let notes = tool("release-notes", root.path(), &[version]);
        let text = String::from_utf8(notes.stdout).unwrap();
        notes.status.success().then_some(text)
    };
    let now = notes("1.2.3").unwrap();
    assert!(
        now.contains("- Now.") && now.contains("docs/verify.md"),
        "{now}"
    );
    assert!(
        !now.contains("- Next.") && !now.contains("- Then."),
        "{now}"
    );
    assert!(notes("1.3.0-rc.1").unwrap().contains("- Next."));
    assert_eq!(notes("9.9.9"), None);
}

#[test]
fn the_same_binaries_make_the_same_archives_which_can_be_executed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for architecture in ["amd64", "arm64"] {
        let binaries = path("binaries").join(architecture);
        std::fs::create_dir_all(&binaries).unwrap();
        // What carries it between jobs forgets that it can be executed.
        std::fs::write(binaries.join("alertmanager-webex"), "#!/bin/sh\necho ran\n").unwrap();
    }
    std::fs::write(path("alertmanager-webex.spdx.json"), "{}").unwrap();
    let pack = |into: &str| -> PathBuf {
        let into = path(into);
        let packed =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/release-archives"))
                .arg("1.2.3")
                .args([
                    path("binaries"),
                    path("alertmanager-webex.spdx.json"),
                    into.clone(),
                ])
                .env("SOURCE_DATE_EPOCH", "1750000000")
                .output()
                .unwrap();
        assert!(packed.status.success(), "{packed:?}");
        into
    };
    let (first, second) = (pack("first"), pack("second"));
    let sums = |folder: &Path| std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    assert_eq!(sums(&first), sums(&second));
    assert_eq!(sums(&first).lines().count(), 3);
    let check = Command::new("sha256sum")
        .args(["--check", "SHA256SUMS"])
        .current_dir(&first)
        .output()
        .unwrap();
    assert!(check.status.success(), "{check:?}");
    let unpack = Command::new("tar")
        .args([
            "--extract",
            "--file",
            "alertmanager-webex-1.2.3-linux-arm64.tar.gz",
        ])
        .current_dir(&first)
        .status()
        .unwrap();
    assert!(unpack.success());
    let unpacked = first.join("alertmanager-webex-1.2.3-linux-arm64");
    let ran = Command::new(unpacked.join("alertmanager-webex"))
        .output()
        .unwrap();
    assert_eq!(ran.stdout, b"ran\n");
    assert!(unpacked.join("config.example.toml").is_file());

    std::fs::remove_file(path("binaries/arm64/alertmanager-webex")).unwrap();
    let packed = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/release-archives"))
        .arg("1.2.3")
        .args([
            path("binaries"),
            path("alertmanager-webex.spdx.json"),
            path("third"),
        ])
        .output()
        .unwrap();
    assert!(!packed.status.success(), "half a release is none");
}
