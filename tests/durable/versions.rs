//! Files that earlier versions wrote: each later one opens them and goes on.
//!
//! The latest of [`FILES`] was written by [`write`], with `SDS_WRITE_FIXTURE=1`. Once released, a file is never written anew:
//! a new version of the schema gets a new file, and the old ones stay.

use std::path::{Path, PathBuf};

use sds::Manager;
use sds::config::Config;
use sds::manager::Known;
use sds::output::{ChannelOptions, Disposition, Event, MessageState, Output, TransmitReason};
use sds::store::{Sqlite, Synchronous};
use sds::types::Profile;

use crate::contract::{CHANNEL, NOW_MS, config};

/// One of each version of the schema, the latest last.
const FILES: [&str; 2] = ["version-1.db", "version-2.db"];

fn small(who: &str) -> Config {
    // A filter in the rfc profile has 18 KB, in every message.
    Config { profile: Profile::Libsds, bloom_capacity: 64, ..config(who) }
}

fn open(path: &Path) -> Manager {
    let store = Sqlite::open(path, Synchronous::Off).expect("opens");
    Manager::open_store(small("alice"), store, NOW_MS).expect("opens")
}

/// What bob says, always the same.
fn from_bob() -> [Vec<u8>; 4] {
    let bob = Manager::open(small("bob")).expect("opens");
    bob.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    ["b1", "b2", "b3", "b4"]
        .map(|id| bob.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), NOW_MS).expect("wraps").bytes.to_vec())
}

/// Some of everything: sent, received, seeded, waiting, missing, with hints; and a channel that is closed.
fn write(path: &Path) {
    let alice = open(path);
    for channel in [CHANNEL, "closed"] {
        alice.open_channel(channel, ChannelOptions::default(), NOW_MS).expect("opens");
    }
    let known = [Known { message_id: "s1", sender_id: "carol", lamport_timestamp_ms: NOW_MS, retrieval_hint: None }];
    assert_eq!(alice.seed_history(CHANNEL, &known, NOW_MS).expect("seeds"), 1);
    alice.wrap_outgoing(CHANNEL, Some("m1"), b"hello", NOW_MS).expect("wraps");
    alice.set_retrieval_hint(CHANNEL, "m1", b"hint").expect("known");
    let [b1, b2, _, b4] = from_bob();
    for bytes in [b1, b2, b4] {
        alice.unwrap_incoming(&bytes, NOW_MS).expect("good");
    }
    alice.close_channel("closed").expect("open");
    alice.flush().expect("the store works");
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/durable").join(name)
}

#[test]
fn a_file_of_any_version_is_read_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    if std::env::var_os("SDS_WRITE_FIXTURE").is_some() {
        let path = folder.path().join("new.db");
        write(&path);
        std::fs::copy(&path, fixture(FILES[FILES.len() - 1])).expect("copies");
    }
    for file in FILES {
        println!("{file}");
        let path = folder.path().join(file);
        std::fs::copy(fixture(file), &path).expect("copies");
        goes_on(&path);
    }
}

fn goes_on(path: &Path) {
    let alice = open(path);
    assert_eq!(alice.channels(), [CHANNEL.into()]);
    let log = alice.read_log(CHANNEL, None, 10).expect("reads").entries;
    let entries: Vec<_> = log.iter().map(|entry| (&*entry.message_id, &entry.content[..])).collect();
    let expected: [(&str, &[u8]); 4] = [("s1", b""), ("m1", b"hello"), ("b1", b"b1"), ("b2", b"b2")];
    assert_eq!(sorted(&entries), sorted(&expected));
    let ours = log.iter().find(|entry| &*entry.message_id == "m1").expect("ours");
    assert_eq!((ours.retrieval_hint.as_deref(), ours.sent), (Some(&b"hint"[..]), true));
    assert_eq!(ours.received_ms, NOW_MS);
    assert_eq!(alice.message_status(CHANNEL, "m1").expect("ours").state, MessageState::Unacknowledged);
    let missing: Vec<_> = alice.missing(CHANNEL).expect("open").into_iter().map(|it| it.message_id).collect();
    assert_eq!(missing, ["b3".into()]);
    let [b1, _, b3, _] = from_bob();
    assert_eq!(alice.unwrap_incoming(&b1, NOW_MS).expect("good").disposition, Disposition::Duplicate);
    assert_eq!(alice.unwrap_incoming(&b3, NOW_MS).expect("good").disposition, Disposition::Delivered);
    alice.tick(NOW_MS + 7_000).expect("ticks");
    let outputs = alice.drain();
    let told = |wanted: &dyn Fn(&Output) -> bool| outputs.iter().any(|(_, output)| wanted(output));
    assert!(told(&|it| matches!(it, Output::Event(Event::Delivered(it)) if &*it.message_id == "b4")), "{outputs:?}");
    let is_resend = |it: &Output| matches!(it, Output::Transmit(it) if it.reason == TransmitReason::Resend);
    assert!(told(&is_resend), "{outputs:?}");
    alice.open_channel("closed", ChannelOptions::default(), NOW_MS).expect("opens again");
}

fn sorted<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items
}
