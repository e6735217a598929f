//! Against `@waku/sds`.

use sds::bloom::{Filter, HashKind, ItemHash, Params, RFC_PARAMS};
use sds::error::DecodeError;
use sds::types::{Kind, Message, Profile};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

fn file() -> Value {
    serde_json::from_str(include_str!("waku-js.json")).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn probes() {
    let file = file();
    let mut beyond_ascii = 0;
    for case in cases(&file, "hashN", 59) {
        let id = text(&case["input"]);
        let n = number(&case["n"]) as usize;
        let item = ItemHash::of(HashKind::Murmur, id);
        assert_eq!(item.probes(number(&case["max"]), 64).nth(n), Some(number(&case["out"])), "{case}");
        beyond_ascii += usize::from(!id.is_ascii());
    }
    assert!(beyond_ascii >= 10, "{beyond_ascii}");
}

#[test]
fn filters() {
    let file = file();
    let mut forced = 0;
    for case in cases(&file, "bloom", 26) {
        let options = &case["options"];
        let mut params = Params::sized(number(&options["capacity"]), options["errorRate"].as_f64().unwrap());
        // Nothing deployed forces the numbers of hashes or bits, and we do not offer it: taken as given here, to check
        // the bits all the same.
        if options["kHashes"].is_u64() {
            params.hashes = number(&case["k"]) as u32;
            params.bits = number(&case["m_bits"]);
            params.words = 1 + (params.bits / 64) as usize;
            forced += 1;
        }
        assert_eq!(u64::from(params.hashes), number(&case["k"]), "{options}");
        assert_eq!(params.bits, number(&case["m_bits"]), "{options}");
        assert_eq!(params.word_bytes() as u64, number(&case["bytes_len"]), "{options}");
        let mut filter = Filter::new(Profile::Rfc, params);
        fill(&mut filter, HashKind::Murmur, &texts(&case["ids"]));
        let bits: Vec<u64> = case["set_bits"].as_array().unwrap().iter().map(number).collect();
        assert_eq!(set_bits(&filter), bits, "{options}");
        assert_eq!(sha256(filter.wire_bytes()), text(&case["sha256"]), "{options}");
        if case["bytes"].is_string() {
            assert_eq!(filter.wire_bytes(), bytes(&case["bytes"]), "{options}");
        }
        assert_eq!(filter.view().is_some(), params == RFC_PARAMS, "a reader knows one size only");
    }
    assert_eq!(forced, 4);
}

/// The bits set, read off the wire: words are big-endian.
fn set_bits(filter: &Filter) -> Vec<u64> {
    let words = filter.wire_bytes().chunks_exact(8).map(|word| u64::from_be_bytes(word.try_into().unwrap()));
    words
        .enumerate()
        .flat_map(|(at, word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at as u64 * 64 + bit))
        .collect()
}

/// A recorded message as ours, with this filter.
fn with_message<T>(fields: &Value, filter: Option<&[u8]>, use_it: impl FnOnce(&Message<'_>) -> T) -> T {
    let content = fields["content"].as_str().map(|hex| hex::decode(hex).unwrap());
    let (history, repair) = (&fields["causal_history"], &fields["repair_request"]);
    let names = ["message_id", "retrieval_hint", "sender_id"];
    let (history_hints, repair_hints) = (hints(history, names[1]), hints(repair, names[1]));
    let timestamp = &fields["lamport_timestamp"];
    use_it(&Message {
        sender_id: text(&fields["sender_id"]),
        message_id: text(&fields["message_id"]),
        channel_id: text(&fields["channel_id"]),
        lamport_timestamp_ms: timestamp.is_string().then(|| number(timestamp)),
        causal_history: entries(history, names, &history_hints, false),
        bloom_filter: filter,
        repair_request: entries(repair, names, &repair_hints, false),
        content: content.as_deref(),
    })
}

fn kind(name: &str) -> Kind {
    match name {
        "content" | "ContentMessage" => Kind::Content,
        "sync" | "SyncMessage" => Kind::Sync,
        "ephemeral" | "EphemeralMessage" => Kind::Ephemeral,
        other => panic!("no such kind: {other}"),
    }
}

#[test]
fn messages() {
    let file = file();
    for case in cases(&file, "messages", 11) {
        let (name, wire) = (text(&case["name"]), bytes(&case["wire"]));
        let filter = case["fields"]["bloom_filter"].as_str().map(|hex| hex::decode(hex).unwrap());
        with_message(&case["fields"], filter.as_deref(), |message| {
            assert_eq!(encoded(Profile::Rfc, message), wire, "{name}");
            if name == "neither_lamport_nor_content" {
                assert_eq!(decoded(&wire), malformed(Profile::Rfc, "neither timestamp nor content"));
                return;
            }
            assert_eq!(decoded(&wire), Ok((Profile::Rfc, message.clone())), "{name}");
            assert_eq!(message.kind(), kind(text(&case["kind"])), "{name}");
        });
    }
}

#[test]
fn reading() {
    let file = file();
    for case in cases(&file, "decode", 5) {
        let (name, wire) = (text(&case["name"]), bytes(&case["wire"]));
        match name {
            "lamport_11_byte_varint" => assert_eq!(decoded(&wire), malformed(Profile::Rfc, "a broken varint")),
            // `@waku/sds` makes some text of it. An id has to be the same text for everybody.
            "invalid_utf8_message_id" => assert_eq!(decoded(&wire), Err(DecodeError::NotUtf8("message id"))),
            _ => with_message(&case["fields"], None, |message| {
                assert_eq!(decoded(&wire), Ok((Profile::Rfc, message.clone())), "{name}");
            }),
        }
    }
}

/// A recorded conversation. Its filters hold the ids that their sender had sent or received before, so that every
/// message can be made anew in full, and compared by its hash.
#[test]
fn conversation() {
    let file = file();
    let flow = cases(&file, "flow", 8);
    let id_of = |name: &str| text(&flow.iter().find(|case| case["name"] == name).unwrap()["fields"]["message_id"]);
    for case in flow {
        let name = text(&case["name"]);
        let held: &[&str] = match name {
            "a1" | "a_eph" => &[],
            "b_sync_acks_a1" | "b1" => &["a1"],
            "a2_lost" => &["a1", "b1"],
            "a3_missing_dep" => &["a1", "b1", "a2_lost"],
            // a2 never arrived; a3 waits for it, but was received.
            "b_sync_possibly_acks" | "b_sync_possibly_acks_2" => &["a1", "b1", "a3_missing_dep"],
            other => panic!("no ids stated for {other}"),
        };
        let recorded = &case["fields"]["bloom_filter"];
        let mut filter = Filter::new(Profile::Rfc, RFC_PARAMS);
        held.iter().for_each(|held| filter.insert(&ItemHash::of(HashKind::Murmur, id_of(held))));
        if !recorded.is_null() {
            let bits: Vec<u64> = recorded["set_bits"].as_array().unwrap().iter().map(number).collect();
            assert_eq!(set_bits(&filter), bits, "{name}");
            assert_eq!(sha256(filter.wire_bytes()), text(&recorded["sha256"]), "{name}");
            assert_eq!(filter.wire_bytes().len() as u64, number(&recorded["len"]), "{name}");
        }
        let filter = (!recorded.is_null()).then_some(filter.wire_bytes());
        with_message(&case["fields"], filter, |message| {
            let wire = encoded(Profile::Rfc, message);
            assert_eq!(wire.len() as u64, number(&case["wire_len"]), "{name}");
            assert_eq!(sha256(&wire), text(&case["wire_sha256"]), "{name}");
            assert_eq!(decoded(&wire), Ok((Profile::Rfc, message.clone())), "{name}");
            assert_eq!(message.kind(), kind(text(&case["kind"])), "{name}");
        });
    }
}

#[test]
fn repair_timing() {
    use sds::channel::repair::{in_response_group, t_req_wait_ms, t_resp_wait_ms};
    let file = file();
    let (mut in_group, mut not_in_group) = (0, 0);
    for case in cases(&file, "sds_r", 54) {
        let [me, sender, message] = ["participant", "sender", "message"].map(|name| text(&case[name]));
        for (range, wait) in case["t_req"].as_object().unwrap() {
            let (t_min, t_max) = range.split_once(',').unwrap();
            let (t_min, t_max) = (t_min.parse().unwrap(), t_max.parse().unwrap());
            assert_eq!(t_req_wait_ms(me, message, t_min, t_max), number(wait), "{case}");
        }
        for (t_max, wait) in case["t_resp"].as_object().unwrap() {
            assert_eq!(t_resp_wait_ms(me, sender, message, t_max.parse().unwrap()), number(wait), "{case}");
        }
        for (groups, member) in case["groups"].as_object().unwrap() {
            let member = member.as_bool().unwrap();
            assert_eq!(in_response_group(me, sender, message, groups.parse().unwrap()), member, "{case}");
            *(if member { &mut in_group } else { &mut not_in_group }) += 1;
        }
    }
    assert!(in_group > 50 && not_in_group > 50, "{in_group} {not_in_group}");
    assert!(!in_response_group("me", "", "m", 1), "without a sender nobody answers");
}
