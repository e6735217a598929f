//! What others miss and we may answer: the incoming repair request buffer.
//!
//! RFC: SDS-R participant state: incoming repair request buffer
//!
//! Each request is small and an answer is not, so that who asks could make a group flood itself. Requests are therefore
//! limited *when they are taken up*: every member hears the same ones, and stops at about the same one, which bounds the
//! answers of all of them together. What was answered is not answered again within half of T_min: nobody asks again so
//! soon.

mod durable;

use std::collections::{BTreeSet, VecDeque};

use crate::config::Config;
use crate::idhash::{IdHash, IdMap};
use crate::record::Touched;
use crate::types::TimeMs;
pub use durable::{AnswersRecord, AnswersRecords};

const MINUTE_MS: u64 = 60_000;

/// The incoming repair request buffer, bounded in entries, and in entries and bytes per minute.
#[derive(Debug, Default)]
pub struct Answers {
    /// When each is due, T_resp.
    due_of: IdMap<TimeMs>,
    due: BTreeSet<(TimeMs, IdHash)>,
    budget: Budget,
    /// Messages answered just now, oldest first, and until when they are not answered again.
    recent: VecDeque<(TimeMs, IdHash)>,
    recent_until: IdMap<TimeMs>,
    answered_total: u64,
    refused_total: u64,
    /// The number of the oldest of `recent`.
    first_recent: u64,
    unsaved: Touched,
    unsaved_recent: Touched,
}

/// What was taken up within the current minute.
#[derive(Debug, Default)]
struct Budget {
    minute: u64,
    count: usize,
    bytes: usize,
}

impl Answers {
    pub fn len(&self) -> usize {
        self.due_of.len()
    }

    pub fn answered_total(&self) -> u64 {
        self.answered_total
    }

    pub fn refused_total(&self) -> u64 {
        self.refused_total
    }

    /// The buffer in ascending T_resp.
    pub fn iter(&self) -> impl Iterator<Item = (IdHash, TimeMs)> {
        self.due.iter().map(|&(due_ms, hash)| (hash, due_ms))
    }

    pub fn contains(&self, hash: IdHash) -> bool {
        self.due_of.contains_key(&hash)
    }

    /// Takes up a request for a message of `size` bytes, due at `due_ms`, unless there are too many. One that was taken up
    /// before stays as it is.
    pub fn add(&mut self, hash: IdHash, due_ms: TimeMs, size: usize, now_ms: TimeMs, config: &Config) {
        self.forget_recent(now_ms);
        if self.contains(hash) || self.recent_until.contains_key(&hash) {
            return;
        }
        if self.len() >= config.max_repair_answers || !self.budget.take(size, now_ms, config) {
            self.refused_total = self.refused_total.saturating_add(1);
            return;
        }
        self.unsaved.touch(hash);
        self.due_of.insert(hash, due_ms);
        self.due.insert((due_ms, hash));
    }

    /// A request for a message that another response group answers for: theirs count among the answers of the whole group.
    pub fn leave_to_others(&mut self, now_ms: TimeMs, config: &Config) {
        self.budget.take(0, now_ms, config);
    }

    /// Somebody broadcast the message: nobody needs our answer.
    pub fn cancel(&mut self, hash: IdHash) {
        if let Some(due_ms) = self.due_of.remove(&hash) {
            self.due.remove(&(due_ms, hash));
            self.unsaved.touch(hash);
        }
    }

    pub fn next_due_ms(&self) -> Option<TimeMs> {
        self.due.first().map(|due| due.0)
    }

    /// Takes the next answer whose time has come. One that is overdue by T_max is dropped: we were offline or asleep, and
    /// others have answered long ago.
    pub fn take_due(&mut self, now_ms: TimeMs, config: &Config) -> Option<IdHash> {
        while let Some((due_ms, hash)) = self.due.first().copied().filter(|due| due.0 <= now_ms) {
            self.cancel(hash);
            if due_ms.saturating_add(config.repair_t_max_ms) > now_ms {
                return Some(hash);
            }
        }
        None
    }

    /// An answer goes out.
    pub fn answered(&mut self, hash: IdHash, now_ms: TimeMs, config: &Config) {
        self.answered_total = self.answered_total.saturating_add(1);
        let until_ms = now_ms.saturating_add(config.repair_t_min_ms / 2);
        self.recent_until.insert(hash, until_ms);
        self.unsaved_recent.add_entry(self.first_recent.wrapping_add(self.recent.len() as u64));
        self.recent.push_back((until_ms, hash));
        // Hardly any but messages in the log are answered: more than it holds need not be remembered.
        if self.recent.len() > config.log_messages {
            self.forget_oldest_recent();
        }
    }

    fn forget_recent(&mut self, now_ms: TimeMs) {
        while self.recent.front().is_some_and(|recent| recent.0 <= now_ms) {
            self.forget_oldest_recent();
        }
    }

    fn forget_oldest_recent(&mut self) {
        if let Some((_, hash)) = self.recent.pop_front() {
            self.recent_until.remove(&hash);
            self.unsaved_recent.drop_entry(self.first_recent);
            self.first_recent = self.first_recent.wrapping_add(1);
        }
    }
}

impl Budget {
    fn take(&mut self, size: usize, now_ms: TimeMs, config: &Config) -> bool {
        let minute = now_ms / MINUTE_MS;
        if self.minute != minute {
            *self = Self { minute, ..Self::default() };
        }
        let (count, bytes) = (self.count.saturating_add(1), self.bytes.saturating_add(size));
        let within = count <= config.repair_answers_per_minute && bytes <= config.repair_bytes_per_minute;
        if within {
            (self.count, self.bytes) = (count, bytes);
        }
        within
    }
}
