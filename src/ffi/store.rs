//! Durable state: managers over a store, and over a host that keeps the records itself.

use std::ffi::c_char;

use super::args::{self, invalid};
use super::buffer::{self, Span, sds_buffer_t};
use super::config::sds_config_t;
use super::guard::{Failure, guard, sds_error_t};
use super::handle::{self, sds_manager_t};
use super::manager::open;
use super::record::*;
use super::status::sds_status_t;
use crate::config::Config;
use crate::error::{Error, StoreError};
use crate::manager::Manager;
use crate::record::{Change, Key, Value};
use crate::store::Write;
use crate::types::{ChannelId, TimeMs};

/// Synchronous: every commit waits for the disk. A loss of power loses nothing.
pub const SDS_SYNCHRONOUS_FULL: u32 = 0;
/// Synchronous: waits now and then. A loss of power may lose the latest commits, and damages nothing.
pub const SDS_SYNCHRONOUS_NORMAL: u32 = 1;
/// Synchronous: never waits. A crash of the process loses nothing; a loss of power may lose and damage.
pub const SDS_SYNCHRONOUS_OFF: u32 = 2;

/// A record that a host kept for a manager, as `sds_offer` gave it.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_stored_t {
    /// `sizeof(sds_stored_t)`, set by the caller.
    pub size: usize,
    /// Its channel, UTF-8; empty for the record of the manager itself.
    pub channel_id: *const c_char,
    /// Its length in bytes.
    pub channel_id_len: usize,
    /// Its key.
    pub key: *const u8,
    /// `SDS_KEY_SIZE`.
    pub key_len: usize,
    /// Its value.
    pub value: *const u8,
    /// Its length in bytes.
    pub value_len: usize,
}

// SAFETY: repr(C), begins with a usize, and numbers and raw pointers are valid for any bits.
unsafe impl args::Versioned for sds_stored_t {}

// ---- Opening

/// Makes a manager whose state is kept in a file, an SQLite database of its own: with the state that is there, or a new
/// one. What was sent, received, missing or not yet acknowledged survives the end of the process, a crash included; the
/// channels need not be opened again, and the time since counts as time offline.
///
/// Each call commits what it changed before it returns, so that bytes and contents come out only when they are stored. If
/// the store fails, the call that notices returns `SDS_STORE_FAILED`: what it changed stays in memory and is written by a
/// later call, and what it would have returned comes out of `sds_drain` then. Until it is, calls that make more are
/// refused with the same status, and change nothing.
///
/// What was handed out just before the process ended, or was about to be, is in the file and is not handed out again. A
/// program that has a log of its own in another database reads this one at start, by `sds_read_log`, and takes what it
/// lacks; or uses `sds_manager_open_external`. An output that was not drained is not told again either: what was to be
/// transmitted is sent again in its time, and for the rest ask `sds_message_status` and `sds_missing`.
///
/// Parameters: `config`: from `sds_config_init`; its participant id has to be that of the file. The seed is the one in the
/// file, if there is one. `path`: the file, UTF-8, made if it is not there. Another, named like it with `-wal` at its end,
/// may lie beside it and is part of it. One manager at a time can have it. `synchronous`: `SDS_SYNCHRONOUS_FULL`, unless you know
/// better. `now_ms`: milliseconds since the Unix epoch. `manager`: receives the handle.
///
/// Returns: as `sds_manager_open`, and: `SDS_STORE_UNUSABLE` if the file is damaged, was written by a later version, is of
/// another participant or of another program; `SDS_STORE_FAILED` if it is locked by another manager, cannot be written,
/// or cannot be made. It stays as it is, then. `SDS_NOT_BUILT_IN` from a library that was built without SQLite.
///
/// Ownership: `config` and `path` are read and not kept. The manager holds the file open, and has it locked, until it is
/// closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_manager_open_store(
    config: *const sds_config_t,
    path: *const c_char,
    path_len: usize,
    synchronous: u32,
    now_ms: u64,
    manager: *mut sds_manager_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's, as documented; each is checked before use.
    unsafe {
        open(config, manager, error, |config| {
            let path = args::text(path, path_len, "path")?;
            if path.is_empty() {
                return Err(invalid("path is empty".to_owned()));
            }
            if synchronous > SDS_SYNCHRONOUS_OFF {
                return Err(invalid(format!("synchronous is {synchronous}, which is no SDS_SYNCHRONOUS_*")));
            }
            open_store(config, path, synchronous, now_ms)
        })
    }
}

#[cfg(feature = "sqlite")]
fn open_store(config: Config, path: &str, synchronous: u32, now_ms: TimeMs) -> Result<Manager, Failure> {
    use crate::store::{Sqlite, Synchronous};
    // Before there is a file.
    config.validate().map_err(Error::from)?;
    let synchronous = match synchronous {
        SDS_SYNCHRONOUS_OFF => Synchronous::Off,
        SDS_SYNCHRONOUS_NORMAL => Synchronous::Normal,
        _ => Synchronous::Full,
    };
    let store = Sqlite::open(path, synchronous).map_err(Error::from)?;
    Ok(Manager::open_store(config, store, now_ms)?)
}

#[cfg(not(feature = "sqlite"))]
fn open_store(_config: Config, _path: &str, _synchronous: u32, _now_ms: TimeMs) -> Result<Manager, Failure> {
    let detail = "SQLite is not built into this library: build it with SQLITE=1, or use sds_manager_open_external";
    Err(Failure::new(sds_status_t::SDS_NOT_BUILT_IN, detail))
}

/// Makes a manager whose state the host keeps, in a database of its own, so that it can commit the manager's records
/// together with its own rows, in one transaction.
///
/// After each call that changed something, `sds_offer` has what to write. Commit it, then tell so by `sds_confirm`. Until
/// then what depends on it is held back: the bytes of `sds_wrap_outgoing` (its record has `SDS_FLAG_HELD`, and they come out
/// of `sds_drain` later) and all that comes out of `sds_drain`. What `sds_unwrap_incoming` returns is in the host's hands
/// already: show it when it is committed.
///
/// Rows of the host's belong into the same transaction, or a crash keeps them apart for ever. What enters the log, delivered
/// or sent, is in the offer: its puts whose key begins with `SDS_KEY_MESSAGE`, which `sds_read_log_record` reads. A put under a
/// key that is there already replaces the record of a message that the host knows: less of it has to be kept. The key of a new
/// one is greater, bytewise, than those of all messages before it in its channel, until that is forgotten. Do not wait for
/// `SDS_RECORD_DELIVERED`, which comes out of `sds_drain` when the transaction is over. An output that was not drained when
/// the process ended is not told again: what was to be transmitted is sent again in its time, and for the rest ask
/// `sds_message_status` and `sds_missing`.
///
/// Parameters: `config`: from `sds_config_init`; its participant id has to be that of the records, whose seed is used.
/// `records`: all that is kept, in any order: what was put and neither deleted, forgotten nor wiped. `count`: how many; 0
/// at the first start. `now_ms`: milliseconds since the Unix epoch. `manager`: receives the handle.
///
/// Returns: as `sds_manager_open`, and: `SDS_STORE_UNUSABLE` if the records are damaged, incomplete, of a later version or
/// of another participant.
///
/// Ownership: everything is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_manager_open_external(
    config: *const sds_config_t,
    records: *const sds_stored_t,
    count: usize,
    now_ms: u64,
    manager: *mut sds_manager_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's, as documented; each is checked before use.
    unsafe {
        open(config, manager, error, |config| {
            let records = args::read_all_sized(records, count, "records")?;
            let records = records.iter().map(|record| stored(record)).collect::<Result<Vec<_>, _>>()?;
            Ok(Manager::open_external(config, records, now_ms)?)
        })
    }
}

/// # Safety
/// The pointers of the record are readable for their lengths.
unsafe fn stored(record: &sds_stored_t) -> Result<(ChannelId, Key, Vec<u8>), Failure> {
    // SAFETY: forwarded from the caller.
    let (channel_id, key, value) = unsafe {
        (
            args::text(record.channel_id, record.channel_id_len, "channel id of a record")?,
            args::bytes(record.key, record.key_len, "key of a record")?,
            args::bytes(record.value, record.value_len, "value of a record")?,
        )
    };
    Ok((ChannelId::from(channel_id), key_of(key)?, value.to_vec()))
}

/// The key in those bytes, which the host has from us.
pub(super) fn key_of(bytes: &[u8]) -> Result<Key, Failure> {
    Ok(Key::from_bytes(bytes).map_err(|damaged| Error::from(StoreError::from(damaged)))?)
}

// ---- What waits to be stored

/// Tells a host that keeps the state what waits to be committed: all of it or nothing, in the order given. The same again,
/// byte for byte, until `sds_confirm` is called with its number: also after a commit that failed.
///
/// Parameters: `number`: receives what to confirm it by; 0 if nothing waits. `out`: receives one `SDS_RECORD_WRITE` for
/// each thing to write; none if only outputs wait, which a confirmation lets go.
///
/// Returns: `SDS_OK`, also if nothing waits; `SDS_WRONG_STORE` if the manager is not from `sds_manager_open_external`;
/// `SDS_NO_RESOURCES`, `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
///
/// Threading: calls on other threads go on while the host commits; what they change is the next offer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_offer(
    manager: sds_manager_t,
    number: *mut u64,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let out = buffer::writable(out, &[], &[Span::of(number), Span::of(error)])?;
            let number = args::output(number, "number")?;
            handle::with(manager, |manager| {
                let Some(offer) = manager.offer()? else {
                    out.len = 0;
                    number.set(0);
                    return Ok(());
                };
                let mut end = 0;
                for write in &offer.writes {
                    end = put_write(write, out, end)?;
                }
                out.len = end;
                number.set(offer.number);
                Ok(())
            })
        })
    }
}

fn put_write(write: &Write, out: &mut sds_buffer_t, at: usize) -> Result<usize, Failure> {
    let (code, channel_id, data) = match write {
        Write::Manager(value) => (SDS_WRITE_PUT, "", key_and(Key::HEAD, value)),
        Write::Channel(channel_id, Change { key, value: Some(value) }) => (
            SDS_WRITE_PUT,
            channel_id.as_str(),
            match value {
                Value::Bytes(value) => key_and(*key, value),
                Value::Message(message) => key_and(*key, &message.encode()),
            },
        ),
        Write::Channel(channel_id, Change { key, value: None }) => {
            (SDS_WRITE_DELETE, channel_id.as_str(), key_and(*key, &[]))
        }
        Write::Forget(channel_id) => (SDS_WRITE_FORGET, channel_id.as_str(), Vec::new()),
        Write::Wipe => (SDS_WRITE_WIPE, "", Vec::new()),
    };
    Record { kind: SDS_RECORD_WRITE, code, channel_id, data: &data, ..Record::default() }.write_at(out, at)
}

fn key_and(key: Key, value: &[u8]) -> Vec<u8> {
    [&key.to_bytes()[..], value].concat()
}

/// Tells that the host has committed an offer. What depended on it comes out of `sds_drain` now.
///
/// Parameters: `number`: from `sds_offer`.
///
/// Returns: `SDS_OK`; `SDS_INVALID_ARGUMENT` if that is not the offer that was made last, or it was confirmed before;
/// `SDS_WRONG_STORE`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_confirm(manager: sds_manager_t, number: u64, error: *mut sds_error_t) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe {
        guard(error, || {
            handle::with(manager, |manager| match manager.confirm(number)? {
                true => Ok(()),
                false => Err(invalid(format!("offer {number} is not the one that waits"))),
            })
        })
    }
}

/// Stores what is not stored yet. Little is: counts, and the time; nothing that the host was told of. `sds_manager_close`
/// does it, too. With a host that keeps the state, it makes an offer of it.
///
/// Returns: `SDS_OK`, also if the state is in memory only; `SDS_STORE_FAILED`; `SDS_CLOSED`, `SDS_POISONED`,
/// `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_flush(manager: sds_manager_t, error: *mut sds_error_t) -> sds_status_t {
    // SAFETY: `error` is NULL or the caller's.
    unsafe { guard(error, || handle::with(manager, |manager| Ok(manager.flush()?))) }
}
