//! Bad input gets an error that says what was wrong, under the status that C sees, and changes nothing: a row for each.
//!
//! What only a caller in C can do wrong, such as NULL with a length or a closed handle: `tests/c/every.c`.

#[path = "common/mod.rs"]
mod common;

use common::*;
use sds::bloom::{FilterView, ItemHash, RFC_PARAMS};
use sds::ffi::sds_status_t::{self, *};
use sds::output::{ChannelOptions, Disposition};
use sds::types::Profile;
use sds::{Config, Error, Manager};

type Call = Box<dyn Fn(&Manager) -> Result<(), Error>>;

struct Row {
    what: String,
    call: Call,
    status: sds_status_t,
    /// The error's text, or how it begins.
    says: String,
}

/// A call of the host's that is wrong.
fn call(
    what: impl Into<String>,
    call: impl Fn(&Manager) -> Result<(), Error> + 'static,
    status: sds_status_t,
    says: impl Into<String>,
) -> Row {
    Row { what: what.into(), call: Box::new(call), status, says: says.into() }
}

/// Bytes from the network that are wrong.
fn bytes(what: impl Into<String>, bytes: Vec<u8>, status: sds_status_t, says: impl Into<String>) -> Row {
    call(what, move |it| it.unwrap_incoming(&bytes, NOW).map(drop), status, says)
}

/// Alice has sent "ours"; "status" is a channel in libsds, and "shut" one that she closed.
fn alice() -> Manager {
    let alice = member("alice");
    let libsds = ChannelOptions { profile: Some(Profile::Libsds), ..ChannelOptions::default() };
    alice.open_channel("status", libsds, NOW).unwrap();
    alice.open_channel("shut", ChannelOptions::default(), NOW).unwrap();
    alice.close_channel("shut").unwrap();
    send(&alice, "ours", NOW);
    alice
}

fn check(rows: impl IntoIterator<Item = Row>) {
    let alice = alice();
    for Row { what, call, status, says } in rows {
        let error = refused(&alice, || call(&alice));
        assert!(error.to_string().starts_with(&says), "{what}: {error}, not {says}");
        assert_eq!(sds_status_t::from(&error), status, "{what}: {error}");
        assert!(alice.drain().is_empty(), "{what}");
    }
}

/// One byte more than an id may have.
const LONG: &str = match std::str::from_utf8(&[b'x'; 257]) {
    Ok(text) => text,
    Err(_) => panic!(),
};

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A field of a protobuf message, length-delimited.
fn field(number: u64, value: &[u8]) -> Vec<u8> {
    [&varint(number << 3 | 2), &varint(value.len() as u64), value].concat()
}

fn number_field(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

/// A message in rfc of these fields: sender, id, channel, and content "x" with timestamp 1.
fn rfc(sender: &[u8], id: &[u8], channel: &[u8]) -> Vec<u8> {
    [field(1, sender), field(2, id), field(3, channel), number_field(10, 1), field(20, b"x")].concat()
}

/// An entry of a causal history or a repair request.
fn raw_entry(id: &[u8], hint: &[u8], sender: &[u8]) -> Vec<u8> {
    [field(1, id), field(2, hint), field(3, sender)].concat()
}

#[test]
fn bytes_from_the_network() {
    let ok = CHANNEL.as_bytes();
    let many: Vec<_> = (0..1_025).map(|number| number.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let rows = vec![
        bytes("nothing", vec![], SDS_NOT_SDS, "not an SDS message: it has no field 2"),
        bytes("a chat line", b"hello, is this on?".to_vec(), SDS_NOT_SDS, "not an SDS message"),
        bytes("another protobuf", vec![0x08, 1, 0x18, 2], SDS_NOT_SDS, "not an SDS message: it has no field 2"),
        bytes("all ones", vec![0xff; 300], SDS_NOT_SDS, "not an SDS message: it does not parse"),
        bytes("no ids at all", rfc(b"bob", b"", b""), SDS_NOT_SDS, "not an SDS message: it has neither"),
        bytes("empty message id", rfc(b"bob", b"", ok), SDS_INVALID_ID, "message id is empty"),
        bytes("empty channel id", rfc(b"bob", b"m", b""), SDS_INVALID_ID, "channel id is empty"),
        bytes(
            "long message id",
            rfc(b"bob", LONG.as_bytes(), ok),
            SDS_TOO_LARGE,
            "message id of 257 bytes is over the limit of 256",
        ),
        bytes(
            "long channel id",
            rfc(b"bob", b"m", LONG.as_bytes()),
            SDS_TOO_LARGE,
            "channel id of 257 bytes is over the limit of 256",
        ),
        bytes(
            "long sender id",
            rfc(LONG.as_bytes(), b"m", ok),
            SDS_TOO_LARGE,
            "sender id of 257 bytes is over the limit of 256",
        ),
        bytes("message id not UTF-8", rfc(b"bob", b"\xc3\x28", ok), SDS_NOT_UTF8, "message id is not UTF-8"),
        bytes("channel id not UTF-8", rfc(b"bob", b"m", b"\xff"), SDS_NOT_UTF8, "channel id is not UTF-8"),
        bytes("sender id not UTF-8", rfc(b"\x80", b"m", ok), SDS_NOT_UTF8, "sender id is not UTF-8"),
        bytes(
            "over 1 MiB",
            forged("m").content(&[7; 1 << 20]).bytes(),
            SDS_TOO_LARGE,
            "message of 1048605 bytes is over the limit of 1048576",
        ),
        bytes(
            "1,025 dependencies",
            forged("m").after(&many).bytes(),
            SDS_TOO_LARGE,
            "more than 1024 entries in causal history",
        ),
        bytes(
            "65 requests",
            forged("m").asking(&many[..65]).bytes(),
            SDS_TOO_LARGE,
            "more than 64 entries in repair request",
        ),
        bytes(
            "unknown channel",
            forged("m").channel("elsewhere").bytes(),
            SDS_UNKNOWN_CHANNEL,
            "channel \"elsewhere\" is not open",
        ),
        bytes(
            "libsds without content",
            vec![0x0a, 1, b'm', 0x10, 1, 0x22, 1, b'c'],
            SDS_MALFORMED,
            "malformed libsds message: no content",
        ),
        bytes(
            "a group",
            [forged("m").of(Profile::Libsds).bytes(), vec![0x43, 0x44]].concat(),
            SDS_MALFORMED,
            "malformed libsds message",
        ),
        bytes("trailing garbage", [forged("m").bytes(), vec![0xff]].concat(), SDS_MALFORMED, "malformed rfc message"),
        bytes(
            "a closed channel",
            forged("m").channel("shut").bytes(),
            SDS_UNKNOWN_CHANNEL,
            "channel \"shut\" is not open",
        ),
    ];
    assert_eq!(rows.len(), 21);
    check(rows);
}

#[test]
fn entries_of_a_history_and_of_a_repair_request() {
    let ok: &[u8] = b"d";
    let over = |field, size, limit| format!("{field} of {size} bytes is over the limit of {limit}");
    for profile in BOTH {
        let history = if profile == Profile::Rfc { 11 } else { 3 };
        let rows = [("history", history), ("repair request", 13)].into_iter().flat_map(|(list, number)| {
            let row = |what: &str, entry: Vec<u8>, status, says| {
                let message = [forged("m").of(profile).bytes(), field(number, &entry)].concat();
                bytes(format!("{profile:?}, {list}: {what}"), message, status, says)
            };
            let (long, sender_long) =
                (over("message id in an entry", 257, 256), over("sender id in an entry", 257, 256));
            let (id_bad, sender_bad) = ("message id in an entry is not UTF-8", "sender id in an entry is not UTF-8");
            [
                row("long id", raw_entry(LONG.as_bytes(), ok, ok), SDS_TOO_LARGE, long),
                row("id not UTF-8", raw_entry(b"\xc3\x28", ok, ok), SDS_NOT_UTF8, id_bad.to_owned()),
                row("long sender id", raw_entry(ok, ok, LONG.as_bytes()), SDS_TOO_LARGE, sender_long),
                row("sender id not UTF-8", raw_entry(ok, ok, b"\xff"), SDS_NOT_UTF8, sender_bad.to_owned()),
                row("long hint", raw_entry(ok, &[7; 1_025], ok), SDS_TOO_LARGE, over("retrieval hint", 1_025, 1_024)),
                row("broken entry", b"\x0a\x05x".to_vec(), SDS_MALFORMED, format!("malformed {}", profile.name())),
            ]
        });
        check(rows);
    }
}

/// The fields of a message, in the order of the wire; what bytes are that end inside each, and what bytes are that end
/// right after it: shorter messages, some of them good ones.
fn parts(profile: Profile) -> Vec<(Vec<u8>, sds_status_t, sds_status_t)> {
    let (channel, entry) = (CHANNEL.as_bytes(), raw_entry(b"before", b"hint", b"carol"));
    match profile {
        Profile::Rfc => vec![
            (field(1, b"bob"), SDS_NOT_SDS, SDS_NOT_SDS),
            (field(2, b"message"), SDS_NOT_SDS, SDS_INVALID_ID),
            (field(3, channel), SDS_MALFORMED, SDS_MALFORMED),
            (number_field(10, NOW), SDS_MALFORMED, SDS_OK),
            (field(11, &entry), SDS_MALFORMED, SDS_OK),
            (field(12, &[1; 200]), SDS_MALFORMED, SDS_OK),
            (field(13, &entry), SDS_MALFORMED, SDS_OK),
            (field(20, b"content"), SDS_MALFORMED, SDS_OK),
        ],
        Profile::Libsds => vec![
            (field(1, b"message"), SDS_NOT_SDS, SDS_NOT_SDS),
            (number_field(2, NOW / SECOND), SDS_NOT_SDS, SDS_INVALID_ID),
            (field(3, &entry), SDS_MALFORMED, SDS_INVALID_ID),
            (field(4, channel), SDS_MALFORMED, SDS_MALFORMED),
            (field(5, b"content"), SDS_MALFORMED, SDS_OK),
            (field(6, &[1; 200]), SDS_MALFORMED, SDS_OK),
            (field(7, b"bob"), SDS_MALFORMED, SDS_OK),
            (field(13, &entry), SDS_MALFORMED, SDS_OK),
        ],
    }
}

#[test]
fn truncated_at_every_length() {
    for profile in BOTH {
        let (mut whole, mut rows) = (Vec::new(), Vec::new());
        let mut after_last = SDS_NOT_SDS;
        for (part, inside, after) in parts(profile) {
            for len in 0..part.len() {
                let status = if len == 0 { after_last } else { inside };
                let cut = [&whole, &part[..len]].concat();
                let what = format!("{profile:?} cut to {} bytes", cut.len());
                let says = match status {
                    SDS_OK => {
                        let received = member("carol").unwrap_incoming(&cut, NOW).map(drop);
                        assert_eq!(received, Ok(()), "{what}");
                        continue;
                    }
                    SDS_NOT_SDS => "not an SDS message".to_owned(),
                    SDS_INVALID_ID => "channel id is empty".to_owned(),
                    _ => format!("malformed {} message", profile.name()),
                };
                rows.push(bytes(what, cut, status, says));
            }
            whole.extend(part);
            after_last = after;
        }
        assert_eq!(member("carol").unwrap_incoming(&whole, NOW).unwrap().message_id, "message");
        assert!(rows.len() > 250);
        check(rows);
    }
}

struct Args {
    channel: &'static str,
    message: &'static str,
    now_ms: u64,
}

/// Arguments with which no call is refused.
const GOOD: Args = Args { channel: CHANNEL, message: "ours", now_ms: NOW };

type Method = fn(&Manager, &Args) -> Result<(), Error>;

/// Every method that takes a (c)hannel id, a (m)essage id or a (t)ime, and which of them.
const METHODS: [(&str, &str, Method); 16] = [
    ("open_channel", "ct", |it, with| it.open_channel(with.channel, ChannelOptions::default(), with.now_ms)),
    ("close_channel", "c", |it, with| it.close_channel(with.channel)),
    ("forget_channel", "c", |it, with| it.forget_channel(with.channel)),
    ("channel_status", "c", |it, with| it.channel_status(with.channel).map(drop)),
    ("dump_channel", "c", |it, with| it.dump_channel(with.channel).map(drop)),
    ("next_history", "c", |it, with| it.next_history(with.channel).map(drop)),
    ("wrap_outgoing", "cmt", |it, with| {
        it.wrap_outgoing(with.channel, Some(with.message), b"ours", with.now_ms).map(drop)
    }),
    ("wrap_ephemeral", "cmt", |it, with| {
        it.wrap_ephemeral(with.channel, Some(with.message), b"x", with.now_ms).map(drop)
    }),
    ("mark_dependencies_met", "cmt", |it, with| {
        it.mark_dependencies_met(with.channel, &["good", with.message], with.now_ms)
    }),
    ("set_retrieval_hint", "cm", |it, with| it.set_retrieval_hint(with.channel, with.message, b"hint")),
    ("message_status", "cm", |it, with| it.message_status(with.channel, with.message).map(drop)),
    ("retry", "cmt", |it, with| it.retry(with.channel, with.message, with.now_ms)),
    ("cancel", "cmt", |it, with| it.cancel(with.channel, with.message, with.now_ms)),
    ("unwrap_incoming", "t", |it, with| it.unwrap_incoming(&forged("m").bytes(), with.now_ms).map(drop)),
    ("tick", "t", |it, with| it.tick(with.now_ms)),
    ("set_online", "t", |it, with| it.set_online(false, with.now_ms)),
];

#[test]
fn ids_and_times_in_every_method() {
    const YEAR_10000: u64 = 253_402_300_800_000;
    let mut rows = Vec::new();
    for (name, takes, method) in METHODS {
        assert_eq!(method(&alice(), &GOOD), Ok(()), "{name}: so that the rows are refused for what they have wrong");
        let mut row = |what: &str, with: Args, status, says: String| {
            rows.push(call(format!("{name}: {what}"), move |it| method(it, &with), status, says));
        };
        let over = |field| format!("{field} of 257 bytes is over the limit of 256");
        if takes.contains('c') {
            row("empty channel id", Args { channel: "", ..GOOD }, SDS_INVALID_ID, "channel id is empty".into());
            row("long channel id", Args { channel: LONG, ..GOOD }, SDS_INVALID_ID, over("channel id"));
            for channel in ["elsewhere", "shut"] {
                // These are there for channels that are not open.
                if name == "open_channel" || name == "forget_channel" && channel == "shut" {
                    continue;
                }
                let says = format!("channel {channel:?} is not open");
                row("unknown channel", Args { channel, ..GOOD }, SDS_UNKNOWN_CHANNEL, says);
            }
        }
        if takes.contains('m') {
            row("empty message id", Args { message: "", ..GOOD }, SDS_INVALID_ID, "message id is empty".into());
            row("long message id", Args { message: LONG, ..GOOD }, SDS_INVALID_ID, over("message id"));
        }
        if takes.contains('t') {
            for now_ms in [YEAR_10000, 1 << 63, u64::MAX] {
                let says = format!("a time of {now_ms} ms lies beyond the year 9999");
                row("no time", Args { now_ms, ..GOOD }, SDS_INVALID_ARGUMENT, says);
            }
        }
    }
    assert_eq!(rows.len(), 13 * 4 - 3 + 7 * 2 + 9 * 3);
    check(rows);
    // The first and the last moment that are a time.
    for now_ms in [0, YEAR_10000 - 1] {
        for (name, _, method) in METHODS {
            assert_eq!(method(&alice(), &Args { now_ms, ..GOOD }), Ok(()), "{name} at {now_ms}");
        }
    }
}

#[test]
fn what_a_host_gets_wrong_besides() {
    let theirs = "message \"m\" is not one of ours";
    let rows = vec![
        call(
            "empty content",
            |it| it.wrap_outgoing(CHANNEL, Some("m"), b"", NOW).map(drop),
            SDS_EMPTY_CONTENT,
            "content is empty",
        ),
        call(
            "empty ephemeral content",
            |it| it.wrap_ephemeral(CHANNEL, Some("m"), b"", NOW).map(drop),
            SDS_EMPTY_CONTENT,
            "content is empty",
        ),
        // The content is within the limit, the message is not.
        call(
            "message over the limit",
            |it| it.wrap_outgoing(CHANNEL, Some("m"), &[7; 1 << 20], NOW).map(drop),
            SDS_TOO_LARGE,
            "message of 1",
        ),
        call(
            "content over the limit",
            |it| it.wrap_ephemeral(CHANNEL, Some("m"), &[7; (1 << 20) + 1], NOW).map(drop),
            SDS_TOO_LARGE,
            "message of 1048577 bytes is over the limit of 1048576",
        ),
        call(
            "an id again with other content",
            |it| it.wrap_outgoing(CHANNEL, Some("ours"), b"other", NOW).map(drop),
            SDS_ID_REUSED,
            "message id \"ours\" was used before, for other content",
        ),
        call(
            "ephemeral in libsds",
            |it| it.wrap_ephemeral("status", None, b"x", NOW).map(drop),
            SDS_EPHEMERAL_UNSUPPORTED,
            "the libsds profile has no ephemeral messages",
        ),
        call("status of a stranger's", |it| it.message_status(CHANNEL, "m").map(drop), SDS_UNKNOWN_MESSAGE, theirs),
        call("retry of a stranger's", |it| it.retry(CHANNEL, "m", NOW), SDS_UNKNOWN_MESSAGE, theirs),
        call("cancel of a stranger's", |it| it.cancel(CHANNEL, "m", NOW), SDS_UNKNOWN_MESSAGE, theirs),
        call("hint for a stranger's", |it| it.set_retrieval_hint(CHANNEL, "m", b"h"), SDS_UNKNOWN_MESSAGE, theirs),
        call(
            "long hint",
            |it| it.set_retrieval_hint(CHANNEL, "ours", &[7; 1_025]),
            SDS_TOO_LARGE,
            "retrieval hint of 1025 bytes is over the limit of 1024",
        ),
        call(
            "other options",
            |it| it.open_channel("status", ChannelOptions::default(), NOW),
            SDS_CHANNEL_OPTIONS_DIFFER,
            "channel \"status\" exists already, with other options",
        ),
    ];
    check(rows);
}

/// A libsds filter with parameters as a stranger may claim them.
fn libsds_filter_of(words: &[u8], capacity: u64, hashes: u64, bits: u64) -> Vec<u8> {
    let numbers =
        [(2, capacity), (3, 1_000), (4, hashes), (5, bits)].map(|(number, value)| number_field(number, value));
    [field(1, words), numbers.concat()].concat()
}

#[test]
fn hostile_filters_are_dropped_and_their_messages_processed() {
    use Profile::{Libsds, Rfc};
    const REFUSED: u64 = 1;
    // Odd, and no reason to refuse: it is used, and says nothing.
    const TAKEN: u64 = 0;
    let word = [0xff; 8];
    let rfc_bytes = RFC_PARAMS.word_bytes();
    let rows = [
        (Libsds, "k = 0", libsds_filter_of(&word, 10, 0, 64), REFUSED),
        (Libsds, "k = 65", libsds_filter_of(&word, 10, 65, 64), REFUSED),
        (Libsds, "k = 10^9", libsds_filter_of(&word, 10, 1_000_000_000, 64), REFUSED),
        (Libsds, "k = 2^62", libsds_filter_of(&word, 10, 1 << 62, 64), REFUSED),
        (Libsds, "m = 0", libsds_filter_of(&word, 10, 7, 0), REFUSED),
        (Libsds, "m beyond the words", libsds_filter_of(&word, 10, 7, 65), REFUSED),
        (Libsds, "m = 2^63", libsds_filter_of(&word, 10, 7, 1 << 63), REFUSED),
        (Libsds, "no words", libsds_filter_of(&[], 10, 7, 64), REFUSED),
        (Libsds, "no protobuf", vec![0xff; 40], REFUSED),
        (Libsds, "over the limit", vec![0; 200_000], REFUSED),
        (Libsds, "capacity 2^63", libsds_filter_of(&[0; 8], 1 << 63, 7, 64), TAKEN),
        (Libsds, "all ones", libsds_filter_of(&word, 10, 7, 64), TAKEN),
        (Rfc, "one byte", vec![0xff], REFUSED),
        (Rfc, "a byte short", vec![0xff; rfc_bytes - 1], REFUSED),
        (Rfc, "a byte over", vec![0xff; rfc_bytes + 1], REFUSED),
        (Rfc, "twice the size", vec![0xff; rfc_bytes * 2], REFUSED),
        (Rfc, "over the limit", vec![0; 200_000], REFUSED),
        (Rfc, "a libsds filter", libsds_filter_of(&word, 10, 7, 64), REFUSED),
        (Rfc, "all ones", vec![0xff; rfc_bytes], TAKEN),
    ];
    for (profile, what, filter, refused) in rows {
        let alice = member_of(profile, "alice");
        send(&alice, "ours", NOW);
        let message = forged("m").of(profile).filter(&filter).bytes();
        assert_eq!(disposition(&alice, &message, NOW), Disposition::Delivered, "{profile:?} {what}");
        assert_eq!(status(&alice).unacknowledged, 1, "{profile:?} {what}");
        assert_eq!(status(&alice).possibly_acknowledged, 0, "{profile:?} {what}");
        assert_eq!(status(&alice).filters_refused, refused, "{profile:?} {what}");
    }
    let ones = libsds_filter_of(&word, 1 << 63, 7, 64);
    let view = FilterView::parse(Libsds, &ones, 1_000).unwrap().unwrap();
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
        ("participant_id", |it| it.participant_id = LONG.to_owned()),
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
