//! Stores that fail, tear and reorder: the host is told at once, the state in memory is unharmed, and nothing panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sds::Manager;
use sds::error::{Error, StoreError};
use sds::idhash::IdHash;
use sds::output::{ChannelOptions, Disposition, Event, MessageState, Output, TransmitReason};
use sds::record::{Key, StoredMessage, Wanted};
use sds::store::{LogItem, Memory, Page, Store, Write};
use sds::types::ChannelId;

use crate::contract::{CHANNEL, NOW_MS, config, member};

/// What a commit does, from a number of commits on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    None,
    /// It fails, and writes nothing.
    Fail,
    /// It writes a part, and fails: no database does that, but a broken disk may.
    Tear,
    /// It writes everything, the last first.
    Reorder,
}

#[derive(Clone, Debug)]
pub struct Faulty {
    memory: Memory,
    fault: Arc<parking_lot::Mutex<Fault>>,
    commits: Arc<AtomicUsize>,
    from: Arc<AtomicUsize>,
    /// Only that commit goes wrong.
    once: bool,
}

impl Faulty {
    pub fn new(from: usize, fault: Fault) -> Self {
        let fault = Arc::new(parking_lot::Mutex::new(fault));
        Self {
            memory: Memory::default(),
            fault,
            commits: Arc::default(),
            from: Arc::new(AtomicUsize::new(from)),
            once: false,
        }
    }

    /// How many commits there were.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }

    pub fn fail_from_now(&self) {
        self.from.store(0, Ordering::Relaxed);
    }

    pub fn mend(&self) {
        *self.fault.lock() = Fault::None;
    }
}

impl Store for Faulty {
    fn manager(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.manager()
    }
    fn heads(&mut self) -> Result<Vec<(ChannelId, Vec<u8>)>, StoreError> {
        self.memory.heads()
    }
    fn head(&mut self, channel_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.head(channel_id)
    }
    fn records(&mut self, channel_id: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.memory.records(channel_id)
    }
    fn messages(&mut self, channel_id: &str, wanted: &Wanted) -> Result<Vec<StoredMessage>, StoreError> {
        self.memory.messages(channel_id, wanted)
    }
    fn was_received(&mut self, channel_id: &str, hash: IdHash) -> Result<bool, StoreError> {
        self.memory.was_received(channel_id, hash)
    }
    fn page(&mut self, channel_id: &str, after: Option<(u64, &str)>, most: Page) -> Result<Vec<LogItem>, StoreError> {
        self.memory.page(channel_id, after, most)
    }
    fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        let (number, from) = (self.commits.fetch_add(1, Ordering::Relaxed), self.from.load(Ordering::Relaxed));
        if number < from || self.once && number > from {
            return self.memory.commit(batch);
        }
        let full = || StoreError::Full("no space left".to_owned());
        let fault = *self.fault.lock();
        match fault {
            Fault::None => self.memory.commit(batch),
            Fault::Fail => Err(full()),
            Fault::Tear => {
                self.memory.commit(&batch[..batch.len() / 2])?;
                Err(full())
            }
            Fault::Reorder => {
                let reversed: Vec<_> = batch.iter().rev().cloned().collect();
                self.memory.commit(&reversed)
            }
        }
    }
}

fn open(store: &Faulty) -> Result<Manager, Error> {
    Manager::open_store(config("alice"), store.clone(), NOW_MS)
}

#[test]
fn a_failing_store_is_told_at_once_and_written_once_it_works() {
    let store = Faulty::new(2, Fault::Fail);
    let alice = open(&store).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    let refused = alice.wrap_outgoing(CHANNEL, Some("m1"), b"hello", NOW_MS);
    assert!(matches!(refused, Err(Error::Store(StoreError::Full(_)))), "{refused:?}");
    assert_eq!(alice.message_status(CHANNEL, "m1").expect("in memory").state, MessageState::Unacknowledged);
    assert_eq!(alice.drain(), [], "nothing is sent that is not stored");
    // While it fails, calls are refused and change nothing.
    assert!(matches!(alice.wrap_outgoing(CHANNEL, Some("m2"), b"more", NOW_MS), Err(Error::Store(_))));
    assert!(alice.message_status(CHANNEL, "m2").is_err());
    assert!(matches!(alice.tick(NOW_MS + 1), Err(Error::Store(_))));
    store.mend();
    alice.tick(NOW_MS + 2).expect("the store works again");
    let sent: Vec<_> = alice.drain().into_iter().map(|(_, output)| output).collect();
    let publish = |output: &Output| matches!(output, Output::Transmit(it) if &*it.message_id == "m1" && it.reason == TransmitReason::Publish);
    assert!(matches!(&sent[..], [one] if publish(one)), "{sent:?}");
    let again = alice.wrap_outgoing(CHANNEL, Some("m1"), b"hello", NOW_MS + 3).expect("a retry");
    assert!(!again.bytes.is_empty());
    drop(alice);
    assert!(open(&store).expect("opens").message_status(CHANNEL, "m1").is_ok());
}

#[test]
fn a_received_message_that_could_not_be_stored_is_delivered_later_and_once() {
    let store = Faulty::new(2, Fault::Fail);
    let alice = open(&store).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    let bob = member("bob");
    let [first, second] =
        ["b1", "b2"].map(|id| bob.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), NOW_MS).expect("wraps").bytes);
    assert!(matches!(alice.unwrap_incoming(&first, NOW_MS), Err(Error::Store(_))));
    assert!(matches!(alice.unwrap_incoming(&second, NOW_MS), Err(Error::Store(_))), "refused, and not taken in");
    assert_eq!(alice.drain(), []);
    store.mend();
    assert_eq!(alice.unwrap_incoming(&first, NOW_MS).expect("good").disposition, Disposition::Duplicate);
    let delivered: Vec<_> = alice.drain();
    assert!(
        matches!(&delivered[..], [(_, Output::Event(Event::Delivered(it)))] if it.content == b"b1"[..]),
        "{delivered:?}"
    );
    assert_eq!(alice.unwrap_incoming(&second, NOW_MS).expect("good").disposition, Disposition::Delivered);
}

/// A history of everything, in which each commit in turn is the one that goes wrong.
#[test]
fn wherever_a_store_goes_wrong_nothing_is_forgotten_or_delivered_twice() {
    let whole = history(&Faulty::new(usize::MAX, Fault::None)).0;
    assert!(whole > 20, "{whole} commits");
    let mut sound = 0;
    for from in 0..whole {
        for fault in [Fault::Fail, Fault::Tear, Fault::Reorder] {
            let store = Faulty::new(from, fault);
            let (_, sent, delivered) = history(&store);
            store.mend();
            // A crash, and a start on what was written.
            let alice = match open(&store) {
                Ok(alice) => alice,
                // What was torn may be recognised as damaged; then it says so.
                Err(Error::Store(StoreError::Damaged(_))) if fault != Fault::Fail => continue,
                Err(error) => panic!("{fault:?} from {from}: {error}"),
            };
            // Known, or a channel that says that it is damaged: never forgotten as if nothing were amiss.
            let damaged = matches!(alice.channel_status(CHANNEL), Err(Error::Store(StoreError::Damaged(_))));
            assert!(!damaged || fault == Fault::Tear, "{fault:?} from {from}");
            sound += usize::from(!damaged);
            for id in sent {
                let known = alice.message_status(CHANNEL, &id).is_ok();
                assert!(known || damaged, "{fault:?} from {from}: {id} was sent and is forgotten");
            }
            for bytes in delivered {
                let again = alice.unwrap_incoming(&bytes, NOW_MS);
                let known = matches!(&again, Ok(it) if it.disposition == Disposition::Duplicate);
                assert!(known || damaged, "{fault:?} from {from}: {again:?}");
            }
            let _ = alice.tick(NOW_MS + 700_000);
            let _ = alice.read_log(CHANNEL, None, 100);
        }
    }
    println!("{sound} of {} are sound", 3 * whole);
    assert!(sound > 2 * whole, "{sound} of {}", 3 * whole);
}

/// A commit that fails or tears is made again, whole, and then all is as if it never had.
#[test]
fn a_store_that_goes_wrong_once_has_everything_in_the_end() {
    let whole = history(&Faulty::new(usize::MAX, Fault::None)).0;
    for from in 0..whole {
        for fault in [Fault::Fail, Fault::Tear] {
            let store = Faulty { once: true, ..Faulty::new(from, fault) };
            let (commits, sent, delivered) = history(&store);
            // The first is that of the manager itself, which cannot be opened then.
            assert!(from == 0 || commits >= whole && sent.len() >= 7 && !delivered.is_empty(), "{fault:?} at {from}");
            let alice = open(&store).expect("opens");
            for id in sent {
                assert!(alice.message_status(CHANNEL, &id).is_ok(), "{fault:?} at {from}: {id} is forgotten");
            }
            for bytes in delivered {
                let again = alice.unwrap_incoming(&bytes, NOW_MS).expect("good").disposition;
                assert_eq!(again, Disposition::Duplicate, "{fault:?} at {from}");
            }
        }
    }
}

/// Returns how many commits it made, the ids whose bytes were handed out, and the messages that were delivered.
fn history(store: &Faulty) -> (usize, Vec<String>, Vec<Vec<u8>>) {
    let (mut sent, mut delivered) = (Vec::new(), Vec::new());
    let bob = member("bob");
    let from_bob: Vec<_> = (0..8)
        .map(|number| bob.wrap_outgoing(CHANNEL, Some(&format!("b{number}")), b"hello", NOW_MS).expect("wraps").bytes)
        .collect();
    if let Ok(alice) = open(store) {
        let _ = alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS);
        for (number, at) in [0_usize, 2, 1, 4, 5, 3, 7].into_iter().enumerate() {
            let received = alice.unwrap_incoming(&from_bob[at], NOW_MS);
            if matches!(&received, Ok(it) if it.disposition == Disposition::Delivered) {
                delivered.push(from_bob[at].to_vec());
            }
            let id = format!("a{number}");
            if alice.wrap_outgoing(CHANNEL, Some(&id), b"hi", NOW_MS).is_ok() {
                sent.push(id);
            }
            let _ = alice.set_retrieval_hint(CHANNEL, &format!("a{number}"), b"hint");
            let _ = alice.tick(NOW_MS + 1_000 * number as u64);
            for (_, output) in alice.drain() {
                match output {
                    Output::Transmit(it) if it.reason == TransmitReason::Publish => {
                        sent.push(it.message_id.to_string())
                    }
                    Output::Event(Event::Delivered(it)) => {
                        let number: usize = it.message_id[1..].parse().expect("one of bob's");
                        delivered.push(from_bob[number].to_vec());
                    }
                    _ => {}
                }
            }
        }
    }
    (store.commits(), sent, delivered)
}
