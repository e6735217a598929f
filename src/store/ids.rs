//! Which messages a host keeps for a channel: the hashes of their ids, by number.

use std::collections::{BTreeSet, VecDeque};

use hashbrown::HashTable;

use crate::idhash::IdHash;

/// The hashes of the ids of a channel's stored messages, about 24 bytes each.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Those of the latest messages, whose numbers follow each other.
    line: VecDeque<IdHash>,
    /// The number of the first of these.
    first: u64,
    /// Their numbers by their hashes. Of a number the low half is enough.
    places: HashTable<u32>,
    /// Those before them that are still there, since they may have to be sent again. There are few.
    early: BTreeSet<(u64, IdHash)>,
    early_ids: BTreeSet<u128>,
}

impl Ids {
    pub fn contains(&self, hash: IdHash) -> bool {
        let (line, first) = (&self.line, self.first as u32);
        let is_it = |place: &u32| line.get(place.wrapping_sub(first) as usize) == Some(&hash);
        self.places.find(hash.short(), is_it).is_some() || self.early_ids.contains(&hash.number())
    }

    /// A message is stored, or stored again under the number that it has. New ones come in the order of their numbers.
    pub fn put(&mut self, number: u64, hash: IdHash) {
        let next = self.first.saturating_add(self.line.len() as u64);
        if number < next {
            return;
        }
        if number > next {
            self.leave_up_to(next);
            self.first = number;
        }
        self.line.push_back(hash);
        let (line, first) = (&self.line, self.first as u32);
        let hash_of = |place: &u32| line.get(place.wrapping_sub(first) as usize).map_or(0, |hash| hash.short());
        self.places.insert_unique(hash.short(), number as u32, hash_of);
    }

    /// A message is stored no longer.
    pub fn delete(&mut self, number: u64) {
        let early = self.early.range((number, IdHash::LEAST)..).next().copied().filter(|early| early.0 == number);
        if let Some(early) = early {
            self.early.remove(&early);
            self.early_ids.remove(&early.1.number());
        } else if (self.first..self.first.saturating_add(self.line.len() as u64)).contains(&number) {
            self.leave_up_to(number);
            self.pop();
        }
    }

    /// What is in the line before that number stays, elsewhere.
    fn leave_up_to(&mut self, number: u64) {
        while self.first < number
            && let Some((number, hash)) = self.pop()
        {
            self.early.insert((number, hash));
            self.early_ids.insert(hash.number());
        }
    }

    fn pop(&mut self) -> Option<(u64, IdHash)> {
        let hash = self.line.pop_front()?;
        let number = self.first;
        if let Ok(place) = self.places.find_entry(hash.short(), |place| *place == number as u32) {
            place.remove();
        }
        self.first = number.saturating_add(1);
        Some((number, hash))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn hash(number: u64) -> IdHash {
        // Several have the same short form.
        IdHash::from_number(u128::from(number) << 64 | u128::from(number % 7))
    }

    #[test]
    fn it_is_what_a_map_would_be() {
        let (mut ids, mut map) = (Ids::default(), BTreeMap::new());
        let mut rng = fastrand::Rng::with_seed(5);
        let mut next = 40;
        for _ in 0..20_000 {
            match rng.u32(..10) {
                0 => next += rng.u64(..3),
                1..6 => {
                    ids.put(next, hash(next));
                    map.insert(next, hash(next));
                    next += 1;
                }
                6 => {
                    // The oldest ones go first, and now and then one from further on.
                    let at = if rng.u32(..4) == 0 { rng.usize(..=map.len().min(9)) } else { 0 };
                    if let Some(number) = map.keys().nth(at).copied() {
                        ids.delete(number);
                        map.remove(&number);
                    }
                }
                7 => {
                    // What it does not have is not there to be deleted.
                    let number = if rng.u32(..50) == 0 { rng.u64(..next) } else { next + rng.u64(..5) };
                    ids.delete(number);
                    map.remove(&number);
                }
                8 => {
                    if let Some((number, hash)) = map.last_key_value() {
                        ids.put(*number, *hash);
                    }
                }
                _ => {
                    let asked = rng.u64(..next + 5);
                    assert_eq!(ids.contains(hash(asked)), map.contains_key(&asked), "{asked}");
                }
            }
        }
        assert!(map.len() > 1_000 && ids.places.len() == ids.line.len() && ids.early.len() == ids.early_ids.len());
        assert_eq!(ids.line.len() + ids.early.len(), map.len());
    }
}
