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

use super::buffer::sds_buffer_t;
use super::guard::Failure;
use crate::types::HistoryEntry;

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
/// Record: we asked the others for a missing message (SDS-R). Channel, message id, number = how often so far.
pub const SDS_RECORD_REPAIR_REQUESTED: u16 = 10;
/// Record: a message was broadcast again for somebody who asked for it. Channel, message id.
pub const SDS_RECORD_REPAIR_ANSWERED: u16 = 11;
/// Record: a missing message that we had asked for is here; or, in a libsds channel, it turned out to have no content.
/// Channel, message id.
pub const SDS_RECORD_REPAIRED: u16 = 12;
/// Record: result of a wrap. Channel, message id, data = bytes to broadcast, timestamp. With `SDS_FLAG_HELD` there are no
/// bytes yet.
pub const SDS_RECORD_WRAPPED: u16 = 20;
/// Record: result of an unwrap. Channel, message id, sender, data = content, timestamp, code = `SDS_DISPOSITION_*`,
/// flags, entries = every dependency that is not met now; with `SDS_DISPOSITION_BEFORE_US`, those that lie before us.
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
/// Record: one thing to write, in an offer. Code = `SDS_WRITE_*`, channel, data = the key of `SDS_KEY_SIZE` bytes and then
/// the value. A host that finds a code or a kind in an offer that it does not know must not commit it.
pub const SDS_RECORD_WRITE: u16 = 27;
/// Record: a message of a stored log. Channel, message id, sender, data = content, timestamp, flags, number = when it was
/// sent or received here, about, in milliseconds since the Unix epoch (0: the host said that it was here), one entry with
/// its hint if that is known. `SDS_FLAG_SENT`: we sent it; `SDS_FLAG_OWN`: the sender id is ours, though we did not.
pub const SDS_RECORD_LOGGED: u16 = 28;

/// Write: put the value under the channel and the key, whether there is one or not. The record of the manager itself has
/// the empty channel id.
pub const SDS_WRITE_PUT: u16 = 1;
/// Write: delete what is under the channel and the key, if it is there. No value.
pub const SDS_WRITE_DELETE: u16 = 2;
/// Write: delete all that is under the channel. No key, no value.
pub const SDS_WRITE_FORGET: u16 = 3;
/// Write: delete everything, of all channels and of the manager. No channel, no key, no value.
pub const SDS_WRITE_WIPE: u16 = 4;

/// Bytes of the key of a stored record: its kind, then 16 bytes. Compared bytewise, messages of a channel lie together, in
/// the order in which they came.
pub const SDS_KEY_SIZE: usize = 17;
/// First byte of a key: a message of the log, for `sds_read_log_record`.
pub const SDS_KEY_MESSAGE: u8 = 1;
/// First byte of a key: what is said of a message of the log later; the 16 bytes are those of the message.
pub const SDS_KEY_SIDE: u8 = 2;

/// Transmit: a message of ours that nobody confirmed.
pub const SDS_REASON_RESEND: u16 = 1;
/// Transmit: a periodic sync message.
pub const SDS_REASON_SYNC: u16 = 2;
/// Transmit: a sync message that asks for missing messages (SDS-R).
pub const SDS_REASON_REPAIR_REQUEST: u16 = 3;
/// Transmit: a message that somebody else asked for (SDS-R).
pub const SDS_REASON_REPAIR_ANSWER: u16 = 4;
/// Transmit: a message of ours that goes out for the first time, now that it is stored.
pub const SDS_REASON_PUBLISH: u16 = 5;

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
/// Flag: the bytes to broadcast are held back until they are stored. They come out of `sds_drain`, with `SDS_REASON_PUBLISH`.
pub const SDS_FLAG_HELD: u32 = 16;
/// Flag: we sent the message.
pub const SDS_FLAG_SENT: u32 = 32;

/// In the flags of a message status, the resends so far lie above this bit.
pub const SDS_RESENDS_SHIFT: u32 = 16;

/// Bytes of a record before its texts.
pub(super) const HEAD: usize = 48;
/// Bytes of an entry before its texts.
pub(super) const ENTRY_HEAD: usize = 12;
/// The length of a text that is absent, other than empty.
pub(super) const ABSENT: u32 = u32::MAX;

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
    pub(super) fn len(&self) -> usize {
        let entry_len = |entry: &HistoryEntry<'_>| {
            let hint = entry.retrieval_hint.map_or(0, <[u8]>::len);
            ENTRY_HEAD + entry.message_id.len() + hint + entry.sender_id.map_or(0, str::len)
        };
        let texts = self.channel_id.len() + self.message_id.len() + self.sender_id.len() + self.data.len();
        HEAD + texts + self.entries.iter().map(entry_len).sum::<usize>()
    }

    /// Writes the record to `out`, which has exactly [`Record::len`] bytes.
    pub(super) fn write(&self, out: &mut [u8]) {
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
