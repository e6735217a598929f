//! *Deliver Message* and *Resolve Conflicts*.

use crate::common::*;

#[test]
fn d1_a_greater_timestamp_raises_our_clock() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("ahead").of(profile).at(NOW + 9 * SECOND).bytes(), NOW);
        assert_eq!(lamport(&alice), NOW + 9 * SECOND, "{profile:?}: to it, not past it");
        receive(&alice, &forged("behind").of(profile).at(NOW + SECOND).bytes(), NOW);
        assert_eq!(lamport(&alice), NOW + 9 * SECOND, "{profile:?}: never down");
    }
}

#[test]
fn d1_delivery_raises_the_clock_and_reception_does_not() {
    let alice = member("alice");
    receive(&alice, &forged("reply").at(NOW + 9_000).after(&["question"]).bytes(), NOW);
    assert_eq!(lamport(&alice), NOW, "it waits");
    receive(&alice, &forged("question").at(NOW + 8_000).bytes(), NOW);
    assert_eq!(lamport(&alice), NOW + 9_000);
}

#[test]
fn d2_the_id_goes_into_the_log_by_timestamp() {
    let alice = member("alice");
    send(&alice, "mine", NOW + 2_000);
    receive(&alice, &forged("earlier").at(NOW + 1_000).bytes(), NOW + 3_000);
    receive(&alice, &forged("later").at(NOW + 4_000).bytes(), NOW + 3_000);
    receive(&alice, &forged("reply").at(NOW + 1_500).after(&["question"]).bytes(), NOW + 3_000);
    receive(&alice, &forged("question").at(NOW + 500).bytes(), NOW + 3_000);
    assert_eq!(log(&alice), ["question", "earlier", "reply", "mine", "later"], "delivered from the buffer or not");
}

#[test]
fn d3_equal_timestamps_are_ordered_by_ascending_message_id() {
    // Bytewise: capitals first, "10" before "9", and beyond ASCII by the UTF-8, where a locale or UTF-16 would differ.
    let sorted = ["10", "9", "B", "a", "b", "\u{e9}", "\u{ffee}", "\u{1f600}"];
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        for id in ["\u{1f600}", "b", "9", "\u{e9}", "B", "10", "\u{ffee}", "a"] {
            receive(&alice, &forged(id).of(profile).at(NOW).bytes(), NOW);
        }
        assert_eq!(log(&alice), sorted, "{profile:?}");
    }
}
