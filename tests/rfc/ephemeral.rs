//! *Ephemeral Messages*.

use sds::output::{ChannelOptions, Disposition};
use sds::types::{Kind, Profile};
use sds::{Error, Manager};

use crate::common::*;

fn ephemeral(manager: &Manager) -> sds::output::Wrapped {
    manager.wrap_ephemeral(CHANNEL, None, b"typing", NOW + 5).unwrap()
}

#[test]
fn e1_sent_without_timestamp_history_and_filter() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    let sent = ephemeral(&alice);
    assert_eq!(sent.lamport_timestamp_ms, None);
    let (profile, message) = decode(&sent.bytes);
    assert_eq!((profile, message.kind()), (Profile::Rfc, Kind::Ephemeral));
    assert_eq!((message.lamport_timestamp_ms, message.bloom_filter), (None, None));
    assert!(message.causal_history.is_empty() && message.repair_request.is_empty());
    assert_eq!((message.content, message.channel_id), (Some(&b"typing"[..]), CHANNEL));
    assert_ne!(ephemeral(&alice).message_id, sent.message_id);
    let libsds = member_of(Profile::Libsds, "alice");
    let error = refused(&libsds, || libsds.wrap_ephemeral(CHANNEL, None, b"typing", NOW));
    assert_eq!(error, Error::EphemeralUnsupported, "which that profile cannot say");
}

#[test]
fn e2_not_in_the_outgoing_buffer() {
    let alice = member("alice");
    let before = snapshot(&alice);
    let sent = ephemeral(&alice);
    assert_eq!(snapshot(&alice), before, "no trace: no clock, no log, no filter, no deadline");
    assert!(alice.message_status(CHANNEL, &sent.message_id).is_err());
    assert!(tick(&alice, NOW + 10 * MINUTE).is_empty());
}

#[test]
fn e3_delivered_at_once_and_not_kept() {
    let alice = member("alice");
    let sent = ephemeral(&member("bob"));
    let before = snapshot(&alice);
    for _ in 0..2 {
        let unwrapped = receive(&alice, &sent.bytes, NOW + 5);
        assert_eq!(unwrapped.disposition, Disposition::Ephemeral, "again, too: nobody remembers");
        assert_eq!((unwrapped.content, unwrapped.lamport_timestamp_ms), (&b"typing"[..], None));
    }
    assert_eq!(snapshot(&alice), before);
    // Even one that names what is not here neither waits nor tells of it.
    let naming = forged("e").ephemeral().after(&["unknown"]).bytes();
    assert_eq!(disposition(&alice, &naming, NOW), Disposition::Ephemeral);
    assert_eq!(snapshot(&alice), before);
    assert!(alice.drain().is_empty());
    let derived = member_opened("alice", ChannelOptions { derived_ids: true, ..ChannelOptions::default() });
    assert_eq!(disposition(&derived, &sent.bytes, NOW), Disposition::Ephemeral);
}
