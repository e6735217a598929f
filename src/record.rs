//! Durable state: records under keys, and what a call changed of them.
//!
//! The state of a channel is a set of small records. Each part of it notes which of its records a call touched, and
//! writes those out afterwards, so that a store always holds what the memory does. Values are protobuf messages, defined
//! beside the parts that they belong to, whose fields are only ever added; long lines of small entries are stored in
//! chunks of [`CHUNK`].

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message;
use thiserror::Error;

use crate::idhash::IdHash;
use crate::types::{Dependency, MessageId, ParticipantId, TimeMs};

/// What a record holds. The numbers are part of the stored format: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// How a channel was opened, when it is due, and its counters, clocks and timers: one record.
    Head = 0,
    /// A message of the log, by its place by arrival.
    Message = 1,
    /// What is said of a message of the log after it got there: its hint, and whether it is held. By the same number.
    Side = 2,
    /// A message that waits for others, by arrival.
    Waiting = 3,
    /// What it waits for, and until when. By the same number.
    WaitingState = 4,
    /// A missing message, by its hash.
    Missing = 5,
    /// A missing message that will be asked for, by its hash.
    Request = 6,
    /// What became of a message of ours, by its hash.
    Own = 7,
    /// A message that we will send again for somebody who asked, by its hash.
    Answer = 8,
    /// A message that was so answered just now, by age.
    Answered = 9,
    /// Ids that the filter covers, in chunks, by age.
    Covered = 10,
    /// Ids that left the log, in chunks, by age.
    Received = 11,
    /// Ids that need not be waited for, in chunks, by age.
    Met = 12,
    /// Ids that were given up, in chunks, by age.
    Lost = 13,
    /// Ids that were told to be missing, and are tracked no longer, in chunks, by age.
    Told = 14,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Head,
        Self::Message,
        Self::Side,
        Self::Waiting,
        Self::WaitingState,
        Self::Missing,
        Self::Request,
        Self::Own,
        Self::Answer,
        Self::Answered,
        Self::Covered,
        Self::Received,
        Self::Met,
        Self::Lost,
        Self::Told,
    ];

    /// The kind of that number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// The name of a record within its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it holds.
    pub kind: Kind,
    /// Which one: a number, or the hash of an id.
    pub id: u128,
}

/// Bytes of a [`Key`].
pub const KEY_BYTES: usize = 17;

impl Key {
    /// The key of the one record of how a channel stands.
    pub const HEAD: Self = Self { kind: Kind::Head, id: 0 };

    /// The kind, then the id, big-endian: keys of a kind lie together, in the order of their ids.
    pub fn to_bytes(self) -> [u8; KEY_BYTES] {
        let mut bytes = [self.kind as u8; KEY_BYTES];
        if let Some(id) = bytes.last_chunk_mut::<16>() {
            *id = self.id.to_be_bytes();
        }
        bytes
    }

    /// The key of those bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        let (kind, id) = bytes.split_first().ok_or(Damaged("an empty key"))?;
        let kind = Kind::from_number(*kind).ok_or(Damaged("a record of an unknown kind"))?;
        let id = id.try_into().map_err(|_| Damaged("a key of the wrong length"))?;
        Ok(Self { kind, id: u128::from_be_bytes(id) })
    }
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An encoded record of any kind but [`Kind::Message`].
    Bytes(Vec<u8>),
    /// A message of the log, which a store may want to look into.
    Message(StoredMessage),
}

/// One change of the durable state of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Of which record.
    pub key: Key,
    /// What it holds now; `None`: it is gone.
    pub value: Option<Value>,
}

impl Change {
    /// The same for one that is written as it is.
    pub fn of_bytes(kind: Kind, id: u128, value: Option<Vec<u8>>) -> Self {
        Self { key: Key { kind, id }, value: value.map(Value::Bytes) }
    }

    /// A record that is written while it exists, and deleted when it does not.
    pub fn of(kind: Kind, id: impl Into<u128>, value: Option<impl Message>) -> Self {
        let value = value.map(|value| Value::Bytes(value.encode_to_vec()));
        Self { key: Key { kind, id: id.into() }, value }
    }
}

/// Records that cannot have been written by us, or have since been damaged.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct Damaged(pub &'static str);

/// A message of the log, as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMessage {
    /// Its place by arrival, from 0.
    pub number: u64,
    /// The keyed hash of its id.
    pub hash: IdHash,
    /// Its id.
    pub message_id: MessageId,
    /// Who sent it.
    pub sender_id: ParticipantId,
    /// Its Lamport timestamp, in milliseconds.
    pub lamport_ms: u64,
    /// When it came or went, on the scale of the deadlines.
    pub since_ms: TimeMs,
    /// How far that scale was ahead of the host's clock then, in milliseconds.
    pub ahead_ms: u64,
    /// What else is known of it: a sum of the constants of [`StoredMessage`].
    pub flags: u8,
    /// The encoded message; with [`StoredMessage::CONTENT_ONLY`] its content.
    pub bytes: Bytes,
}

impl StoredMessage {
    /// Its sender id is ours.
    pub const OWN: u8 = 1;
    /// It had been given up as lost before it came.
    pub const LATE: u8 = 2;
    /// Only its content was kept.
    pub const CONTENT_ONLY: u8 = 4;
    /// We may have to send it again for others, and keep it in memory for that while it is recent.
    pub const ANSWERABLE: u8 = 8;
    /// We sent it.
    pub const SENT: u8 = 16;
    /// It was here before this engine was: the host said so. It has no bytes.
    pub const SEEDED: u8 = 32;

    /// Whether a flag is set.
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// When it came or went, by the host's clock.
    pub fn host_ms(&self) -> TimeMs {
        self.since_ms.saturating_sub(self.ahead_ms)
    }

    /// As a value of a store of keys and values.
    pub fn encode(&self) -> Vec<u8> {
        let record = MessageRecord {
            hash: hash_bytes(self.hash),
            message_id: self.message_id.to_string(),
            sender_id: self.sender_id.to_string(),
            lamport_ms: self.lamport_ms,
            since_ms: self.since_ms,
            ahead_ms: self.ahead_ms,
            flags: u32::from(self.flags),
            bytes: self.bytes.clone(),
        };
        record.encode_to_vec()
    }

    /// What [`StoredMessage::encode`] wrote.
    pub fn decode(number: u64, value: &[u8]) -> Result<Self, Damaged> {
        let record: MessageRecord = decode(value)?;
        Ok(Self {
            number,
            hash: hash_of(&record.hash)?,
            message_id: MessageId::from(&*record.message_id),
            sender_id: ParticipantId::from(&*record.sender_id),
            lamport_ms: record.lamport_ms,
            since_ms: record.since_ms,
            ahead_ms: record.ahead_ms,
            flags: u8::try_from(record.flags).map_err(|_| Damaged("a message with unknown flags"))?,
            bytes: record.bytes,
        })
    }
}

/// The stored messages that a channel needs in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All from this number on.
    pub from: u64,
    /// And these before it, ascending.
    pub numbers: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct MessageRecord {
    #[prost(bytes = "vec", tag = "1")]
    hash: Vec<u8>,
    #[prost(string, tag = "2")]
    message_id: String,
    #[prost(string, tag = "3")]
    sender_id: String,
    #[prost(uint64, tag = "4")]
    lamport_ms: u64,
    #[prost(uint64, tag = "5")]
    since_ms: u64,
    #[prost(uint32, tag = "6")]
    flags: u32,
    #[prost(bytes = "bytes", tag = "7")]
    bytes: Bytes,
    #[prost(uint64, tag = "8")]
    ahead_ms: u64,
}

/// A message that is named and not here, as it is stored.
#[derive(Clone, PartialEq, Message)]
pub struct DependencyRecord {
    /// Its id.
    #[prost(string, tag = "1")]
    pub message_id: String,
    /// Its retrieval hint, if one was named.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub hint: Option<Vec<u8>>,
    /// Its sender, if one was named.
    #[prost(string, optional, tag = "3")]
    pub sender_id: Option<String>,
}

impl From<&Dependency> for DependencyRecord {
    fn from(dependency: &Dependency) -> Self {
        Self {
            message_id: dependency.message_id.to_string(),
            hint: dependency.retrieval_hint.as_deref().map(<[u8]>::to_vec),
            sender_id: dependency.sender_id.as_deref().map(str::to_owned),
        }
    }
}

impl From<DependencyRecord> for Dependency {
    fn from(record: DependencyRecord) -> Self {
        Self {
            message_id: MessageId::from(&*record.message_id),
            retrieval_hint: record.hint.map(Into::into),
            sender_id: record.sender_id.as_deref().map(ParticipantId::from),
        }
    }
}

/// Records of one kind, in the order of their ids, each once: [`find`] relies on it.
pub type Rows = Vec<(u128, Vec<u8>)>;

/// Adds the next row.
pub fn add_row(rows: &mut Rows, id: u128, value: Vec<u8>) -> Result<(), Damaged> {
    if rows.last().is_some_and(|last| last.0 >= id) {
        return Err(Damaged("records that are out of order, or one twice"));
    }
    rows.push((id, value));
    Ok(())
}

/// The value of the record of that id.
pub fn find(rows: &Rows, id: impl Into<u128>) -> Option<&[u8]> {
    let id = id.into();
    let place = rows.binary_search_by(|row| row.0.cmp(&id)).ok()?;
    rows.get(place).map(|row| &*row.1)
}

/// Decodes a value.
pub fn decode<T: Message + Default>(value: &[u8]) -> Result<T, Damaged> {
    T::decode(value).map_err(|_| Damaged("a record that does not decode"))
}

/// A hash as it is stored.
pub fn hash_bytes(hash: IdHash) -> Vec<u8> {
    hash.number().to_be_bytes().to_vec()
}

/// What [`hash_bytes`] wrote.
pub fn hash_of(bytes: &[u8]) -> Result<IdHash, Damaged> {
    let bytes = bytes.try_into().map_err(|_| Damaged("a hash of the wrong length"))?;
    Ok(IdHash::from_number(u128::from_be_bytes(bytes)))
}

/// Hashes, one after the other.
pub fn pack<'a>(hashes: impl IntoIterator<Item = &'a IdHash>) -> Vec<u8> {
    hashes.into_iter().flat_map(|hash| hash.number().to_be_bytes()).collect()
}

/// What [`pack`] wrote.
pub fn unpack(bytes: &[u8]) -> Result<Vec<IdHash>, Damaged> {
    let (hashes, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(Damaged("hashes of the wrong length"));
    }
    Ok(hashes.iter().map(|hash| IdHash::from_number(u128::from_be_bytes(*hash))).collect())
}

/// Entries that are stored together, where they are small, numbered, and come and go in that order.
pub const CHUNK: u64 = 32;

/// A line of entries whose oldest has the number `first`: what of it lies in a chunk, each entry in `N` bytes, preceded
/// by the number of the first of them. `None` if nothing does.
pub fn write_chunk<const N: usize>(
    chunk: u128,
    first: u64,
    entries: usize,
    entry: impl Fn(usize) -> Option<[u8; N]>,
) -> Option<Vec<u8>> {
    let start = u64::try_from(chunk).ok()?.checked_mul(CHUNK)?;
    let from = start.max(first);
    let to = start.saturating_add(CHUNK).min(first.saturating_add(entries as u64));
    let mut bytes = from.to_be_bytes().to_vec();
    for number in from..to {
        bytes.extend_from_slice(&entry(number.checked_sub(first)? as usize)?);
    }
    (from < to).then_some(bytes)
}

/// What [`write_chunk`] wrote: the entries from `first` on, `entries` of them. The chunks come in order, and the first
/// may begin with entries that have gone since it was written.
pub fn read_chunks<const N: usize>(
    chunks: &[Vec<u8>],
    first: u64,
    entries: usize,
) -> Result<impl Iterator<Item = [u8; N]> + '_, Damaged> {
    const BROKEN: Damaged = Damaged("a chunk of entries that is not whole");
    let mut next = first;
    let mut skipped = 0;
    for (place, chunk) in chunks.iter().enumerate() {
        let (from, items) = chunk.split_first_chunk::<8>().ok_or(BROKEN)?;
        let from = u64::from_be_bytes(*from);
        let (items, rest) = items.as_chunks::<N>();
        if place == 0 {
            skipped = first.checked_sub(from).filter(|skipped| *skipped <= CHUNK).ok_or(BROKEN)? as usize;
            next = from;
        }
        if from != next || !rest.is_empty() {
            return Err(BROKEN);
        }
        next = next.checked_add(items.len() as u64).ok_or(BROKEN)?;
    }
    if next.checked_sub(first) != Some(entries as u64) {
        return Err(BROKEN);
    }
    let items = chunks.iter().filter_map(|chunk| chunk.get(8..)).flat_map(|items| items.as_chunks::<N>().0);
    Ok(items.skip(skipped).copied())
}

/// Which records a part of the state has to write. Off, and then free, unless the state is kept durably.
#[derive(Debug, Default)]
pub struct Touched {
    ids: Option<BTreeSet<u128>>,
    /// Of a line of entries: the first chunk that began since the changes were last taken. It and those after it were
    /// never written.
    new_from: Option<u128>,
}

impl Touched {
    /// Notes from now on.
    pub fn turn_on(&mut self) {
        self.ids.get_or_insert_default();
    }

    /// Whether anything is noted at all.
    pub fn is_on(&self) -> bool {
        self.ids.is_some()
    }

    /// A record is new, changed or gone.
    pub fn touch(&mut self, id: impl Into<u128>) {
        if let Some(ids) = &mut self.ids {
            ids.insert(id.into());
        }
    }

    /// An entry of a line of entries came, as the last of them.
    pub fn add_entry(&mut self, number: u64) {
        if number.is_multiple_of(CHUNK) {
            self.new_from.get_or_insert(u128::from(number / CHUNK));
        }
        self.touch_entry(number);
    }

    /// An entry of a line of entries changed.
    pub fn touch_entry(&mut self, number: u64) {
        self.touch(number / CHUNK);
    }

    /// The oldest entry of a line of entries went. Its chunk is written anew only when it is the last to go: until then,
    /// readers pass over it. What came and went since changes were last taken leaves no trace, however much it is.
    pub fn drop_entry(&mut self, number: u64) {
        if number % CHUNK == CHUNK - 1 {
            let chunk = u128::from(number / CHUNK);
            if self.new_from.is_some_and(|first| chunk >= first) {
                self.forget(chunk);
            } else {
                self.touch(chunk);
            }
        }
    }

    /// Forgets that a record was touched; tells whether it was.
    pub fn forget(&mut self, id: impl Into<u128>) -> bool {
        self.ids.as_mut().is_some_and(|ids| ids.remove(&id.into()))
    }

    /// What was noted since last asked, ascending.
    pub fn take(&mut self) -> BTreeSet<u128> {
        self.new_from = None;
        self.ids.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
