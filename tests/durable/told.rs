//! What was told once, and must be neither told again nor forgotten: by a crash, a batch, a store that fails, a clock.

use sds::Manager;
use sds::config::Config;
use sds::manager::Known;
use sds::output::{ChannelOptions, Disposition};
use sds::store::Memory;
use sds::types::{HistoryEntry, Message, Profile};
use sds::{Error, wire};

use crate::contract::{CHANNEL, NOW_MS, config};
use crate::failing::{Fault, Faulty};
use crate::kinds::Kind;
use crate::mended::{encoded, received};

const MINUTE_MS: u64 = 60_000;

fn opened(kind: &Kind, config: &Config, now_ms: u64) -> Manager {
    let alice = kind.open(config, now_ms).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), now_ms).expect("opens");
    alice
}

fn logged(alice: &Manager) -> usize {
    alice.read_log(CHANNEL, None, 10_000).expect("reads").entries.len()
}

#[test]
fn a_batch_in_which_one_message_lets_many_go_delivers_each_once() {
    let config = Config { log_messages: 8, seen_limit: 8, ..config("alice") };
    for kind in [Kind::Memory(Memory::default()), Kind::sqlite()] {
        let alice = opened(&kind, &config, NOW_MS);
        let waits = |number: u64| received(&format!("w{number}"), NOW_MS + 1 + number, b"x", &["m1"]);
        (0..40).for_each(|number| drop(alice.unwrap_incoming(&waits(number), NOW_MS).expect("good")));
        let (m1, w0) = (received("m1", NOW_MS, b"x", &[]), waits(0));
        let results = alice.unwrap_batch(&[&m1, &m1, &w0], NOW_MS + 100);
        let told: Vec<_> = results.iter().map(|result| result.as_ref().expect("good").disposition).collect();
        assert_eq!(told, [Disposition::Delivered, Disposition::Duplicate, Disposition::Duplicate], "{}", kind.name());
        assert_eq!(logged(&alice), 41);
    }
}

#[test]
fn a_name_that_a_long_history_has_twice_is_seeded_once() {
    let config = Config { log_messages: 8, seen_limit: 8, ..config("alice") };
    let alice = opened(&Kind::Memory(Memory::default()), &config, NOW_MS);
    let ids: Vec<String> = (0..40).map(|number| format!("s{number}")).chain(["s0".to_owned()]).collect();
    let known = |id| Known { message_id: id, sender_id: "bob", lamport_timestamp_ms: NOW_MS, retrieval_hint: None };
    let known: Vec<_> = ids.iter().map(|id| known(id)).collect();
    assert_eq!(alice.seed_history(CHANNEL, &known, NOW_MS).expect("seeds"), 40);
    assert_eq!(logged(&alice), 40);
}

#[test]
fn a_forget_that_failed_is_made_up_for_when_it_is_asked_again() {
    let store = Faulty::new(usize::MAX, Fault::Fail);
    let alice = Manager::open_store(config("alice"), store.clone(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice.wrap_outgoing(CHANNEL, Some("a"), b"x", NOW_MS).expect("wraps");
    store.fail_from_now();
    assert!(matches!(alice.forget_channel(CHANNEL), Err(Error::Store(_))));
    assert!(matches!(alice.forget_channel(CHANNEL), Err(Error::Store(_))), "not gone yet");
    store.mend();
    assert!(matches!(alice.forget_channel(CHANNEL), Err(Error::UnknownChannel(_))), "gone");
    drop(alice);
    let alice = Manager::open_store(config("alice"), store, NOW_MS).expect("opens");
    assert!(alice.channels().is_empty());
}

/// A restart in the middle changes nothing of what the next message names.
#[test]
fn what_was_named_often_enough_and_is_held_later_is_not_named_anew_after_a_restart() {
    let config = Config { repair: false, ..config("alice") };
    let named = |restarts: bool| {
        let kind = Kind::Memory(Memory::default());
        let mut alice = opened(&kind, &config, NOW_MS);
        let ahead_ms = NOW_MS + 30 * MINUTE_MS;
        alice.set_online(false, NOW_MS).expect("told");
        for number in 0..8 {
            alice.wrap_outgoing(CHANNEL, Some(&format!("a{number}")), b"x", ahead_ms + number).expect("wraps");
        }
        alice.flush().expect("stores");
        if restarts {
            drop(alice);
            alice = kind.open(&config, ahead_ms + 10).expect("opens");
        }
        alice.set_online(true, ahead_ms + 10).expect("told");
        alice.tick(NOW_MS + 1).expect("ticks");
        alice.unwrap_incoming(&received("b1", NOW_MS + 1, b"x", &[]), NOW_MS + 1).expect("good");
        alice.tick(NOW_MS + 25 * MINUTE_MS).expect("ticks");
        let wrapped = alice.wrap_outgoing(CHANNEL, Some("last"), b"x", NOW_MS + 31 * MINUTE_MS).expect("wraps");
        let (_, message) = wire::decode(&wrapped.bytes, &config).expect("good");
        message.causal_history.iter().map(|entry| entry.message_id.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named(true), named(false));
}

#[test]
fn what_sync_messages_alone_tell_of_missing_ones_stays_after_a_crash() {
    let limited = Config { max_missing: 1, ..config("alice") };
    for mut kind in Kind::all() {
        let alice = opened(&kind, &limited, NOW_MS);
        // The first gives way to the second and comes back in its turn.
        for (number, named) in (1..).zip(["x", "y", "x"]) {
            let sync = encoded(Profile::Rfc, "bob", &format!("s{number}"), NOW_MS + number, None, &[named]);
            alice.unwrap_incoming(&sync, NOW_MS + number).expect("good");
            kind.drain(&alice);
        }
        // And then somebody says what there is to say of it.
        let entry = HistoryEntry { message_id: "x", sender_id: Some("carol"), retrieval_hint: Some(b"here") };
        let (message_id, sender_id, channel_id) = ("s9", "bob", CHANNEL);
        let lamport_timestamp_ms = Some(NOW_MS + 9);
        let causal_history = vec![entry];
        let message =
            Message { message_id, sender_id, channel_id, lamport_timestamp_ms, causal_history, ..Message::default() };
        let mut bytes = Vec::new();
        wire::encode(Profile::Rfc, &message, &mut bytes);
        alice.unwrap_incoming(&bytes, NOW_MS + 9).expect("good");
        kind.drain(&alice);
        let before = alice.missing(CHANNEL).expect("tells");
        assert_eq!(before[0].message_id.as_str(), "x");
        assert_eq!(before[0].retrieval_hint.as_deref(), Some(&b"here"[..]));
        drop(alice);
        let alice = kind.open(&limited, NOW_MS + 10).expect("opens");
        assert_eq!(alice.missing(CHANNEL).expect("tells"), before, "{}", kind.name());
    }
}

/// Traffic by turns steady and not, with restarts: each message is held to its age.
fn ages(seed: u64) {
    const AGES_MS: [u64; 6] = [160_000, 1_000, 17, 15, 1, 999_983];
    let mut rng = fastrand::Rng::with_seed(seed);
    let age_ms = AGES_MS[rng.usize(0..AGES_MS.len())];
    let config = Config { log_messages: 4, stored_ms: age_ms, repair: false, ..config("alice") };
    let kind = Kind::Memory(Memory::default());
    let mut alice = opened(&kind, &config, NOW_MS);
    let (mut now_ms, mut came_ms) = (NOW_MS, Vec::new());
    for step in 0..80_u32 {
        now_ms += match rng.u32(0..4) {
            0 => 0,
            1 => rng.u64(0..=age_ms / 16 + 1),
            2 => rng.u64(0..=age_ms / 3 + 1),
            _ => rng.u64(0..=age_ms * 2),
        };
        if rng.u32(0..8) == 0 {
            drop(alice);
            alice = kind.open(&config, now_ms).expect("opens");
        }
        for _ in 0..rng.usize(1..6) {
            now_ms += if rng.bool() { rng.u64(0..=age_ms / 30 + 1) } else { 0 };
            let bytes = received(&format!("m{:06}", came_ms.len()), NOW_MS, b"x", &[]);
            alice.unwrap_incoming(&bytes, now_ms).expect("good");
            came_ms.push(now_ms);
        }
        // Something that is committed, so that what is too old leaves.
        let latest = format!("m{:06}", came_ms.len() - 1);
        alice.set_retrieval_hint(CHANNEL, &latest, &step.to_le_bytes()).expect("here");
        alice.drain();
        let entries = alice.read_log(CHANNEL, None, 10_000).expect("reads").entries;
        let there: Vec<usize> = entries.iter().map(|entry| entry.message_id[1..].parse().expect("a number")).collect();
        for (number, came_ms) in came_ms.iter().enumerate() {
            let in_memory = there.last().is_some_and(|last| number + 4 > *last);
            let old_ms = now_ms - came_ms;
            let kept = there.binary_search(&number).is_ok();
            assert!(!kept || in_memory || old_ms <= age_ms + age_ms / 16, "seed {seed}: {number} is {old_ms} ms old");
            assert!(kept || !in_memory && old_ms >= age_ms, "seed {seed}: {number} left at {old_ms} ms");
        }
    }
}

#[test]
fn nothing_leaves_before_it_is_too_old_or_stays_for_long_after() {
    (0..60).for_each(ages);
}

#[test]
fn steady_traffic_needs_few_marks_of_its_age() {
    let small = Config { log_messages: 10, seen_limit: 10, bloom_capacity: 64, repair: false, ..config("alice") };
    let config = Config { stored_ms: 60 * MINUTE_MS, profile: Profile::Libsds, ..small };
    let store = Memory::default();
    let alice = opened(&Kind::Memory(store.clone()), &config, NOW_MS);
    for number in 0..1_000 {
        let bytes = received(&format!("m{number}"), NOW_MS, b"x", &[]);
        alice.unwrap_incoming(&bytes, NOW_MS + number * 1_000).expect("good");
        alice.drain();
    }
    let is_head = |(channel, key, _): &&(sds::types::ChannelId, sds::record::Key, Vec<u8>)| {
        *key == sds::record::Key::HEAD && !channel.is_empty()
    };
    let all = store.all();
    let size = all.iter().find(is_head).expect("a head").2.len();
    assert!(size < 1_000, "{size} bytes");
}
