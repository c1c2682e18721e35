//! Takes Alertmanager's webhook notifications, renders them through Tera templates, and
//! posts them to Webex within Webex's rate limits.
//!
//! The promise that everything here follows from: **a 2xx means that Webex has the
//! message; anything else means that Alertmanager still owns it, and the answer says why.**
//!
//! The modules stand in the order in which an alert passes them; `docs/architecture.md`
//! tells the way in words.

pub mod alertmanager;
pub mod delivery;
pub mod http;
pub mod render;
pub mod routing;
pub mod webex;

pub mod app;
pub mod cli;
pub mod config;
pub mod dev;
pub mod prepared;
pub mod reload;
pub mod sandbox;
pub mod secrets;
pub mod telemetry;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
