//! Everything that strangers can make one channel hold at the default limits, all of it at once. The only test in its
//! program, so that what is allocated is its own.

#[path = "common/mod.rs"]
mod common;
#[path = "../benches/flood/heap.rs"]
mod heap;

use sds::Manager;
use sds::types::{HistoryEntry, Profile};

use common::*;

/// What `docs/limits.md` says.
const MOST_BYTES: usize = 32 << 20;

/// The longest id there may be, one of its own for each number.
fn long(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:0>width$}", width = 256 - prefix.len())
}

#[test]
fn a_channel_filled_to_all_its_limits() {
    for profile in BOTH {
        let before = heap::live();
        let alice = member_of(profile, "alice");
        own_messages_acknowledged_by_many(&alice, profile);
        the_log(&alice, profile);
        missing_ids(&alice, profile);
        waiting_messages(&alice, profile);
        remembered_ids(&alice, profile);
        let held = heap::live() - before;
        println!("{profile:?}: {:.1} MiB", held as f64 / f64::from(1 << 20));
        assert!(held < MOST_BYTES, "{profile:?}: {held} bytes, {:#?}", status(&alice));
    }
}

fn own_messages_acknowledged_by_many(alice: &Manager, profile: Profile) {
    let mine = ids("own", 1_000);
    for id in &mine {
        alice.wrap_outgoing(CHANNEL, Some(id), &[7; 7_800], NOW).unwrap();
        alice.drain();
    }
    let named: Vec<&str> = mine.iter().map(String::as_str).collect();
    for number in 0..64 {
        let (id, by) = (format!("ack{number}"), long("who", number));
        receive(alice, &forged(&id).by(&by).of(profile).sync().after(&named).bytes(), NOW);
        alice.drain();
    }
    assert_eq!((status(alice).acknowledged, status(alice).unacknowledged), (1_000, 0));
}

fn the_log(alice: &Manager, profile: Profile) {
    for number in 0..1_000 {
        let (id, by) = (long("s", number), long("b", number));
        receive(alice, &forged(&id).by(&by).of(profile).content(&[1; 7_800]).bytes(), NOW);
    }
    alice.drain();
    assert_eq!((status(alice).logged, status(alice).log_evicted), (1_000, 1_000));
}

fn missing_ids(alice: &Manager, profile: Profile) {
    let hint = [3; 1_024];
    for number in 0..40 {
        let names: Vec<String> = (0..110).map(|name| long("n", number * 110 + name)).collect();
        let id = format!("q{number}");
        let mut sync = forged(&id).by("mallory").of(profile).sync();
        let entry = |id| HistoryEntry { message_id: id, retrieval_hint: Some(&hint), sender_id: Some(id) };
        sync.message.causal_history = names.iter().map(|name| entry(name.as_str())).collect();
        receive(alice, &sync.bytes(), NOW);
        alice.drain();
    }
    assert_eq!(status(alice).missing, 4_096);
}

fn waiting_messages(alice: &Manager, profile: Profile) {
    for number in 0..1_000 {
        let (id, by) = (long("z", number), long("b", number));
        receive(alice, &forged(&id).by(&by).of(profile).after(&["never"]).content(&[1; 7_300]).bytes(), NOW);
    }
    alice.drain();
    assert!(status(alice).waiting >= 990, "{:?}", status(alice));
}

fn remembered_ids(alice: &Manager, profile: Profile) {
    for number in 0..30_000 {
        let (sync, content) = (format!("l{number}"), format!("y{number}"));
        receive(alice, &forged(&sync).by("mallory").of(profile).sync().bytes(), NOW);
        receive(alice, &forged(&content).by("mallory").of(profile).content(b"x").bytes(), NOW);
        if number % 100 == 0 {
            alice.drain();
        }
    }
    alice.drain();
    assert!(status(alice).ids_forgotten > 0);
}
