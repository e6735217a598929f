//! What is kept durably, by whom, and what has to wait for it.
//!
//! Three ways. In memory only: nothing is kept, and nothing waits. In a store: each call commits before it returns. By the
//! host: changes gather until it takes them as an [`Offer`], commits them in its own database, and confirms them. What
//! depends on changes that are not committed, outputs and bytes, is held back here.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::locks::Mutex;
use tracing::{error, info};

use super::Turn;
use super::outputs::{Outputs, Queue, check_limits};
use crate::config::Config;
use crate::error::{Error, Quoted, StoreError};
use crate::idhash::IdHash;
use crate::output::Output;
use crate::record::{Change, Key, StoredMessage, Value, Wanted};
use crate::store::{Batch, LogItem, Page, Store, Write};
use crate::types::{ChannelId, TimeMs};

/// A batch for the host to commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What to confirm it by.
    pub number: u64,
    /// What to write, in this order, all of it or nothing.
    pub writes: Batch,
}

/// How long the network was unreachable, for channels that were not in memory then.
#[derive(Clone, Copy, Debug, Default)]
struct Offline {
    total_ms: u64,
    since_ms: Option<TimeMs>,
}

/// What a store has of a channel, but for its messages.
pub(super) struct StoredChannel {
    pub head: Vec<u8>,
    pub records: Vec<(Key, Vec<u8>)>,
}

#[derive(Debug, Default)]
pub(super) struct Durable {
    /// `None`: nothing is kept.
    inner: Option<Mutex<Inner>>,
    by_host: bool,
    /// Bytes that wait to be committed.
    waiting_bytes: AtomicUsize,
    /// Outputs that wait for that.
    waiting_outputs: AtomicUsize,
    /// The same in bytes.
    waiting_output_bytes: AtomicUsize,
    offline: Mutex<Offline>,
    /// When idle channels were last looked for.
    looked_ms: AtomicU64,
    failing: AtomicBool,
}

struct Inner {
    /// For a host that commits by itself: what it gave, to read channels from, and which messages it keeps.
    store: Box<dyn Store>,
    /// Changes that are not committed.
    waiting: Waiting,
    /// What the host was offered and has not confirmed.
    offered: Option<(u64, Waiting)>,
    offers: u64,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("waiting", &self.waiting.writes.len()).finish_non_exhaustive()
    }
}

/// Changes, and the outputs that depend on them.
#[derive(Debug, Default)]
struct Waiting {
    writes: Batch,
    /// Of these, about.
    bytes: usize,
    outputs: Queue,
}

impl Durable {
    pub fn new(store: Box<dyn Store>, by_host: bool) -> Self {
        let inner = Inner { store, waiting: Waiting::default(), offered: None, offers: 0 };
        Self { inner: Some(Mutex::new(inner)), by_host, ..Self::default() }
    }

    pub fn is_on(&self) -> bool {
        self.inner.is_some()
    }

    /// Takes in what a call changed and lets out. True: it is committed, or need not be. An error: it is not, and waits to
    /// be; what the call's result would have let out waits with it.
    pub fn add(
        &self,
        channel_id: &ChannelId,
        writes: Batch,
        outputs: Vec<Output>,
        turn: &mut Turn<'_>,
        queue: &Outputs,
    ) -> Result<bool, Error> {
        let Some(inner) = &self.inner else {
            outputs.into_iter().for_each(|output| queue.push(channel_id, output));
            return Ok(true);
        };
        if writes.is_empty() && outputs.is_empty() && !turn.commit {
            return Ok(true);
        }
        let mut inner = inner.lock();
        let held = std::mem::take(&mut turn.held);
        let held_at = inner.waiting.outputs.len();
        inner.take_in(writes, self.by_host);
        outputs.into_iter().for_each(|output| inner.waiting.outputs.push(channel_id.clone(), output));
        let result = if self.by_host { Ok(false) } else { inner.commit(queue).map(|()| true) };
        if !matches!(result, Ok(true)) && (!self.by_host || turn.for_host) {
            for (before, (place, held)) in held.into_iter().enumerate() {
                inner.waiting.outputs.insert(held_at + place + before, channel_id.clone(), held());
            }
        }
        self.note(&inner, result)
    }

    /// Commits changes by themselves. True: they are committed.
    pub fn store(&self, channel_id: &ChannelId, writes: Batch, queue: &Outputs) -> Result<bool, Error> {
        let mut turn = Turn { commit: true, ..Turn::default() };
        self.add(channel_id, writes, Vec::new(), &mut turn, queue)
    }

    /// Takes in changes that the next commit writes.
    pub fn add_to_next(&self, writes: Batch) {
        if let Some(inner) = &self.inner {
            inner.lock().take_in(writes, self.by_host);
        }
    }

    /// Tries once more to commit what could not be.
    pub fn retry(&self, queue: &Outputs) -> Result<(), Error> {
        let Some(inner) = self.own_store().filter(|_| self.failing.load(Ordering::Acquire)) else { return Ok(()) };
        let mut inner = inner.lock();
        let result = inner.commit(queue).map(|()| true);
        self.note(&inner, result).map(drop)
    }

    fn note(&self, inner: &Inner, result: Result<bool, StoreError>) -> Result<bool, Error> {
        let all = || [Some(&inner.waiting), inner.offered.as_ref().map(|offered| &offered.1)].into_iter().flatten();
        let waits = self.by_host || result.is_err() || self.failing.load(Ordering::Acquire);
        if waits {
            self.waiting_bytes.store(all().map(|waiting| waiting.bytes).sum(), Ordering::Release);
            self.waiting_outputs.store(all().map(|waiting| waiting.outputs.len()).sum(), Ordering::Release);
            let output_bytes = all().map(|waiting| waiting.outputs.bytes()).sum();
            self.waiting_output_bytes.store(output_bytes, Ordering::Release);
        }
        if self.failing.swap(result.is_err(), Ordering::AcqRel) && result.is_ok() {
            info!("the store works again");
        }
        result.map_err(|error| {
            error!(%error, "the store failed");
            Error::Store(error)
        })
    }

    /// Refuses if too much waits to be committed.
    pub fn check_room(&self, config: &Config) -> Result<(), Error> {
        if self.waiting_bytes.load(Ordering::Acquire) > config.max_unconfirmed_bytes {
            return Err(Error::Unconfirmed(config.max_unconfirmed_bytes));
        }
        let (len, bytes) = (&self.waiting_outputs, &self.waiting_output_bytes);
        let (len, bytes) = (len.load(Ordering::Acquire), bytes.load(Ordering::Acquire));
        check_limits(len, bytes, config.max_outputs, config.max_output_bytes)
    }

    // ---- For a host that commits by itself

    /// What waits to be committed; the same again until it is confirmed. `None`: nothing does.
    pub fn offer(&self) -> Result<Option<Offer>, Error> {
        let mut inner = self.by_host()?.lock();
        if inner.offered.is_none() && !inner.waiting.is_empty() {
            inner.offers += 1;
            inner.offered = Some((inner.offers, std::mem::take(&mut inner.waiting)));
        }
        Ok(inner.offered.as_ref().map(|(number, waiting)| Offer { number: *number, writes: waiting.writes.clone() }))
    }

    /// The host has committed an offer: what depended on it is let out. False: it is not the one that was offered last.
    pub fn confirm(&self, number: u64, queue: &Outputs) -> Result<bool, Error> {
        let mut inner = self.by_host()?.lock();
        let offered = inner.offered.take_if(|offered| offered.0 == number);
        let confirmed = offered.is_some();
        if let Some((_, waiting)) = offered {
            queue.append(waiting.outputs);
        }
        self.note(&inner, Ok(false))?;
        Ok(confirmed)
    }

    fn by_host(&self) -> Result<&Mutex<Inner>, Error> {
        let inner = self.inner.as_ref().filter(|_| self.by_host);
        inner.ok_or(Error::WrongStore("it was not opened for the host to keep its state"))
    }

    // ---- Reading

    pub fn read(&self, channel_id: &ChannelId) -> Result<StoredChannel, Error> {
        let mut inner = self.any()?.lock();
        let head = inner.read_head(channel_id, self.by_host)?;
        Ok(StoredChannel { head, records: inner.store.records(channel_id)? })
    }

    pub fn read_head(&self, channel_id: &ChannelId) -> Result<Vec<u8>, Error> {
        Ok(self.any()?.lock().read_head(channel_id, self.by_host)?)
    }

    pub fn read_messages(&self, channel_id: &ChannelId, wanted: &Wanted) -> Result<Vec<StoredMessage>, Error> {
        Ok(self.any()?.lock().store.messages(channel_id, wanted)?)
    }

    /// A channel is in memory now. What the host gave of it is needed no more.
    pub fn has_read(&self, channel_id: &ChannelId) {
        if let Ok(inner) = self.by_host() {
            inner.lock().store.release(channel_id);
        }
    }

    pub fn was_received(&self, channel_id: &ChannelId, hash: IdHash) -> Result<bool, Error> {
        self.inner.as_ref().map_or(Ok(false), |inner| Ok(inner.lock().store.was_received(channel_id, hash)?))
    }

    pub fn page(&self, channel_id: &str, after: Option<(u64, &str)>, most: Page) -> Result<Vec<LogItem>, Error> {
        let inner = self
            .own_store()
            .ok_or(Error::WrongStore("the log is in no store: a host that keeps it reads it itself"))?;
        Ok(inner.lock().store.page(channel_id, after, most)?)
    }

    fn any(&self) -> Result<&Mutex<Inner>, Error> {
        self.inner.as_ref().ok_or(Error::WrongStore("its state is in memory only"))
    }

    /// A store that we write ourselves, and that has all there is.
    fn own_store(&self) -> Option<&Mutex<Inner>> {
        self.inner.as_ref().filter(|_| !self.by_host)
    }

    /// Whether channels can be read back, and it is time to look for idle ones.
    pub fn can_unload(&self, now_ms: TimeMs, every_ms: u64) -> bool {
        if self.own_store().is_none() {
            return false;
        }
        let looked_ms = self.looked_ms.load(Ordering::Acquire);
        let due = now_ms.saturating_sub(looked_ms) >= every_ms / 4 || now_ms < looked_ms;
        due && self.looked_ms.compare_exchange(looked_ms, now_ms, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    // ---- Dropping what waits

    /// Nothing that waits is of use any more.
    pub fn clear(&self) {
        *self.offline.lock() = Offline::default();
        if let Some(inner) = &self.inner {
            let mut inner = inner.lock();
            inner.waiting = Waiting::default();
            inner.offered.iter_mut().for_each(|offered| offered.1.outputs.retain(|_| false));
        }
    }

    /// A channel is forgotten: what it would have let out is not.
    pub fn forget(&self, channel_id: &ChannelId) {
        self.retain(|(other, _)| other != channel_id);
    }

    /// A channel is closed: it sends nothing.
    pub fn drop_transmits(&self, channel_id: &ChannelId) {
        self.retain(|(other, output)| other != channel_id || !matches!(output, Output::Transmit(_)));
    }

    fn retain(&self, keep: impl Fn(&(ChannelId, Output)) -> bool) {
        if let Some(inner) = &self.inner {
            let mut inner = inner.lock();
            inner.waiting.outputs.retain(&keep);
            inner.offered.iter_mut().for_each(|offered| offered.1.outputs.retain(&keep));
        }
    }

    // ---- Time offline

    /// How long the network was unreachable in all, up to now.
    pub fn offline_ms(&self, now_ms: TimeMs) -> u64 {
        let offline = *self.offline.lock();
        let ongoing_ms = offline.since_ms.map_or(0, |since_ms| now_ms.saturating_sub(since_ms));
        offline.total_ms.saturating_add(ongoing_ms)
    }

    /// The network was unreachable for so long before this manager was opened.
    pub fn was_offline(&self, for_ms: u64) {
        self.offline.lock().total_ms = for_ms;
    }

    pub fn set_online(&self, online: bool, now_ms: TimeMs) {
        let mut offline = self.offline.lock();
        match (online, offline.since_ms) {
            (false, None) => offline.since_ms = Some(now_ms),
            (true, Some(since_ms)) => {
                offline.since_ms = None;
                offline.total_ms = offline.total_ms.saturating_add(now_ms.saturating_sub(since_ms));
            }
            _ => {}
        }
    }

    /// The host's clock stepped back from one time to another: the time offline up to then stays, and goes on from there.
    pub fn step_back(&self, from_ms: TimeMs, to_ms: TimeMs) {
        if self.offline.lock().since_ms.is_some() {
            self.set_online(true, from_ms);
            self.set_online(false, to_ms);
        }
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.outputs.len() == 0
    }

    /// How a channel stands, if that waits to be written.
    fn head(&self, channel_id: &ChannelId) -> Option<Vec<u8>> {
        self.writes.iter().rev().find_map(|write| match write {
            Write::Channel(id, Change { key: Key::HEAD, value: Some(Value::Bytes(head)) }) if id == channel_id => {
                Some(head.clone())
            }
            _ => None,
        })
    }

    fn take_in(&mut self, writes: Batch) {
        self.bytes = self.bytes.saturating_add(writes.iter().map(Write::size).sum());
        self.writes.extend(writes);
    }
}

impl Inner {
    /// How a channel stands that is not in memory. All that may have changed of it, and not be committed, is that; what a host
    /// gave follows by itself.
    fn read_head(&mut self, channel_id: &ChannelId, by_host: bool) -> Result<Vec<u8>, StoreError> {
        let waiting = if by_host { None } else { self.waiting.head(channel_id) };
        let head = waiting.map_or_else(|| self.store.head(channel_id), |head| Ok(Some(head)))?;
        head.ok_or_else(|| StoreError::Damaged(format!("nothing is stored of channel {}", Quoted(channel_id))))
    }

    fn take_in(&mut self, writes: Batch, by_host: bool) {
        if by_host {
            self.store.note(&writes);
        }
        self.waiting.take_in(writes);
    }

    fn commit(&mut self, queue: &Outputs) -> Result<(), StoreError> {
        if !self.waiting.writes.is_empty() {
            self.store.commit(&self.waiting.writes)?;
            self.waiting.writes.clear();
            self.waiting.bytes = 0;
        }
        queue.append(std::mem::take(&mut self.waiting.outputs));
        Ok(())
    }
}
