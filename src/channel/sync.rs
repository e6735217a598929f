//! When a channel sends a sync message.
//!
//! Two timers. The *periodic* one doubles from `sync_interval_ms` to `sync_interval_max_ms` while nothing is new. The
//! *confirming* one is short, and runs while there is a message that nobody was heard to confirm, so that its sender
//! knows before it sends again. Both draw from a distribution whose least value over N members hardly moves with N, so
//! that traffic does not grow with the group; whoever fires first spares the others.

mod durable;

use std::collections::VecDeque;

use crate::bloom::ItemHash;
use crate::config::{Config, MAX_OWN_SYNC, MAX_UNCONFIRMED};
use crate::idhash::IdHash;
use crate::types::TimeMs;
pub(super) use durable::SyncRecord;

/// The group size for which the spread of the timers is made: the natural logarithm of 100,000.
const LN_GROUP: f64 = 11.512_925_464_970_229;

/// A received message that nobody but its sender was heard to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unconfirmed {
    pub hash: IdHash,
    pub item: ItemHash,
    /// Its sender, who does not confirm it by naming it.
    pub sender: IdHash,
}

/// The sync timers of a channel. Without any, nothing here does anything.
#[derive(Debug)]
pub(super) struct Sync {
    enabled: bool,
    interval_ms: u64,
    periodic_ms: Option<TimeMs>,
    confirm_ms: Option<TimeMs>,
    unconfirmed: Vec<Unconfirmed>,
    /// The greatest timestamp of a message that made ours wait: only a fresher one does so again, not a replay.
    suppressed_by_ms: u64,
    /// Our latest sync messages. A network may bring them back, and what we said confirms nothing.
    own: VecDeque<IdHash>,
    /// Messages that were not remembered as unconfirmed because too many were.
    pub confirmations_dropped: u64,
}

impl Sync {
    pub fn new(enabled: bool, config: &Config) -> Self {
        let interval_ms = config.sync_interval_ms;
        Self {
            enabled,
            interval_ms,
            periodic_ms: None,
            confirm_ms: None,
            unconfirmed: Vec::new(),
            suppressed_by_ms: 0,
            own: VecDeque::new(),
            confirmations_dropped: 0,
        }
    }

    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// A sync message of that id goes out.
    pub fn add_own(&mut self, hash: IdHash) {
        if self.own.len() >= MAX_OWN_SYNC {
            self.own.pop_front();
        }
        self.own.push_back(hash);
    }

    /// Whether a sync message is one of our latest.
    pub fn is_own(&self, hash: IdHash) -> bool {
        self.own.contains(&hash)
    }

    /// When the next sync message is due.
    pub fn next_due_ms(&self) -> Option<TimeMs> {
        [self.periodic_ms, self.confirm_ms].into_iter().flatten().min()
    }

    pub fn is_due(&self, now_ms: TimeMs) -> bool {
        self.next_due_ms().is_some_and(|due| due <= now_ms)
    }

    /// There is something new in the channel: the periodic timer runs at its least interval again.
    pub fn news(&mut self, now_ms: TimeMs, config: &Config, rng: &mut fastrand::Rng) {
        if !self.enabled {
            return;
        }
        self.interval_ms = config.sync_interval_ms;
        let due_ms = now_ms.saturating_add(self.wait_ms(rng));
        self.periodic_ms = Some(self.periodic_ms.map_or(due_ms, |old| old.min(due_ms)));
    }

    /// A message came in that we can confirm, and should unless somebody else does.
    pub fn add_unconfirmed(&mut self, message: Unconfirmed, now_ms: TimeMs, config: &Config, rng: &mut fastrand::Rng) {
        let known = self.unconfirmed.iter().any(|other| other.hash == message.hash);
        if !self.enabled || known {
            return;
        }
        if self.unconfirmed.len() >= MAX_UNCONFIRMED {
            self.confirmations_dropped = self.confirmations_dropped.saturating_add(1);
            return;
        }
        self.unconfirmed.push(message);
        if self.confirm_ms.is_none() {
            self.confirm_ms = Some(now_ms.saturating_add(confirm_wait_ms(config, rng)));
        }
    }

    /// Somebody was heard: what they confirmed needs no confirmation of ours.
    pub fn retain_unconfirmed(&mut self, unconfirmed: impl FnMut(&Unconfirmed) -> bool) {
        self.unconfirmed.retain(unconfirmed);
        if self.unconfirmed.is_empty() {
            self.confirm_ms = None;
        }
    }

    /// Somebody's fresh message says all that ours would: ours can wait a whole interval.
    pub fn suppress(&mut self, lamport_ms: u64, now_ms: TimeMs, rng: &mut fastrand::Rng) {
        if lamport_ms > self.suppressed_by_ms {
            self.suppressed_by_ms = lamport_ms;
            self.restart(now_ms, rng);
        }
    }

    /// What made ours wait was stamped too far ahead: fresher ones count from this time on.
    pub fn believe_until(&mut self, now_ms: TimeMs) {
        self.suppressed_by_ms = self.suppressed_by_ms.min(now_ms);
    }

    /// A message of ours went out, a sync message or another: it confirms all there is.
    pub fn sent(&mut self, now_ms: TimeMs, rng: &mut fastrand::Rng) {
        self.unconfirmed.clear();
        self.confirm_ms = None;
        self.restart(now_ms, rng);
    }

    /// A sync message is about to go out. If it is the periodic one, nothing was new for a while, and the next is
    /// further off.
    pub fn fire(&mut self, now_ms: TimeMs, config: &Config, rng: &mut fastrand::Rng) {
        if self.periodic_ms.is_some_and(|due| due <= now_ms) {
            self.interval_ms = self.interval_ms.saturating_mul(2).min(config.sync_interval_max_ms);
        }
        self.sent(now_ms, rng);
    }

    /// Between one interval and two.
    fn wait_ms(&self, rng: &mut fastrand::Rng) -> u64 {
        self.interval_ms.saturating_add(spread_ms(self.interval_ms, rng))
    }

    fn restart(&mut self, now_ms: TimeMs, rng: &mut fastrand::Rng) {
        if self.enabled {
            self.periodic_ms = Some(now_ms.saturating_add(self.wait_ms(rng)));
        }
    }
}

/// How long to wait for somebody else to confirm a message. In a group as large as expected, about one member waits no more
/// than half of `sync_confirm_ms`, and each time that five eighths of it have passed, ten times as many would have fired:
/// whoever heard the first does not, and whoever did not, mostly hears another message before its own time. Should the group
/// be larger than expected, those that are too many fire in the second quarter.
fn confirm_wait_ms(config: &Config, rng: &mut fastrand::Rng) -> u64 {
    let ln_place = ln_draw(config.num_participants as f64, rng);
    let quarters = if ln_place >= 0.0 {
        2.0 + 2.5 * ln_place / std::f64::consts::LN_10
    } else {
        1.0 + (1.0 + ln_place / LN_GROUP).max(0.0)
    };
    part_ms(config.sync_confirm_ms, quarters / 4.0)
}

/// A random part of `range_ms`. With ln u spread over a group of 100,000, the least of N draws is about
/// range * (1 - ln N / ln 100,000), and the second a good deal greater, whatever N is.
fn spread_ms(range_ms: u64, rng: &mut fastrand::Rng) -> u64 {
    part_ms(range_ms, (1.0 + ln_draw(1.0, rng) / LN_GROUP).max(0.0))
}

/// The logarithm of a number drawn from 0 to `most`.
fn ln_draw(most: f64, rng: &mut fastrand::Rng) -> f64 {
    // 1 - [0, 1) lies in (0, 1], where the logarithm is finite.
    (most * (1.0 - rng.f64())).ln()
}

fn part_ms(range_ms: u64, part: f64) -> u64 {
    (range_ms as f64 * part) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When members confirm a message that all of them have, the first first, in milliseconds.
    fn confirmations(members: u64, expected: u64, rng: &mut fastrand::Rng) -> Vec<u64> {
        let config = Config { num_participants: expected, ..Config::default() };
        let mut all: Vec<_> = (0..members).map(|_| confirm_wait_ms(&config, rng)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn few_confirm_before_they_can_have_heard_the_first_whatever_the_size_of_the_group() {
        const DELAY_MS: u64 = 150;
        let mut rng = fastrand::Rng::with_seed(7);
        let mut mean = |members: u64, expected: u64| {
            let rounds = 400_000 / members.max(100);
            let round = |rng: &mut fastrand::Rng| {
                let all = confirmations(members, expected, rng);
                let first = *all.first().expect("members");
                assert!(first >= 500, "a quarter of two seconds");
                (first, all.iter().filter(|ms| **ms <= first + DELAY_MS).count() as u64)
            };
            let (first, count) = (0..rounds).map(|_| round(&mut rng)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            (first / rounds, count as f64 / rounds as f64)
        };
        for members in [2, 10, 100, 1_000, 10_000] {
            let (first_ms, count) = mean(members, members);
            assert!((800..=1_500).contains(&first_ms) && count < 2.0, "{members}: {first_ms} ms, {count}");
        }
        // The default, in a group of two, and in one that is a hundred times as large as that.
        let (first_ms, _) = mean(2, 100);
        assert!((2_000..=3_500).contains(&first_ms), "{first_ms}");
        let (_, count) = mean(10_000, 100);
        assert!(count < 40.0, "{count}");
    }

    #[test]
    fn the_first_of_many_fires_hardly_earlier_than_the_first_of_few() {
        let mut rng = fastrand::Rng::with_seed(7);
        // The mean of the least of `members` draws, over many rounds.
        let mut first_of = |members: u64| {
            let rounds = 200_000 / members;
            let first = (0..rounds).map(|_| (0..members).map(|_| spread_ms(30_000, &mut rng)).min().unwrap_or(0));
            first.sum::<u64>() / rounds
        };
        let first: Vec<_> = [1, 10, 100, 1_000, 10_000].into_iter().map(&mut first_of).collect();
        // A uniform wait would give 15,000, 2,700, 300, 30 and 3.
        for (first, least) in first.iter().zip([27_000, 22_000, 16_000, 10_000, 4_000]) {
            assert!((least..least + 3_500).contains(first), "{first:?}");
        }
    }
}
