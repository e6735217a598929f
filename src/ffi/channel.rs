//! Channels: open, close, list, forget, status.

use std::ffi::c_char;

use super::args;
use super::buffer::{self, Span, sds_buffer_t};
use super::config;
use super::guard::{Failure, guard, sds_error_t};
use super::handle::{self, sds_manager_t};
use super::record::{Record, SDS_RECORD_CHANNEL};
use super::report;
use super::status::sds_status_t;
use crate::error::Error;
use crate::manager::Manager;
use crate::output::{ChannelOptions, ChannelStatus};
use crate::types::Dependency;

/// Channel flag: it begins with the first message received; what lay before is neither waited for nor missing.
pub const SDS_CHANNEL_FROM_NOW: u32 = 1;
/// Channel flag: every message id is derived from its message; others are refused.
pub const SDS_CHANNEL_DERIVED_IDS: u32 = 2;

/// How a channel is opened.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_channel_options_t {
    /// `sizeof(sds_channel_options_t)`, set by the caller.
    pub size: usize,
    /// The format it writes, `SDS_PROFILE_*`.
    pub profile: u32,
    /// `SDS_CHANNEL_*`, added up.
    pub flags: u32,
}

/// The sync status of a channel: how much is here, and what is not. Counts.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_channel_status_t {
    /// `sizeof(sds_channel_status_t)`, set by the caller.
    pub size: usize,
    /// Messages with content delivered from others since the channel was first opened.
    pub received: u64,
    /// Messages of ours since then.
    pub sent: u64,
    /// Messages in the log now.
    pub logged: u64,
    /// Missing messages now.
    pub missing: u64,
    /// Messages given up as lost, and not come since.
    pub lost: u64,
    /// Messages that wait for dependencies now.
    pub waiting: u64,
    /// Messages of ours that await an acknowledgement now, possibly acknowledged ones included.
    pub unacknowledged: u64,
    /// Those of them that are possibly acknowledged.
    pub possibly_acknowledged: u64,
    /// Messages of ours given up, failed or unconfirmed, now.
    pub given_up: u64,
    /// Messages of ours acknowledged since the channel was first opened.
    pub acknowledged: u64,
    /// Delivered messages kept outside the log because their timestamp lies too far ahead.
    pub held: u64,
    /// Duplicates received.
    pub duplicates: u64,
    /// Messages delivered before what they depend on and before their own time: the incoming buffer was full, or the time of
    /// one that names them was up.
    pub delivered_early: u64,
    /// Received filters that were refused.
    pub filters_refused: u64,
    /// Missing ids that were not tracked because too many were.
    pub missing_untracked: u64,
    /// Missing messages that we will ask the others for, or ask for again (SDS-R).
    pub repair_requests: u64,
    /// Requests of others that we will answer, should nobody else.
    pub repair_answers: u64,
    /// Requests of ours that went out, repeated ones included.
    pub repairs_requested: u64,
    /// Requests of others that we answered.
    pub repairs_answered: u64,
    /// Missing messages that came after we had asked for them.
    pub repaired: u64,
    /// Requests of others, repeated ones included, that we could have answered and did not take up, for their number or
    /// size.
    pub repairs_refused: u64,
    /// Our Lamport timestamp, in milliseconds.
    pub lamport_timestamp_ms: u64,
    /// Messages that left the log because `log_messages` were in it, since the channel was first opened.
    pub log_evicted: u64,
    /// Whole messages dropped for `log_bytes` and `max_waiting_bytes`: requests for them are not answered. Names and
    /// contents stay.
    pub whole_dropped: u64,
    /// Ids forgotten for `seen_limit`, received, met, lost and reported ones: should they come again, they are new.
    pub ids_forgotten: u64,
    /// Ids that left our filter before their time for `bloom_capacity`: their senders hear less of them.
    pub filter_evicted: u64,
    /// Duplicates that did not re-enter the filter for `refilter_per_minute`.
    pub refilters_refused: u64,
    /// Filters and participants that were not taken down as evidence for a message of ours, which had enough of them.
    pub evidence_dropped: u64,
    /// Messages that were not remembered as to be confirmed, since 64 were; a sync message confirms them all the same.
    pub confirmations_dropped: u64,
    /// Messages named by fewer than `causal_history_size` histories when 64 younger ones were in line: we name them no more.
    pub namings_dropped: u64,
}

// SAFETY: repr(C), begins with a usize, and numbers are valid for any bits.
unsafe impl args::Versioned for sds_channel_options_t {}
// SAFETY: as above.
unsafe impl args::Versioned for sds_channel_status_t {}

impl From<ChannelStatus> for sds_channel_status_t {
    fn from(status: ChannelStatus) -> Self {
        Self {
            size: size_of::<Self>(),
            received: status.received,
            sent: status.sent,
            logged: status.logged,
            missing: status.missing,
            lost: status.lost,
            waiting: status.waiting,
            unacknowledged: status.unacknowledged,
            possibly_acknowledged: status.possibly_acknowledged,
            given_up: status.given_up,
            acknowledged: status.acknowledged,
            held: status.held,
            duplicates: status.duplicates,
            delivered_early: status.delivered_early,
            filters_refused: status.filters_refused,
            missing_untracked: status.missing_untracked,
            repair_requests: status.repair_requests,
            repair_answers: status.repair_answers,
            repairs_requested: status.repairs_requested,
            repairs_answered: status.repairs_answered,
            repaired: status.repaired,
            repairs_refused: status.repairs_refused,
            lamport_timestamp_ms: status.lamport_timestamp_ms,
            log_evicted: status.log_evicted,
            whole_dropped: status.whole_dropped,
            ids_forgotten: status.ids_forgotten,
            filter_evicted: status.filter_evicted,
            refilters_refused: status.refilters_refused,
            evidence_dropped: status.evidence_dropped,
            confirmations_dropped: status.confirmations_dropped,
            namings_dropped: status.namings_dropped,
        }
    }
}

/// Opens a channel, or opens it again with the state it had when it was closed.
///
/// Parameters: `channel_id`: UTF-8. `options`: NULL for the defaults. `now_ms`: milliseconds since the Unix epoch.
///
/// Returns: `SDS_OK`, also if it is open with the same options; `SDS_CHANNEL_OPTIONS_DIFFER`; `SDS_INVALID_ID`,
/// `SDS_NOT_UTF8`; `SDS_TOO_MANY_CHANNELS`; `SDS_INVALID_ARGUMENT`, `SDS_INVALID_SIZE`; `SDS_CLOSED`, `SDS_POISONED`,
/// `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_channel_open(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    options: *const sds_channel_options_t,
    now_ms: u64,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let options = if options.is_null() {
                ChannelOptions::default()
            } else {
                channel_options(args::read_sized(options, "options")?)?
            };
            Ok(manager.open_channel(channel_id, options, now_ms)?)
        })
    }
}

fn channel_options(options: sds_channel_options_t) -> Result<ChannelOptions, Failure> {
    let known = SDS_CHANNEL_FROM_NOW | SDS_CHANNEL_DERIVED_IDS;
    if options.flags & !known != 0 {
        return Err(args::invalid(format!("unknown channel flags {:#x}", options.flags & !known)));
    }
    Ok(ChannelOptions {
        profile: config::profile(options.profile, "profile")?,
        from_now: options.flags & SDS_CHANNEL_FROM_NOW != 0,
        derived_ids: options.flags & SDS_CHANNEL_DERIVED_IDS != 0,
    })
}

/// Closes a channel: nothing is sent for it, and bytes for it are refused. Its state stays until it is opened again,
/// forgotten, or the manager is closed. Time goes on for what it misses: what has been missing for `dependency_timeout_ms` when
/// it is opened again is lost at the next tick.
///
/// Returns: `SDS_OK`; `SDS_UNKNOWN_CHANNEL`; `SDS_INVALID_ID`, `SDS_NOT_UTF8`, `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`,
/// `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_channel_close(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            Ok(manager.close_channel(channel_id)?)
        })
    }
}

/// Forgets a channel, open or closed: its log, its unacknowledged messages, everything.
///
/// Returns: as `sds_channel_close`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_channel_forget(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            Ok(manager.forget_channel(channel_id)?)
        })
    }
}

/// Lists the open channels, in ascending order.
///
/// Parameters: `out`: receives one `SDS_RECORD_CHANNEL` for each.
///
/// Returns: `SDS_OK`; `SDS_NO_RESOURCES`, `SDS_INVALID_ARGUMENT`, `SDS_CLOSED`, `SDS_POISONED`, `SDS_INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_channel_list(
    manager: sds_manager_t,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let out = buffer::writable(out, &[], &[Span::of(error)])?;
            handle::with(manager, |manager| {
                let mut end = 0;
                for channel_id in manager.channels() {
                    let kind = SDS_RECORD_CHANNEL;
                    end = Record { kind, channel_id: &channel_id, ..Record::default() }.write_at(out, end)?;
                }
                out.len = end;
                Ok(())
            })
        })
    }
}

/// Tells the sync status of a channel.
///
/// Parameters: `status`: receives it; set its `size` first.
///
/// Returns: as `sds_channel_close`; `SDS_INVALID_SIZE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_channel_status(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    status: *mut sds_channel_status_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let out = args::output_sized(status, "status")?;
            out.set(manager.channel_status(channel_id)?.into());
            Ok(())
        })
    }
}

/// Writes a channel's state without any content as JSON, for bug reports.
///
/// Parameters: `out`: receives the text, UTF-8, not NUL-terminated.
///
/// Returns: as `sds_channel_close`; `SDS_NO_RESOURCES`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_channel_dump(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        handle::with_channel(manager, (channel_id, channel_id_len), error, |manager, channel_id| {
            let out = buffer::writable(out, &[channel_id.as_bytes()], &[Span::of(error)])?;
            let text = manager.dump_channel(channel_id)?;
            out.room(text.len())?.copy_from_slice(text.as_bytes());
            out.len = text.len();
            Ok(())
        })
    }
}

/// Tells which messages the next one will name in its causal history, so that the host can set their hints first.
///
/// Parameters: `out`: receives one `SDS_RECORD_HISTORY`.
///
/// Returns: as `sds_channel_close`; `SDS_NO_RESOURCES`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_next_history(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's.
    unsafe { named(manager, (channel_id, channel_id_len), out, error, Manager::next_history) }
}

/// Tells which messages are missing now, the first to be lost first. Each was told by an event before, but after a restart
/// the host may have fetched none of it.
///
/// Parameters: `out`: receives one `SDS_RECORD_HISTORY`, whose entries are the missing messages.
///
/// Returns: as `sds_channel_close`; `SDS_NO_RESOURCES`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_missing(
    manager: sds_manager_t,
    channel_id: *const c_char,
    channel_id_len: usize,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's.
    unsafe { named(manager, (channel_id, channel_id_len), out, error, Manager::missing) }
}

/// Writes one record of the messages that a channel names in one way or another.
///
/// # Safety
/// The pointers are NULL or the caller's.
unsafe fn named(
    manager: sds_manager_t,
    channel_id: (*const c_char, usize),
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
    of: impl FnOnce(&Manager, &str) -> Result<Vec<Dependency>, Error>,
) -> sds_status_t {
    // SAFETY: forwarded from the caller; each pointer is checked before use.
    unsafe {
        handle::with_channel(manager, channel_id, error, |manager, channel_id| {
            let out = buffer::writable(out, &[channel_id.as_bytes()], &[Span::of(error)])?;
            report::history(channel_id, &of(manager, channel_id)?).write_to(out)
        })
    }
}
