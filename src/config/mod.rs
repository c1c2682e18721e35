//! The configuration: defaults, file, environment, and the judgement over the whole.
//!
//! `settings` is the shape, `layers` reads it, `resolve` turns names into things, with
//! `judge`, `receivers` and `messages` for what makes no sense. All that is wrong is told at once, with
//! key, place and remedy (`problem`, `places`, `expected`), and without the value: it may be
//! a token in the wrong place. Secrets come from files or the environment only, in a type
//! that cannot show them (`crate::secrets`). `schema` describes the shape for other programs.
//!
//! What does not belong here: what the settings are used for.

mod bots;
mod callers;
#[cfg(test)]
mod documentation;
#[cfg(test)]
mod example;
mod expected;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod identity;
mod judge;
mod layers;
mod messages;
mod outline;
mod places;
mod problem;
mod receivers;
mod replace;
mod resolve;
mod room_id;
mod rooms;
mod schema;
mod settings;
mod tenancy;
mod units;
mod variables;
mod webex;
mod webhooks;

pub use files::{Files, Seen};
pub use identity::{AppSecrets, Identity, ServiceApp};
pub use layers::Sources;
pub use outline::{Changes, NEEDS_RESTART, Names, Outline};
pub use problem::{ConfigError, Place, Problem, Severity};
pub use replace::{can_replace_secret, replace_secret};
pub use resolve::{Bot, Config, Draft};
pub use rooms::{Room, RoomFile};
pub use schema::schema;
pub use settings::{Delivery, Links, Log, LogFormat, Server, Settings, Templates, Tls};
pub use webex::{Proxy, ProxyCredentials, Webex};
