//! End-to-end reliability for group chat over networks that lose messages: Scalable Data Sync, RFC 109.

pub mod bloom;
pub mod channel;
pub mod config;
pub mod error;
pub mod ffi;
pub mod idhash;
pub mod inspect;
pub mod manager;
pub mod output;
pub mod types;
pub mod wire;

pub use config::Config;
pub use error::Error;
pub use manager::Manager;
