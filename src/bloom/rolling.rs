//! The filter that a channel sends: it covers the ids of the recent past.

mod durable;

use std::collections::VecDeque;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::{Filter, HashKind, ItemHash, Params, RFC_PARAMS};
use crate::config::Config;
use crate::record::Touched;
use crate::types::{Profile, TimeMs};
pub use durable::FilterRecord;

/// A filter starts with room for this many ids, and doubles.
const MIN_CAPACITY: usize = 64;

/// What an empty filter looks like in the rfc profile. It lies in the program, not in any channel.
static EMPTY_RFC: [u8; 18_752] = [0; 18_752];
/// The same in the libsds profile: sized for one id at 0.001. What is empty may be small, since it names nothing.
static EMPTY_LIBSDS: [u8; 19] = [10, 8, 0, 0, 0, 0, 0, 0, 0, 0, 16, 1, 24, 0xe8, 7, 32, 10, 40, 15];
const EMPTY_LIBSDS_PARAMS: Params =
    Params { capacity: 1, error_millionths: 1_000, bits_per_element: 15, hashes: 10, bits: 15, words: 1 };

/// An id that the filter covers.
#[derive(Clone, Copy, Debug)]
struct Covered {
    at: TimeMs,
    item: ItemHash,
}

/// A filter over the ids of the last `ack_window_ms`, at most `bloom_capacity` of them. Its times are those of a clock
/// that never runs backwards.
///
/// While nothing is in it, it holds no heap memory. It grows by doubling. Ids leave lazily: bits can only be dropped by
/// rebuilding, so that happens when it pays, and costs O(1) per id over time. Of each id only its hashes and its time
/// are kept.
#[derive(Debug)]
pub struct RollingFilter {
    profile: Profile,
    seed: u64,
    error_rate: f64,
    max_capacity: usize,
    window_ms: u64,
    /// The latest time seen.
    now_ms: TimeMs,
    /// Ids that fit before the next rebuild. 0 while there is no filter.
    capacity: usize,
    filter: Option<Filter>,
    /// All ids whose bits are in the filter, oldest first. Those past the window stay until the next rebuild; one that
    /// came in again since then has two places here.
    entries: VecDeque<Covered>,
    /// The number of the first entry. Entries are numbered on and on, so that dropping some moves none.
    first_number: u64,
    /// Numbers of entries, found by their item: the latest for each.
    by_item: HashTable<u32>,
    rebuilds: u64,
    evicted: u64,
    unsaved: Touched,
}

impl RollingFilter {
    /// An empty filter. `seed` picks its number of bits in the libsds profile, and keys its table.
    pub fn new(profile: Profile, config: &Config, seed: u64) -> Self {
        let most = match profile {
            // The one size that readers know: more ids than it is made for would spoil it.
            Profile::Rfc => config.bloom_capacity.min(RFC_PARAMS.capacity as usize),
            Profile::Libsds => config.bloom_capacity,
        };
        Self {
            profile,
            seed,
            error_rate: config.bloom_error_rate,
            max_capacity: most.max(MIN_CAPACITY),
            window_ms: config.ack_window_ms,
            now_ms: 0,
            capacity: 0,
            filter: None,
            entries: VecDeque::new(),
            first_number: 0,
            by_item: HashTable::new(),
            rebuilds: 0,
            evicted: 0,
            unsaved: Touched::default(),
        }
    }

    /// Covers an id from now on. An id that is covered stays as it is.
    pub fn insert(&mut self, id: &str, now_ms: TimeMs) {
        self.insert_item(ItemHash::of(self.kind(), id), now_ms);
    }

    /// The same, with the id hashed before (by [`kind`](Self::kind)).
    pub fn insert_item(&mut self, item: ItemHash, now_ms: TimeMs) {
        self.advance(now_ms);
        if self.covers(&item) {
            return;
        }
        if self.entries.len() >= self.capacity {
            self.make_room();
        }
        match &mut self.filter {
            Some(filter) => filter.insert(&item),
            None => {
                let filter = Filter::new(self.profile, self.sized());
                self.filter.insert(filter).insert(&item);
            }
        }
        self.unsaved.add_entry(self.first_number.wrapping_add(self.entries.len() as u64));
        self.push(item, self.now_ms);
    }

    fn push(&mut self, item: ItemHash, at: TimeMs) {
        let (entries, first, key) = (&self.entries, self.first(), self.seed);
        let number = first.wrapping_add(entries.len() as u32);
        let same = |other: &u32| entry(entries, first, *other).is_some_and(|it| it.item == item);
        let hash = |other: &u32| entry(entries, first, *other).map_or(0, |it| it.item.keyed(key));
        match self.by_item.entry(item.keyed(key), same, hash) {
            Entry::Occupied(mut slot) => *slot.get_mut() = number,
            Entry::Vacant(slot) => drop(slot.insert(number)),
        }
        self.entries.push_back(Covered { at, item });
    }

    /// Drops ids that left the window, if they are at least half of all. Call it before the bytes are used.
    pub fn expire(&mut self, now_ms: TimeMs) {
        self.advance(now_ms);
        // Oldest first: half of all are past once the one in the middle is.
        let middle = self.entries.len().div_ceil(2).saturating_sub(1);
        if self.entries.get(middle).is_some_and(|entry| self.is_past(entry)) {
            let live = self.live();
            self.rebuild(live, self.fitting(live));
        }
    }

    /// Whether the id was inserted within the window. Exact, unlike [`contains`](Self::contains). An id past the window
    /// is not covered, though its bits may stay for a while, so it can be inserted anew.
    pub fn covers(&self, item: &ItemHash) -> bool {
        let covered = |number: &u32| entry(&self.entries, self.first(), *number);
        let same = |number: &u32| covered(number).is_some_and(|it| it.item == *item);
        let latest = self.by_item.find(item.keyed(self.seed), same).and_then(covered);
        latest.is_some_and(|it| !self.is_past(it))
    }

    /// Whether a receiver of [`wire_bytes`](Self::wire_bytes) would find the id in it.
    pub fn contains(&self, item: &ItemHash) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.contains(item))
    }

    /// The complete value of a message's filter field, as the profile lays it out.
    pub fn wire_bytes(&self) -> &[u8] {
        match (&self.filter, self.profile) {
            (Some(filter), _) => filter.wire_bytes(),
            (None, Profile::Rfc) => &EMPTY_RFC,
            (None, Profile::Libsds) => &EMPTY_LIBSDS,
        }
    }

    /// The size of the filter in [`wire_bytes`](Self::wire_bytes).
    pub fn params(&self) -> Params {
        match (&self.filter, self.profile) {
            (Some(filter), _) => *filter.params(),
            (None, Profile::Rfc) => RFC_PARAMS,
            (None, Profile::Libsds) => EMPTY_LIBSDS_PARAMS,
        }
    }

    /// The hash its ids are placed by.
    pub fn kind(&self) -> HashKind {
        HashKind::of(self.profile)
    }

    /// Ids whose bits are in it, with those past the window that have not been dropped yet.
    pub fn len(&self) -> usize {
        self.by_item.len()
    }

    /// Whether no id is in it.
    pub fn is_empty(&self) -> bool {
        self.by_item.is_empty()
    }

    /// How many times it was rebuilt, to see what rolling over costs.
    pub fn rebuilds(&self) -> u64 {
        self.rebuilds
    }

    /// Ids that left before their time because it was full.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The number of the first entry, as far as the table needs it.
    fn first(&self) -> u32 {
        self.first_number as u32
    }

    /// Time only moves forward: entries stay in order, and small steps back do no harm.
    fn advance(&mut self, now_ms: TimeMs) {
        self.now_ms = self.now_ms.max(now_ms);
    }

    fn is_past(&self, entry: &Covered) -> bool {
        self.now_ms.saturating_sub(entry.at) >= self.window_ms
    }

    /// How many entries are within the window.
    fn live(&self) -> usize {
        self.entries.len().saturating_sub(self.entries.partition_point(|entry| self.is_past(entry)))
    }

    /// The smallest doubling that holds `ids`.
    fn fitting(&self, ids: usize) -> usize {
        ids.max(MIN_CAPACITY).checked_next_power_of_two().unwrap_or(usize::MAX).min(self.max_capacity)
    }

    /// The size of the filter at the present capacity.
    fn sized(&self) -> Params {
        match self.profile {
            Profile::Rfc => RFC_PARAMS,
            Profile::Libsds => Params::sized(self.capacity as u64, self.error_rate).with_prime_bits(self.seed),
        }
    }

    /// Rebuilds so that several ids fit: without the expired ones, if those are half of all; else at twice the
    /// capacity; at the greatest capacity, without the oldest fifth.
    fn make_room(&mut self) {
        let live = self.live();
        if live <= self.capacity / 2 {
            self.rebuild(live, self.fitting(live.saturating_add(1)));
        } else if self.capacity < self.max_capacity {
            self.rebuild(live, self.capacity.saturating_mul(2).min(self.max_capacity));
        } else {
            let most = self.max_capacity.saturating_sub(self.max_capacity / 5);
            self.evicted = self.evicted.saturating_add(live.saturating_sub(most) as u64);
            self.rebuild(live.min(most), self.max_capacity);
        }
    }

    /// Keeps the latest `keep` entries, in a filter of this capacity.
    fn rebuild(&mut self, keep: usize, capacity: usize) {
        while self.entries.len() > keep {
            self.drop_oldest();
        }
        self.capacity = capacity;
        if self.entries.is_empty() {
            self.release();
            return;
        }
        self.rebuilds = self.rebuilds.saturating_add(1);
        let params = self.sized();
        let mut filter = match self.filter.take() {
            Some(mut filter) if *filter.params() == params => {
                filter.clear();
                filter
            }
            _ => Filter::new(self.profile, params),
        };
        self.entries.iter().for_each(|entry| filter.insert(&entry.item));
        self.filter = Some(filter);
        self.give_back_memory();
    }

    fn drop_oldest(&mut self) {
        let (entries, first) = (&self.entries, self.first());
        let Some(oldest) = entries.front() else { return };
        // An id that came in again is found by its later entry, which must stay.
        if let Ok(slot) = self.by_item.find_entry(oldest.item.keyed(self.seed), |number| *number == first) {
            slot.remove();
        }
        self.entries.pop_front();
        self.unsaved.drop_entry(self.first_number);
        self.first_number = self.first_number.wrapping_add(1);
    }

    /// Nothing is left: an idle channel holds no memory. The capacity that the next id needs stays.
    fn release(&mut self) {
        self.filter = None;
        self.entries = VecDeque::new();
        self.by_item = HashTable::new();
    }

    fn give_back_memory(&mut self) {
        let keep = self.entries.len();
        if self.entries.capacity() > keep.max(MIN_CAPACITY).saturating_mul(4) {
            let room = keep.saturating_mul(2);
            self.entries.shrink_to(room);
            let (entries, first, key) = (&self.entries, self.first(), self.seed);
            self.by_item.shrink_to(room, |number| entry(entries, first, *number).map_or(0, |it| it.item.keyed(key)));
        }
    }
}

/// The entry of a number; every number in the table has one.
fn entry(entries: &VecDeque<Covered>, first_number: u32, number: u32) -> Option<&Covered> {
    entries.get(number.wrapping_sub(first_number) as usize)
}
