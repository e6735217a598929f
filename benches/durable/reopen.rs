//! `reopen_10k` and `seen_check`: what a start costs, and asking whether an id is new.

use std::path::Path;

use rusqlite::Connection;
use sds::idhash::IdHasher;
use sds::output::ChannelOptions;
use sds::store::{Sqlite, Store, Synchronous};
use sds::{Config, Manager};

use crate::common::figure::{Figure, worst};
use crate::common::timing::{median, time};

const NOW_MS: u64 = 1_790_000_000_000;
const ROUNDS: usize = 9;
const ASKED: usize = 1_000;

fn config() -> Config {
    Config { participant_id: "alice".to_owned(), seed: Some(1), unload_after_ms: 0, ..Config::default() }
}

fn reopened(path: &Path) -> Manager {
    Manager::open_store(config(), Sqlite::open(path, Synchronous::Off).expect("opens"), NOW_MS).expect("opens")
}

/// Opening a manager over a plain scan of the rows that are there of what it has to know: 10,000 channels, and 100 in which
/// 20,000 ids were seen. At most 2, the worse of the two.
pub fn open() -> Vec<Figure> {
    let each = [("channels", 10_000, 1), ("ids", 100, 20_000)].map(|(setting, channels, ids)| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sds.db");
        fill(&path, channels, ids);
        let rounds = (0..ROUNDS).map(|_| {
            let ours = time(|| drop(reopened(&path)));
            let theirs = time(|| assert_eq!(scan(&path), 1 + channels + channels * ids));
            ours.as_secs_f64() / theirs.as_secs_f64()
        });
        (setting.to_owned(), median(rounds.collect()))
    });
    worst("reopen_10k", "ratio", 2.0, &each)
}

/// Channels with a message each, and as many ids in each as were ever seen there.
fn fill(path: &Path, channels: usize, ids: usize) {
    let alice = reopened(path);
    for number in 0..channels {
        let channel = format!("channel-{number}");
        alice.open_channel(&channel, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.wrap_outgoing(&channel, None, b"hello", NOW_MS).expect("wraps");
    }
    drop(alice);
    let plain = Connection::open(path).expect("opens");
    const MORE: &str = "WITH RECURSIVE count (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM count WHERE id < ?)
        INSERT INTO seen SELECT number, 0, randomblob(16) FROM channels, count WHERE id < ?";
    let ids = i64::try_from(ids).expect("few");
    plain.execute(MORE, [ids, ids]).expect("writes");
}

/// Reads the manager, the channels, and the ids that were ever seen, as a program would that only wants to have them.
fn scan(path: &Path) -> usize {
    let plain = Connection::open(path).expect("opens");
    let mut rows = 0;
    for select in
        ["SELECT record FROM manager", "SELECT channel_id, head FROM channels", "SELECT channel, hash FROM seen"]
    {
        let mut statement = plain.prepare(select).expect("prepares");
        let columns = statement.column_count();
        let mut found = statement.query([]).expect("reads");
        while let Some(row) = found.next().expect("reads") {
            let values: Vec<rusqlite::types::Value> =
                (0..columns).map(|column| row.get(column).expect("a value")).collect();
            std::hint::black_box(values);
            rows += 1;
        }
    }
    rows
}

/// Database pages read for 1,000 new ids, with 100,000 that were seen. At most 10. Told by Linux alone.
pub fn seen() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sds.db");
    let alice = reopened(&path);
    let bob = Manager::open(Config { participant_id: "bob".to_owned(), ..config() }).expect("opens");
    for manager in [&alice, &bob] {
        manager.open_channel("garden", ChannelOptions::default(), NOW_MS).expect("opens");
    }
    for _ in 0..100 {
        let messages: Vec<_> = (0..1_000)
            .map(|_| {
                let wrapped = bob.wrap_outgoing("garden", None, b"hello", NOW_MS).expect("wraps");
                bob.cancel("garden", &wrapped.message_id, NOW_MS).expect("ours");
                wrapped.bytes
            })
            .collect();
        let slices: Vec<&[u8]> = messages.iter().map(|bytes| &bytes[..]).collect();
        assert!(alice.unwrap_batch(&slices, NOW_MS).iter().all(Result::is_ok));
        alice.drain();
    }
    drop(alice);
    let mut store = Sqlite::open(&path, Synchronous::Off).expect("opens");
    let ids = IdHasher::new([4, 2]);
    // The first one reads the ids of the channel, once.
    assert!(!store.was_received("garden", ids.hash("first")).expect("reads"));
    let Some(before) = bytes_read() else { return Vec::new() };
    for number in 0..ASKED {
        assert!(!store.was_received("garden", ids.hash(&format!("new {number}"))).expect("reads"));
    }
    let pages = bytes_read().unwrap_or(0).saturating_sub(before) / 4_096;
    vec![Figure::limited("seen_check", pages as f64, "pages", 10.0)]
}

/// Bytes that this process has read from files.
fn bytes_read() -> Option<u64> {
    let io = std::fs::read_to_string("/proc/self/io").ok()?;
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: "))?;
    // Reading this counts too.
    line.trim().parse::<u64>().ok().map(|bytes| bytes.saturating_sub(io.len() as u64 / 2))
}
