//! Filters of message ids: our own that rolls over, and those received, read in place.
//!
//! RFC: Participant state: bloom filter
//!
//! A filter is kept, sent and read as the bytes of its wire form, so that sending one is a copy and reading one costs
//! nothing. Both profiles hold the same 64-bit words; they differ in byte order, hash, and in what stands around them:
//!
//! * **rfc**: the words alone, big-endian. No parameters: a reader assumes [`RFC_PARAMS`], so no other size can be read.
//! * **libsds**: a protobuf message of little-endian words and all parameters, so that any size can be read, and hostile
//!   parameters have to be refused ([`FilterView::parse`]).
//!
//! [`ItemHash`] is the pair of hashes that places an id in any filter of one kind. [`Filter`] is one filter that is
//! being filled; [`RollingFilter`] is what a channel has: it forgets by age and count.

// Bytes of strangers come here: nothing overflows and no index is out of bounds, or it says why it cannot.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod farm;
mod filter;
mod hash;
mod murmur;
mod rolling;
mod view;

pub use filter::Filter;
pub use hash::{HashKind, ItemHash, Probes};
pub use rolling::RollingFilter;
pub use view::FilterView;

/// How large a filter is, and how many bits an id sets in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Ids that it holds at its error rate.
    pub capacity: u64,
    /// The error rate it is sized for, in millionths, rounded down (as the libsds profile states it).
    pub error_millionths: u64,
    /// Bits per id.
    pub bits_per_element: u64,
    /// Bits that an id sets: k.
    pub hashes: u32,
    /// Bits in use: m.
    pub bits: u64,
    /// 64-bit words that hold them. Deployed peers allocate a spare one when `bits` is a multiple of 64.
    pub words: usize,
}

/// The one filter of the rfc profile: 10,000 ids at 0.001, in 18,752 bytes.
pub const RFC_PARAMS: Params =
    Params { capacity: 10_000, error_millionths: 1_000, bits_per_element: 15, hashes: 10, bits: 150_000, words: 2_344 };

impl Params {
    /// The size that both deployed implementations choose for `capacity` ids at `error_rate` (above 0, below 1).
    pub fn sized(capacity: u64, error_rate: f64) -> Self {
        let ln2 = std::f64::consts::LN_2;
        let bits_per_element = (-error_rate.ln() / (ln2 * ln2)).ceil().max(1.0) as u64;
        let bits = capacity.saturating_mul(bits_per_element);
        Self {
            capacity,
            error_millionths: (error_rate * 1e6) as u64,
            bits_per_element,
            hashes: (ln2 * bits_per_element as f64).round().max(1.0) as u32,
            bits,
            words: ((bits / 64) as usize).saturating_add(1),
        }
    }

    /// The same size with a prime number of bits instead, picked by `seed` among those that fill the same words.
    ///
    /// Two filters of equal hash, k and m make the same mistakes, so an id that two members' filters name may still be
    /// in neither. With a number of bits of its own per installation their mistakes are independent. Readers take the
    /// number as it is stated. A prime also makes every probe sequence visit k different bits (but one in m).
    pub fn with_prime_bits(self, seed: u64) -> Self {
        let mut low = (self.words as u64).saturating_sub(1).saturating_mul(64);
        let primes = prime_mask(low);
        let bits = if primes != 0 {
            let nth = hash::mix(seed, low).checked_rem(u64::from(primes.count_ones())).unwrap_or(0);
            low.saturating_add(u64::from(nth_set_bit(primes, nth)))
        } else {
            // It ends at 0 at the latest, from where 2 is a prime.
            loop {
                low = low.saturating_sub(64);
                if let Some(last) = prime_mask(low).checked_ilog2() {
                    break low.saturating_add(u64::from(last));
                }
            }
        };
        Self { bits, ..self }
    }

    /// Bytes of the words.
    pub fn word_bytes(&self) -> usize {
        self.words.saturating_mul(8)
    }
}

/// Which of the 64 numbers from `low` (a multiple of 64) on are prime, as bits: a sieve over that window only.
fn prime_mask(low: u64) -> u64 {
    let high = low.saturating_add(63);
    let mut composite = if low == 0 { 0b11 } else { 0u64 };
    let mut divisor = 2u64;
    let within = |number: &u64| *number <= high;
    while let Some(square) = divisor.checked_mul(divisor).filter(within) {
        let mut multiple = low.checked_next_multiple_of(divisor).map(|first| first.max(square));
        while let Some(composed) = multiple.filter(within) {
            composite |= 1 << composed.saturating_sub(low);
            multiple = composed.checked_add(divisor);
        }
        divisor = divisor.saturating_add(if divisor == 2 { 1 } else { 2 });
    }
    !composite
}

/// The position of the set bit number `n`, counted from 0 at the lowest.
fn nth_set_bit(mut mask: u64, n: u64) -> u32 {
    for _ in 0..n {
        mask &= mask.wrapping_sub(1);
    }
    mask.trailing_zeros()
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod tests;
