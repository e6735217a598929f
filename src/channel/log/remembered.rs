//! Ids that left the log, or never were in it: only their hashes are kept.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::idhash::IdHash;
use crate::record::{Change, Damaged, Kind, Touched, read_chunks, write_chunk};

/// A hash, and whether it is still remembered.
const ENTRY_BYTES: usize = 17;

/// The hashes of ids, the oldest forgotten beyond a limit.
#[derive(Debug)]
pub(super) struct Remembered {
    /// By age, numbered on and on from `first`. Those that were removed stay here until their time comes.
    by_age: VecDeque<IdHash>,
    first: u64,
    /// The numbers, as far as they fit, of those that are remembered: small, since it is looked into at random.
    by_id: HashTable<u32>,
    limit: usize,
    /// How many were forgotten.
    forgotten: u64,
    touched: Touched,
}

impl Remembered {
    pub fn new(limit: usize) -> Self {
        let (by_age, by_id, touched) = (VecDeque::new(), HashTable::new(), Touched::default());
        Self { by_age, first: 0, by_id, limit, forgotten: 0, touched }
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn contains(&self, hash: IdHash) -> bool {
        let is_it = |number: &u32| self.by_age.get(self.index(*number)) == Some(&hash);
        self.by_id.find(hash.short(), is_it).is_some()
    }

    pub fn insert(&mut self, hash: IdHash) {
        if self.contains(hash) {
            return;
        }
        let number = self.first.wrapping_add(self.by_age.len() as u64);
        self.by_age.push_back(hash);
        self.touched.add_entry(number);
        self.list(number as u32, hash);
        while self.by_age.len() > self.limit {
            self.forget_oldest();
        }
    }

    pub fn remove(&mut self, hash: IdHash) {
        let (by_age, first) = (&self.by_age, self.first as u32);
        let is_it = |number: &u32| by_age.get(number.wrapping_sub(first) as usize) == Some(&hash);
        if let Ok(found) = self.by_id.find_entry(hash.short(), is_it) {
            let index = found.get().wrapping_sub(first);
            self.touched.touch_entry(self.first.wrapping_add(u64::from(index)));
            found.remove();
        }
    }

    fn forget_oldest(&mut self) {
        let number = self.first as u32;
        let Some(oldest) = self.by_age.pop_front() else { return };
        self.touched.drop_entry(self.first);
        self.first = self.first.wrapping_add(1);
        if let Ok(found) = self.by_id.find_entry(oldest.short(), |other| *other == number) {
            found.remove();
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }

    /// Lists an entry among those that are remembered.
    fn list(&mut self, number: u32, hash: IdHash) {
        let (by_age, first) = (&self.by_age, self.first as u32);
        let hash_of = |other: &u32| by_age.get(other.wrapping_sub(first) as usize).map_or(0, |hash| hash.short());
        self.by_id.insert_unique(hash.short(), number, hash_of);
    }

    fn index(&self, number: u32) -> usize {
        number.wrapping_sub(self.first as u32) as usize
    }

    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    // ---- Durable state

    pub fn persist(&mut self) {
        self.touched.turn_on();
    }

    /// The number of the oldest, how many there are, and how many were forgotten.
    pub fn range(&self) -> [u64; 3] {
        [self.first, self.by_age.len() as u64, self.forgotten]
    }

    pub fn take_changes(&mut self, kind: Kind, changes: &mut Vec<Change>) {
        for chunk in self.touched.take() {
            let value = write_chunk(chunk, self.first, self.by_age.len(), |index| self.entry_bytes(index));
            changes.push(Change::of_bytes(kind, chunk, value));
        }
    }

    fn entry_bytes(&self, index: usize) -> Option<[u8; ENTRY_BYTES]> {
        let hash = self.by_age.get(index)?;
        let mut bytes = [0; ENTRY_BYTES];
        let (id, listed) = bytes.split_first_chunk_mut::<16>()?;
        *id = hash.number().to_be_bytes();
        let number = (self.first as u32).wrapping_add(index as u32);
        listed.fill(u8::from(self.by_id.find(hash.short(), |other| *other == number).is_some()));
        Some(bytes)
    }

    pub fn restore(limit: usize, [first, len, forgotten]: [u64; 3], chunks: &[Vec<u8>]) -> Result<Self, Damaged> {
        let mut restored = Self { first, forgotten, ..Self::new(limit) };
        let len = usize::try_from(len).map_err(|_| Damaged("more ids than memory holds"))?;
        for (at, entry) in read_chunks::<ENTRY_BYTES>(chunks, first, len)?.enumerate() {
            let Some((id, &[listed])) = entry.split_first_chunk::<16>() else { continue };
            let hash = IdHash::from_number(u128::from_be_bytes(*id));
            restored.by_age.push_back(hash);
            if listed != 0 {
                restored.list((first as u32).wrapping_add(at as u32), hash);
            }
        }
        // The configuration may allow less than it did: what goes has to leave the store too.
        restored.persist();
        while restored.by_age.len() > limit {
            restored.forget_oldest();
        }
        Ok(restored)
    }
}
