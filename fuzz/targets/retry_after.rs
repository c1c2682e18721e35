#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| alertmanager_webex::fuzzing::run("retry_after", input));
