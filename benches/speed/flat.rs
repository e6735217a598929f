//! `wrap_flat` and `unwrap_flat`: a channel with 100,000 messages against one with 100.

use std::hint::black_box;

use bytes::Bytes;
use sds::Config;
use sds::types::Profile;

use crate::common::chat::{ALICE, BOB, Member, config};
use crate::common::figure::{Figure, worst};
use crate::common::timing::{ratio, time_both};

const ROUNDS: usize = 5;
const BATCH: usize = 32;
/// Small enough for the greater channel not to double what it holds.
const BATCHES: usize = 2_048 / BATCH;
const FEW: usize = 100;
const MANY: usize = 100_000;
const UNACKNOWLEDGED: usize = 8;
const STEP_MS: u64 = 5;
const LIMIT: f64 = 1.3;

/// Limits that hold all messages, and filters of one size: in the rfc profile there is but one, and in the libsds profile
/// the capacity is at its least from the start. Both channels keep as many messages whole: few enough for the smaller one,
/// too, to drop one for each that it takes in.
fn limits(name: &str, profile: Profile) -> Config {
    let bloom_capacity = if profile == Profile::Rfc { 10_000 } else { 64 };
    Config { log_messages: 200_000, seen_limit: 200_000, log_bytes: 64 << 10, bloom_capacity, ..config(name) }
}

fn member(name: &'static str, profile: Profile) -> Member {
    Member::new(name, profile, STEP_MS, limits(name, profile))
}

fn each_profile(name: &str, measure: impl Fn(Profile) -> f64) -> Vec<Figure> {
    let each = [Profile::Rfc, Profile::Libsds].map(|profile| (profile.name().to_owned(), measure(profile)));
    worst(name, "ratio", LIMIT, &each)
}

/// The first messages of a member, of which there are always the same: a small channel is made anew for every batch.
fn first_messages(profile: Profile) -> Vec<Bytes> {
    member(BOB, profile).send(FEW + BATCH)
}

fn small(profile: Profile, messages: &[Bytes]) -> Member {
    let mut alice = member(ALICE, profile);
    alice.receive(&messages[..FEW]);
    alice.send_unacknowledged(UNACKNOWLEDGED);
    alice
}

fn large(profile: Profile) -> (Member, Member) {
    let (mut alice, mut bob) = (member(ALICE, profile), member(BOB, profile));
    alice.receive_from(&mut bob, MANY);
    alice.send_unacknowledged(UNACKNOWLEDGED);
    (alice, bob)
}

/// The cost of wrapping in a channel that has received 100,000 messages, over that in one that has received 100. Both
/// have the same number of unacknowledged messages, and none that wait.
pub fn wrap() -> Vec<Figure> {
    each_profile("wrap_flat", |profile| {
        let first = first_messages(profile);
        let (mut many, _) = large(profile);
        ratio(ROUNDS, BATCHES, |turn| {
            let mut few = small(profile, &first);
            let (ids_many, ids_few) = (many.next_ids(BATCH), few.next_ids(BATCH));
            let times = time_both(turn, || wrap_all(&mut many, &ids_many), || wrap_all(&mut few, &ids_few));
            many.settle(&ids_many);
            times
        })
    })
}

fn wrap_all(member: &mut Member, ids: &[String]) {
    ids.iter().for_each(|id| drop(black_box(member.wrap(id))));
}

/// The same for unwrapping messages whose dependencies are met.
pub fn unwrap() -> Vec<Figure> {
    each_profile("unwrap_flat", |profile| {
        let first = first_messages(profile);
        let (mut many, mut bob) = large(profile);
        ratio(ROUNDS, BATCHES, |turn| {
            let mut few = small(profile, &first);
            let next = bob.send(BATCH);
            time_both(turn, || unwrap_all(&mut many, &next), || unwrap_all(&mut few, &first[FEW..]))
        })
    })
}

fn unwrap_all(member: &mut Member, messages: &[Bytes]) {
    messages.iter().for_each(|bytes| {
        black_box(member.unwrap(bytes));
    });
}
