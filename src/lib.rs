//! placeholder
pub mod bloom;
pub mod config;
pub mod error;
pub mod types;
pub mod wire;
pub use config::Config;
