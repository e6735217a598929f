//! Our messages as records. Their bytes lie in the log on disk: here is what became of them.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message;

use super::own::{Evidence, Own};
use super::{Outgoing, Sent, UnderReview};
use crate::bloom::HashKind;
use crate::channel::clock::Now;
use crate::idhash::IdHash;
use crate::output::{Acknowledger, MessageState};
use crate::record::{Change, Damaged, Kind, Rows, StoredMessage, Touched, decode, hash_bytes, hash_of};
use crate::types::{MessageId, ParticipantId};

/// What the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    pub states: Touched,
    /// Where the messages of this buffer lie in the log on disk: the ids of their records.
    numbers: BTreeSet<u128>,
    /// Messages of ours whose bytes are not needed here any more.
    gone: Vec<Sent>,
    /// Somebody more is known to have one.
    pub heard: bool,
}

impl Unsaved {
    /// A message of that number enters the buffer.
    pub fn add(&mut self, number: u64) {
        if self.states.is_on() {
            self.numbers.insert(number.into());
        }
    }

    /// A message leaves the buffer.
    pub fn remove(&mut self, hash: IdHash, own: &Own) {
        self.states.touch(hash);
        if self.states.is_on() {
            self.numbers.remove(&own.number.into());
            self.gone.push(Sent {
                message_id: own.message_id.clone(),
                hash,
                lamport_ms: own.lamport_ms,
                bytes: own.bytes.clone(),
                number: own.number,
                since: own.since,
            });
        }
    }
}

/// What became of a message of ours.
#[derive(Clone, PartialEq, Message)]
struct OwnRecord {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(uint64, tag = "2")]
    lamport_ms: u64,
    #[prost(uint64, tag = "3")]
    number: u64,
    #[prost(uint64, tag = "4")]
    sent_ms: u64,
    /// By [`STATES`].
    #[prost(uint32, tag = "5")]
    state: u32,
    #[prost(message, repeated, tag = "6")]
    evidence: Vec<EvidenceRecord>,
    #[prost(message, repeated, tag = "7")]
    acknowledgers: Vec<AcknowledgerRecord>,
    #[prost(uint32, tag = "8")]
    resends: u32,
    #[prost(uint64, optional, tag = "9")]
    due_ms: Option<u64>,
    #[prost(uint64, optional, tag = "10")]
    place: Option<u64>,
    /// Whose filter held it last.
    #[prost(bytes = "vec", optional, tag = "11")]
    last_who: Option<Vec<u8>>,
    #[prost(message, optional, tag = "12")]
    last: Option<EvidenceRecord>,
    #[prost(uint64, tag = "13")]
    queued: u64,
    /// How far `sent_ms` was ahead of the host's clock.
    #[prost(uint64, tag = "14")]
    ahead_ms: u64,
}

#[derive(Clone, PartialEq, Message)]
struct EvidenceRecord {
    #[prost(bool, tag = "1")]
    murmur: bool,
    #[prost(uint64, tag = "2")]
    bits: u64,
    #[prost(uint32, tag = "3")]
    hashes: u32,
    #[prost(double, tag = "4")]
    false_chance: f64,
}

#[derive(Clone, PartialEq, Message)]
struct AcknowledgerRecord {
    #[prost(string, tag = "1")]
    participant_id: String,
    #[prost(bool, tag = "2")]
    certain: bool,
}

/// How the buffer stands.
#[derive(Clone, PartialEq, Message)]
pub struct OutgoingRecord {
    #[prost(uint64, tag = "1")]
    acknowledged_total: u64,
    #[prost(uint64, tag = "2")]
    queued: u64,
    #[prost(uint64, tag = "3")]
    evidence_dropped: u64,
}

/// The stored records of a buffer.
#[derive(Debug, Default)]
pub struct OutgoingRecords {
    /// By hash.
    pub states: Rows,
    /// The bytes of messages, in the order of their numbers in the log.
    pub bytes: Vec<(u64, Bytes)>,
}

/// The numbers of states in records: their places here, for ever.
const STATES: [MessageState; 6] = [
    MessageState::Unacknowledged,
    MessageState::PossiblyAcknowledged,
    MessageState::Acknowledged,
    MessageState::Failed,
    MessageState::Unconfirmed,
    MessageState::Cancelled,
];

impl Outgoing {
    /// Keeps its state durably from now on.
    pub fn persist(&mut self) {
        self.unsaved.states.turn_on();
    }

    /// Whether somebody more was heard to have a message of ours since this was last asked.
    pub fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.unsaved.heard)
    }

    /// Whether the message of that number is of use here.
    pub fn needs(&self, number: u64) -> bool {
        self.unsaved.numbers.contains(&number.into())
    }

    /// The messages that came to be of no use here.
    pub fn take_gone(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.unsaved.gone)
    }

    /// Writes out what the store does not have.
    pub fn take_changes(&mut self, changes: &mut Vec<Change>) {
        for hash in self.unsaved.states.take() {
            let own = self.messages.get(&IdHash::from_number(hash));
            changes.push(Change::of(Kind::Own, hash, own.map(|own| self.own_record(own))));
        }
    }

    fn own_record(&self, own: &Own) -> OwnRecord {
        let last = own.place.and_then(|place| self.review.get(place)).and_then(|item| item.last.as_ref());
        let acknowledgers = own
            .acknowledgers
            .iter()
            .map(|it| AcknowledgerRecord { participant_id: it.participant_id.to_string(), certain: it.certain });
        OwnRecord {
            message_id: own.message_id.to_string(),
            lamport_ms: own.lamport_ms,
            number: own.number,
            sent_ms: own.since.steady_ms,
            ahead_ms: own.since.ahead_ms(),
            state: STATES.iter().position(|state| *state == own.state).unwrap_or(0) as u32,
            evidence: own.evidence.iter().map(EvidenceRecord::from).collect(),
            acknowledgers: acknowledgers.collect(),
            resends: own.resends,
            due_ms: own.due_ms,
            place: own.place.map(|place| place as u64),
            last_who: last.map(|last| hash_bytes(last.0)),
            last: last.map(|last| EvidenceRecord::from(&last.1)),
            queued: own.queued,
        }
    }

    pub fn record(&self) -> OutgoingRecord {
        let Self { acknowledged_total, queued, evidence_dropped, .. } = *self;
        OutgoingRecord { acknowledged_total, queued, evidence_dropped }
    }

    /// The numbers of the messages whose bytes [`Outgoing::restore`] wants, ascending.
    pub fn numbers(states: &Rows) -> Result<Vec<u64>, Damaged> {
        let mut numbers = Vec::with_capacity(states.len());
        for (_, value) in states {
            numbers.push(decode::<OwnRecord>(value)?.number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The buffer of those records.
    pub fn restore(record: &OutgoingRecord, records: &OutgoingRecords) -> Result<Self, Damaged> {
        let OutgoingRecord { acknowledged_total, queued, evidence_dropped } = *record;
        let mut outgoing = Self { acknowledged_total, queued, evidence_dropped, ..Self::default() };
        let (mut places, mut queue) = (Vec::new(), Vec::new());
        for (hash, value) in &records.states {
            let hash = IdHash::from_number(*hash);
            let record: OwnRecord = decode(value)?;
            if let Some(place) = record.place {
                places.push((place, (hash, record.last_who.clone(), record.last.clone())));
            }
            let own = restore_own(record, records)?;
            if own.has_ended() == own.place.is_some() || own.is_given_up() && own.queued == 0 {
                return Err(Damaged("a message of ours in two states"));
            }
            if own.due_ms.is_some() && (own.has_ended() || own.is_given_up()) {
                return Err(Damaged("a message of ours that is sent no more, and is due"));
            }
            if own.queued > 0 && (own.has_ended() || own.is_given_up()) {
                queue.push((own.queued, hash, own.has_ended()));
            }
            if let Some(due_ms) = own.due_ms {
                outgoing.due.insert((due_ms, hash));
            }
            outgoing.unsaved.numbers.insert(own.number.into());
            outgoing.messages.insert(hash, Box::new(own));
        }
        places.sort_unstable_by_key(|place| place.0);
        outgoing.restore_review(places)?;
        queue.sort_unstable();
        outgoing.restore_queues(queue);
        Ok(outgoing)
    }

    fn restore_review(&mut self, places: Vec<(u64, Review)>) -> Result<(), Damaged> {
        for (place, (hash, who, last)) in places {
            if place != self.review.len() as u64 {
                return Err(Damaged("messages of ours that are out of place"));
            }
            let last = match (who, last) {
                (Some(who), Some(last)) => Some((hash_of(&who)?, Evidence::from(&last))),
                _ => None,
            };
            let (len, names_len) = self.messages.get(&hash).map_or((0, 0), |own| (own.bytes.len(), own.names_len()));
            self.review_bytes.add(len);
            self.review_names.add(names_len);
            self.review.push(UnderReview { hash, farm: None, murmur: None, last });
        }
        Ok(())
    }

    fn restore_queues(&mut self, queue: Vec<(u64, IdHash, bool)>) {
        for (_, hash, ended) in queue {
            let (len, held_len) = self.messages.get(&hash).map_or((0, 0), |own| (own.bytes.len(), own.held_len()));
            if ended {
                self.ended.push_back(hash);
                self.ended_bytes.add(held_len);
            } else {
                self.given_up.push_back(hash);
                self.given_up_bytes.add(len);
            }
        }
    }
}

/// What is under review: its hash, and whose filter held it last.
type Review = (IdHash, Option<Vec<u8>>, Option<EvidenceRecord>);

fn restore_own(record: OwnRecord, records: &OutgoingRecords) -> Result<Own, Damaged> {
    let state = STATES.get(record.state as usize).ok_or(Damaged("a message of ours in an unknown state"))?;
    let place = records.bytes.binary_search_by(|bytes| bytes.0.cmp(&record.number));
    let bytes = place.ok().and_then(|place| records.bytes.get(place));
    let (_, bytes) = bytes.ok_or(Damaged("a message of ours without its bytes"))?;
    let acknowledgers = record
        .acknowledgers
        .iter()
        .map(|it| Acknowledger { participant_id: ParticipantId::from(&*it.participant_id), certain: it.certain });
    Ok(Own {
        message_id: MessageId::from(&*record.message_id),
        lamport_ms: record.lamport_ms,
        bytes: bytes.clone(),
        state: *state,
        evidence: record.evidence.iter().map(Evidence::from).collect(),
        acknowledgers: acknowledgers.collect(),
        resends: record.resends,
        due_ms: record.due_ms,
        place: record.place.map(|place| usize::try_from(place).unwrap_or(usize::MAX)),
        number: record.number,
        since: Now::stored(record.sent_ms, record.ahead_ms),
        queued: record.queued,
    })
}

impl From<&Evidence> for EvidenceRecord {
    fn from(evidence: &Evidence) -> Self {
        let Evidence { kind, bits, hashes, false_chance } = *evidence;
        Self { murmur: kind == HashKind::Murmur, bits, hashes, false_chance }
    }
}

impl From<&EvidenceRecord> for Evidence {
    fn from(record: &EvidenceRecord) -> Self {
        let kind = if record.murmur { HashKind::Murmur } else { HashKind::Farm };
        Self { kind, bits: record.bits, hashes: record.hashes, false_chance: record.false_chance }
    }
}

impl Sent {
    /// It as a message of the log of `me`.
    pub fn stored(self, me: &ParticipantId) -> StoredMessage {
        StoredMessage {
            number: self.number,
            hash: self.hash,
            message_id: self.message_id,
            sender_id: me.clone(),
            lamport_ms: self.lamport_ms,
            since_ms: self.since.steady_ms,
            ahead_ms: self.since.ahead_ms(),
            flags: StoredMessage::SENT,
            bytes: self.bytes,
        }
    }
}
