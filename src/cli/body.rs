//! The notification that a subcommand works on: a file, stdin, or one of the built-in ones.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::output::tell;
use crate::render::samples::{self, Sample, Sequence};

/// The notification that a subcommand works on.
#[derive(Debug, clap::Args)]
pub(super) struct BodyArgument {
    /// A webhook body of Alertmanager; without it, or as `-`, stdin is read
    #[arg(conflicts_with = "sample")]
    pub(super) file: Option<PathBuf>,
    /// One of the built-in notifications instead, or a sequence of them
    #[arg(long, value_name = "NAME", value_parser = sample_parser())]
    pub(super) sample: Option<BuiltIn>,
}

/// What `--sample` names.
#[derive(Debug, Clone, Copy)]
pub(super) enum BuiltIn {
    /// One notification.
    Sample(&'static Sample),
    /// Several of one group.
    Sequence(&'static Sequence),
}

/// Takes the name of a sample, and lists all of them in help and errors.
fn sample_parser() -> impl TypedValueParser<Value = BuiltIn> {
    let values = built_in_samples().map(|(name, shows)| PossibleValue::new(name).help(shows));
    PossibleValuesParser::new(values).try_map(|name| {
        samples::find(&name)
            .map(BuiltIn::Sample)
            .or_else(|| samples::find_sequence(&name).map(BuiltIn::Sequence))
            .ok_or_else(|| format!("no sample is named `{name}`"))
    })
}

/// Name of each sample and sequence, and what it shows.
pub(super) fn built_in_samples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let samples = samples::ALL.iter();
    let sequences = samples::SEQUENCES.iter();
    samples
        .map(|sample| (sample.name, sample.shows))
        .chain(sequences.map(|sequence| (sequence.name, sequence.shows)))
}

impl BodyArgument {
    /// The notifications that are asked for, where these are a sequence.
    pub(super) fn sequence(&self) -> Option<&'static Sequence> {
        match self.sample {
            Some(BuiltIn::Sequence(sequence)) => Some(sequence),
            _ => None,
        }
    }

    /// Reads the notification, of a sequence the last; a sample is as if it happened now.
    pub(super) fn read(&self, now: jiff::Timestamp) -> anyhow::Result<Vec<u8>> {
        match self.sample {
            Some(BuiltIn::Sample(sample)) => Ok(sample.body_at(now).into_bytes()),
            Some(BuiltIn::Sequence(sequence)) => {
                let last = sequence.steps.last().context("the sequence is empty")?;
                Ok(last.body(now, now).into_bytes())
            }
            None => read(self.file.as_ref()),
        }
    }
}

/// Reads a notification from a file, or from stdin where there is none or it is `-`.
pub(super) fn read(file: Option<&PathBuf>) -> anyhow::Result<Vec<u8>> {
    if let Some(path) = file.filter(|path| path.as_os_str() != "-") {
        return std::fs::read(path).with_context(|| {
            format!(
                "cannot read {}; name a file with a webhook body, or `-` for stdin",
                path.display()
            )
        });
    }
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        tell("reading a notification from stdin; end it with Ctrl-D");
    }
    let mut body = Vec::new();
    stdin.read_to_end(&mut body).context("cannot read stdin")?;
    Ok(body)
}
