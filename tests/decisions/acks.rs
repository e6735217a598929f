//! What counts as evidence that somebody has a message of ours, and how much.

use sds::Manager;
use sds::output::{Event, MessageState};
use sds::types::Profile;

use crate::common::*;

const LIBSDS: Profile = Profile::Libsds;

/// Gives alice a libsds message with a filter; a new id each time.
fn hear(alice: &Manager, id: &str, sender: &str, filter: &[u8]) {
    receive(alice, &forged(id).of(LIBSDS).by(sender).filter(filter).bytes(), NOW);
}

fn probability(alice: &Manager) -> f64 {
    alice.message_status(CHANNEL, "m").unwrap().probability
}

fn alice() -> Manager {
    let alice = member_of(LIBSDS, "alice");
    send(&alice, "m", NOW);
    alice
}

#[test]
fn filters_of_equal_size_count_once_and_the_best_of_them() {
    let alice = alice();
    let weak = libsds_filter(967, &["m"], 40);
    let strong = libsds_filter(967, &["m"], 10);
    let (p, q) = (false_chance(LIBSDS, &weak, "m"), false_chance(LIBSDS, &strong, "m"));
    assert!(p > 2.0 * q && q > 1e-6);
    hear(&alice, "r1", "bob", &weak);
    assert_eq!(probability(&alice), 1.0 - p);
    assert_eq!(events(&alice).len(), 1);
    for number in 0..10 {
        hear(&alice, &format!("weak {number}"), &format!("peer {number}"), &weak);
    }
    assert_eq!(probability(&alice), 1.0 - p, "they all make the same mistake");
    hear(&alice, "r2", "carol", &strong);
    assert_eq!(probability(&alice), 1.0 - q);
    hear(&alice, "r3", "dave", &weak);
    assert_eq!(probability(&alice), 1.0 - q);
    let stronger = libsds_filter(967, &["m"], 9);
    hear(&alice, "r4", "dave", &stronger);
    assert_eq!(
        probability(&alice),
        1.0 - false_chance(LIBSDS, &stronger, "m"),
        "the same member, who knows better now"
    );
    assert_eq!(state(&alice, "m"), MessageState::PossiblyAcknowledged);
    assert!(events(&alice).is_empty(), "one fact, told once");
}

#[test]
fn filters_of_different_sizes_multiply() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.ack_false_positive = 1e-12;
    });
    send(&alice, "m", NOW);
    let mut expected = 1.0;
    for (number, bits) in [967, 1_009, 971].into_iter().enumerate() {
        assert_eq!(state(&alice, "m") == MessageState::Acknowledged, expected < 1e-12);
        let filter = libsds_filter(bits, &["m"], 20);
        expected *= false_chance(LIBSDS, &filter, "m");
        hear(&alice, &format!("r{number}"), "bob", &filter);
        if expected >= 1e-12 {
            assert!((1.0 - probability(&alice) - expected).abs() < 1e-15, "{number}");
        }
    }
    assert_eq!(state(&alice, "m"), MessageState::Acknowledged, "{expected}");
    assert!(expected < 1e-12);
}

#[test]
fn the_bound_of_certainty_is_the_configured_one() {
    let filter = libsds_filter(967, &["m"], 20);
    let chance = false_chance(LIBSDS, &filter, "m");
    for (bound, expected) in [
        (chance * 1.01, MessageState::Acknowledged),
        (chance, MessageState::PossiblyAcknowledged),
        (chance * 0.99, MessageState::PossiblyAcknowledged),
    ] {
        let alice = member_with("alice", |config| {
            config.profile = LIBSDS;
            config.ack_false_positive = bound;
        });
        send(&alice, "m", NOW);
        hear(&alice, "r", "bob", &filter);
        assert_eq!(state(&alice, "m"), expected, "{bound} for {chance}");
        send(&alice, "m2", NOW);
        let (weak, strong) = (libsds_filter(967, &["m2"], 40), libsds_filter(967, &["m2"], 20));
        hear(&alice, "r2", "bob", &weak);
        assert_eq!(state(&alice, "m2"), MessageState::PossiblyAcknowledged);
        hear(&alice, "r3", "carol", &strong);
        let strong_enough = false_chance(LIBSDS, &strong, "m2") < bound;
        assert_eq!(
            state(&alice, "m2") == MessageState::Acknowledged,
            strong_enough,
            "by a better one of the same size"
        );
    }
}

#[test]
fn evidence_counts_for_what_it_is_worth_for_that_message() {
    // In a filter of 120 bits the probes for some ids fall on the same few bits, which are easily set by others.
    let filter = |id: &str| libsds_filter(120, &[id], 12);
    let chance = |id: &String| false_chance(LIBSDS, &filter(id), id);
    let ids = ids("m", 100);
    let by_chance = |a: &&String, b: &&String| chance(a).total_cmp(&chance(b));
    let (best, worst) = (ids.iter().min_by(by_chance).unwrap(), ids.iter().max_by(by_chance).unwrap());
    let (low, high) = (chance(best), chance(worst));
    assert!(high > 3.0 * low, "{low} {high}");
    for id in [best, worst] {
        let alice = member_of(LIBSDS, "alice");
        send(&alice, id, NOW);
        hear(&alice, "r", "bob", &filter(id));
        assert_eq!(alice.message_status(CHANNEL, id).unwrap().probability, 1.0 - chance(id), "{id}");
    }
}

#[test]
fn a_filter_that_holds_everything_says_nothing() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "m", NOW);
        let ones = match profile {
            Profile::Rfc => vec![0xff; 18_752],
            Profile::Libsds => {
                let mut filter = libsds_filter(967, &[], 0);
                filter[3..3 + 128].fill(0xff);
                filter
            }
        };
        assert_eq!(false_chance(profile, &ones, "m"), 1.0, "{profile:?}");
        for number in 0..5 {
            let id = format!("r{number}");
            receive(&alice, &forged(&id).of(profile).filter(&ones).bytes(), NOW);
        }
        assert_eq!(state(&alice, "m"), MessageState::Unacknowledged, "{profile:?}");
        assert!(alice.message_status(CHANNEL, "m").unwrap().acknowledgers.is_empty());
        assert!(events(&alice).is_empty());
    }
}

#[test]
fn a_replay_is_no_evidence() {
    let alice = alice();
    let old = forged("r").of(LIBSDS).bytes();
    receive(&alice, &old, NOW);
    // The same id once more, now with evidence in it.
    let doctored = forged("r").of(LIBSDS).after(&["m"]).filter(&libsds_filter(967, &["m"], 20)).bytes();
    receive(&alice, &doctored, NOW);
    assert_eq!(state(&alice, "m"), MessageState::Unacknowledged);
    let sync = forged("s").of(LIBSDS).sync().filter(&libsds_filter(967, &["m"], 20)).bytes();
    receive(&alice, &sync, NOW);
    let once = probability(&alice);
    for _ in 0..20 {
        receive(&alice, &sync, NOW);
    }
    assert_eq!((probability(&alice), state(&alice, "m")), (once, MessageState::PossiblyAcknowledged));
}

#[test]
fn our_own_messages_and_those_who_claim_our_id_are_no_evidence() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "m", NOW);
        let next = send(&alice, "next", NOW);
        assert_eq!(history(&next.bytes), ["m"]);
        receive(&alice, &next.bytes, NOW);
        receive(&alice, &forged("claimed").of(profile).by("alice").after(&["m"]).bytes(), NOW);
        receive(&alice, &forged("claimed sync").of(profile).by("alice").sync().after(&["m"]).bytes(), NOW);
        let ephemeral = forged("e").by("bob").ephemeral().after(&["m"]);
        receive(&alice, &ephemeral.bytes(), NOW);
        assert_eq!(state(&alice, "m"), MessageState::Unacknowledged, "{profile:?}");
    }
}

#[test]
fn a_refused_filter_is_left_out_and_counted() {
    let alice = alice();
    hear(&alice, "r", "bob", &libsds_filter(967, &["m"], 20)[..30]);
    assert_eq!((state(&alice, "m"), status(&alice).filters_refused), (MessageState::Unacknowledged, 1));
    assert_eq!(log(&alice).len(), 2, "the message itself is taken");
}

#[test]
fn who_acknowledged_can_be_asked() {
    let alice = alice();
    hear(&alice, "r1", "bob", &libsds_filter(967, &["m"], 20));
    hear(&alice, "r2", "carol", &libsds_filter(967, &["m"], 20));
    hear(&alice, "r3", "dave", &libsds_filter(967, &["another"], 20));
    receive(&alice, &forged("r4").of(LIBSDS).by("eve").after(&["m"]).bytes(), NOW);
    receive(&alice, &forged("r5").of(LIBSDS).by("bob").after(&["m"]).bytes(), NOW);
    let who = alice.message_status(CHANNEL, "m").unwrap().acknowledgers;
    let who: Vec<_> = who.iter().map(|it| (&*it.participant_id, it.certain)).collect();
    assert_eq!(who, [("bob", true), ("carol", false), ("eve", true)], "in the order heard, each once");
}

#[test]
fn participants_remembered_are_bounded() {
    let alice = member_with("alice", |config| config.max_acknowledgers = 3);
    send(&alice, "m", NOW);
    for number in 0..5 {
        let (id, sender) = (format!("r{number}"), format!("peer {number}"));
        receive(&alice, &forged(&id).by(&sender).after(&["m"]).bytes(), NOW);
    }
    assert_eq!(alice.message_status(CHANNEL, "m").unwrap().acknowledgers.len(), 3);
}

#[test]
fn one_rfc_filter_of_few_ids_is_certain_enough() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    let filter = rfc_filter(&["m"], 10);
    assert!(false_chance(Profile::Rfc, &filter, "m") < 1e-6);
    receive(&alice, &forged("r").filter(&filter).bytes(), NOW);
    assert_eq!(events(&alice), [Event::Acknowledged { message_id: "m".into() }]);
}

#[test]
fn filters_of_the_other_profile_count_too() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    hear(&alice, "r", "bob", &libsds_filter(967, &["m"], 20));
    assert_eq!(state(&alice, "m"), MessageState::PossiblyAcknowledged);
}
