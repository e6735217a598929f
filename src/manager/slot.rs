//! A channel in its place: open or closed, in memory or in the store, and used by one thread at a time.

use std::sync::atomic::Ordering;

use crate::locks::Mutex;
use prost::Message;
use tracing::debug;

use super::checks::check_id;
use super::outputs::log_output;
use super::translate::translate;
use super::{Manager, unknown_channel};
use crate::channel::{Channel, ChannelRecord, ChannelSummary, Records};
use crate::error::{Error, StoreError};
use crate::output::{ChannelOptions, Output, TransmitReason};
use crate::record::{Change, Key, Value, decode};
use crate::store::Write;
use crate::types::{ChannelId, TimeMs};

/// A channel, open or closed.
#[derive(Debug)]
pub(super) struct Slot {
    pub state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub id: ChannelId,
    /// `None`: it is in the store only.
    channel: Option<Box<Channel>>,
    pub options: ChannelOptions,
    pub open: bool,
    /// Opened by a message for it; the host has not opened it.
    pub auto: bool,
    /// Taken out by `forget` or `reset` while another thread was about to use it.
    pub forgotten: bool,
    /// The deadline under which the schedule has it.
    pub scheduled_ms: Option<TimeMs>,
    /// When it was last used, to unload it when it is idle.
    pub used_ms: TimeMs,
    /// What the store says of how it stands.
    head: Vec<u8>,
    /// Of the time offline, how much it knows of; while it is not in memory.
    pub offline_seen_ms: u64,
    /// When it is due, in the parts of [`Channel::deadlines_ms`]; while it is not in memory.
    pub due_ms: [Option<TimeMs>; 2],
}

/// How a channel stands, as it is stored.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HeadRecord {
    #[prost(message, required, tag = "1")]
    pub channel: ChannelRecord,
    #[prost(bool, tag = "2")]
    pub open: bool,
    #[prost(bool, tag = "3")]
    pub auto: bool,
    /// When it is due: the one moves along when the host's clock steps back, the other does not.
    #[prost(uint64, optional, tag = "4")]
    pub due_ms: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub fixed_due_ms: Option<u64>,
    /// Of the manager's time offline, how much it has taken in, and how much that was.
    #[prost(uint64, tag = "6")]
    pub offline_seen_ms: u64,
    #[prost(uint64, tag = "7")]
    pub offline_ms: u64,
}

/// What of a [`HeadRecord`] is looked at before the channel is used.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HeadSummary {
    #[prost(message, required, tag = "1")]
    pub channel: ChannelSummary,
    #[prost(bool, tag = "2")]
    pub open: bool,
    #[prost(bool, tag = "3")]
    pub auto: bool,
    /// When it is due: the one moves along when the host's clock steps back, the other does not.
    #[prost(uint64, optional, tag = "4")]
    pub due_ms: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub fixed_due_ms: Option<u64>,
    /// Of the manager's time offline, how much it has taken in, and how much that was.
    #[prost(uint64, tag = "6")]
    pub offline_seen_ms: u64,
    #[prost(uint64, tag = "7")]
    pub offline_ms: u64,
}

/// What a call on a channel leads to.
#[derive(Default)]
pub(super) struct Turn<'t> {
    /// It is to be stored before the call returns: the host relies on it.
    pub commit: bool,
    /// What it lets out beside what the channel says itself.
    pub outputs: Vec<Output>,
    /// What its results would let out, and has to come later if it cannot be stored now; each with the number of outputs
    /// that come before it. With a host that commits by itself, only if `for_host`.
    pub held: Vec<(usize, Held<'t>)>,
    pub for_host: bool,
    /// Set afterwards: all is stored, and its result may be let out.
    pub released: bool,
}

/// Makes an output, if it is needed.
pub(super) type Held<'t> = Box<dyn FnOnce() -> Output + 't>;

impl State {
    pub fn new(id: ChannelId, channel: Channel, auto: bool) -> Self {
        let options = channel.options();
        Self { channel: Some(Box::new(channel)), ..Self::stored(id, options, true, auto) }
    }

    /// One that is in the store.
    pub fn stored(id: ChannelId, options: ChannelOptions, open: bool, auto: bool) -> Self {
        Self {
            id,
            channel: None,
            options,
            open,
            auto,
            forgotten: false,
            scheduled_ms: None,
            used_ms: 0,
            head: Vec::new(),
            offline_seen_ms: 0,
            due_ms: [None; 2],
        }
    }

    /// When the channel in memory is due, in its two parts; never if it is closed.
    fn deadlines_ms(&self) -> [Option<TimeMs>; 2] {
        self.channel.as_ref().filter(|_| self.open).map_or([None; 2], |channel| channel.deadlines_ms())
    }

    pub fn loaded(&mut self) -> Option<&mut Channel> {
        self.channel.as_deref_mut()
    }

    /// Whether it is in memory and was not used for so long.
    pub fn is_idle(&self, now_ms: TimeMs, after_ms: u64) -> bool {
        self.channel.is_some() && !self.forgotten && now_ms.saturating_sub(self.used_ms) >= after_ms
    }

    /// Leaves the channel to the store, which has all of it. `offline_ms`: how long the network was unreachable up to now.
    pub fn unload(&mut self, offline_ms: u64) {
        self.due_ms = self.deadlines_ms();
        self.channel = None;
        self.head = Vec::new();
        self.offline_seen_ms = offline_ms;
    }

    /// Whether the store knows of it.
    pub fn is_stored(&self) -> bool {
        self.channel.is_none() || !self.head.is_empty()
    }
}

impl Manager {
    /// Runs `body` on an open channel, then stores what it changed, lets out what it said, and notes when it is due next.
    pub(super) fn with_channel<'t, T>(
        &self,
        channel_id: &str,
        body: impl FnOnce(&mut Channel, &mut Turn<'t>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.with_open(channel_id, body).map(|(value, _)| value)
    }

    /// The same, and tells whether the result may be let out.
    pub(super) fn with_open<'t, T>(
        &self,
        channel_id: &str,
        body: impl FnOnce(&mut Channel, &mut Turn<'t>) -> Result<T, Error>,
    ) -> Result<(T, bool), Error> {
        let (mut body, mut value) = (Some(body), None);
        let mut run = |channel: &mut Channel, turn: &mut Turn<'t>| {
            value = body.take().map(|body| body(channel, turn)).transpose()?;
            Ok(())
        };
        let released = self.take_turn(channel_id, &mut run)?;
        value.map(|value| (value, released)).ok_or_else(|| unknown_channel(channel_id))
    }

    /// What [`Manager::with_open`] does for every kind of `body`: compiled once.
    fn take_turn<'t>(
        &self,
        channel_id: &str,
        body: &mut dyn FnMut(&mut Channel, &mut Turn<'t>) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        check_id("channel id", channel_id, &self.config)?;
        let slot = self.channels.read().get(channel_id).cloned().ok_or_else(|| unknown_channel(channel_id))?;
        let mut state = slot.state.lock();
        if !state.open || state.forgotten {
            return Err(unknown_channel(channel_id));
        }
        let mut turn = Turn::default();
        let done = body(self.load(&mut state)?, &mut turn);
        // Also if it was refused: what came up before it was stays.
        self.settle(&mut state, &mut turn)?;
        done.map(|()| turn.released)
    }

    /// Stores what a call changed and lets out what it said, in that order. What concerns nobody but us is stored with the
    /// next that does.
    pub(super) fn settle(&self, state: &mut State, turn: &mut Turn<'_>) -> Result<(), Error> {
        state.used_ms = self.latest_ms.load(Ordering::Acquire);
        self.reschedule(state);
        let mut outputs = self.outputs_of(state);
        outputs.append(&mut turn.outputs);
        outputs.iter().for_each(|output| log_output(&state.id, output));
        let writes = if turn.commit || !outputs.is_empty() { self.writes_of(state) } else { Vec::new() };
        turn.released = self.durable.add(&state.id, writes, outputs, turn, &self.outputs)?;
        Ok(())
    }

    fn outputs_of(&self, state: &mut State) -> Vec<Output> {
        let Some(channel) = state.loaded() else { return Vec::new() };
        channel.recall(Vec::new());
        let mut outputs = channel.take_outputs();
        for output in &mut outputs {
            if let Output::Transmit(answer) = output
                && answer.reason == TransmitReason::RepairAnswer
                && let Some(bytes) = translate(&answer.bytes, channel, &self.config)
            {
                answer.bytes = bytes;
            }
        }
        outputs
    }

    /// All that the store does not have of a channel.
    pub(super) fn writes_of(&self, state: &mut State) -> Vec<Write> {
        if !self.durable.is_on() {
            return Vec::new();
        }
        let Some(channel) = state.channel.as_deref_mut() else { return Vec::new() };
        let changes = channel.take_changes();
        let now_ms = self.latest_ms.load(Ordering::Acquire);
        let offline_ms = self.durable.offline_ms(now_ms);
        let offline_seen_ms = offline_ms.saturating_sub(channel.offline_ms(now_ms));
        let (channel, open, auto) = (channel.record(), state.open, state.auto);
        let [due_ms, fixed_due_ms] = state.deadlines_ms();
        let head =
            HeadRecord { channel, open, auto, due_ms, fixed_due_ms, offline_seen_ms, offline_ms }.encode_to_vec();
        let id = &state.id;
        let mut writes: Vec<_> = changes.into_iter().map(|change| Write::Channel(id.clone(), change)).collect();
        if head != state.head {
            let value = Some(Value::Bytes(head.clone()));
            writes.push(Write::Channel(id.clone(), Change { key: Key::HEAD, value }));
            state.head = head;
        }
        writes
    }

    /// The channel, read back from the store if it is not in memory.
    pub(super) fn load<'a>(&self, state: &'a mut State) -> Result<&'a mut Channel, Error> {
        if state.channel.is_none() {
            let channel = self.read_channel(state).inspect_err(|error| {
                // What is damaged stays so: it is an error for who uses it, and not for every tick from now on.
                if matches!(error, Error::Store(StoreError::Damaged(_))) {
                    state.due_ms = [None; 2];
                    self.schedule_stored(state);
                }
            })?;
            debug!(channel = %state.id, "channel loaded");
            state.channel = Some(Box::new(channel));
            self.catch_up(state);
        }
        state.channel.as_deref_mut().ok_or(Error::WrongStore("nothing was stored"))
    }

    fn read_channel(&self, state: &mut State) -> Result<Channel, Error> {
        let stored = self.durable.read(&state.id)?;
        let head: HeadRecord = decode(&stored.head).map_err(StoreError::from)?;
        let mut records = Records::default();
        for (key, value) in stored.records {
            records.add(key, value).map_err(StoreError::from)?;
        }
        let wanted = records.wanted(&head.channel).map_err(StoreError::from)?;
        let messages = self.durable.read_messages(&state.id, &wanted)?;
        let channel = Channel::restore(state.id.clone(), self.config.clone(), &head.channel, records, messages);
        let channel = channel.map_err(StoreError::from)?;
        self.durable.has_read(&state.id);
        state.head = stored.head;
        Ok(channel)
    }

    /// What happened while a channel was not in memory: the network may have gone or come.
    fn catch_up(&self, state: &mut State) {
        let now_ms = self.latest_ms.load(Ordering::Acquire);
        let missed_ms = self.durable.offline_ms(now_ms).saturating_sub(state.offline_seen_ms);
        let Some(channel) = state.channel.as_deref_mut() else { return };
        let online = self.online.load(Ordering::Acquire);
        channel.come_back(missed_ms, (!online).then_some(now_ms));
    }

    /// Brings the schedule up to date with a channel that was used.
    pub(super) fn reschedule(&self, state: &mut State) {
        let Some(channel) = state.channel.as_deref_mut() else { return };
        let due_ms = if state.open && !state.forgotten { channel.next_deadline_ms() } else { None };
        self.schedule_at(state, due_ms);
    }

    /// The same for one that is in the store only.
    pub(super) fn schedule_stored(&self, state: &mut State) {
        let [due_ms, fixed_due_ms] = state.due_ms;
        let due_ms = due_ms.filter(|_| self.online.load(Ordering::Acquire));
        self.schedule_at(state, [due_ms, fixed_due_ms].into_iter().flatten().min());
    }

    pub(super) fn schedule_at(&self, state: &mut State, due_ms: Option<TimeMs>) {
        if due_ms != state.scheduled_ms {
            self.schedule.set(&state.id, state.scheduled_ms, due_ms);
            state.scheduled_ms = due_ms;
        }
    }
}
