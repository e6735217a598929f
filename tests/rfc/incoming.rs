//! *Periodic Incoming Buffer Sweep*.

use sds::output::{Disposition, Event};

use crate::common::*;

const TIMEOUT: u64 = 10 * MINUTE;

#[test]
fn i1_buffered_messages_are_checked_when_they_fall_due() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("m").of(profile).after(&["x"]).bytes(), NOW);
        run(&alice, NOW + TIMEOUT - 1);
        assert_eq!(alice.next_deadline(), Some(NOW + TIMEOUT), "the engine says when to sweep");
        alice.tick(NOW + TIMEOUT).unwrap();
        assert_eq!(delivered(&events(&alice)), ["m"], "{profile:?}: without any other message coming in");
    }
}

#[test]
fn i2_missing_ones_are_told_with_their_hint_to_be_fetched() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("m").of(profile).hinted("x", b"hash of x").after(&["y"]).bytes(), NOW);
        let told = events(&alice);
        assert_eq!(missing(&told), ["x", "y"]);
        let Event::Missing(x) = &told[0] else { panic!("{told:?}") };
        assert_eq!(x.retrieval_hint.as_deref(), Some(&b"hash of x"[..]), "{profile:?}");
        receive(&alice, &forged("m2").of(profile).after(&["x", "y"]).bytes(), NOW);
        assert!(events(&alice).is_empty(), "each once");
    }
}

#[test]
fn i3_met_is_delivered_in_causal_order() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        // The chain arrives backwards, its stamps against it: causality goes before the order of the log.
        receive(&alice, &forged("d").of(profile).at(NOW + SECOND).after(&["b", "c"]).bytes(), NOW);
        receive(&alice, &forged("c").of(profile).at(NOW + 2 * SECOND).after(&["a"]).bytes(), NOW);
        receive(&alice, &forged("b").of(profile).at(NOW + 3 * SECOND).after(&["a"]).bytes(), NOW);
        assert!(delivered(&events(&alice)).is_empty());
        assert_eq!(disposition(&alice, &forged("a").of(profile).bytes(), NOW), Disposition::Delivered);
        let told = events(&alice);
        assert_eq!(delivered(&told), ["c", "b", "d"], "{profile:?}");
        let Event::Delivered(first) = &told[0] else { panic!("{told:?}") };
        assert_eq!((&*first.sender_id, &*first.content, first.late, first.own), ("bob", &b"c"[..], false, false));
        assert_eq!(first.lamport_timestamp_ms, NOW + 2 * SECOND);
        assert_eq!(status(&alice).waiting, 0);
    }
}

#[test]
fn i4_after_a_time_missing_ones_are_irretrievably_lost() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("m").of(profile).after(&["x"]).bytes(), NOW);
        events(&alice);
        assert!(lost(&tick_events(&alice, NOW + TIMEOUT - 1)).is_empty());
        let told = tick_events(&alice, NOW + TIMEOUT);
        assert_eq!((lost(&told), delivered(&told)), (vec!["x"], vec!["m"]), "{profile:?}");
        assert!(matches!(told[0], Event::Lost(_)), "the loss is told first");
        assert_eq!((status(&alice).lost, status(&alice).missing), (1, 0));
        assert_eq!(disposition(&alice, &forged("m2").of(profile).after(&["x"]).bytes(), NOW), Disposition::Delivered);
    }
}
