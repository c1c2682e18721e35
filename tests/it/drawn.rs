//! How properties of the engine are drawn and run: as many cases as are asked for, each in
//! paused time and from a seed of its own.

use proptest::test_runner::Config;

/// So many cases, unless `PROPTEST_CASES` asks for more.
pub(crate) fn cases(usual: u32) -> Config {
    let default = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if asked { default.cases } else { usual },
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..default
    }
}

/// Runs a case. The engine's own randomness goes back to the seed.
pub(crate) fn in_paused_time<T>(seed: u64, case: impl Future<Output = T>) -> T {
    fastrand::seed(seed);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(case)
}
