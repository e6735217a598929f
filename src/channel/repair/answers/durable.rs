//! The incoming repair request buffer as records.

use prost::Message;

use super::{Answers, Budget};
use crate::idhash::IdHash;
use crate::record::{Change, Damaged, Kind, Rows, decode, read_chunks, write_chunk};

/// When a message may be answered again, and its hash.
const RECENT_BYTES: usize = 24;

#[derive(Clone, PartialEq, Message)]
struct AnswerRecord {
    #[prost(uint64, tag = "1")]
    due_ms: u64,
}

/// How the buffer stands.
#[derive(Clone, PartialEq, Message)]
pub struct AnswersRecord {
    #[prost(uint64, tag = "1")]
    minute: u64,
    #[prost(uint64, tag = "2")]
    count: u64,
    #[prost(uint64, tag = "3")]
    bytes: u64,
    #[prost(uint64, tag = "4")]
    answered_total: u64,
    #[prost(uint64, tag = "5")]
    refused_total: u64,
    #[prost(uint64, tag = "6")]
    first_recent: u64,
    #[prost(uint64, tag = "7")]
    recent: u64,
}

/// The stored records of a buffer.
#[derive(Debug, Default)]
pub struct AnswersRecords {
    /// By hash.
    pub answers: Rows,
    /// In order.
    pub recent: Vec<Vec<u8>>,
}

impl Answers {
    /// Keeps its state durably from now on.
    pub fn persist(&mut self) {
        self.unsaved.turn_on();
        self.unsaved_recent.turn_on();
    }

    /// Writes out what the store does not have.
    pub fn take_changes(&mut self, changes: &mut Vec<Change>) {
        for hash in self.unsaved.take() {
            let due_ms = self.due_of.get(&IdHash::from_number(hash));
            changes.push(Change::of(Kind::Answer, hash, due_ms.map(|due_ms| AnswerRecord { due_ms: *due_ms })));
        }
        for chunk in self.unsaved_recent.take() {
            let value = write_chunk(chunk, self.first_recent, self.recent.len(), |index| self.recent_bytes(index));
            changes.push(Change::of_bytes(Kind::Answered, chunk, value));
        }
    }

    fn recent_bytes(&self, index: usize) -> Option<[u8; RECENT_BYTES]> {
        let (until_ms, hash) = self.recent.get(index)?;
        let mut bytes = [0; RECENT_BYTES];
        *bytes.first_chunk_mut()? = until_ms.to_be_bytes();
        *bytes.last_chunk_mut()? = hash.number().to_be_bytes();
        Some(bytes)
    }

    pub fn record(&self) -> AnswersRecord {
        AnswersRecord {
            minute: self.budget.minute,
            count: self.budget.count as u64,
            bytes: self.budget.bytes as u64,
            answered_total: self.answered_total,
            refused_total: self.refused_total,
            first_recent: self.first_recent,
            recent: self.recent.len() as u64,
        }
    }

    /// The buffer of those records.
    pub fn restore(record: &AnswersRecord, records: &AnswersRecords) -> Result<Self, Damaged> {
        let fits = |number: u64| usize::try_from(number).map_err(|_| Damaged("more answers than memory holds"));
        let budget = Budget { minute: record.minute, count: fits(record.count)?, bytes: fits(record.bytes)? };
        let mut answers = Self {
            budget,
            answered_total: record.answered_total,
            refused_total: record.refused_total,
            first_recent: record.first_recent,
            ..Self::default()
        };
        for (hash, value) in &records.answers {
            let (hash, AnswerRecord { due_ms }) = (IdHash::from_number(*hash), decode(value)?);
            answers.due_of.insert(hash, due_ms);
            answers.due.insert((due_ms, hash));
        }
        let recent = read_chunks::<RECENT_BYTES>(&records.recent, record.first_recent, fits(record.recent)?)?;
        for entry in recent {
            let (Some(until_ms), Some(hash)) = (entry.first_chunk(), entry.last_chunk()) else { continue };
            let until_ms = u64::from_be_bytes(*until_ms);
            let hash = IdHash::from_number(u128::from_be_bytes(*hash));
            answers.recent.push_back((until_ms, hash));
            answers.recent_until.insert(hash, until_ms);
        }
        Ok(answers)
    }
}
