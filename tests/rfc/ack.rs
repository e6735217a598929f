//! *Review ACK Status*.

use sds::output::{Event, MessageState, TransmitReason};
use sds::types::Profile;

use crate::common::*;

#[test]
fn a1_ids_in_a_received_history_are_acknowledged() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        ["m1", "m2", "m3"].iter().for_each(|id| drop(send(&alice, id, NOW)));
        receive(&alice, &forged("r").of(profile).after(&["m1", "m3"]).bytes(), NOW);
        assert_eq!(acknowledged(&events(&alice)), ["m1", "m3"], "{profile:?}");
        assert_eq!(state(&alice, "m2"), MessageState::Unacknowledged);
        receive(&alice, &forged("r2").of(profile).after(&["m1", "m2"]).bytes(), NOW);
        assert_eq!(acknowledged(&events(&alice)), ["m2"], "{profile:?}: each is told once");
        let resent = tick(&alice, NOW + 5 * SECOND).into_iter().filter(|it| it.reason == TransmitReason::Resend);
        assert_eq!(resent.count(), 0, "{profile:?}: nothing is left to resend");
    }
}

#[test]
fn a2_ids_in_a_received_filter_are_possibly_acknowledged() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "m1", NOW);
        send(&alice, "m2", NOW);
        let filter = if profile == Profile::Rfc { rfc_filter(&["m1"], 6_000) } else { libsds_filter(967, &["m1"], 20) };
        receive(&alice, &forged("r").of(profile).filter(&filter).bytes(), NOW);
        let chance = false_chance(profile, &filter, "m1");
        assert!((1e-6..1e-3).contains(&chance), "{profile:?}: {chance}");
        let expected = Event::PossiblyAcknowledged { message_id: "m1".into(), probability: 1.0 - chance };
        assert_eq!(events(&alice), [expected], "{profile:?}");
        assert_eq!(state(&alice, "m1"), MessageState::PossiblyAcknowledged);
        assert_eq!(state(&alice, "m2"), MessageState::Unacknowledged);
    }
}

#[test]
fn a3_several_filters_acknowledge_given_their_false_positive_rates() {
    let libsds = Profile::Libsds;
    let alice = member_of(libsds, "alice");
    send(&alice, "m", NOW);
    let one = libsds_filter(967, &["m"], 20);
    let other = libsds_filter(1_009, &["m"], 20);
    let (p, q) = (false_chance(libsds, &one, "m"), false_chance(libsds, &other, "m"));
    assert!(p > 1e-6 && q > 1e-6 && p * q < 1e-6, "neither suffices alone: {p} {q}");
    receive(&alice, &forged("r1").of(libsds).filter(&one).bytes(), NOW);
    assert_eq!(state(&alice, "m"), MessageState::PossiblyAcknowledged);
    events(&alice);
    receive(&alice, &forged("r2").of(libsds).by("carol").filter(&other).bytes(), NOW);
    assert_eq!(events(&alice), [Event::Acknowledged { message_id: "m".into() }]);
    assert_eq!(alice.message_status(CHANNEL, "m").unwrap().probability, 1.0);
}
