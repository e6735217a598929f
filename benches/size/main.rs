//! The figures about size: bytes on the wire, and bytes of memory. Counts, the same in every run.

#[path = "../common/mod.rs"]
mod common;

mod heap;
mod memory;
mod overhead;

use std::process::ExitCode;

fn main() -> ExitCode {
    let figures: Vec<_> = overhead::figures().into_iter().chain(memory::figures()).collect();
    common::figure::report(&figures)
}
