//! Looking into bytes without touching any state.

use super::args;
use super::buffer::{self, Span, sds_buffer_t};
use super::config::{SDS_PROFILE_LIBSDS, SDS_PROFILE_RFC};
use super::guard::{guard, sds_error_t};
use super::record::{Record, SDS_FLAG_LIBSDS, SDS_RECORD_INSPECTED};
use super::status::sds_status_t;
use crate::inspect::{Inspection, inspect};
use crate::types::{Kind, Profile};

/// Message kind: ordinary.
pub const SDS_KIND_CONTENT: u32 = 1;
/// Message kind: periodic sync.
pub const SDS_KIND_SYNC: u32 = 2;
/// Message kind: ephemeral.
pub const SDS_KIND_EPHEMERAL: u32 = 3;

/// Filter: none in the message.
pub const SDS_FILTER_NONE: u32 = 0;
/// Filter: usable.
pub const SDS_FILTER_OK: u32 = 1;
/// Filter: refused; the message is processed without it.
pub const SDS_FILTER_REFUSED: u32 = 2;

/// The numbers of an inspected message.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_inspection_t {
    /// `sizeof(sds_inspection_t)`, set by the caller.
    pub size: usize,
    /// `SDS_PROFILE_RFC` or `SDS_PROFILE_LIBSDS`.
    pub profile: u32,
    /// `SDS_KIND_*`.
    pub kind: u32,
    /// Entries of its causal history.
    pub history_count: usize,
    /// Entries of its repair request.
    pub repair_count: usize,
    /// `SDS_FILTER_*`.
    pub filter: u32,
    /// Hash functions of the filter, k.
    pub filter_hashes: u32,
    /// Bits of the filter, m.
    pub filter_bits: u64,
    /// Ids that the filter claims to be made for.
    pub filter_capacity: u64,
    /// Bytes of the filter.
    pub filter_bytes: usize,
    /// Share of its bits that are set, 0 to 1.
    pub filter_fill: f64,
    /// The chance that it holds an id that was never put in, 0 to 1.
    pub filter_false_positive_rate: f64,
}

// SAFETY: repr(C), begins with a usize, and numbers are valid for any bits.
unsafe impl args::Versioned for sds_inspection_t {}

impl From<&Inspection<'_>> for sds_inspection_t {
    fn from(inspection: &Inspection<'_>) -> Self {
        let filter = inspection.filter.as_ref();
        let usable = filter.and_then(|filter| filter.as_ref().ok());
        Self {
            size: size_of::<Self>(),
            profile: profile_number(inspection.profile),
            kind: match inspection.message.kind() {
                Kind::Content => SDS_KIND_CONTENT,
                Kind::Sync => SDS_KIND_SYNC,
                Kind::Ephemeral => SDS_KIND_EPHEMERAL,
            },
            history_count: inspection.message.causal_history.len(),
            repair_count: inspection.message.repair_request.len(),
            filter: match filter {
                None => SDS_FILTER_NONE,
                Some(Ok(_)) => SDS_FILTER_OK,
                Some(Err(_)) => SDS_FILTER_REFUSED,
            },
            filter_hashes: usable.map_or(0, |filter| filter.hashes),
            filter_bits: usable.map_or(0, |filter| filter.bits),
            filter_capacity: usable.map_or(0, |filter| filter.capacity),
            filter_bytes: inspection.message.bloom_filter.map_or(0, <[u8]>::len),
            filter_fill: usable.map_or(0.0, |filter| filter.fill),
            filter_false_positive_rate: usable.map_or(0.0, |filter| filter.false_positive_rate),
        }
    }
}

fn profile_number(profile: Profile) -> u32 {
    match profile {
        Profile::Rfc => SDS_PROFILE_RFC,
        Profile::Libsds => SDS_PROFILE_LIBSDS,
    }
}

/// Decodes bytes without touching any state, with the default limits: for debugging and for routing.
///
/// Parameters: `bytes`: of either profile. `inspection`: receives the numbers; set its `size` first. `out`: NULL, or
/// receives one `SDS_RECORD_INSPECTED` with the ids.
///
/// Returns: `SDS_OK`; `SDS_NOT_SDS`, `SDS_MALFORMED`, `SDS_TOO_LARGE`, `SDS_NOT_UTF8`, `SDS_INVALID_ID`;
/// `SDS_NO_RESOURCES`, `SDS_INVALID_ARGUMENT`, `SDS_INVALID_SIZE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_inspect(
    bytes: *const u8,
    bytes_len: usize,
    inspection: *mut sds_inspection_t,
    out: *mut sds_buffer_t,
    error: *mut sds_error_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(error, || {
            let bytes = args::bytes(bytes, bytes_len, "bytes")?;
            let numbers = args::output_sized(inspection, "inspection")?;
            let inspected = inspect(bytes).map_err(crate::error::Error::from)?;
            if !out.is_null() {
                let out = buffer::writable(out, &[bytes], &[Span::of(inspection), Span::of(error)])?;
                let message = &inspected.message;
                let libsds = inspected.profile == Profile::Libsds;
                let record = Record {
                    kind: SDS_RECORD_INSPECTED,
                    code: profile_number(inspected.profile) as u16,
                    flags: if libsds { SDS_FLAG_LIBSDS } else { 0 },
                    lamport_timestamp_ms: message.lamport_timestamp_ms,
                    number: 0.0,
                    channel_id: message.channel_id,
                    message_id: message.message_id,
                    sender_id: message.sender_id,
                    data: message.content.unwrap_or_default(),
                    entries: message.causal_history.clone(),
                };
                record.write_to(out)?;
            }
            numbers.set((&inspected).into());
            Ok(())
        })
    }
}
