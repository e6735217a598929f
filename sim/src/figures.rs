//! The figures that the protocol was made for, and beside each its bound: what somebody could have known who sees through
//! everything, by the same packets at the same time.
//!
//! S is the longest gap between two messages in the group. Messages at the beginning and at the end of a run are not
//! counted: the group has yet to get going, or nobody speaks after them.
//!
//! | | of | share that |
//! |---|---|---|
//! | P1 | messages | whose sender is 99.9 % sure within S that somebody has it; bound: something reached it by then that was made by somebody who had it |
//! | P2 | pairs of a message and a participant whom its first broadcast did not reach | that know of it, or have it, within 3 S; bound: something reached the participant by then that was made by somebody who had it, or that asks for it |
//! | P2, log | the same | of which something reached the participant within 3 S that was made by somebody who had it in its log: what waits there for something else is not, and is named by nobody |
//! | P3 | pairs of a message and a participant | that have it within 6 S; bound: as in P2, plus the time of a fetch where there is a store, and otherwise that it came |
//! | R1 | messages missed, when the first packet comes by whose maker had them | that its receiver knows of by that packet |
//! | R2 | messages missed, when any packet comes by whose maker had them | that its receiver knows of after it |

use serde::Serialize;

use crate::scenario::SECOND;

/// S, in milliseconds.
pub const S_MS: u64 = 5 * SECOND;

/// Kinds of packets, by why they are broadcast.
pub const KINDS: [&str; 6] = ["message", "resend", "sync", "request", "answer", "publish"];

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub part: u64,
    pub all: u64,
}

impl Share {
    pub fn add(&mut self, part: bool) {
        self.all += 1;
        self.part += u64::from(part);
    }

    /// `None` of nothing.
    pub fn value(&self) -> Option<f64> {
        (self.all > 0).then(|| self.part as f64 / self.all as f64)
    }
}

/// How long things took, in steps of a quarter of a second up to a minute.
#[derive(Clone, Debug, Serialize)]
pub struct Times {
    pub step_ms: u64,
    pub counts: Vec<u64>,
    /// Those that took longer.
    pub longer: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self { step_ms: 250, counts: vec![0; 240], longer: 0 }
    }
}

impl Times {
    pub fn add(&mut self, ms: u64) {
        match self.counts.get_mut((ms / self.step_ms) as usize) {
            Some(count) => *count += 1,
            None => self.longer += 1,
        }
    }

    /// The time within which that share of `all` came; `None`: it did not within a minute.
    pub fn within(&self, share: f64, all: u64) -> Option<u64> {
        let wanted = (share * all as f64).ceil() as u64;
        let mut sum = 0;
        for (step, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= wanted && wanted > 0 {
                return Some((step as u64 + 1) * self.step_ms);
            }
        }
        None
    }
}

/// What is counted of a run.
#[derive(Debug, Default)]
pub struct Figures {
    /// The numbers of the first message that counts and of the first that does not any more.
    pub measured: (u32, u32),
    pub participants: u32,
    pub messages: u64,
    /// Pairs that the first broadcast did not reach.
    pub missed: u64,
    pub p1: u64,
    pub p1_bound: u64,
    pub p2: u64,
    pub p2_bound: u64,
    pub p2_log: u64,
    pub p3: u64,
    pub p3_bound: u64,
    /// Participants with everything so far, of all, whenever 6 S have passed since a message.
    pub p3_everything: Share,
    pub r1: Share,
    pub r2: Share,
    /// From saying to being sure, to knowing of a message that was missed, and to having one.
    pub sure: Times,
    pub sure_bound: Times,
    pub detected: Times,
    pub detected_bound: Times,
    pub had: Times,
    /// Messages of which a sender was sure, or was told, without anybody having earned it.
    pub wrongly_sure: u64,
    /// Packets and bytes by kind.
    pub packets: [u64; 6],
    pub bytes: [u64; 6],
    /// Packets by kind, in every ten seconds.
    pub traffic: Vec<[u32; 6]>,
    /// Requests for a message: how often one was asked for.
    pub requests: u64,
    pub fetches: u64,
    pub deliveries: u64,
    /// Of messages with content, for the first time.
    pub received: u64,
    /// When traffic is counted from, and until when.
    pub from_ms: u64,
    pub until_ms: u64,
}

impl Figures {
    pub fn counts(&self, message: u32) -> bool {
        (self.measured.0..self.measured.1).contains(&message)
    }

    /// Whether traffic counts at a time, in milliseconds from the start.
    fn traffic_counts(&self, at_ms: u64) -> bool {
        (self.from_ms..self.until_ms).contains(&at_ms)
    }

    pub fn broadcast(&mut self, kind: usize, bytes: usize, at_ms: u64) {
        let slot = (at_ms / (10 * SECOND)) as usize;
        if slot >= self.traffic.len() {
            self.traffic.resize(slot + 1, [0; 6]);
        }
        self.traffic[slot][kind] += 1;
        if self.traffic_counts(at_ms) {
            self.packets[kind] += 1;
            self.bytes[kind] += bytes as u64;
        }
    }

    pub fn requested(&mut self, at_ms: u64) {
        self.requests += u64::from(self.traffic_counts(at_ms));
    }

    pub fn said(&mut self, message: u32) {
        self.messages += u64::from(self.counts(message));
    }

    pub fn missed(&mut self, message: u32) {
        self.missed += u64::from(self.counts(message));
    }

    pub fn sure(&mut self, message: u32, after_ms: u64, earned: bool) {
        if self.counts(message) {
            self.p1 += u64::from(earned && after_ms <= S_MS);
            self.wrongly_sure += u64::from(!earned);
            self.sure.add(after_ms);
        }
    }

    pub fn earned(&mut self, message: u32, after_ms: u64) {
        if self.counts(message) {
            self.p1_bound += u64::from(after_ms <= S_MS);
            self.sure_bound.add(after_ms);
        }
    }

    /// A participant knows of a message that it missed.
    pub fn detected(&mut self, message: u32, after_ms: u64) {
        if self.counts(message) {
            self.p2 += u64::from(after_ms <= 3 * S_MS);
            self.detected.add(after_ms);
        }
    }

    /// It could.
    pub fn detectable(&mut self, message: u32, after_ms: u64) {
        if self.counts(message) {
            self.p2_bound += u64::from(after_ms <= 3 * S_MS);
            self.detected_bound.add(after_ms);
        }
    }

    /// It could if packets told all that is in their makers' logs: what waits for something is in none.
    pub fn detectable_by_log(&mut self, message: u32, after_ms: u64) {
        self.p2_log += u64::from(self.counts(message) && after_ms <= 3 * S_MS);
    }

    pub fn got(&mut self, message: u32, after_ms: u64) {
        self.received += 1;
        if self.counts(message) {
            self.p3 += u64::from(after_ms <= 6 * S_MS);
            self.had.add(after_ms);
        }
    }

    pub fn gettable(&mut self, message: u32, after_ms: u64) {
        self.p3_bound += u64::from(self.counts(message) && after_ms <= 6 * S_MS);
    }

    /// Pairs of a message that counts and somebody else than its sender.
    pub fn pairs(&self) -> u64 {
        self.messages * u64::from(self.participants.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_share() {
        let mut times = Times::default();
        (0..100).for_each(|number| times.add(number * 100));
        times.add(70_000);
        assert_eq!(
            (times.within(0.5, 101), times.within(0.99, 101), times.within(1.0, 101)),
            (Some(5_250), Some(10_000), None)
        );
        assert_eq!((times.counts.iter().sum::<u64>(), times.longer), (100, 1));
    }

    #[test]
    fn only_what_is_in_time_and_in_the_middle_counts() {
        let mut figures =
            Figures { measured: (1, 3), participants: 3, from_ms: 10, until_ms: 20, ..Figures::default() };
        (0..4).for_each(|message| figures.said(message));
        for (message, after_ms) in [(0, 1), (1, S_MS), (2, S_MS + 1), (3, 1)] {
            figures.sure(message, after_ms, true);
            figures.earned(message, after_ms);
            figures.detected(message, 3 * after_ms);
            figures.detectable(message, 3 * after_ms);
            figures.detectable_by_log(message, 3 * after_ms);
            figures.got(message, 6 * after_ms);
            figures.gettable(message, 6 * after_ms);
        }
        assert_eq!(
            [figures.p1, figures.p1_bound, figures.p2, figures.p2_bound, figures.p2_log, figures.p3, figures.p3_bound],
            [1; 7]
        );
        figures.sure(1, 1, false);
        assert_eq!((figures.p1, figures.wrongly_sure, figures.pairs()), (1, 1, 4));
        [9, 10, 19, 20].into_iter().for_each(|at_ms| figures.broadcast(2, 100, at_ms));
        assert_eq!((figures.packets[2], figures.bytes[2], figures.traffic[0][2]), (2, 200, 4));
    }
}
