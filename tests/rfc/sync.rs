//! *Periodic Sync Message*.

use sds::Manager;
use sds::output::{Disposition, MessageState, Transmit, TransmitReason};
use sds::types::Profile;

use crate::common::*;

/// Alice with one message, acknowledged so that only sync messages go out.
fn alice_with_news(profile: Profile) -> Manager {
    let alice = member_with("alice", |config| {
        config.profile = profile;
        config.sync_in_libsds = true;
    });
    send(&alice, "m", NOW);
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    alice
}

/// Her next sync message, and when it went out.
fn next_sync(alice: &Manager) -> (Transmit, u64) {
    let due_ms = alice.next_deadline().expect("a sync message is due some time");
    let mut sent = tick(alice, due_ms);
    assert_eq!(sent.len(), 1);
    (sent.remove(0), due_ms)
}

#[test]
fn y1_sync_messages_go_out_periodically() {
    for profile in BOTH {
        let alice = alice_with_news(profile);
        let (first, at) = next_sync(&alice);
        assert_eq!(first.reason, TransmitReason::Sync);
        assert!((NOW + 30 * SECOND..=NOW + 60 * SECOND).contains(&at), "{profile:?}: after {} ms", at - NOW);
        let (second, later) = next_sync(&alice);
        assert!(later >= at + 30 * SECOND, "{profile:?}");
        assert_ne!(first.bytes, second.bytes);
    }
}

#[test]
fn y1_each_channel_sends_its_own() {
    let alice = alice_with_news(Profile::Rfc);
    alice.open_channel("other", Default::default(), NOW).unwrap();
    alice.wrap_outgoing("other", Some("m"), b"m", NOW).unwrap();
    alice.cancel("other", "m", NOW).unwrap();
    alice.tick(NOW + MINUTE).unwrap();
    let mut channels: Vec<_> = alice.drain().into_iter().map(|(channel_id, _)| channel_id.to_string()).collect();
    channels.sort();
    assert_eq!(channels, [CHANNEL, "other"]);
}

#[test]
fn y2_without_content() {
    for profile in BOTH {
        let (sync, _) = next_sync(&alice_with_news(profile));
        let (_, message) = decode(&sync.bytes);
        assert_eq!(message.payload(), None, "{profile:?}");
        assert_eq!(message.content.is_some(), profile == Profile::Libsds, "which insists on the field");
        assert_eq!((message.sender_id, message.channel_id), ("alice", CHANNEL));
    }
}

#[test]
fn y3_the_clock_is_raised_as_for_any_message() {
    for profile in BOTH {
        let alice = alice_with_news(profile);
        let (sync, at) = next_sync(&alice);
        let now = if profile == Profile::Rfc { at } else { at.next_multiple_of(SECOND) };
        assert_eq!(decode(&sync.bytes).1.lamport_timestamp_ms, Some(now), "{profile:?}: now");
        assert_eq!(lamport(&alice), now);
        let ahead = NOW + 9 * MINUTE;
        receive(&alice, &forged("ahead").of(profile).by("alice").at(ahead).bytes(), at);
        let (sync, _) = next_sync(&alice);
        let next = if profile == Profile::Rfc { ahead + 1 } else { ahead + SECOND };
        assert_eq!(decode(&sync.bytes).1.lamport_timestamp_ms, Some(next), "{profile:?}: the clock's next");
        assert_eq!(lamport(&alice), next);
    }
}

#[test]
fn y4_history_and_filter_as_usual() {
    for profile in BOTH {
        let alice = alice_with_news(profile);
        alice.set_retrieval_hint(CHANNEL, "m", b"hint").unwrap();
        let (sync, at) = next_sync(&alice);
        let message = alice.wrap_outgoing(CHANNEL, Some("next"), b"next", at).unwrap();
        let ((_, sync), (_, usual)) = (decode(&sync.bytes), decode(&message.bytes));
        assert_eq!(sync.causal_history.len(), 1);
        assert_eq!(sync.causal_history, usual.causal_history, "{profile:?}");
        assert_eq!(sync.bloom_filter, usual.bloom_filter, "{profile:?}");
        assert!(filter_holds(&message.bytes, "m"));
    }
}

#[test]
fn y5_not_in_the_outgoing_buffer() {
    for profile in BOTH {
        let alice = alice_with_news(profile);
        let (sync, at) = next_sync(&alice);
        assert_eq!((status(&alice).unacknowledged, status(&alice).sent), (0, 1), "{profile:?}");
        assert!(alice.message_status(CHANNEL, &sync.message_id).is_err());
        assert!(tick(&alice, at + 29 * SECOND).is_empty(), "{profile:?}: it is not resent");
    }
}

#[test]
fn y6_not_in_causal_histories() {
    for profile in BOTH {
        let alice = alice_with_news(profile);
        let (sync, at) = next_sync(&alice);
        assert_eq!(history(&send(&alice, "m2", at).bytes), ["m"], "{profile:?}: not in its sender's");
        let bob = member_of(profile, "bob");
        receive(&bob, &sync.bytes, at);
        receive(&bob, &forged("theirs").of(profile).bytes(), at);
        assert_eq!(history(&send(&bob, "reply", at).bytes), ["theirs"], "{profile:?}: nor in its receiver's");
    }
}

#[test]
fn y7_not_in_filters() {
    for profile in BOTH {
        let alice = alice_with_news(profile);
        let (sync, at) = next_sync(&alice);
        assert!(!filter_holds(&send(&alice, "m2", at).bytes, &sync.message_id), "{profile:?}");
        let bob = member_of(profile, "bob");
        receive(&bob, &sync.bytes, at);
        receive(&bob, &forged("theirs").of(profile).bytes(), at);
        let reply = send(&bob, "reply", at);
        assert!(filter_holds(&reply.bytes, "theirs") && !filter_holds(&reply.bytes, &sync.message_id), "{profile:?}");
    }
}

#[test]
fn y8_not_in_the_log() {
    for profile in BOTH {
        let alice = alice_with_news(profile);
        let (sync, at) = next_sync(&alice);
        assert_eq!(log(&alice), ["m"], "{profile:?}");
        let bob = member_of(profile, "bob");
        assert_eq!(disposition(&bob, &sync.bytes, at), Disposition::Sync);
        assert_eq!(log(&bob), [""; 0], "{profile:?}");
    }
}

#[test]
fn y9_sync_messages_of_one_id_are_all_processed() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "m1", NOW);
        send(&alice, "m2", NOW);
        for id in ["m1", "m2"] {
            let sync = forged("always the same").of(profile).sync().after(&[id]).bytes();
            assert_eq!(disposition(&alice, &sync, NOW), Disposition::Sync);
            assert_eq!(state(&alice, id), MessageState::Acknowledged, "{profile:?}");
        }
    }
}

#[test]
fn y10_only_when_the_channel_was_silent_for_a_random_time() {
    let seeds = (0..20).map(|seed| member_with("alice", |config| config.seed = Some(seed)));
    let mut waits: Vec<_> = seeds
        .map(|alice| {
            send(&alice, "m", NOW);
            alice.cancel(CHANNEL, "m", NOW).unwrap();
            alice.next_deadline().unwrap() - NOW
        })
        .collect();
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 15, "random: {waits:?}");
    let alice = alice_with_news(Profile::Rfc);
    let spoken = NOW + 29 * SECOND;
    receive(&alice, &forged("s").by("carol").at(spoken).sync().after(&["m"]).bytes(), spoken);
    assert!(alice.next_deadline().unwrap() >= spoken + 30 * SECOND, "somebody else said it all");
    let alice = alice_with_news(Profile::Rfc);
    send(&alice, "m2", spoken);
    alice.cancel(CHANNEL, "m2", spoken).unwrap();
    assert!(alice.next_deadline().unwrap() >= spoken + 30 * SECOND, "she said it herself");
}

#[test]
fn y11_a_received_ones_history_and_filter_are_processed() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        ["m1", "m2"].iter().for_each(|id| drop(send(&alice, id, NOW)));
        let filter = if profile == Profile::Rfc { rfc_filter(&["m2"], 6_000) } else { libsds_filter(967, &["m2"], 20) };
        let sync = forged("s").of(profile).sync().after(&["m1", "unknown"]).filter(&filter).bytes();
        let unwrapped = receive(&alice, &sync, NOW);
        assert_eq!(unwrapped.unmet.iter().map(|it| &*it.message_id).collect::<Vec<_>>(), ["unknown"]);
        assert_eq!(state(&alice, "m1"), MessageState::Acknowledged, "{profile:?}");
        assert_eq!(state(&alice, "m2"), MessageState::PossiblyAcknowledged, "{profile:?}");
        assert_eq!(missing(&events(&alice)), ["unknown"], "{profile:?}");
        assert_eq!(lost(&tick_events(&alice, NOW + 10 * MINUTE)), ["unknown"], "{profile:?}");
    }
}

#[test]
fn y12_a_received_one_is_not_kept() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let sync = forged("s").of(profile).at(NOW + 9 * SECOND).sync().after(&["unknown"]).bytes();
        receive(&alice, &sync, NOW);
        let now = status(&alice);
        assert_eq!((now.waiting, now.logged, now.received, now.duplicates), (0, 0, 0, 0), "{profile:?}");
        assert_eq!(lamport(&alice), NOW, "{profile:?}: only what is delivered moves the clock");
        assert_eq!(disposition(&alice, &sync, NOW), Disposition::Sync, "{profile:?}: not even as a duplicate");
        receive(&alice, &forged("unknown").of(profile).bytes(), NOW);
        assert!(delivered(&events(&alice)).is_empty(), "{profile:?}: it did not wait");
    }
}
