//! The structure, as the documentation tells it: dependencies point one way
//! (`docs/architecture.md`), and the tests that it names are there (`docs/reliability.md`).

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

/// Whether a test, or a module of tests, of this binary has this name.
fn is_test(name: &str) -> bool {
    let mut folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")).to_owned();
    let mut file = folder.join("main.rs");
    name.split("::").all(|part| {
        let text = std::fs::read_to_string(&file).unwrap();
        if text.contains(&format!("mod {part};")) {
            folder.push(part);
            let (alone, in_folder) = (folder.with_extension("rs"), folder.join("mod.rs"));
            file = if alone.exists() { alone } else { in_folder };
            return true;
        }
        text.contains(&format!("fn {part}("))
    })
}

#[test]
fn the_tests_of_the_page_on_reliability_are_there() {
    let page = include_str!("../../docs/reliability.md");
    let (_, table) = page.split_once("| promise | test | seen |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let mut names = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let tests = row.split(" | ").nth(1).unwrap();
        for name in tests.split('`').skip(1).step_by(2) {
            names += 1;
            assert!(is_test(name), "no test has the name {name}");
        }
    }
    assert!(names > 10, "the page is read: {names}");
    assert!(!is_test("delivery::no_such_test"));
}
