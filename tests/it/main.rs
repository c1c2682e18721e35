//! What the service promises, tried from outside. One binary, so that it links once.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod answers;
mod callers;
mod cards;
mod cli;
mod cluster;
mod compose;
mod configuration;
mod conversations;
mod delivery;
mod dev;
mod drawn;
mod fixtures;
mod hardening;
mod harness;
mod healthcheck;
mod logging;
mod metrics;
mod model;
mod online;
mod probes;
mod processes;
mod programs;
mod real_alertmanager;
mod real_callers;
mod real_conversations;
mod real_soak;
mod real_storms;
mod real_tenants;
mod release;
mod reload;
mod reload_files;
mod room_files;
mod scenarios;
mod secrets;
mod send_as_caller;
mod sequences;
mod service_apps;
mod status;
mod structure;
mod systemd;
mod templates;
mod tenancy;
mod tls;
#[cfg(feature = "otel")]
mod traces;
mod way_to_webex;
mod webhooks;
