//! The engine against a model.
//!
//! Random histories of two to eight participants run over a made-up network that loses, repeats, reorders and falls
//! apart, while participants vanish and come back and clocks jump. The model ([`facts`]) remembers what was sent and what
//! each participant told its host, and nothing else; after every single call, the laws ([`laws`]) compare. At the end all
//! is healed and must become equal and quiet ([`rest`]).
//!
//! The histories are the same in every run, so that a change that has nothing to do with them does not fail by chance;
//! `PROPTEST_RNG_SEED` in the environment takes others, as for a long run:
//! `PROPTEST_RNG_SEED=7 PROPTEST_CASES=5000 cargo test --release --test model`. A history that fails is shrunk and
//! printed; its seed is added to `regressions.txt` beside this file, to be run first from then on.

#[path = "../common/mod.rs"]
mod common;

mod call;
mod facts;
mod false_positives;
mod group;
mod history;
mod laws;
mod member;
mod network;
mod packet;
mod rest;
mod twins;

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};

use group::Group;
use history::histories;

/// Where the histories of an ordinary run come from.
const SEED: u64 = 109;

/// `PROPTEST_CASES` in the environment takes the place of `cases`.
fn config(cases: u32) -> ProptestConfig {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model/regressions.txt");
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        max_shrink_iters: 20_000,
        rng_seed: match ProptestConfig::default().rng_seed {
            RngSeed::Random => RngSeed::Fixed(SEED),
            chosen => chosen,
        },
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn every_history_keeps_the_laws_and_comes_to_rest(history in histories()) {
        let mut group = Group::new(&history);
        group.run(&history.steps)?;
        group.come_to_rest()?;
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn equal_calls_give_equal_bytes_however_rarely_the_host_drains(history in histories()) {
        let mut group = Group::new(&history);
        group.run(&history.steps)?;
        for member in &group.members {
            twins::replay(member)?;
        }
    }
}
