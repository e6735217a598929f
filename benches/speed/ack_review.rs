//! `ack_review`: what each unacknowledged message of ours costs per received filter, against probing a filter once.

use std::hint::black_box;

use sds::Config;
use sds::bloom::{FilterView, HashKind, ItemHash};
use sds::types::Profile;

use crate::common::chat::{ALICE, BOB, Member, config, message_id};
use crate::common::figure::{Figure, worst};
use crate::common::prost_message::Either;
use crate::common::timing::{median, time};

const ROUNDS: usize = 201;
const BATCH: usize = 16;
const UNACKNOWLEDGED: usize = 1_000;
/// Ids in the sender's filter that are known to be there, to probe for.
const PROBED: usize = 1_000;
const STEP_MS: u64 = 5;
const CAROL: &str = "participant-0003";
const LIMIT: f64 = 2.0;

/// Whether the sender has received our messages.
#[derive(Clone, Copy)]
enum Held {
    /// No: probing ends at the first bit that is not set.
    None,
    /// Yes: every one passes all k probes, and is weighed as evidence.
    All,
}

/// The time to unwrap a message with 1,000 unacknowledged messages of ours, less that with none, per message of ours;
/// over the time that it takes to ask that message's filter for an id that it holds, with the id's hashes at hand: k
/// probes. Both over ids that fit the caches, in turn.
pub fn figures() -> Vec<Figure> {
    let mut each = Vec::new();
    for profile in [Profile::Rfc, Profile::Libsds] {
        for (name, held) in [("none_held", Held::None), ("all_held", Held::All)] {
            each.push((format!("{}_{name}", profile.name()), measure(profile, held)));
        }
    }
    worst("ack_review", "ratio", LIMIT, &each)
}

fn measure(profile: Profile, held: Held) -> f64 {
    // Filters of several sizes, which the sender's has while it grows, would acknowledge them for good.
    let patient = |name| Config { ack_false_positive: f64::MIN_POSITIVE, ..config(name) };
    let member = |name| Member::new(name, profile, STEP_MS, patient(name));
    let (mut alice, mut bob, mut carol) = (member(ALICE), member(BOB), member(CAROL));
    // Three more, since the sender's next message names the last three, which are then acknowledged for certain.
    let ours = alice.send_unacknowledged(UNACKNOWLEDGED + if matches!(held, Held::All) { 3 } else { 0 });
    if matches!(held, Held::All) {
        bob.receive(&ours);
        carol.receive(&ours);
    }
    let first = bob.send(PROBED);
    alice.receive(&first);
    carol.receive(&first);
    assert_eq!(unacknowledged(&alice), UNACKNOWLEDGED as u64);
    let probed: Vec<_> = (0..PROBED as u64).map(|n| ItemHash::of(HashKind::of(profile), &message_id(BOB, n))).collect();
    median((0..ROUNDS).map(|_| round(profile, &mut alice, &mut bob, &mut carol, &probed)).collect())
}

fn unacknowledged(member: &Member) -> u64 {
    member.manager.channel_status(crate::common::chat::CHANNEL).expect("open").unacknowledged
}

fn round(profile: Profile, alice: &mut Member, bob: &mut Member, carol: &mut Member, probed: &[ItemHash]) -> f64 {
    let messages = bob.send(BATCH);
    let with = time(|| {
        messages.iter().for_each(|bytes| {
            black_box(alice.unwrap(bytes));
        })
    });
    let without = time(|| {
        messages.iter().for_each(|bytes| {
            black_box(carol.unwrap(bytes));
        })
    });
    let last = Either::decode(profile, &messages[BATCH - 1]);
    let filter = FilterView::parse(profile, last.filter(), usize::MAX).expect("ours").expect("not empty");
    let probe = time(|| {
        for _ in 0..BATCH {
            probed.iter().for_each(|item| assert!(black_box(filter.contains(black_box(item)))));
        }
    });
    let reviews = (BATCH * UNACKNOWLEDGED) as f64;
    let probes = (BATCH * PROBED) as f64;
    ((with.as_secs_f64() - without.as_secs_f64()) / reviews) / (probe.as_secs_f64() / probes)
}
