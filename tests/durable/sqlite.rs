//! Database files that are damaged, foreign, newer, locked or read-only: an error, and the file stays as it is.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sds::Manager;
use sds::error::{Error, StoreError};
use sds::output::ChannelOptions;
use sds::store::{Sqlite, Synchronous};
use tempfile::TempDir;

use crate::contract::{CHANNEL, NOW_MS, config};

fn open(path: &Path) -> Result<Manager, Error> {
    Manager::open_store(config("alice"), Sqlite::open(path, Synchronous::Off)?, NOW_MS)
}

/// A database with a channel, messages and all.
fn good(folder: &TempDir) -> std::path::PathBuf {
    let path = folder.path().join("sds.db");
    let alice = open(&path).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    for number in 0..40 {
        let content = format!("the secret of message {number}");
        alice.wrap_outgoing(CHANNEL, Some(&format!("m{number}")), content.as_bytes(), NOW_MS).expect("wraps");
    }
    alice.flush().expect("the store works");
    drop(alice);
    path
}

fn refused(path: &Path) -> StoreError {
    let before = fs::read(path).expect("reads");
    let error = match open(path) {
        Err(Error::Store(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(fs::read(path).expect("reads") == before, "the file is as it was");
    error
}

#[test]
fn what_is_no_database_of_ours_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    fs::write(&path, "Dear diary, ".repeat(1_000)).expect("writes");
    assert!(matches!(refused(&path), StoreError::Damaged(_)));
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE chats (id TEXT); INSERT INTO chats VALUES ('one')").expect("writes");
    drop(other);
    assert!(matches!(refused(&path), StoreError::Damaged(_)));
}

#[test]
fn a_later_schema_is_refused_by_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let later = Connection::open(&path).expect("opens");
    later.pragma_update(None, "user_version", 7).expect("writes");
    drop(later);
    assert_eq!(refused(&path), StoreError::Newer { found: 7, known: 2 });
}

#[test]
fn a_file_of_ours_that_lacks_something_is_damaged() {
    for missing in [
        "PRAGMA user_version = 0",
        "DROP TABLE seen",
        "DROP TABLE messages",
        "DROP TABLE manager",
        "DROP INDEX messages_in_order",
        "ALTER TABLE records DROP COLUMN value",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = good(&folder);
        let other = Connection::open(&path).expect("opens");
        other.execute_batch(missing).expect("writes");
        drop(other);
        assert!(matches!(refused(&path), StoreError::Damaged(_)), "{missing}");
    }
}

#[test]
fn a_wiped_file_does_not_tell_how_many_channels_there_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let alice = open(&path).expect("opens");
    for number in 0..20 {
        alice.open_channel(&format!("channel-{number}"), ChannelOptions::default(), NOW_MS).expect("opens");
    }
    alice.reset().expect("the store works");
    // Numbers are given anew, and what was known under them is not known any more.
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice.wrap_outgoing(CHANNEL, Some("m1"), b"not that m1", NOW_MS).expect("it is new");
    drop(alice);
    let look = Connection::open(&path).expect("opens");
    let last: i64 = look.query_row("SELECT max(seq) FROM sqlite_sequence", [], |row| row.get(0)).expect("reads");
    assert_eq!(last, 1);
}

#[test]
fn one_manager_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let alice = open(&path).expect("opens");
    let asked = Instant::now();
    assert!(matches!(open(&path), Err(Error::Store(StoreError::Locked(_)))));
    assert!(asked.elapsed() < Duration::from_secs(3), "it is told at once: {:?}", asked.elapsed());
    drop(alice);
    open(&path).expect("opens");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    assert!(matches!(open(Path::new("/nowhere/at/all/sds.db")), Err(Error::Store(StoreError::Io(_)))));
}

/// Every page in turn is overwritten, and every length tried: an error, or what can still be read; never a panic.
#[test]
fn a_damaged_file_never_panics() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let whole = fs::read(&path).expect("reads");
    let pages = whole.len() / 4_096;
    let mut noticed = 0;
    for page in 0..pages {
        for (from, fill) in [(0, 0xff), (100, 0), (2_048, 0x55)] {
            let mut damaged = whole.clone();
            let at = page * 4_096 + from;
            damaged[at..(page + 1) * 4_096].fill(fill);
            let copy = folder.path().join("copy.db");
            let _ = fs::remove_file(folder.path().join("copy.db-wal"));
            fs::write(&copy, damaged).expect("writes");
            noticed += usize::from(use_it(&copy).is_err());
        }
    }
    assert!(noticed > pages, "{noticed} of {} were noticed", pages * 3);
    for pages in 1..pages {
        let copy = folder.path().join("short.db");
        let _ = fs::remove_file(folder.path().join("short.db-wal"));
        fs::write(&copy, &whole[..pages * 4_096]).expect("writes");
        let _ = use_it(&copy);
    }
}

/// It says so to whoever uses it, and once when it falls due: the run loop of the others goes on, and sleeps.
#[test]
fn a_damaged_channel_does_not_stay_due() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let damaged = Connection::open(&path).expect("opens");
    assert!(damaged.execute("UPDATE records SET value = x'00ff' WHERE kind = 7", []).expect("writes") > 0);
    drop(damaged);
    let alice = open(&path).expect("opens");
    alice.open_channel("sound", ChannelOptions::default(), NOW_MS).expect("opens");
    alice.wrap_outgoing("sound", Some("m"), b"hello", NOW_MS).expect("wraps");
    assert!(matches!(alice.tick(NOW_MS + 6_000), Err(Error::Store(StoreError::Damaged(_)))));
    assert_eq!(alice.drain().len(), 1, "the other had its turn");
    assert!(alice.next_deadline() > Some(NOW_MS + 6_000), "it is not due again at once");
    alice.tick(NOW_MS + 60_000).expect("it was told");
    assert!(matches!(
        alice.wrap_outgoing(CHANNEL, None, b"x", NOW_MS + 60_000),
        Err(Error::Store(StoreError::Damaged(_)))
    ));
    alice.close_channel(CHANNEL).expect("it need not be read for that");
    assert!(alice.wrap_outgoing(CHANNEL, None, b"x", NOW_MS + 60_000).is_err());
    drop(alice);
    let alice = open(&path).expect("opens");
    assert_eq!(alice.channels(), ["sound".into()], "it stays closed");
    alice.forget_channel(CHANNEL).expect("that way out is open");
}

#[test]
fn a_store_in_which_all_channel_numbers_were_used_takes_free_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let used = Connection::open(&path).expect("opens");
    used.execute("UPDATE sqlite_sequence SET seq = (1 << 22) - 1 WHERE name = 'channels'", []).expect("writes");
    drop(used);
    let alice = open(&path).expect("opens");
    for channel in ["new", "newer", CHANNEL] {
        alice.open_channel(channel, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.wrap_outgoing(channel, Some(channel), b"hello", NOW_MS).expect("wraps");
    }
    alice.forget_channel("new").expect("is there");
    alice.open_channel("newest", ChannelOptions::default(), NOW_MS).expect("opens");
    assert_eq!(alice.read_log("newest", None, 10).expect("reads").entries.len(), 0);
    assert_eq!(alice.read_log("newer", None, 10).expect("reads").entries.len(), 1);
}

fn use_it(path: &Path) -> Result<(), Error> {
    let alice = open(path)?;
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS)?;
    alice.read_log(CHANNEL, None, 100)?;
    alice.wrap_outgoing(CHANNEL, Some("new"), b"hello", NOW_MS)?;
    alice.tick(NOW_MS + 100_000)?;
    alice.forget_channel(CHANNEL)
}

#[test]
fn what_is_forgotten_leaves_no_trace_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let traces = || {
        let files = fs::read_dir(folder.path()).expect("reads").map(|file| file.expect("reads").path());
        let texts = files.map(|file| fs::read(file).expect("reads"));
        texts.map(|text| text.windows(10).filter(|window| window == b"the secret").count()).sum::<usize>()
    };
    assert!(traces() >= 40);
    let alice = open(&path).expect("opens");
    alice.forget_channel(CHANNEL).expect("is there");
    assert_eq!(traces(), 0);
    drop(alice);
    assert_eq!(traces(), 0);
}

#[test]
fn a_name_is_that_of_a_file_whatever_is_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["file:plain", "file:gone?mode=memory", "file:twice?nolock=1", "a%41?b#c", "\u{fc}ber \n'\""] {
        let path = folder.path().join(name);
        // A name that begins so has to be relative.
        let path = if name.starts_with("file:") { Path::new(name) } else { &path };
        let alice = open(path).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        assert!(path.exists(), "{name}");
        drop(alice);
        let known = open(path).expect("opens").channels().len();
        fs::remove_file(path).expect("is there");
        assert_eq!(known, 1, "{name}");
    }
}

#[test]
fn a_file_that_was_emptied_beside_its_log_is_not_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sds.db");
    let alice = open(&path).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    let log = fs::read(folder.path().join("sds.db-wal")).expect("reads");
    drop(alice);
    for emptied in [true, false] {
        let copy = folder.path().join("copy.db");
        fs::write(folder.path().join("copy.db-wal"), &log).expect("writes");
        let _ = fs::remove_file(&copy);
        if emptied {
            fs::write(&copy, b"").expect("writes");
        }
        assert!(matches!(open(&copy), Err(Error::Store(StoreError::Damaged(_)))));
        assert!(fs::read(folder.path().join("copy.db-wal")).expect("reads") == log, "it stays as it is");
    }
}

#[test]
fn a_damaged_channel_is_told_by_a_tick_and_not_by_every_tick() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = good(&folder);
    let other = Connection::open(&path).expect("opens");
    other.execute("DELETE FROM messages", []).expect("writes");
    drop(other);
    let alice = open(&path).expect("opens");
    assert!(matches!(alice.tick(NOW_MS + 10_000), Err(Error::Store(StoreError::Damaged(_)))));
    alice.tick(NOW_MS + 20_000).expect("nothing is due");
    assert_eq!(alice.next_deadline(), None);
    assert!(matches!(alice.channel_status(CHANNEL), Err(Error::Store(StoreError::Damaged(_)))), "who uses it is told");
}
