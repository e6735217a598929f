//! The filter that goes out: what it covers, how large it is, what brings an id back into it.

use sds::Manager;
use sds::bloom::FilterView;
use sds::output::Disposition;
use sds::types::Profile;

use crate::common::*;

const LIBSDS: Profile = Profile::Libsds;

fn small(profile: Profile) -> Manager {
    member_with("alice", |config| {
        config.profile = profile;
        config.ack_window_ms = MINUTE;
    })
}

#[test]
fn it_covers_the_ids_of_the_window() {
    for profile in BOTH {
        let alice = small(profile);
        receive(&alice, &forged("old").of(profile).bytes(), NOW);
        receive(&alice, &forged("new").of(profile).bytes(), NOW + 30 * SECOND);
        let sent = send(&alice, "m", NOW + MINUTE - 1);
        assert!(filter_holds(&sent.bytes, "old"), "{profile:?}");
        let sent = send(&alice, "m2", NOW + 85 * SECOND);
        assert!(filter_holds(&sent.bytes, "new"), "{profile:?}");
        let sent = send(&alice, "m3", NOW + 10 * MINUTE);
        assert!(["old", "new", "m"].iter().all(|id| !filter_holds(&sent.bytes, id)), "{profile:?}");
    }
}

#[test]
fn a_duplicate_that_left_the_window_is_put_back_and_is_confirmed_again() {
    for profile in BOTH {
        let alice = small(profile);
        let bytes = forged("old").of(profile).bytes();
        receive(&alice, &bytes, NOW);
        let later = NOW + 10 * MINUTE;
        assert!(!filter_holds(&send(&alice, "m", later).bytes, "old"));
        assert_eq!(disposition(&alice, &bytes, later), Disposition::Duplicate);
        if profile == Profile::Rfc {
            assert!(alice.next_deadline().unwrap() <= later + CONFIRMED_BY, "its sender did not hear of it");
        }
        assert!(filter_holds(&send(&alice, "m2", later).bytes, "old"), "{profile:?}: a resend earns a new ack");
    }
}

#[test]
fn at_most_64_a_minute_are_put_back() {
    let alice = small(LIBSDS);
    let all: Vec<_> = (0..100).map(|number| forged(&format!("m{number}")).of(LIBSDS).bytes()).collect();
    all.iter().for_each(|bytes| drop(receive(&alice, bytes, NOW)));
    let later = (NOW + 10 * MINUTE).next_multiple_of(MINUTE);
    send(&alice, "sweep", later);
    // One every 100 ms: what counts is the minute.
    all.iter().zip((later..).step_by(100)).for_each(|(bytes, at)| drop(receive(&alice, bytes, at)));
    let sent = send(&alice, "mine", later + 10 * SECOND);
    let back = (0..100).filter(|number| filter_holds(&sent.bytes, &format!("m{number}"))).count();
    assert!((64..=66).contains(&back), "{back}, a false positive or two included");
    all.iter().for_each(|bytes| drop(receive(&alice, bytes, later + MINUTE - 1)));
    all[70..].iter().for_each(|bytes| drop(receive(&alice, bytes, later + MINUTE)));
    let sent = send(&alice, "mine too", later + MINUTE);
    assert!(filter_holds(&sent.bytes, "m70") && filter_holds(&sent.bytes, "m99"), "a new minute, a new allowance");
}

#[test]
fn duplicates_within_the_window_do_not_use_up_the_allowance() {
    let alice = small(LIBSDS);
    let old = forged("old").of(LIBSDS).bytes();
    receive(&alice, &old, NOW);
    let later = (NOW + 10 * MINUTE).next_multiple_of(MINUTE);
    let fresh = forged("fresh").of(LIBSDS).bytes();
    // What gossip does every day: each message comes in more than once.
    (0..100).for_each(|_| drop(receive(&alice, &fresh, later)));
    receive(&alice, &old, later);
    assert!(filter_holds(&send(&alice, "mine", later).bytes, "old"));
}

#[test]
fn a_quiet_libsds_channel_carries_little() {
    let alice = member_of(LIBSDS, "alice");
    let empty = send(&alice, "m0", NOW);
    assert!(empty.bytes.len() < 80, "{}", empty.bytes.len());
    let (mut last, mut lengths) = (0, Vec::new());
    for number in 1..=10_000 {
        receive(&alice, &forged(&format!("r{number}")).of(LIBSDS).bytes(), NOW);
        if [20, 64, 1_000, 10_000].contains(&number) {
            let sent = send(&alice, &format!("mine {number}"), NOW);
            let length = decode(&sent.bytes).1.bloom_filter.unwrap().len();
            assert!(length >= last);
            last = length;
            lengths.push(length);
        }
    }
    assert!(lengths[0] < 180 && lengths[1] < 350 && lengths[2] < 2_500 && lengths[3] < 19_000, "{lengths:?}");
}

#[test]
fn an_rfc_channel_always_carries_the_one_size() {
    let alice = member_with("alice", |config| config.bloom_capacity = 64);
    for number in 0..70 {
        let sent = send(&alice, &format!("m{number}"), NOW);
        assert_eq!(decode(&sent.bytes).1.bloom_filter.unwrap().len(), 18_752);
    }
}

#[test]
fn an_installation_has_a_prime_number_of_bits_of_its_own() {
    let bits = |seed: u64| {
        let alice = member_with("alice", |config| {
            config.profile = LIBSDS;
            config.seed = Some(seed);
        });
        send(&alice, "m1", NOW);
        let sent = send(&alice, "m2", NOW);
        let filter = decode(&sent.bytes).1.bloom_filter.unwrap().to_vec();
        FilterView::parse(LIBSDS, &filter, filter.len()).unwrap().unwrap().bits()
    };
    let mut all: Vec<_> = (0..30).map(bits).collect();
    assert_eq!(bits(7), bits(7), "and keeps it");
    assert!(all.iter().all(|bits| (2..*bits).all(|divisor| bits % divisor != 0)), "{all:?}");
    all.sort();
    all.dedup();
    assert!(all.len() > 3, "{all:?}");
}
