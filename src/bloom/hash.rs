//! The hashes that place an id in a filter.

use super::{farm, murmur};
use crate::types::Profile;

/// Appended to an id to get its second hash.
const SECOND_SUFFIX: &[u8; 2] = b" b";
/// Ids up to this length are hashed without allocating: the default limit on received ids.
const STACK_ID_BYTES: usize = 256;

/// The string hash under a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// FarmHash `na` Hash64 over the bytes.
    Farm,
    /// MurmurHash3 x86 32 with seed 0. Other than ASCII it is not the hash of the UTF-8: see [`ItemHash::of`].
    Murmur,
}

impl HashKind {
    /// The hash under the filters of a profile.
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Rfc => HashKind::Murmur,
            Profile::Libsds => HashKind::Farm,
        }
    }

    /// The absolute value of the hash of raw bytes, read as a signed number.
    pub fn absolute(self, bytes: &[u8]) -> u64 {
        match self {
            HashKind::Farm => (farm::hash64(bytes) as i64).unsigned_abs(),
            HashKind::Murmur => signed_abs(murmur::hash_bytes(bytes)),
        }
    }
}

/// An id as the filters of one kind see it: the absolute values of its two hashes, read as signed numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ItemHash {
    a: u64,
    b: u64,
}

impl ItemHash {
    /// The hashes of `id`.
    ///
    /// Matches the deployed implementations on every text, with one exception: an id that FarmHash maps to exactly
    /// -2^63, which has no absolute value there. Beyond ASCII, `@waku/sds` hashes the first UTF-16 unit of every code
    /// point, which we follow.
    pub fn of(kind: HashKind, id: &str) -> Self {
        let bytes = id.as_bytes();
        let mut stack = [0; STACK_ID_BYTES + SECOND_SUFFIX.len()];
        let heap;
        let both = match put_both(&mut stack, bytes) {
            Some(both) => both,
            None => {
                heap = [bytes, SECOND_SUFFIX].concat();
                &heap
            }
        };
        match kind {
            HashKind::Murmur if !id.is_ascii() => {
                let units = || id.chars().map(first_utf16_unit);
                let suffix = SECOND_SUFFIX.iter().copied().map(u32::from);
                Self {
                    a: signed_abs(murmur::hash_units(units())),
                    b: signed_abs(murmur::hash_units(units().chain(suffix))),
                }
            }
            _ => Self { a: kind.absolute(bytes), b: kind.absolute(both) },
        }
    }

    /// Made from parts, for experiments on filters with ids that nobody has to spell out.
    pub fn from_parts(a: u64, b: u64) -> Self {
        Self { a, b }
    }

    /// The bits that the id sets, in order, in a filter of `bits` bits (not 0) with `hashes` hashes.
    pub fn probes(&self, bits: u64, hashes: u32) -> Probes {
        Probes { next: below(self.a, bits), step: below(self.b, bits), bits, left: hashes }
    }

    /// The distance between the bits that it sets in a filter of `bits` bits (not 0).
    pub(super) fn step(&self, bits: u64) -> u64 {
        below(self.b, bits)
    }

    /// One keyed hash of the pair, for tables: ids are chosen by strangers, who must not be able to choose its slots.
    pub(super) fn keyed(&self, key: u64) -> u64 {
        mix(mix(self.a, key), self.b)
    }
}

/// An id and the suffix, in memory that may have room for them.
fn put_both<'a>(memory: &'a mut [u8], id: &[u8]) -> Option<&'a [u8]> {
    let both = memory.get_mut(..id.len().saturating_add(SECOND_SUFFIX.len()))?;
    let (head, tail) = both.split_at_mut_checked(id.len())?;
    head.copy_from_slice(id);
    tail.copy_from_slice(SECOND_SUFFIX);
    Some(both)
}

/// The bits of one id in one filter: `(a + n b) mod m`, by addition alone.
#[derive(Clone, Debug)]
pub struct Probes {
    next: u64,
    step: u64,
    bits: u64,
    left: u32,
}

impl Iterator for Probes {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        let current = self.next;
        // Both are below `bits`: one subtraction replaces the division. The comparison sees to it that nothing wraps, in
        // what is the inner loop of every look-up.
        let to_end = self.bits.wrapping_sub(self.step);
        self.next = if current >= to_end { current.wrapping_sub(to_end) } else { current.wrapping_add(self.step) };
        Some(current)
    }
}

/// Mixes two words into one, by a multiplication of 64 by 64 bits folded in half.
///
/// Both constants have their top bit set, which no hash in an [`ItemHash`] has: nobody can make a factor zero.
pub(super) fn mix(x: u64, y: u64) -> u64 {
    // Of two numbers of 64 bits: nothing wraps.
    let product = u128::from(x ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(u128::from(y ^ 0xd1b5_4a32_d192_ed03));
    (product as u64) ^ ((product >> 64) as u64)
}

/// A hash as a number below `bits`; 0 if that is 0.
fn below(hash: u64, bits: u64) -> u64 {
    hash.checked_rem(bits).unwrap_or(0)
}

fn signed_abs(hash: u32) -> u64 {
    u64::from((hash as i32).unsigned_abs())
}

fn first_utf16_unit(c: char) -> u32 {
    c.encode_utf16(&mut [0; 2]).first().map_or(0, |unit| u32::from(*unit))
}
