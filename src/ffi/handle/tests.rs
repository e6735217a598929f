//! What a store that panics does to the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::RwLock;

use super::{Entry, end_all};
use crate::config::Config;
use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::manager::Manager;
use crate::output::ChannelOptions;
use crate::record::{Key, StoredMessage, Wanted};
use crate::store::{LogItem, Memory, Page, Store, Write};
use crate::types::ChannelId;

const NOW: u64 = 1_760_000_000_000;
const WORKS: u8 = 0;
const FAILS: u8 = 1;
const PANICS: u8 = 2;

/// Memory that works, fails or panics, as it is told.
struct Moody(Memory, Arc<AtomicU8>);

impl Store for Moody {
    fn manager(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.manager()
    }

    fn heads(&mut self) -> Result<Vec<(ChannelId, Vec<u8>)>, StoreError> {
        self.0.heads()
    }

    fn head(&mut self, channel_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.head(channel_id)
    }

    fn records(&mut self, channel_id: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.0.records(channel_id)
    }

    fn messages(&mut self, channel_id: &str, wanted: &Wanted) -> Result<Vec<StoredMessage>, StoreError> {
        self.0.messages(channel_id, wanted)
    }

    fn was_received(&mut self, channel_id: &str, hash: IdHash) -> Result<bool, StoreError> {
        self.0.was_received(channel_id, hash)
    }

    fn page(&mut self, channel_id: &str, after: Option<(u64, &str)>, most: Page) -> Result<Vec<LogItem>, StoreError> {
        self.0.page(channel_id, after, most)
    }

    fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        match self.1.load(Ordering::Relaxed) {
            WORKS => self.0.commit(batch),
            FAILS => Err(StoreError::Damaged("as it was told".to_owned())),
            _ => panic!("as it was told"),
        }
    }
}

/// A manager with a message that is not stored yet.
fn unsaved(mood: &Arc<AtomicU8>) -> (Arc<Entry>, Memory) {
    let memory = Memory::default();
    let config = Config { participant_id: "alice".to_owned(), seed: Some(1), ..Config::default() };
    let manager = Manager::open_store(config, Moody(memory.clone(), mood.clone()), NOW).expect("opens");
    manager.open_channel("c", ChannelOptions::default(), NOW).expect("opens");
    mood.store(FAILS, Ordering::Relaxed);
    let _ = manager.wrap_outgoing("c", Some("m"), b"hello", NOW);
    assert!(!has_message(&memory));
    (Arc::new(Entry { manager: RwLock::new(Some(manager)), poisoned: false.into() }), memory)
}

fn has_message(memory: &Memory) -> bool {
    memory.all().iter().any(|(_, _, value)| value.windows(5).any(|bytes| bytes == b"hello"))
}

#[test]
fn a_panic_while_one_manager_is_stored_leaves_none_of_the_others_unstored() {
    let moods = [PANICS, WORKS].map(|then| (then, Arc::new(AtomicU8::new(WORKS))));
    let made: Vec<_> = moods.iter().map(|(_, mood)| unsaved(mood)).collect();
    moods.iter().for_each(|(then, mood)| mood.store(*then, Ordering::Relaxed));
    let entries: Vec<_> = made.iter().map(|(entry, _)| entry.clone()).collect();
    assert!(catch_unwind(AssertUnwindSafe(|| end_all(&entries).is_ok())).is_err(), "the panic goes on");
    assert_eq!(made.iter().map(|(_, memory)| has_message(memory)).collect::<Vec<_>>(), [false, true]);
    assert!(entries.iter().all(|entry| entry.manager.read().is_none()), "and all are gone");
}
