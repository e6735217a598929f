//! What all benchmarks share: the figures and their limits, the chat they measure, and the baseline.

#![allow(dead_code)] // Each benchmark is a crate of its own and uses some of it.

pub mod chat;
pub mod figure;
pub mod prost_message;
pub mod timing;
