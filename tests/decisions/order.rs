//! Causal order where something went wrong before: messages given up, time offline, clocks that were wrong.

use sds::Manager;
use sds::output::Disposition;
use sds::types::Profile;

use crate::common::*;

const TIMEOUT: u64 = 10 * MINUTE;

fn quiet() -> Manager {
    quiet_member_with(|_| ())
}

#[test]
fn a_lost_message_that_comes_and_waits_is_waited_for() {
    let alice = quiet();
    receive(&alice, &forged("c").at(NOW + 3).after(&["a", "b"]).bytes(), NOW);
    assert_eq!(lost(&tick_events(&alice, NOW + TIMEOUT)).len(), 2);
    let then = NOW + TIMEOUT + SECOND;
    let late = forged("a").at(NOW + 1).after(&["x"]).bytes();
    assert_eq!(disposition(&alice, &late, then), Disposition::Waiting);
    assert_eq!(status(&alice).lost, 1, "it is here");
    let next = forged("b").at(NOW + 2).after(&["a"]).bytes();
    assert_eq!(disposition(&alice, &next, then), Disposition::Waiting, "for a, which is here");
    receive(&alice, &forged("x").bytes(), then);
    let told = events(&alice);
    assert_eq!(delivered(&told), ["a", "b"]);
    let is_late = |event: &sds::output::Event| matches!(event, sds::output::Event::Delivered(it) if it.late);
    assert_eq!(told.iter().filter(|event| is_late(event)).count(), 2);
    assert_eq!((status(&alice).lost, status(&alice).waiting), (0, 0));
}

#[test]
fn an_empty_message_under_a_lost_id_does_not_find_it() {
    let alice = quiet();
    receive(&alice, &forged("m").of(Profile::Libsds).after(&["x"]).bytes(), NOW);
    tick_events(&alice, NOW + TIMEOUT);
    receive(&alice, &forged("x").of(Profile::Libsds).sync().bytes(), NOW + TIMEOUT);
    assert_eq!(status(&alice).lost, 1);
    let content = forged("x").of(Profile::Libsds).bytes();
    assert_eq!(disposition(&alice, &content, NOW + TIMEOUT), Disposition::Late);
}

#[test]
fn when_time_is_up_causal_order_holds_after_time_offline() {
    let (alice, fast) = (quiet(), NOW + 6 * MINUTE);
    receive(&alice, &forged("f").at(fast).after(&["w", "y"]).bytes(), NOW);
    alice.set_online(false, NOW + SECOND).unwrap();
    alice.set_online(true, NOW + 30 * MINUTE).unwrap();
    receive(&alice, &forged("w").at(fast - 1).after(&["x"]).bytes(), NOW + 31 * MINUTE);
    events(&alice);
    assert_eq!(delivered(&tick_events(&alice, NOW + 30 * MINUTE - SECOND + TIMEOUT)), ["w", "f"]);
}

#[test]
fn a_clock_that_is_set_right_while_a_message_waits_makes_no_stamp_old() {
    let (alice, ahead) = (quiet(), NOW + 60 * MINUTE);
    alice.tick(ahead).unwrap();
    receive(&alice, &forged("early").by("mallory").at(NOW + TIMEOUT).after(&["honest"]).bytes(), ahead);
    alice.tick(NOW).unwrap();
    let then = NOW + TIMEOUT - SECOND;
    receive(&alice, &forged("honest").at(then).after(&["real"]).bytes(), then);
    events(&alice);
    assert_eq!(delivered(&tick_events(&alice, NOW + TIMEOUT)), ["early"], "honest came a second ago");
}
