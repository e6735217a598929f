//! The figures about speed. Every one is a ratio of two costs measured side by side in this process.

#[path = "../common/mod.rs"]
mod common;

mod ack_review;
mod codec;
mod flat;

use std::process::ExitCode;

fn main() -> ExitCode {
    let figures: Vec<_> = [codec::wrap(), codec::unwrap(), flat::wrap(), flat::unwrap(), ack_review::figures()]
        .into_iter()
        .flatten()
        .collect();
    common::figure::report(&figures)
}
