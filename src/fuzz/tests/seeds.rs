//! What the fuzzers begin with: the recorded messages and filters of the deployed implementations, messages of ours, and
//! scripts of calls.

use serde_json::Value;

use super::script::{ALICE, BOB, Calls, Ops};
use crate::bloom::{Filter, HashKind, ItemHash, RFC_PARAMS};
use crate::config::Config;
use crate::fuzz::NOW;
use crate::fuzz::step::kind;
use crate::manager::Manager;
use crate::output::{ChannelOptions, Output};
use crate::types::{HistoryEntry, Message, Profile};
use crate::wire;

pub struct Seed {
    pub target: &'static str,
    pub name: String,
    pub bytes: Vec<u8>,
}

pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    recorded(&mut seeds);
    for profile in [Profile::Rfc, Profile::Libsds] {
        for (number, bytes) in conversation(profile).into_iter().enumerate() {
            seeds.push(seed("decode", &format!("ours-{}-{number:02}", profile.name()), bytes));
        }
    }
    at_the_limits(&mut seeds);
    own_filters(&mut seeds);
    ops(&mut seeds);
    calls(&mut seeds);
    damages(&mut seeds);
    seeds
}

/// Each kind of damage, in stores of both profiles, old and new ones, and for all ways to open them: the body says how
/// bytes are read.
fn damages(seeds: &mut Vec<Seed>) {
    let mut rng = fastrand::Rng::with_seed(11);
    for number in 0..24_u8 {
        let mut bytes = vec![number % 4];
        bytes.extend(std::iter::repeat_with(|| rng.u8(..)).take(20 + 4 * usize::from(number)));
        // Numbers in a range are read from the end.
        bytes.push(number % 12);
        seeds.push(seed("store", &format!("damage-{number:02}"), bytes.clone()));
        // The same damages elsewhere: bit 2 is a channel in which nothing happened, bit 3 an SQLite file.
        // And with bit 4 its write-ahead log.
        let elsewhere = [("young", 4), ("file", 8), ("log", 24)][usize::from(number % 3)];
        bytes[0] |= elsewhere.1;
        seeds.push(seed("store", &format!("{}-{number:02}", elsewhere.0), bytes));
    }
}

fn seed(target: &'static str, name: &str, bytes: Vec<u8>) -> Seed {
    Seed { target, name: name.to_owned(), bytes }
}

// ---- Recorded --------------------------------------------------------------------------------------------------------

fn recorded(seeds: &mut Vec<Seed>) {
    let libsds = ("libsds", include_str!("../../../tests/vectors/libsds.json"));
    let waku_js = ("waku-js", include_str!("../../../tests/vectors/waku-js.json"));
    for (peer, text) in [libsds, waku_js] {
        let file: Value = serde_json::from_str(text).expect("our vectors");
        for kind in ["messages", "decode"] {
            for (number, wire) in column(&file[kind], "wire").enumerate() {
                seeds.push(seed("decode", &format!("{peer}-{kind}-{number:02}"), wire));
            }
        }
        for (kind, name) in [("bloomDecode", "hex"), ("bloomFilters", "serialized")] {
            for (number, wire) in column(&file[kind], name).enumerate() {
                seeds.push(seed("filter", &format!("{peer}-{kind}-{number:02}"), filter_input(Profile::Libsds, &wire)));
            }
        }
    }
}

/// What stands in one column of recorded cases, where it does.
fn column<'a>(cases: &'a Value, name: &'a str) -> impl Iterator<Item = Vec<u8>> {
    let cases = cases.as_array().into_iter().flatten();
    cases.filter_map(move |case| case[name].as_str()).map(|text| hex::decode(text).expect("hex"))
}

/// A size, three ids, and these bytes of a received filter.
fn filter_input(profile: Profile, wire: &[u8]) -> Vec<u8> {
    let mut input = vec![u8::from(profile == Profile::Libsds), 200, 0, 2, 3];
    for id in ["msg1", "msg2", "☂"] {
        input.extend([10, id.len() as u8]);
        input.extend_from_slice(id.as_bytes());
    }
    [&input, wire].concat()
}

fn own_filters(seeds: &mut Vec<Seed>) {
    let mut filter = Filter::new(Profile::Rfc, RFC_PARAMS);
    seeds.push(seed("filter", "rfc-empty", filter_input(Profile::Rfc, filter.wire_bytes())));
    (0..10_000).for_each(|id| filter.insert(&ItemHash::of(HashKind::Murmur, &id.to_string())));
    seeds.push(seed("filter", "rfc-full", filter_input(Profile::Rfc, filter.wire_bytes())));
    // Thirty ids, half of them twice, at the least and the greatest capacity.
    for (name, low, high, profile) in [("least", 0, 0, 1), ("greatest", 0x90, 7, 1), ("least-rfc", 0, 0, 0)] {
        let mut input = vec![profile, low, high, 2, 30];
        for id in 0..30u8 {
            input.extend([id, 1, id / 2 + b'a']);
        }
        seeds.push(seed("filter", &format!("rolling-{name}"), input));
    }
}

// ---- Ours ------------------------------------------------------------------------------------------------------------

/// Every kind of message that we send: with and without history, after a loss, sync, a request, an answer, ephemeral.
fn conversation(profile: Profile) -> Vec<Vec<u8>> {
    let [alice, bob] = ["alice", "bob"].map(|name| member(name, profile));
    let mut packets = Vec::new();
    let mut say = |who: &Manager, text: &str, now_ms| {
        let bytes = who.wrap_outgoing("garden", None, text.as_bytes(), now_ms).expect("there is room").bytes.to_vec();
        packets.push(bytes.clone());
        bytes
    };
    let first = say(&alice, "who waters the tomatoes?", NOW);
    say(&alice, "this one is lost", NOW + 1_000);
    let third = say(&alice, "it is 35 degrees", NOW + 2_000);
    for bytes in [&first, &third] {
        bob.unwrap_incoming(bytes, NOW + 3_000).expect("a message of ours");
    }
    alice.unwrap_incoming(&say(&bob, "☂", NOW + 4_000), NOW + 4_000).expect("a message of ours");
    if profile == Profile::Rfc {
        packets.push(alice.wrap_ephemeral("garden", None, b"typing", NOW).expect("rfc has these").bytes.to_vec());
    }
    for minute in 0..6 {
        for (who, other) in [(&alice, &bob), (&bob, &alice)] {
            let now_ms = NOW + 5_000 + minute * 60_000;
            who.tick(now_ms).expect("outputs are drained");
            for (_, output) in who.drain() {
                let Output::Transmit(transmit) = output else { continue };
                packets.push(transmit.bytes.to_vec());
                // Resends get lost, so that somebody has to ask.
                if minute > 3 {
                    other.unwrap_incoming(&transmit.bytes, now_ms).expect("a message of ours");
                }
            }
        }
    }
    packets.dedup();
    // In rfc each has a filter of 19 KB.
    packets.truncate(if profile == Profile::Rfc { 12 } else { 24 });
    packets
}

/// Entries over the tight limits, each in one way: hints, ids, senders, and their number in either list.
fn at_the_limits(seeds: &mut Vec<Seed>) {
    let (text, hint) = ("i".repeat(65), [7; 65]);
    let plain = HistoryEntry { message_id: "m0", ..HistoryEntry::default() };
    let hinted = HistoryEntry { retrieval_hint: Some(&hint), ..plain };
    let named = HistoryEntry { message_id: &text, ..plain };
    let sent = HistoryEntry { sender_id: Some(&text), ..plain };
    let cases = [
        ("hint", vec![hinted], vec![]),
        ("id", vec![], vec![named]),
        ("sender", vec![plain, sent], vec![]),
        ("history", vec![plain; 17], vec![]),
        ("request", vec![], vec![plain; 5]),
    ];
    for (name, causal_history, repair_request) in cases {
        for profile in [Profile::Rfc, Profile::Libsds] {
            let message = Message {
                sender_id: "bob",
                message_id: "m1",
                channel_id: "garden",
                lamport_timestamp_ms: Some(NOW),
                causal_history: causal_history.clone(),
                repair_request: repair_request.clone(),
                content: Some(b"hello"),
                ..Message::default()
            };
            let mut bytes = Vec::new();
            wire::encode(profile, &message, &mut bytes);
            seeds.push(seed("decode", &format!("limit-{name}-{}", profile.name()), bytes));
        }
    }
}

fn member(name: &str, profile: Profile) -> Manager {
    let config = Config {
        participant_id: name.to_owned(),
        seed: Some(7),
        profile,
        sync_in_libsds: true,
        max_resends: 1,
        ..Config::default()
    };
    let manager = Manager::open(config).expect("a sound configuration");
    manager.open_channel("garden", ChannelOptions::default(), NOW).expect("there is room");
    manager
}

// ---- Scripts -----------------------------------------------------------------------------------------------------------

fn ops(seeds: &mut Vec<Seed>) {
    // Tight and loose; nobody; libsds; both; forgetful; without repair; other numbers.
    for bits in [[0, 0], [1, 1], [2, 0], [4, 4], [0, 4], [64, 64], [16, 0], [0x84, 0x80], [8 | 32 | 4, 4 | 32]] {
        for (name, script) in ops_scripts(bits) {
            seeds.push(seed("ops", &format!("{name}-{:02x}{:02x}", bits[0], bits[1]), script.bytes()));
        }
    }
    for options in [1, 2, 4, 8, 13] {
        let script = talk(Ops::open([0, 0], options));
        seeds.push(seed("ops", &format!("talk-options-{options}"), script.bytes()));
    }
}

fn talk(script: Ops) -> Ops {
    let script =
        script.wrap(ALICE, 1).receive(BOB, 0).wrap(BOB, 2).receive(ALICE, 0).step(kind::WRAP, ALICE, &[255, 9]);
    let script = script.step(kind::WHISPER, BOB, &[3, 4]).receive_all(ALICE).receive_all(BOB).pass(6).pass(40);
    script.step(kind::LOOK, ALICE, &[1]).step(kind::HINT, ALICE, &[1, 30]).wrap(ALICE, 1).wrap(ALICE, 4).receive(BOB, 0)
}

fn ops_scripts(bits: [u8; 2]) -> Vec<(&'static str, Ops)> {
    let open = || Ops::open(bits, 0);
    let loss = open().wrap(ALICE, 1).wrap(ALICE, 2).receive(BOB, 0).wrap(BOB, 3).pass(0).receive(ALICE, 0);
    let loss = (0..6).fold(loss, |script, _| script.pass(40));
    // Names nobody ever sends, a chain of them, and a cycle.
    let missing = (0..8).fold(open(), |script, id| script.forged(ALICE, false, id, &[id + 1, id + 20], &[], 0));
    let missing = missing.forged(ALICE, true, 8, &[0, 30], &[], 0).pass(200).pass(200);
    // It asks for everything, and acknowledges everything.
    let greedy = open().wrap(ALICE, 1).wrap(ALICE, 2).wrap(ALICE, 3);
    let greedy = greedy.forged(ALICE, false, 10, &[1], &[1, 2, 3], 4).forged(ALICE, true, 11, &[], &[129, 130], 5);
    let greedy = greedy.forged(ALICE, false, 12, &[], &[1], 6).pass(120).forged(ALICE, true, 13, &[], &[10], 14);
    // Nobody hears; all is given up, retried, cancelled.
    let alone = (1..9).fold(open(), |script, id| script.wrap(ALICE, id));
    let alone = (0..4).fold(alone, |script, _| script.step(kind::CLOCK, ALICE, &[2, 60, 0]).tick(ALICE));
    let alone = alone.step(kind::RETRY, ALICE, &[1]).step(kind::CANCEL, ALICE, &[2]).wrap(ALICE, 9).wrap(ALICE, 2);
    // Clocks that jump, a network that goes away, outputs that nobody takes.
    let jumps =
        open().step(kind::DRAINS, ALICE, &[0]).wrap(ALICE, 1).step(kind::CLOCK, ALICE, &[0xb5, 9, 0]).tick(ALICE);
    let jumps = jumps.step(kind::CLOCK, ALICE, &[0xe0, 0, 0]).wrap(ALICE, 2).step(kind::CLOCK, ALICE, &[0xd0, 5, 0]);
    let jumps = jumps.step(kind::ONLINE, ALICE, &[0]).tick(ALICE).step(kind::ONLINE, ALICE, &[1]).pass(90);
    let jumps = jumps.step(kind::DRAIN_SOME, ALICE, &[2]).step(kind::DRAINS, ALICE, &[1]).receive_all(BOB);
    // More events than the queue holds: each message but the first few pushes another one out of the incoming buffer.
    let full = open().step(kind::DRAINS, ALICE, &[0]).wrap(ALICE, 31);
    let full = (0..140).fold(full, |script, id| script.forged(ALICE, false, id % 30, &[30, 129], &[], 0));
    let full = full.tick(ALICE).step(kind::DRAIN_SOME, ALICE, &[9]).wrap(ALICE, 30);
    // Stamped a day ahead, which is held until then; and at the end of time.
    let ahead = [[0x66, 1], [0xe0, 0], [0xd0, 1]].into_iter().zip(0..).fold(open(), |script, ([how, count], id)| {
        script.step(kind::FORGED, ALICE, &[4, id, how, count, 0, 0, 0, 0, 9])
    });
    let ahead = ahead.wrap(ALICE, 9).step(kind::CLOCK, ALICE, &[6, 1, 0]).tick(ALICE).step(kind::LOOK, ALICE, &[0]);
    // Channels come and go.
    let close = talk(open()).step(kind::CLOSE, ALICE, &[]).wrap(ALICE, 7).step(kind::OPEN, ALICE, &[0]);
    let close =
        close.step(kind::OPEN, ALICE | 20, &[0]).step(kind::OPEN, ALICE | 24, &[4]).step(kind::OPEN, ALICE | 26, &[8]);
    let close = close.step(kind::FORGET, BOB, &[]).receive_all(BOB).step(kind::RESET, ALICE, &[]).receive_all(ALICE);
    vec![
        ("talk", talk(open())),
        ("loss", loss),
        ("missing", missing),
        ("greedy", greedy),
        ("alone", alone),
        ("jumps", jumps),
        ("full", full),
        ("ahead", ahead),
        ("close", close),
    ]
}

fn calls(seeds: &mut Vec<Seed>) {
    let talk = || Calls::default().wrap(0, 1).unwrap(1, 0).wrap(1, 2).unwrap(0, 0).pass(6).pass(60);
    let every = [
        ("wrap-into", talk().call(6, 0, &[0, 3, 9, 0, 200]).call(6, 0, &[0, 4, 9, 0, 0])),
        ("ephemeral", talk().call(5, 0, &[0, 5, 9, 0]).unwrap(1, 0)),
        ("batch", talk().call(9, 1, &[3, 0, 1, 2, 0, 0])),
        ("channels", talk().call(10, 0, &[210, 2]).call(28, 0, &[0]).call(11, 0, &[210]).call(12, 0, &[210])),
        ("look", talk().call(13, 0, &[0, 0]).call(14, 0, &[0, 0]).call(15, 0, &[0, 0]).call(18, 0, &[0, 1, 0])),
        ("mark-hint", talk().call(16, 0, &[0, 2, 5, 6, 0]).call(17, 0, &[0, 1, 30])),
        ("retry-cancel", talk().wrap(0, 7).call(19, 0, &[0, 7]).call(20, 0, &[0, 7])),
        ("offline", talk().call(21, 0, &[0]).pass(90).call(21, 0, &[1]).call(21, 0, &[2]).pass(1)),
        ("reset-close", talk().call(22, 0, &[]).call(23, 0, &[]).call(23, 230, &[]).call(1, 230, &[])),
        ("open", talk().plain(24, &[3, 20, 100, 0, 0, 0]).plain(24, &[0, 0, 0, 0]).wrap(2, 1)),
        ("inspect", talk().plain(25, &[0, 0, 0, 0]).plain(25, &[0, 250, 0, 0])),
        ("garbage", talk().plain(26, &[0, 60]).plain(48, &[0; 47]).plain(26, &[255, 4, 4, 0, 0, 0])),
        ("deadline", talk().call(27, 0, &[0]).call(27, 0, &[255]).plain(0, &[0xff, 195, 0, 195])),
        ("small-drain", talk().wrap(0, 9).plain(0, &[2, 6, 0]).call(1, 0, &[]).call(2, 0, &[130]).call(2, 0, &[0])),
        ("process", talk().plain(29, &[5, 0, 0, 0, 0]).plain(29, &[4, 0, 0, 0, 0]).plain(30, &[]).wrap(0, 9)),
        ("shutdown", talk().plain(31, &[0]).wrap(0, 3).plain(24, &[0, 0, 0, 0]).call(10, 0, &[0, 0])),
        ("hostile", talk().call(4, 255, &[220, 2, 220, 3, 250, 255]).call(7, 0, &[241, 254]).call(2, 0, &[130])),
    ];
    // 252 to 255: memory that overlaps, messages near the limit, lengths that lie.
    let overlap =
        (0..6).fold(talk(), |script, which| script.call(252, 0, &[which, 9 * which, 0, 50]).wrap(0, 8 + which));
    let largest = (0..9).fold(talk(), |script, by| script.call(254, 1, &[by, by]));
    let lengths = (0..60).fold(talk().call(15, 0, &[0, 0]), |script, at| {
        script.plain(255, &[1, at, 0, at % 11, at + 7, 0, at / 5, 255])
    });
    let nearly_right = [("overlap", overlap), ("largest", largest), ("lengths", lengths)];
    for (name, script) in every.into_iter().chain(durable_calls()).chain(nearly_right) {
        seeds.push(seed("ffi", name, script.bytes()));
    }
}

/// The third manager keeps its state.
fn durable_calls() -> [(&'static str, Calls); 4] {
    let open = |script: Calls| script.call(10, 2, &[0, 0]);
    let store = open(Calls::default().plain(192, &[0, 0, 0])).wrap(2, 1).unwrap(1, 0).wrap(1, 2).unwrap(2, 0);
    let store = store.call(248, 2, &[0, 2, 30, 9, 31, 10]).call(236, 2, &[0, 0, 180, 3, 0]).call(232, 2, &[]);
    let kept = || {
        let script = open(Calls::default().open_external(0, 0)).commit().wrap(2, 1).commit().call(2, 2, &[0]);
        script.unwrap(1, 0).wrap(1, 2).unwrap(2, 0).wrap(1, 3).wrap(1, 4).unwrap(2, 0).commit()
    };
    // One that was never confirmed, and the same again.
    let external = kept().wrap(2, 5).call(204, 2, &[0, 255]).call(204, 2, &[0, 255]).call(23, 2, &[]);
    let external = external.open_external(0, 0).wrap(2, 5).commit().call(244, 2, &[0, 4, 0, 0]);
    let external = external.call(12, 2, &[0]).commit().call(22, 2, &[]).commit();
    // Every row damaged in some way, and used if it is taken all the same.
    let spoil =
        |script: Calls, how: u8| script.open_external(how, how).wrap(2, how % 32).call(1, 2, &[]).call(23, 2, &[]);
    let damaged = (100..=255).step_by(3).fold(kept().call(23, 2, &[]), spoil);
    let log = (0..=255).step_by(5).fold(kept(), |script, how| script.call(244, 2, &[0, how, how, how]));
    [("store", store), ("external", external), ("external-damaged", damaged), ("external-log", log)]
}
