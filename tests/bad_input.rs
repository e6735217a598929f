//! Bad input gets an error that says what was wrong, the status that C sees, and changes nothing: a row for each.

#[path = "common/mod.rs"]
mod common;

use common::*;
use sds::bloom::{FilterView, ItemHash};
use sds::output::{ChannelOptions, Disposition};
use sds::types::Profile;
use sds::{Config, Error, Manager};

/// What a row hands in.
enum Input {
    /// Bytes from the network.
    Bytes(Vec<u8>),
    /// A call of the host's, by name, for the sake of a readable table.
    Call(fn(&Manager) -> Result<(), Error>),
}

use Input::{Bytes, Call};

struct Row {
    what: &'static str,
    input: Input,
    /// The error, as its text begins or goes on.
    says: &'static str,
}

fn row(what: &'static str, input: Input, says: &'static str) -> Row {
    Row { what, input, says }
}

/// A field of a protobuf message, length-delimited; all lengths here fit two bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let (low, high) = ((value.len() & 0x7f) as u8 | 0x80, (value.len() >> 7) as u8);
    [&[number << 3 | 2, low, high], value].concat()
}

/// A message in rfc of these fields: sender, id, channel, and content "x" with timestamp 1.
fn rfc(sender: &[u8], id: &[u8], channel: &[u8]) -> Vec<u8> {
    [field(1, sender), field(2, id), field(3, channel), vec![0x50, 1, 0xa2, 1, 1, b'x']].concat()
}

fn long() -> String {
    "x".repeat(257)
}

fn network() -> Vec<Row> {
    let ok = CHANNEL.as_bytes();
    let hint = [7; 2_000];
    let many: Vec<_> = (0..1_025).map(|number| number.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    vec![
        row("nothing", Bytes(vec![]), "not an SDS message: it has no field 2"),
        row("a chat line", Bytes(b"hello, is this on?".to_vec()), "not an SDS message"),
        row("another protobuf", Bytes(vec![0x08, 1, 0x18, 2]), "not an SDS message: it has no field 2"),
        row("all ones", Bytes(vec![0xff; 300]), "not an SDS message: it does not parse"),
        row("no ids at all", Bytes(rfc(b"bob", b"", b"")), "not an SDS message: it has neither"),
        row("empty message id", Bytes(rfc(b"bob", b"", ok)), "message id is empty"),
        row("empty channel id", Bytes(rfc(b"bob", b"m", b"")), "channel id is empty"),
        row(
            "long message id",
            Bytes(rfc(b"bob", long().as_bytes(), ok)),
            "message id of 257 bytes is over the limit of 256",
        ),
        row(
            "long channel id",
            Bytes(rfc(b"bob", b"m", long().as_bytes())),
            "channel id of 257 bytes is over the limit of 256",
        ),
        row(
            "long sender id",
            Bytes(rfc(long().as_bytes(), b"m", ok)),
            "sender id of 257 bytes is over the limit of 256",
        ),
        row("message id not UTF-8", Bytes(rfc(b"bob", b"\xc3\x28", ok)), "message id is not UTF-8"),
        row("channel id not UTF-8", Bytes(rfc(b"bob", b"m", b"\xff")), "channel id is not UTF-8"),
        row("sender id not UTF-8", Bytes(rfc(b"\x80", b"m", ok)), "sender id is not UTF-8"),
        row(
            "over 1 MiB",
            Bytes(forged("m").content(&[7; 1 << 20]).bytes()),
            "message of 1048605 bytes is over the limit of 1048576",
        ),
        row(
            "long hint",
            Bytes(forged("m").hinted("d", &hint).bytes()),
            "retrieval hint of 2000 bytes is over the limit of 1024",
        ),
        row("1,025 dependencies", Bytes(forged("m").after(&many).bytes()), "more than 1024 entries in causal history"),
        row("unknown channel", Bytes(forged("m").channel("elsewhere").bytes()), "channel \"elsewhere\" is not open"),
        row(
            "libsds without content",
            Bytes(vec![0x0a, 1, b'm', 0x10, 1, 0x22, 1, b'c']),
            "malformed libsds message: no content",
        ),
        row(
            "a group",
            Bytes([forged("m").of(Profile::Libsds).bytes(), vec![0x43, 0x44]].concat()),
            "malformed libsds message",
        ),
        row("trailing garbage", Bytes([forged("m").bytes(), vec![0xff]].concat()), "malformed rfc message"),
    ]
}

fn host() -> Vec<Row> {
    vec![
        row("empty content", Call(|it| it.wrap_outgoing(CHANNEL, Some("m"), b"", NOW).map(drop)), "content is empty"),
        row("empty id", Call(|it| it.wrap_outgoing(CHANNEL, Some(""), b"x", NOW).map(drop)), "message id is empty"),
        row(
            "long id",
            Call(|it| it.wrap_outgoing(CHANNEL, Some(&long()), b"x", NOW).map(drop)),
            "message id of 257 bytes is over the limit of 256",
        ),
        row(
            "content over the limit",
            Call(|it| it.wrap_outgoing(CHANNEL, Some("m"), &[7; 1 << 20], NOW).map(drop)),
            "message of 1",
        ),
        row(
            "an id again with other content",
            Call(|it| it.wrap_outgoing(CHANNEL, Some("ours"), b"other", NOW).map(drop)),
            "message id \"ours\" was used before, for other content",
        ),
        row(
            "wrap in an unknown channel",
            Call(|it| it.wrap_outgoing("elsewhere", None, b"x", NOW).map(drop)),
            "channel \"elsewhere\" is not open",
        ),
        row(
            "ephemeral in libsds",
            Call(|it| it.wrap_ephemeral("status", None, b"x", NOW).map(drop)),
            "the libsds profile has no ephemeral messages",
        ),
        row(
            "status of a stranger's",
            Call(|it| it.message_status(CHANNEL, "m").map(drop)),
            "message \"m\" is not one of ours",
        ),
        row("retry of a stranger's", Call(|it| it.retry(CHANNEL, "m", NOW)), "message \"m\" is not one of ours"),
        row("cancel of a stranger's", Call(|it| it.cancel(CHANNEL, "m", NOW)), "message \"m\" is not one of ours"),
        row(
            "hint for a stranger's",
            Call(|it| it.set_retrieval_hint(CHANNEL, "m", b"h")),
            "message \"m\" is not one of ours",
        ),
        row(
            "long hint",
            Call(|it| it.set_retrieval_hint(CHANNEL, "ours", &[7; 2_000])),
            "retrieval hint of 2000 bytes is over the limit of 1024",
        ),
        row("mark an empty id", Call(|it| it.mark_dependencies_met(CHANNEL, &["a", ""], NOW)), "message id is empty"),
        row(
            "open without a name",
            Call(|it| it.open_channel("", ChannelOptions::default(), NOW)),
            "channel id is empty",
        ),
        row("close what is not open", Call(|it| it.close_channel("elsewhere")), "channel \"elsewhere\" is not open"),
        row("forget what is not there", Call(|it| it.forget_channel("elsewhere")), "channel \"elsewhere\" is not open"),
    ]
}

#[test]
fn bad_input_says_what_was_wrong_and_changes_nothing() {
    let alice = member("alice");
    let libsds = ChannelOptions { profile: Some(Profile::Libsds), ..ChannelOptions::default() };
    alice.open_channel("status", libsds, NOW).unwrap();
    send(&alice, "ours", NOW);
    let rows: Vec<_> = network().into_iter().chain(host()).collect();
    assert_eq!(rows.len(), 36);
    for Row { what, input, says } in rows {
        let error = refused(&alice, || match &input {
            Bytes(bytes) => alice.unwrap_incoming(bytes, NOW).map(drop),
            Call(call) => call(&alice),
        });
        assert!(error.to_string().starts_with(says), "{what}: {error}");
        assert!(alice.drain().is_empty(), "{what}");
    }
}

#[test]
fn every_truncation_is_refused_or_a_shorter_message() {
    for profile in BOTH {
        let bob = member_of(profile, "bob");
        send(&bob, "first", NOW);
        let whole = send(&bob, "second", NOW).bytes;
        for len in (0..whole.len()).filter(|len| *len < 200 || len % 97 == 0) {
            let alice = member_of(profile, "alice");
            match alice.unwrap_incoming(&whole[..len], NOW) {
                // Cut between two fields, the rest is a message that lacks what came after.
                Ok(received) => assert!(received.message_id == "second" || received.message_id == "secon"),
                Err(error) => assert!(matches!(error, Error::Decode(_) | Error::UnknownChannel(_)), "{len}: {error}"),
            }
        }
    }
}

/// A libsds filter of one word, with parameters as a stranger may claim them. Varints by hand: some are very large.
fn libsds_filter_of(words: &[u8], capacity: u64, hashes: u64, bits: u64) -> Vec<u8> {
    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }
    let number = |key: u8, value| [vec![key], varint(value)].concat();
    [field(1, words), number(0x10, capacity), number(0x18, 1_000), number(0x20, hashes), number(0x28, bits)].concat()
}

#[test]
fn hostile_filters_are_dropped_and_their_messages_processed() {
    let word = [0xff; 8];
    let rows: [(&str, Vec<u8>); 10] = [
        ("k = 0", libsds_filter_of(&word, 10, 0, 64)),
        ("k = 65", libsds_filter_of(&word, 10, 65, 64)),
        ("k = 10^9", libsds_filter_of(&word, 10, 1_000_000_000, 64)),
        ("k = 2^62", libsds_filter_of(&word, 10, 1 << 62, 64)),
        ("m = 0", libsds_filter_of(&word, 10, 7, 0)),
        ("m beyond the words", libsds_filter_of(&word, 10, 7, 65)),
        ("m = 2^63", libsds_filter_of(&word, 10, 7, 1 << 63)),
        ("no words", libsds_filter_of(&[], 10, 7, 64)),
        ("no protobuf", vec![0xff; 40]),
        ("over the limit", vec![0; 200_000]),
    ];
    for (number, (what, filter)) in rows.iter().enumerate() {
        let alice = member_of(Profile::Libsds, "alice");
        send(&alice, "ours", NOW);
        let id = format!("m{number}");
        let message = forged(&id).of(Profile::Libsds).filter(filter).bytes();
        assert_eq!(disposition(&alice, &message, NOW), Disposition::Delivered, "{what}");
        assert_eq!(status(&alice).unacknowledged, 1, "{what}");
        assert_eq!(status(&alice).possibly_acknowledged, 0, "{what}");
        assert_eq!(status(&alice).filters_refused, 1, "{what}");
    }
    // What is odd, and no reason to refuse.
    let odd = libsds_filter_of(&word, 1 << 63, 7, 64);
    let view = FilterView::parse(Profile::Libsds, &odd, 1_000).unwrap().unwrap();
    assert_eq!(view.false_positive_rate(&ItemHash::from_parts(3, 5)), 1.0, "all ones say nothing");
}

#[test]
fn any_timestamp_is_taken() {
    for profile in BOTH {
        for (number, stamp) in [0, 1, 999, 1 << 53, (1 << 63) - 1, 1 << 63, u64::MAX].into_iter().enumerate() {
            let alice = member_of(profile, "alice");
            let before = status(&alice).lamport_timestamp_ms;
            let id = format!("m{number}");
            let message = forged(&id).of(profile).at(stamp).bytes();
            assert_eq!(disposition(&alice, &message, NOW), Disposition::Delivered, "{profile:?} {stamp}");
            assert_eq!(status(&alice).lamport_timestamp_ms, before, "{profile:?} {stamp}: it moves no clock");
            send(&alice, "after", NOW + SECOND);
        }
    }
}

#[test]
fn a_configuration_that_contradicts_itself_is_refused_by_the_field() {
    type Change = fn(&mut Config);
    let rows: [(&str, Change); 13] = [
        ("participant_id", |it| it.participant_id = long()),
        ("causal_history_size", |it| it.causal_history_size = 0),
        ("causal_history_size", |it| it.causal_history_size = 1_025),
        ("max_message_bytes", |it| it.max_message_bytes = 100),
        ("max_id_bytes", |it| it.max_id_bytes = 8),
        ("bloom_capacity", |it| it.bloom_capacity = 1),
        ("bloom_error_rate", |it| it.bloom_error_rate = f64::NAN),
        ("ack_false_positive", |it| it.ack_false_positive = 0.0),
        ("possibly_resend_interval_ms", |it| it.possibly_resend_interval_ms = 1_000),
        ("sync_interval_max_ms", |it| it.sync_interval_max_ms = 1_000),
        ("max_waiting_bytes", |it| it.max_waiting_bytes = 1_000),
        ("max_outputs", |it| it.max_outputs = 0),
        ("resend_interval_ms", |it| it.resend_interval_ms = u64::MAX),
    ];
    for (field, change) in rows {
        let mut config = Config::default();
        change(&mut config);
        let Err(Error::Config(error)) = Manager::open(config) else { panic!("{field}: accepted") };
        assert_eq!(error.field, field, "{error}");
        assert!(!error.problem.is_empty());
    }
}
