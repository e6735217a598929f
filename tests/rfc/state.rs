//! *Participant state*: what every member keeps for a channel.

use sds::bloom::{FilterView, ItemHash};
use sds::output::{ChannelOptions, Disposition, MessageState};
use sds::types::Profile;

use crate::common::*;

#[test]
fn s1_the_clock_of_each_channel_starts_at_the_epoch_time_in_milliseconds() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        assert_eq!(lamport(&alice), NOW);
        alice.open_channel("later", ChannelOptions::default(), NOW + 12_345).unwrap();
        assert_eq!(alice.channel_status("later").unwrap().lamport_timestamp_ms, NOW + 12_345);
        alice.wrap_outgoing("later", None, b"hi", NOW + 20_000).unwrap();
        assert_eq!(lamport(&alice), NOW, "each channel has its own");
    }
}

#[test]
fn s2_a_filter_of_received_ids_per_channel() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        alice.open_channel("other", ChannelOptions::default(), NOW).unwrap();
        receive(&alice, &forged("m").of(profile).bytes(), NOW);
        assert!(filter_holds(&send(&alice, "mine", NOW).bytes, "m"), "{profile:?}");
        assert!(!filter_holds(&send(&alice, "mine too", NOW).bytes, "never received"), "{profile:?}");
        let elsewhere = alice.wrap_outgoing("other", None, b"hi", NOW).unwrap();
        assert!(!filter_holds(&elsewhere.bytes, "m"), "{profile:?}: another channel's filter");
    }
}

#[test]
fn s3_the_filter_rolls_over_at_its_capacity() {
    for profile in BOTH {
        let alice = member_with("alice", |config| {
            config.profile = profile;
            config.bloom_capacity = 64;
        });
        for number in 0..65 {
            receive(&alice, &forged(&format!("m{number}")).of(profile).bytes(), NOW);
        }
        let ids = dump(&alice)["filter"]["ids"].as_u64().unwrap();
        assert!((32..64).contains(&ids), "{profile:?}: {ids}");
        let sent = send(&alice, "mine", NOW);
        assert!(!filter_holds(&sent.bytes, "m0"), "{profile:?}: the oldest is out");
        for number in 33..65 {
            assert!(filter_holds(&sent.bytes, &format!("m{number}")), "{profile:?}: m{number}");
        }
    }
}

#[test]
fn s4_size_and_hashes_keep_false_positives_low() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        for number in 0..10_000 {
            receive(&alice, &forged(&format!("m{number}")).of(profile).bytes(), NOW);
        }
        let sent = send(&alice, "mine", NOW);
        let (_, message) = decode(&sent.bytes);
        let view = FilterView::parse(profile, message.bloom_filter.unwrap(), 128 << 10).unwrap().unwrap();
        let holds = |id: String| view.contains(&ItemHash::of(view.kind(), &id));
        assert_eq!((0..10_000).filter(|number| !holds(format!("m{number}"))).count(), 0, "{profile:?}");
        let wrong = (0..20_000).filter(|number| holds(format!("stranger {number}"))).count();
        assert!(wrong < 40, "{profile:?}: {wrong} of 20,000 strangers, 0.1 % being the promise");
    }
}

#[test]
fn s5_a_buffer_of_unacknowledged_outgoing_messages() {
    let alice = member("alice");
    let first = send(&alice, "m1", NOW);
    let second = send(&alice, "m2", NOW);
    assert_eq!(status(&alice).unacknowledged, 2);
    let resent = tick(&alice, NOW + 5 * SECOND);
    let mut bytes: Vec<_> = resent.iter().map(|transmit| transmit.bytes.clone()).collect();
    bytes.sort();
    let mut kept = vec![first.bytes, second.bytes];
    kept.sort();
    assert_eq!(bytes, kept, "whole messages are buffered");
}

#[test]
fn s6_a_buffer_of_incoming_messages_with_unmet_dependencies() {
    let alice = member("alice");
    assert_eq!(disposition(&alice, &forged("reply").after(&["question"]).bytes(), NOW), Disposition::Waiting);
    assert_eq!((status(&alice).waiting, status(&alice).logged), (1, 0));
    receive(&alice, &forged("question").bytes(), NOW);
    assert_eq!((status(&alice).waiting, status(&alice).logged), (0, 2));
}

#[test]
fn s7_a_log_for_each_channel_in_the_order_of_timestamps() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        alice.open_channel("other", ChannelOptions::default(), NOW).unwrap();
        // Neither the order of arrival nor that of the ids.
        for (id, second) in [("a", 3), ("d", 1), ("b", 4), ("c", 2)] {
            receive(&alice, &forged(id).of(profile).at(NOW + second * SECOND).bytes(), NOW + 10 * SECOND);
        }
        assert_eq!(log(&alice), ["d", "c", "a", "b"], "{profile:?}");
        assert_eq!(alice.channel_status("other").unwrap().logged, 0, "{profile:?}: each channel has its own");
    }
}

#[test]
fn s8_three_states_and_the_last_one_leaves_the_buffer() {
    let alice = member_of(Profile::Libsds, "alice");
    send(&alice, "m", NOW);
    assert_eq!(state(&alice, "m"), MessageState::Unacknowledged);
    let filter = libsds_filter(967, &["m"], 20);
    receive(&alice, &forged("r1").of(Profile::Libsds).filter(&filter).bytes(), NOW);
    assert_eq!(state(&alice, "m"), MessageState::PossiblyAcknowledged);
    assert_eq!((status(&alice).unacknowledged, status(&alice).possibly_acknowledged), (1, 1));
    receive(&alice, &forged("r2").of(Profile::Libsds).after(&["m"]).bytes(), NOW);
    assert_eq!(state(&alice, "m"), MessageState::Acknowledged);
    let now = status(&alice);
    assert_eq!((now.unacknowledged, now.possibly_acknowledged, now.acknowledged), (0, 0, 1));
    assert_eq!(dump(&alice)["outgoing"].as_array().unwrap().len(), 0);
}
