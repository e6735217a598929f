//! Records: the one layout in which results, outputs and events cross the boundary.
//!
//! All numbers are little-endian, and nothing is aligned. A record is a head of [`HEAD`] bytes, then its texts and
//! bytes without gaps, then its entries:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | bytes of the whole record, these four included |
//! | 4 | 2 | kind, `SDS_RECORD_*` |
//! | 6 | 2 | code; its meaning depends on the kind |
//! | 8 | 4 | flags, `SDS_FLAG_*` |
//! | 12 | 8 | Lamport timestamp in milliseconds |
//! | 20 | 8 | number, an IEEE 754 double; its meaning depends on the kind |
//! | 28 | 4 each | lengths of channel id, message id, sender id and data; number of entries |
//! | 48 | | channel id, message id, sender id, data |
//! | | | entries: 4 bytes each for the lengths of id, hint and sender (0xffffffff: absent), then those |

use std::ffi::c_char;

use super::args;
use super::buffer::sds_buffer_t;
use super::guard::{Failure, guard};
use super::status::sds_status_t::{self, *};
use crate::manager::Manager;
use crate::output::{
    Disposition, Event, MessageState, MessageStatus, Output, Transmit, TransmitReason, Unwrapped, Wrapped,
};
use crate::types::{ChannelId, Dependency, HistoryEntry, Profile};

/// Record: bytes to broadcast. Channel, message id, data = the bytes, code = `SDS_REASON_*`.
pub const SDS_RECORD_TRANSMIT: u16 = 1;
/// Record: a message that waited is now in causal order. Channel, message id, sender, data = content, timestamp, flags.
pub const SDS_RECORD_DELIVERED: u16 = 2;
/// Record: a message is missing. Channel, message id, one entry with its hint and sender.
pub const SDS_RECORD_MISSING: u16 = 3;
/// Record: a missing message is given up. As for missing.
pub const SDS_RECORD_LOST: u16 = 4;
/// Record: a message from before this channel was opened is not waited for. As for missing.
pub const SDS_RECORD_BEFORE_US: u16 = 5;
/// Record: filters hold our message. Channel, message id, number = probability that somebody has it.
pub const SDS_RECORD_POSSIBLY_ACKNOWLEDGED: u16 = 6;
/// Record: somebody has our message. Channel, message id.
pub const SDS_RECORD_ACKNOWLEDGED: u16 = 7;
/// Record: our message was resent as often as configured and nothing was heard of it. Channel, message id.
pub const SDS_RECORD_FAILED: u16 = 8;
/// Record: the same, but filters hold it. Channel, message id, number = probability that somebody has it.
pub const SDS_RECORD_UNCONFIRMED: u16 = 9;
/// Record: result of a wrap. Channel, message id, data = bytes to broadcast, timestamp.
pub const SDS_RECORD_WRAPPED: u16 = 20;
/// Record: result of an unwrap. Channel, message id, sender, data = content, timestamp, code = `SDS_DISPOSITION_*`,
/// flags, entries = every dependency that is not met now.
pub const SDS_RECORD_UNWRAPPED: u16 = 21;
/// Record: bytes of a batch that were refused. Code = status, data = what was wrong, as text.
pub const SDS_RECORD_REFUSED: u16 = 22;
/// Record: what the next message will name. Channel, entries.
pub const SDS_RECORD_HISTORY: u16 = 23;
/// Record: a channel in a list. Channel.
pub const SDS_RECORD_CHANNEL: u16 = 24;
/// Record: status of our message. Channel, message id, timestamp, code = `SDS_STATE_*`, number = probability that
/// somebody has it, entries = participants that gave evidence: `sender_id` who, `message_id` "certain" or "possible".
pub const SDS_RECORD_MESSAGE_STATUS: u16 = 25;
/// Record: what inspected bytes hold. Channel, message id, sender, data = content, timestamp, code = `SDS_PROFILE_*`,
/// entries = causal history.
pub const SDS_RECORD_INSPECTED: u16 = 26;

/// Transmit: a message of ours that nobody confirmed.
pub const SDS_REASON_RESEND: u16 = 1;
/// Transmit: a periodic sync message.
pub const SDS_REASON_SYNC: u16 = 2;

/// Unwrapped: in causal order, show it.
pub const SDS_DISPOSITION_DELIVERED: u16 = 0;
/// Unwrapped: depends on messages not yet here; `SDS_RECORD_DELIVERED` follows.
pub const SDS_DISPOSITION_WAITING: u16 = 1;
/// Unwrapped: received before.
pub const SDS_DISPOSITION_DUPLICATE: u16 = 2;
/// Unwrapped: an echo of a message that we sent.
pub const SDS_DISPOSITION_OWN: u16 = 3;
/// Unwrapped: a sync message, without content.
pub const SDS_DISPOSITION_SYNC: u16 = 4;
/// Unwrapped: delivered and remembered nowhere.
pub const SDS_DISPOSITION_EPHEMERAL: u16 = 5;
/// Unwrapped: delivered, though it depends on messages from before we joined.
pub const SDS_DISPOSITION_BEFORE_US: u16 = 6;
/// Unwrapped: delivered, after it had been given up as lost.
pub const SDS_DISPOSITION_LATE: u16 = 7;

/// Message state: nobody was heard to have it.
pub const SDS_STATE_UNACKNOWLEDGED: u16 = 0;
/// Message state: filters hold it.
pub const SDS_STATE_POSSIBLY_ACKNOWLEDGED: u16 = 1;
/// Message state: somebody has it.
pub const SDS_STATE_ACKNOWLEDGED: u16 = 2;
/// Message state: given up, nothing was heard of it.
pub const SDS_STATE_FAILED: u16 = 3;
/// Message state: given up, filters hold it.
pub const SDS_STATE_UNCONFIRMED: u16 = 4;
/// Message state: taken back by the host.
pub const SDS_STATE_CANCELLED: u16 = 5;

/// Flag: the record has a Lamport timestamp.
pub const SDS_FLAG_TIMESTAMP: u32 = 1;
/// Flag: the sender id is ours.
pub const SDS_FLAG_OWN: u32 = 2;
/// Flag: the message had been given up as lost before it came.
pub const SDS_FLAG_LATE: u32 = 4;
/// Flag: the message came in the libsds profile, not in rfc.
pub const SDS_FLAG_LIBSDS: u32 = 8;

/// Bytes of a record before its texts.
const HEAD: usize = 48;
/// Bytes of an entry before its texts.
const ENTRY_HEAD: usize = 12;
/// The length of a text that is absent, other than empty.
const ABSENT: u32 = u32::MAX;

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

/// What a record is written from.
#[derive(Default)]
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) code: u16,
    pub(super) flags: u32,
    pub(super) lamport_timestamp_ms: Option<u64>,
    pub(super) number: f64,
    pub(super) channel_id: &'a str,
    pub(super) message_id: &'a str,
    pub(super) sender_id: &'a str,
    pub(super) data: &'a [u8],
    pub(super) entries: Vec<HistoryEntry<'a>>,
}

impl Record<'_> {
    /// Bytes that the record takes.
    fn len(&self) -> usize {
        let entry_len = |entry: &HistoryEntry<'_>| {
            let hint = entry.retrieval_hint.map_or(0, <[u8]>::len);
            ENTRY_HEAD + entry.message_id.len() + hint + entry.sender_id.map_or(0, str::len)
        };
        let texts = self.channel_id.len() + self.message_id.len() + self.sender_id.len() + self.data.len();
        HEAD + texts + self.entries.iter().map(entry_len).sum::<usize>()
    }

    /// Writes the record to `out`, which has exactly [`Record::len`] bytes.
    fn write(&self, out: &mut [u8]) {
        let mut out = Cursor { len: out.len(), rest: out };
        let total = out.len as u32;
        out.put(&total.to_le_bytes());
        out.put(&self.kind.to_le_bytes());
        out.put(&self.code.to_le_bytes());
        let timestamp_flag = if self.lamport_timestamp_ms.is_some() { SDS_FLAG_TIMESTAMP } else { 0 };
        out.put(&(self.flags | timestamp_flag).to_le_bytes());
        out.put(&self.lamport_timestamp_ms.unwrap_or(0).to_le_bytes());
        out.put(&self.number.to_le_bytes());
        let texts = [self.channel_id.as_bytes(), self.message_id.as_bytes(), self.sender_id.as_bytes(), self.data];
        texts.iter().for_each(|text| out.put_len(text.len()));
        out.put_len(self.entries.len());
        texts.iter().for_each(|text| out.put(text));
        for entry in &self.entries {
            out.put_len(entry.message_id.len());
            out.put_optional_len(entry.retrieval_hint.map(<[u8]>::len));
            out.put_optional_len(entry.sender_id.map(str::len));
            out.put(entry.message_id.as_bytes());
            out.put(entry.retrieval_hint.unwrap_or_default());
            out.put(entry.sender_id.unwrap_or_default().as_bytes());
        }
    }

    /// Writes the record behind the first `at` bytes of a buffer, and returns where it ends. `buffer.len` stays.
    pub(super) fn write_at(&self, buffer: &mut sds_buffer_t, at: usize) -> Result<usize, Failure> {
        let end = at + self.len();
        self.write(&mut buffer.room(end)?[at..]);
        Ok(end)
    }

    /// Makes the record the content of a buffer.
    pub(super) fn write_to(&self, buffer: &mut sds_buffer_t) -> Result<(), Failure> {
        buffer.len = self.write_at(buffer, 0)?;
        Ok(())
    }
}

/// Where the next bytes of a record go.
struct Cursor<'a> {
    len: usize,
    rest: &'a mut [u8],
}

impl Cursor<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let (head, tail) = std::mem::take(&mut self.rest).split_at_mut(bytes.len());
        head.copy_from_slice(bytes);
        self.rest = tail;
    }

    /// Lengths fit four bytes: what they count lies within messages, whose limit is under 4 GiB.
    fn put_len(&mut self, len: usize) {
        self.put(&(len as u32).to_le_bytes());
    }

    fn put_optional_len(&mut self, len: Option<usize>) {
        self.put(&len.map_or(ABSENT, |len| len as u32).to_le_bytes());
    }
}

fn entry(dependency: &Dependency) -> HistoryEntry<'_> {
    HistoryEntry {
        message_id: &dependency.message_id,
        retrieval_hint: dependency.retrieval_hint.as_deref(),
        sender_id: dependency.sender_id.as_deref(),
    }
}

/// The record of a list of dependencies.
pub(super) fn history<'a>(channel_id: &'a str, dependencies: &'a [Dependency]) -> Record<'a> {
    let entries = dependencies.iter().map(entry).collect();
    Record { kind: SDS_RECORD_HISTORY, channel_id, entries, ..Record::default() }
}

/// The record of a wrapped message.
pub(super) fn wrapped<'a>(channel_id: &'a str, wrapped: &'a Wrapped) -> Record<'a> {
    Record {
        kind: SDS_RECORD_WRAPPED,
        channel_id,
        message_id: &wrapped.message_id,
        lamport_timestamp_ms: wrapped.lamport_timestamp_ms,
        data: &wrapped.bytes,
        ..Record::default()
    }
}

/// The record of an unwrapped message.
pub(super) fn unwrapped<'a>(unwrapped: &'a Unwrapped<'a>) -> Record<'a> {
    let own = if unwrapped.own { SDS_FLAG_OWN } else { 0 };
    let late = if unwrapped.disposition == Disposition::Late { SDS_FLAG_LATE } else { 0 };
    let libsds = if unwrapped.profile == Profile::Libsds { SDS_FLAG_LIBSDS } else { 0 };
    Record {
        kind: SDS_RECORD_UNWRAPPED,
        code: match unwrapped.disposition {
            Disposition::Delivered => SDS_DISPOSITION_DELIVERED,
            Disposition::Waiting => SDS_DISPOSITION_WAITING,
            Disposition::Duplicate => SDS_DISPOSITION_DUPLICATE,
            Disposition::Own => SDS_DISPOSITION_OWN,
            Disposition::Sync => SDS_DISPOSITION_SYNC,
            Disposition::Ephemeral => SDS_DISPOSITION_EPHEMERAL,
            Disposition::BeforeUs => SDS_DISPOSITION_BEFORE_US,
            Disposition::Late => SDS_DISPOSITION_LATE,
        },
        flags: own | late | libsds,
        lamport_timestamp_ms: unwrapped.lamport_timestamp_ms,
        channel_id: unwrapped.channel_id,
        message_id: unwrapped.message_id,
        sender_id: unwrapped.sender_id,
        data: unwrapped.content,
        entries: unwrapped.unmet.iter().map(entry).collect(),
        ..Record::default()
    }
}

/// The record of the status of one of our messages.
pub(super) fn message_status<'a>(channel_id: &'a str, message_id: &'a str, status: &'a MessageStatus) -> Record<'a> {
    let entries = status.acknowledgers.iter().map(|who| HistoryEntry {
        message_id: if who.certain { "certain" } else { "possible" },
        retrieval_hint: None,
        sender_id: Some(&who.participant_id),
    });
    Record {
        kind: SDS_RECORD_MESSAGE_STATUS,
        code: match status.state {
            MessageState::Unacknowledged => SDS_STATE_UNACKNOWLEDGED,
            MessageState::PossiblyAcknowledged => SDS_STATE_POSSIBLY_ACKNOWLEDGED,
            MessageState::Acknowledged => SDS_STATE_ACKNOWLEDGED,
            MessageState::Failed => SDS_STATE_FAILED,
            MessageState::Unconfirmed => SDS_STATE_UNCONFIRMED,
            MessageState::Cancelled => SDS_STATE_CANCELLED,
        },
        flags: status.resends << SDS_RESENDS_SHIFT,
        lamport_timestamp_ms: Some(status.lamport_timestamp_ms),
        number: status.probability,
        channel_id,
        message_id,
        entries: entries.collect(),
        ..Record::default()
    }
}

/// In the flags of a message status, the resends so far lie above this bit.
pub const SDS_RESENDS_SHIFT: u32 = 16;

fn output<'a>(channel_id: &'a ChannelId, output: &'a Output) -> Record<'a> {
    match output {
        Output::Transmit(transmit) => self::transmit(channel_id, transmit),
        Output::Event(event) => self::event(channel_id, event),
    }
}

fn transmit<'a>(channel_id: &'a ChannelId, transmit: &'a Transmit) -> Record<'a> {
    Record {
        kind: SDS_RECORD_TRANSMIT,
        code: match transmit.reason {
            TransmitReason::Resend => SDS_REASON_RESEND,
            TransmitReason::Sync => SDS_REASON_SYNC,
        },
        channel_id,
        message_id: &transmit.message_id,
        data: &transmit.bytes,
        ..Record::default()
    }
}

fn event<'a>(channel_id: &'a ChannelId, event: &'a Event) -> Record<'a> {
    let plain =
        |kind, message_id: &'a str, number| Record { kind, channel_id, message_id, number, ..Record::default() };
    let named = |kind, dependency: &'a Dependency| {
        let entries = vec![entry(dependency)];
        Record { kind, channel_id, message_id: &dependency.message_id, entries, ..Record::default() }
    };
    match event {
        Event::Delivered(delivered) => {
            let own = if delivered.own { SDS_FLAG_OWN } else { 0 };
            let late = if delivered.late { SDS_FLAG_LATE } else { 0 };
            Record {
                flags: own | late,
                lamport_timestamp_ms: Some(delivered.lamport_timestamp_ms),
                sender_id: &delivered.sender_id,
                data: &delivered.content,
                ..plain(SDS_RECORD_DELIVERED, &delivered.message_id, 0.0)
            }
        }
        Event::Missing(dependency) => named(SDS_RECORD_MISSING, dependency),
        Event::Lost(dependency) => named(SDS_RECORD_LOST, dependency),
        Event::BeforeUs(dependency) => named(SDS_RECORD_BEFORE_US, dependency),
        Event::PossiblyAcknowledged { message_id, probability } => {
            plain(SDS_RECORD_POSSIBLY_ACKNOWLEDGED, message_id, *probability)
        }
        Event::Acknowledged { message_id } => plain(SDS_RECORD_ACKNOWLEDGED, message_id, 1.0),
        Event::Failed { message_id } => plain(SDS_RECORD_FAILED, message_id, 0.0),
        Event::Unconfirmed { message_id, probability } => plain(SDS_RECORD_UNCONFIRMED, message_id, *probability),
    }
}

/// Takes as many outputs as fit into `memory`; see `sds_drain`.
pub(super) fn drain(
    manager: &Manager,
    memory: &mut [u8],
    len: &mut usize,
    next_len: Option<&mut usize>,
) -> Result<(), Failure> {
    let mut written = 0;
    let mut next = 0;
    manager.drain_while(|channel_id, item| {
        let record = output(channel_id, item);
        let end = written + record.len();
        if end > memory.len() {
            next = record.len();
            return false;
        }
        record.write(&mut memory[written..end]);
        written = end;
        true
    });
    if let Some(next_len) = next_len {
        *next_len = next;
    }
    if written == 0 && next > 0 {
        return Err(Failure::new(SDS_BUFFER_TOO_SMALL, format!("the next record takes {next} bytes")));
    }
    *len = written;
    Ok(())
}

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
            let rest = data.get(*offset..).filter(|rest| !rest.is_empty()).ok_or_else(end)?;
            let total = u32_at(rest, 0)? as usize;
            let bytes = rest.get(..total).ok_or_else(malformed)?;
            *out = decode(bytes)?;
            *offset += total;
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
            let rest = entries.get(*offset..).filter(|rest| !rest.is_empty()).ok_or_else(end)?;
            let mut rest = Reader { bytes: rest, at: ENTRY_HEAD };
            let message_id = rest.text(0)?.ok_or_else(malformed)?;
            let (hint, sender) = (rest.text(4)?, rest.text(8)?);
            let (hint_data, hint_len) = parts(hint);
            let (sender_data, sender_len) = parts(sender);
            *out = sds_entry_t {
                size: size_of::<sds_entry_t>(),
                message_id: message_id.as_ptr().cast(),
                message_id_len: message_id.len(),
                retrieval_hint: hint_data,
                retrieval_hint_len: hint_len,
                sender_id: sender_data.cast(),
                sender_id_len: sender_len,
            };
            *offset += rest.at;
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
    let entries = &bytes[reader.at..];
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
        let end = self.at + len as usize;
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
