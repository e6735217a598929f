//! Limits of a channel and of the output queue: each is reached, nothing grows beyond it, and its count tells.

use sds::config::{MAX_EVIDENCE, MAX_LITTLE_NAMED, MAX_OWN_SYNC, MAX_UNCONFIRMED};
use sds::ffi::sds_status_t;
use sds::output::{Disposition, MessageState};
use sds::types::Profile;
use sds::{Error, Manager};

use crate::common::*;

/// Takes in messages with content "0", "1" and so on, of `ids`.
fn take_in(manager: &Manager, ids: std::ops::Range<usize>, now_ms: u64) {
    for id in ids {
        receive(manager, &forged(&id.to_string()).at(now_ms).bytes(), now_ms);
    }
}

#[test]
fn messages_beyond_log_messages_leave_the_log_and_are_counted() {
    let alice = member_with("alice", |config| config.log_messages = 10);
    take_in(&alice, 0..10, NOW);
    assert_eq!((status(&alice).logged, status(&alice).log_evicted), (10, 0));
    take_in(&alice, 10..15, NOW);
    assert_eq!((status(&alice).logged, status(&alice).log_evicted), (10, 5));
    assert_eq!(disposition(&alice, &forged("0").bytes(), NOW), Disposition::Duplicate, "still known");
}

#[test]
fn whole_messages_beyond_log_bytes_are_dropped_and_counted() {
    let content = [7; 1_000];
    let alice = member_with("alice", |config| config.log_bytes = 3_500);
    for id in ["a", "b", "c", "d", "e"] {
        receive(&alice, &forged(id).content(&content).bytes(), NOW);
    }
    assert_eq!((status(&alice).logged, status(&alice).whole_dropped), (5, 2));
    assert!(dump(&alice)["whole_messages_bytes"].as_u64().unwrap() <= 3_500);
}

#[test]
fn whole_messages_dropped_while_they_wait_are_counted_too() {
    let alice = member_with("alice", |config| {
        config.max_message_bytes = 64 << 10;
        config.max_filter_bytes = 64 << 10;
        config.max_waiting_bytes = 64 << 10;
    });
    let filter = rfc_filter(&[], 0);
    for id in ["a", "b", "c", "d"] {
        receive(&alice, &forged(id).filter(&filter).after(&["x"]).bytes(), NOW);
    }
    let it = status(&alice);
    assert_eq!((it.waiting, it.delivered_early), (4, 0), "their contents are small");
    assert_eq!(it.whole_dropped, 1, "three of 18,752 bytes and more are kept");
}

#[test]
fn ids_beyond_seen_limit_are_forgotten_and_counted() {
    let alice = member_with("alice", |config| {
        config.log_messages = 10;
        config.seen_limit = 20;
    });
    take_in(&alice, 0..30, NOW);
    assert_eq!(status(&alice).ids_forgotten, 0);
    take_in(&alice, 30..33, NOW);
    assert_eq!(status(&alice).ids_forgotten, 3);
    assert_eq!(disposition(&alice, &forged("3").bytes(), NOW), Disposition::Duplicate, "the oldest that is known");
    assert_eq!(disposition(&alice, &forged("2").bytes(), NOW), Disposition::Delivered, "as if it were new");
}

#[test]
fn ids_beyond_bloom_capacity_leave_the_filter_and_are_counted() {
    for profile in BOTH {
        let alice = member_with("alice", |config| {
            config.profile = profile;
            config.bloom_capacity = 100;
        });
        take_in(&alice, 0..100, NOW);
        assert_eq!(status(&alice).filter_evicted, 0, "{profile:?}");
        take_in(&alice, 100..101, NOW);
        assert_eq!(status(&alice).filter_evicted, 20, "{profile:?}: a fifth, so that this is rare");
        let sent = send(&alice, "ours", NOW);
        assert!(!filter_holds(&sent.bytes, "0") && filter_holds(&sent.bytes, "100"), "{profile:?}");
    }
}

#[test]
fn duplicates_beyond_refilter_per_minute_stay_out_of_the_filter_and_are_counted() {
    let alice = member_with("alice", |config| config.refilter_per_minute = 5);
    take_in(&alice, 0..8, NOW);
    let later = NOW + 11 * MINUTE;
    take_in(&alice, 0..8, later);
    assert_eq!((status(&alice).duplicates, status(&alice).refilters_refused), (8, 3));
    let sent = send(&alice, "ours", later);
    assert!(filter_holds(&sent.bytes, "4") && !filter_holds(&sent.bytes, "5"));
}

#[test]
fn participants_beyond_max_acknowledgers_are_counted_and_not_named() {
    let alice = member_with("alice", |config| config.max_acknowledgers = 4);
    send(&alice, "ours", NOW);
    for number in 0..7 {
        let (id, who) = (format!("m{number}"), format!("member {number}"));
        receive(&alice, &forged(&id).by(&who).after(&["ours"]).bytes(), NOW);
    }
    assert_eq!(alice.message_status(CHANNEL, "ours").unwrap().acknowledgers.len(), 4);
    assert_eq!(status(&alice).evidence_dropped, 3);
    assert_eq!(state(&alice, "ours"), MessageState::Acknowledged);
}

#[test]
fn filters_of_more_sizes_than_max_evidence_are_counted_and_add_nothing() {
    let alice = member_with("alice", |config| {
        config.profile = Profile::Libsds;
        config.ack_false_positive = f64::MIN_POSITIVE;
    });
    send(&alice, "ours", NOW);
    let hear = |number: usize| {
        let bits = 64 * (number + 10) - 1;
        // So full that each is worth little, and one more would show.
        let (id, filter) = (format!("m{number}"), libsds_filter(bits as u64, &["ours"], bits / 5));
        receive(&alice, &forged(&id).of(Profile::Libsds).at(NOW).sync().filter(&filter).bytes(), NOW);
        alice.message_status(CHANNEL, "ours").unwrap()
    };
    (0..MAX_EVIDENCE - 1).for_each(|number| drop(hear(number)));
    let enough = hear(MAX_EVIDENCE - 1);
    assert_eq!((enough.state, status(&alice).evidence_dropped), (MessageState::PossiblyAcknowledged, 0));
    assert!(enough.probability < 1.0 - 1e-13, "{}", enough.probability);
    assert_eq!(hear(MAX_EVIDENCE), enough);
    assert_eq!(status(&alice).evidence_dropped, 1);
}

#[test]
fn messages_to_be_confirmed_beyond_max_unconfirmed_are_counted_and_confirmed_all_the_same() {
    let alice = member("alice");
    take_in(&alice, 0..MAX_UNCONFIRMED, NOW);
    assert_eq!(status(&alice).confirmations_dropped, 0);
    take_in(&alice, MAX_UNCONFIRMED..MAX_UNCONFIRMED + 6, NOW);
    assert_eq!(status(&alice).confirmations_dropped, 6);
    let sent = run(&alice, NOW + 3 * SECOND);
    assert_eq!(sent.len(), 1);
    assert!((0..MAX_UNCONFIRMED + 6).all(|id| filter_holds(&sent[0].1.bytes, &id.to_string())));
}

#[test]
fn messages_to_be_named_beyond_max_little_named_are_counted() {
    let alice = member("alice");
    take_in(&alice, 0..MAX_LITTLE_NAMED, NOW);
    assert_eq!(status(&alice).namings_dropped, 0);
    take_in(&alice, MAX_LITTLE_NAMED..MAX_LITTLE_NAMED + 5, NOW);
    assert_eq!(status(&alice).namings_dropped, 5);
    let named = history(&send(&alice, "ours", NOW).bytes);
    assert!(named.contains(&"5".to_owned()) && !named.contains(&"4".to_owned()), "{named:?}");
}

#[test]
fn sync_messages_of_our_own_are_known_again_up_to_max_own_sync() {
    // Without a participant id nothing but its id tells an echo.
    let alice = member_with("", |config| config.repair = false);
    let sync = |at_ms| {
        let sent = run(&alice, at_ms);
        sent.into_iter().map(|(_, transmit)| transmit.bytes).collect::<Vec<_>>()
    };
    receive(&alice, &forged("m").bytes(), NOW);
    let sent = sync(NOW + (MAX_OWN_SYNC as u64 + 10) * 2 * 1_800 * SECOND);
    assert!(sent.len() > MAX_OWN_SYNC + 1, "{}", sent.len());
    let (now_ms, known) = (lamport(&alice), sent.len() - MAX_OWN_SYNC);
    assert_eq!(disposition(&alice, &sent[known], now_ms), Disposition::Own);
    assert_eq!(disposition(&alice, &sent[known - 1], now_ms), Disposition::Sync, "taken for somebody else's");
}

#[test]
fn outputs_beyond_max_output_bytes_refuse_calls_and_lose_nothing() {
    let alice = member_with("alice", |config| {
        config.max_message_bytes = 64 << 10;
        config.max_filter_bytes = 64 << 10;
        config.max_output_bytes = 64 << 10;
        config.max_waiting_messages = 1;
    });
    let content = [7; 30_000];
    let told = |id| alice.unwrap_incoming(&forged(id).content(&content).after(&["x"]).bytes(), NOW).map(drop);
    ["a", "b", "c"].into_iter().for_each(|id| told(id).unwrap());
    // Two were delivered early, and wait to be drained.
    assert_eq!(told("d"), Ok(()));
    let full = refused(&alice, || told("e"));
    assert_eq!(full, Error::OutputBytesFull(64 << 10));
    assert_eq!(sds_status_t::from(&full), sds_status_t::SDS_OUTPUTS_FULL);
    assert!(matches!(alice.wrap_outgoing(CHANNEL, None, b"x", NOW), Err(Error::OutputBytesFull(_))));
    assert_eq!(delivered(&events(&alice)), ["a", "b", "c"]);
    assert_eq!(told("e"), Ok(()), "once it is drained");
    alice.drain_while(|_, _| true);
    assert_eq!(told("f"), Ok(()));
}
