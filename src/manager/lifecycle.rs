//! Opening and closing: managers, and their channels.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::locks::{Mutex, RwLock};
use prost::Message;
use tracing::{info, warn};

use super::checks::check_id;
use super::durable::{Durable, Offer};
use super::outputs::Outputs;
use super::schedule::Schedule;
use super::slot::{HeadSummary, Slot, State, Turn};
use super::{GREATEST_TIME_MS, Manager, unknown_channel};
use crate::channel::Channel;
use crate::config::Config;
use crate::error::{Error, StoreError};
use crate::output::ChannelOptions;
use crate::record::{Key, decode};
use crate::store::{Given, Store, Write};
use crate::types::{ChannelId, TimeMs};

/// The form of all records. Greater in a later version whose records this one must not write over.
const FORM: u32 = 1;

/// A manager's own record.
#[derive(Clone, PartialEq, Message)]
struct ManagerRecord {
    #[prost(string, tag = "1")]
    participant_id: String,
    #[prost(fixed64, tag = "2")]
    seed: u64,
    #[prost(fixed64, tag = "3")]
    rng: u64,
    /// The latest time that it was told, when this was last written.
    #[prost(uint64, tag = "4")]
    latest_ms: u64,
    /// [`FORM`].
    #[prost(uint32, tag = "5")]
    form: u32,
    /// How long the network was unreachable up to then, of all the time.
    #[prost(uint64, tag = "6")]
    offline_ms: u64,
}

impl Manager {
    /// A manager without channels, online, whose state is in memory only. Refuses an inconsistent configuration.
    pub fn open(config: Config) -> Result<Self, Error> {
        Self::with(config, Durable::default())
    }

    /// A manager with the state that a store has, and that keeps it there. Each call commits what it changed before it
    /// returns. When the store fails, the call that notices returns [`Error::Store`]: what it changed stays in memory, and is
    /// written by the next call for which the store works; then what it would have let out comes as outputs. Until then calls
    /// that make more are refused, and change nothing.
    ///
    /// The store must be that of the participant of the configuration, whose seed it brings along. The time since it was
    /// last used counts as time offline.
    pub fn open_store(config: Config, store: impl Store + 'static, now_ms: TimeMs) -> Result<Self, Error> {
        Self::restored(config, Box::new(store), false, now_ms)
    }

    /// A manager whose state the host keeps in a database of its own. `records`: all that it was given to write and has not
    /// been told to delete, in any order; none at the first start. The manager's own record has the empty channel id.
    ///
    /// After each call that changed something, [`Manager::offer`] has what to write. The host commits it, with rows of its
    /// own if it likes, and [confirms](Manager::confirm) it. Until then what depends on it is held back: bytes to send
    /// ([`Wrapped::bytes`](crate::output::Wrapped::bytes) are empty, and come as an output), and every output. What
    /// `unwrap_incoming` returns, the host has in its hands already: it may commit it with the offer, and should show it
    /// only then.
    pub fn open_external(
        config: Config,
        records: impl IntoIterator<Item = (ChannelId, Key, Vec<u8>)>,
        now_ms: TimeMs,
    ) -> Result<Self, Error> {
        Self::restored(config, Box::new(Given::of(records)?), true, now_ms)
    }

    fn restored(mut config: Config, mut store: Box<dyn Store>, by_host: bool, now_ms: TimeMs) -> Result<Self, Error> {
        if now_ms > GREATEST_TIME_MS {
            return Err(Error::TimeOutOfRange(now_ms));
        }
        let record = store.manager()?.map(|record| decode::<ManagerRecord>(&record)).transpose();
        let record = record.map_err(StoreError::from)?;
        let heads = store.heads()?;
        if let Some(record) = &record {
            if record.form > FORM {
                return Err(Error::Store(StoreError::Newer { found: record.form, known: FORM }));
            }
            if record.participant_id != config.participant_id {
                let (found, expected) = (record.participant_id.clone(), config.participant_id);
                return Err(Error::Store(StoreError::OtherParticipant { found, expected }));
            }
            config.seed = Some(record.seed);
        } else if !heads.is_empty() {
            return Err(Error::Store(StoreError::Damaged("channels of no manager".to_owned())));
        }
        let manager = Self::with(config, Durable::new(store, by_host))?;
        match &record {
            Some(record) => *manager.rng.lock() = fastrand::Rng::with_seed(record.rng),
            None => manager.store_itself()?,
        }
        let (latest_ms, offline_ms) = record.map_or((0, 0), |record| (record.latest_ms, record.offline_ms));
        let of_channels = manager.place(heads);
        let (stopped_ms, offline_ms) = (of_channels.0.max(latest_ms), of_channels.1.max(offline_ms));
        // What is stored from now on knows of the time offline up to now.
        manager.latest_ms.store(stopped_ms.max(now_ms), Ordering::Release);
        if stopped_ms > 0 {
            manager.durable.was_offline(offline_ms.saturating_add(now_ms.saturating_sub(stopped_ms)));
        }
        Ok(manager)
    }

    fn with(mut config: Config, durable: Durable) -> Result<Self, Error> {
        config.validate()?;
        let seed = match config.seed {
            Some(seed) => seed,
            None => seed_of_the_system()?,
        };
        config.seed = Some(seed);
        Ok(Self {
            outputs: Outputs::new(&config),
            config: Arc::new(config),
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            channels: RwLock::default(),
            schedule: Schedule::default(),
            online: AtomicBool::new(true),
            latest_ms: AtomicU64::new(0),
            durable,
        })
    }

    /// Puts stored channels in their places. They are read when they are first used. Returns the latest time that any of
    /// them was told, and for how long the network was unreachable up to then.
    fn place(&self, heads: Vec<(ChannelId, Vec<u8>)>) -> (TimeMs, u64) {
        let (mut stopped_ms, mut offline_ms) = (0, 0);
        let (mut channels, mut deadlines) = (Vec::with_capacity(heads.len()), Vec::new());
        for (id, head) in heads {
            // One that does not decode is an error for who uses it, and for nobody else.
            let head = decode::<HeadSummary>(&head).inspect_err(|_| warn!(channel = %id, "stored channel is damaged"));
            let mut state = match &head {
                Ok(head) => State::stored(id.clone(), head.channel.options(), head.open, head.auto),
                Err(_) => State::stored(id.clone(), ChannelOptions::default(), true, false),
            };
            if let Ok(head) = head {
                stopped_ms = stopped_ms.max(head.channel.latest_ms());
                offline_ms = offline_ms.max(head.offline_ms);
                state.offline_seen_ms = head.offline_seen_ms;
                if head.open {
                    state.due_ms = [head.due_ms, head.fixed_due_ms];
                }
                state.scheduled_ms = state.due_ms.into_iter().flatten().min();
                deadlines.extend(state.scheduled_ms.map(|due_ms| (due_ms, id.clone())));
            }
            channels.push((id, Arc::new(Slot { state: Mutex::new(state) })));
        }
        self.schedule.fill(deadlines);
        // All at once: much faster than one by one.
        *self.channels.write() = channels.into_iter().collect();
        (stopped_ms, offline_ms)
    }

    fn own_record(&self) -> Write {
        let latest_ms = self.latest_ms.load(Ordering::Acquire);
        let record = ManagerRecord {
            participant_id: self.config.participant_id.clone(),
            seed: self.config.seed.unwrap_or_default(),
            rng: self.rng.lock().get_seed(),
            latest_ms,
            form: FORM,
            offline_ms: self.durable.offline_ms(latest_ms),
        };
        Write::Manager(record.encode_to_vec())
    }

    pub(super) fn store_itself(&self) -> Result<(), Error> {
        self.durable.store(&ChannelId::from(""), vec![self.own_record()], &self.outputs).map(drop)
    }

    /// Stores what is not stored yet: little is, and nothing that the host was told of. Call it before the manager is
    /// dropped, where a store keeps its state.
    pub fn flush(&self) -> Result<(), Error> {
        if !self.durable.is_on() {
            return Ok(());
        }
        self.durable.retry(&self.outputs)?;
        for slot in self.all_slots() {
            let mut state = slot.state.lock();
            if !state.forgotten {
                self.durable.add_to_next(self.writes_of(&mut state));
            }
        }
        // All at once: a commit for each channel would wait for the disk as often.
        self.store_itself()
    }

    /// For a host that keeps the state: what waits to be committed. The same again until it is confirmed, and `None` if
    /// nothing waits. See [`Manager::open_external`].
    pub fn offer(&self) -> Result<Option<Offer>, Error> {
        self.durable.offer()
    }

    /// For a host that keeps the state: it has committed the offer of that number. What depended on it can be drained now.
    /// False: that is not the offer that was made last, or it was confirmed before.
    pub fn confirm(&self, number: u64) -> Result<bool, Error> {
        self.durable.confirm(number, &self.outputs)
    }

    /// Forgets every channel and every output, as if it had just been opened; a store too.
    pub fn reset(&self) -> Result<(), Error> {
        let mut channels = self.channels.write();
        for slot in std::mem::take(&mut *channels).into_values() {
            slot.state.lock().forgotten = true;
        }
        self.schedule.clear();
        self.outputs.clear();
        self.durable.clear();
        self.online.store(true, Ordering::Release);
        info!("manager reset");
        self.durable.store(&ChannelId::from(""), vec![Write::Wipe, self.own_record()], &self.outputs).map(drop)
    }

    /// Opens a channel, or opens it again with the state it had when it was closed.
    pub fn open_channel(&self, channel_id: &str, options: ChannelOptions, now_ms: TimeMs) -> Result<(), Error> {
        let now_ms = self.observe(now_ms)?;
        self.durable.retry(&self.outputs)?;
        self.open_or_make(channel_id, options, now_ms, false)
    }

    fn open_or_make(&self, channel_id: &str, options: ChannelOptions, now_ms: TimeMs, auto: bool) -> Result<(), Error> {
        check_id("channel id", channel_id, &self.config)?;
        let mut channels = loop {
            let channels = self.channels.write();
            let Some(slot) = channels.get(channel_id).cloned() else { break channels };
            drop(channels);
            let mut state = slot.state.lock();
            if state.forgotten {
                // Its last thread has not taken it out yet.
                drop(state);
                self.take_out(channel_id, &slot);
                continue;
            }
            if !self.same_options(state.options, options) {
                return Err(Error::ChannelOptionsDiffer(channel_id.to_owned()));
            }
            let change = !state.open || state.auto && !auto;
            state.open = true;
            state.auto &= auto;
            // Told apart from a channel that is merely used: whether it is open has to be stored.
            return if change { self.open_again(&mut state) } else { Ok(()) };
        };
        if channels.len() >= self.config.max_channels {
            return Err(Error::TooManyChannels(self.config.max_channels));
        }
        let id = ChannelId::from(channel_id);
        let seed = self.rng.lock().u64(..);
        let mut channel = Channel::new(id.clone(), options, self.config.clone(), seed, now_ms);
        channel.set_online(self.online.load(Ordering::Acquire), now_ms);
        if self.durable.is_on() {
            channel.persist();
        }
        let slot = Arc::new(Slot { state: Mutex::new(State::new(id.clone(), channel, auto)) });
        // Whoever forgets it meanwhile waits until it is stored: what is stored after that would stay.
        let mut state = slot.state.lock();
        channels.insert(id, slot.clone());
        drop(channels);
        info!(channel = channel_id, "channel opened");
        // The manager drew a seed for it: committed with it.
        self.durable.add_to_next(vec![self.own_record()]);
        if auto {
            // Stored with what it was opened for, if that is not refused.
            return Ok(());
        }
        self.settle(&mut state, &mut Turn { commit: true, ..Turn::default() })
    }

    fn open_again(&self, state: &mut State) -> Result<(), Error> {
        self.load(state)?;
        self.settle(state, &mut Turn { commit: true, ..Turn::default() })
    }

    /// Closes a channel: nothing is sent for it, what waits to be sent included, and bytes for it are refused. Its state
    /// stays, time goes on for what it misses, and it counts towards `max_channels`, until it is forgotten.
    pub fn close_channel(&self, channel_id: &str) -> Result<(), Error> {
        check_id("channel id", channel_id, &self.config)?;
        let slot = self.channels.read().get(channel_id).cloned().ok_or_else(|| unknown_channel(channel_id))?;
        let mut state = slot.state.lock();
        if !state.open || state.forgotten {
            return Err(unknown_channel(channel_id));
        }
        state.open = false;
        self.outputs.drop_transmits(&state.id);
        self.durable.drop_transmits(&state.id);
        info!(channel = channel_id, "channel closed");
        if state.loaded().is_none() {
            return self.close_stored(&mut state);
        }
        self.settle(&mut state, &mut Turn { commit: true, ..Turn::default() })
    }

    /// Forgets a channel, open or closed, and deletes it from the store.
    ///
    /// If the store fails, the channel is gone from memory; the next call that is made, this one again say, deletes it from the
    /// store too, or tells that the store still fails.
    pub fn forget_channel(&self, channel_id: &str) -> Result<(), Error> {
        check_id("channel id", channel_id, &self.config)?;
        let Some(slot) = self.channels.read().get(channel_id).cloned() else {
            self.durable.retry(&self.outputs)?;
            return Err(unknown_channel(channel_id));
        };
        let mut state = slot.state.lock();
        if state.forgotten {
            return Err(unknown_channel(channel_id));
        }
        state.forgotten = true;
        self.schedule_at(&mut state, None);
        self.outputs.forget(&state.id);
        self.durable.forget(&state.id);
        info!(channel = channel_id, "channel forgotten");
        let writes = if state.is_stored() { vec![Write::Forget(state.id.clone())] } else { Vec::new() };
        let stored = self.durable.store(&state.id, writes, &self.outputs).map(drop);
        drop(state);
        // Only now can it be opened anew: what that stores comes after.
        self.take_out(channel_id, &slot);
        stored
    }

    /// Takes a channel that was forgotten out of its place, unless another one is there by now.
    fn take_out(&self, channel_id: &str, slot: &Arc<Slot>) {
        let mut channels = self.channels.write();
        if channels.get(channel_id).is_some_and(|there| Arc::ptr_eq(there, slot)) {
            channels.remove(channel_id);
        }
    }

    /// The open channels, in ascending order.
    pub fn channels(&self) -> Vec<ChannelId> {
        let channels = self.channels.read();
        let is_open = |slot: &Slot| {
            let state = slot.state.lock();
            state.open && !state.forgotten
        };
        channels.iter().filter(|(_, slot)| is_open(slot)).map(|(id, _)| id.clone()).collect()
    }

    /// How many channels are in memory; the others are in the store only.
    pub fn channels_in_memory(&self) -> usize {
        self.all_slots().iter().filter(|slot| slot.state.lock().loaded().is_some()).count()
    }

    fn same_options(&self, a: ChannelOptions, b: ChannelOptions) -> bool {
        let resolved = |options: ChannelOptions| ChannelOptions {
            profile: options.profile.or(Some(self.config.profile)),
            ..options
        };
        resolved(a) == resolved(b)
    }

    /// Opens a channel for a message, if the configuration says so and it is not there; true: it was not.
    pub(super) fn open_for_message(&self, channel_id: &str, now_ms: TimeMs) -> Result<bool, Error> {
        let opens = self.config.auto_open_channels && !self.channels.read().contains_key(channel_id);
        if opens {
            self.open_or_make(channel_id, ChannelOptions::default(), now_ms, true)?;
        }
        Ok(opens)
    }

    /// A channel that was opened for a message is forgotten if that was refused, and otherwise stored, though the message may
    /// leave nothing that has to be: an ephemeral one, say. A store that fails is told by the next call that makes more.
    pub(super) fn settle_opened(&self, channel_id: &str, refused: bool) {
        if refused {
            return self.forget_unused(channel_id);
        }
        let Some(slot) = self.channels.read().get(channel_id).cloned() else { return };
        let mut state = slot.state.lock();
        if !state.forgotten && !state.is_stored() {
            let _ = self.settle(&mut state, &mut Turn { commit: true, ..Turn::default() });
        }
    }

    /// Forgets a channel that was opened for a message, in which nothing happened: a refused call changes nothing. Unless
    /// another thread uses it by now, that is.
    fn forget_unused(&self, channel_id: &str) {
        let mut channels = self.channels.write();
        let Some(slot) = channels.get(channel_id).cloned() else { return };
        let mut state = slot.state.lock();
        let unused = state.auto && !state.is_stored() && state.loaded().is_some_and(|channel| channel.is_unused());
        if unused {
            state.forgotten = true;
            channels.remove(channel_id);
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn seed_of_the_system() -> Result<u64, Error> {
    getrandom::u64().map_err(|error| Error::NoRandomness(error.to_string()))
}

#[cfg(target_family = "wasm")]
fn seed_of_the_system() -> Result<u64, Error> {
    Err(Error::NoRandomness("there is none in WebAssembly: the host gives the seed".to_owned()))
}
