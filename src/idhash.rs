//! Keyed hashes of message ids: how the engine looks ids up, and remembers those whose text it dropped.
//!
//! Keyed by the seed, so that a stranger cannot make ids that collide, and a run with the same seed repeats itself.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;
use siphasher::sip128::{Hasher128, SipHasher13};

/// A 16-byte hash of an id under a manager's key. Equal hashes mean equal ids, for all that can ever happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdHash(u128);

impl IdHash {
    /// Enough of it to place it in a table.
    pub fn short(self) -> u64 {
        self.0 as u64
    }
}

/// Makes [`IdHash`]es.
#[derive(Clone, Copy, Debug)]
pub struct IdHasher {
    key: [u64; 2],
}

impl IdHasher {
    /// A hasher under this key.
    pub fn new(key: [u64; 2]) -> Self {
        Self { key }
    }

    /// The hash of an id.
    pub fn hash(&self, id: &str) -> IdHash {
        let mut hasher = SipHasher13::new_with_keys(self.key[0], self.key[1]);
        hasher.write(id.as_bytes());
        IdHash(hasher.finish128().as_u128())
    }
}

/// A map by id. What it is keyed by is a hash already, so that it need not hash again.
pub type IdMap<V> = HashMap<IdHash, V, BuildHasherDefault<TakeShort>>;

/// The hasher of an [`IdMap`]: takes what it is given.
#[derive(Default)]
pub struct TakeShort(u64);

impl Hasher for TakeShort {
    fn write(&mut self, bytes: &[u8]) {
        // `u128` arrives as sixteen bytes where `write_u128` is not used.
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
