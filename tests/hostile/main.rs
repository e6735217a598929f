//! What strangers and members who lie can do, and cannot: the limits of `docs/limits.md`, each reached and told, and the
//! promises of `docs/threat-model.md`.

#[path = "../common/mod.rs"]
mod common;

mod acks;
mod content;
mod delivery;
mod documents;
mod limits;
mod limits_document;
mod names;
mod traffic;
