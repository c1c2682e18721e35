//! What is read before anything runs: a configuration and the templates that it names, judged
//! as a whole. At the start, at each reload, and by every subcommand that looks at one.
//!
//! What does not belong here: what runs by it (`app`), and when it is read again (`reload`).

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Config, ConfigError, Draft, Place, Problem, Seen, Severity, Sources};
use crate::delivery::Configuration;
use crate::render::{self, Renderer};
use crate::webex::Client;

/// A configuration that holds together, and the templates it names.
#[derive(Debug)]
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// The templates.
    pub renderer: Renderer,
    /// What the files held.
    pub seen: Seen,
    /// Where it all comes from.
    pub(crate) sources: Sources,
}

/// Reads configuration and templates and judges them as a whole.
///
/// # Errors
/// With everything that is wrong, all at once.
pub fn prepare(sources: &Sources) -> Result<Prepared, ConfigError> {
    prepare_with(sources, &[])
}

/// As [`prepare`], with files of templates besides those of the directory.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(sources: &Sources, files: &[PathBuf]) -> Result<Prepared, ConfigError> {
    let mut draft = Draft::read(sources)?;
    let seen = draft.seen();
    let options = render::Options {
        files: files.to_vec(),
        ..draft.render_options()
    };
    let renderer = match Renderer::new(&options) {
        Ok(renderer) => Some(renderer),
        Err(render::Error::Broken(broken)) => {
            for template in broken {
                draft.broken_template(problem(template));
            }
            None
        }
        Err(error) => {
            draft.template_problem(error.to_string());
            None
        }
    };
    let config = draft.finish(renderer.as_ref().map(Renderer::names).as_deref())?;
    // Without a renderer a problem was noted, and `finish` has refused.
    let renderer = renderer.ok_or_else(|| ConfigError::Invalid(Vec::new()))?;
    Ok(Prepared {
        config,
        renderer,
        seen,
        sources: sources.clone(),
    })
}

/// A broken template as a problem of the configuration.
fn problem(template: render::BrokenTemplate) -> Problem {
    Problem {
        severity: Severity::Error,
        key: String::new(),
        place: Place::Template(template.place(), template.excerpt),
        message: template.message,
        hint: template.hint,
    }
}

/// What an engine needs to know of a configuration.
#[must_use]
pub fn configuration(config: &Config, renderer: Renderer, client: Client) -> Configuration {
    Configuration {
        settings: config.delivery.clone(),
        bots: config
            .bots
            .iter()
            .chain(&config.webhooks)
            .map(|(name, bot)| (Arc::clone(name), bot.clone()))
            .collect(),
        routes: config.routes.clone(),
        client,
        renderer: Arc::new(renderer),
    }
}
