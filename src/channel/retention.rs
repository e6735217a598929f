//! How much of a channel's log stays on disk.

use std::collections::VecDeque;

use crate::types::TimeMs;

/// Parts of an age by which the age of stored messages is told. There are about two marks for each.
const PARTS: u64 = 16;

/// Which part of the log is on disk.
#[derive(Debug, Default)]
pub(super) struct Retention {
    /// The number of the first message that is.
    pub first: u64,
    /// Numbers, and when the last of the messages before each came, the oldest first. One of them may be too old already:
    /// not all before it could be deleted at once, or memory still had them.
    marks: VecDeque<(u64, TimeMs)>,
}

impl Retention {
    /// The number up to which messages are older than `age_ms`, or up to a sixteenth older. 0: none is. `next`: the number
    /// that the next message will have.
    pub fn too_old(&mut self, next: u64, now_ms: TimeMs, age_ms: u64) -> u64 {
        if age_ms == 0 {
            return 0;
        }
        self.note(next, now_ms, age_ms / PARTS);
        let is_old = |mark: &(u64, TimeMs)| mark.1.saturating_add(age_ms) <= now_ms;
        while self.marks.get(1).is_some_and(is_old) {
            self.marks.pop_front();
        }
        self.marks.front().filter(|mark| is_old(mark)).map_or(0, |mark| mark.0)
    }

    /// What came since the last mark gets one, or moves that along where both are within `part_ms`.
    fn note(&mut self, next: u64, now_ms: TimeMs, part_ms: u64) {
        if self.marks.back().is_some_and(|last| last.0 >= next) {
            return;
        }
        // All before the last mark came after the one before that.
        let before = self.marks.len().checked_sub(2).and_then(|place| self.marks.get(place));
        if before.is_some_and(|before| before.1.saturating_add(part_ms) > now_ms) {
            self.marks.pop_back();
        }
        self.marks.push_back((next, now_ms));
    }

    /// The marks, to be stored: numbers and times in turn.
    pub fn marks(&self) -> Vec<u64> {
        self.marks.iter().flat_map(|(number, ms)| [*number, *ms]).collect()
    }

    /// What was stored.
    pub fn restore(first: u64, marks: &[u64]) -> Self {
        let (marks, _) = marks.as_chunks::<2>();
        Self { first, marks: marks.iter().map(|[number, ms]| (*number, *ms)).collect() }
    }
}
