//! FarmHash `na` Hash64, the string hash behind the filters of the libsds profile.
//!
//! Ours because it is the wire format, held to values of the deployed build in every length class.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// The hash of `s`: unseeded, over the raw bytes.
pub(super) fn hash64(s: &[u8]) -> u64 {
    match s.len() {
        0 => K2,
        1..=3 => up_to_3(s),
        4..=7 => up_to_7(s),
        8..=16 => up_to_16(s),
        17..=32 => up_to_32(s),
        33..=64 => up_to_64(s),
        _ => longer(s),
    }
}

// Arithmetic wraps, as that of the original does; positions do too, and `word` reads nothing beyond the end.

#[inline(always)]
fn word(s: &[u8], at: usize) -> u64 {
    // Callers stay inside; without the panic path the whole hash compiles to plain loads.
    s.get(at..).and_then(|from| from.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The word that begins so many bytes before the end.
fn from_end(s: &[u8], bytes: usize) -> u64 {
    word(s, s.len().wrapping_sub(bytes))
}

fn half_word(s: &[u8], at: usize) -> u64 {
    s.get(at..).and_then(|from| from.first_chunk()).map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

fn shift_mix(v: u64) -> u64 {
    v ^ (v >> 47)
}

/// Folds two words into one under a multiplier that depends on the length.
fn fold(u: u64, v: u64, mul: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(mul));
    let b = shift_mix((v ^ a).wrapping_mul(mul));
    b.wrapping_mul(mul)
}

fn length_multiplier(s: &[u8]) -> u64 {
    K2.wrapping_add((s.len() as u64) << 1)
}

fn up_to_3(s: &[u8]) -> u64 {
    let byte = |byte: Option<&u8>| byte.map_or(0, |byte| u64::from(*byte));
    let (first, middle, last) = (byte(s.first()), byte(s.get(s.len() >> 1)), byte(s.last()));
    let y = first.wrapping_add(middle << 8);
    let z = (last << 2).wrapping_add(s.len() as u64);
    shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K0)).wrapping_mul(K2)
}

fn up_to_7(s: &[u8]) -> u64 {
    let n = s.len();
    let first = (half_word(s, 0) << 3).wrapping_add(n as u64);
    fold(first, half_word(s, n.wrapping_sub(4)), length_multiplier(s))
}

fn up_to_16(s: &[u8]) -> u64 {
    let mul = length_multiplier(s);
    let a = word(s, 0).wrapping_add(K2);
    let b = from_end(s, 8);
    let c = b.rotate_right(37).wrapping_mul(mul).wrapping_add(a);
    let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(mul);
    fold(c, d, mul)
}

/// What a run of 32 bytes contributes: the two words to fold. Its last two words are given, already multiplied.
fn stir(a: u64, b: u64, c: u64, d: u64, tail: u64) -> (u64, u64) {
    let y = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let z = a.wrapping_add(b.wrapping_add(tail).rotate_right(18)).wrapping_add(c);
    (y, z)
}

fn head_words(s: &[u8], mul: u64) -> (u64, u64, u64, u64) {
    let (last, before) = (from_end(s, 8), from_end(s, 16));
    (word(s, 0), word(s, 8), last.wrapping_mul(mul), before.wrapping_mul(K2))
}

fn up_to_32(s: &[u8]) -> u64 {
    let mul = length_multiplier(s);
    let (a, b, c, d) = head_words(s, mul);
    let (y, z) = stir(a.wrapping_mul(K1), b, c, d, K2);
    fold(y, z, mul)
}

fn up_to_64(s: &[u8]) -> u64 {
    let mul = length_multiplier(s);
    let (a, b, c, d) = head_words(s, mul);
    let a = a.wrapping_mul(K2);
    let (y, z) = stir(a, b, c, d, K2);
    let z = fold(y, z, mul);
    let e = word(s, 16).wrapping_mul(mul);
    let f = word(s, 24);
    let g = y.wrapping_add(from_end(s, 32)).wrapping_mul(mul);
    let h = z.wrapping_add(from_end(s, 24)).wrapping_mul(mul);
    let (y, z) = stir(e, f, g, h, a);
    fold(y, z, mul)
}

/// The running state over blocks of 64 bytes.
struct State {
    x: u64,
    y: u64,
    z: u64,
    v: (u64, u64),
    w: (u64, u64),
}

impl State {
    fn start(s: &[u8]) -> Self {
        let seed = 81u64;
        let y = seed.wrapping_mul(K1).wrapping_add(113);
        Self {
            x: seed.wrapping_mul(K2).wrapping_add(word(s, 0)),
            y,
            z: shift_mix(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2),
            v: (0, 0),
            w: (0, 0),
        }
    }

    /// Takes in one block. The last one comes with another multiplier, and factor 9 where the others have 1.
    #[inline(always)]
    fn block(&mut self, block: &[u8; 64], mul: u64, factor: u64) {
        let sum = self.x.wrapping_add(self.y).wrapping_add(self.v.0).wrapping_add(word(block, 8));
        self.x = sum.rotate_right(37).wrapping_mul(mul) ^ self.w.1.wrapping_mul(factor);
        let sum = self.y.wrapping_add(self.v.1).wrapping_add(word(block, 48));
        self.y = sum.rotate_right(42).wrapping_mul(mul);
        self.y = self.y.wrapping_add(self.v.0.wrapping_mul(factor)).wrapping_add(word(block, 40));
        self.z = self.z.wrapping_add(self.w.0).rotate_right(33).wrapping_mul(mul);
        self.v = weak_32(block, 0, self.v.1.wrapping_mul(mul), self.x.wrapping_add(self.w.0));
        self.w = weak_32(block, 32, self.z.wrapping_add(self.w.1), self.y.wrapping_add(word(block, 16)));
        std::mem::swap(&mut self.z, &mut self.x);
    }
}

#[inline(always)]
fn weak_32(block: &[u8; 64], at: usize, a: u64, b: u64) -> (u64, u64) {
    let word = |further| word(block, at.wrapping_add(further));
    let (p, q, r, t) = (word(0), word(8), word(16), word(24));
    let a = a.wrapping_add(p);
    let b = b.wrapping_add(a).wrapping_add(t).rotate_right(21);
    let sum = a.wrapping_add(q).wrapping_add(r);
    (sum.wrapping_add(t), b.wrapping_add(sum.rotate_right(44)).wrapping_add(a))
}

fn longer(s: &[u8]) -> u64 {
    let mut state = State::start(s);
    // The last 64 bytes are taken in by themselves, overlapping the block before them unless the length is a multiple.
    for block in s.split_last().map_or(s, |(_, before)| before).as_chunks().0 {
        state.block(block, K1, 1);
    }
    let mul = K1.wrapping_add((state.z & 0xff) << 1);
    state.w.0 = state.w.0.wrapping_add((s.len() as u64).wrapping_sub(1) & 63);
    state.v.0 = state.v.0.wrapping_add(state.w.0);
    state.w.0 = state.w.0.wrapping_add(state.v.0);
    if let Some(last) = s.last_chunk() {
        state.block(last, mul, 9);
    }
    let State { x, y, z, v, w } = state;
    let left = fold(v.0, w.0, mul).wrapping_add(shift_mix(y).wrapping_mul(K0)).wrapping_add(z);
    let right = fold(v.1, w.1, mul).wrapping_add(x);
    fold(left, right, mul)
}
