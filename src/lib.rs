//! placeholder
pub mod bloom;
pub mod config;
pub mod error;
pub mod ffi;
pub mod output;
pub mod types;
pub mod wire;
pub use config::Config;
