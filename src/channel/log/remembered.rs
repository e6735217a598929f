//! Ids that left the log, or never were in it: only their hashes are kept.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::idhash::IdHash;

/// The hashes of ids, the oldest forgotten beyond a limit.
#[derive(Debug)]
pub(super) struct Remembered {
    /// By age, numbered on and on (wrapping) from `first`. Those that were removed stay here until their time comes.
    by_age: VecDeque<IdHash>,
    first: u32,
    /// The numbers of those that are remembered: small, since it is looked into at random.
    by_id: HashTable<u32>,
    limit: usize,
}

impl Remembered {
    pub fn new(limit: usize) -> Self {
        Self { by_age: VecDeque::new(), first: 0, by_id: HashTable::new(), limit }
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn contains(&self, hash: IdHash) -> bool {
        let is_it = |number: &u32| self.by_age.get(number.wrapping_sub(self.first) as usize) == Some(&hash);
        self.by_id.find(hash.short(), is_it).is_some()
    }

    pub fn insert(&mut self, hash: IdHash) {
        if self.contains(hash) {
            return;
        }
        let number = self.first.wrapping_add(self.by_age.len() as u32);
        self.by_age.push_back(hash);
        let (by_age, first) = (&self.by_age, self.first);
        let hash_of = |other: &u32| by_age[other.wrapping_sub(first) as usize].short();
        self.by_id.insert_unique(hash.short(), number, hash_of);
        while self.by_age.len() > self.limit {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let number = self.first;
        let Some(oldest) = self.by_age.pop_front() else { return };
        self.first = self.first.wrapping_add(1);
        if let Ok(found) = self.by_id.find_entry(oldest.short(), |other| *other == number) {
            found.remove();
        }
    }

    pub fn remove(&mut self, hash: IdHash) {
        let (by_age, first) = (&self.by_age, self.first);
        let is_it = |number: &u32| by_age.get(number.wrapping_sub(first) as usize) == Some(&hash);
        if let Ok(found) = self.by_id.find_entry(hash.short(), is_it) {
            found.remove();
        }
    }
}
