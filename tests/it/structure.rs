//! The code's structure, as `docs/architecture.md` tells it: dependencies point one way.

use std::path::{Path, PathBuf};

/// The modules from the top down: each knows only those behind it. Those of one group know
/// nothing of each other.
const FLOORS: [&[&str]; 12] = [
    &["cli", "fuzzing"],
    &["dev"],
    &["app"],
    &["reload"],
    &["http", "prepared"],
    &["delivery"],
    &["webex"],
    &["config"],
    &["routing"],
    &["render"],
    &["alertmanager"],
    &["sandbox", "secrets", "telemetry"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a file names, by line. Tests may look anywhere.
fn named(text: &str) -> Vec<(usize, String)> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap();
        for (at, _) in line.match_indices("crate::") {
            let name = &line[at + "crate::".len()..];
            let end = name.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            found.push((number + 1, name[..end.unwrap_or(name.len())].to_owned()));
        }
    }
    found
}

#[test]
fn each_module_knows_only_what_stands_below_it() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut all = Vec::new();
    files(root, &mut all);
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for file in all {
        let path = file.strip_prefix(root).unwrap();
        let is_test = path.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part == "tests" || part == "tests.rs"
        });
        let top = path.components().next().unwrap().as_os_str();
        let module = top.to_string_lossy().trim_end_matches(".rs").to_owned();
        if is_test || ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let own = floor(&module).unwrap_or_else(|| panic!("put `{module}` on a floor"));
        for (line, other) in named(&std::fs::read_to_string(&file).unwrap()) {
            looked_at += 1;
            if other != module && floor(&other).is_some_and(|floor| floor <= own) {
                wrong.push(format!("{}:{line} knows `{other}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(looked_at > 200, "the code is read: {looked_at}");
}
