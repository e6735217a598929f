//! Message ids: derived from their messages, and hashed to be looked up.
//!
//! The engine looks ids up by keyed hashes, and remembers ids by them whose text it dropped. Keyed by the seed, so that a
//! stranger cannot make ids that collide, and a run with the same seed repeats itself.

use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;
use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher13};

/// An id derived from its message: SHA-256 in hex over channel, sender, timestamp and content, each preceded by its
/// length in bytes as a big-endian u64, the timestamp as a big-endian u64 of milliseconds. Equal payloads get two ids.
pub fn derive_message_id(channel_id: &str, sender_id: &str, lamport_timestamp_ms: u64, content: &[u8]) -> String {
    hex_digest(&[channel_id.as_bytes(), sender_id.as_bytes(), &lamport_timestamp_ms.to_be_bytes(), content])
}

/// An id that nobody else makes, where ids need not be derived from their messages: with 16 random bytes as a fifth part.
/// Members without a name, and one whose state was lost, may send equal contents at equal timestamps.
pub fn unique_message_id(
    channel_id: &str,
    sender_id: &str,
    lamport_timestamp_ms: u64,
    content: &[u8],
    random: u128,
) -> String {
    let timestamp = lamport_timestamp_ms.to_be_bytes();
    hex_digest(&[channel_id.as_bytes(), sender_id.as_bytes(), &timestamp, content, &random.to_be_bytes()])
}

/// SHA-256 in hex over parts, each preceded by its length in bytes as a big-endian u64.
fn hex_digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// A 16-byte hash of an id under a manager's key. Equal hashes mean equal ids, for all that can ever happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdHash(u128);

impl IdHash {
    /// In sets of pairs, the beginning of those with one first part.
    pub const LEAST: Self = Self(0);

    /// Enough of it to place it in a table.
    pub fn short(self) -> u64 {
        self.0 as u64
    }

    /// It as a number, to be stored.
    pub fn number(self) -> u128 {
        self.0
    }

    /// The hash of that number, which was stored.
    pub fn from_number(number: u128) -> Self {
        Self(number)
    }
}

impl From<IdHash> for u128 {
    fn from(hash: IdHash) -> Self {
        hash.0
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

    /// Its key, to be stored: under another one, stored hashes mean nothing.
    pub fn key(&self) -> [u64; 2] {
        self.key
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
