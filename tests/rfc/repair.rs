//! *SDS Repair (SDS-R)*.

use sds::output::{Disposition, TransmitReason};
use sds::types::Profile;
use sds::{Config, Manager};
use sha2::{Digest, Sha256};

use crate::common::*;

const T_MIN: u64 = 30 * SECOND;
const T_MAX: u64 = 120 * SECOND;

/// The RFC's hash, written down once more: the first eight bytes of SHA-256, big-endian.
fn hash(texts: &[&str]) -> u64 {
    let digest = Sha256::digest(texts.concat());
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

fn t_req(participant: &str, id: &str) -> u64 {
    NOW + hash(&[participant, id]) % (T_MAX - T_MIN) + T_MIN
}

/// How long somebody waits before answering for a message: the product is exact, and above 64 bits.
fn t_resp_wait(participant: &str, sender: &str, id: &str) -> u64 {
    let distance = hash(&[participant]) ^ hash(&[sender]);
    (u128::from(distance) * u128::from(hash(&[id])) % u128::from(T_MAX)) as u64
}

/// A member in either profile whose sync messages, which carry requests, are on.
fn member_in(profile: Profile, name: &str) -> Manager {
    member_with(name, |config| {
        config.profile = profile;
        config.sync_in_libsds = true;
    })
}

/// Somebody who misses `ids`, named by a message of bob's.
fn missing_some(profile: Profile, ids: &[&str]) -> Manager {
    let alice = member_in(profile, "alice");
    receive(&alice, &forged("names them").of(profile).after(ids).bytes(), NOW);
    alice.drain();
    alice
}

/// The entries of one of the two buffers, in its order.
fn buffer(manager: &Manager, which: &str) -> Vec<(String, u64)> {
    let dump = dump(manager);
    let entries = dump[which].as_array().unwrap();
    let pair = |entry: &serde_json::Value| {
        (entry["message_id"].as_str().unwrap().to_owned(), entry["due_ms"].as_u64().unwrap())
    };
    entries.iter().map(pair).collect()
}

fn ids_of(buffer: &[(String, u64)]) -> Vec<&str> {
    buffer.iter().map(|(id, _)| id.as_str()).collect()
}

/// What is asked for within T_max, each named once.
fn asked_for(manager: &Manager) -> Vec<String> {
    let mut asked: Vec<_> = run(manager, NOW + T_MAX).iter().flat_map(|(_, it)| asks(&it.bytes)).collect();
    asked.dedup();
    asked
}

#[test]
fn x1_history_entries_carry_the_original_sender() {
    for profile in BOTH {
        let alice = member_in(profile, "alice");
        receive(&alice, &forged("bobs").of(profile).bytes(), NOW);
        send(&alice, "mine", NOW);
        let next = send(&alice, "next", NOW);
        let (_, message) = decode(&next.bytes);
        let senders: Vec<_> = message.causal_history.iter().map(|entry| (entry.message_id, entry.sender_id)).collect();
        assert_eq!(senders, [("bobs", Some("bob")), ("mine", Some("alice"))], "{profile:?}");
    }
    let off = member_with("alice", |config| config.repair = false);
    send(&off, "mine", NOW);
    let next = send(&off, "next", NOW);
    assert_eq!(decode(&next.bytes).1.causal_history[0].sender_id, None, "only with SDS-R");
}

#[test]
fn x2_a_missing_entry_goes_into_the_outgoing_repair_buffer_with_its_t_req() {
    for profile in BOTH {
        let alice = missing_some(profile, &["x"]);
        assert_eq!(buffer(&alice, "repair_requests"), [("x".to_owned(), t_req("alice", "x"))], "{profile:?}");
        assert_eq!(status(&alice).repair_requests, 1);
    }
}

#[test]
fn x3_the_outgoing_buffer_is_in_ascending_t_req() {
    let ids: Vec<String> = (0..20).map(|number| format!("m{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let alice = missing_some(Profile::Rfc, &ids);
    let buffer = buffer(&alice, "repair_requests");
    let mut expected: Vec<_> = ids.iter().map(|id| (t_req("alice", id), (*id).to_owned())).collect();
    expected.sort();
    let found: Vec<_> = buffer.into_iter().map(|(id, due_ms)| (due_ms, id)).collect();
    assert_eq!(found, expected);
    assert_ne!(found.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ids, "not merely as they came");
}

#[test]
fn x4_an_entry_we_can_answer_goes_into_the_incoming_repair_buffer_with_its_t_resp() {
    for profile in BOTH {
        let alice = member_in(profile, "alice");
        receive(&alice, &forged("m").of(profile).bytes(), NOW);
        receive(&alice, &forged("asks").of(profile).by("carol").sync().asking(&["m"]).bytes(), NOW + SECOND);
        let buffer = buffer(&alice, "repair_answers");
        let due_ms = NOW + SECOND + t_resp_wait("alice", "bob", "m");
        assert_eq!(buffer, [("m".to_owned(), due_ms)], "{profile:?}");
        assert!((NOW + SECOND..NOW + SECOND + T_MAX).contains(&due_ms));
        assert_eq!(status(&alice).repair_answers, 1);
        assert!(alice.next_deadline().unwrap() <= buffer[0].1, "the host is told to come back for it");
    }
}

#[test]
fn x5_whole_messages_are_kept_for_what_we_may_have_to_answer() {
    for profile in BOTH {
        let alice = member_in(profile, "alice");
        let bobs = forged("bobs").of(profile).after(&["before"]).filter(b"not even a filter").bytes();
        receive(&alice, &bobs, NOW);
        receive(&alice, &forged("before").of(profile).bytes(), NOW);
        let mine = send(&alice, "mine", NOW);
        alice.cancel(CHANNEL, "mine", NOW).unwrap();
        receive(&alice, &forged("s").of(profile).by("carol").sync().asking(&["bobs", "mine"]).bytes(), NOW);
        let sent = run(&alice, NOW + T_MAX);
        let answers: Vec<_> = sent.iter().filter(|(_, it)| it.reason == TransmitReason::RepairAnswer).collect();
        let bytes = |id: &str| answers.iter().find(|(_, it)| &*it.message_id == id).map(|(_, it)| &it.bytes[..]);
        assert_eq!(bytes("bobs"), Some(&bobs[..]), "{profile:?}: the bytes received, of one that waited");
        assert_eq!(bytes("mine"), Some(&mine.bytes[..]), "{profile:?}: the bytes sent");
    }
    let kept = |sender: &str, num_participants| {
        let alice = member_with("alice", |config| config.num_participants = num_participants);
        (0..50).for_each(|number| {
            receive(&alice, &forged(&format!("m{number}")).by(sender).bytes(), NOW);
        });
        dump(&alice)["whole_messages_bytes"].as_u64().unwrap()
    };
    let (all, some) = (kept("bob", 100), kept("bob", 1_000));
    assert!(some > 0 && some < all / 2, "only what we may have to answer: {some} of {all} bytes");
}

#[test]
fn x6_t_min_and_t_max_are_as_recommended() {
    let config = Config::default();
    assert!(config.repair_t_min_ms >= 30_000);
    assert!((120_000..=600_000).contains(&config.repair_t_max_ms));
    assert!(config.repair);
}

#[test]
fn x7_one_response_group_for_every_128_participants() {
    let groups = |num_participants| Config { num_participants, ..Config::default() }.num_response_groups();
    assert_eq!([0, 1, 127, 128, 255, 256, 10_000].map(groups), [1, 1, 1, 2, 2, 3, 79]);
}

#[test]
fn x8_a_message_asks_for_what_is_due_lowest_first_at_most_three() {
    for profile in BOTH {
        let ids = ["a", "b", "c", "d", "e"];
        let mut by_due = ids.map(|id| (t_req("alice", id), id));
        by_due.sort();
        let by_due = by_due.map(|(due_ms, id)| (due_ms, id));

        let alice = missing_some(profile, &ids);
        let early = send(&alice, "early", by_due[0].0 - 1);
        assert!(decode(&early.bytes).1.repair_request.is_empty(), "{profile:?}: nothing is due yet");
        let one = send(&alice, "one", by_due[0].0);
        assert_eq!(asks(&one.bytes), [by_due[0].1], "{profile:?}: T_req is now");

        let alice = missing_some(profile, &ids);
        let three = send(&alice, "three", by_due[4].0);
        assert_eq!(asks(&three.bytes), [by_due[0].1, by_due[1].1, by_due[2].1], "{profile:?}");
        let last = send(&alice, "last", by_due[4].0);
        assert_eq!(asks(&last.bytes), [by_due[3].1, by_due[4].1], "{profile:?}: the others were just asked for");
        let none = send(&alice, "none", by_due[4].0);
        assert!(asks(&none.bytes).is_empty(), "{profile:?}");
        let told: Vec<_> = events(&alice);
        let told: Vec<_> = requested(&told).into_iter().map(|(id, asks)| (id.to_owned(), asks)).collect();
        assert_eq!(told, by_due.map(|(_, id)| (id.to_owned(), 1)), "{profile:?}: each told once");
    }
}

#[test]
fn x8_a_request_names_hint_and_sender() {
    for profile in BOTH {
        let alice = member_in(profile, "alice");
        let mut naming = forged("names it").of(profile).hinted("x", b"hint");
        naming.message.causal_history[0].sender_id = Some("carol");
        receive(&alice, &naming.bytes(), NOW);
        let (_, sync) = run(&alice, NOW + T_MAX).into_iter().find(|(_, it)| !asks(&it.bytes).is_empty()).unwrap();
        assert_eq!(sync.reason, TransmitReason::RepairRequest, "{profile:?}");
        let (_, message) = decode(&sync.bytes);
        let entry = message.repair_request[0];
        assert_eq!((entry.message_id, entry.retrieval_hint, entry.sender_id), ("x", Some(&b"hint"[..]), Some("carol")));
    }
}

#[test]
fn x9_a_received_message_leaves_our_outgoing_buffer() {
    for profile in BOTH {
        let alice = missing_some(profile, &["x", "y", "z"]);
        receive(&alice, &forged("x").of(profile).bytes(), NOW + SECOND);
        receive(&alice, &forged("z").of(profile).after(&["y"]).bytes(), NOW + SECOND);
        assert_eq!(ids_of(&buffer(&alice, "repair_requests")), ["y"], "{profile:?}: z is here, though it waits itself");
        alice.drain();
        assert_eq!(asked_for(&alice), ["y"], "{profile:?}");
    }
}

#[test]
fn x10_a_received_message_leaves_our_incoming_buffer() {
    for profile in BOTH {
        for own in [false, true] {
            let alice = member_in(profile, "alice");
            let bytes = match own {
                true => send(&alice, "m", NOW).bytes.to_vec(),
                false => forged("m").of(profile).bytes(),
            };
            receive(&alice, &bytes, NOW);
            receive(&alice, &forged("s").of(profile).by("carol").sync().asking(&["m"]).bytes(), NOW);
            assert_eq!(status(&alice).repair_answers, 1);
            receive(&alice, &bytes, NOW);
            assert_eq!(status(&alice).repair_answers, 0, "{profile:?}: somebody else answered");
            alice.drain();
            let answered =
                run(&alice, NOW + T_MAX).into_iter().any(|(_, it)| it.reason == TransmitReason::RepairAnswer);
            assert!(!answered, "{profile:?}");
        }
    }
}

#[test]
fn x11_unmet_dependencies_enter_the_outgoing_repair_buffer() {
    for profile in BOTH {
        let alice = member_in(profile, "alice");
        receive(&alice, &forged("here").of(profile).bytes(), NOW);
        receive(&alice, &forged("waits").of(profile).after(&["x"]).bytes(), NOW);
        receive(&alice, &forged("m").of(profile).after(&["here", "waits", "y"]).bytes(), NOW);
        receive(&alice, &forged("s").of(profile).sync().after(&["z"]).bytes(), NOW);
        let buffer = buffer(&alice, "repair_requests");
        let mut ids = ids_of(&buffer);
        ids.sort();
        assert_eq!(ids, ["x", "y", "z"], "{profile:?}: of any message, but not what is here");
    }
}

#[test]
fn x12_what_another_asks_for_leaves_our_outgoing_buffer() {
    for profile in BOTH {
        for sync in [false, true] {
            let alice = missing_some(profile, &["x", "y"]);
            let asking = forged("asks").of(profile).by("carol").asking(&["unknown", "x"]);
            receive(&alice, &if sync { asking.sync() } else { asking }.bytes(), NOW + SECOND);
            assert_eq!(ids_of(&buffer(&alice, "repair_requests")), ["y"], "{profile:?}");
            alice.drain();
            assert_eq!(asked_for(&alice), ["y"], "{profile:?}: carol asked for x");
        }
    }
}

#[test]
fn x13_what_another_asks_for_enters_the_incoming_buffer_if_we_have_it_and_may_answer() {
    for profile in BOTH {
        for sync in [false, true] {
            let alice = member_in(profile, "alice");
            receive(&alice, &forged("here").of(profile).bytes(), NOW);
            receive(&alice, &forged("waits").of(profile).after(&["x"]).bytes(), NOW);
            receive(&alice, &forged("nobody's").of(profile).by("").bytes(), NOW);
            send(&alice, "mine", NOW);
            let asked_for = ["unknown", "waits", "here", "nobody's", "mine"];
            let asking = forged("asks").of(profile).by("carol").asking(&asked_for);
            receive(&alice, &if sync { asking.sync() } else { asking }.bytes(), NOW);
            let buffer = buffer(&alice, "repair_answers");
            let mut ids = ids_of(&buffer);
            ids.sort();
            assert_eq!(ids, ["here", "mine", "waits"], "{profile:?}: one that waits itself too");
        }
    }
}

#[test]
fn x14_t_req_as_given() {
    for profile in BOTH {
        let ids: Vec<String> = (0..30).map(|number| format!("m{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let alice = missing_some(profile, &ids);
        for (id, due_ms) in buffer(&alice, "repair_requests") {
            assert_eq!(due_ms, t_req("alice", &id), "{profile:?}: by our own id, not the sender's");
        }
    }
}

#[test]
fn x15_t_resp_as_given() {
    for profile in BOTH {
        let alice = member_in(profile, "alice");
        let ids: Vec<String> = (0..30).map(|number| format!("m{number}")).collect();
        ids.iter().for_each(|id| drop(receive(&alice, &forged(id).of(profile).bytes(), NOW)));
        send(&alice, "mine", NOW);
        let mut asking = forged("s").of(profile).by("carol").sync().asking(&["mine"]);
        ids.iter().for_each(|id| asking = asking.clone().asking(&[id]));
        receive(&alice, &asking.bytes(), NOW);
        let buffer = buffer(&alice, "repair_answers");
        assert_eq!(buffer.len(), 31);
        for (id, due_ms) in buffer {
            let sender = if id == "mine" { "alice" } else { "bob" };
            assert_eq!(due_ms, NOW + t_resp_wait("alice", sender, &id), "{profile:?}: {id}");
            assert!(id != "mine" || due_ms == NOW, "whoever sent it answers at once");
        }
    }
}

#[test]
fn x16_the_response_group_as_given() {
    for profile in BOTH {
        let alice = member_with("alice", |config| {
            config.profile = profile;
            config.num_participants = 128 * 3;
        });
        let ids: Vec<String> = (0..60).map(|number| format!("m{number}")).collect();
        ids.iter().for_each(|id| drop(receive(&alice, &forged(id).of(profile).bytes(), NOW)));
        let mut asking = forged("s").of(profile).by("carol").sync();
        ids.iter().for_each(|id| asking = asking.clone().asking(&[id]));
        receive(&alice, &asking.bytes(), NOW);
        let buffer = buffer(&alice, "repair_answers");
        let mut answered = ids_of(&buffer);
        answered.sort();
        let mut expected: Vec<_> = ids.iter().map(String::as_str).collect();
        expected.retain(|id| hash(&["alice", id]) % 4 == hash(&["bob", id]) % 4);
        expected.sort();
        assert_eq!(answered, expected, "{profile:?}");
        assert!((1..60).contains(&expected.len()));
    }
}

#[test]
fn x17_due_answers_are_broadcast() {
    for profile in BOTH {
        let alice = member_in(profile, "alice");
        let bytes = forged("m").of(profile).bytes();
        receive(&alice, &bytes, NOW);
        receive(&alice, &forged("s").of(profile).by("carol").sync().asking(&["m"]).bytes(), NOW);
        let due_ms = buffer(&alice, "repair_answers")[0].1;
        alice.drain();
        let answers = |sent: &[(u64, sds::output::Transmit)]| {
            let answer = |it: &&(u64, sds::output::Transmit)| it.1.reason == TransmitReason::RepairAnswer;
            sent.iter().filter(answer).map(|(at, it)| (*at, it.bytes.clone())).collect::<Vec<_>>()
        };
        assert_eq!(answers(&run(&alice, due_ms - 1)), [], "{profile:?}: not before T_resp");
        assert_eq!(answers(&run(&alice, due_ms)), [(due_ms, bytes.into())], "{profile:?}");
        assert_eq!(status(&alice).repair_answers, 0);
        assert_eq!(answers(&run(&alice, due_ms + 2 * T_MAX)), [], "{profile:?}: once");
        assert_eq!(status(&alice).repairs_answered, 1);
    }
}

#[test]
fn x17_a_sweep_answers_all_that_is_due() {
    let alice = member("alice");
    let ids = ["m1", "m2", "m3"];
    ids.iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    receive(&alice, &forged("s").by("carol").sync().asking(&ids).bytes(), NOW);
    let mut answered = tick(&alice, NOW + T_MAX);
    answered.retain(|it| it.reason == TransmitReason::RepairAnswer);
    assert_eq!(answered.len(), 3);
}

/// What alice sends while carol says, again and again, all that alice could, until after her T_req for `x`.
fn while_carol_says_it_all(profile: Profile, names: &[&str]) -> Vec<(u64, sds::output::Transmit)> {
    let alice = member_in(profile, "alice");
    receive(&alice, &forged("known").of(profile).bytes(), NOW);
    receive(&alice, &forged("names").of(profile).after(names).bytes(), NOW);
    alice.drain();
    let mut sent = Vec::new();
    for at in (NOW + SECOND..t_req("alice", "x") + 10 * SECOND).step_by(SECOND as usize) {
        let id = format!("s{at}");
        let sync = forged(&id).of(profile).by("carol").at(at).sync().after(&["known", "names"]).bytes();
        assert_eq!(disposition(&alice, &sync, at), Disposition::Sync);
        sent.extend(run(&alice, at));
    }
    sent
}

#[test]
fn x18_a_due_sync_message_goes_out_for_requests_whatever_others_sent() {
    for profile in BOTH {
        assert_eq!(while_carol_says_it_all(profile, &["known"]), [], "{profile:?}: nothing to ask for, nothing to add");
        let sent = while_carol_says_it_all(profile, &["x"]);
        let [(at, sync)] = &sent[..] else { panic!("{profile:?}: not one message: {sent:?}") };
        assert_eq!((*at, sync.reason), (t_req("alice", "x"), TransmitReason::RepairRequest), "{profile:?}: at T_req");
        assert_eq!(decode(&sync.bytes).1.payload(), None);
        assert_eq!(asks(&sync.bytes), ["x"]);
    }
}
