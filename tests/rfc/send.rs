//! *Send Message*.

use sds::output::MessageState;

use crate::common::*;

#[test]
fn n1_clock_is_max_of_now_and_next() {
    let alice = member("alice");
    assert_eq!(send(&alice, "m1", NOW + 100).lamport_timestamp_ms, Some(NOW + 100), "now, when it is ahead");
    assert_eq!(send(&alice, "m2", NOW + 100).lamport_timestamp_ms, Some(NOW + 101), "else the clock's next");
    assert_eq!(send(&alice, "m3", NOW + 100).lamport_timestamp_ms, Some(NOW + 102));
    receive(&alice, &forged("theirs").at(NOW + 5_000).bytes(), NOW + 200);
    assert_eq!(send(&alice, "m4", NOW + 300).lamport_timestamp_ms, Some(NOW + 5_001));
    assert_eq!(lamport(&alice), NOW + 5_001, "and the clock is what the message says");
    assert_eq!(send(&alice, "m5", NOW + 9_000).lamport_timestamp_ms, Some(NOW + 9_000));
}

#[test]
fn n1_the_very_first_message_is_past_the_initial_clock() {
    // The clock starts at NOW; the next value is NOW + 1 even if no time has passed.
    assert_eq!(send(&member("alice"), "m", NOW).lamport_timestamp_ms, Some(NOW + 1));
}

#[test]
fn n2_the_message_carries_the_increased_timestamp() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let sent = send(&alice, "m", NOW + 7 * SECOND);
        assert_eq!(decode(&sent.bytes).1.lamport_timestamp_ms, Some(NOW + 7 * SECOND));
        let again = send(&alice, "m2", NOW + 7 * SECOND);
        assert_eq!(decode(&again.bytes).1.lamport_timestamp_ms, again.lamport_timestamp_ms, "{profile:?}");
        assert!(again.lamport_timestamp_ms > sent.lamport_timestamp_ms, "{profile:?}");
        assert_eq!(lamport(&alice), again.lamport_timestamp_ms.unwrap());
    }
}

#[test]
fn n3_history_is_the_last_three_ids_of_the_log_in_order() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        assert_eq!(history(&send(&alice, "mine 1", NOW).bytes), [""; 0]);
        // The later ones arrive first: what counts is the order of the log.
        for (id, second) in [("d", 40), ("c", 30), ("b", 20), ("a", 10)] {
            receive(&alice, &forged(id).of(profile).at(NOW + second * SECOND).bytes(), NOW + MINUTE);
        }
        // Others name them all, so that the last three are all there is to name.
        for (id, second) in [("s1", 50), ("s2", 51), ("s3", 52)] {
            let sync = forged(id).of(profile).by("carol").at(NOW + second * SECOND).sync();
            receive(&alice, &sync.after(&["mine 1", "a", "b", "c", "d"]).bytes(), NOW + MINUTE);
        }
        let sent = send(&alice, "mine 2", NOW + 2 * MINUTE);
        assert_eq!(history(&sent.bytes), ["b", "c", "d"], "{profile:?}");
        assert_eq!(history(&send(&alice, "mine 3", NOW + 3 * MINUTE).bytes), ["c", "d", "mine 2"], "{profile:?}");
    }
    let two = member_with("alice", |config| config.causal_history_size = 2);
    ["a", "b", "c"].iter().for_each(|id| drop(send(&two, id, NOW)));
    assert_eq!(history(&send(&two, "d", NOW).bytes), ["b", "c"]);
}

#[test]
fn n4_history_carries_retrieval_hints() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "mine", NOW);
        receive(&alice, &forged("theirs").of(profile).at(NOW + 5 * SECOND).bytes(), NOW);
        alice.set_retrieval_hint(CHANNEL, "mine", b"h1").unwrap();
        alice.set_retrieval_hint(CHANNEL, "theirs", b"h2").unwrap();
        let sent = send(&alice, "m", NOW + 6 * SECOND);
        let (_, message) = decode(&sent.bytes);
        let hints: Vec<_> = message.causal_history.iter().map(|entry| entry.retrieval_hint).collect();
        assert_eq!(hints, [Some(&b"h1"[..]), Some(&b"h2"[..])], "{profile:?}");
        assert_eq!(decode(&send(&alice, "m2", NOW + 7 * SECOND).bytes).1.causal_history[2].retrieval_hint, None);
    }
}

#[test]
fn n5_the_current_filter_rides_along() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("before").of(profile).bytes(), NOW);
        let first = send(&alice, "m1", NOW);
        receive(&alice, &forged("between").of(profile).bytes(), NOW);
        let second = send(&alice, "m2", NOW);
        let holds = |bytes: &[u8]| ["before", "m1", "between", "m2"].map(|id| filter_holds(bytes, id));
        assert_eq!(holds(&first.bytes), [true, false, false, false], "{profile:?}");
        assert_eq!(holds(&second.bytes), [true, true, true, false], "{profile:?}");
    }
}

#[test]
fn n6_the_message_enters_the_outgoing_buffer() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        assert_eq!(status(&alice).unacknowledged, 0);
        let sent = send(&alice, "m", NOW);
        assert_eq!((status(&alice).unacknowledged, status(&alice).sent), (1, 1));
        assert_eq!(state(&alice, "m"), MessageState::Unacknowledged);
        assert_eq!(alice.next_deadline(), Some(NOW + 5 * SECOND));
        assert_eq!(tick(&alice, NOW + 5 * SECOND)[0].bytes, sent.bytes);
    }
}
