//! *Receive Message*.

use sds::output::{Disposition, Event, MessageState};

use crate::common::*;

#[test]
fn r1_our_own_messages_are_ignored() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "first", NOW);
        let sent = send(&alice, "m", NOW);
        let before = snapshot(&alice);
        let echo = receive(&alice, &sent.bytes, NOW + 50);
        assert_eq!((echo.disposition, echo.own), (Disposition::Own, true), "{profile:?}");
        assert_eq!(snapshot(&alice), before, "{profile:?}: not even counted");
        assert!(alice.drain().is_empty());
        assert_eq!(state(&alice, "first"), MessageState::Unacknowledged, "our own word is no acknowledgement");
    }
}

#[test]
fn r1_so_are_our_own_sync_and_ephemeral_messages() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "m", NOW);
        let before = snapshot(&alice);
        let sync = forged("s").of(profile).by("alice").sync().after(&["m", "unknown"]).bytes();
        assert_eq!(disposition(&alice, &sync, NOW), Disposition::Own, "{profile:?}");
        assert_eq!(snapshot(&alice), before, "{profile:?}");
        assert!(alice.drain().is_empty());
    }
    let alice = member("alice");
    let typing = alice.wrap_ephemeral(CHANNEL, None, b"typing", NOW).unwrap();
    assert_eq!(disposition(&alice, &typing.bytes, NOW), Disposition::Own);
}

#[test]
fn r2_duplicates_are_dropped() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let message = forged("m").of(profile).bytes();
        assert_eq!(disposition(&alice, &message, NOW), Disposition::Delivered);
        assert_eq!(disposition(&alice, &message, NOW), Disposition::Duplicate);
        let waiting = forged("w").of(profile).after(&["unknown"]).bytes();
        assert_eq!(disposition(&alice, &waiting, NOW), Disposition::Waiting);
        assert_eq!(disposition(&alice, &waiting, NOW), Disposition::Duplicate, "one that waits is here, too");
        receive(&alice, &forged("unknown").of(profile).bytes(), NOW);
        assert_eq!(delivered(&events(&alice)), ["w"], "{profile:?}: once");
        assert_eq!(disposition(&alice, &waiting, NOW), Disposition::Duplicate);
        let now = status(&alice);
        assert_eq!((now.received, now.logged, now.duplicates), (3, 3, 3), "{profile:?}");
    }
}

#[test]
fn r3_reception_reviews_the_outgoing_buffer() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "m1", NOW);
        send(&alice, "m2", NOW);
        send(&alice, "m3", NOW);
        let filter = if profile == BOTH[0] { rfc_filter(&["m2"], 6_000) } else { libsds_filter(967, &["m2"], 20) };
        let reply = forged("reply").of(profile).after(&["m1"]).filter(&filter);
        receive(&alice, &reply.bytes(), NOW);
        let states = ["m1", "m2", "m3"].map(|id| state(&alice, id));
        use MessageState::{Acknowledged, PossiblyAcknowledged, Unacknowledged};
        assert_eq!(states, [Acknowledged, PossiblyAcknowledged, Unacknowledged], "{profile:?}");
    }
}

#[test]
fn r3_reception_reviews_even_when_the_message_has_to_wait() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    assert_eq!(disposition(&alice, &forged("r").after(&["unknown", "m"]).bytes(), NOW), Disposition::Waiting);
    assert_eq!(state(&alice, "m"), MessageState::Acknowledged);
}

#[test]
fn r4_a_message_with_content_enters_the_filter() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("m").of(profile).bytes(), NOW);
        receive(&alice, &forged("waiting").of(profile).after(&["unknown"]).bytes(), NOW);
        receive(&alice, &forged("sync").of(profile).sync().bytes(), NOW);
        let sent = send(&alice, "mine", NOW);
        let holds = ["m", "waiting", "sync", "unknown"].map(|id| filter_holds(&sent.bytes, id));
        assert_eq!(holds, [true, true, false, false], "{profile:?}: received, whether it waits or not");
    }
}

#[test]
fn r5_dependencies_are_met_by_the_log_and_not_by_the_buffer() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        assert_eq!(disposition(&alice, &forged("b").of(profile).after(&["a"]).bytes(), NOW), Disposition::Waiting);
        let c = forged("c").of(profile).after(&["b"]).bytes();
        let unwrapped = receive(&alice, &c, NOW);
        assert_eq!(unwrapped.disposition, Disposition::Waiting, "b waits itself: it meets nothing");
        assert_eq!(&*unwrapped.unmet[0].message_id, "b");
        assert_eq!(missing(&events(&alice)), ["a"], "but it is not missing");
        receive(&alice, &forged("a").of(profile).bytes(), NOW);
        assert_eq!(delivered(&events(&alice)), ["b", "c"], "{profile:?}");
        assert_eq!(
            disposition(&alice, &forged("d").of(profile).after(&["a", "c"]).bytes(), NOW),
            Disposition::Delivered
        );
    }
}

#[test]
fn r5_our_own_messages_in_the_log_meet_dependencies() {
    let alice = member("alice");
    send(&alice, "mine", NOW);
    assert_eq!(disposition(&alice, &forged("r").after(&["mine"]).bytes(), NOW), Disposition::Delivered);
}

#[test]
fn r6_met_and_with_content_is_delivered() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let bytes = forged("m").of(profile).at(NOW + SECOND).content(b"hello").bytes();
        let unwrapped = receive(&alice, &bytes, NOW);
        assert_eq!(unwrapped.disposition, Disposition::Delivered);
        assert_eq!(unwrapped.content, b"hello");
        assert_eq!((unwrapped.channel_id, unwrapped.message_id, unwrapped.sender_id), (CHANNEL, "m", "bob"));
        assert_eq!((unwrapped.lamport_timestamp_ms, unwrapped.profile), (Some(NOW + SECOND), profile));
        assert!(unwrapped.unmet.is_empty() && !unwrapped.own);
        assert_eq!(log(&alice), ["m"]);
        assert!(events(&alice).is_empty(), "told by the call itself, and only there");
    }
}

#[test]
fn r7_unmet_goes_into_the_incoming_buffer() {
    // With SDS-R, what waits is kept in another way than without.
    for (profile, repair) in [(BOTH[0], true), (BOTH[1], true), (BOTH[0], false)] {
        let alice = member_with("alice", |config| (config.profile, config.repair) = (profile, repair));
        let bytes = forged("m").of(profile).after(&["x", "y"]).content(b"hello").bytes();
        let unwrapped = receive(&alice, &bytes, NOW);
        assert_eq!((unwrapped.disposition, unwrapped.content), (Disposition::Waiting, &b"hello"[..]));
        assert_eq!(unwrapped.unmet.iter().map(|it| &*it.message_id).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(log(&alice), [""; 0]);
        assert_eq!(dump(&alice)["waiting"][0]["message_id"], "m");
        assert_eq!(status(&alice).received, 0, "not delivered yet");
        events(&alice);
        ["x", "y"].iter().for_each(|id| drop(receive(&alice, &forged(id).of(profile).bytes(), NOW)));
        let told = events(&alice);
        let [Event::Delivered(later)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((&*later.message_id, &*later.content), ("m", &b"hello"[..]), "{profile:?}: all of it was kept");
    }
}
