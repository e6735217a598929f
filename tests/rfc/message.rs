//! *Message*: the meta structure and what fills it.

use prost::Message as _;
use sds::Error;
use sds::types::{HistoryEntry, Message, Profile};

use crate::common::*;

/// The message of the RFC, by another codec's opinion.
#[derive(Clone, PartialEq, prost::Message)]
struct RfcMessage {
    #[prost(string, tag = "1")]
    sender_id: String,
    #[prost(string, tag = "2")]
    message_id: String,
    #[prost(string, tag = "3")]
    channel_id: String,
    #[prost(uint64, optional, tag = "10")]
    lamport_timestamp: Option<u64>,
    #[prost(message, repeated, tag = "11")]
    causal_history: Vec<RfcEntry>,
    #[prost(bytes = "vec", optional, tag = "12")]
    bloom_filter: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "13")]
    repair_request: Vec<RfcEntry>,
    #[prost(bytes = "vec", optional, tag = "20")]
    content: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RfcEntry {
    #[prost(string, tag = "1")]
    message_id: String,
    #[prost(bytes = "vec", optional, tag = "2")]
    retrieval_hint: Option<Vec<u8>>,
    #[prost(string, optional, tag = "3")]
    sender_id: Option<String>,
}

#[test]
fn w1_message_has_the_fields_of_the_rfc() {
    let alice = member("alice");
    send(&alice, "first", NOW);
    alice.set_retrieval_hint(CHANNEL, "first", b"where").unwrap();
    let sent = send(&alice, "second", NOW + 5);
    let expected = RfcMessage {
        sender_id: "alice".into(),
        message_id: "second".into(),
        channel_id: CHANNEL.into(),
        lamport_timestamp: Some(NOW + 5),
        causal_history: vec![RfcEntry {
            message_id: "first".into(),
            retrieval_hint: Some(b"where".to_vec()),
            sender_id: Some("alice".into()),
        }],
        bloom_filter: Some(rfc_filter(&["first"], 0)),
        repair_request: Vec::new(),
        content: Some(b"second".to_vec()),
    };
    assert_eq!(RfcMessage::decode(&*sent.bytes).unwrap(), expected);
    assert_eq!(expected.encode_to_vec(), &*sent.bytes, "field by field in ascending order");
}

#[test]
fn w1_every_field_is_read_and_written_as_another_codec_does() {
    let entry = |id: &str| RfcEntry {
        message_id: id.into(),
        retrieval_hint: Some(b"where".to_vec()),
        sender_id: Some("carol".into()),
    };
    let theirs = RfcMessage {
        sender_id: "bob".into(),
        message_id: "m".into(),
        channel_id: CHANNEL.into(),
        lamport_timestamp: Some(NOW),
        causal_history: vec![entry("named 1"), entry("named 2")],
        bloom_filter: Some(vec![1, 2, 3]),
        repair_request: vec![entry("asked for 1"), entry("asked for 2")],
        content: Some(b"hello".to_vec()),
    };
    let bytes = theirs.encode_to_vec();
    let read = |id| HistoryEntry { message_id: id, retrieval_hint: Some(b"where"), sender_id: Some("carol") };
    let ours = Message {
        sender_id: "bob",
        message_id: "m",
        channel_id: CHANNEL,
        lamport_timestamp_ms: Some(NOW),
        causal_history: vec![read("named 1"), read("named 2")],
        bloom_filter: Some(&[1, 2, 3]),
        repair_request: vec![read("asked for 1"), read("asked for 2")],
        content: Some(b"hello"),
    };
    assert_eq!(decode(&bytes), (Profile::Rfc, ours.clone()));
    assert_eq!(Forged { profile: Profile::Rfc, message: ours }.bytes(), bytes);
}

#[test]
fn w2_sender_id_is_our_participant_id() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        assert_eq!(decode(&send(&alice, "m", NOW).bytes).1.sender_id, "alice", "{profile:?}");
    }
    let alice = member("alice");
    let ephemeral = alice.wrap_ephemeral(CHANNEL, None, b"typing", NOW).unwrap();
    assert_eq!(decode(&ephemeral.bytes).1.sender_id, "alice");
}

#[test]
fn w3_message_id_is_globally_unique() {
    let alice = member("alice");
    let bob = member("bob");
    alice.open_channel("other", Default::default(), NOW).unwrap();
    let mut ids = vec![
        alice.wrap_outgoing(CHANNEL, None, b"hi", NOW).unwrap(),
        alice.wrap_outgoing(CHANNEL, None, b"hi", NOW).unwrap(),
        alice.wrap_outgoing("other", None, b"hi", NOW).unwrap(),
        bob.wrap_outgoing(CHANNEL, None, b"hi", NOW).unwrap(),
    ];
    for wrapped in &ids {
        assert_eq!(decode(&wrapped.bytes).1.message_id, &*wrapped.message_id);
    }
    ids.sort_by(|a, b| a.message_id.cmp(&b.message_id));
    ids.dedup_by(|a, b| a.message_id == b.message_id);
    assert_eq!(ids.len(), 4, "equal payloads have ids of their own");
    send(&alice, "mine", NOW);
    let reused = alice.wrap_outgoing(CHANNEL, Some("mine"), b"something else", NOW);
    assert_eq!(reused, Err(Error::IdReused("mine".into())), "an id names one message for ever");
}

#[test]
fn w4_channel_id_names_the_channel() {
    let alice = member("alice");
    alice.open_channel("0", Default::default(), NOW).unwrap();
    for channel in [CHANNEL, "0"] {
        let sent = alice.wrap_outgoing(channel, None, b"hi", NOW).unwrap();
        assert_eq!(decode(&sent.bytes).1.channel_id, channel);
        let ephemeral = alice.wrap_ephemeral(channel, None, b"typing", NOW).unwrap();
        assert_eq!(decode(&ephemeral.bytes).1.channel_id, channel);
    }
    let bob = member("bob");
    bob.open_channel("0", Default::default(), NOW).unwrap();
    bob.unwrap_incoming(&forged("m").channel("0").bytes(), NOW).unwrap();
    assert_eq!(bob.channel_status("0").unwrap().logged, 1);
    assert_eq!(status(&bob).logged, 0);
}

#[test]
fn w5_timestamp_history_and_filter_are_set_but_in_ephemeral_messages() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        send(&alice, "first", NOW);
        let sent = send(&alice, "m", NOW);
        let (_, message) = decode(&sent.bytes);
        assert!(message.lamport_timestamp_ms.is_some_and(|stamp| stamp > NOW), "{profile:?}");
        assert_eq!(history(&sent.bytes), ["first"], "{profile:?}");
        assert!(filter_holds(&sent.bytes, "first"), "{profile:?}");
    }
    let alice = member("alice");
    let first_of_all = send(&member("bob"), "m", NOW);
    assert!(decode(&first_of_all.bytes).1.bloom_filter.is_some_and(|filter| filter.len() == 18_752), "even when empty");
    let ephemeral = alice.wrap_ephemeral(CHANNEL, None, b"typing", NOW).unwrap();
    let (_, message) = decode(&ephemeral.bytes);
    assert_eq!((message.lamport_timestamp_ms, message.bloom_filter), (None, None));
    assert!(message.causal_history.is_empty());
}

#[test]
fn w6_content_is_there_but_in_sync_messages() {
    for profile in BOTH {
        let alice = member_with("alice", |config| {
            config.profile = profile;
            config.sync_in_libsds = true;
        });
        let empty = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("m"), b"", NOW));
        assert_eq!(empty, Error::EmptyContent);
        assert_eq!(decode(&send(&alice, "m", NOW).bytes).1.payload(), Some(&b"m"[..]));
        alice.cancel(CHANNEL, "m", NOW).unwrap();
        let sync = tick(&alice, NOW + 60 * SECOND);
        assert_eq!(decode(&sync[0].bytes).1.payload(), None, "{profile:?}");
    }
    let alice = member("alice");
    assert_eq!(refused(&alice, || alice.wrap_ephemeral(CHANNEL, None, b"", NOW)), Error::EmptyContent);
}

#[test]
fn w1_the_libsds_profile_keeps_its_own_field_numbers() {
    let alice = member_of(Profile::Libsds, "alice");
    let sent = send(&alice, "m", NOW);
    // 1: message id; 2: timestamp in seconds; 4: channel id; 5: content; 7: sender.
    let mut head = vec![0x0a, 1, b'm', 0x10];
    prost::encoding::encode_varint(NOW / SECOND + 1, &mut head);
    head.extend_from_slice(b"\x22\x07general\x2a\x01m");
    assert!(sent.bytes.starts_with(&head), "{:x?}", sent.bytes);
    assert!(sent.bytes.ends_with(b"\x3a\x05alice"), "{:x?}", sent.bytes);
}
