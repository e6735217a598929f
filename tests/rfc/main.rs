//! RFC 109 by the sentence: a test for each requirement, named after its number and what it asks for.
//!
//! Two members, made-up time, the public interface, and the bytes as they would go over the network.

#[path = "../common/mod.rs"]
mod common;

mod ack;
mod deliver;
mod ephemeral;
mod incoming;
mod message;
mod outgoing;
mod receive;
mod repair;
mod send;
mod state;
mod sync;
