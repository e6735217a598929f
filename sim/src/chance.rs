//! Chance out of one seed, the same on every machine: whole numbers throughout, and where a logarithm is needed, one that
//! is computed and not the platform's.

/// What a stream of chance is for: streams of different purposes have nothing to do with one another.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Purpose {
    Engine = 1,
    Flight,
    Burst,
    Speech,
    Skew,
    Side,
    Store,
    Scenario,
    Content,
}

/// Mixes numbers into one that looks like none of them.
pub fn mix(seed: u64, purpose: Purpose, which: u64) -> u64 {
    let mut state = seed ^ (purpose as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for part in [which, 0x5bd1_e995] {
        state = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// A stream of chance.
#[derive(Clone, Debug)]
pub struct Chance(fastrand::Rng);

impl Chance {
    pub fn new(seed: u64, purpose: Purpose, which: u64) -> Self {
        Self(fastrand::Rng::with_seed(mix(seed, purpose, which)))
    }

    /// True so many times in a million.
    pub fn hit(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.0.u32(0..1_000_000) < ppm
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.u64(0..end) }
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.u64(least..=most.max(least))
    }

    /// A time that has an exponential distribution, in whole milliseconds.
    pub fn exponential_ms(&mut self, mean_ms: u64) -> u64 {
        // 53 bits, in (0, 1], where the logarithm is finite.
        let unit = (self.0.u64(0..1 << 53) + 1) as f64 / (1u64 << 53) as f64;
        (-libm::log(unit) * mean_ms as f64) as u64
    }

    /// One of a few.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_the_same_everywhere_and_differ_by_purpose() {
        let draw = |purpose| {
            let mut chance = Chance::new(7, purpose, 3);
            [chance.below(1_000), chance.between(5, 9), chance.exponential_ms(1_000), chance.below(0)]
        };
        // Written down once: another machine, or another version of a library, must draw the same.
        assert_eq!(draw(Purpose::Flight), [864, 7, 456, 0]);
        assert_ne!(draw(Purpose::Flight), draw(Purpose::Burst));
        assert_ne!(mix(7, Purpose::Flight, 3), mix(8, Purpose::Flight, 3));
    }

    #[test]
    fn shares_and_means_are_what_was_asked_for() {
        let mut chance = Chance::new(1, Purpose::Flight, 0);
        let hits = (0..100_000).filter(|_| chance.hit(250_000)).count();
        let mean_ms = (0..100_000).map(|_| chance.exponential_ms(1_000)).sum::<u64>() / 100_000;
        assert!((24_500..25_500).contains(&hits), "{hits}");
        assert!((985..1_015).contains(&mean_ms), "{mean_ms}");
        assert!(!(0..1_000).any(|_| chance.hit(0)) && (0..1_000).all(|_| chance.hit(1_000_000)));
    }
}
