//! Our formats against figures recorded from the two deployed implementations: every hash, filter and message that they
//! wrote has to come out of ours bit for bit, and every message that they were given has to go in, unless a test says
//! why not. `vectors/libsds.json` comes from nim-sds, `vectors/waku-js.json` from `@waku/sds`.

use sds::Config;
use sds::bloom::{Filter, HashKind, ItemHash};
use sds::error::DecodeError;
use sds::types::{HistoryEntry, Message, Profile};
use serde_json::Value;

#[path = "vectors/libsds.rs"]
mod libsds;
#[path = "vectors/waku_js.rs"]
mod waku_js;

/// The cases of one kind, and proof that they are all there.
fn cases<'a>(file: &'a Value, kind: &str, count: usize) -> &'a [Value] {
    let cases = file[kind].as_array().unwrap_or_else(|| panic!("no cases of {kind}"));
    assert_eq!(cases.len(), count, "cases of {kind}");
    cases
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A number, written as such or as decimal text (where JSON's numbers do not suffice).
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| text(value).parse().unwrap())
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}

fn fill(filter: &mut Filter, kind: HashKind, ids: &[&str]) {
    for id in ids {
        filter.insert(&ItemHash::of(kind, id));
    }
}

fn encoded(profile: Profile, message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    sds::wire::encode(profile, message, &mut out);
    assert_eq!(out.len(), sds::wire::encoded_len(profile, message));
    out
}

fn decoded(wire: &[u8]) -> Result<(Profile, Message<'_>), DecodeError> {
    // Some recorded ids are longer than ours are by default.
    sds::wire::decode(wire, &Config { max_id_bytes: 1_024, ..Config::default() })
}

fn malformed<T>(profile: Profile, what: &'static str) -> Result<T, DecodeError> {
    Err(DecodeError::Malformed { profile: profile.name(), what })
}

/// Entries as they were recorded, with the names of their three columns, and what an empty text stands for.
fn entries<'a>(list: &'a Value, names: [&str; 3], hints: &'a [Vec<u8>], empty_is_none: bool) -> Vec<HistoryEntry<'a>> {
    let entry = |(entry, hint): (&'a Value, &'a Vec<u8>)| HistoryEntry {
        message_id: text(&entry[names[0]]),
        retrieval_hint: Some(&hint[..])
            .filter(|hint| entry[names[1]].is_string() && !(empty_is_none && hint.is_empty())),
        sender_id: entry[names[2]].as_str().filter(|sender| !(empty_is_none && sender.is_empty())),
    };
    list.as_array().unwrap().iter().zip(hints).map(entry).collect()
}

fn hints(list: &Value, name: &str) -> Vec<Vec<u8>> {
    list.as_array().unwrap().iter().map(|entry| hex::decode(entry[name].as_str().unwrap_or("")).unwrap()).collect()
}
