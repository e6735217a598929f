//! What happens when: events by the millisecond, and those of one millisecond in the order they were put in.
//!
//! A ring of slots, one per millisecond, holds what is near; a tree holds the rest. Millions of arrivals pass through, at
//! a few nanoseconds each.

use std::collections::BTreeMap;

const SLOTS: u64 = 1 << 16;

/// A queue of events.
#[derive(Debug)]
pub struct Wheel<T> {
    now_ms: u64,
    /// By the last bits of their time: what happens within `SLOTS` milliseconds.
    near: Vec<Vec<T>>,
    /// Which slots hold anything, as bits.
    full: Vec<u64>,
    far: BTreeMap<u64, Vec<T>>,
    /// How much of the slot of now was taken already.
    taken: usize,
}

impl<T: Copy> Wheel<T> {
    pub fn new(now_ms: u64) -> Self {
        let near = (0..SLOTS).map(|_| Vec::new()).collect();
        Self { now_ms, near, full: vec![0; (SLOTS / 64) as usize], far: BTreeMap::new(), taken: 0 }
    }

    /// Adds an event. What should have happened before now happens now.
    pub fn push(&mut self, at_ms: u64, event: T) {
        let at_ms = at_ms.max(self.now_ms);
        if at_ms - self.now_ms >= SLOTS {
            self.far.entry(at_ms).or_default().push(event);
        } else {
            self.put(at_ms, event);
        }
    }

    fn put(&mut self, at_ms: u64, event: T) {
        let slot = at_ms % SLOTS;
        self.near[slot as usize].push(event);
        self.full[(slot / 64) as usize] |= 1 << (slot % 64);
    }

    /// Takes the next event that happens at `until_ms` at the latest. Time moves on to it, or to `until_ms`.
    pub fn next(&mut self, until_ms: u64) -> Option<(u64, T)> {
        loop {
            let slot = &mut self.near[(self.now_ms % SLOTS) as usize];
            if let Some(event) = slot.get(self.taken).copied() {
                self.taken += 1;
                return Some((self.now_ms, event));
            }
            slot.clear();
            // A slot that was large once need not stay so.
            slot.shrink_to(64);
            let here = self.now_ms % SLOTS;
            self.full[(here / 64) as usize] &= !(1 << (here % 64));
            self.taken = 0;
            match self.next_ms().filter(|next_ms| *next_ms <= until_ms) {
                Some(next_ms) => self.go_to(next_ms),
                None => {
                    self.go_to(until_ms.max(self.now_ms));
                    return None;
                }
            }
        }
    }

    fn next_ms(&self) -> Option<u64> {
        let near = self.next_near_ms();
        near.or_else(|| self.far.keys().next().copied())
    }

    fn next_near_ms(&self) -> Option<u64> {
        let start = self.now_ms % SLOTS;
        let words = SLOTS / 64;
        // The word of now comes twice: its bits from now on first, and those before it last.
        for step in 0..=words {
            let word = (start / 64 + step) % words;
            let mut bits = self.full[word as usize];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == words {
                bits &= !(u64::MAX << (start % 64));
            }
            if bits != 0 {
                let slot = word * 64 + u64::from(bits.trailing_zeros());
                return Some(self.now_ms + (slot + SLOTS - start) % SLOTS);
            }
        }
        None
    }

    /// Moves time on, and what has come near with it: before anything can be put there after it.
    fn go_to(&mut self, ms: u64) {
        self.now_ms = ms;
        while let Some(entry) = self.far.first_entry().filter(|entry| entry.key() - ms < SLOTS) {
            let (at_ms, events) = entry.remove_entry();
            events.into_iter().for_each(|event| self.put(at_ms, event));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};

    #[test]
    fn events_come_by_time_and_then_in_the_order_they_were_put_in() {
        let mut chance = Chance::new(1, Purpose::Flight, 0);
        let mut wheel = Wheel::new(1_000);
        let mut expected = BTreeMap::new();
        let mut number = 0u32;
        let mut came = Vec::new();
        let mut now_ms = 1_000;
        for _ in 0..2_000 {
            for _ in 0..chance.below(4) {
                let range = chance.pick(&[1, 50, 3_000, SLOTS - 1, SLOTS, SLOTS + 1, 5 * SLOTS]);
                let at_ms = now_ms + chance.below(range);
                wheel.push(at_ms, number);
                expected.insert((at_ms, number), ());
                number += 1;
            }
            if let Some((at_ms, event)) = wheel.next(u64::MAX) {
                assert!(at_ms >= now_ms);
                now_ms = at_ms;
                came.push((at_ms, event));
            }
        }
        came.extend(std::iter::from_fn(|| wheel.next(u64::MAX)));
        assert_eq!(came, expected.into_keys().collect::<Vec<_>>());
    }

    #[test]
    fn nothing_comes_before_its_time() {
        let mut wheel = Wheel::new(0);
        wheel.push(10, 'a');
        wheel.push(SLOTS * 3, 'b');
        assert_eq!(wheel.next(9), None);
        wheel.push(3, 'c');
        assert_eq!(wheel.next(9), Some((9, 'c')), "what is late happens now");
        assert_eq!(wheel.next(10), Some((10, 'a')));
        assert_eq!(wheel.next(SLOTS), None);
        assert_eq!(wheel.next(SLOTS * 4), Some((SLOTS * 3, 'b')));
    }
}
