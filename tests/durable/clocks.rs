//! A host's clock that is set: what is stored tells the host's times, and what falls due is moved wherever it lies.

use sds::Manager;
use sds::config::Config;
use sds::output::{ChannelOptions, MessageState};
use sds::record;
use sds::store::Memory;
use sds::types::Profile;

use crate::contract::{CHANNEL, NOW_MS, config, member};
use crate::failing::{Fault, Faulty};
use crate::kinds::Kind;
use crate::mended::{encoded, lost_after, open, received};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// When each message of the log was received or sent, by its id.
fn received_ms(kind: &mut Kind, alice: &Manager) -> Vec<(String, u64)> {
    kind.drain(alice);
    let entries = match kind {
        Kind::Host(host) => {
            let rows = host.rows.iter().filter(|((_, key), _)| key.kind == record::Kind::Message);
            let read = |((_, key), value): (&(_, record::Key), &Vec<u8>)| {
                alice.read_log_record(u64::try_from(key.id).expect("a number"), value, None).expect("reads")
            };
            rows.map(read).collect()
        }
        _ => alice.read_log(CHANNEL, None, 10).expect("reads").entries,
    };
    let mut times: Vec<_> =
        entries.into_iter().map(|entry| (entry.message_id.to_string(), entry.received_ms)).collect();
    times.sort();
    times
}

#[test]
fn a_log_tells_when_messages_came_by_the_hosts_clock_though_it_was_a_day_ahead_before() {
    for mut kind in Kind::all() {
        let (alice, bob) = (kind.open(&config("alice"), NOW_MS).expect("opens"), member("bob"));
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.tick(NOW_MS + DAY_MS).expect("ticks");
        alice.tick(NOW_MS).expect("ticks");
        alice.wrap_outgoing(CHANNEL, Some("a1"), b"x", NOW_MS + 1).expect("wraps");
        let [first, second] =
            ["b1", "b2"].map(|id| bob.wrap_outgoing(CHANNEL, Some(id), b"x", NOW_MS).expect("wraps").bytes);
        // The second waits for the first.
        alice.unwrap_incoming(&second, NOW_MS + 2).expect("good");
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS + 3).expect("opens");
        alice.unwrap_incoming(&first, NOW_MS + 4).expect("good");
        let expected = [("a1", NOW_MS + 1), ("b1", NOW_MS + 4), ("b2", NOW_MS + 2)];
        let expected = expected.map(|(id, ms)| (id.to_owned(), ms));
        assert_eq!(received_ms(&mut kind, &alice), expected, "{}", kind.name());
        // What is acknowledged, and left the hour for which it may be asked for, is written anew.
        let heard = received("b9", NOW_MS + 10, b"x", &["a1", "b1", "b2"]);
        alice.unwrap_incoming(&heard, NOW_MS + 5).expect("good");
        assert_eq!(alice.message_status(CHANNEL, "a1").expect("ours").state, MessageState::Acknowledged);
        alice.tick(NOW_MS + 2 * 3_600_000).expect("ticks");
        alice.flush().expect("stores");
        assert_eq!(received_ms(&mut kind, &alice)[..3], expected, "{}", kind.name());
    }
}

#[test]
fn time_offline_counts_though_the_clock_is_set_back_meanwhile_in_memory_or_not() {
    let run = |unload_after_ms: u64| {
        let config = Config { repair: false, unload_after_ms, ..config("alice") };
        let alice = Manager::open_store(config, Memory::default(), NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.unwrap_incoming(&received("m2", NOW_MS, b"x", &["m1"]), NOW_MS).expect("good");
        alice.set_online(false, NOW_MS + 1_000).expect("told");
        (1..=60).for_each(|minute| alice.tick(NOW_MS + minute * 60_000).expect("ticks"));
        assert_eq!(alice.channels_in_memory(), usize::from(unload_after_ms == 0));
        let before_ms = NOW_MS - DAY_MS;
        alice.tick(before_ms).expect("ticks");
        alice.set_online(true, before_ms + HOUR_MS).expect("told");
        lost_after(&alice, before_ms + HOUR_MS).expect("lost at last")
    };
    assert!(run(60_000).abs_diff(run(0)) <= 60, "{} and {}", run(60_000), run(0));
}

#[test]
fn channels_leave_memory_though_the_clock_was_set_back() {
    let alice = Manager::open_store(config("alice"), Memory::default(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice.tick(NOW_MS - DAY_MS).expect("ticks");
    (0..20).for_each(|minute| alice.tick(NOW_MS - DAY_MS + minute * 60_000).expect("ticks"));
    assert_eq!(alice.channels_in_memory(), 0);
}

#[test]
fn the_clock_is_set_back_for_channels_out_of_memory_though_the_store_fails_just_then() {
    let run = |fails: bool| {
        let store = Faulty::new(usize::MAX, Fault::Fail);
        let config =
            Config { repair: false, profile: Profile::Libsds, dependency_timeout_ms: HOUR_MS, ..config("alice") };
        let alice = Manager::open_store(config, store.clone(), NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.unwrap_incoming(&received("m2", NOW_MS, b"x", &["m1"]), NOW_MS).expect("good");
        (1..=50).for_each(|minute| alice.tick(NOW_MS + minute * 60_000).expect("ticks"));
        assert_eq!(alice.channels_in_memory(), 0);
        if fails {
            store.fail_from_now();
        }
        assert_eq!(alice.tick(NOW_MS - DAY_MS).is_err(), fails);
        alice.channel_status(CHANNEL).expect("it can be read");
        store.mend();
        lost_after(&alice, NOW_MS - DAY_MS).expect("lost at last")
    };
    assert!(run(true).abs_diff(run(false)) <= 1, "{} and {}", run(true), run(false));
}

/// The ids of the log, in its order, and the Lamport clock.
fn log_and_clock(alice: &Manager) -> (Vec<String>, u64) {
    let dump = alice.dump_channel(CHANNEL).expect("dumps");
    let dump: serde_json::Value = serde_json::from_str(&dump).expect("JSON");
    let entries = dump["log_latest_first"].as_array().expect("a log").iter().rev();
    let ids = entries.map(|entry| entry[1].as_str().expect("an id").to_owned()).collect();
    (ids, dump["lamport_timestamp_ms"].as_u64().expect("a number"))
}

#[test]
fn a_clock_that_fell_back_stays_so_after_a_crash() {
    let year_ms = NOW_MS + 365 * DAY_MS;
    let store = Memory::default();
    let alice = open(&config("alice"), &store, NOW_MS);
    alice.unwrap_incoming(&received("before", NOW_MS, b"x", &[]), NOW_MS).expect("good");
    for id in ["ahead 1", "ahead 2"] {
        alice.wrap_outgoing(CHANNEL, Some(id), b"x", year_ms).expect("wraps");
    }
    let sync = encoded(Profile::Rfc, "carol", "s", NOW_MS + 1_000, None, &[]);
    alice.unwrap_incoming(&sync, NOW_MS + 1_000).expect("good");
    drop(alice);
    let alice = open(&config("alice"), &store, NOW_MS + 2_000);
    let (ids, lamport_ms) = log_and_clock(&alice);
    assert_eq!(ids, ["before"]);
    assert!(lamport_ms <= NOW_MS + 2_000, "{lamport_ms}");
    alice.wrap_outgoing(CHANNEL, Some("mine"), b"x", NOW_MS + 2_000).expect("wraps");
    drop(alice);
    let alice = open(&config("alice"), &store, year_ms);
    alice.tick(year_ms).expect("ticks");
    assert_eq!(log_and_clock(&alice).0, ["before", "mine", "ahead 1", "ahead 2"]);
}

#[test]
fn the_beginning_of_a_channel_that_a_sync_message_set_stays_after_a_crash() {
    let store = Memory::default();
    let open = |now_ms| {
        let alice = Manager::open_store(config("alice"), store.clone(), now_ms).expect("opens");
        let options = ChannelOptions { from_now: true, ..ChannelOptions::default() };
        alice.open_channel(CHANNEL, options, now_ms).expect("opens");
        alice
    };
    let alice = open(NOW_MS);
    alice.unwrap_incoming(&encoded(Profile::Rfc, "carol", "s", NOW_MS, None, &[]), NOW_MS).expect("good");
    drop(alice);
    let alice = open(NOW_MS + 1_000);
    let next = received("m", NOW_MS + 1_000, b"x", &["x"]);
    let unwrapped = alice.unwrap_incoming(&next, NOW_MS + 1_000).expect("good");
    assert_eq!(unwrapped.disposition, sds::output::Disposition::Waiting);
}
