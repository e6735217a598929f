//! The store node: it has every message that reached it, and hands it out to whoever asks, when it is up.

use crate::bits::Bits;
use crate::chance::{Purpose, mix};
use crate::scenario::StoreNode;

#[derive(Debug)]
pub struct Store {
    node: StoreNode,
    seed: u64,
    pub up: bool,
    has: Bits,
}

impl Store {
    pub fn new(node: StoreNode, seed: u64) -> Self {
        Self { node, seed, up: true, has: Bits::default() }
    }

    /// A message is broadcast. Whether the node misses a broadcast depends on nothing but the message and how often it has
    /// been sent.
    pub fn hears(&mut self, message: u32, packet: u32) {
        let chance = mix(self.seed, Purpose::Store, u64::from(message) << 32 | u64::from(packet)) % 1_000_000;
        if self.up && chance >= u64::from(self.node.lost_ppm) {
            self.has.set(message);
        }
    }

    pub fn has(&self, message: u32) -> bool {
        self.has.get(message)
    }

    /// How long it takes to answer a participant that asks for a message. The same each time, so that what could have
    /// been fetched is known without fetching it.
    pub fn answer_ms(&self, who: u32, message: u32) -> u64 {
        let range = self.node.most_ms.saturating_sub(self.node.least_ms) + 1;
        let which = u64::from(who) << 32 | u64::from(message);
        self.node.least_ms + mix(self.seed, Purpose::Store, which) % range
    }

    pub fn retry_ms(&self) -> u64 {
        self.node.retry_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_misses_what_it_is_told_to_and_all_while_it_is_down() {
        let node = StoreNode { least_ms: 100, most_ms: 300, retry_ms: 1_000, lost_ppm: 250_000 };
        let mut store = Store::new(node, 1);
        (0..10_000).for_each(|message| store.hears(message, message));
        let has = (0..10_000).filter(|message| store.has(*message)).count();
        assert!((7_300..7_700).contains(&has), "{has}");
        store.up = false;
        store.hears(20_000, 0);
        assert!(!store.has(20_000));
        assert!((0..1_000).all(|message| (100..=300).contains(&store.answer_ms(1, message))));
        assert_eq!(store.answer_ms(5, 6), store.answer_ms(5, 6));
    }
}
