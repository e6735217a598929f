//! The log as records: its messages, what is said of them later, and ids that it remembers.
//!
//! A message is written once, and stays on disk long after it left memory, for the host to read. What changes of it lies in
//! a small record beside it.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message;

use super::remembered::Remembered;
use super::{Entry, Log, Taken};
use crate::channel::clock::Now;
use crate::channel::whole::Whole;
use crate::config::Config;
use crate::output::Hint;
use crate::record::{Change, Damaged, Key, Kind, Rows, StoredMessage, Touched, Value, decode, find};

/// What a message on disk is reduced for.
const WORTH_BYTES: usize = 1_024;

/// What is kept of a message on disk, beside what the log has of it anyway.
#[derive(Debug)]
pub struct Stored {
    /// The encoded message, if we may have to send it again, or else its content.
    pub bytes: Bytes,
    /// When it came or went.
    pub since: Now,
}

impl Stored {
    /// A received message, as far as it is kept: its bytes if we may have to send them again, and else its content.
    pub fn received<'a>(entry: &Entry, since: Now, content: impl FnOnce() -> Option<&'a [u8]>) -> Self {
        let bytes = match &entry.whole {
            Some(whole) => whole.bytes.clone(),
            None => Bytes::copy_from_slice(content().unwrap_or_default()),
        };
        Self { bytes, since }
    }
}

/// What the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    messages: Vec<StoredMessage>,
    /// Those that are no longer whole in memory, still whole here.
    pub reduced: Vec<StoredMessage>,
    sides: Touched,
    /// Records of entries that left memory before they were written.
    settled: Vec<Change>,
}

impl Unsaved {
    /// A message entered the log as its entry at `index`.
    pub fn insert(&mut self, evicted: u64, index: usize, entry: &Entry, ahead: bool, stored: Option<Stored>) {
        let Some(stored) = stored else { return };
        let sent = entry.flags & StoredMessage::SENT != 0;
        let seeded = entry.flags & StoredMessage::SEEDED != 0;
        let kept = match &entry.whole {
            Some(_) => StoredMessage::ANSWERABLE,
            None if sent || seeded => 0,
            None => StoredMessage::CONTENT_ONLY,
        };
        self.messages.push(StoredMessage {
            number: number(evicted, index),
            hash: entry.hash,
            message_id: entry.message_id.clone(),
            sender_id: entry.sender_id.clone(),
            lamport_ms: entry.lamport_ms,
            since_ms: stored.since.steady_ms,
            ahead_ms: stored.since.ahead_ms(),
            flags: entry.flags | kept,
            bytes: stored.bytes,
        });
        if ahead || entry.hint.is_some() {
            self.side(evicted, index);
        }
    }

    /// An entry is no longer whole in memory, and need not be on disk, if that saves much: a filter in the rfc profile has
    /// 18 KB.
    pub fn reduce(&mut self, evicted: u64, index: usize, entry: &Entry) {
        let Some(whole) = entry.whole.as_ref().filter(|_| self.sides.is_on()) else { return };
        if entry.flags & StoredMessage::SENT == 0 && whole.len() < whole.content().len().saturating_add(WORTH_BYTES) {
            return;
        }
        self.reduced.push(StoredMessage {
            number: number(evicted, index),
            hash: entry.hash,
            message_id: entry.message_id.clone(),
            sender_id: entry.sender_id.clone(),
            lamport_ms: entry.lamport_ms,
            since_ms: whole.since.steady_ms,
            ahead_ms: whole.since.ahead_ms(),
            flags: entry.flags,
            bytes: whole.bytes.clone(),
        });
    }

    /// What is said of an entry later changed.
    pub fn side(&mut self, evicted: u64, index: usize) {
        self.sides.touch(number(evicted, index));
    }

    /// An entry leaves memory: what is said of it has to be written down while it is known.
    pub fn evict(&mut self, number: u64, entry: &Entry) {
        if self.sides.forget(number) {
            self.settled.push(Change::of(Kind::Side, number, SideRecord::of(entry, false)));
        }
    }
}

/// The number of the entry at `index`.
fn number(evicted: u64, index: usize) -> u64 {
    evicted.saturating_add(index as u64)
}

/// What is said of a message of the log after it got there.
#[derive(Clone, PartialEq, Message)]
pub struct SideRecord {
    #[prost(bytes = "vec", optional, tag = "1")]
    hint: Option<Vec<u8>>,
    #[prost(bool, tag = "2")]
    held: bool,
    /// For a held one: how often it counts as named once it is released.
    #[prost(uint32, tag = "3")]
    namings: u32,
}

impl SideRecord {
    pub fn hint_of(value: &[u8]) -> Result<Option<Hint>, Damaged> {
        decode::<Self>(value).map(|side| side.hint.map(Hint::from))
    }

    fn of(entry: &Entry, held: bool) -> Option<Self> {
        let namings = if held { entry.namings as u32 } else { 0 };
        let record = Self { hint: entry.hint.as_deref().map(<[u8]>::to_vec), held, namings };
        (record != Self::default()).then_some(record)
    }
}

/// How the log stands.
#[derive(Clone, PartialEq, Message)]
pub struct LogRecord {
    /// The number of the first message in memory, and how many follow.
    #[prost(uint64, tag = "1")]
    evicted: u64,
    #[prost(uint64, tag = "2")]
    entries: u64,
    /// How many of these have lost their whole message.
    #[prost(uint64, tag = "3")]
    reduced: u64,
    /// Numbers of little-named entries, less `evicted`, and how often each was named.
    #[prost(uint32, repeated, tag = "4")]
    little_named: Vec<u32>,
    #[prost(uint32, repeated, tag = "5")]
    namings: Vec<u32>,
    /// First number and length of what is remembered, and how many were forgotten.
    #[prost(uint64, repeated, tag = "6")]
    received: Vec<u64>,
    #[prost(uint64, repeated, tag = "7")]
    met: Vec<u64>,
    #[prost(uint64, repeated, tag = "8")]
    lost: Vec<u64>,
    #[prost(uint64, repeated, tag = "9")]
    told: Vec<u64>,
    #[prost(uint64, tag = "10")]
    whole_dropped: u64,
    #[prost(uint64, tag = "11")]
    namings_dropped: u64,
}

impl LogRecord {
    /// The number of the first message in memory.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }
}

/// The stored records of a log.
#[derive(Debug, Default)]
pub struct LogRecords {
    /// By number.
    pub messages: Vec<StoredMessage>,
    /// By the number of their message.
    pub sides: Rows,
    /// In order.
    pub received: Vec<Vec<u8>>,
    pub met: Vec<Vec<u8>>,
    pub lost: Vec<Vec<u8>>,
    pub told: Vec<Vec<u8>>,
}

impl Log {
    /// Keeps its state durably from now on.
    pub fn persist(&mut self) {
        self.unsaved.sides.turn_on();
        [&mut self.received, &mut self.met, &mut self.lost, &mut self.told].into_iter().for_each(Remembered::persist);
    }

    /// The number of the oldest message in memory.
    pub fn first_number(&self) -> u64 {
        self.taken.evicted
    }

    /// The number that the next message will have.
    pub fn next_number(&self) -> u64 {
        number(self.taken.evicted, self.entries.len())
    }

    /// Messages that need not be whole on disk any more, for the caller to reduce.
    pub fn take_reduced(&mut self) -> Vec<StoredMessage> {
        std::mem::take(&mut self.unsaved.reduced)
    }

    /// Whether a message is whole in memory, to answer for it.
    pub fn is_whole(&self, number: u64) -> bool {
        let index = number.checked_sub(self.taken.evicted).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.entries.get(index)).is_some_and(|entry| entry.whole.is_some())
    }

    /// Writes out what the store does not have.
    pub fn take_changes(&mut self, changes: &mut Vec<Change>) {
        for message in std::mem::take(&mut self.unsaved.messages) {
            let key = Key { kind: Kind::Message, id: message.number.into() };
            changes.push(Change { key, value: Some(Value::Message(message)) });
        }
        changes.append(&mut self.unsaved.settled);
        for number in self.unsaved.sides.take() {
            changes.push(Change::of(Kind::Side, number, self.side_record(number)));
        }
        self.received.take_changes(Kind::Received, changes);
        self.met.take_changes(Kind::Met, changes);
        self.lost.take_changes(Kind::Lost, changes);
        self.told.take_changes(Kind::Told, changes);
    }

    fn side_record(&self, number: u128) -> Option<SideRecord> {
        let index = u64::try_from(number).ok()?.checked_sub(self.taken.evicted)?;
        let entry = self.entries.get(usize::try_from(index).ok()?)?;
        SideRecord::of(entry, self.held.contains(&(entry.lamport_ms, entry.hash)))
    }

    pub fn record(&self) -> LogRecord {
        let little = |number: &u32| self.entries.get(self.index(*number)).map(|entry| (self.index(*number), entry));
        let (little_named, namings) = self
            .little_named
            .iter()
            .filter_map(little)
            .map(|(index, entry)| (index as u32, entry.namings as u32))
            .unzip();
        let range = |remembered: &Remembered| remembered.range().to_vec();
        LogRecord {
            evicted: self.taken.evicted,
            whole_dropped: self.taken.whole_dropped,
            namings_dropped: self.taken.namings_dropped,
            entries: self.entries.len() as u64,
            reduced: self.index(self.first_whole) as u64,
            little_named,
            namings,
            received: range(&self.received),
            met: range(&self.met),
            lost: range(&self.lost),
            told: range(&self.told),
        }
    }

    /// The log of those records.
    pub fn restore(record: &LogRecord, records: LogRecords, config: &Config) -> Result<Self, Damaged> {
        let remembered = |range: &[u64], chunks: &[Vec<u8>]| match range {
            [first, len, forgotten] => Remembered::restore(config.seen_limit, [*first, *len, *forgotten], chunks),
            _ => Err(Damaged("a log without its ranges")),
        };
        let mut log = Self {
            first: record.evicted as u32,
            first_whole: record.evicted.wrapping_add(record.reduced) as u32,
            taken: Taken {
                evicted: record.evicted,
                whole_dropped: record.whole_dropped,
                namings_dropped: record.namings_dropped,
            },
            received: remembered(&record.received, &records.received)?,
            met: remembered(&record.met, &records.met)?,
            lost: remembered(&record.lost, &records.lost)?,
            told: remembered(&record.told, &records.told)?,
            ..Self::new(config)
        };
        if record.reduced > record.entries {
            return Err(Damaged("a log that reduced more than it has"));
        }
        let mut next = record.evicted;
        for message in records.messages {
            if message.number != next {
                return Err(Damaged("a log that lacks a message"));
            }
            next = next.checked_add(1).ok_or(Damaged("a log without an end"))?;
            let side = find(&records.sides, message.number).map_or(Ok(SideRecord::default()), decode)?;
            let whole =
                message.is(StoredMessage::ANSWERABLE) && message.number.wrapping_sub(record.evicted) >= record.reduced;
            log.restore_entry(message, side, whole)?;
        }
        if next.wrapping_sub(record.evicted) != record.entries {
            return Err(Damaged("a log that lacks its last messages"));
        }
        log.restore_order(record)?;
        Ok(log)
    }

    fn restore_entry(&mut self, message: StoredMessage, side: SideRecord, whole: bool) -> Result<(), Damaged> {
        let sent = message.is(StoredMessage::SENT);
        let since = Now::stored(message.since_ms, message.ahead_ms);
        let whole = whole.then(|| Whole::restored(message.bytes.clone(), sent, since));
        let entry = Entry {
            message_id: message.message_id,
            hash: message.hash,
            lamport_ms: message.lamport_ms,
            sender_id: message.sender_id,
            hint: side.hint.map(Hint::from),
            whole: whole.transpose()?,
            // Those that were not named often enough are listed, and told apart later.
            namings: if side.held { side.namings as usize } else { self.history_size },
            flags: message.flags
                & (StoredMessage::OWN | StoredMessage::LATE | StoredMessage::SENT | StoredMessage::SEEDED),
        };
        if self.number_of(entry.hash).is_some() {
            return Err(Damaged("a log with a message twice"));
        }
        let number = self.add(entry);
        if side.held {
            self.held.insert((message.lamport_ms, message.hash));
        } else {
            self.order.push_back(number);
        }
        Ok(())
    }

    fn restore_order(&mut self, record: &LogRecord) -> Result<(), Damaged> {
        let mut order = std::mem::take(&mut self.order);
        order.make_contiguous().sort_unstable_by(|a, b| self.entry(*a).place().cmp(&self.entry(*b).place()));
        self.order = order;
        let mut seen = BTreeSet::new();
        let is_new = |index: &u32| seen.insert(u128::from(*index));
        if record.little_named.len() != record.namings.len() || !record.little_named.iter().all(is_new) {
            return Err(Damaged("a log that names the same twice"));
        }
        for (index, namings) in record.little_named.iter().zip(&record.namings) {
            let entry = self.entries.get_mut(*index as usize).ok_or(Damaged("a log that names what it lacks"))?;
            entry.namings = *namings as usize;
            self.little_named.push_back(self.first.wrapping_add(*index));
        }
        Ok(())
    }
}
