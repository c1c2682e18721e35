//! What templates can call besides Tera's own filters and functions. `docs/templates.md`
//! lists them; keep the two alike.
//!
//! Alertmanager's functions have Alertmanager's names, in `snake_case`, and its meaning. A
//! filter that makes Markdown escapes what it is given and returns safe text.
//!
//! What does not belong here: how the things themselves are made (`links`, `time`, `layout`,
//! `pattern`, …).

mod call;
mod collections;
mod json;
mod markup;
mod text;
mod times;

use std::sync::Arc;

use tera::Tera;

use self::call::{Kit, Registry};
use super::Locality;
use super::pattern::Patterns;

/// Registers all of them. Must come before templates are added: Tera checks the names then.
/// For cards nothing that they return is safe.
pub(super) fn register(tera: &mut Tera, locality: &Arc<Locality>, is_card: bool) {
    let kit = Kit {
        locality: Arc::clone(locality),
        patterns: Arc::new(Patterns::default()),
        is_card,
    };
    let mut registry = Registry { tera, kit };
    collections::register(&mut registry);
    markup::register(&mut registry);
    text::register(&mut registry);
    times::register(&mut registry);
}

#[cfg(test)]
mod parity;
#[cfg(test)]
mod tests;
