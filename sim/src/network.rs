//! What becomes of a packet on its way to each participant.

use crate::chance::{Chance, Purpose, mix};
use crate::scenario::{Delay, Loss, Weather};

/// Groups up to this size have a state for each link between two; in larger ones each participant has one for all that
/// reaches it, since pairs are too many.
const MOST_WITH_LINKS: u32 = 128;

/// A link with good times and bad times.
#[derive(Clone, Debug)]
struct Link {
    bad: bool,
    until_ms: u64,
    chance: Chance,
}

/// What becomes of one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Lost,
    Arrives { after_ms: u64, again_after_ms: Option<u64> },
}

#[derive(Debug)]
pub struct Network {
    weather: Weather,
    seed: u64,
    participants: u32,
    links: Vec<Option<Link>>,
    broadcasts: u64,
    /// Into how many parts the network fell, and how often it has.
    parts: u32,
    splits: u64,
}

impl Network {
    pub fn new(weather: Weather, seed: u64, participants: u32) -> Self {
        let links = match weather.loss {
            Loss::Independent { .. } => 0,
            Loss::Bursty { .. } if participants <= MOST_WITH_LINKS => participants * participants,
            Loss::Bursty { .. } => participants,
        };
        let links = vec![None; links as usize];
        Self { weather, seed, participants, links, broadcasts: 0, parts: 1, splits: 0 }
    }

    pub fn split(&mut self, parts: u32) {
        self.parts = parts.max(1);
        self.splits += 1;
    }

    /// All of it works from now on.
    pub fn heal(&mut self) {
        self.parts = 1;
        self.weather = Weather {
            loss: Loss::Independent { ppm: 0 },
            delay: Delay::Uniform { least_ms: 20, most_ms: 50 },
            doubled_ppm: 0,
            echoed_ppm: 0,
            late_ppm: 0,
            late_ms: 0,
        };
    }

    fn side(&self, who: u32) -> u64 {
        mix(self.seed ^ self.splits, Purpose::Side, u64::from(who)) % u64::from(self.parts)
    }

    /// Sends a packet to everybody: tells the fate of each copy, in the order of the participants.
    pub fn broadcast(&mut self, from: u32, now_ms: u64, mut tell: impl FnMut(u32, Fate)) {
        let mut chance = Chance::new(self.seed, Purpose::Flight, self.broadcasts);
        self.broadcasts += 1;
        let from_side = self.side(from);
        for to in 0..self.participants {
            let wanted = to != from || chance.hit(self.weather.echoed_ppm);
            let reached = self.parts == 1 || self.side(to) == from_side;
            if !wanted {
                continue;
            }
            let fate = match reached && !self.loses(from, to, now_ms, &mut chance) {
                true => self.arrival(&mut chance),
                false => Fate::Lost,
            };
            tell(to, fate);
        }
    }

    fn arrival(&self, chance: &mut Chance) -> Fate {
        let after_ms = self.delay_ms(chance);
        let again_after_ms = chance.hit(self.weather.doubled_ppm).then(|| self.delay_ms(chance));
        Fate::Arrives { after_ms, again_after_ms }
    }

    fn delay_ms(&self, chance: &mut Chance) -> u64 {
        let delay_ms = match self.weather.delay {
            Delay::Uniform { least_ms, most_ms } => chance.between(least_ms, most_ms),
            Delay::Exponential { least_ms, mean_ms, most_ms } => {
                (least_ms + chance.exponential_ms(mean_ms.saturating_sub(least_ms))).min(most_ms)
            }
        };
        delay_ms + if chance.hit(self.weather.late_ppm) { chance.below(self.weather.late_ms) } else { 0 }
    }

    fn loses(&mut self, from: u32, to: u32, now_ms: u64, chance: &mut Chance) -> bool {
        match self.weather.loss {
            Loss::Independent { ppm } => chance.hit(ppm),
            Loss::Bursty { good_ppm, bad_ppm, good_ms, bad_ms } => {
                let place = if self.participants <= MOST_WITH_LINKS { from * self.participants + to } else { to };
                let seed = self.seed;
                let link = self.links[place as usize].get_or_insert_with(|| Link::new(seed, place, now_ms));
                chance.hit(if link.is_bad(now_ms, good_ms, bad_ms) { bad_ppm } else { good_ppm })
            }
        }
    }
}

impl Link {
    fn new(seed: u64, place: u32, now_ms: u64) -> Self {
        // It begins with the end of a bad time, so that a good one of its own comes next.
        Self { bad: true, until_ms: now_ms, chance: Chance::new(seed, Purpose::Burst, u64::from(place)) }
    }

    fn is_bad(&mut self, now_ms: u64, good_ms: u64, bad_ms: u64) -> bool {
        while self.until_ms <= now_ms {
            self.bad = !self.bad;
            let mean_ms = if self.bad { bad_ms } else { good_ms };
            self.until_ms += self.chance.exponential_ms(mean_ms).max(1);
        }
        self.bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weather(loss: Loss) -> Weather {
        let delay = Delay::Exponential { least_ms: 50, mean_ms: 150, most_ms: 1_000 };
        Weather { loss, delay, doubled_ppm: 100_000, echoed_ppm: 0, late_ppm: 0, late_ms: 0 }
    }

    /// What becomes of the copies to each of ten, many times over.
    fn fates(network: &mut Network, rounds: u64) -> Vec<(u32, Fate)> {
        let mut fates = Vec::new();
        for round in 0..rounds {
            network.broadcast(0, round * 100, |to, fate| fates.push((to, fate)));
        }
        fates
    }

    #[test]
    fn as_much_gets_lost_as_was_asked_for() {
        let mut network = Network::new(weather(Loss::Independent { ppm: 100_000 }), 3, 11);
        let fates = fates(&mut network, 2_000);
        let lost = fates.iter().filter(|fate| fate.1 == Fate::Lost).count();
        assert_eq!(fates.len(), 20_000, "nothing comes back to who sent it");
        assert!((1_850..2_150).contains(&lost), "{lost}");
        let doubled = fates.iter().filter(|it| matches!(it.1, Fate::Arrives { again_after_ms: Some(_), .. })).count();
        assert!((1_600..2_000).contains(&doubled), "{doubled}");
        let delays: Vec<u64> = fates
            .iter()
            .filter_map(|it| match it.1 {
                Fate::Arrives { after_ms, .. } => Some(after_ms),
                Fate::Lost => None,
            })
            .collect();
        let mean_ms = delays.iter().sum::<u64>() / delays.len() as u64;
        assert!((145..155).contains(&mean_ms), "{mean_ms}");
        assert!(delays.iter().all(|delay| (50..=1_000).contains(delay)));
    }

    #[test]
    fn bursts_lose_packets_in_a_row() {
        let loss = Loss::Bursty { good_ppm: 0, bad_ppm: 1_000_000, good_ms: 9_000, bad_ms: 1_000 };
        let mut network = Network::new(weather(loss), 3, 2);
        let lost: Vec<bool> = fates(&mut network, 20_000).iter().map(|fate| fate.1 == Fate::Lost).collect();
        let share = lost.iter().filter(|lost| **lost).count();
        let runs = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        assert!((1_500..2_500).contains(&share), "{share}");
        // A bad time lasts ten packets.
        assert!((8..13).contains(&(share / runs)), "{share} in {runs}");
    }

    #[test]
    fn packets_stay_in_their_part_until_it_heals() {
        let mut network = Network::new(weather(Loss::Independent { ppm: 0 }), 3, 101);
        network.split(2);
        let reached = fates(&mut network, 1).iter().filter(|fate| fate.1 != Fate::Lost).count();
        assert!((30..70).contains(&reached), "{reached}");
        network.heal();
        assert!(fates(&mut network, 1).iter().all(|fate| fate.1 != Fate::Lost));
    }
}
