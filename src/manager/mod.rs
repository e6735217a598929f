//! The manager: one participant in any number of channels.
//!
//! The only module that knows wire, channels and locks at once. Each call goes one way: bytes are decoded, routed to
//! their channel, taken in under the channel's lock, and what came up for the host is queued.
//!
//! Any method may be called from any thread. Calls on different channels run side by side.

mod checks;
mod outputs;
mod schedule;
mod translate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard, RwLock};
use tracing::{debug, info, warn};

use crate::channel::{Channel, Drafted};
use crate::config::Config;
use crate::error::Error;
use crate::output::{
    ChannelOptions, ChannelStatus, MessageStatus, Output, Transmit, TransmitReason, Unwrapped, Wrapped,
};
use crate::types::{ChannelId, Dependency, TimeMs};
use crate::wire;
use checks::{check_id, check_outgoing};
use outputs::{Outputs, log_output};
use schedule::Schedule;
use translate::{encode, encode_draft, translate};

/// The end of the year 9999: the clocks of hosts show no more, and of what they pass by mistake nothing would recover.
const GREATEST_TIME_MS: TimeMs = 253_402_300_799_999;

/// One participant's state in all its channels.
#[derive(Debug)]
pub struct Manager {
    config: Arc<Config>,
    /// Draws the seeds of channels.
    rng: Mutex<fastrand::Rng>,
    channels: RwLock<BTreeMap<ChannelId, Arc<Slot>>>,
    outputs: Outputs,
    schedule: Schedule,
    online: AtomicBool,
    /// The latest time passed in, to notice that the host's clock stepped back.
    latest_ms: AtomicU64,
}

/// A channel, open or closed.
#[derive(Debug)]
struct Slot {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    channel: Channel,
    open: bool,
    /// Opened by a message for it; the host has not opened it.
    auto: bool,
    /// Taken out by `forget` or `reset` while another thread was about to use it.
    forgotten: bool,
    /// The deadline under which the schedule has it.
    scheduled_ms: Option<TimeMs>,
}

impl Manager {
    /// A manager without channels, online. Refuses an inconsistent configuration.
    pub fn open(mut config: Config) -> Result<Self, Error> {
        config.validate()?;
        let seed = match config.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(|error| Error::NoRandomness(error.to_string()))?,
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
        })
    }

    /// Its configuration, the seed filled in.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Forgets every channel and every output, as if it had just been opened.
    pub fn reset(&self) {
        let mut channels = self.channels.write();
        for slot in std::mem::take(&mut *channels).into_values() {
            slot.state.lock().forgotten = true;
        }
        self.schedule.clear();
        self.outputs.clear();
        self.online.store(true, Ordering::Release);
        info!("manager reset");
    }

    /// Tells whether the network is reachable. Offline, nothing is resent, asked for or answered, no sync message is made,
    /// and what is missing is not given up: that time does not count.
    pub fn set_online(&self, online: bool, now_ms: TimeMs) -> Result<(), Error> {
        self.observe(now_ms)?;
        self.online.store(online, Ordering::Release);
        for slot in self.all_slots() {
            let mut state = slot.state.lock();
            state.channel.set_online(online, now_ms);
            self.reschedule(&mut state);
        }
        Ok(())
    }

    /// Opens a channel, or opens it again with the state it had when it was closed.
    pub fn open_channel(&self, channel_id: &str, options: ChannelOptions, now_ms: TimeMs) -> Result<(), Error> {
        self.observe(now_ms)?;
        self.open_or_make(channel_id, options, now_ms, false)
    }

    fn open_or_make(&self, channel_id: &str, options: ChannelOptions, now_ms: TimeMs, auto: bool) -> Result<(), Error> {
        check_id("channel id", channel_id, &self.config)?;
        let mut channels = self.channels.write();
        if let Some(slot) = channels.get(channel_id) {
            let mut state = slot.state.lock();
            if !self.same_options(state.channel.options(), options) {
                return Err(Error::ChannelOptionsDiffer(channel_id.to_owned()));
            }
            state.open = true;
            state.auto &= auto;
            self.reschedule(&mut state);
            return Ok(());
        }
        if channels.len() >= self.config.max_channels {
            return Err(Error::TooManyChannels(self.config.max_channels));
        }
        let id = ChannelId::from(channel_id);
        let seed = self.rng.lock().u64(..);
        let mut channel = Channel::new(id.clone(), options, self.config.clone(), seed, now_ms);
        channel.set_online(self.online.load(Ordering::Acquire), now_ms);
        let state = State { channel, open: true, auto, forgotten: false, scheduled_ms: None };
        channels.insert(id, Arc::new(Slot { state: Mutex::new(state) }));
        info!(channel = channel_id, "channel opened");
        Ok(())
    }

    /// Closes a channel: nothing is sent for it, what waits to be sent included, and bytes for it are refused. Its state
    /// stays, and counts towards `max_channels`, until it is forgotten.
    pub fn close_channel(&self, channel_id: &str) -> Result<(), Error> {
        self.with_channel(channel_id, |state| {
            state.open = false;
            self.outputs.drop_transmits(state.channel.id());
            info!(channel = channel_id, "channel closed");
            Ok(())
        })
    }

    /// Forgets a channel, open or closed.
    pub fn forget_channel(&self, channel_id: &str) -> Result<(), Error> {
        check_id("channel id", channel_id, &self.config)?;
        let slot = self.channels.write().remove(channel_id).ok_or_else(|| unknown_channel(channel_id))?;
        let mut state = slot.state.lock();
        state.forgotten = true;
        let scheduled_ms = state.scheduled_ms.take();
        self.schedule.set(state.channel.id(), scheduled_ms, None);
        self.outputs.forget(state.channel.id());
        info!(channel = channel_id, "channel forgotten");
        Ok(())
    }

    /// The open channels, in ascending order.
    pub fn channels(&self) -> Vec<ChannelId> {
        let channels = self.channels.read();
        channels.iter().filter(|(_, slot)| slot.state.lock().open).map(|(id, _)| id.clone()).collect()
    }

    /// The counts of a channel.
    pub fn channel_status(&self, channel_id: &str) -> Result<ChannelStatus, Error> {
        self.with_channel(channel_id, |state| Ok(state.channel.status()))
    }

    /// A channel's state without any content, as JSON.
    pub fn dump_channel(&self, channel_id: &str) -> Result<String, Error> {
        self.with_channel(channel_id, |state| Ok(format!("{:#}", state.channel.dump())))
    }

    /// Makes a message ready to be broadcast, and keeps it until somebody is known to have it.
    ///
    /// `message_id`: unique for ever; `None` for a derived one. Wrapping an id again with equal content returns the same
    /// bytes: a retry.
    pub fn wrap_outgoing(
        &self,
        channel_id: &str,
        message_id: Option<&str>,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<Wrapped, Error> {
        self.observe(now_ms)?;
        check_outgoing(message_id, content, &self.config)?;
        self.outputs.check_room()?;
        self.with_open_channel(channel_id, now_ms, |state| {
            let channel = &mut state.channel;
            let mut draft = match channel.draft(message_id, content, now_ms)? {
                Drafted::New(draft) => draft,
                Drafted::Before(bytes) => return self.wrap_again(channel, bytes, content, now_ms),
            };
            let bytes = encode_draft(channel, &mut draft, Some(content), &self.config)?;
            let message_id = draft.message_id().clone();
            let lamport_timestamp_ms = Some(draft.lamport_timestamp_ms());
            channel.commit(draft, bytes.clone());
            self.queue_outputs(channel);
            Ok(Wrapped { message_id, lamport_timestamp_ms, bytes })
        })
    }

    /// Makes a message that is delivered at once, is not acknowledged and leaves no trace.
    pub fn wrap_ephemeral(
        &self,
        channel_id: &str,
        message_id: Option<&str>,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<Wrapped, Error> {
        self.observe(now_ms)?;
        check_outgoing(message_id, content, &self.config)?;
        self.with_open_channel(channel_id, now_ms, |state| {
            let message_id = state.channel.draft_ephemeral(message_id)?;
            let message = state.channel.ephemeral_message(&message_id, content);
            let bytes = encode(state.channel.profile(), &message, &self.config)?;
            Ok(Wrapped { message_id, lamport_timestamp_ms: None, bytes })
        })
    }

    /// Takes in bytes from the network, of either profile.
    pub fn unwrap_incoming<'a>(&self, bytes: &'a [u8], now_ms: TimeMs) -> Result<Unwrapped<'a>, Error> {
        self.observe(now_ms)?;
        self.unwrap(bytes, now_ms).inspect_err(|error| debug!(%error, "message refused"))
    }

    fn unwrap<'a>(&self, bytes: &'a [u8], now_ms: TimeMs) -> Result<Unwrapped<'a>, Error> {
        let (profile, message) = wire::decode(bytes, &self.config)?;
        self.outputs.check_room()?;
        let received = self.with_open_channel(message.channel_id, now_ms, |state| {
            let received = state.channel.receive(bytes, &message, profile, now_ms)?;
            self.queue_outputs(&mut state.channel);
            Ok(received)
        })?;
        Ok(Unwrapped {
            channel_id: message.channel_id,
            message_id: message.message_id,
            sender_id: message.sender_id,
            lamport_timestamp_ms: message.lamport_timestamp_ms,
            profile,
            content: message.content.unwrap_or_default(),
            disposition: received.disposition,
            own: received.own,
            unmet: received.unmet,
        })
    }

    /// Tells that messages are here by other means: who waits for them waits no longer.
    pub fn mark_dependencies_met(&self, channel_id: &str, message_ids: &[&str], now_ms: TimeMs) -> Result<(), Error> {
        self.observe(now_ms)?;
        message_ids.iter().try_for_each(|id| check_id("message id", id, &self.config))?;
        self.outputs.check_room()?;
        self.with_channel(channel_id, |state| {
            state.channel.mark_dependencies_met(message_ids, now_ms);
            self.queue_outputs(&mut state.channel);
            Ok(())
        })
    }

    /// Sets what others need to fetch a message; an empty hint removes it.
    pub fn set_retrieval_hint(&self, channel_id: &str, message_id: &str, hint: &[u8]) -> Result<(), Error> {
        check_id("message id", message_id, &self.config)?;
        let (size, limit) = (hint.len(), self.config.max_hint_bytes);
        if size > limit {
            return Err(Error::HintTooLong { size, limit });
        }
        self.with_channel(channel_id, |state| match state.channel.set_retrieval_hint(message_id, hint) {
            true => Ok(()),
            false => Err(Error::UnknownMessage(message_id.to_owned())),
        })
    }

    /// What the next message will name in its causal history, so that the host can set hints first.
    pub fn next_history(&self, channel_id: &str) -> Result<Vec<Dependency>, Error> {
        self.with_channel(channel_id, |state| Ok(state.channel.next_history()))
    }

    /// Does what is due. Early, late and extra calls do no harm.
    pub fn tick(&self, now_ms: TimeMs) -> Result<(), Error> {
        self.observe(now_ms)?;
        for channel_id in self.schedule.due(now_ms) {
            self.outputs.check_room()?;
            // Closed or forgotten meanwhile: then nothing is due.
            let _ = self.with_channel(&channel_id, |state| self.tick_channel(&mut state.channel, now_ms));
        }
        Ok(())
    }

    /// When the next tick is due, in milliseconds since the Unix epoch.
    pub fn next_deadline(&self) -> Option<TimeMs> {
        self.schedule.first()
    }

    /// Hands out outputs, oldest first, while `take` says true. One for which it says false stays.
    ///
    /// `take` runs under a lock: it must not call this manager.
    pub fn drain_while(&self, take: impl FnMut(&ChannelId, &Output) -> bool) {
        self.outputs.drain_while(take);
    }

    /// All outputs that wait, oldest first, each with its channel.
    pub fn drain(&self) -> Vec<(ChannelId, Output)> {
        self.outputs.drain()
    }

    /// How far a message of ours got.
    pub fn message_status(&self, channel_id: &str, message_id: &str) -> Result<MessageStatus, Error> {
        check_id("message id", message_id, &self.config)?;
        let unknown = || Error::UnknownMessage(message_id.to_owned());
        self.with_channel(channel_id, |state| state.channel.message_status(message_id).ok_or_else(unknown))
    }

    /// Sends a message of ours again, now, and counts its resends anew.
    pub fn retry(&self, channel_id: &str, message_id: &str, now_ms: TimeMs) -> Result<(), Error> {
        self.observe(now_ms)?;
        check_id("message id", message_id, &self.config)?;
        self.outputs.check_room()?;
        self.with_channel(channel_id, |state| {
            state.channel.retry(message_id, now_ms)?;
            self.queue_outputs(&mut state.channel);
            Ok(())
        })
    }

    /// Stops resending a message of ours.
    pub fn cancel(&self, channel_id: &str, message_id: &str, now_ms: TimeMs) -> Result<(), Error> {
        self.observe(now_ms)?;
        check_id("message id", message_id, &self.config)?;
        self.with_channel(channel_id, |state| state.channel.cancel(message_id, now_ms))
    }

    fn tick_channel(&self, channel: &mut Channel, now_ms: TimeMs) -> Result<(), Error> {
        let draft = channel.tick(now_ms);
        self.queue_outputs(channel);
        if let Some(mut draft) = draft {
            let bytes = encode_draft(channel, &mut draft, None, &self.config)?;
            channel.commit_sync(&draft);
            let message_id = draft.message_id().clone();
            let reason = if draft.asks() { TransmitReason::RepairRequest } else { TransmitReason::Sync };
            let transmit = Transmit { message_id, reason, bytes };
            self.outputs.push(channel.id(), Output::Transmit(transmit));
        }
        Ok(())
    }

    /// A message of ours that is wrapped once more: the same bytes if the content is equal, and otherwise an error.
    fn wrap_again(
        &self,
        channel: &mut Channel,
        bytes: Bytes,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<Wrapped, Error> {
        let (_, sent) = wire::decode(&bytes, &self.config)?;
        if sent.payload() != Some(content) {
            return Err(Error::IdReused(sent.message_id.to_owned()));
        }
        channel.sent_again(sent.message_id, now_ms);
        let (message_id, lamport_timestamp_ms) = (sent.message_id.into(), sent.lamport_timestamp_ms);
        Ok(Wrapped { message_id, lamport_timestamp_ms, bytes: bytes.clone() })
    }

    fn same_options(&self, a: ChannelOptions, b: ChannelOptions) -> bool {
        let resolved = |options: ChannelOptions| ChannelOptions {
            profile: options.profile.or(Some(self.config.profile)),
            ..options
        };
        resolved(a) == resolved(b)
    }

    /// Runs `body` on an open channel, then notes when it is due next.
    fn with_channel<T>(&self, channel_id: &str, body: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        check_id("channel id", channel_id, &self.config)?;
        let slot = self.channels.read().get(channel_id).cloned().ok_or_else(|| unknown_channel(channel_id))?;
        let mut state = slot.state.lock();
        if !state.open || state.forgotten {
            return Err(unknown_channel(channel_id));
        }
        let result = body(&mut state);
        self.reschedule(&mut state);
        result
    }

    /// The same, opening the channel first if the configuration says so.
    fn with_open_channel<T>(
        &self,
        channel_id: &str,
        now_ms: TimeMs,
        body: impl FnOnce(&mut State) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let opens = self.config.auto_open_channels && !self.channels.read().contains_key(channel_id);
        if opens {
            self.open_or_make(channel_id, ChannelOptions::default(), now_ms, true)?;
        }
        let result = self.with_channel(channel_id, body);
        if opens && result.is_err() {
            // A refused call changes nothing. Unless another thread uses the channel by now, that is.
            self.forget_unused(channel_id);
        }
        result
    }

    /// Forgets a channel that was opened for a message, in which nothing happened yet.
    fn forget_unused(&self, channel_id: &str) {
        let mut channels = self.channels.write();
        let Some(slot) = channels.get(channel_id).cloned() else { return };
        let mut state = slot.state.lock();
        if state.auto && state.channel.is_unused() {
            state.forgotten = true;
            channels.remove(channel_id);
        }
    }

    fn queue_outputs(&self, channel: &mut Channel) {
        for mut output in channel.take_outputs() {
            if let Output::Transmit(answer) = &mut output
                && answer.reason == TransmitReason::RepairAnswer
                && let Some(bytes) = translate(&answer.bytes, channel, &self.config)
            {
                answer.bytes = bytes;
            }
            log_output(channel.id(), &output);
            self.outputs.push(channel.id(), output);
        }
    }

    /// Brings the schedule up to date with a channel that was used.
    fn reschedule(&self, state: &mut MutexGuard<'_, State>) {
        let due_ms = if state.open && !state.forgotten { state.channel.next_deadline_ms() } else { None };
        if due_ms != state.scheduled_ms {
            self.schedule.set(state.channel.id(), state.scheduled_ms, due_ms);
            state.scheduled_ms = due_ms;
        }
    }

    /// Notices a backward step of the host's clock, and lets every channel shift its deadlines.
    fn observe(&self, now_ms: TimeMs) -> Result<(), Error> {
        if now_ms > GREATEST_TIME_MS {
            return Err(Error::TimeOutOfRange(now_ms));
        }
        let latest_ms = self.latest_ms.fetch_max(now_ms, Ordering::AcqRel);
        if now_ms >= latest_ms || latest_ms - now_ms <= self.config.clock_step_ms {
            return Ok(());
        }
        // One thread does it; the others go on.
        if self.latest_ms.compare_exchange(latest_ms, now_ms, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Ok(());
        }
        warn!(by_ms = latest_ms - now_ms, "the host's clock stepped back");
        for slot in self.all_slots() {
            let mut state = slot.state.lock();
            // First the time at which the step happened: the channel may not have been called for a while.
            state.channel.observe(latest_ms);
            state.channel.observe(now_ms);
            self.reschedule(&mut state);
        }
        Ok(())
    }

    fn all_slots(&self) -> Vec<Arc<Slot>> {
        self.channels.read().values().cloned().collect()
    }
}

fn unknown_channel(channel_id: &str) -> Error {
    Error::UnknownChannel(channel_id.to_owned())
}
