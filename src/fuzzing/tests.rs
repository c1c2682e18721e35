//! Seeds, damaged seeds, and what once broke a target.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use super::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The files below a folder, sorted; none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn names(files: &[PathBuf]) -> BTreeSet<String> {
    let stem = |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
    files.iter().map(stem).collect()
}

/// Runs a target, and tells which input it was that broke it.
fn holds(name: &str, target: Target, what: &str, input: &[u8]) {
    if catch_unwind(|| target(input)).is_err() {
        let shown = String::from_utf8_lossy(input);
        panic!("{name}, {what}: {shown:?} broke it; see what it said above");
    }
}

fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = files(&folder("fuzz/seeds").join(name));
    if name == "payload" {
        for version in ["0.25", "0.34"] {
            found.extend(files(&folder(&format!(
                "tests/fixtures/alertmanager-{version}"
            ))));
        }
    }
    assert!(!found.is_empty(), "{name} has no seeds");
    let read = |file: PathBuf| {
        let content = fs::read(&file).unwrap();
        (file, content)
    };
    found.into_iter().map(read).collect()
}

#[test]
fn every_seed_holds() {
    for (name, target) in TARGETS {
        for (file, content) in seeds(name) {
            holds(name, target, &file.display().to_string(), &content);
        }
    }
}

#[test]
fn what_once_broke_a_target_holds() {
    let kept = names(&files(&folder("fuzz/regressions")));
    let known = |name: &String| TARGETS.iter().any(|(target, _)| target == name);
    assert!(kept.iter().all(known), "one of {kept:?} is no target");
    assert!(!kept.is_empty());
    for (name, target) in TARGETS {
        for file in files(&folder("fuzz/regressions").join(name)) {
            let content = fs::read(&file).unwrap();
            holds(name, target, &file.display().to_string(), &content);
        }
    }
}

/// A little of what the fuzzer does, for machines that do not run it: each seed without a part of
/// it, with a part twice, and with a byte changed.
#[test]
fn every_damaged_seed_holds() {
    for (name, target) in TARGETS {
        let mut random = fastrand::Rng::with_seed(7);
        for (file, content) in seeds(name) {
            for _ in 0..8 {
                let mut damaged = content.clone();
                let ends = [
                    random.usize(..=content.len()),
                    random.usize(..=content.len()),
                ];
                let part = ends[0].min(ends[1])..ends[0].max(ends[1]);
                match random.u8(..3) {
                    0 => drop(damaged.drain(part)),
                    1 => damaged.extend_from_within(part),
                    _ if content.is_empty() => damaged.push(random.u8(..)),
                    _ => damaged[random.usize(..content.len())] = random.u8(..),
                }
                let what = format!("{}, damaged", file.display());
                holds(name, target, &what, &damaged);
            }
        }
    }
}

#[test]
fn each_target_has_a_program_a_folder_of_seeds_and_a_place_in_the_manifest() {
    let expected: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&files(&folder("fuzz/targets"))), expected);
    assert_eq!(names(&files(&folder("fuzz/seeds"))), expected);
    let manifest = fs::read_to_string(folder("fuzz/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter();
    let programs = programs.map(|program| program["name"].as_str().unwrap().to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), expected);
}
