//! How much of a channel's log stays on disk.

use std::collections::VecDeque;

use crate::types::TimeMs;

/// Marks by which the age of stored messages is told: an age is cut in this many parts.
const MARKS: u64 = 32;

/// Which part of the log is on disk.
#[derive(Debug, Default)]
pub(super) struct Retention {
    /// The number of the first message that is.
    pub first: u64,
    /// When the messages from a number on came, the oldest first.
    marks: VecDeque<(u64, TimeMs)>,
}

impl Retention {
    /// The number up to which messages are older than `age_ms`, about. 0: none is.
    pub fn too_old(&mut self, next: u64, now_ms: TimeMs, age_ms: u64) -> u64 {
        if age_ms == 0 {
            return 0;
        }
        let part_ms = age_ms / MARKS;
        if self.marks.back().is_none_or(|mark| mark.0 < next && mark.1.saturating_add(part_ms) <= now_ms) {
            self.marks.push_back((next, now_ms));
        }
        // What came before a mark is at least as old as the mark is.
        let mut before = 0;
        while let Some((number, _)) = self.marks.front().filter(|mark| mark.1.saturating_add(age_ms) <= now_ms) {
            before = *number;
            self.marks.pop_front();
        }
        before
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
