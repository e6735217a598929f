//! The incoming buffer as records: what waits, until when, and what is missing.
//!
//! A waiting message is written once, and what changes while it waits lies in a small record beside it.

use bytes::Bytes;
use prost::Message;

use super::{Incoming, Missing, Waiting};
use crate::channel::clock::Now;
use crate::channel::whole::Whole;
use crate::idhash::IdHash;
use crate::output::Hint;
use crate::record::{
    Change, Damaged, DependencyRecord, Kind, Rows, Touched, decode, find, hash_bytes, hash_of, pack, unpack,
};
use crate::types::{MessageId, ParticipantId};

/// What the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    pub messages: Touched,
    pub states: Touched,
    pub missing: Touched,
}

/// A waiting message, by arrival.
#[derive(Clone, PartialEq, Message)]
struct WaitingRecord {
    #[prost(bytes = "vec", tag = "1")]
    hash: Vec<u8>,
    #[prost(string, tag = "2")]
    message_id: String,
    #[prost(string, tag = "3")]
    sender_id: String,
    #[prost(uint64, tag = "4")]
    lamport_ms: u64,
    /// The encoded message, or its content alone.
    #[prost(bytes = "bytes", tag = "5")]
    bytes: Bytes,
    #[prost(bool, tag = "6")]
    content_only: bool,
    #[prost(bool, tag = "7")]
    late: bool,
    #[prost(bool, tag = "8")]
    named: bool,
    #[prost(bool, tag = "9")]
    own: bool,
    #[prost(uint64, tag = "10")]
    since_ms: u64,
    /// How far that was ahead of the host's clock.
    #[prost(uint64, tag = "11")]
    ahead_ms: u64,
}

/// What changes of it while it waits.
#[derive(Clone, PartialEq, Message)]
struct WaitingStateRecord {
    #[prost(uint64, tag = "1")]
    deadline_ms: u64,
    /// Hashes of what it waits for.
    #[prost(bytes = "vec", tag = "2")]
    unmet: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "3")]
    hint: Option<Vec<u8>>,
    /// It is whole in memory.
    #[prost(bool, tag = "4")]
    whole: bool,
}

#[derive(Clone, PartialEq, Message)]
struct MissingRecord {
    #[prost(message, required, tag = "1")]
    dependency: DependencyRecord,
    #[prost(uint64, tag = "2")]
    deadline_ms: u64,
    #[prost(uint64, optional, tag = "3")]
    unwaited: Option<u64>,
}

/// How the buffer stands.
#[derive(Clone, PartialEq, Message)]
pub struct IncomingRecord {
    #[prost(uint64, tag = "1")]
    named: u64,
    #[prost(uint64, tag = "2")]
    arrivals: u64,
    #[prost(uint64, tag = "3")]
    reduced: u64,
    #[prost(uint64, tag = "4")]
    untracked: u64,
    #[prost(uint64, tag = "5")]
    reduced_total: u64,
}

/// The stored records of a buffer.
#[derive(Debug, Default)]
pub struct IncomingRecords {
    /// By arrival.
    pub messages: Rows,
    /// By arrival.
    pub states: Rows,
    /// By hash.
    pub missing: Rows,
}

impl Incoming {
    /// Keeps its state durably from now on.
    pub fn persist(&mut self) {
        let Unsaved { messages, states, missing } = &mut self.unsaved;
        [messages, states, missing].into_iter().for_each(Touched::turn_on);
    }

    /// Writes out what the store does not have.
    pub fn take_changes(&mut self, changes: &mut Vec<Change>) {
        for arrival in self.unsaved.messages.take() {
            changes.push(Change::of(
                Kind::Waiting,
                arrival,
                self.at(arrival).map(|(hash, it)| waiting_record(hash, it)),
            ));
        }
        for arrival in self.unsaved.states.take() {
            changes.push(Change::of(Kind::WaitingState, arrival, self.at(arrival).map(|(_, it)| state_record(it))));
        }
        for hash in self.unsaved.missing.take() {
            let missing = self.missing.get(&IdHash::from_number(hash));
            changes.push(Change::of(Kind::Missing, hash, missing.map(missing_record)));
        }
    }

    fn at(&self, arrival: u128) -> Option<(IdHash, &Waiting)> {
        let arrival = u64::try_from(arrival).ok()?;
        let (_, hash) = *self.by_arrival.range((arrival, IdHash::LEAST)..).next().filter(|first| first.0 == arrival)?;
        self.waiting.get(&hash).map(|waiting| (hash, waiting))
    }

    pub fn record(&self) -> IncomingRecord {
        let Self { named, arrivals, reduced, untracked, reduced_total, .. } = *self;
        IncomingRecord { named, arrivals, reduced, untracked, reduced_total }
    }

    /// The buffer of those records.
    pub fn restore(record: &IncomingRecord, records: &IncomingRecords) -> Result<Self, Damaged> {
        let IncomingRecord { named, arrivals, reduced, untracked, reduced_total } = *record;
        let mut incoming = Self { named, arrivals, reduced, untracked, reduced_total, ..Self::default() };
        for (hash, value) in &records.missing {
            incoming.restore_missing(IdHash::from_number(*hash), decode(value)?)?;
        }
        if records.states.len() != records.messages.len() {
            return Err(Damaged("a waiting message that has a state only"));
        }
        for (arrival, value) in &records.messages {
            let state = find(&records.states, *arrival).ok_or(Damaged("a waiting message without its state"))?;
            let (hash, waiting) = restore_waiting(*arrival, decode(value)?, decode(state)?)?;
            if waiting.arrival > arrivals || incoming.waiting.contains_key(&hash) {
                return Err(Damaged("a waiting message out of place"));
            }
            incoming.put(hash, waiting);
        }
        Ok(incoming)
    }

    fn restore_missing(&mut self, hash: IdHash, record: MissingRecord) -> Result<(), Damaged> {
        let MissingRecord { dependency, deadline_ms, unwaited } = record;
        if let Some(place) = unwaited {
            if self.unwaited.range((place, IdHash::LEAST)..).next().is_some_and(|next| next.0 == place) {
                return Err(Damaged("two missing messages in one place"));
            }
            self.unwaited.insert((place, hash));
        }
        self.missing.insert(hash, Missing { dependency: dependency.into(), deadline_ms, unwaited });
        self.missing_due.insert((deadline_ms, hash));
        Ok(())
    }
}

fn waiting_record(hash: IdHash, waiting: &Waiting) -> WaitingRecord {
    WaitingRecord {
        hash: hash_bytes(hash),
        message_id: waiting.message_id.to_string(),
        sender_id: waiting.sender_id.to_string(),
        lamport_ms: waiting.lamport_ms,
        bytes: waiting.whole.as_ref().map_or(&waiting.content, |whole| &whole.bytes).clone(),
        content_only: waiting.whole.is_none(),
        late: waiting.late,
        named: waiting.named,
        own: waiting.own,
        since_ms: waiting.since.steady_ms,
        ahead_ms: waiting.since.ahead_ms(),
    }
}

fn state_record(waiting: &Waiting) -> WaitingStateRecord {
    WaitingStateRecord {
        deadline_ms: waiting.deadline_ms,
        unmet: pack(&waiting.unmet),
        hint: waiting.hint.as_deref().map(<[u8]>::to_vec),
        whole: waiting.whole.is_some(),
    }
}

fn missing_record(missing: &Missing) -> MissingRecord {
    MissingRecord {
        dependency: (&missing.dependency).into(),
        deadline_ms: missing.deadline_ms,
        unwaited: missing.unwaited,
    }
}

fn restore_waiting(
    arrival: u128,
    record: WaitingRecord,
    state: WaitingStateRecord,
) -> Result<(IdHash, Waiting), Damaged> {
    let since = Now::stored(record.since_ms, record.ahead_ms);
    let (content, whole) = if record.content_only {
        (record.bytes, None)
    } else {
        let whole = Whole::restored(record.bytes, false, since)?;
        if state.whole { (whole.content(), Some(whole)) } else { (Bytes::copy_from_slice(&whole.content()), None) }
    };
    let waiting = Waiting {
        message_id: MessageId::from(&*record.message_id),
        sender_id: ParticipantId::from(&*record.sender_id),
        lamport_ms: record.lamport_ms,
        content,
        whole,
        hint: state.hint.map(Hint::from),
        late: record.late,
        named: record.named,
        own: record.own,
        since,
        unmet: unpack(&state.unmet)?,
        deadline_ms: state.deadline_ms,
        arrival: u64::try_from(arrival).map_err(|_| Damaged("a waiting message without a number"))?,
    };
    Ok((hash_of(&record.hash)?, waiting))
}
