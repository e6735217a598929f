//! Records as C reads them.

use std::ffi::c_char;

use super::args;
use super::guard::{Failure, guard};
use super::record::{ABSENT, ENTRY_HEAD, HEAD};
use super::status::sds_status_t::{self, *};

/// One record, decoded by `sds_record_next`. Pointers reach into the memory that was decoded.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_record_t {
    /// `sizeof(sds_record_t)`, set by the caller.
    pub size: usize,
    /// What it tells, `SDS_RECORD_*`.
    pub kind: u16,
    /// A code whose meaning depends on the kind.
    pub code: u16,
    /// `SDS_FLAG_*`, added up.
    pub flags: u32,
    /// Lamport timestamp in milliseconds, if `SDS_FLAG_TIMESTAMP` is set.
    pub lamport_timestamp_ms: u64,
    /// A number whose meaning depends on the kind.
    pub number: f64,
    /// The channel; UTF-8, not NUL-terminated, like all texts here.
    pub channel_id: *const c_char,
    /// Its length in bytes.
    pub channel_id_len: usize,
    /// The message.
    pub message_id: *const c_char,
    /// Its length in bytes.
    pub message_id_len: usize,
    /// Who sent it.
    pub sender_id: *const c_char,
    /// Its length in bytes.
    pub sender_id_len: usize,
    /// Content or bytes to broadcast.
    pub data: *const u8,
    /// Its length in bytes.
    pub data_len: usize,
    /// The entries, for `sds_entry_next`.
    pub entries: *const u8,
    /// Their length in bytes.
    pub entries_len: usize,
    /// How many there are.
    pub entry_count: usize,
}

/// One entry of a record, decoded by `sds_entry_next`. Pointers reach into the memory that was decoded.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_entry_t {
    /// `sizeof(sds_entry_t)`, set by the caller.
    pub size: usize,
    /// The message that is named.
    pub message_id: *const c_char,
    /// Its length in bytes.
    pub message_id_len: usize,
    /// What the application needs to fetch it; NULL when absent.
    pub retrieval_hint: *const u8,
    /// Its length in bytes.
    pub retrieval_hint_len: usize,
    /// Who sent it; NULL when unknown.
    pub sender_id: *const c_char,
    /// Its length in bytes.
    pub sender_id_len: usize,
}

// SAFETY: repr(C), begins with a usize, and numbers and raw pointers are valid for any bits.
unsafe impl args::Versioned for sds_record_t {}
// SAFETY: as above.
unsafe impl args::Versioned for sds_entry_t {}

/// Decodes the next record of a buffer.
///
/// Parameters: `data`, `len`: records, as a call wrote them. `offset`: where to read, 0 at first; moved past the record
/// on success. `record`: receives the record; set its `size` first.
///
/// Returns: `SDS_OK`; `SDS_END` at the end; `SDS_MALFORMED` if these are no records; `SDS_INVALID_ARGUMENT`,
/// `SDS_INVALID_SIZE`.
///
/// Ownership: the record's pointers reach into `data` and are valid as long as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_record_next(
    data: *const u8,
    len: usize,
    offset: *mut usize,
    record: *mut sds_record_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(std::ptr::null_mut(), || {
            let data = args::bytes(data, len, "data")?;
            let offset = args::output(offset, "offset")?;
            let out = args::output_sized(record, "record")?;
            let rest = data.get(offset.get()..).filter(|rest| !rest.is_empty()).ok_or_else(end)?;
            let total = u32_at(rest, 0)? as usize;
            let bytes = rest.get(..total).ok_or_else(malformed)?;
            let (decoded, end) = (decode(bytes)?, offset.get().saturating_add(total));
            out.set(decoded);
            offset.set(end);
            Ok(())
        })
    }
}

/// Decodes the next entry of a record.
///
/// Parameters: `record`: from `sds_record_next`. `offset`: where to read, 0 at first; moved past the entry on success.
/// `entry`: receives the entry; set its `size` first.
///
/// Returns: `SDS_OK`; `SDS_END` after the last; `SDS_MALFORMED`; `SDS_INVALID_ARGUMENT`, `SDS_INVALID_SIZE`.
///
/// Ownership: as for `sds_record_next`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_entry_next(
    record: *const sds_record_t,
    offset: *mut usize,
    entry: *mut sds_entry_t,
) -> sds_status_t {
    // SAFETY: pointers are NULL or the caller's; each is checked before use.
    unsafe {
        guard(std::ptr::null_mut(), || {
            let record = args::read_sized(record, "record")?;
            let offset = args::output(offset, "offset")?;
            let out = args::output_sized(entry, "entry")?;
            let entries = args::bytes(record.entries, record.entries_len, "entries")?;
            let rest = entries.get(offset.get()..).filter(|rest| !rest.is_empty()).ok_or_else(end)?;
            let mut rest = Reader { bytes: rest, at: ENTRY_HEAD };
            let message_id = rest.text(0)?.ok_or_else(malformed)?;
            let (hint, sender) = (rest.text(4)?, rest.text(8)?);
            let (hint_data, hint_len) = parts(hint);
            let (sender_data, sender_len) = parts(sender);
            let end = offset.get().saturating_add(rest.at);
            out.set(sds_entry_t {
                size: size_of::<sds_entry_t>(),
                message_id: message_id.as_ptr().cast(),
                message_id_len: message_id.len(),
                retrieval_hint: hint_data,
                retrieval_hint_len: hint_len,
                sender_id: sender_data.cast(),
                sender_id_len: sender_len,
            });
            offset.set(end);
            Ok(())
        })
    }
}

fn decode(bytes: &[u8]) -> Result<sds_record_t, Failure> {
    let mut reader = Reader { bytes, at: HEAD };
    let mut text = |length_at| Ok::<_, Failure>(parts(reader.text(length_at)?));
    let (channel_id, channel_id_len) = text(28)?;
    let (message_id, message_id_len) = text(32)?;
    let (sender_id, sender_id_len) = text(36)?;
    let (data, data_len) = text(40)?;
    let entries = bytes.get(reader.at..).ok_or_else(malformed)?;
    let kind_and_code = u32_at(bytes, 4)?;
    Ok(sds_record_t {
        size: size_of::<sds_record_t>(),
        kind: kind_and_code as u16,
        code: (kind_and_code >> 16) as u16,
        flags: u32_at(bytes, 8)?,
        lamport_timestamp_ms: u64_at(bytes, 12)?,
        number: f64::from_bits(u64_at(bytes, 20)?),
        channel_id: channel_id.cast(),
        channel_id_len,
        message_id: message_id.cast(),
        message_id_len,
        sender_id: sender_id.cast(),
        sender_id_len,
        data,
        data_len,
        entries: entries.as_ptr(),
        entries_len: entries.len(),
        entry_count: u32_at(bytes, 44)? as usize,
    })
}

/// Reads texts one after the other, their lengths lying in a head before them.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn text(&mut self, length_at: usize) -> Result<Option<&'a [u8]>, Failure> {
        let len = u32_at(self.bytes, length_at)?;
        if len == ABSENT {
            return Ok(None);
        }
        let end = self.at.checked_add(len as usize).ok_or_else(malformed)?;
        let text = self.bytes.get(self.at..end).ok_or_else(malformed)?;
        self.at = end;
        Ok(Some(text))
    }
}

fn parts(text: Option<&[u8]>) -> (*const u8, usize) {
    text.map_or((std::ptr::null(), 0), |text| (text.as_ptr(), text.len()))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Failure> {
    let number = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or_else(malformed)?;
    Ok(u32::from_le_bytes(number))
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Failure> {
    Ok(u64::from(u32_at(bytes, at)?) | u64::from(u32_at(bytes, at + 4)?) << 32)
}

fn malformed() -> Failure {
    Failure::new(SDS_MALFORMED, "these are no records")
}

fn end() -> Failure {
    Failure::new(SDS_END, "no more")
}
