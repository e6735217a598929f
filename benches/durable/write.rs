//! `durable_wrap_vs_insert` and `durable_batch`: what storing costs.

use std::time::Duration;

use sds::output::ChannelOptions;
use sds::store::Sqlite;
use sds::types::Profile;
use sds::{Config, Manager};

use crate::common::figure::{Figure, worst};
use crate::common::timing::{median, ratio, time, time_both};
use crate::plain;

const NOW_MS: u64 = 1_790_000_000_000;
const CHANNEL: &str = "garden";
/// A message of chat.
const CONTENT: [u8; 120] = [b'x'; 120];
const ROUNDS: usize = 9;
const WRAPS: usize = 60;
const MESSAGES: usize = 1_000;

fn config(who: &str, profile: Profile) -> Config {
    Config { participant_id: who.to_owned(), seed: Some(1), profile, ..Config::default() }
}

fn open(manager: Manager) -> Manager {
    manager.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    manager
}

fn stored(path: &std::path::Path, profile: Profile) -> Manager {
    let store = Sqlite::open(path, plain::synchronous()).expect("opens");
    open(Manager::open_store(config("alice", profile), store, NOW_MS).expect("opens"))
}

/// A durable wrap over one plain transaction that inserts the same bytes. At most 1.5.
pub fn wrap() -> Vec<Figure> {
    let each = [Profile::Rfc, Profile::Libsds].map(|profile| {
        let folder = tempfile::tempdir().expect("a folder");
        let alice = stored(&folder.path().join("ours.db"), profile);
        let mut plain = plain::table(&folder.path().join("plain.db"));
        let twin = open(Manager::open(config("alice", profile)).expect("opens"));
        let mut number = 0_u64;
        let ratio = ratio(ROUNDS, WRAPS, |turn| {
            number += 1;
            let (id, now_ms) = (format!("message-{number}"), NOW_MS + number * 5_000);
            let bytes = twin.wrap_outgoing(CHANNEL, Some(&id), &CONTENT, now_ms).expect("wraps").bytes;
            time_both(
                turn,
                || drop(alice.wrap_outgoing(CHANNEL, Some(&id), &CONTENT, now_ms).expect("wraps")),
                || plain::insert(&mut plain, [(id.clone(), &bytes[..])]),
            )
        });
        (profile.name().to_owned(), ratio)
    });
    worst("durable_wrap_vs_insert", "ratio", 1.5, &each)
}

/// 1,000 received messages in one call over as many plain inserts in one transaction. At most 2.
pub fn batch() -> Vec<Figure> {
    let each = [Profile::Rfc, Profile::Libsds].map(|profile| {
        let bob = open(Manager::open(config("bob", profile)).expect("opens"));
        let messages: Vec<_> = (0..MESSAGES as u64)
            .map(|number| {
                let id = format!("{number:064x}");
                bob.wrap_outgoing(CHANNEL, Some(&id), &CONTENT, NOW_MS + number * 5_000).expect("wraps").bytes
            })
            .collect();
        let slices: Vec<&[u8]> = messages.iter().map(|bytes| &bytes[..]).collect();
        let now_ms = NOW_MS + MESSAGES as u64 * 5_000;
        let rounds = (0..ROUNDS).map(|_| {
            let folder = tempfile::tempdir().expect("a folder");
            let alice = stored(&folder.path().join("ours.db"), profile);
            let mut plain = plain::table(&folder.path().join("plain.db"));
            let ours: Duration = time(|| {
                assert!(alice.unwrap_batch(&slices, now_ms).iter().all(Result::is_ok));
            });
            let theirs = time(|| {
                plain::insert(
                    &mut plain,
                    slices.iter().enumerate().map(|(number, bytes)| (format!("{number:064x}"), *bytes)),
                );
            });
            ours.as_secs_f64() / theirs.as_secs_f64()
        });
        (profile.name().to_owned(), median(rounds.collect()))
    });
    worst("durable_batch", "ratio", 2.0, &each)
}
