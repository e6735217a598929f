//! A received filter, read in place.

use prost::encoding::{WireType, decode_key, decode_varint};

use super::filter::{byte_swap, field, is_set};
use super::{HashKind, ItemHash, RFC_PARAMS};
use crate::config::MAX_FILTER_HASHES;
use crate::error::FilterError;
use crate::types::Profile;

/// A filter in somebody's message. Parsing checks everything that probing relies on.
#[derive(Clone, Copy, Debug)]
pub struct FilterView<'a> {
    profile: Profile,
    /// Whole words only.
    words: &'a [u8],
    bits: u64,
    hashes: u32,
    capacity: u64,
    wire_len: usize,
}

impl<'a> FilterView<'a> {
    /// Reads the value of a message's filter field. `Ok(None)`: an empty value, that is, no filter.
    ///
    /// Refuses, before anything is computed from them: more than `max_filter_bytes` bytes; a number of hashes outside
    /// 1..=64; no bits, or more than the words hold; in the rfc profile, any other size than the one it knows. What a
    /// filter says of its capacity and error rate is not used, whatever it is.
    pub fn parse(profile: Profile, bytes: &'a [u8], max_filter_bytes: usize) -> Result<Option<Self>, FilterError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() > max_filter_bytes {
            return Err(FilterError::TooLarge(bytes.len()));
        }
        match profile {
            Profile::Rfc => Self::parse_rfc(bytes),
            Profile::Libsds => Self::parse_libsds(bytes),
        }
        .map(Some)
    }

    fn parse_rfc(bytes: &'a [u8]) -> Result<Self, FilterError> {
        if bytes.len() != RFC_PARAMS.word_bytes() {
            return Err(FilterError::BitCount { bits: RFC_PARAMS.bits, bytes: bytes.len() });
        }
        Ok(Self {
            profile: Profile::Rfc,
            words: bytes,
            bits: RFC_PARAMS.bits,
            hashes: RFC_PARAMS.hashes,
            capacity: RFC_PARAMS.capacity,
            wire_len: bytes.len(),
        })
    }

    fn parse_libsds(bytes: &'a [u8]) -> Result<Self, FilterError> {
        let fields = Fields::read(bytes)?;
        let words = fields.words.ok_or(FilterError::Malformed)?;
        // nim-sds reads whole words and ignores the rest.
        let words = words.as_chunks::<8>().0.as_flattened();
        let hashes = match u32::try_from(fields.hashes) {
            Ok(hashes) if (1..=MAX_FILTER_HASHES).contains(&fields.hashes) => hashes,
            _ => return Err(FilterError::HashCount(fields.hashes)),
        };
        if fields.bits == 0 || fields.bits > (words.len() as u64).saturating_mul(8) {
            return Err(FilterError::BitCount { bits: fields.bits, bytes: words.len() });
        }
        Ok(Self {
            profile: Profile::Libsds,
            words,
            bits: fields.bits,
            hashes,
            capacity: fields.capacity,
            wire_len: bytes.len(),
        })
    }

    /// Whether all bits of an id are set. False for an id that is in the filter: never.
    pub fn contains(&self, item: &ItemHash) -> bool {
        let swap = byte_swap(self.profile);
        item.probes(self.bits, self.hashes).all(|bit| is_set(self.words, bit, swap))
    }

    /// The share of its bits that are set, 0 to 1. Reads the whole filter: compute it once for all ids asked about.
    pub fn fill(&self) -> f64 {
        let (whole, rest) = ((self.bits / 64) as usize, self.bits % 64);
        let (words, last) = self.words.as_chunks().0.split_at(whole);
        // In whole words, the order of bytes makes no difference: a plain loop, which the compiler vectorizes.
        let mut ones: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
        if rest != 0 {
            let used = !(u64::MAX << rest);
            let in_last = last.first().map_or(0, |word| (self.word(*word) & used).count_ones());
            ones = ones.saturating_add(u64::from(in_last));
        }
        ones as f64 / self.bits as f64
    }

    fn word(&self, word: [u8; 8]) -> u64 {
        match self.profile {
            Profile::Rfc => u64::from_be_bytes(word),
            Profile::Libsds => u64::from_le_bytes(word),
        }
    }

    /// The chance, 0 to 1, that this filter names an id that it does not hold: what a hit is worth.
    pub fn false_positive_rate(&self, item: &ItemHash) -> f64 {
        self.false_positive_rate_at(self.fill(), item)
    }

    /// The same, with the [`fill`](Self::fill) computed before.
    ///
    /// With double hashing that is more than fill^k. An id whose step shares factors with m visits only
    /// d = min(k, m / gcd(m, step)) different bits; and with n ids in it, some id has (nearly) the same start and step
    /// with probability 2n/m^2, and neighbouring steps add the rest of the second term.
    pub fn false_positive_rate_at(&self, fill: f64, item: &ItemHash) -> f64 {
        let distinct =
            self.bits.checked_div(gcd(self.bits, item.step(self.bits))).unwrap_or(0).min(u64::from(self.hashes));
        self.rate(fill, distinct as i32)
    }

    /// The least that [`false_positive_rate_at`](Self::false_positive_rate_at) comes to, whatever the id. Nearly all ids
    /// have this one.
    pub fn least_false_positive_rate(&self, fill: f64) -> f64 {
        self.rate(fill, self.hashes as i32)
    }

    fn rate(&self, fill: f64, distinct: i32) -> f64 {
        if fill >= 1.0 {
            return 1.0;
        }
        let (m, k) = (self.bits as f64, f64::from(self.hashes));
        let by_chance = fill.powi(distinct);
        let ids = -(m / k) * (1.0 - fill).ln();
        let by_alignment = 2.0 * ids / (m * m) * (1.0 + fill) / (1.0 - fill);
        (by_chance + by_alignment).min(1.0)
    }

    /// The hash it is probed with.
    pub fn kind(&self) -> HashKind {
        HashKind::of(self.profile)
    }

    /// Its number of bits: m.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// Its number of hashes: k.
    pub fn hashes(&self) -> u32 {
        self.hashes
    }

    /// The capacity that it claims, which nothing may rely on.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Bytes it takes in a message.
    pub fn wire_len(&self) -> usize {
        self.wire_len
    }
}

/// The fields of a libsds filter that are used. An absent number is 0, which no check lets pass where it matters.
#[derive(Default)]
struct Fields<'a> {
    words: Option<&'a [u8]>,
    capacity: u64,
    hashes: u64,
    bits: u64,
}

impl<'a> Fields<'a> {
    fn read(mut rest: &'a [u8]) -> Result<Self, FilterError> {
        let mut fields = Self::default();
        while !rest.is_empty() {
            let (number, wire_type) = decode_key(&mut rest).map_err(|_| FilterError::Malformed)?;
            match wire_type {
                WireType::Varint => {
                    let value = decode_varint(&mut rest).map_err(|_| FilterError::Malformed)?;
                    match number {
                        field::CAPACITY => fields.capacity = value,
                        field::HASHES => fields.hashes = value,
                        field::BITS => fields.bits = value,
                        _ => {}
                    }
                }
                WireType::LengthDelimited => {
                    let length = decode_varint(&mut rest).map_err(|_| FilterError::Malformed)?;
                    let value = take(&mut rest, length)?;
                    if number == field::WORDS {
                        fields.words = Some(value);
                    }
                }
                WireType::SixtyFourBit => drop(take(&mut rest, 8)?),
                WireType::ThirtyTwoBit => drop(take(&mut rest, 4)?),
                WireType::StartGroup | WireType::EndGroup => return Err(FilterError::Malformed),
            }
        }
        Ok(fields)
    }
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], FilterError> {
    let length = usize::try_from(length).map_err(|_| FilterError::Malformed)?;
    let (value, after) = rest.split_at_checked(length).ok_or(FilterError::Malformed)?;
    *rest = after;
    Ok(value)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}
