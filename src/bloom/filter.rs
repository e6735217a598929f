//! One filter that is being filled, kept as its wire bytes.

use std::ops::Range;

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::{FilterView, ItemHash, Params};
use crate::types::Profile;

/// Fields of a filter in the libsds profile.
pub(super) mod field {
    pub const WORDS: u32 = 1;
    pub const CAPACITY: u32 = 2;
    pub const ERROR_MILLIONTHS: u32 = 3;
    pub const HASHES: u32 = 4;
    pub const BITS: u32 = 5;
}

/// What a bit's byte index is xored with: words are big-endian in the rfc profile and little-endian in libsds.
pub(super) fn byte_swap(profile: Profile) -> usize {
    match profile {
        Profile::Rfc => 7,
        Profile::Libsds => 0,
    }
}

/// Whether a bit is set in words whose bytes are swapped like that. One beyond the words is not.
#[inline(always)]
pub(super) fn is_set(words: &[u8], bit: u64, swap: usize) -> bool {
    words.get((bit >> 3) as usize ^ swap).is_some_and(|byte| byte >> (bit & 7) & 1 == 1)
}

/// A filter of fixed size. Ids go in; its wire bytes are ready at any time.
#[derive(Clone, Debug)]
pub struct Filter {
    profile: Profile,
    params: Params,
    /// The whole field value, with the words from `words_at` on.
    wire: Vec<u8>,
    words_at: usize,
}

impl Filter {
    /// An empty filter. `params.bits` must be 1 to 64 `params.words`: bits beyond cannot be set.
    pub fn new(profile: Profile, params: Params) -> Self {
        let (wire, words_at) = match profile {
            Profile::Rfc => (vec![0; params.word_bytes()], 0),
            Profile::Libsds => wrapped(&params),
        };
        Self { profile, params, wire, words_at }
    }

    /// Sets the bits of an id.
    pub fn insert(&mut self, item: &ItemHash) {
        let swap = byte_swap(self.profile);
        let range = self.words_range();
        let Some(words) = self.wire.get_mut(range) else { return };
        for bit in item.probes(self.params.bits, self.params.hashes) {
            if let Some(byte) = words.get_mut((bit >> 3) as usize ^ swap) {
                *byte |= 1 << (bit & 7);
            }
        }
    }

    /// Whether all bits of an id are set.
    pub fn contains(&self, item: &ItemHash) -> bool {
        let (swap, words) = (byte_swap(self.profile), self.words());
        item.probes(self.params.bits, self.params.hashes).all(|bit| is_set(words, bit, swap))
    }

    /// Forgets every id.
    pub fn clear(&mut self) {
        let range = self.words_range();
        if let Some(words) = self.wire.get_mut(range) {
            words.fill(0);
        }
    }

    /// The complete value of a message's filter field, as the profile lays it out.
    pub fn wire_bytes(&self) -> &[u8] {
        &self.wire
    }

    /// Its size.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The filter as a receiver reads it. `None` if its size is none that the profile can read.
    pub fn view(&self) -> Option<FilterView<'_>> {
        FilterView::parse(self.profile, &self.wire, self.wire.len()).ok().flatten()
    }

    fn words(&self) -> &[u8] {
        self.wire.get(self.words_range()).unwrap_or_default()
    }

    fn words_range(&self) -> Range<usize> {
        self.words_at..self.words_at.saturating_add(self.params.word_bytes())
    }
}

/// The libsds layout of an empty filter, and where its words begin.
fn wrapped(params: &Params) -> (Vec<u8>, usize) {
    let numbers = [
        (field::CAPACITY, params.capacity),
        (field::ERROR_MILLIONTHS, params.error_millionths),
        (field::HASHES, u64::from(params.hashes)),
        (field::BITS, params.bits),
    ];
    let word_bytes = params.word_bytes();
    // A key of one byte each, and the number.
    let values = numbers.iter().map(|(_, value)| *value).chain([word_bytes as u64]);
    let lens = values.map(|value| encoded_len_varint(value).saturating_add(1));
    let mut wire = Vec::with_capacity(lens.fold(word_bytes, usize::saturating_add));
    encode_key(field::WORDS, WireType::LengthDelimited, &mut wire);
    encode_varint(word_bytes as u64, &mut wire);
    let words_at = wire.len();
    wire.resize(words_at.saturating_add(word_bytes), 0);
    for (number, value) in numbers {
        encode_key(number, WireType::Varint, &mut wire);
        encode_varint(value, &mut wire);
    }
    (wire, words_at)
}
