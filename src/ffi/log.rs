//! A channel's stored log: read by the host, and told what was there before.

use std::ffi::c_char;

use super::args::{self, invalid};
use super::buffer::{self, Span, sds_buffer_t};
use super::guard::{Failure, guard, sds_error_t};
use super::handle::{self, sds_manager_t};
use super::report;
use super::status::sds_status_t;
use super::store::key_of;
use crate::manager::Known;
use crate::record::Kind;

/// A message of a history that the host has.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_known_t {
    /// `sizeof(sds_known_t)`, set by the caller.
    pub size: usize,
    /// Its id, UTF-8.
    pub message_id: *const c_char,
    /// Its length in bytes.
    pub message_id_len: usize,
    /// Who sent it, UTF-8; empty if that is not known.
    pub sender_id: *const c_char,
    /// Its length in bytes.
    pub sender_id_len: usize,
    /// Its Lamport timestamp in milliseconds; without one, the time at which it was sent.
    pub lamport_timestamp_ms: u64,
    /// What others need to fetch it; empty if that is not known.
    pub retrieval_hint: *const u8,
    /// Its length in bytes.
    pub retrieval_hint_len: usize,
}

// SAFETY: repr(C), begins with a usize, and numbers and raw pointers are valid for any bits.
unsafe impl args::Versioned for sds_known_t {}

/// Reads a page of a channel's stored log, in its order: ascending by timestamp, then by id. The channel may be closed.
///
/// Parameters: `after_ms`, `after_id`: timestamp and id of the message after which the page begins: the last of the page
/// before. 0 and the empty id begin with the first; a timestamp and the empty id, with the first that has this one or a
/// later one. `limit`: how many messages at most, 1 to 10,000; more is taken for that. Where messages are large there are
/// fewer: a page ends with the one that brings it to 16 MiB. `out`: receives one
/// `SDS_RECORD_LOGGED` for each. `more`: NULL, or receives 1 if more may follow, and 0 at the end.
///
/// Returns: `SDS_OK`; `SDS_UNKNOWN_CHANNEL`; `SDS_WRONG_STORE` unless the manager is from `sds_manager_open_store`;
/// `SDS_STORE_FAILED`, `SDS_STORE_UNUSABLE`; `SDS_NO_RESOURCES`; `SDS_INVALID_ID`, `SDS_NOT_UTF8`, `SDS_INVALID_ARGUMENT`,
/// `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_read_log(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    after_ms: u64,
    after_id: *const c_char,
    after_id_len: usize,
    limit: usize,
    out: *mut sds_buffer_t,
    more: *mut u32,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let after_id = args::text(after_id, after_id_len, "after_id")?;
            if limit == 0 {
                return Err(invalid("limit is 0".to_owned()));
            }
            let written = [Span::of(more), Span::of(error)];
            let out = buffer::writable(out, &[channel_id.as_bytes(), after_id.as_bytes()], &written)?;
            let more = args::optional_output(more);
            let page = manager.read_log(channel_id, Some((after_ms, after_id)), limit)?;
            let mut end = 0;
            for entry in &page.entries {
                end = report::logged(channel_id, entry).write_at(out, end)?;
            }
            out.len = end;
            if let Some(more) = more {
                more.set(u32::from(page.more));
            }
            Ok(())
        })
    }
}

/// Reads a message of a log that the host keeps: for `sds_manager_open_external`. Its records whose keys begin with
/// `SDS_KEY_MESSAGE` are the log, in the order in which the messages came; sort them by timestamp and id. One that is put
/// again under its key is the same message, of which less has to be kept.
///
/// Parameters: `key`, `value`: that record. `side`: the value of the record of the same channel whose key is the same but
/// for its first byte, `SDS_KEY_SIDE`; NULL, 0 if there is none. `out`: receives one `SDS_RECORD_LOGGED`, without its
/// channel.
///
/// Returns: `SDS_OK`; `SDS_STORE_UNUSABLE` if the record is damaged; `SDS_INVALID_ARGUMENT` if its key is that of another
/// kind; `SDS_NO_RESOURCES`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_read_log_record(
    manager: sds_manager_t,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    side: *const u8,
    side_len: usize,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let key_bytes = args::bytes(key, key_len, "key")?;
            let value = args::bytes(value, value_len, "value")?;
            let side = args::bytes(side, side_len, "side")?;
            let out = buffer::writable(out, &[key_bytes, value, side], &[Span::of(error)])?;
            let key = key_of(key_bytes)?;
            let number = u64::try_from(key.id).ok().filter(|_| key.kind == Kind::Message);
            let number = number.ok_or_else(|| invalid("key is not that of a message of a log".to_owned()))?;
            handle::with(manager, |manager| {
                // A value is never empty.
                let side = Some(side).filter(|side| !side.is_empty());
                report::logged("", &manager.read_log_record(number, value, side)?).write_to(out)
            })
        })
    }
}

/// Tells a channel which messages were there before it: those of a history that the host has. They enter the log without
/// content, are named in causal histories, and are not missing. Those that are known already stay as they are.
///
/// For the first start after switching over from something else: it spares the members a storm of missing messages. The
/// last few hundred messages are enough.
///
/// Parameters: `known`: the messages, in any order. `count`: how many. `now_ms`: milliseconds since the Unix epoch. `added`:
/// NULL, or receives how many were new.
///
/// Returns: `SDS_OK`; `SDS_UNKNOWN_CHANNEL`; `SDS_INVALID_ID`, `SDS_NOT_UTF8`, `SDS_TOO_LARGE`: then none is taken;
/// `SDS_OUTPUTS_FULL`; `SDS_STORE_FAILED`: then they are taken, and stored later; `SDS_UNCONFIRMED`;
/// `SDS_INVALID_ARGUMENT`, `SDS_INVALID_SIZE`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
///
/// Ownership: everything is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_seed_history(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    known: *const sds_known_t,
    count: usize,
    now_ms: u64,
    added: *mut usize,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let structures = args::read_all_sized(known, count, "known")?;
            let known = structures.iter().map(|message| known_message(message)).collect::<Result<Vec<_>, _>>()?;
            let out = args::optional_output(added);
            let new = manager.seed_history(channel_id, &known, now_ms)?;
            if let Some(out) = out {
                out.set(new);
            }
            Ok(())
        })
    }
}

/// # Safety
/// The pointers of the message are readable for their lengths, for `'a`.
unsafe fn known_message<'a>(message: &sds_known_t) -> Result<Known<'a>, Failure> {
    // SAFETY: forwarded from the caller.
    let (message_id, sender_id, hint) = unsafe {
        (
            args::text(message.message_id, message.message_id_len, "message id")?,
            args::text(message.sender_id, message.sender_id_len, "sender id")?,
            args::bytes(message.retrieval_hint, message.retrieval_hint_len, "hint")?,
        )
    };
    let (lamport_timestamp_ms, retrieval_hint) = (message.lamport_timestamp_ms, Some(hint).filter(|it| !it.is_empty()));
    Ok(Known { message_id, sender_id, lamport_timestamp_ms, retrieval_hint })
}
