//! MurmurHash3 x86 32 with seed 0, the string hash behind the filters of the rfc profile.
//!
//! Ours because `@waku/sds` hashes other than ASCII in a way of its own, which no crate offers, and because the crate for
//! the rest reads through `io::Read`, at ten times the cost. Tests hold it to that crate.

/// The state over blocks of four units.
struct State {
    hash: u32,
    units: u32,
}

impl State {
    fn mix(&mut self, block: u32) {
        self.hash ^= block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    }

    fn block(&mut self, block: u32) {
        self.mix(block);
        self.hash = self.hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
        self.units = self.units.wrapping_add(4);
    }

    /// Takes in the last block, of `units` units (0 to 3), and finishes.
    fn finish(mut self, block: u32, units: u32) -> u32 {
        self.mix(block);
        let hash = self.hash ^ self.units.wrapping_add(units);
        let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

/// The hash of bytes, as everybody has it.
pub(super) fn hash_bytes(bytes: &[u8]) -> u32 {
    let mut state = State { hash: 0, units: 0 };
    let (blocks, rest) = bytes.as_chunks();
    for block in blocks {
        state.block(u32::from_le_bytes(*block));
    }
    let last = rest.iter().rev().fold(0, |block, byte| block << 8 | u32::from(*byte));
    state.finish(last, rest.len() as u32)
}

/// The hash as `@waku/sds` has it beyond ASCII: over units of 16 bits that overlap in steps of 8 bits.
#[cold]
pub(super) fn hash_units(mut units: impl Iterator<Item = u32>) -> u32 {
    let mut state = State { hash: 0, units: 0 };
    loop {
        let (mut block, mut taken) = (0, 0u32);
        for (unit, shift) in units.by_ref().take(4).zip([0, 8, 16, 24]) {
            block |= unit << shift;
            taken = taken.saturating_add(1);
        }
        if taken < 4 {
            return state.finish(block, taken);
        }
        state.block(block);
    }
}
