//! The figures about durable state: each beside plain SQLite, with the same settings and the same bytes, in this process.
//!
//! `SDS_SYNCHRONOUS=full|normal|off` says how commits wait for the disk; full is the default, as for users.

#[path = "../common/mod.rs"]
mod common;

mod plain;
mod reopen;
mod write;

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("durable state with synchronous = {}", plain::setting());
    let figures: Vec<_> =
        [write::wrap(), write::batch(), reopen::open(), reopen::seen()].into_iter().flatten().collect();
    common::figure::report(&figures)
}
