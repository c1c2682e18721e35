//! The unit of `examples/systemd` starts what there is, with the token where it is looked for.

use crate::programs::ours;

const UNIT: &str = include_str!("../../examples/systemd/alertmanager-webex.service");
const NAME: &str = "alertmanager-webex.service";

fn value(key: &str) -> &'static str {
    let value = |line: &'static str| line.strip_prefix(key)?.strip_prefix('=');
    UNIT.lines().find_map(value).unwrap()
}

#[test]
fn what_the_unit_starts_is_a_command_line_that_we_take() {
    let mut words = value("ExecStart").split_whitespace();
    assert!(words.next().unwrap().ends_with("/alertmanager-webex"));
    // Its file is not on this machine, which is found only once the words are understood.
    let words: Vec<_> = words
        .map(|word| word.replace("/etc/", "/nowhere/"))
        .collect();
    let output = ours().args(&words).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = "cannot read the configuration /nowhere/alertmanager-webex/config.toml";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn its_configuration_is_sound_and_looks_for_the_token_where_the_unit_puts_it() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/systemd/config.toml");
    let output = ours().args(["check", "--config", file]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let (credential, _) = value("LoadCredential").split_once(':').unwrap();
    let path = format!("/run/credentials/{NAME}/{credential}");
    let config = std::fs::read_to_string(file).unwrap();
    assert!(
        config.contains(&format!("token_file = \"{path}\"")),
        "{path}"
    );
}
