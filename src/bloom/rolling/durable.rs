//! The filter as records: the ids that it covers, from which its bits follow.

use prost::Message;

use super::RollingFilter;
use crate::bloom::ItemHash;
use crate::record::{Change, Damaged, Kind, read_chunks, write_chunk};

/// When an id came, and its two hashes.
const ENTRY_BYTES: usize = 24;

/// How the filter stands.
#[derive(Clone, PartialEq, Message)]
pub struct FilterRecord {
    #[prost(uint64, tag = "1")]
    now_ms: u64,
    #[prost(uint64, tag = "2")]
    capacity: u64,
    #[prost(uint64, tag = "3")]
    first_number: u64,
    #[prost(uint64, tag = "4")]
    entries: u64,
    #[prost(uint64, tag = "5")]
    evicted: u64,
}

impl RollingFilter {
    /// Keeps its state durably from now on.
    pub fn persist(&mut self) {
        self.unsaved.turn_on();
    }

    /// Writes out what the store does not have.
    pub fn take_changes(&mut self, changes: &mut Vec<Change>) {
        for chunk in self.unsaved.take() {
            let value = write_chunk(chunk, self.first_number, self.entries.len(), |index| self.entry_bytes(index));
            changes.push(Change::of_bytes(Kind::Covered, chunk, value));
        }
    }

    fn entry_bytes(&self, index: usize) -> Option<[u8; ENTRY_BYTES]> {
        let covered = self.entries.get(index)?;
        let mut bytes = [0; ENTRY_BYTES];
        *bytes.first_chunk_mut()? = covered.at.to_be_bytes();
        *bytes.last_chunk_mut()? = covered.item.to_bytes();
        Some(bytes)
    }

    /// How it stands, to be stored.
    pub fn record(&self) -> FilterRecord {
        FilterRecord {
            now_ms: self.now_ms,
            capacity: self.capacity as u64,
            first_number: self.first_number,
            entries: self.entries.len() as u64,
            evicted: self.evicted,
        }
    }

    /// Fills an empty filter from its records, the chunks in order.
    pub fn restore(&mut self, record: &FilterRecord, chunks: &[Vec<u8>]) -> Result<(), Damaged> {
        let fits = |number: u64| usize::try_from(number).map_err(|_| Damaged("a filter over more than memory holds"));
        // The configuration may allow less than it did.
        let capacity = fits(record.capacity)?.min(self.max_capacity);
        self.now_ms = record.now_ms;
        self.first_number = record.first_number;
        for entry in read_chunks::<ENTRY_BYTES>(chunks, record.first_number, fits(record.entries)?)? {
            let (Some(at), Some(item)) = (entry.first_chunk(), entry.last_chunk()) else { continue };
            self.push(ItemHash::from_bytes(item), u64::from_be_bytes(*at));
        }
        let rebuilds = self.rebuilds;
        // What goes because there is less room has to leave the store too.
        self.persist();
        self.rebuild(self.entries.len().min(capacity), capacity);
        self.rebuilds = rebuilds;
        self.evicted = record.evicted;
        Ok(())
    }
}
