//! A scenario out of a number: every option is drawn, so that a swarm of them goes everywhere.

use crate::chance::{Chance, Purpose};
use crate::scenario::{
    Delay, Engine, Format, Incident, Keeping, Loss, MINUTE, SECOND, Scenario, Speech, StoreNode, Weather, What,
};
use crate::speech;

/// A conversation as it lies in a file.
const EVENING: &str = include_str!("../patterns/evening.txt");

/// The scenario of a seed.
pub fn scenario(seed: u64) -> Scenario {
    let chance = &mut Chance::new(seed, Purpose::Scenario, 0);
    let participants = chance.pick(&[2, 2, 3, 4, 5, 6, 8, 12]);
    let speech = speech(chance, participants);
    let talk_ms = speech::sayings(&speech, seed, participants).last().map_or(0, |saying| saying.at_ms) + 30 * SECOND;
    let store = chance.hit(500_000).then(|| store(chance));
    let engine = engine(chance);
    Scenario {
        seed,
        participants,
        format: chance.pick(&[Format::Rfc, Format::Libsds, Format::Mixed]),
        weather: weather(chance),
        incidents: incidents(chance, participants, talk_ms, store.is_some()),
        store,
        speech,
        engine,
        skew_ms: chance.pick(&[0, 0, 500, 5 * SECOND, 4 * MINUTE]),
        keeping: chance.pick(&[Keeping::Memory, Keeping::Store, Keeping::Host, Keeping::Mixed]),
    }
}

fn speech(chance: &mut Chance, participants: u32) -> Speech {
    if chance.hit(150_000)
        && let Ok(recorded) = speech::recorded(EVENING)
    {
        return recorded;
    }
    let mean_ms = chance.pick(&[100, 1_000, 2_500, 10_000, 60_000]);
    Speech::Poisson {
        messages: chance.between(3, 60) as u32,
        mean_ms,
        cap_ms: mean_ms * chance.between(1, 6),
        speakers: chance.between(1, u64::from(participants)) as u32,
        least_bytes: 10,
        most_bytes: chance.pick(&[20, 200, 2_000]),
    }
}

fn weather(chance: &mut Chance) -> Weather {
    let mut share = |most: u64| chance.below(most) as u32;
    let (loss_ppm, bad_ppm, doubled_ppm, echoed_ppm, late_ppm) =
        (share(500_000), 500_000 + share(500_000), share(300_000), share(300_000), share(300_000));
    let loss = match chance.below(4) {
        0 => Loss::Independent { ppm: 0 },
        1 => Loss::Independent { ppm: loss_ppm / 5 },
        2 => Loss::Independent { ppm: loss_ppm },
        _ => Loss::Bursty {
            good_ppm: loss_ppm / 20,
            bad_ppm,
            good_ms: chance.between(2 * SECOND, MINUTE),
            bad_ms: chance.between(200, 20 * SECOND),
        },
    };
    let delay = match chance.below(3) {
        0 => Delay::Uniform { least_ms: 1, most_ms: chance.pick(&[2, 50, 2_000]) },
        1 => Delay::Exponential { least_ms: 20, mean_ms: 150, most_ms: 2_000 },
        _ => Delay::Exponential { least_ms: 50, mean_ms: 1_500, most_ms: 30_000 },
    };
    let plain = chance.hit(500_000);
    let some = |ppm: u32| if plain { 0 } else { ppm };
    Weather {
        loss,
        delay,
        doubled_ppm: some(doubled_ppm),
        echoed_ppm: some(echoed_ppm),
        late_ppm: some(late_ppm),
        late_ms: chance.between(100, 30 * SECOND),
    }
}

fn store(chance: &mut Chance) -> StoreNode {
    let least_ms = chance.between(10, 500);
    StoreNode {
        least_ms,
        most_ms: least_ms + chance.below(3_000),
        retry_ms: chance.between(SECOND, 10 * SECOND),
        lost_ppm: chance.pick(&[0, 0, 20_000]),
    }
}

fn engine(chance: &mut Chance) -> Engine {
    let mut engine = Engine {
        causal_history_size: chance.pick(&[2, 3, 3, 10]),
        repair: chance.hit(700_000),
        max_resends: chance.pick(&[0, 2, 5, 5]),
        sync_confirm_ms: chance.pick(&[500, 2_000, 10_000]),
        sync_interval_ms: chance.pick(&[5 * SECOND, 30 * SECOND]),
        ack_window_ms: chance.pick(&[MINUTE, 10 * MINUTE]),
        bloom_capacity: chance.pick(&[64, 10_000]),
        ..Engine::default()
    };
    if chance.hit(250_000) {
        // So small that they are reached.
        engine.log_messages = chance.between(engine.causal_history_size as u64, 30) as usize;
        engine.log_bytes = chance.pick(&[1_000, 60_000]);
        engine.max_waiting_messages = chance.between(1, 10) as usize;
        engine.max_missing = chance.between(1, 10) as usize;
        engine.max_unacknowledged = chance.between(1, 6) as usize;
    }
    engine
}

/// What befalls the group: each trouble begins and ends while it talks, or is ended by the healing.
fn incidents(chance: &mut Chance, participants: u32, talk_ms: u64, store: bool) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for _ in 0..chance.pick(&[0, 1, 3, 8]) {
        let at_ms = chance.below(talk_ms);
        let longest_ms = chance.pick(&[5 * SECOND, MINUTE, 15 * MINUTE]);
        let end_ms = at_ms + chance.below(longest_ms);
        let who = chance.below(u64::from(participants)) as u32;
        let by_ms = chance.between(0, 3 * MINUTE) as i64 - MINUTE as i64;
        let (begin, end) = match chance.below(10) {
            0..=1 => (What::Split { parts: chance.between(2, 3) as u32 }, What::Heal),
            2..=3 => (What::Offline { who }, What::Online { who }),
            4..=6 => (What::Crash { who, in_a_call: chance.hit(500_000) }, What::Restart { who }),
            7 => (What::Turn { who, by_ms }, What::Turn { who, by_ms: -by_ms }),
            8 if store => (What::StoreDown, What::StoreUp),
            // The first one never leaves, so that somebody stays.
            9 if who > 1 => (What::Join { who }, What::Leave { who }),
            _ => (What::Join { who }, What::Join { who }),
        };
        incidents.push(Incident { at_ms, what: begin });
        incidents.push(Incident { at_ms: end_ms, what: end });
    }
    incidents.sort_by_key(|incident| incident.at_ms);
    incidents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_can_be_run_and_every_option_comes_up() {
        let all: Vec<Scenario> = (0..400).map(scenario).collect();
        for scenario in &all {
            scenario.config(0).validate().unwrap();
        }
        let some = |has: fn(&Scenario) -> bool| all.iter().any(has);
        let happens = |wanted: fn(&What) -> bool| all.iter().flat_map(|it| &it.incidents).any(|it| wanted(&it.what));
        assert!(
            some(|it| it.format == Format::Mixed) && some(|it| it.store.is_some()) && some(|it| it.store.is_none())
        );
        assert!(some(|it| matches!(it.speech, Speech::Recorded { .. })) && some(|it| it.skew_ms > 0));
        assert!(some(|it| matches!(it.weather.loss, Loss::Bursty { .. })) && some(|it| it.weather.doubled_ppm > 0));
        assert!(some(|it| it.engine.max_missing < 11) && some(|it| !it.engine.repair));
        assert!(happens(|it| matches!(it, What::Split { .. })) && happens(|it| matches!(it, What::StoreDown)));
        assert!(happens(|it| matches!(it, What::Crash { in_a_call: true, .. })));
        assert!(happens(|it| matches!(it, What::Turn { .. })) && happens(|it| matches!(it, What::Leave { .. })));
    }
}
