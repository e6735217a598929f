//! What the fuzzers run: for each target one function of bytes, which panics if the engine breaks a promise.
//!
//! The bodies lie in the crate so that a change that breaks one fails the ordinary build. They are compiled into the
//! crate's own tests, which run every seed and every input that ever failed, and with the feature `fuzzing`, which only
//! `fuzz/` asks for: they are in no library that ships.
//!
//! Inputs are read from front to back and kinds of steps keep their numbers, so that what failed once stays worth
//! running, and seeds can be written by hand.

mod decode;
#[cfg(feature = "sqlite")]
mod file;
mod filter;
mod forge;
mod limits;
mod member;
mod ops;
mod step;
mod store;
#[cfg(test)]
mod tests;

/// A body: it takes any bytes.
pub type Body = fn(&[u8]);

/// The targets by name, as `fuzz/` has them.
pub const TARGETS: &[(&str, Body)] =
    &[("decode", decode::run), ("filter", filter::run), ("ops", ops::run), ("ffi", ffi), ("store", store::run)];

/// Target `ffi`: what a host in C may do, right or wrong. Its body needs pointers, and lies where these may be used.
fn ffi(bytes: &[u8]) {
    crate::ffi::fuzz::run(&limits::tight(), bytes);
}

/// When every run begins, in milliseconds: about when the recorded messages of other implementations were sent.
const NOW: crate::types::TimeMs = 1_760_000_000_000;

/// Runs a target by its name.
pub fn run(target: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    found.unwrap_or_else(|| panic!("no target {target}")).1(bytes);
}
