//! Sets of messages, as bits.

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// Adds a number; false if it was there.
    pub fn set(&mut self, number: u32) -> bool {
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    pub fn get(&self, number: u32) -> bool {
        self.0.get((number / 64) as usize).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Appends what is here and not in `other` to a list. Both hold all below `from`.
    pub fn minus(&self, other: &Self, from: u32, to: &mut Vec<u32>) {
        for (place, word) in self.0.iter().enumerate().skip((from / 64) as usize) {
            let mut rest = word & !other.0.get(place).copied().unwrap_or(0);
            while rest != 0 {
                to.push(place as u32 * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// The first number from `from` on that is not here.
    pub fn first_absent(&self, from: u32) -> u32 {
        let first_word = (from / 64) as usize;
        for (place, word) in self.0.iter().enumerate().skip(first_word) {
            let before = if place == first_word { (1u64 << (from % 64)) - 1 } else { 0 };
            let absent = !(word | before);
            if absent != 0 {
                return place as u32 * 64 + absent.trailing_zeros();
            }
        }
        from.max(self.0.len() as u32 * 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_there_and_nothing_else() {
        let mut bits = Bits::default();
        assert!(bits.set(3) && bits.set(64) && bits.set(200) && !bits.set(64));
        assert!(bits.get(3) && bits.get(200) && !bits.get(4) && !bits.get(1_000));
        assert_eq!((bits.len(), bits.first_absent(3), bits.first_absent(5)), (3, 4, 5));
        for number in 0..128 {
            bits.set(number);
        }
        assert_eq!((bits.first_absent(0), bits.first_absent(70), bits.first_absent(999)), (128, 128, 999));
        let mut bits = Bits::default();
        for number in [3, 64, 200] {
            bits.set(number);
        }
        let mut other = Bits::default();
        other.set(64);
        let mut left = Vec::new();
        bits.minus(&other, 0, &mut left);
        assert_eq!(left, [3, 200]);
    }
}
