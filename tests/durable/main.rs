//! Durable state: whatever keeps it, a manager that is restored goes on as if it had never stopped.

mod clocks;
mod contract;
#[cfg(feature = "sqlcipher")]
mod encrypted;
mod failing;
mod held;
mod host;
mod kinds;
mod life;
mod limits;
mod mended;
mod sqlite;
mod told;
mod twins;
mod versions;
