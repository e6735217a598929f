//! Messages under our own id, no id at all, and duplicates.

use sds::output::{Disposition, Event, MessageState};

use crate::common::*;

#[test]
fn our_own_message_from_before_the_state_was_lost_is_taken_in_and_flagged() {
    for profile in BOTH {
        let before = member_of(profile, "alice");
        let sent = send(&before, "m", NOW);
        let alice = member_of(profile, "alice");
        send(&alice, "other", NOW);
        assert_eq!(disposition(&alice, &forged("r").of(profile).after(&["m"]).bytes(), NOW), Disposition::Waiting);
        events(&alice);
        let unwrapped = receive(&alice, &sent.bytes, NOW);
        assert_eq!((unwrapped.disposition, unwrapped.own), (Disposition::Delivered, true), "{profile:?}");
        assert_eq!(unwrapped.content, b"m");
        assert_eq!(delivered(&events(&alice)), ["r"], "{profile:?}: it meets dependencies");
        assert!(log(&alice).contains(&"m".to_owned()));
        assert_eq!(status(&alice).received, 1, "r alone came from another");
        assert!(alice.message_status(CHANNEL, "m").is_err(), "what became of it is not known here");
        assert_eq!(receive(&alice, &sent.bytes, NOW).disposition, Disposition::Own, "and now it is");
    }
}

#[test]
fn an_own_message_that_waits_is_flagged_when_it_is_delivered() {
    let alice = member("alice");
    let own = forged("mine").by("alice").after(&["x"]).bytes();
    assert_eq!(receive(&alice, &own, NOW).disposition, Disposition::Waiting);
    receive(&alice, &forged("x").bytes(), NOW);
    let told = events(&alice);
    assert!(told.iter().any(|event| matches!(event, Event::Delivered(it) if it.own && &*it.message_id == "mine")));
}

#[test]
fn the_empty_participant_id_equals_nobodys() {
    for profile in BOTH {
        let alice = member_of(profile, "");
        let sent = send(&alice, "m", NOW);
        let theirs = forged("theirs").of(profile).by("").after(&["m"]).bytes();
        let unwrapped = receive(&alice, &theirs, NOW);
        assert_eq!((unwrapped.disposition, unwrapped.own), (Disposition::Delivered, false), "{profile:?}");
        assert_eq!(state(&alice, "m"), MessageState::Acknowledged, "{profile:?}: another nobody's word");
        assert!(alice.message_status(CHANNEL, "m").unwrap().acknowledgers.is_empty(), "nobody has no name");
        assert_eq!(receive(&alice, &sent.bytes, NOW).disposition, Disposition::Duplicate, "an echo is a duplicate");
        assert_eq!(status(&alice).received, 1);
    }
}

#[test]
fn an_id_received_from_another_nobody_is_not_ours_either() {
    let alice = member("");
    receive(&alice, &forged("theirs").by("").bytes(), NOW);
    let error = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("theirs"), b"mine", NOW));
    assert_eq!(error, sds::Error::IdReused("theirs".into()), "it was never sent from here");
}

#[test]
fn one_nobody_does_not_cover_what_another_said() {
    let alice = member("");
    let theirs = forged("theirs").by("").bytes();
    receive(&alice, &theirs, NOW);
    let due_ms = alice.next_deadline().unwrap();
    assert!(due_ms <= NOW + CONFIRMED_BY, "a confirmation is due");
    alice.tick(due_ms).unwrap();
    alice.drain();
    let periodic_ms = alice.next_deadline().unwrap();
    // A message without history or filter confirms nothing; its sender is no more the first one than we are.
    receive(&alice, &forged("s").by("").sync().at(periodic_ms - 10).bytes(), periodic_ms - 10);
    assert_eq!(alice.next_deadline(), Some(periodic_ms));
}

#[test]
fn duplicates_return_their_content() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let bytes = forged("m").of(profile).after(&["x"]).content(b"hello").bytes();
        receive(&alice, &bytes, NOW);
        let again = receive(&alice, &bytes, NOW);
        assert_eq!((again.disposition, again.content), (Disposition::Duplicate, &b"hello"[..]), "{profile:?}");
        assert_eq!(again.unmet.len(), 1, "what it still waits for");
        receive(&alice, &forged("x").of(profile).bytes(), NOW);
        let again = receive(&alice, &bytes, NOW);
        assert_eq!((again.disposition, again.content), (Disposition::Duplicate, &b"hello"[..]));
        assert!(again.unmet.is_empty());
        assert_eq!(delivered(&events(&alice)), ["m"], "{profile:?}: once");
    }
}

#[test]
fn the_echo_of_a_sync_message_confirms_nothing_even_of_nobody() {
    for name in ["alice", ""] {
        let alice = member(name);
        send(&alice, "m", NOW);
        let sync = loop {
            let due_ms = alice.next_deadline().unwrap();
            let sent = tick(&alice, due_ms);
            if let Some(sync) = sent.into_iter().find(|it| it.reason == sds::output::TransmitReason::Sync) {
                break sync;
            }
        };
        let before = status(&alice);
        assert_eq!(disposition(&alice, &sync.bytes, NOW + MINUTE), Disposition::Own, "{name:?}");
        assert_eq!(status(&alice), before);
        assert_ne!(state(&alice, "m"), MessageState::Acknowledged, "{name:?}: nobody else is here");
    }
}
