//! Managers: open, close, reset, time, and the drain.

use super::args;
use super::config::sds_config_t;
use super::guard::{Failure, guard, sds_error_t};
use super::handle::{self, sds_manager_t};
use super::report;
use super::status::sds_status_t::{self, SDS_BUFFER_TOO_SMALL};
use crate::config::Config;
use crate::manager::Manager;

/// What `sds_next_deadline` tells when nothing is due.
pub const SDS_NO_DEADLINE: u64 = u64::MAX;

/// Makes a manager: the state of one participant in any number of channels, in memory only. What a crash must not lose
/// needs `sds_manager_open_store`, or `sds_manager_open_external`.
///
/// Parameters: `config`: from `sds_config_init`. `manager`: receives the handle. `error`: NULL, or receives the detail.
///
/// Returns: `SDS_OK`; `SDS_INVALID_CONFIG`, the detail naming the field; `SDS_INVALID_ARGUMENT`, `SDS_INVALID_SIZE`,
/// `SDS_NOT_UTF8`; `SDS_NO_RESOURCES` without randomness for the seed.
///
/// Ownership: `config` is read and not kept. The manager lives until `sds_manager_close` or `sds_shutdown`. It holds no
/// thread and no file descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_manager_open(
    config: *const sds_config_t,
    manager: *mut sds_manager_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's, as documented.
    unsafe { open(config, manager, error, |config| Ok(Manager::open(config)?)) }
}

/// Makes a manager of a configuration, and a handle of it.
///
/// # Safety
/// The pointers are NULL, or the caller's as [`sds_manager_open`] documents them.
pub(super) unsafe fn open(
    config: *const sds_config_t,
    manager: *mut sds_manager_t,
    error: *mut sds_error_t,
    make: impl FnOnce(Config) -> Result<Manager, Failure>,
) -> sds_status_t {
    // SAFETY: forwarded from the caller; each pointer is checked before use.
    unsafe {
        guard(error, || {
            let out = args::output(manager, "manager")?;
            let config = args::read_sized(config, "config")?.to_config()?;
            out.set(handle::insert(make(config)?)?);
            Ok(())
        })
    }
}

/// Closes a manager and frees all it holds. Waits for calls that other threads have inside it; calls that come later
/// get `SDS_CLOSED`. What is not stored yet is, as `sds_flush` does. A host that keeps the state calls `sds_flush`, `sds_offer`
/// and `sds_confirm` before: what it did not commit is gone.
///
/// Returns: `SDS_OK`; `SDS_CLOSED` if it is closed already; `SDS_STORE_FAILED` if not all could be stored: it is closed all
/// the same; `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_manager_close(manager: sds_manager_t, error: *mut sds_error_t) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe { guard(error, || handle::close(manager)) }
}

/// Forgets every channel of a manager and everything that waits to be drained, as if it had just been opened; in its store,
/// too.
///
/// Returns: `SDS_OK`; `SDS_STORE_FAILED`: the store forgets with a later call; `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_manager_reset(manager: sds_manager_t, error: *mut sds_error_t) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe {
        guard(error, || {
            handle::with(manager, |manager| {
                manager.reset()?;
                Ok(())
            })
        })
    }
}

/// Tells a manager whether the network is reachable. Offline, nothing is resent, asked for or answered and no sync message
/// is made; what fell due meanwhile goes out with the next tick online. Nor is anything missing given up: that time does
/// not count. A new manager is online.
///
/// A host that is going to sleep says so with 0: time in which it merely makes no call counts, and what has been missing for
/// `dependency_timeout_ms` when it wakes is lost at the next tick (`SDS_RECORD_LOST` has its hint: it can still be fetched, and is
/// delivered, late). Time in which a stored manager is not open does not count anyway.
///
/// Parameters: `online`: 1 or 0. `now_ms`: milliseconds since the Unix epoch.
///
/// Returns: `SDS_OK`; `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_set_online(
    manager: sds_manager_t,
    online: u32,
    now_ms: u64,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe {
        guard(error, || {
            if online > 1 {
                return Err(args::invalid(format!("online is {online}, not 0 or 1")));
            }
            handle::with(manager, |manager| Ok(manager.set_online(online == 1, now_ms)?))
        })
    }
}

/// Does what is due: resends, sync messages, losses. Early, late or extra calls do no harm. Drain afterwards.
///
/// Parameters: `now_ms`: milliseconds since the Unix epoch.
///
/// Returns: `SDS_OK`; `SDS_OUTPUTS_FULL` if undrained outputs left no room for all that is due: drain, and tick again;
/// `SDS_UNCONFIRMED`: confirm, and tick again; `SDS_STORE_FAILED`, when channels for which it works had their turn;
/// `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_tick(manager: sds_manager_t, now_ms: u64, error: *mut sds_error_t) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe { guard(error, || handle::with(manager, |manager| Ok(manager.tick(now_ms)?))) }
}

/// Tells when the next tick is due, so that the host can sleep until then. Ask again after every other call.
///
/// Parameters: `deadline_ms`: receives milliseconds since the Unix epoch, or `SDS_NO_DEADLINE`.
///
/// Returns: `SDS_OK`; `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_next_deadline(
    manager: sds_manager_t,
    deadline_ms: *mut u64,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let out = args::output(deadline_ms, "deadline_ms")?;
            handle::with(manager, |manager| {
                out.set(manager.next_deadline().unwrap_or(SDS_NO_DEADLINE));
                Ok(())
            })
        })
    }
}

/// Takes outputs and events, oldest first, as records: see `sds_record_next`. As many whole records as fit are taken.
///
/// Parameters: `memory`, `capacity`: where records are written, and its size in bytes. `len`: receives the bytes
/// written; 0 when there was nothing to take. `next_len`: NULL, or receives the size of the next record that is still
/// there, 0 when there is none.
///
/// Returns: `SDS_OK`; `SDS_BUFFER_TOO_SMALL` if not even the next record fits (`next_len` is written then, too; nothing
/// was taken); `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
///
/// Ownership: the memory stays the caller's. A record that was taken is gone from the manager.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_drain(
    manager: sds_manager_t,
    memory: *mut u8,
    capacity: usize,
    len: *mut usize,
    next_len: *mut usize,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let len = args::output(len, "len")?;
            let memory = args::memory(memory, capacity, "memory")?;
            let next_len = args::optional_output(next_len);
            handle::with(manager, |manager| {
                let (written, next) = report::drain(manager, memory);
                if let Some(next_len) = next_len {
                    next_len.set(next);
                }
                if written == 0 && next > 0 {
                    let detail = format!("the next record takes {next} bytes");
                    return Err(Failure::new(SDS_BUFFER_TOO_SMALL, detail));
                }
                len.set(written);
                Ok(())
            })
        })
    }
}
