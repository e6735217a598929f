//! What a restart must not change, each once found to: time offline, a configuration with less room, names nobody waits for.

use std::collections::BTreeSet;

use sds::Manager;
use sds::config::Config;
use sds::output::{ChannelOptions, Disposition, Event, Output, TransmitReason};
use sds::store::Memory;
use sds::types::{HistoryEntry, Message, Profile};
use sds::wire;

use crate::contract::{CHANNEL, NOW_MS, config};
use crate::host::Host;
use crate::kinds::Kind;

const HOUR_MS: u64 = 3_600_000;

/// A message of bob's with content.
pub fn received(id: &str, lamport_ms: u64, content: &[u8], named: &[&str]) -> Vec<u8> {
    encoded(Profile::Rfc, "bob", id, lamport_ms, Some(content), named)
}

pub fn encoded(
    profile: Profile,
    sender_id: &str,
    id: &str,
    lamport_ms: u64,
    content: Option<&[u8]>,
    named: &[&str],
) -> Vec<u8> {
    let entry = |id| HistoryEntry { message_id: id, ..HistoryEntry::default() };
    let message = Message {
        sender_id,
        message_id: id,
        channel_id: CHANNEL,
        lamport_timestamp_ms: Some(lamport_ms),
        causal_history: named.iter().copied().map(entry).collect(),
        content,
        ..Message::default()
    };
    let mut bytes = Vec::new();
    wire::encode(profile, &message, &mut bytes);
    bytes
}

pub fn open(config: &Config, store: &Memory, now_ms: u64) -> Manager {
    let alice = Manager::open_store(config.clone(), store.clone(), now_ms).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), now_ms).expect("opens");
    alice
}

fn resends(alice: &Manager, from_ms: u64) -> usize {
    let resent = |output: &Output| matches!(output, Output::Transmit(it) if it.reason == TransmitReason::Resend);
    (1..600)
        .map(|second| {
            alice.tick(from_ms + second * 1_000).expect("ticks");
            alice.drain().iter().filter(|(_, output)| resent(output)).count()
        })
        .sum()
}

#[test]
fn what_was_sent_offline_is_resent_once_online_after_a_restart_or_out_of_memory() {
    for flushed in [false, true] {
        let store = Memory::default();
        let alice = open(&config("alice"), &store, NOW_MS);
        alice.set_online(false, NOW_MS + 1_000).expect("told");
        alice.wrap_outgoing(CHANNEL, Some("m1"), b"hi", NOW_MS + 2_000).expect("wraps");
        if flushed {
            alice.flush().expect("stores");
        }
        drop(alice);
        let alice = Manager::open_store(config("alice"), store, NOW_MS + 60_000).expect("opens");
        assert!(resends(&alice, NOW_MS + 60_000) > 0, "flushed: {flushed}");
    }
    let alice = open(&Config { unload_after_ms: 60_000, ..config("alice") }, &Memory::default(), NOW_MS);
    alice.wrap_outgoing(CHANNEL, Some("m1"), b"hi", NOW_MS).expect("wraps");
    alice.set_online(false, NOW_MS + 1_000).expect("told");
    (1..20).for_each(|minute| alice.tick(NOW_MS + minute * 60_000).expect("ticks"));
    assert_eq!((alice.channels_in_memory(), alice.next_deadline()), (0, None), "offline, it stays out of memory");
    alice.set_online(true, NOW_MS + 1_200_000).expect("told");
    assert!(resends(&alice, NOW_MS + 1_200_000) > 0);
}

/// After how many seconds from `from_ms` on what is missing is given up.
pub fn lost_after(alice: &Manager, from_ms: u64) -> Option<u64> {
    (1..6_000).find(|second| {
        alice.tick(from_ms + second * 1_000).expect("ticks");
        alice.drain().iter().any(|(_, output)| matches!(output, Output::Event(Event::Lost(_))))
    })
}

#[test]
fn time_offline_is_counted_once_however_often_it_stops() {
    let config = Config { repair: false, ..config("alice") };
    let missing = |store: &Memory| {
        let alice = open(&config, store, NOW_MS);
        alice.unwrap_incoming(&received("m2", NOW_MS, b"x", &["m1"]), NOW_MS).expect("good");
        alice
    };
    let hour = NOW_MS + HOUR_MS;
    // Offline for an hour in memory, with and without a stop at the end of it.
    let run = |stops: bool| {
        let store = Memory::default();
        let mut alice = missing(&store);
        alice.set_online(false, NOW_MS + 1_000).expect("told");
        (1..60).for_each(|minute| alice.tick(NOW_MS + minute * 60_000).expect("ticks"));
        if stops {
            alice.flush().expect("stores");
            alice = open(&config, &store, hour);
        }
        alice.set_online(true, hour).expect("told");
        lost_after(&alice, hour).expect("lost at last")
    };
    assert!(run(true).abs_diff(run(false)) <= 60, "{} and {}", run(true), run(false));
    // Stopped for an hour, with and without a short session just before its end.
    let run = |between: bool| {
        let store = Memory::default();
        missing(&store).flush().expect("stores");
        if between {
            let alice = Manager::open_store(config.clone(), store.clone(), hour - 1_000).expect("opens");
            alice.read_log(CHANNEL, None, 10).expect("reads");
            alice.flush().expect("stores");
        }
        let alice = Manager::open_store(config.clone(), store, hour).expect("opens");
        lost_after(&alice, hour).expect("lost at last")
    };
    assert!(run(true).abs_diff(run(false)) <= 60, "{} and {}", run(true), run(false));
}

#[test]
fn a_reset_while_offline_forgets_that() {
    let config = Config { unload_after_ms: 60_000, ..config("alice") };
    let alice = open(&config, &Memory::default(), NOW_MS);
    alice.set_online(false, NOW_MS).expect("told");
    alice.reset().expect("resets");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice.unwrap_incoming(&received("m2", NOW_MS, b"x", &["m1"]), NOW_MS).expect("good");
    assert!(lost_after(&alice, NOW_MS).is_some());
}

#[test]
fn a_configuration_with_less_room_leaves_every_channel_readable() {
    type Less = fn(Config) -> Config;
    let less: [Less; 2] =
        [|config| Config { seen_limit: 100, ..config }, |config| Config { bloom_capacity: 100, ..config }];
    for less in less {
        let roomy = Config { log_messages: 8, seen_limit: 1_000, bloom_capacity: 1_000, ..config("alice") };
        let store = Memory::default();
        let alice = open(&roomy, &store, NOW_MS);
        for number in 0..300 {
            let bytes = received(&format!("m{number}"), NOW_MS + number, b"x", &[]);
            alice.unwrap_incoming(&bytes, NOW_MS + number).expect("good");
        }
        alice.flush().expect("stores");
        drop(alice);
        let tight = less(roomy.clone());
        for session in 0..3 {
            let now_ms = NOW_MS + 400 + session;
            let alice = Manager::open_store(tight.clone(), store.clone(), now_ms).expect("opens");
            let bytes = received(&format!("n{session}"), now_ms, b"x", &[]);
            assert_eq!(alice.unwrap_incoming(&bytes, now_ms).expect("readable").disposition, Disposition::Delivered);
            alice.flush().expect("stores");
        }
    }
}

#[test]
fn messages_beyond_limits_that_were_lowered_stay_readable() {
    let long = "h".repeat(200);
    let cases = [
        (received("big", NOW_MS, &vec![7; 500_000], &[]), 0),
        (received(&long, NOW_MS, b"x", &[]), 1),
        (received("waits", NOW_MS, &vec![7; 500_000], &["nothere"]), 0),
    ];
    for (bytes, lower) in cases {
        let store = Memory::default();
        let alice = open(&Config { num_participants: 1, ..config("alice") }, &store, NOW_MS);
        alice.unwrap_incoming(&bytes, NOW_MS).expect("good");
        alice.flush().expect("stores");
        drop(alice);
        let lowered = match lower {
            0 => Config { max_message_bytes: 200_000, max_filter_bytes: 100_000, ..config("alice") },
            _ => Config { max_id_bytes: 100, ..config("alice") },
        };
        let alice = Manager::open_store(lowered, store, NOW_MS + 1).expect("opens");
        alice.channel_status(CHANNEL).expect("readable");
        alice.read_log(CHANNEL, None, 100).expect("readable");
    }
}

#[test]
fn a_name_that_nobody_waits_for_gives_way_after_a_restart_too() {
    let config = Config { max_missing: 4, max_waiting_messages: 1, ..config("alice") };
    let store = Memory::default();
    let alice = open(&config, &store, NOW_MS);
    // The buffer has room for one: all but the last are delivered early.
    for number in 0..4 {
        let bytes = received(&format!("w{number}"), NOW_MS + number, b"x", &[&format!("made up {number}")]);
        alice.unwrap_incoming(&bytes, NOW_MS).expect("good");
    }
    alice.flush().expect("stores");
    let alice = open(&config, &store, NOW_MS);
    alice.unwrap_incoming(&received("h2", NOW_MS + 9, b"x", &["h1"]), NOW_MS).expect("good");
    assert!(alice.missing(CHANNEL).expect("open").iter().any(|missing| &*missing.message_id == "h1"));
}

#[test]
fn a_batch_beyond_what_memory_remembers_is_as_its_messages_one_by_one() {
    let config = Config { log_messages: 64, seen_limit: 64, ..config("alice") };
    let alice = open(&config, &Memory::default(), NOW_MS);
    let mut all: Vec<_> = (0..300).map(|n| received(&format!("m{n}"), NOW_MS + n, b"x", &[])).collect();
    all.push(all[0].clone());
    all.push(received("last", NOW_MS + 400, b"x", &["m1"]));
    let slices: Vec<&[u8]> = all.iter().map(|bytes| &bytes[..]).collect();
    let results = alice.unwrap_batch(&slices, NOW_MS + 500);
    let last: Vec<_> = results.iter().skip(300).map(|result| result.as_ref().expect("good").disposition).collect();
    assert_eq!(last, [Disposition::Duplicate, Disposition::Delivered]);
    assert!(alice.missing(CHANNEL).expect("open").is_empty());
}

/// Ids made up by a manager of that host's that crashes: of an ephemeral message, and of the next sync message.
fn made_up(host: &Host, now_ms: u64) -> [String; 2] {
    let (alice, mut later) =
        (Manager::open_external(config("alice"), host.records(), now_ms).expect("opens"), host.clone());
    let ephemeral = alice.wrap_ephemeral(CHANNEL, None, b"x", now_ms).expect("wraps");
    alice.tick(now_ms + 60_000).expect("ticks");
    later.commit_all(&alice);
    let sync = alice.drain().into_iter().find_map(|(_, output)| match output {
        Output::Transmit(it) if it.reason == TransmitReason::Sync => Some(it.message_id),
        _ => None,
    });
    [ephemeral.message_id, sync.expect("one is due")].map(|id| id.to_string())
}

#[test]
fn no_id_that_is_made_up_is_made_up_again_after_a_crash() {
    let mut host = Host::default();
    let alice = Manager::open_external(config("alice"), [], NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice.unwrap_incoming(&received("m1", NOW_MS, b"x", &[]), NOW_MS).expect("good");
    host.commit_all(&alice);
    let ids: BTreeSet<_> = (0..4).flat_map(|crash| made_up(&host, NOW_MS + crash * 10_000)).collect();
    assert_eq!(ids.len(), 8, "{ids:?}");
    assert!(ids.iter().all(|id| id.len() == 32), "they are short: {ids:?}");
}

#[test]
fn who_acknowledged_by_a_sync_message_alone_is_known_after_a_crash() {
    for mut kind in Kind::all() {
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.wrap_outgoing(CHANNEL, Some("a1"), b"x", NOW_MS).expect("wraps");
        for (number, who) in ["bob", "carol"].into_iter().enumerate() {
            let sync = encoded(Profile::Rfc, who, who, NOW_MS + 1 + number as u64, None, &["a1"]);
            assert_eq!(alice.unwrap_incoming(&sync, NOW_MS).expect("good").disposition, Disposition::Sync);
            kind.drain(&alice);
        }
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        let status = alice.message_status(CHANNEL, "a1").expect("ours");
        let names: Vec<_> = status.acknowledgers.iter().map(|it| &*it.participant_id).collect();
        assert_eq!(names, ["bob", "carol"], "{}", kind.name());
    }
}

#[test]
fn a_libsds_sync_message_that_others_will_name_is_not_missing_after_a_crash() {
    let config = Config { profile: Profile::Libsds, ..config("alice") };
    for mut kind in Kind::all() {
        let alice = kind.open(&config, NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        let sync = encoded(Profile::Libsds, "bob", "s1", NOW_MS, None, &[]);
        assert_eq!(alice.unwrap_incoming(&sync, NOW_MS).expect("good").disposition, Disposition::Sync);
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config, NOW_MS).expect("opens");
        let bytes = encoded(Profile::Libsds, "bob", "b1", NOW_MS + 1_000, Some(b"x"), &["s1"]);
        assert_eq!(alice.unwrap_incoming(&bytes, NOW_MS).expect("good").disposition, Disposition::Delivered);
    }
}

#[test]
fn a_channel_that_is_opened_by_a_message_that_leaves_nothing_is_there_after_a_crash() {
    let config = Config { auto_open_channels: true, ..config("alice") };
    let mut bytes = Vec::new();
    let ephemeral = Message {
        sender_id: "bob",
        message_id: "e1",
        channel_id: CHANNEL,
        content: Some(b"typing"),
        ..Message::default()
    };
    wire::encode(Profile::Rfc, &ephemeral, &mut bytes);
    for mut kind in Kind::all() {
        let alice = kind.open(&config, NOW_MS).expect("opens");
        assert_eq!(alice.unwrap_incoming(&bytes, NOW_MS).expect("good").disposition, Disposition::Ephemeral);
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config, NOW_MS).expect("opens");
        assert_eq!(alice.channels(), [CHANNEL.into()], "{}", kind.name());
    }
}
