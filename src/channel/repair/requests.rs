//! What we miss and will ask for: the outgoing repair request buffer.
//!
//! RFC: SDS-R participant state: outgoing repair request buffer
//!
//! An entry is asked for once its T_req has passed, and asked for again after T_min, twice that, and so on. Its sender
//! answers at once, so that no answer by then was mostly lost on its way; who waits to answer still keeps the first request
//! in mind, and makes of the second no second answer. When somebody else asks for it, it leaves the buffer and is set
//! aside; if it is still missing after T_max, it comes back with a new T_req, so that a made-up request cancels nothing for
//! good.

mod durable;

use std::collections::BTreeSet;

use super::t_req_wait_ms;
use crate::config::Config;
use crate::idhash::{IdHash, IdMap};
use crate::record::Touched;
use crate::types::{Dependency, TimeMs};
pub use durable::RequestsRecord;

/// Doublings of the wait between two requests for a message.
const MAX_DOUBLINGS: u32 = 16;

#[derive(Debug)]
struct Request {
    dependency: Dependency,
    /// T_req, or when an entry that is set aside comes back.
    due_ms: TimeMs,
    aside: bool,
    asks: u32,
}

/// The outgoing repair request buffer. It holds no more than is missing, which is bounded.
#[derive(Debug, Default)]
pub struct Requests {
    entries: IdMap<Request>,
    /// The buffer proper, in ascending T_req.
    buffer: BTreeSet<(TimeMs, IdHash)>,
    /// Those that others asked for, by when they come back.
    aside: BTreeSet<(TimeMs, IdHash)>,
    last_asked_ms: Option<TimeMs>,
    asked_total: u64,
    unsaved: Touched,
}

impl Requests {
    /// Entries that will be asked for, those that others asked for left out.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Requests that went out.
    pub fn asked_total(&self) -> u64 {
        self.asked_total
    }

    /// The buffer in ascending T_req, with how often each was asked for.
    pub fn iter(&self) -> impl Iterator<Item = (&Dependency, TimeMs, u32)> {
        let entry = |due: &(TimeMs, IdHash)| self.entries.get(&due.1);
        self.buffer.iter().filter_map(entry).map(|request| (&request.dependency, request.due_ms, request.asks))
    }

    /// A message is missing: it will be asked for at its T_req. One that has an entry keeps it.
    pub fn add(&mut self, hash: IdHash, dependency: &Dependency, now_ms: TimeMs, config: &Config) {
        if self.entries.contains_key(&hash) {
            return self.learn(hash, dependency);
        }
        let due_ms = t_req_ms(&dependency.message_id, now_ms, config);
        let request = Request { dependency: dependency.clone(), due_ms, aside: false, asks: 0 };
        self.unsaved.touch(hash);
        self.entries.insert(hash, request);
        self.buffer.insert((due_ms, hash));
    }

    /// Somebody else names a missing message: what the first to name it did not say of it is filled in. Members decide by
    /// its sender whether they answer.
    pub fn learn(&mut self, hash: IdHash, named: &Dependency) {
        if let Some(request) = self.entries.get_mut(&hash) {
            request.dependency.fill_in(named);
            self.unsaved.touch(hash);
        }
    }

    /// A message is missing no longer. Returns how often it was asked for.
    pub fn remove(&mut self, hash: IdHash) -> u32 {
        let Some(request) = self.entries.remove(&hash) else { return 0 };
        self.unsaved.touch(hash);
        self.queue(request.aside).remove(&(request.due_ms, hash));
        request.asks
    }

    /// Somebody else asks for a message: we need not, for now. One that is set aside already comes back when it would.
    pub fn set_aside(&mut self, hash: IdHash, now_ms: TimeMs, config: &Config) {
        if self.entries.get(&hash).is_some_and(|request| !request.aside) {
            self.reschedule(hash, now_ms.saturating_add(config.repair_t_max_ms), true);
        }
    }

    /// What is to be asked for now, in ascending T_req, as many as one message takes.
    pub fn eligible(&self, now_ms: TimeMs, config: &Config) -> Vec<IdHash> {
        let due = self.buffer.iter().take_while(|due| due.0 <= now_ms);
        due.take(config.repair_request_size).map(|due| due.1).collect()
    }

    /// The missing message of that hash, as it is named in a request.
    pub fn dependency(&self, hash: IdHash) -> Option<&Dependency> {
        self.entries.get(&hash).map(|request| &request.dependency)
    }

    /// A message is being asked for: it will be again, should nobody answer. Returns how often that makes.
    pub fn asked(&mut self, hash: IdHash, now_ms: TimeMs, config: &Config) -> u32 {
        let Some(request) = self.entries.get_mut(&hash) else { return 0 };
        let wait_ms = config.repair_t_min_ms.saturating_mul(1 << request.asks.min(MAX_DOUBLINGS));
        request.asks = request.asks.saturating_add(1);
        let asks = request.asks;
        self.reschedule(hash, now_ms.saturating_add(wait_ms), false);
        self.last_asked_ms = Some(now_ms);
        self.asked_total = self.asked_total.saturating_add(1);
        asks
    }

    /// When a sync message is due that asks, or an entry comes back. Sync messages that only ask keep their distance.
    pub fn next_due_ms(&self, config: &Config) -> Option<TimeMs> {
        let interval_ms = config.repair_request_interval_ms;
        let earliest_ms = self.last_asked_ms.map_or(0, |last| last.saturating_add(interval_ms));
        let asking = self.buffer.first().map(|due| due.0.max(earliest_ms));
        asking.into_iter().chain(self.aside.first().map(|due| due.0)).min()
    }

    /// Whether a sync message should go out now, only to ask.
    pub fn is_due(&self, now_ms: TimeMs, config: &Config) -> bool {
        self.next_due_ms(config).is_some_and(|due| due <= now_ms)
    }

    /// What was set aside, and is still missing after its time, will be asked for again, each at a new T_req.
    pub fn bring_back(&mut self, now_ms: TimeMs, config: &Config) {
        while let Some(&(_, hash)) = self.aside.first().filter(|due| due.0 <= now_ms) {
            self.aside.pop_first();
            let Some(request) = self.entries.get(&hash) else { continue };
            let due_ms = t_req_ms(&request.dependency.message_id, now_ms, config);
            self.reschedule(hash, due_ms, false);
        }
    }

    fn reschedule(&mut self, hash: IdHash, due_ms: TimeMs, aside: bool) {
        let Some(request) = self.entries.get_mut(&hash) else { return };
        self.unsaved.touch(hash);
        let old_ms = std::mem::replace(&mut request.due_ms, due_ms);
        let was_aside = std::mem::replace(&mut request.aside, aside);
        self.queue(was_aside).remove(&(old_ms, hash));
        self.queue(aside).insert((due_ms, hash));
    }

    fn queue(&mut self, aside: bool) -> &mut BTreeSet<(TimeMs, IdHash)> {
        if aside { &mut self.aside } else { &mut self.buffer }
    }
}

fn t_req_ms(message_id: &str, now_ms: TimeMs, config: &Config) -> TimeMs {
    let (t_min_ms, t_max_ms) = (config.repair_t_min_ms, config.repair_t_max_ms);
    now_ms.saturating_add(t_req_wait_ms(&config.participant_id, message_id, t_min_ms, t_max_ms))
}
