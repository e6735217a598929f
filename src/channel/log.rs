//! The local log: which messages are here, in which order, and which were here once.
//!
//! RFC: Resolve Conflicts

mod durable;
mod remembered;

use std::collections::{BTreeSet, VecDeque};

use hashbrown::HashTable;

use super::tally::Tally;
use super::whole::Whole;
use crate::config::{Config, MAX_LITTLE_NAMED};
use crate::idhash::IdHash;
use crate::output::Hint;
use crate::types::{MessageId, ParticipantId, TimeMs};
use durable::Unsaved;
pub(super) use durable::{LogRecord, LogRecords, SideRecord, Stored};
use remembered::Remembered;

/// A message in the log.
#[derive(Debug)]
pub(super) struct Entry {
    pub message_id: MessageId,
    pub hash: IdHash,
    pub lamport_ms: u64,
    pub sender_id: ParticipantId,
    pub hint: Option<Hint>,
    /// The message itself, where we may have to send it again.
    pub whole: Option<Whole>,
    /// How often it was named in causal histories, others' and ours.
    pub namings: usize,
    /// Flags of a [`StoredMessage`], for the host to read.
    pub flags: u8,
}

impl Entry {
    /// What the log is ordered by: the Lamport timestamp, and at equal ones the message id, ascending, bytewise (RFC 109,
    /// *Resolve Conflicts*). The same everywhere, whatever the order of arrival.
    fn place(&self) -> (u64, &str) {
        (self.lamport_ms, &self.message_id)
    }

    fn whole_len(&self) -> usize {
        self.whole.as_ref().map_or(0, Whole::len)
    }

    fn count_naming(&mut self) {
        self.namings = self.namings.saturating_add(1);
    }
}

/// What is known of an id that is not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It needs not be waited for (the host has it, or it lies before us), but is delivered should it come.
    Met,
    /// It was given up as lost; delivered, late, should it come.
    Lost,
    /// It was told to be missing, and is tracked no longer for want of room: it is waited for and not told again.
    Told,
}

/// What the limits of the log took away.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// Messages, for `log_messages`.
    pub evicted: u64,
    /// Whole messages, for `log_bytes`.
    pub whole_dropped: u64,
    /// Messages that will not be named as often as they should, for [`MAX_LITTLE_NAMED`].
    pub namings_dropped: u64,
}

/// A channel's log. What it evicts when memory is full is the oldest by *arrival*: timestamps are the senders' word, and
/// ones far ahead must not push honest messages out.
#[derive(Debug)]
pub(super) struct Log {
    /// By arrival. Numbered on and on (wrapping) from `first`, so that evicting moves no number.
    entries: VecDeque<Entry>,
    first: u32,
    by_id: HashTable<u32>,
    /// Numbers of entries, in the order of the log. Nearly all come last and leave first, where this is cheapest.
    order: VecDeque<u32>,
    /// The number of the first entry that may have its whole message; older ones were dropped to save memory.
    first_whole: u32,
    whole_bytes: Tally,
    /// Numbers of entries that were not named often enough when last looked at, oldest first.
    little_named: VecDeque<u32>,
    /// How often is enough, and how many of the latest a history names.
    history_size: usize,
    /// Entries stamped too far ahead: delivered and known, but in no order yet.
    held: BTreeSet<(u64, IdHash)>,
    received: Remembered,
    /// Ids that are not remembered here, but in a store, in ascending order.
    recalled: Vec<IdHash>,
    met: Remembered,
    lost: Remembered,
    told: Remembered,
    taken: Taken,
    max_entries: usize,
    max_whole_bytes: usize,
    unsaved: Unsaved,
}

impl Log {
    pub fn new(config: &Config) -> Self {
        Self {
            entries: VecDeque::new(),
            first: 0,
            by_id: HashTable::new(),
            order: VecDeque::new(),
            first_whole: 0,
            whole_bytes: Tally::default(),
            little_named: VecDeque::new(),
            history_size: config.causal_history_size,
            held: BTreeSet::new(),
            received: Remembered::new(config.seen_limit),
            recalled: Vec::new(),
            met: Remembered::new(config.seen_limit),
            lost: Remembered::new(config.seen_limit),
            told: Remembered::new(config.seen_limit),
            taken: Taken::default(),
            max_entries: config.log_messages,
            max_whole_bytes: config.log_bytes,
            unsaved: Unsaved::default(),
        }
    }

    /// Messages that have their place in the order.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn held_len(&self) -> usize {
        self.held.len()
    }

    pub fn lost_len(&self) -> usize {
        self.lost.len()
    }

    pub fn taken(&self) -> Taken {
        self.taken
    }

    /// Ids that were forgotten, for `seen_limit`.
    pub fn ids_forgotten(&self) -> u64 {
        [&self.received, &self.met, &self.lost, &self.told].iter().map(|ids| ids.forgotten()).sum()
    }

    /// Who sent a message that is in the log.
    pub fn sender_of(&self, hash: IdHash) -> Option<&ParticipantId> {
        self.number_of(hash).map(|number| &self.entry(number).sender_id)
    }

    /// Whether a message is in the log, or was.
    pub fn was_received(&self, hash: IdHash) -> bool {
        self.number_of(hash).is_some() || self.received.contains(hash) || self.recalled.binary_search(&hash).is_ok()
    }

    /// Whether nobody has to wait for a message: it was received, need not be here, or was given up.
    pub fn is_met(&self, hash: IdHash) -> bool {
        self.was_received(hash) || self.met.contains(hash) || self.lost.contains(hash)
    }

    /// A message in the log that can be sent again, whole.
    pub fn whole(&self, hash: IdHash) -> Option<(&Entry, &Whole)> {
        let entry = self.entry(self.number_of(hash)?);
        entry.whole.as_ref().map(|whole| (entry, whole))
    }

    /// Bytes of all whole messages.
    pub fn whole_bytes(&self) -> usize {
        self.whole_bytes.bytes()
    }

    /// Sets or removes the hint of a logged message; false if it is not in the log.
    pub fn set_hint(&mut self, hash: IdHash, hint: Option<Hint>) -> bool {
        let Some(index) = self.number_of(hash).map(|number| self.index(number)) else { return false };
        let Some(entry) = self.entries.get_mut(index) else { return false };
        entry.hint = hint;
        self.unsaved.side(self.taken.evicted, index);
        true
    }

    /// Adds a message that was not in the log. `ahead`: it is stamped too far ahead, and held outside the order.
    /// `stored`: what is kept of it on disk, where anything is.
    pub fn insert(&mut self, entry: Entry, ahead: bool, stored: Option<Stored>) {
        self.lost.remove(entry.hash);
        while self.entries.len() >= self.max_entries.max(1) {
            self.evict_oldest();
        }
        let (lamport_ms, hash) = (entry.lamport_ms, entry.hash);
        self.unsaved.insert(self.taken.evicted, self.entries.len(), &entry, ahead, stored);
        let number = self.add(entry);
        while self.whole_bytes.bytes() > self.max_whole_bytes && self.drop_oldest_whole() {
            self.taken.whole_dropped = self.taken.whole_dropped.saturating_add(1);
        }
        if ahead {
            self.held.insert((lamport_ms, hash));
        } else {
            self.put_in_order(number);
        }
    }

    /// Adds an entry, in no order yet, and returns its number.
    fn add(&mut self, entry: Entry) -> u32 {
        let number = self.first.wrapping_add(self.entries.len() as u32);
        let (entries, first) = (&self.entries, self.first);
        // Every number in the table has an entry.
        let hash_of = |other: &u32| entries.get(other.wrapping_sub(first) as usize).map_or(0, |it| it.hash.short());
        self.by_id.insert_unique(entry.hash.short(), number, hash_of);
        self.whole_bytes.add(entry.whole_len());
        self.entries.push_back(entry);
        number
    }

    /// Drops whole messages from before `ms`: their entries stay.
    pub fn drop_whole_before(&mut self, ms: TimeMs) {
        let is_old = |entry: &Entry| entry.whole.as_ref().is_none_or(|whole| whole.since.steady_ms < ms);
        while self.whole_bytes.bytes() > 0 && self.entries.get(self.index(self.first_whole)).is_some_and(is_old) {
            self.drop_oldest_whole();
        }
    }

    /// Drops the whole message of the oldest entry by arrival that may have one; false if there is none.
    fn drop_oldest_whole(&mut self) -> bool {
        let index = self.index(self.first_whole);
        let Some(entry) = self.entries.get_mut(index) else { return false };
        self.whole_bytes.take_off(entry.whole_len());
        self.unsaved.reduce(self.taken.evicted, index, entry);
        entry.whole = None;
        self.first_whole = self.first_whole.wrapping_add(1);
        true
    }

    fn put_in_order(&mut self, number: u32) {
        let at = self.position(number).unwrap_or_else(|at| at);
        self.order.insert(at, number);
        self.little_named.push_back(number);
        if self.little_named.len() > MAX_LITTLE_NAMED
            && let Some(oldest) = self.little_named.pop_front()
        {
            let entry = self.entries.get(self.index(oldest));
            let dropped = entry.is_some_and(|entry| entry.namings < self.history_size);
            self.taken.namings_dropped = self.taken.namings_dropped.saturating_add(u64::from(dropped));
        }
    }

    /// Where an entry is in the order, or belongs.
    fn position(&self, number: u32) -> Result<usize, usize> {
        let place = self.entry(number).place();
        match self.order.back() {
            Some(last) if self.entry(*last).place() < place => Err(self.order.len()),
            _ => self.order.binary_search_by(|other| self.entry(*other).place().cmp(&place)),
        }
    }

    /// Moves held messages whose time has come into the order; returns the greatest timestamp among them.
    pub fn release(&mut self, up_to_ms: u64) -> Option<u64> {
        let mut greatest = None;
        while let Some(&(lamport_ms, hash)) = self.held.first().filter(|held| held.0 <= up_to_ms) {
            self.held.pop_first();
            let Some(number) = self.number_of(hash) else { continue };
            self.put_in_order(number);
            self.unsaved.side(self.taken.evicted, self.index(number));
            greatest = Some(lamport_ms);
        }
        greatest
    }

    /// Moves what is stamped later out of the order: it is held until its time has come.
    pub fn hold_after(&mut self, up_to_ms: u64) {
        while let Some(last) = self.order.back().copied().filter(|last| self.entry(*last).lamport_ms > up_to_ms) {
            let entry = self.entry(last);
            self.held.insert((entry.lamport_ms, entry.hash));
            self.order.pop_back();
            self.little_named.retain(|number| *number != last);
            self.unsaved.side(self.taken.evicted, self.index(last));
        }
    }

    /// The timestamp of the first message to be released.
    pub fn first_held_ms(&self) -> Option<u64> {
        self.held.first().map(|held| held.0)
    }

    /// The last messages in log order, the last one first.
    pub fn latest(&self) -> impl Iterator<Item = &Entry> {
        self.order.iter().rev().map(|number| self.entry(*number))
    }

    /// What the next message names, in log order: the last few of the log (RFC 109, *Send Message*), and before them as many
    /// older ones that nobody named as often as that.
    ///
    /// A message that waits at most members for something missing is among the last few of nobody's log when it could be
    /// named, and nor are most of those that many send at once: who misses one would never learn of it. `lean`: without
    /// these.
    pub fn history(&self, lean: bool) -> impl Iterator<Item = &Entry> {
        let mut older: Vec<&Entry> = Vec::new();
        if !lean {
            older.extend(self.little_named().into_iter().map(|number| self.entry(number)));
            older.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
        }
        older.into_iter().chain(self.order.range(self.latest_from()..).map(|number| self.entry(*number)))
    }

    /// Where the last few begin in the order.
    fn latest_from(&self) -> usize {
        self.order.len().saturating_sub(self.history_size)
    }

    /// Numbers of entries from before the last few that were not named often enough, the oldest by arrival first. Mostly
    /// there are none.
    fn little_named(&self) -> Vec<u32> {
        let mut wanted = Vec::new();
        let Some(latest) = self.order.get(self.latest_from()) else { return wanted };
        let oldest_of_latest = self.entry(*latest).place();
        for number in &self.little_named {
            // The latest themselves are mostly all there is: told apart by their timestamps.
            let is_young = |entry: &&Entry| entry.lamport_ms > oldest_of_latest.0 || number == latest;
            let entry = self.entries.get(self.index(*number)).filter(|entry| !is_young(entry));
            if entry.is_some_and(|entry| entry.namings < self.history_size && entry.place() < oldest_of_latest) {
                wanted.push(*number);
                if wanted.len() == self.history_size {
                    break;
                }
            }
        }
        wanted
    }

    /// A message is named in a received history.
    pub fn named(&mut self, hash: IdHash) {
        if let Some(number) = self.number_of(hash) {
            self.count_naming(number);
        }
    }

    /// A message of ours goes out with [`Log::history`].
    pub fn named_by_us(&mut self, lean: bool) {
        if !lean {
            self.little_named().into_iter().for_each(|number| self.count_naming(number));
        }
        let (first, enough) = (self.first, self.history_size);
        for number in self.order.range(self.latest_from()..) {
            if let Some(entry) = self.entries.get_mut(number.wrapping_sub(first) as usize) {
                entry.count_naming();
            }
        }
        let entries = &self.entries;
        let is_little_named =
            |number: &u32| entries.get(number.wrapping_sub(first) as usize).is_some_and(|entry| entry.namings < enough);
        self.little_named.retain(is_little_named);
    }

    fn count_naming(&mut self, number: u32) {
        let index = self.index(number);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.count_naming();
            // Of one that is held, the store has to know.
            if !self.held.is_empty() && self.held.contains(&(entry.lamport_ms, entry.hash)) {
                self.unsaved.side(self.taken.evicted, index);
            }
        }
    }

    /// Remembers what is known of an id that is not in the log.
    pub fn remember(&mut self, hash: IdHash, what: Known) {
        match what {
            Known::Met => {
                self.lost.remove(hash);
                self.met.insert(hash);
            }
            Known::Lost => self.lost.insert(hash),
            Known::Told => self.told.insert(hash),
        }
    }

    /// A message without content, of which nothing stays but that others name it. One that was given up stays so: content may
    /// come under its id.
    pub fn remember_named(&mut self, hash: IdHash) {
        if !self.lost.contains(hash) {
            self.met.insert(hash);
        }
    }

    /// These, in ascending order, were in the log long ago: for the call that is under way.
    pub fn recall(&mut self, hashes: Vec<IdHash>) {
        self.recalled = hashes;
    }

    /// Whether an id was told to be missing and is tracked no longer.
    pub fn was_told(&self, hash: IdHash) -> bool {
        self.told.contains(hash)
    }

    /// A message came: it is lost no longer, whether or not it has to wait. Returns whether it was.
    pub fn found(&mut self, hash: IdHash) -> bool {
        let was_lost = self.lost.contains(hash);
        self.lost.remove(hash);
        was_lost
    }

    fn evict_oldest(&mut self) {
        let number = self.first;
        let Some(place) = self.entries.front().map(|entry| (entry.lamport_ms, entry.hash)) else { return };
        if self.order.front() == Some(&number) {
            self.order.pop_front();
        } else if !self.held.remove(&place)
            && let Ok(at) = self.position(number)
        {
            self.order.remove(at);
        }
        let Some(entry) = self.entries.pop_front() else { return };
        self.first = self.first.wrapping_add(1);
        self.unsaved.evict(self.taken.evicted, &entry);
        self.taken.evicted = self.taken.evicted.saturating_add(1);
        if self.first_whole == number {
            self.first_whole = self.first;
        }
        self.whole_bytes.take_off(entry.whole_len());
        if let Ok(found) = self.by_id.find_entry(entry.hash.short(), |other| *other == number) {
            found.remove();
        }
        self.received.insert(entry.hash);
    }

    fn number_of(&self, hash: IdHash) -> Option<u32> {
        self.by_id.find(hash.short(), |number| self.entry(*number).hash == hash).copied()
    }

    fn index(&self, number: u32) -> usize {
        number.wrapping_sub(self.first) as usize
    }

    /// The entry of a number in `by_id` or `order`; others may be of entries that are gone.
    #[expect(clippy::indexing_slicing, reason = "an entry leaves those two when it leaves `entries`: `evict_oldest`")]
    fn entry(&self, number: u32) -> &Entry {
        &self.entries[self.index(number)]
    }
}
