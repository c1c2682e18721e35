//! What the service promises, tried from outside. One binary, so that it links once.

mod answers;
mod delivery;
mod fixtures;
mod harness;
