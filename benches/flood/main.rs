//! `make flood`: a million hostile messages of mixed kinds into one channel, with honest traffic beside them.
//!
//! Two honest members hear all of it. Neither holds more than 32 MiB, a message costs at the end what it cost at the
//! beginning, and every honest message is delivered and acknowledged.

#[path = "../common/mod.rs"]
mod common;

mod attack;
mod field;
mod heap;

use std::process::ExitCode;

use common::figure::{Figure, report};

const MESSAGES: usize = 1_000_000;
const MOST_MIB: f64 = 32.0;
const MOST_RATIO: f64 = 1.5;

fn main() -> ExitCode {
    let count = std::env::var("MESSAGES").ok().filter(|text| !text.is_empty());
    let count = count.map_or(MESSAGES, |text| text.parse().expect("MESSAGES is a number"));
    let it = field::run(count, heap::live);
    println!("{:#?}", it.status);
    let missed = |done: usize| (it.sent - done) as f64;
    report(&[
        Figure::plain("flood_messages", count as f64, "messages"),
        Figure::plain("flood_honest", it.sent as f64, "messages"),
        Figure::limited("flood_memory", it.most_held as f64 / f64::from(1 << 20), "MiB", MOST_MIB),
        Figure::limited("flood_flat", it.flat, "ratio", MOST_RATIO),
        Figure::limited("flood_undelivered", missed(it.delivered), "messages", 0.0),
        Figure::limited("flood_unacknowledged", missed(it.acknowledged), "messages", 0.0),
    ])
}
