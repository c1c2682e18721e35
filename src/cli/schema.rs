//! `schema`: the JSON Schema of the configuration.

use std::process::ExitCode;

use super::output::print;
use crate::config;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    print(&serde_json::to_string_pretty(&config::schema())?)?;
    Ok(ExitCode::SUCCESS)
}
