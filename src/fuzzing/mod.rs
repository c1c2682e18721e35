//! What has to hold whatever the input: the targets of `cargo fuzz`, which are tests too.
//!
//! Each target takes bytes and panics where something does not hold that is more than "no
//! panic". The fuzzer runs them over what it makes up (`fuzz/`); the tests below run them over
//! the seeds, over what once broke them, and over damaged seeds, with any compiler.
//!
//! A target stands with what it looks into (`render/fuzzing` and so on). This module is part of
//! tests and of builds by `cargo fuzz` only.

mod payload;

#[cfg(test)]
mod tests;

/// Takes an input, and panics where something does not hold.
pub type Target = fn(&[u8]);

/// All targets, by the names of their seeds' folders.
pub const TARGETS: [(&str, Target); 8] = [
    ("answer", crate::webex::fuzzing::answer),
    ("card", crate::render::fuzzing::card::check),
    ("configuration", crate::config::fuzzing::check),
    ("escape", crate::render::fuzzing::escape::check),
    ("payload", payload::check),
    ("retry_after", crate::delivery::fuzzing::retry_after),
    ("split", crate::render::fuzzing::split::check),
    ("template", crate::render::fuzzing::template::check),
];

/// Runs one target.
///
/// # Panics
/// Where something does not hold, and where there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.expect("each program in fuzz/targets is named as its target");
    target(input);
}
