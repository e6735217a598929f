//! The outgoing repair request buffer as records.

use prost::Message;

use super::{Request, Requests};
use crate::idhash::IdHash;
use crate::record::{Change, Damaged, DependencyRecord, Kind, Rows, decode};

#[derive(Clone, PartialEq, Message)]
struct RequestRecord {
    #[prost(message, required, tag = "1")]
    dependency: DependencyRecord,
    #[prost(uint64, tag = "2")]
    due_ms: u64,
    #[prost(bool, tag = "3")]
    aside: bool,
    #[prost(uint32, tag = "4")]
    asks: u32,
}

/// How the buffer stands.
#[derive(Clone, PartialEq, Message)]
pub struct RequestsRecord {
    #[prost(uint64, optional, tag = "1")]
    last_asked_ms: Option<u64>,
    #[prost(uint64, tag = "2")]
    asked_total: u64,
}

impl Requests {
    /// Keeps its state durably from now on.
    pub fn persist(&mut self) {
        self.unsaved.turn_on();
    }

    /// Writes out what the store does not have.
    pub fn take_changes(&mut self, changes: &mut Vec<Change>) {
        for hash in self.unsaved.take() {
            let record = self.entries.get(&IdHash::from_number(hash)).map(|request| RequestRecord {
                dependency: (&request.dependency).into(),
                due_ms: request.due_ms,
                aside: request.aside,
                asks: request.asks,
            });
            changes.push(Change::of(Kind::Request, hash, record));
        }
    }

    pub fn record(&self) -> RequestsRecord {
        RequestsRecord { last_asked_ms: self.last_asked_ms, asked_total: self.asked_total }
    }

    /// The buffer of those records, by hash.
    pub fn restore(record: &RequestsRecord, records: &Rows) -> Result<Self, Damaged> {
        let RequestsRecord { last_asked_ms, asked_total } = *record;
        let mut requests = Self { last_asked_ms, asked_total, ..Self::default() };
        for (hash, value) in records {
            let hash = IdHash::from_number(*hash);
            let RequestRecord { dependency, due_ms, aside, asks } = decode(value)?;
            requests.queue(aside).insert((due_ms, hash));
            requests.entries.insert(hash, Request { dependency: dependency.into(), due_ms, aside, asks });
        }
        Ok(requests)
    }
}
