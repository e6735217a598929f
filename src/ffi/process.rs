//! What concerns the whole process: versions, the log, the end.

use std::ffi::c_char;

use once_cell::sync::OnceCell;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;

use super::args;
use super::guard::{guard, sds_error_t};
use super::handle;
use super::status::sds_status_t;

/// The version of the ABI that this header describes. See "Stability" at the top of the header.
pub const SDS_ABI_VERSION: u32 = 1;

/// Log level: nothing. The default.
pub const SDS_LOG_OFF: u32 = 0;
/// Log level: what should not happen.
pub const SDS_LOG_ERROR: u32 = 1;
/// Log level: also losses and messages given up.
pub const SDS_LOG_WARN: u32 = 2;
/// Log level: also channels opened and closed.
pub const SDS_LOG_INFO: u32 = 3;
/// Log level: also every refused message and every resend.
pub const SDS_LOG_DEBUG: u32 = 4;

/// Sets what is logged at run time.
type SetLevel = Box<dyn Fn(LevelFilter) + Send + Sync>;

static LOG: OnceCell<SetLevel> = OnceCell::new();

/// The ABI version of the library that runs: compare it with `SDS_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn sds_abi_version() -> u32 {
    SDS_ABI_VERSION
}

/// The version of the library, such as "0.1.0". It ends in NUL and lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn sds_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Sets what the library writes to standard error, for the whole process. Logs hold ids, never content.
///
/// Parameters: `level`: one of `SDS_LOG_OFF` to `SDS_LOG_DEBUG`.
///
/// Returns: `SDS_OK`; `SDS_INVALID_ARGUMENT` for another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_set_log_level(level: u32, error: *mut sds_error_t) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe {
        guard(error, || {
            let filter = match level {
                SDS_LOG_OFF => LevelFilter::OFF,
                SDS_LOG_ERROR => LevelFilter::ERROR,
                SDS_LOG_WARN => LevelFilter::WARN,
                SDS_LOG_INFO => LevelFilter::INFO,
                SDS_LOG_DEBUG => LevelFilter::DEBUG,
                _ => return Err(args::invalid(format!("{level} is no log level"))),
            };
            LOG.get_or_init(install_log)(filter);
            Ok(())
        })
    }
}

/// Installs the log sink. A host that is a Rust program with a subscriber of its own keeps that one.
fn install_log() -> SetLevel {
    let (filter, handle) = reload::Layer::new(LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_filter(filter);
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
    Box::new(move |level| {
        // Fails only when the subscriber is gone, and then there is nothing to set.
        let _ = handle.reload(level);
    })
}

/// Closes every manager of the process, as `sds_manager_close` does. New ones can be opened afterwards.
///
/// Returns: `SDS_OK`; `SDS_STORE_FAILED` if the store of one of them failed: all are closed all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_shutdown(error: *mut sds_error_t) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe { guard(error, handle::close_all) }
}
