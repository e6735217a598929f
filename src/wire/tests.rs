//! What the codec promises beyond the recorded cases (those are in `tests/vectors.rs`): limits, order of checks, and that
//! it agrees with prost's own derived code byte for byte.

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::types::HistoryEntry;

/// The messages as prost derives them, as an independent opinion.
mod derived {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Entry {
        #[prost(string, tag = "1")]
        pub message_id: String,
        #[prost(bytes = "vec", optional, tag = "2")]
        pub hint: Option<Vec<u8>>,
        #[prost(string, optional, tag = "3")]
        pub sender_id: Option<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Rfc {
        #[prost(string, tag = "1")]
        pub sender_id: String,
        #[prost(string, tag = "2")]
        pub message_id: String,
        #[prost(string, tag = "3")]
        pub channel_id: String,
        #[prost(uint64, optional, tag = "10")]
        pub timestamp: Option<u64>,
        #[prost(message, repeated, tag = "11")]
        pub history: Vec<Entry>,
        #[prost(bytes = "vec", optional, tag = "12")]
        pub filter: Option<Vec<u8>>,
        #[prost(message, repeated, tag = "13")]
        pub repair: Vec<Entry>,
        #[prost(bytes = "vec", optional, tag = "20")]
        pub content: Option<Vec<u8>>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Libsds {
        #[prost(string, optional, tag = "1")]
        pub message_id: Option<String>,
        #[prost(uint64, optional, tag = "2")]
        pub timestamp: Option<u64>,
        #[prost(message, repeated, tag = "3")]
        pub history: Vec<Entry>,
        #[prost(string, optional, tag = "4")]
        pub channel_id: Option<String>,
        #[prost(bytes = "vec", optional, tag = "5")]
        pub content: Option<Vec<u8>>,
        #[prost(bytes = "vec", optional, tag = "6")]
        pub filter: Option<Vec<u8>>,
        #[prost(string, tag = "7")]
        pub sender_id: String,
        #[prost(message, repeated, tag = "13")]
        pub repair: Vec<Entry>,
    }
}

fn to_bytes(profile: Profile, message: &Message<'_>) -> Vec<u8> {
    let mut out = vec![0xee];
    encode(profile, message, &mut out);
    assert_eq!(out.len(), 1 + encoded_len(profile, message));
    assert_eq!(out.remove(0), 0xee, "what was there stays");
    out
}

fn refused(bytes: &[u8], limits: &Config) -> DecodeError {
    decode(bytes, limits).expect_err("accepted")
}

fn derive_entry(entry: &HistoryEntry<'_>) -> derived::Entry {
    derived::Entry {
        message_id: entry.message_id.to_owned(),
        hint: entry.retrieval_hint.map(<[u8]>::to_vec),
        sender_id: entry.sender_id.map(str::to_owned),
    }
}

fn derive_bytes(profile: Profile, message: &Message<'_>) -> Vec<u8> {
    let history = message.causal_history.iter().map(derive_entry).collect();
    let repair = message.repair_request.iter().map(derive_entry).collect();
    let filter = message.bloom_filter.map(<[u8]>::to_vec);
    let content = message.content.map(<[u8]>::to_vec);
    let (sender_id, message_id) = (message.sender_id.to_owned(), message.message_id.to_owned());
    let (channel_id, timestamp) = (message.channel_id.to_owned(), message.lamport_timestamp_ms);
    match profile {
        Profile::Rfc => derived::Rfc { sender_id, message_id, channel_id, timestamp, history, filter, repair, content }
            .encode_to_vec(),
        Profile::Libsds => derived::Libsds {
            message_id: Some(message_id),
            timestamp: timestamp.map(|ms| ms / 1_000),
            history,
            channel_id: Some(channel_id),
            content,
            filter,
            sender_id,
            repair,
        }
        .encode_to_vec(),
    }
}

type OwnedEntry = (String, Option<Vec<u8>>, Option<String>);

/// A message that owns its parts, for generators.
#[derive(Clone, Debug)]
struct Owned {
    ids: [String; 3],
    timestamp: Option<u64>,
    history: Vec<OwnedEntry>,
    filter: Option<Vec<u8>>,
    repair: Vec<OwnedEntry>,
    content: Option<Vec<u8>>,
}

impl Owned {
    fn message(&self) -> Message<'_> {
        Message {
            sender_id: &self.ids[0],
            message_id: &self.ids[1],
            channel_id: &self.ids[2],
            lamport_timestamp_ms: self.timestamp,
            causal_history: borrow(&self.history),
            bloom_filter: self.filter.as_deref(),
            repair_request: borrow(&self.repair),
            content: self.content.as_deref(),
        }
    }
}

fn borrow(entries: &[OwnedEntry]) -> Vec<HistoryEntry<'_>> {
    let borrowed = entries.iter().map(|(id, hint, sender)| HistoryEntry {
        message_id: id,
        retrieval_hint: hint.as_deref(),
        sender_id: sender.as_deref(),
    });
    borrowed.collect()
}

/// Any message that its profile can express, and that comes back from it as it went in.
fn any_message(profile: Profile) -> impl Strategy<Value = Owned> {
    let id = "[a-z\u{e0}-\u{ff}\u{1f980}]{1,20}";
    let some_bytes = || proptest::collection::vec(any::<u8>(), 1..40);
    let entry = (id, proptest::option::of(some_bytes()), proptest::option::of(id));
    let entries = proptest::collection::vec(entry, 0..5);
    let ids = ["[a-z]{0,10}", id, id];
    let parts =
        (ids, any::<Option<u64>>(), entries.clone(), any::<Option<Vec<u8>>>(), entries, any::<Option<Vec<u8>>>());
    parts.prop_map(move |(ids, timestamp, history, filter, repair, content)| {
        let mut owned = Owned { ids, timestamp, history, filter, repair, content };
        match profile {
            // Without a timestamp there has to be content.
            Profile::Rfc if owned.content.as_ref().is_none_or(Vec::is_empty) => {
                owned.timestamp = Some(owned.timestamp.unwrap_or_default());
            }
            Profile::Rfc => {}
            // Whole seconds, and all that is always written.
            Profile::Libsds => {
                owned.timestamp = Some(owned.timestamp.unwrap_or_default() / 1_000 * 1_000);
                owned.filter.get_or_insert_default();
                owned.content.get_or_insert_default();
            }
        }
        owned
    })
}

fn any_profile_and_message() -> impl Strategy<Value = (Profile, Owned)> {
    prop_oneof![Just(Profile::Rfc), Just(Profile::Libsds)]
        .prop_flat_map(|profile| any_message(profile).prop_map(move |message| (profile, message)))
}

proptest! {
    #[test]
    fn what_goes_out_comes_back((profile, owned) in any_profile_and_message()) {
        let message = owned.message();
        let bytes = to_bytes(profile, &message);
        prop_assert_eq!(decode(&bytes, &Config::default()), Ok((profile, message)));
    }

    #[test]
    fn prost_writes_the_same_bytes((profile, owned) in any_profile_and_message()) {
        let message = owned.message();
        prop_assert_eq!(to_bytes(profile, &message), derive_bytes(profile, &message));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes, &Config::default());
    }

    #[test]
    fn no_mutation_makes_it_panic(
        (profile, owned) in any_profile_and_message(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = to_bytes(profile, &owned.message());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok((profile, message)) = decode(bytes, &Config::default()) {
                // Whatever was taken in can be written, and is then taken in again.
                prop_assert!(decode(&to_bytes(profile, &message), &Config::default()).is_ok());
            }
        }
    }
}

const HINT: [u8; 3] = [1, 2, 3];

fn sample() -> Message<'static> {
    let entry = HistoryEntry { message_id: "before", retrieval_hint: Some(&HINT), sender_id: Some("bob") };
    Message {
        sender_id: "alice",
        message_id: "this",
        channel_id: "here",
        lamport_timestamp_ms: Some(1_760_000_000_000),
        causal_history: vec![entry; 3],
        bloom_filter: Some(&[7; 100]),
        repair_request: vec![entry; 2],
        content: Some(b"hello"),
    }
}

const BOTH: [Profile; 2] = [Profile::Rfc, Profile::Libsds];

#[test]
fn the_profile_is_told_by_field_2() {
    for profile in BOTH {
        assert_eq!(detect(&to_bytes(profile, &sample())), Ok(profile));
    }
    assert_eq!(detect(b"\x0a\x01m\x11\0\0\0\0\0\0\0\0\x10\x01"), Ok(Profile::Libsds), "fixed numbers tell nothing");
    for other in [&b""[..], b"plain text", b"\x0a\x02hi", b"\x13\x14", b"\xff\xff"] {
        assert!(matches!(detect(other), Err(DecodeError::NotSds(_))), "{other:?}");
    }
}

#[test]
fn a_sync_and_an_ephemeral_message_keep_their_kind_in_rfc() {
    let sync = Message { content: None, ..sample() };
    let ephemeral = Message { lamport_timestamp_ms: None, bloom_filter: None, ..sample() };
    for message in [sync, ephemeral] {
        let bytes = to_bytes(Profile::Rfc, &message);
        let (_, read) = decode(&bytes, &Config::default()).unwrap();
        assert_eq!((read.kind(), &read), (message.kind(), &message));
    }
}

#[test]
fn libsds_is_given_all_it_insists_on() {
    let bare = Message { message_id: "m", channel_id: "c", ..Message::default() };
    assert_eq!(to_bytes(Profile::Libsds, &bare), [10, 1, b'm', 16, 0, 34, 1, b'c', 42, 0, 50, 0]);
}

#[test]
fn libsds_times_are_seconds_and_stay_below_what_kills_its_process() {
    for (ms, seconds) in
        [(0, 0), (999, 0), (1_000, 1), (1_760_000_000_999, 1_760_000_000), (u64::MAX, u64::MAX / 1_000)]
    {
        let message = Message { lamport_timestamp_ms: Some(ms), ..sample() };
        let read = derived::Libsds::decode(&to_bytes(Profile::Libsds, &message)[..]).unwrap();
        assert_eq!(read.timestamp, Some(seconds));
        assert!(seconds < 1 << 63);
    }
    let late = derived::Libsds {
        message_id: Some("m".into()),
        channel_id: Some("c".into()),
        content: Some(vec![]),
        timestamp: Some(u64::MAX / 1_000 + 1),
        ..Default::default()
    };
    let bytes = late.encode_to_vec();
    assert_eq!(decode(&bytes, &Config::default()).unwrap().1.lamport_timestamp_ms, Some(u64::MAX));
}

#[test]
fn an_absent_filter_and_an_empty_one_are_told_apart() {
    for profile in BOTH {
        let bytes = to_bytes(profile, &Message { bloom_filter: Some(&[]), ..sample() });
        assert_eq!(decode(&bytes, &Config::default()).unwrap().1.bloom_filter, Some(&[][..]));
    }
    let bytes = to_bytes(Profile::Rfc, &Message { bloom_filter: None, ..sample() });
    assert_eq!(decode(&bytes, &Config::default()).unwrap().1.bloom_filter, None);
}

#[test]
fn every_limit_holds_and_lets_its_own_value_pass() {
    for profile in BOTH {
        let message = sample();
        let bytes = to_bytes(profile, &message);
        let exact = Config {
            max_message_bytes: bytes.len(),
            max_id_bytes: "before".len(),
            max_history_entries: 3,
            max_repair_entries: 2,
            max_hint_bytes: 3,
            ..Config::default()
        };
        assert_eq!(decode(&bytes, &exact), Ok((profile, message)));
        let too_large = |field, size, limit| DecodeError::TooLarge { field, size, limit };
        let too_many = |field, limit| DecodeError::TooMany { field, limit };
        let whole = bytes.len();
        let cases = [
            (Config { max_message_bytes: whole - 1, ..exact.clone() }, too_large("message", whole, whole - 1)),
            (Config { max_id_bytes: 5, ..exact.clone() }, too_large("message id in an entry", 6, 5)),
            (Config { max_hint_bytes: 2, ..exact.clone() }, too_large("retrieval hint", 3, 2)),
            (Config { max_history_entries: 2, ..exact.clone() }, too_many("causal history", 2)),
            (Config { max_repair_entries: 1, ..exact.clone() }, too_many("repair request", 1)),
        ];
        for (limits, error) in cases {
            assert_eq!(refused(&bytes, &limits), error);
        }
    }
}

#[test]
fn ids_are_held_to_their_limits_in_order() {
    let limits = Config { max_id_bytes: 6, ..Config::default() };
    let long = "too long";
    let of = |field| DecodeError::TooLarge { field, size: long.len(), limit: 6 };
    let sender_of_entry = HistoryEntry { message_id: "before", retrieval_hint: None, sender_id: Some(long) };
    let empty = Message { message_id: "", channel_id: "", ..sample() };
    for profile in BOTH {
        let check = |message: Message<'_>, wanted: DecodeError| {
            assert_eq!(refused(&to_bytes(profile, &message), &limits), wanted);
        };
        check(Message { message_id: long, sender_id: long, ..sample() }, of("message id"));
        check(Message { channel_id: long, sender_id: long, ..sample() }, of("channel id"));
        check(Message { sender_id: long, ..sample() }, of("sender id"));
        check(Message { causal_history: vec![sender_of_entry], ..sample() }, of("sender id in an entry"));
        check(Message { channel_id: "", ..sample() }, DecodeError::Empty("channel id"));
        for stranger in [empty.clone(), Message { message_id: long, channel_id: long, ..sample() }] {
            assert!(matches!(refused(&to_bytes(profile, &stranger), &limits), DecodeError::NotSds(_)));
        }
    }
    let nameless = Message { message_id: "", ..sample() };
    assert_eq!(refused(&to_bytes(Profile::Libsds, &nameless), &limits), DecodeError::Empty("message id"));
    // The rfc profile does not write an empty id, and without it nothing tells the profile.
    assert!(matches!(refused(&to_bytes(Profile::Rfc, &nameless), &limits), DecodeError::NotSds(_)));
    assert_eq!(refused(b"\x12\0\x1a\x01c\x50\x01", &limits), DecodeError::Empty("message id"));
}

#[test]
fn text_has_to_be_utf8() {
    let cases: [(&[u8], &str); 4] = [
        (b"\x12\x01\xff\x1a\x01c\x50\x01", "message id"),
        (b"\x12\x01m\x1a\x01\xff\x50\x01", "channel id"),
        (b"\x0a\x01\xff\x12\x01m\x1a\x01c\x50\x01", "sender id"),
        (b"\x12\x01m\x1a\x01c\x50\x01\x5a\x03\x0a\x01\xff", "message id in an entry"),
    ];
    for (bytes, field) in cases {
        assert_eq!(refused(bytes, &Config::default()), DecodeError::NotUtf8(field));
    }
    assert!(matches!(refused(b"\x12\x01\xff\x1a\x01\xff\x50\x01", &Config::default()), DecodeError::NotSds(_)));
}

/// Traffic of other kinds often has a field 2. It stays a stranger's even where it is broken as SDS.
#[test]
fn strangers_stay_strangers_however_broken() {
    let payload = [&b"\x08\x01\x12\x90\x03"[..], &[0xfe; 400]].concat();
    for bytes in [&payload[..], b"\x10\x07\xff\xff", b"\x12\x02\xff\xff\x0b", b"\x10\x01\x1a\x01\x08"] {
        assert!(matches!(refused(bytes, &Config::default()), DecodeError::NotSds(_)), "{bytes:?}");
    }
}

#[test]
fn overlong_varints_are_refused_in_libsds_only() {
    let rfc = b"\x12\x81\x80\0m\x1a\x01c\x50\x81\x80\x80\x80\x80\x80\x80\x80\x80\0";
    assert_eq!(decode(rfc, &Config::default()).unwrap().1.lamport_timestamp_ms, Some(1));
    let libsds = b"\x0a\x01m\x10\x01\x22\x01c\x2a\0\x40\x80\0";
    let what = "an overlong varint";
    assert_eq!(refused(libsds, &Config::default()), DecodeError::Malformed { profile: "libsds", what });
}

#[test]
fn entries_without_an_id_are_kept_in_rfc() {
    let bytes = b"\x12\x01m\x1a\x01c\x50\x01\x5a\x03\x12\x01h";
    let (_, message) = decode(bytes, &Config::default()).unwrap();
    let entry = HistoryEntry { message_id: "", retrieval_hint: Some(b"h"), sender_id: None };
    assert_eq!(message.causal_history, [entry]);
    assert_eq!(to_bytes(Profile::Rfc, &message), bytes);
}

#[test]
fn known_fields_of_the_wrong_type_are_skipped() {
    // In turn: a sender, a channel and a filter as numbers, a timestamp as bytes, contents of fixed width.
    let noise = b"\x08\x05\x18\x06\x60\x07\x52\x01t\xa1\x01\0\0\0\0\0\0\0\0\xa5\x01\0\0\0\0";
    let bytes = [&b"\x12\x01m\x1a\x01c\x50\x01"[..], noise].concat();
    let (_, message) = decode(&bytes, &Config::default()).unwrap();
    let wanted = Message { message_id: "m", channel_id: "c", lamport_timestamp_ms: Some(1), ..Message::default() };
    assert_eq!(message, wanted);
}
