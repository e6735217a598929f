//! Message ids: given or derived, wrapped again, refused.

use sds::idhash::derive_message_id;
use sds::output::{ChannelOptions, Disposition};
use sds::types::Profile;
use sds::{Error, Manager};
use sha2::{Digest, Sha256};

use crate::common::*;

#[test]
fn derived_ids_are_the_hash_of_the_message() {
    for profile in BOTH {
        let options = ChannelOptions { derived_ids: true, profile: Some(profile), ..ChannelOptions::default() };
        let alice = member_opened("alice", options);
        let first = alice.wrap_outgoing(CHANNEL, None, b"hi", NOW).unwrap();
        let second = alice.wrap_outgoing(CHANNEL, None, b"hi", NOW).unwrap();
        assert_ne!(first.message_id, second.message_id, "equal payloads, other timestamps");
        let mut hash = Sha256::new();
        for part in [CHANNEL.as_bytes(), b"alice", &first.lamport_timestamp_ms.unwrap().to_be_bytes(), b"hi"] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        assert_eq!(&*first.message_id, hex::encode(hash.finalize()), "{profile:?}");
    }
}

#[test]
fn a_derived_id_that_was_used_is_not_used_again() {
    // The state was lost, and our own message from before comes back before we send the same again.
    for profile in BOTH {
        let options = ChannelOptions { derived_ids: true, profile: Some(profile), ..ChannelOptions::default() };
        let before = member_opened("alice", options).wrap_outgoing(CHANNEL, None, b"hi", NOW).unwrap();
        let alice = member_opened("alice", options);
        let stamp = alice.wrap_outgoing(CHANNEL, None, b"other", NOW - SECOND).unwrap().lamport_timestamp_ms;
        assert!(stamp <= before.lamport_timestamp_ms);
        receive(&alice, &before.bytes, NOW - SECOND);
        let again = alice.wrap_outgoing(CHANNEL, None, b"hi", NOW).unwrap();
        assert_ne!(again.message_id, before.message_id, "{profile:?}");
        let bob = member_opened("bob", options);
        assert_eq!(disposition(&bob, &before.bytes, NOW), Disposition::Delivered);
        assert_eq!(receive(&bob, &again.bytes, NOW).content, b"hi", "{profile:?}: derived all the same");
    }
}

#[test]
fn a_derived_id_is_not_used_again_while_its_message_waits_or_is_held() {
    // The state was lost. Our message from before comes back and moves no clock, so that the same one, sent at the time
    // it was stamped, would have the same id.
    for profile in BOTH {
        let options = ChannelOptions { derived_ids: true, profile: Some(profile), ..ChannelOptions::default() };
        let far = NOW + 8 * 24 * 60 * MINUTE;
        for (at, waits) in [(NOW + MINUTE, true), (far, false)] {
            let before = member_opened("alice", options);
            if waits {
                before.wrap_outgoing(CHANNEL, None, b"first", NOW).unwrap();
            }
            let sent = before.wrap_outgoing(CHANNEL, None, b"hi", at).unwrap();
            let stamp = sent.lamport_timestamp_ms.unwrap();
            assert_eq!(stamp, at);
            let alice = member_opened("alice", options);
            let expected = if waits { Disposition::Waiting } else { Disposition::Delivered };
            assert_eq!(disposition(&alice, &sent.bytes, NOW), expected);
            assert_eq!((lamport(&alice), status(&alice).held), (NOW, u64::from(!waits)));
            let again = alice.wrap_outgoing(CHANNEL, None, b"hi", at).unwrap();
            assert_ne!(again.message_id, sent.message_id, "{profile:?}, waits: {waits}");
            let next = if profile == Profile::Rfc { 1 } else { SECOND };
            assert_eq!(again.lamport_timestamp_ms, Some(stamp + next), "the next timestamp that can be told");
        }
    }
}

#[test]
fn an_id_that_left_the_log_is_refused() {
    let alice = member_with("alice", |config| config.log_messages = 3);
    ["theirs", "a", "b", "c"].iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    assert!(!log(&alice).contains(&"theirs".to_owned()));
    let error = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("theirs"), b"theirs", NOW));
    assert_eq!(error, Error::BytesGone("theirs".into()), "who sent it is not known any more");
}

#[test]
fn made_up_ids_are_unique_where_all_else_is_equal() {
    // Members without a name, or one whose state was lost, say the same thing at the same time.
    for profile in BOTH {
        let nobody = |seed| {
            member_with("", |config| {
                config.profile = profile;
                config.seed = Some(seed);
            })
        };
        let wrap = |manager: &Manager| manager.wrap_outgoing(CHANNEL, None, b"ok", NOW).unwrap();
        let (first, second) = (wrap(&nobody(1)), wrap(&nobody(2)));
        assert_eq!(first.lamport_timestamp_ms, second.lamport_timestamp_ms);
        assert_ne!(first.message_id, second.message_id, "{profile:?}");
        assert_eq!(first, wrap(&nobody(1)), "and a run can be replayed");
        let carol = member_of(profile, "carol");
        assert_eq!(disposition(&carol, &first.bytes, NOW), Disposition::Delivered);
        assert_ne!(disposition(&carol, &second.bytes, NOW), Disposition::Duplicate, "{profile:?}");
    }
}

#[test]
fn parts_do_not_run_into_each_other() {
    assert_ne!(derive_message_id("ab", "c", 1, b"d"), derive_message_id("a", "bc", 1, b"d"));
    assert_ne!(derive_message_id("a", "b", 1, b"cd"), derive_message_id("a", "bc", 1, b"d"));
}

#[test]
fn in_a_channel_of_derived_ids_forged_ones_are_refused() {
    for profile in BOTH {
        let options = ChannelOptions { derived_ids: true, profile: Some(profile), ..ChannelOptions::default() };
        let (alice, bob) = (member_opened("alice", options), member_opened("bob", options));
        let sent = bob.wrap_outgoing(CHANNEL, None, b"hi", NOW + 1).unwrap();
        let error = refused(&alice, || alice.unwrap_incoming(&forged("made up").of(profile).bytes(), NOW).map(drop));
        assert_eq!(error, Error::IdMismatch("made up".into()), "{profile:?}");
        // The genuine one under another sender, channel, time or content.
        let stamp = sent.lamport_timestamp_ms.unwrap();
        let genuine = forged(&sent.message_id).of(profile).at(stamp).content(b"hi");
        let (sender, time, content) =
            (genuine.clone().by("eve"), genuine.clone().at(stamp + SECOND), genuine.clone().content(b"ho"));
        for forgery in [sender, time, content] {
            let error = refused(&alice, || alice.unwrap_incoming(&forgery.bytes(), NOW).map(drop));
            assert_eq!(error, Error::IdMismatch(sent.message_id.to_string()), "{profile:?}");
        }
        assert_eq!(disposition(&alice, &sent.bytes, NOW), Disposition::Delivered, "{profile:?}");
        let sync = forged("any id").of(profile).sync().bytes();
        assert_eq!(disposition(&alice, &sync, NOW), Disposition::Sync, "sync messages name nothing");
        let error = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("made up"), b"hi", NOW));
        assert_eq!(error, Error::IdMismatch("made up".into()));
    }
}

#[test]
fn wrapping_again_returns_the_same_bytes() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let first = send(&alice, "m", NOW);
        send(&alice, "between", NOW);
        receive(&alice, &forged("r").of(profile).after(&["m"]).bytes(), NOW);
        let again = send(&alice, "m", NOW + 100 * SECOND);
        assert_eq!(again, first, "{profile:?}: acknowledged or not");
        assert_eq!(status(&alice).sent, 2);
        let derived = alice.wrap_outgoing(CHANNEL, None, b"x", NOW + 100 * SECOND).unwrap();
        let again = alice.wrap_outgoing(CHANNEL, Some(&derived.message_id), b"x", NOW + 200 * SECOND).unwrap();
        assert_eq!(again, derived, "{profile:?}: under a derived id too");
    }
}

#[test]
fn wrapping_again_puts_the_next_resend_off() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    send(&alice, "m", NOW + 4 * SECOND);
    assert_eq!(alice.next_deadline(), Some(NOW + 9 * SECOND));
}

#[test]
fn wrapping_again_with_other_content_is_refused() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    let error = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("m"), b"else", NOW));
    assert_eq!(error, Error::IdReused("m".into()));
}

#[test]
fn an_id_received_from_others_is_refused() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("m").of(profile).bytes(), NOW);
        receive(&alice, &forged("w").of(profile).after(&["x"]).bytes(), NOW);
        for id in ["m", "w"] {
            let error = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), NOW));
            assert_eq!(error, Error::IdReused(id.into()), "{profile:?}: even with equal content");
        }
    }
}

#[test]
fn wrapping_what_others_wait_for_delivers_them() {
    // The state was lost; others name our message, and the host wraps it again under its old id.
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        assert_eq!(disposition(&alice, &forged("r").of(profile).after(&["mine"]).bytes(), NOW), Disposition::Waiting);
        assert_eq!(missing(&events(&alice)), ["mine"]);
        send(&alice, "mine", NOW);
        assert_eq!(delivered(&events(&alice)), ["r"], "{profile:?}: it is in the log");
        assert_eq!((status(&alice).missing, status(&alice).waiting), (0, 0));
        assert!(lost(&tick_events(&alice, NOW + 10 * MINUTE)).is_empty(), "{profile:?}");
    }
}

#[test]
fn once_the_bytes_are_gone_it_cannot_be_wrapped_again() {
    let alice = member_with("alice", |config| config.log_bytes = 200);
    send(&alice, "m1", NOW);
    receive(&alice, &forged("r1").after(&["m1"]).bytes(), NOW);
    assert!(alice.message_status(CHANNEL, "m1").is_ok(), "the latest that ended is kept, whatever its size");
    // An rfc message alone is larger than 200 bytes.
    send(&alice, "m2", NOW);
    receive(&alice, &forged("r2").after(&["m2"]).bytes(), NOW);
    let error = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("m1"), b"m1", NOW));
    assert_eq!(error, Error::BytesGone("m1".into()));
}

#[test]
fn ended_messages_are_kept_up_to_the_budget() {
    let libsds = |config: &mut sds::Config| {
        config.profile = Profile::Libsds;
        config.log_bytes = 1_000;
    };
    let alice = member_with("alice", libsds);
    let content = [7; 400];
    let wrap = |id: &str| alice.wrap_outgoing(CHANNEL, Some(id), &content, NOW);
    for id in ["m1", "m2", "m3"] {
        wrap(id).unwrap();
        receive(&alice, &forged(&format!("re {id}")).of(Profile::Libsds).after(&[id]).bytes(), NOW);
    }
    assert_eq!(refused(&alice, || wrap("m1")), Error::BytesGone("m1".into()), "the first that ended is dropped");
    assert!(wrap("m3").is_ok());
    // Those still unacknowledged are kept, whatever they take.
    for id in ["u1", "u2", "u3", "u4"] {
        wrap(id).unwrap();
    }
    assert!(["u1", "u2", "u3", "u4"].iter().all(|id| wrap(id).is_ok()));
    let dropped = refused(&alice, || alice.retry(CHANNEL, "m1", NOW));
    assert!(matches!(dropped, Error::UnknownMessage(_) | Error::BytesGone(_)), "{dropped}");
}

#[test]
fn ephemeral_ids_are_the_hosts_or_random() {
    let alice = member("alice");
    assert_eq!(&*alice.wrap_ephemeral(CHANNEL, Some("mine"), b"x", NOW).unwrap().message_id, "mine");
    let random = |_| alice.wrap_ephemeral(CHANNEL, None, b"x", NOW).unwrap().message_id;
    let mut ids: Vec<_> = (0..10).map(random).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}
