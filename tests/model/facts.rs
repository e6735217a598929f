//! What one participant told its host: the model. Nothing here decides what an engine should do next; it only remembers
//! what was sent, received and handed out, and what follows from that alone.

use std::collections::{BTreeMap, BTreeSet};

use sds::bloom::HashKind;
use sds::output::MessageState;

#[derive(Debug, Default)]
pub struct Facts {
    pub clock: Told,
    /// All that it sent, or that was handed out in causal order, as (timestamp, id), in the order it happened.
    pub arrivals: Vec<(u64, String)>,
    /// The ids of the same.
    pub here: BTreeSet<String>,
    /// Messages of others with content that it took in, in order.
    pub received: Vec<String>,
    /// Messages that it took in and did not hand out as ordered: whether each is late.
    pub waiting: BTreeMap<String, bool>,
    /// When each of them came.
    pub waiting_since: BTreeMap<String, Told>,
    /// When it took up requests of others, on the scale of `clock.moved_ms`.
    pub taken_up: Vec<u64>,
    /// All ids in the histories that it took in.
    pub named: BTreeSet<String>,
    /// Ids that it told are missing.
    pub told_missing: BTreeSet<String>,
    /// Ids that it told are lost, whether or not they came since.
    pub lost: BTreeSet<String>,
    /// Ids that its host told it not to wait for.
    pub marked: BTreeSet<String>,
    /// Of the arrivals, those outside the log since their timestamp lies too far ahead: (timestamp, number).
    pub held: BTreeSet<(u64, usize)>,
    /// Its own messages.
    pub own: BTreeMap<String, Own>,
    /// How many of everybody's receptions it can know of.
    pub heard_from: Vec<usize>,
    /// When it sent or received each message, on the scale of `clock.moved_ms`.
    pub covered: Vec<(u64, String)>,
    /// What it asked for, how often.
    pub asked: BTreeMap<String, u32>,
    /// How often it asked for anything.
    pub asks: u64,
    /// When each id was told missing.
    pub missing_since: BTreeMap<String, Told>,
    /// How often each message that is here was named since, by others and by itself.
    namings: BTreeMap<String, usize>,
    /// Messages that nobody had named when they came, and that were never held.
    news: BTreeSet<String>,
    /// What others asked it for, and nobody broadcast since.
    pub asked_for: BTreeSet<String>,
    pub repaired: u64,
    pub answered: u64,
    pub duplicates: u64,
    pub acknowledged: u64,
}

/// The times that a participant was told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    last_ms: u64,
    /// All forward movement so far: no less than any deadline or age can have advanced.
    pub moved_ms: u64,
    /// The same, while the network was reachable.
    pub reachable_ms: u64,
    /// The latest time, except that a step back of over a minute is followed. What the engine takes for the time lies
    /// between what it is told and this.
    pub latest_ms: u64,
}

impl Told {
    /// What it was told last.
    pub fn now_ms(&self) -> u64 {
        self.last_ms
    }

    pub fn told(&mut self, now_ms: u64, reachable: bool) {
        let first = self.last_ms == 0;
        let moved_ms = if first { 0 } else { now_ms.saturating_sub(self.last_ms) };
        self.moved_ms += moved_ms;
        self.reachable_ms += if reachable { moved_ms } else { 0 };
        self.last_ms = now_ms;
        let followed = self.latest_ms.saturating_sub(now_ms) > 60_000;
        self.latest_ms = if followed { now_ms } else { self.latest_ms.max(now_ms) };
    }
}

/// A message of its own, and the evidence it heard for it.
#[derive(Debug, Default)]
pub struct Own {
    /// A history named it.
    pub named: bool,
    /// For each kind and size of filter that held it, the least chance that this was a mistake.
    pub filters: BTreeMap<(bool, u64, u32), f64>,
    pub acknowledged: bool,
    pub cancelled: bool,
    pub given_up: bool,
    /// Resends since it was sent, or since its host asked for more.
    pub resends: u32,
}

impl Own {
    /// The chance that all filters err.
    pub fn false_chance(&self) -> f64 {
        self.filters.values().product()
    }

    pub fn add_filter(&mut self, kind: HashKind, bits: u64, hashes: u32, false_chance: f64) {
        if false_chance < 1.0 {
            let least = self.filters.entry((kind == HashKind::Farm, bits, hashes)).or_insert(1.0);
            *least = least.min(false_chance);
        }
    }

    /// What its state has to be.
    pub fn state(&self) -> MessageState {
        match (self.acknowledged, self.cancelled, self.given_up, self.filters.is_empty()) {
            (true, _, _, _) => MessageState::Acknowledged,
            (_, true, _, _) => MessageState::Cancelled,
            (_, _, true, true) => MessageState::Failed,
            (_, _, true, false) => MessageState::Unconfirmed,
            (_, _, _, true) => MessageState::Unacknowledged,
            (_, _, _, false) => MessageState::PossiblyAcknowledged,
        }
    }
}

impl Facts {
    /// Nothing yet, in a group of so many.
    pub fn new(size: usize) -> Self {
        Self { heard_from: vec![0; size], ..Self::default() }
    }

    /// Whether nobody has to wait for a message: it is here in order, or its host was told that it will not be.
    pub fn is_met(&self, id: &str) -> bool {
        // One that was given up and came after all, but waits, is waited for.
        let given_up = self.lost.contains(id) && !self.waiting.contains_key(id);
        self.here.contains(id) || given_up || self.marked.contains(id)
    }

    /// Whether it sent a message or took it in.
    pub fn knows(&self, id: &str) -> bool {
        self.here.contains(id) || self.waiting.contains_key(id)
    }

    /// What a history names and is not met, each once, in the order named.
    pub fn unmet(&self, history: &[String]) -> Vec<String> {
        let mut unmet: Vec<String> = Vec::new();
        for id in history {
            if !self.is_met(id) && !unmet.contains(id) {
                unmet.push(id.clone());
            }
        }
        unmet
    }

    /// Whether a message was given up, and came after one that names it: that waits for it no longer.
    pub fn came_after_it_was_lost(&self, named: &str, by: &str) -> bool {
        let place = |id: &str| self.received.iter().position(|received| received == id);
        self.lost.contains(named) && place(named) > place(by)
    }

    /// What was named and is neither here nor given up.
    pub fn missing(&self) -> BTreeSet<&str> {
        let missing = |id: &&String| !self.is_met(id) && !self.waiting.contains_key(*id);
        self.named.iter().filter(missing).map(String::as_str).collect()
    }

    /// A history was taken in or sent: what it names of what is here was named once more.
    pub fn count_namings(&mut self, history: &[String]) {
        for id in history.iter().filter(|id| self.here.contains(*id)) {
            *self.namings.entry(id.clone()).or_default() += 1;
        }
    }

    pub fn namings(&self, id: &str) -> usize {
        self.namings.get(id).copied().unwrap_or(0)
    }

    pub fn is_news(&self, id: &str) -> bool {
        self.news.contains(id)
    }

    /// A message enters the arrivals. `held`: outside the log.
    pub fn arrive(&mut self, stamp_ms: u64, id: &str, held: bool, log_messages: usize) {
        if !held && !self.named.contains(id) {
            self.news.insert(id.to_owned());
        }
        self.waiting.remove(id);
        self.waiting_since.remove(id);
        self.here.insert(id.to_owned());
        let number = self.arrivals.len();
        self.arrivals.push((stamp_ms, id.to_owned()));
        let oldest = self.oldest(log_messages);
        self.held.retain(|entry| entry.1 >= oldest);
        if held {
            self.held.insert((stamp_ms, number));
        }
    }

    /// An arrival turns out to be stamped too far ahead.
    pub fn hold(&mut self, number: usize) {
        let (stamp_ms, id) = &self.arrivals[number];
        self.news.remove(id);
        self.held.insert((*stamp_ms, number));
    }

    /// The number of the oldest arrival that is kept.
    pub fn oldest(&self, log_messages: usize) -> usize {
        self.arrivals.len().saturating_sub(log_messages)
    }

    /// The log: the last arrivals that fit, but those held, by timestamp and id.
    pub fn log(&self, log_messages: usize) -> Vec<(u64, String)> {
        let held: BTreeSet<usize> = self.held.iter().map(|entry| entry.1).collect();
        let oldest = self.oldest(log_messages);
        let logged = |number: &usize| !held.contains(number);
        let mut log: Vec<_> =
            (oldest..self.arrivals.len()).filter(logged).map(|at| self.arrivals[at].clone()).collect();
        log.sort();
        log
    }
}
