//! Messages: wrap, unwrap, dependencies, hints, and the fate of our own.

use std::ffi::c_char;

use super::args;
use super::buffer::{self, Span, sds_buffer_t};
use super::guard::{Failure, guard, sds_error_t};
use super::handle::{self, sds_manager_t};
use super::record::{Record, SDS_RECORD_REFUSED};
use super::report;
use super::status::sds_status_t;
use crate::error::Error;
use crate::output::Unwrapped;

/// An optional id: NULL stands for none; otherwise it is a text.
///
/// # Safety
/// As for [`args::text`].
unsafe fn optional_text<'a>(data: *const c_char, len: usize, what: &str) -> Result<Option<&'a str>, Failure> {
    if data.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: forwarded from the caller.
    unsafe { args::text(data, len, what) }.map(Some)
}

/// Makes a message ready to be broadcast, and keeps it until somebody is known to have it.
///
/// Wrapping an id again with equal content returns the same bytes: a retry.
///
/// Parameters: `channel_id`: UTF-8. `message_id`: UTF-8, unique for ever; or NULL, 0 for one that is made: SHA-256 over
/// channel, sender, timestamp and content, and over random bytes unless the channel is one of derived ids. `content`: the
/// payload. `now_ms`: milliseconds since the Unix epoch. `out`: receives one `SDS_RECORD_WRAPPED`.
///
/// Returns: `SDS_OK`; `SDS_UNKNOWN_CHANNEL`; `SDS_INVALID_ID`, `SDS_NOT_UTF8`, `SDS_ID_MISMATCH`; `SDS_ID_REUSED` if the
/// id was used for other content; `SDS_BYTES_GONE`; `SDS_EMPTY_CONTENT`, `SDS_TOO_LARGE`; `SDS_TOO_MANY_UNACKNOWLEDGED`,
/// `SDS_OUTPUTS_FULL`, `SDS_UNCONFIRMED`; `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`. With
/// `SDS_NO_RESOURCES`, if there is no memory for the result, the message was wrapped all the same, and goes out when it is
/// resent. With `SDS_STORE_FAILED`, if the store failed in this call, it was wrapped, too, and comes out of `sds_drain` once it
/// is stored, with `SDS_REASON_PUBLISH`; wrapping it again under its id does no harm.
///
/// Ownership: content and texts are copied. `out` is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_wrap_outgoing(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_id: *const c_char,
    message_id_len: usize,
    content: *const u8,
    content_len: usize,
    now_ms: u64,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let message_id = optional_text(message_id, message_id_len, "message id")?;
            let content = args::bytes(content, content_len, "content")?;
            let read = [channel_id.as_bytes(), message_id.unwrap_or_default().as_bytes(), content];
            let out = buffer::writable(out, &read, &[Span::of(error)])?;
            let wrapped = manager.wrap_outgoing(channel_id, message_id, content, now_ms)?;
            report::wrapped(channel_id, &wrapped).write_to(out)
        })
    }
}

/// Does what `sds_wrap_outgoing` does, and writes the bytes to broadcast where the caller wants them, in one copy: for
/// callers that use the same memory again for every message, or whose memory is none of `malloc`'s.
///
/// Parameters: as `sds_wrap_outgoing`, and: `memory`, `capacity`: where the bytes are written, and its size.
/// `len`: receives how many they are. If they are more than `capacity` nothing is written to `memory`. `out`: receives one
/// `SDS_RECORD_WRAPPED`, whose data is empty if the bytes are in `memory`, and otherwise is the bytes.
///
/// Returns: as `sds_wrap_outgoing`.
///
/// Ownership: as for `sds_wrap_outgoing`. The memory stays the caller's; the content may lie in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_wrap_outgoing_into(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_id: *const c_char,
    message_id_len: usize,
    content: *const u8,
    content_len: usize,
    now_ms: u64,
    memory: *mut u8,
    capacity: usize,
    len: *mut usize,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let message_id = optional_text(message_id, message_id_len, "message id")?;
            let content = args::bytes(content, content_len, "content")?;
            let read = [channel_id.as_bytes(), message_id.unwrap_or_default().as_bytes(), content];
            // Only checked here, and borrowed when the content is no longer in use, since they may overlap.
            args::check_memory(memory, capacity, "memory")?;
            let written = [Span::of(len), Span::of(error), Span::new(memory, capacity)];
            let out = buffer::writable(out, &read, &written)?;
            let len = args::output(len, "len")?;
            let wrapped = manager.wrap_outgoing(channel_id, message_id, content, now_ms)?;
            let mut record = report::wrapped(channel_id, &wrapped);
            let fits = wrapped.bytes.len() <= capacity;
            if fits {
                record.data = &[];
            }
            record.write_to(out)?;
            if fits {
                args::memory(memory, capacity, "memory")?[..wrapped.bytes.len()].copy_from_slice(&wrapped.bytes);
            }
            len.set(wrapped.bytes.len());
            Ok(())
        })
    }
}

/// Makes a message that is delivered at once, is not acknowledged and leaves no trace: "alice is typing".
///
/// Parameters, returns, ownership: as `sds_wrap_outgoing`; `SDS_EPHEMERAL_UNSUPPORTED` in a libsds channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_wrap_ephemeral(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_id: *const c_char,
    message_id_len: usize,
    content: *const u8,
    content_len: usize,
    now_ms: u64,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let message_id = optional_text(message_id, message_id_len, "message id")?;
            let content = args::bytes(content, content_len, "content")?;
            let read = [channel_id.as_bytes(), message_id.unwrap_or_default().as_bytes(), content];
            let out = buffer::writable(out, &read, &[Span::of(error)])?;
            let wrapped = manager.wrap_ephemeral(channel_id, message_id, content, now_ms)?;
            report::wrapped(channel_id, &wrapped).write_to(out)
        })
    }
}

/// Takes in bytes from the network, of either profile, and returns the message's content and what became of it.
///
/// Parameters: `bytes`: as received. `now_ms`: milliseconds since the Unix epoch. `out`: receives one
/// `SDS_RECORD_UNWRAPPED`.
///
/// Returns: `SDS_OK`; `SDS_NOT_SDS` for traffic of another kind, which a host may treat as such; `SDS_MALFORMED`,
/// `SDS_TOO_LARGE`, `SDS_NOT_UTF8`, `SDS_INVALID_ID`; `SDS_UNKNOWN_CHANNEL`, the detail naming it; `SDS_ID_MISMATCH` in
/// a channel of derived ids; `SDS_OUTPUTS_FULL`, `SDS_UNCONFIRMED`: drain or confirm, and hand the bytes in again;
/// `SDS_NO_RESOURCES`, `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`. With `SDS_STORE_FAILED`, if
/// the store failed in this call, the message was taken in, and comes out of `sds_drain` once it is stored, as
/// `SDS_RECORD_DELIVERED`; hand the bytes in again if you like.
///
/// Ownership: the bytes are copied. `out` is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_unwrap_incoming(
    manager: sds_manager_t,
    bytes: *const u8,
    bytes_len: usize,
    now_ms: u64,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let bytes = args::bytes(bytes, bytes_len, "bytes")?;
            let out = buffer::writable(out, &[bytes], &[Span::of(error)])?;
            handle::with(manager, |manager| {
                reserve_unwrapped(out, bytes.len().min(manager.config().max_message_bytes))?;
                report::unwrapped(&manager.unwrap_incoming(bytes, now_ms)?).write_to(out)
            })
        })
    }
}

/// Room for any record that a message of `len` bytes can become, so that running out of memory comes before the message
/// is taken in and not after it. A dependency of two wire bytes or more becomes an entry of twelve and its texts. `len` is
/// cut at what a message may have: a stranger's packet that is refused for its size must not make the buffer grow.
fn reserve_unwrapped(out: &mut sds_buffer_t, len: usize) -> Result<(), Failure> {
    out.room(len.saturating_mul(4).saturating_add(256)).map(|_| ())
}

/// Takes in several messages in one call. What follows each other in one channel is committed to a store together, which is
/// many times faster.
///
/// Parameters: `data`: the messages, one after the other. `lengths`: the length of each in bytes. `count`: how many.
/// `now_ms`: milliseconds since the Unix epoch. `out`: receives `count` records in the order given, each an
/// `SDS_RECORD_UNWRAPPED`, or an `SDS_RECORD_REFUSED` with what `sds_unwrap_incoming` would have returned. A store that fails
/// does so for all that were to be committed together.
///
/// Returns: `SDS_OK`, also if messages were refused; `SDS_NO_RESOURCES`, `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`,
/// `SDS_POISONED`, `SDS_INVALID_HANDLE`.
///
/// Ownership: as for `sds_unwrap_incoming`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_unwrap_incoming_batch(
    manager: sds_manager_t,
    data: *const u8,
    lengths: *const usize,
    count: usize,
    now_ms: u64,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let messages = args::items(data, lengths, count, "messages")?;
            let out = buffer::writable(out, &messages, &[Span::of(error)])?;
            handle::with(manager, |manager| {
                let most = manager.config().max_message_bytes;
                let lens = messages.iter().map(|bytes| bytes.len().min(most));
                let total = lens.fold(0, |sum: usize, len| sum.saturating_add(len).saturating_add(256));
                reserve_unwrapped(out, total)?;
                let mut end = 0;
                for result in manager.unwrap_batch(&messages, now_ms) {
                    end = write_one_of_batch(result, out, end)?;
                }
                out.len = end;
                Ok(())
            })
        })
    }
}

fn write_one_of_batch(
    result: Result<Unwrapped<'_>, Error>,
    out: &mut sds_buffer_t,
    at: usize,
) -> Result<usize, Failure> {
    match result {
        Ok(unwrapped) => report::unwrapped(&unwrapped).write_at(out, at),
        Err(error) => {
            let status: sds_status_t = (&error).into();
            let text = error.to_string();
            let data = text.as_bytes();
            Record { kind: SDS_RECORD_REFUSED, code: status as u16, data, ..Record::default() }.write_at(out, at)
        }
    }
}

/// Tells that messages are here by other means: what waits for them waits no longer. They enter neither filter nor
/// causal histories, and are delivered should they come.
///
/// Parameters: `message_ids`: the ids, UTF-8, one after the other. `lengths`: the length of each in bytes. `count`: how
/// many. `now_ms`: milliseconds since the Unix epoch.
///
/// Returns: `SDS_OK`, also for ids never heard of; `SDS_UNKNOWN_CHANNEL`; `SDS_INVALID_ID`, `SDS_NOT_UTF8`: then none is
/// marked; `SDS_OUTPUTS_FULL`; `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_mark_dependencies_met(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_ids: *const c_char,
    lengths: *const usize,
    count: usize,
    now_ms: u64,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let ids = args::items(message_ids.cast(), lengths, count, "message ids")?;
            let not_utf8 = |_| Failure::new(sds_status_t::SDS_NOT_UTF8, "message id is not UTF-8");
            let ids = ids.into_iter().map(std::str::from_utf8).collect::<Result<Vec<_>, _>>().map_err(not_utf8)?;
            Ok(manager.mark_dependencies_met(channel_id, &ids, now_ms)?)
        })
    }
}

/// Sets what others need to fetch a message, such as the network's own hash of it. It goes out in the causal histories
/// that name the message.
///
/// Parameters: `hint`: the bytes; length 0 removes it.
///
/// Returns: `SDS_OK`; `SDS_UNKNOWN_CHANNEL`; `SDS_UNKNOWN_MESSAGE` if the message is neither in the log nor waits for
/// others; `SDS_TOO_LARGE`; `SDS_INVALID_ID`, `SDS_NOT_UTF8`, `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`,
/// `SDS_INVALID_HANDLE`.
///
/// Ownership: the hint is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_set_retrieval_hint(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_id: *const c_char,
    message_id_len: usize,
    hint: *const u8,
    hint_len: usize,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        let (channel, message) = ((channel_id, channel_id_len), (message_id, message_id_len));
        handle::with_message(manager, channel, message, error, |manager, channel_id, message_id| {
            let hint = args::bytes(hint, hint_len, "hint")?;
            Ok(manager.set_retrieval_hint(channel_id, message_id, hint)?)
        })
    }
}

/// Tells how far a message of ours got, and who gave evidence of having it.
///
/// Parameters: `out`: receives one `SDS_RECORD_MESSAGE_STATUS`.
///
/// Returns: `SDS_OK`; `SDS_UNKNOWN_CHANNEL`; `SDS_UNKNOWN_MESSAGE`; `SDS_NO_RESOURCES`; `SDS_INVALID_ID`, `SDS_NOT_UTF8`,
/// `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_message_status(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_id: *const c_char,
    message_id_len: usize,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        let (channel, message) = ((channel_id, channel_id_len), (message_id, message_id_len));
        handle::with_message(manager, channel, message, error, |manager, channel_id, message_id| {
            let out = buffer::writable(out, &[channel_id.as_bytes(), message_id.as_bytes()], &[Span::of(error)])?;
            let status = manager.message_status(channel_id, message_id)?;
            report::message_status(channel_id, message_id, &status).write_to(out)
        })
    }
}

/// Sends a message of ours again, now and with a fresh count of resends, given up or not. It comes out of `sds_drain`.
///
/// Parameters: `now_ms`: milliseconds since the Unix epoch.
///
/// Returns: `SDS_OK`, also for an acknowledged one, which is not sent; `SDS_UNKNOWN_MESSAGE`;
/// `SDS_TOO_MANY_UNACKNOWLEDGED` for a cancelled one that finds no room; otherwise as `sds_message_status`;
/// `SDS_OUTPUTS_FULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_retry(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_id: *const c_char,
    message_id_len: usize,
    now_ms: u64,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        let (channel, message) = ((channel_id, channel_id_len), (message_id, message_id_len));
        handle::with_message(manager, channel, message, error, |manager, channel_id, message_id| {
            Ok(manager.retry(channel_id, message_id, now_ms)?)
        })
    }
}

/// Stops resending a message of ours. It stays in the log: it may have been received, and whoever then misses it and asks
/// for it gets it.
///
/// Returns: as `sds_message_status`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_cancel(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    message_id: *const c_char,
    message_id_len: usize,
    now_ms: u64,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        let (channel, message) = ((channel_id, channel_id_len), (message_id, message_id_len));
        handle::with_message(manager, channel, message, error, |manager, channel_id, message_id| {
            Ok(manager.cancel(channel_id, message_id, now_ms)?)
        })
    }
}
