//! The decisions that the specification leaves open, each held to what was decided.

#[path = "../common/mod.rs"]
mod common;

mod acks;
mod bounds;
mod channels;
mod clock;
mod edges;
mod filter;
mod ids;
mod log;
mod named;
mod order;
mod own;
mod repair;
mod resend;
mod sync;
mod waiting;
