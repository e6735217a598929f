//! Many runs, each of a scenario drawn from its seed, held to all promises up to the last.

use crate::check::Violation;
use crate::draw;
use crate::scenario::{SECOND, Scenario};
use crate::world::{Manner, Moment, Plant, World};

/// Longer than packets are under way when the last message is said.
const AFTERMATH_MS: u64 = 30 * SECOND;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<(), Violation>,
    pub digest: String,
    pub deliveries: u64,
    pub trace: Vec<Moment>,
}

/// Runs the scenario of a seed.
pub fn run(seed: u64, plant: Option<Plant>, trace: bool) -> Outcome {
    run_scenario(&draw::scenario(seed), plant, trace)
}

pub fn run_scenario(scenario: &Scenario, plant: Option<Plant>, trace: bool) -> Outcome {
    let manner = Manner { audit_every: 1, trace, plant, unmeasured: (0, 0) };
    match World::new(scenario, manner) {
        Err(violation) => Outcome { result: Err(violation), digest: String::new(), deliveries: 0, trace: Vec::new() },
        Ok(mut world) => {
            let talk_ms = world.last_saying_ms() + AFTERMATH_MS;
            let result = world.run_until(talk_ms, &mut |_| ()).and_then(|()| world.come_to_rest());
            Outcome {
                result,
                digest: world.digest(),
                deliveries: world.figures().deliveries,
                trace: world.trace().to_vec(),
            }
        }
    }
}

/// What came of a swarm.
#[derive(Debug, Default)]
pub struct Swarm {
    pub runs: u64,
    pub deliveries: u64,
    /// The first seed that failed, and how.
    pub failed: Option<(u64, Violation)>,
}

/// Runs `runs` seeds from `first` on, until one fails. `progress` is told after each.
pub fn swarm(first: u64, runs: u64, plant: Option<Plant>, mut progress: impl FnMut(&Swarm)) -> Swarm {
    let mut swarm = Swarm::default();
    for seed in first..first.saturating_add(runs) {
        let outcome = run(seed, plant, false);
        swarm.runs += 1;
        swarm.deliveries += outcome.deliveries;
        if let Err(violation) = outcome.result {
            swarm.failed = Some((seed, violation));
            break;
        }
        progress(&swarm);
    }
    swarm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::NOTICED;

    #[test]
    fn a_run_gives_the_same_bytes_each_time_and_another_seed_others() {
        for seed in 0..12 {
            let (one, two, other) = (run(seed, None, false), run(seed, None, true), run(seed + 1_000, None, false));
            assert_eq!((&one.digest, one.deliveries), (&two.digest, two.deliveries), "seed {seed}");
            assert_ne!(one.digest, other.digest);
        }
    }

    #[test]
    fn every_planted_mistake_is_noticed_by_its_checker_and_again_when_replayed() {
        for (plant, rule) in NOTICED {
            let (seed, violation) = swarm(0, 40, Some(*plant), |_| ()).failed.expect("40 runs notice it");
            assert_eq!(violation.broken.rule, *rule, "{plant:?}: {violation}");
            assert_eq!(run(seed, Some(*plant), true).result, Err(violation), "{plant:?}, replayed");
        }
    }
}
