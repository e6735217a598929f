//! Messages that wait for others, and the others they wait for.
//!
//! Two kinds of deadlines lie in one queue, each a whole timeout long and nobody else's. A *missing* message (named, not
//! here) is lost at its deadline, a timeout after it was first named. A *waiting* message (here, not in causal order yet)
//! is delivered a timeout after it came, whatever it still waits for. So no chain of made-up names delays anything beyond
//! its time, and since nothing missing inherits a deadline, nothing made up ends its repair before that.
//!
//! What a message names and waits here itself comes before it even then ([`Incoming::with_named`]).

mod durable;

use std::collections::BTreeSet;

use bytes::Bytes;

use super::clock::Now;
use super::tally::Tally;
use super::whole::Whole;
use crate::config::Config;
use crate::idhash::{IdHash, IdMap};
use crate::output::Hint;
use crate::types::{Dependency, MessageId, ParticipantId, TimeMs};
use durable::Unsaved;
pub(super) use durable::{IncomingRecord, IncomingRecords};

/// What a waiting message or a name costs beyond its own bytes, so that many small ones count too.
const OVERHEAD_BYTES: usize = 256;

/// A message in the incoming buffer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub message_id: MessageId,
    pub sender_id: ParticipantId,
    pub lamport_ms: u64,
    pub content: Bytes,
    /// The message itself, where we may have to send it again; `content` is then a part of it.
    pub whole: Option<Whole>,
    pub hint: Option<Hint>,
    /// It had been given up as lost before it came.
    pub late: bool,
    /// Others named it before it came.
    pub named: bool,
    /// Its sender id is ours.
    pub own: bool,
    /// When it came.
    pub since: Now,
    /// What it waits for.
    pub unmet: Vec<IdHash>,
    pub deadline_ms: TimeMs,
    /// Its place by arrival; given when it enters the buffer.
    pub arrival: u64,
}

impl Waiting {
    fn size(&self) -> usize {
        let overhead = self.unmet.len().saturating_add(1).saturating_mul(OVERHEAD_BYTES);
        let whole = self.whole.as_ref().map_or(self.content.len(), Whole::len);
        [self.message_id.len(), self.sender_id.len(), whole].into_iter().fold(overhead, usize::saturating_add)
    }
}

/// A message that was named and is not here.
#[derive(Debug)]
struct Missing {
    dependency: Dependency,
    deadline_ms: TimeMs,
    /// Its place among those that nobody waits for: only sync messages named them.
    unwaited: Option<u64>,
}

/// What became of a missing id that was named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// It is news, to be reported once.
    New,
    /// The same, and there was room for it only in the place of another, which is tracked no longer.
    InsteadOf(IdHash),
    /// It was named before.
    Known,
    /// It was named before, and what is said of it now was not said then.
    Learned,
    /// There is no room for it.
    Untracked,
}

/// The incoming buffer.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    waiting: IdMap<Waiting>,
    missing: IdMap<Missing>,
    /// Who waits for an id.
    dependents: IdMap<Vec<IdHash>>,
    by_arrival: BTreeSet<(u64, IdHash)>,
    missing_due: BTreeSet<(TimeMs, IdHash)>,
    waiting_due: BTreeSet<(TimeMs, IdHash)>,
    /// Missing ids that nobody waits for, in the order they were named.
    unwaited: BTreeSet<(u64, IdHash)>,
    named: u64,
    arrivals: u64,
    /// Messages that arrived up to this one are not whole any more: only their contents are kept.
    reduced: u64,
    bytes: Tally,
    /// Missing ids that were not tracked because too many were.
    pub untracked: u64,
    /// Whole messages that were reduced to their contents.
    pub reduced_total: u64,
    unsaved: Unsaved,
}

impl Incoming {
    pub fn waiting_len(&self) -> usize {
        self.waiting.len()
    }

    pub fn missing_len(&self) -> usize {
        self.missing.len()
    }

    pub fn is_waiting(&self, hash: IdHash) -> bool {
        self.waiting.contains_key(&hash)
    }

    /// Who sent a waiting message.
    pub fn sender_of(&self, hash: IdHash) -> Option<&ParticipantId> {
        self.waiting.get(&hash).map(|waiting| &waiting.sender_id)
    }

    /// A waiting message that can be sent again: its id, its sender, and itself.
    pub fn whole(&self, hash: IdHash) -> Option<(&MessageId, &ParticipantId, &Whole)> {
        let waiting = self.waiting.get(&hash)?;
        waiting.whole.as_ref().map(|whole| (&waiting.message_id, &waiting.sender_id, whole))
    }

    /// Whether somebody waits for a message, which means that it was named.
    pub fn is_waited_for(&self, hash: IdHash) -> bool {
        self.dependents.contains_key(&hash)
    }

    /// The waiting messages by arrival.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.by_arrival.iter().filter_map(|(_, hash)| self.waiting.get(hash))
    }

    /// The waiting messages that came last, the very last first.
    pub fn latest(&self, count: usize) -> impl Iterator<Item = &Waiting> {
        self.by_arrival.iter().rev().take(count).filter_map(|(_, hash)| self.waiting.get(hash))
    }

    /// The missing messages by deadline.
    pub fn missing(&self) -> impl Iterator<Item = (&Dependency, TimeMs)> {
        let missing = self.missing_due.iter().filter_map(|due| self.missing.get(&due.1));
        missing.map(|missing| (&missing.dependency, missing.deadline_ms))
    }

    /// Sets or removes the hint of a waiting message; false if it does not wait.
    pub fn set_hint(&mut self, hash: IdHash, hint: Option<Hint>) -> bool {
        let Some(waiting) = self.waiting.get_mut(&hash) else { return false };
        waiting.hint = hint;
        self.unsaved.states.touch(waiting.arrival);
        true
    }

    pub fn next_deadline_ms(&self) -> Option<TimeMs> {
        [self.missing_due.first(), self.waiting_due.first()].into_iter().flatten().map(|due| due.0).min()
    }

    /// A message came that may have been missing: it is missing no longer. Returns whether it was.
    pub fn arrived(&mut self, hash: IdHash) -> bool {
        self.remove_missing(hash).is_some()
    }

    fn remove_missing(&mut self, hash: IdHash) -> Option<Missing> {
        let missing = self.missing.remove(&hash)?;
        self.missing_due.remove(&(missing.deadline_ms, hash));
        self.unsaved.missing.touch(hash);
        missing.unwaited.map(|place| self.unwaited.remove(&(place, hash)));
        Some(missing)
    }

    /// Notes that a message is named and not here. `waited`: by one that waits for it, or is about to.
    ///
    /// What was named before keeps its deadline and learns what was not said of it. When `max` are missing, the first named
    /// of those that nobody waits for gives way: sync messages cost nothing to make up, and must not hide what honest
    /// messages miss.
    pub fn note_missing(
        &mut self,
        hash: IdHash,
        named: &Dependency,
        deadline_ms: TimeMs,
        waited: bool,
        max: usize,
    ) -> Noted {
        if let Some(known) = self.missing.get_mut(&hash) {
            if !known.dependency.fill_in(named) {
                return Noted::Known;
            }
            self.unsaved.missing.touch(hash);
            return Noted::Learned;
        }
        let mut noted = Noted::New;
        if self.missing.len() >= max {
            self.untracked = self.untracked.saturating_add(1);
            let Some((_, oldest)) = self.unwaited.pop_first() else { return Noted::Untracked };
            self.remove_missing(oldest);
            noted = Noted::InsteadOf(oldest);
        }
        self.named = self.named.saturating_add(1);
        let waited = waited || self.dependents.contains_key(&hash);
        let unwaited = (!waited).then_some(self.named);
        unwaited.map(|place| self.unwaited.insert((place, hash)));
        self.missing.insert(hash, Missing { dependency: named.clone(), deadline_ms, unwaited });
        self.missing_due.insert((deadline_ms, hash));
        self.unsaved.missing.touch(hash);
        noted
    }

    /// A message is about to wait for this one: if it is missing, it gives way to no other.
    pub fn is_to_be_waited_for(&mut self, hash: IdHash) {
        if let Some(place) = self.missing.get_mut(&hash).and_then(|missing| missing.unwaited.take()) {
            self.unwaited.remove(&(place, hash));
            self.unsaved.missing.touch(hash);
        }
    }

    /// Nothing falls due while nothing can be fetched: all deadlines move on.
    pub fn postpone(&mut self, by_ms: u64) {
        let later = |deadline_ms: &mut TimeMs| {
            *deadline_ms = deadline_ms.saturating_add(by_ms);
            *deadline_ms
        };
        self.missing_due.clear();
        self.missing_due.extend(self.missing.iter_mut().map(|(hash, it)| (later(&mut it.deadline_ms), *hash)));
        self.waiting_due.clear();
        self.waiting_due.extend(self.waiting.iter_mut().map(|(hash, it)| (later(&mut it.deadline_ms), *hash)));
        self.missing.keys().for_each(|hash| self.unsaved.missing.touch(*hash));
        self.by_arrival.iter().for_each(|(arrival, _)| self.unsaved.states.touch(*arrival));
    }

    /// Puts a message into the buffer.
    pub fn add(&mut self, hash: IdHash, mut message: Waiting) {
        self.arrivals = self.arrivals.saturating_add(1);
        message.arrival = self.arrivals;
        self.put(hash, message);
    }

    fn put(&mut self, hash: IdHash, message: Waiting) {
        self.bytes.add(message.size());
        for dependency in &message.unmet {
            self.dependents.entry(*dependency).or_default().push(hash);
            self.is_to_be_waited_for(*dependency);
        }
        self.unsaved.messages.touch(message.arrival);
        self.unsaved.states.touch(message.arrival);
        self.by_arrival.insert((message.arrival, hash));
        self.waiting_due.insert((message.deadline_ms, hash));
        self.waiting.insert(hash, message);
    }

    /// An id is met: who waited for it alone waits no longer. Returns those, still in the buffer.
    pub fn met(&mut self, hash: IdHash) -> Vec<IdHash> {
        let mut ready = Vec::new();
        for dependent in self.dependents.remove(&hash).unwrap_or_default() {
            let Some(waiting) = self.waiting.get_mut(&dependent) else { continue };
            self.bytes.take_off(waiting.size());
            waiting.unmet.retain(|unmet| *unmet != hash);
            self.unsaved.states.touch(waiting.arrival);
            self.bytes.add(waiting.size());
            if waiting.unmet.is_empty() {
                ready.push(dependent);
            }
        }
        ready
    }

    /// The place of a waiting message in the order of the log.
    pub fn place(&self, hash: IdHash) -> Option<(u64, MessageId)> {
        self.waiting.get(&hash).map(|waiting| (waiting.lamport_ms, waiting.message_id.clone()))
    }

    /// When a waiting message is delivered at the latest.
    pub fn deadline_ms(&self, hash: IdHash) -> Option<TimeMs> {
        self.waiting.get(&hash).map(|waiting| waiting.deadline_ms)
    }

    /// Takes a message out of the buffer, to be delivered.
    pub fn take(&mut self, hash: IdHash) -> Option<Waiting> {
        let waiting = self.waiting.remove(&hash)?;
        self.bytes.take_off(waiting.size());
        self.by_arrival.remove(&(waiting.arrival, hash));
        self.unsaved.messages.touch(waiting.arrival);
        self.unsaved.states.touch(waiting.arrival);
        self.waiting_due.remove(&(waiting.deadline_ms, hash));
        for dependency in &waiting.unmet {
            if let Some(dependents) = self.dependents.get_mut(dependency) {
                dependents.retain(|dependent| *dependent != hash);
                if dependents.is_empty() {
                    self.dependents.remove(dependency);
                    self.waited_no_longer(*dependency);
                }
            }
        }
        Some(waiting)
    }

    /// Nobody waits for a missing message any more: it may give way to another.
    fn waited_no_longer(&mut self, hash: IdHash) {
        if let Some(missing) = self.missing.get_mut(&hash).filter(|missing| missing.unwaited.is_none()) {
            self.named = self.named.saturating_add(1);
            missing.unwaited = Some(self.named);
            self.unwaited.insert((self.named, hash));
            self.unsaved.missing.touch(hash);
        }
    }

    /// Reduces whole messages to their contents, the oldest first, while the buffer holds more bytes than it may: better
    /// not to be able to answer for them than to deliver them early.
    pub fn reduce(&mut self, config: &Config) {
        while self.bytes.bytes() > config.max_waiting_bytes {
            let next = self.by_arrival.range((self.reduced.saturating_add(1), IdHash::LEAST)..).next();
            let Some((arrival, hash)) = next.copied() else { return };
            self.reduced = arrival;
            let Some(waiting) = self.waiting.get_mut(&hash) else { continue };
            self.bytes.take_off(waiting.size());
            if waiting.whole.take().is_some() {
                self.reduced_total = self.reduced_total.saturating_add(1);
                // Not a part of the whole message's memory any more.
                waiting.content = Bytes::copy_from_slice(&waiting.content);
                self.unsaved.states.touch(arrival);
            }
            self.bytes.add(waiting.size());
        }
    }

    /// The oldest message, if the buffer holds more than it may.
    pub fn overflow(&self, config: &Config) -> Option<IdHash> {
        let over = self.waiting.len() > config.max_waiting_messages || self.bytes.bytes() > config.max_waiting_bytes;
        self.by_arrival.first().filter(|_| over).map(|first| first.1)
    }

    /// Takes the next missing message whose time is up.
    pub fn take_lost(&mut self, now_ms: TimeMs) -> Option<(IdHash, Dependency)> {
        let (_, hash) = self.missing_due.first().copied().filter(|due| due.0 <= now_ms)?;
        self.remove_missing(hash).map(|missing| (hash, missing.dependency))
    }

    /// A waiting message, after those of the waiting ones that it names, and that these name: in the order of the log,
    /// which is a causal one.
    ///
    /// Who names what is stamped after itself is no reason to deliver that. And nor is it one to deliver what is stamped from
    /// `stamped_by_ms` on *and* is due by itself from `due_by_ms` on: what is fresh is then delivered for a made-up message
    /// no sooner than half its time.
    pub fn with_named(&self, hash: IdHash, stamped_by_ms: u64, due_by_ms: TimeMs) -> Vec<IdHash> {
        let Some(first) = self.waiting.get(&hash) else { return Vec::new() };
        let is_early = |it: &Waiting| it.lamport_ms < stamped_by_ms || it.deadline_ms < due_by_ms;
        let mut found = BTreeSet::new();
        let mut to_visit = vec![first];
        while let Some(waiting) = to_visit.pop() {
            for named in &waiting.unmet {
                let is_before = |it: &&Waiting| it.lamport_ms < waiting.lamport_ms && is_early(it);
                let Some(before) = self.waiting.get(named).filter(is_before) else { continue };
                if found.insert((before.lamport_ms, *named)) {
                    to_visit.push(before);
                }
            }
        }
        let mut before = self.in_log_order(found.iter());
        before.push(hash);
        before
    }

    /// The waiting messages whose time is up, in the order of the log.
    pub fn overdue(&self, now_ms: TimeMs) -> Vec<IdHash> {
        self.in_log_order(self.waiting_due.iter().take_while(|due| due.0 <= now_ms))
    }

    /// The waiting ones of these, in the order of the log.
    fn in_log_order<'a>(&self, some: impl Iterator<Item = &'a (u64, IdHash)>) -> Vec<IdHash> {
        let mut waiting: Vec<_> = some.filter_map(|(_, hash)| self.waiting.get_key_value(hash)).collect();
        waiting.sort_unstable_by(|a, b| (a.1.lamport_ms, &a.1.message_id).cmp(&(b.1.lamport_ms, &b.1.message_id)));
        waiting.into_iter().map(|(hash, _)| *hash).collect()
    }
}
