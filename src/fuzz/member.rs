//! A member in the target `ops`: its manager, its host's clock, and what its host was told so far, which every call is held
//! against.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::limits::most_outputs_of_a_call;
use super::step::{Clock, END_OF_TIME_MS};
use crate::config::Config;
use crate::error::Error;
use crate::manager::Manager;
use crate::output::{ChannelOptions, ChannelStatus, Delivered, Disposition, Event, MessageState, Output, Transmit};
use crate::types::{ChannelId, TimeMs};
use crate::wire;

pub(super) struct Member {
    manager: Manager,
    pub now_ms: TimeMs,
    /// Whether its host drains after each call.
    drains: bool,
    /// Outputs of earlier calls wait.
    behind: bool,
    told: BTreeMap<ChannelId, Told>,
    sent: Vec<(String, Bytes)>,
}

/// What the host was told of one channel.
#[derive(Default)]
struct Told {
    /// Messages that were handed out as new.
    new: BTreeSet<String>,
    /// Those that wait.
    waiting: BTreeSet<String>,
    /// Messages of its own.
    own: BTreeSet<String>,
    /// Those of which the host knows that they are not on their way any more.
    ended: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
    /// Messages that are missing, as far as the host was told at once.
    missing: BTreeSet<String>,
}

impl Member {
    pub fn new(config: Config, now_ms: TimeMs) -> Self {
        let manager = Manager::open(config).expect("a sound configuration");
        Self { manager, now_ms, drains: true, behind: false, told: BTreeMap::new(), sent: Vec::new() }
    }

    /// What it broadcast since it was last asked, with the ids.
    pub fn take_sent(&mut self) -> Vec<(String, Bytes)> {
        std::mem::take(&mut self.sent)
    }

    pub fn set_clock(&mut self, clock: Clock) {
        self.now_ms = match clock {
            Clock::Forward(ms) => self.now_ms.saturating_add(ms),
            Clock::Back(ms) => self.now_ms.saturating_sub(ms),
            Clock::To(ms) => ms,
            Clock::Due => self.manager.next_deadline().unwrap_or(self.now_ms),
        };
    }

    pub fn tick(&mut self) {
        if self.call(|manager, now_ms| manager.tick(now_ms)).is_some() {
            let next_ms = self.manager.next_deadline();
            assert!(next_ms.is_none_or(|next_ms| next_ms > self.now_ms), "{next_ms:?} stays due at {}", self.now_ms);
        }
    }

    pub fn open(&mut self, channel: &str, options: ChannelOptions) {
        self.call(|manager, now_ms| manager.open_channel(channel, options, now_ms));
    }

    pub fn close(&mut self, channel: &str) {
        self.call(|manager, _| manager.close_channel(channel));
    }

    pub fn forget(&mut self, channel: &str) {
        if self.call(|manager, _| manager.forget_channel(channel)).is_some() {
            self.told.remove(channel);
        }
    }

    pub fn reset(&mut self) {
        let _ = self.manager.reset();
        self.told.clear();
        assert!(self.manager.channels().is_empty() && self.manager.drain().is_empty());
        assert_eq!(self.manager.next_deadline(), None);
    }

    pub fn set_online(&mut self, online: bool) {
        self.call(|manager, now_ms| manager.set_online(online, now_ms));
    }

    pub fn wrap(&mut self, channel: &str, id: Option<&str>, content: &[u8]) {
        let Some(wrapped) = self.call(|manager, now_ms| manager.wrap_outgoing(channel, id, content, now_ms)) else {
            return;
        };
        let config = self.manager.config();
        assert!(wrapped.bytes.len() <= config.max_message_bytes);
        let (_, message) = wire::decode(&wrapped.bytes, config).expect("what we send is what we accept");
        assert_eq!((message.channel_id, message.message_id), (channel, wrapped.message_id.as_str()));
        assert_eq!((message.payload(), message.lamport_timestamp_ms), (Some(content), wrapped.lamport_timestamp_ms));
        assert!(id.is_none_or(|id| id == message.message_id));
        assert!(message.causal_history.len() <= 2 * config.causal_history_size);
        assert!(message.repair_request.len() <= config.repair_request_size);
        let told = self.told.entry(channel.into()).or_default();
        told.own.insert(message.message_id.to_owned());
        told.missing.remove(message.message_id);
        self.is_hoped_for_again(channel, &wrapped.message_id);
        self.sent.push((wrapped.message_id.to_string(), wrapped.bytes));
        self.check_own(channel);
    }

    pub fn whisper(&mut self, channel: &str, id: Option<&str>, content: &[u8]) {
        if let Some(wrapped) = self.call(|manager, now_ms| manager.wrap_ephemeral(channel, id, content, now_ms)) {
            self.sent.push((wrapped.message_id.to_string(), wrapped.bytes));
        }
    }

    pub fn receive(&mut self, bytes: &[u8]) {
        let is_message = wire::decode(bytes, self.manager.config()).map(drop);
        let Some(received) = self.call_first(|manager, now_ms| manager.unwrap_incoming(bytes, now_ms)) else {
            return self.drain_if_so();
        };
        assert_eq!(is_message, Ok(()));
        let told = self.told.entry(received.channel_id.into()).or_default();
        let forgetful = self.manager.config().seen_limit < 1_000;
        let id = received.message_id.to_owned();
        let is_first = !told.new.contains(&id) && !told.waiting.contains(&id) && !told.own.contains(&id);
        match received.disposition {
            // Of no trace, or of one that only the list of what is missing shows.
            Disposition::Ephemeral | Disposition::Own => {}
            Disposition::Sync => {
                let missing = self.manager.missing(received.channel_id).expect("it is open");
                if missing.iter().all(|missing| *missing.message_id != *id) {
                    told.missing.remove(&id);
                }
            }
            _ => drop(told.missing.remove(&id)),
        }
        match received.disposition {
            Disposition::Delivered | Disposition::BeforeUs | Disposition::Late => {
                assert!(is_first || forgetful, "{id} is new again: {:?}", received.disposition);
                told.new.insert(id);
            }
            Disposition::Waiting => {
                assert!(is_first || forgetful, "{id} waits again");
                assert!(!received.unmet.is_empty());
                told.waiting.insert(id);
            }
            Disposition::Duplicate => assert!(!is_first, "{id} was not here before"),
            Disposition::Sync => assert!(received.content.is_empty()),
            Disposition::Own | Disposition::Ephemeral => {}
        }
        let channel = received.channel_id.to_owned();
        self.drain_if_so();
        self.check_own(&channel);
    }

    pub fn mark(&mut self, channel: &str, ids: &[String]) {
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        if self.call(|manager, now_ms| manager.mark_dependencies_met(channel, &ids, now_ms)).is_some()
            && let Some(told) = self.told.get_mut(channel)
        {
            told.missing.retain(|missing| !ids.contains(&missing.as_str()));
        }
    }

    pub fn hint(&mut self, channel: &str, id: &str, hint: &[u8]) {
        self.call(|manager, _| manager.set_retrieval_hint(channel, id, hint));
    }

    pub fn retry(&mut self, channel: &str, id: &str) {
        if self.call(|manager, now_ms| manager.retry(channel, id, now_ms)).is_some() {
            self.is_hoped_for_again(channel, id);
            self.check_own(channel);
        }
    }

    pub fn cancel(&mut self, channel: &str, id: &str) {
        if self.call(|manager, now_ms| manager.cancel(channel, id, now_ms)).is_some() {
            self.told.entry(channel.into()).or_default().ended.insert(id.to_owned());
            self.check_own(channel);
        }
    }

    pub fn look(&mut self, channel: &str, id: &str) {
        let before = self.statuses();
        if let Ok(status) = self.manager.message_status(channel, id) {
            assert!((0.0..=1.0).contains(&status.probability));
            assert!(status.acknowledgers.len() <= self.manager.config().max_acknowledgers);
            assert!(status.resends <= self.manager.config().max_resends);
        }
        if let Ok(history) = self.manager.next_history(channel) {
            assert!(history.len() <= 2 * self.manager.config().causal_history_size);
        }
        if let Ok(dump) = self.manager.dump_channel(channel) {
            let dump: serde_json::Value = serde_json::from_str(&dump).expect("a dump is JSON");
            let number = |value: &serde_json::Value| value.as_u64().expect("a count") as usize;
            let config = self.manager.config();
            assert!(number(&dump["whole_messages_bytes"]) <= config.log_bytes);
            assert!(number(&dump["filter"]["ids"]) <= config.bloom_capacity);
        }
        assert_eq!(before, self.statuses(), "looking changes nothing");
    }

    pub fn set_drains(&mut self, drains: bool) {
        self.behind |= !self.drains;
        self.drains = drains;
        self.drain_if_so();
    }

    pub fn drain_some(&mut self, mut count: usize) {
        let mut taken = Vec::new();
        self.manager.drain_while(|channel, output| {
            let takes = count > 0;
            if takes {
                count -= 1;
                taken.push((channel.clone(), output.clone()));
            }
            takes
        });
        taken.into_iter().for_each(|(channel, output)| self.hear(&channel, output, false));
    }

    /// The end: once all intervals have passed, nothing waits and nothing is missing, whatever happened before.
    pub fn settle(&mut self) {
        let config = self.manager.config();
        let patience_ms = config.dependency_timeout_ms + config.clock_step_ms + 1;
        self.set_drains(true);
        self.now_ms = self.now_ms.min(END_OF_TIME_MS - 2 * patience_ms);
        self.set_online(true);
        self.now_ms += patience_ms;
        self.tick();
        for channel in self.manager.channels() {
            let status = self.manager.channel_status(&channel).expect("it is open");
            assert_eq!((status.waiting, status.missing), (0, 0), "{channel} at {}", self.now_ms);
            let waiting = self.told.get(&channel).map(|told| &told.waiting);
            let forgetful = self.manager.config().seen_limit < 1_000;
            assert!(forgetful || waiting.is_none_or(BTreeSet::is_empty), "never delivered: {waiting:?}");
            let missing = self.told.get(&channel).map(|told| &told.missing).filter(|_| status.missing_untracked == 0);
            assert!(missing.is_none_or(BTreeSet::is_empty), "told missing, and nothing more: {missing:?}");
            self.check_own(&channel);
            self.look(&channel, "m0");
        }
        assert!(self.manager.drain().is_empty());
    }

    /// A call that returns what does not borrow.
    fn call<T>(&mut self, call: impl FnOnce(&Manager, TimeMs) -> Result<T, Error>) -> Option<T> {
        let result = self.call_first(call);
        self.drain_if_so();
        result
    }

    /// A call before what it made is drained. One that is refused has changed nothing, except a tick that found the queue
    /// full on its way.
    fn call_first<T>(&mut self, call: impl FnOnce(&Manager, TimeMs) -> Result<T, Error>) -> Option<T> {
        let before = self.statuses();
        let result = call(&self.manager, self.now_ms);
        if let Err(error) = &result
            && *error != Error::OutputsFull(self.manager.config().max_outputs)
        {
            assert_eq!(before, self.statuses(), "{error}");
            assert!(!self.drains || self.manager.drain().is_empty(), "{error}");
        }
        self.check_bounds();
        result.ok()
    }

    fn statuses(&self) -> Vec<(ChannelId, ChannelStatus)> {
        let channels = self.manager.channels().into_iter();
        channels.map(|id| (id.clone(), self.manager.channel_status(&id).expect("it is open"))).collect()
    }

    fn check_bounds(&self) {
        let config = self.manager.config();
        let statuses = self.statuses();
        assert!(statuses.len() <= config.max_channels);
        for (_, status) in statuses {
            assert!(status.logged + status.held <= config.log_messages as u64, "{status:?}");
            assert!(status.missing <= config.max_missing as u64, "{status:?}");
            assert!(status.waiting <= config.max_waiting_messages as u64, "{status:?}");
            assert!(status.lost <= config.seen_limit as u64, "{status:?}");
            assert!(status.unacknowledged + status.given_up <= config.max_unacknowledged as u64, "{status:?}");
            assert!(status.possibly_acknowledged <= status.unacknowledged, "{status:?}");
            assert!(status.repair_requests <= status.missing, "{status:?}");
            assert!(status.repair_answers <= config.max_repair_answers as u64, "{status:?}");
        }
    }

    fn drain_if_so(&mut self) {
        if !self.drains {
            return;
        }
        let outputs = self.manager.drain();
        let config = self.manager.config();
        assert!(outputs.len() < config.max_outputs + most_outputs_of_a_call(config), "{} outputs", outputs.len());
        assert!(self.manager.drain().is_empty(), "all was taken");
        let at_once = !std::mem::take(&mut self.behind);
        outputs.into_iter().for_each(|(channel, output)| self.hear(&channel, output, at_once));
    }

    /// `at_once`: the call that made it was the latest.
    fn hear(&mut self, channel: &ChannelId, output: Output, at_once: bool) {
        match output {
            Output::Transmit(transmit) => self.transmit(channel, transmit),
            Output::Event(event) => self.event(channel, event, at_once),
        }
    }

    fn transmit(&mut self, channel: &ChannelId, transmit: Transmit) {
        let (_, message) =
            wire::decode(&transmit.bytes, self.manager.config()).expect("what we send is what we accept");
        assert_eq!((message.channel_id, message.message_id), (channel.as_str(), transmit.message_id.as_str()));
        self.sent.push((transmit.message_id.to_string(), transmit.bytes));
    }

    fn event(&mut self, channel: &ChannelId, event: Event, at_once: bool) {
        let forgetful = self.manager.config().seen_limit < 1_000;
        let told = self.told.entry(channel.clone()).or_default();
        match event {
            Event::Delivered(Delivered { message_id, .. }) => {
                let waited = told.waiting.remove(message_id.as_str());
                let is_first = told.new.insert(message_id.to_string());
                // One that was forgotten may wait a second time before the host hears that it was delivered the first time.
                assert!(waited || forgetful && !is_first, "{message_id} did not wait");
                assert!(is_first || forgetful, "{message_id} is delivered again");
            }
            Event::Acknowledged { message_id } => {
                told.ended.insert(message_id.to_string());
                let is_first = told.acknowledged.insert(message_id.to_string());
                assert!(is_first || forgetful, "{message_id} is acknowledged again");
            }
            Event::Failed { message_id } | Event::Unconfirmed { message_id, .. } => {
                told.ended.insert(message_id.to_string());
            }
            // What waited in the queue may be over.
            Event::Missing(it) => {
                if at_once {
                    told.missing.insert(it.message_id.to_string());
                }
            }
            Event::Lost(it) | Event::BeforeUs(it) => drop(told.missing.remove(&*it.message_id)),
            Event::PossiblyAcknowledged { .. }
            | Event::RepairRequested { .. }
            | Event::RepairAnswered { .. }
            | Event::Repaired { .. } => {}
        }
    }

    /// A message of its own is sent again, unless it is acknowledged. While outputs wait, what they say of it is older.
    fn is_hoped_for_again(&mut self, channel: &str, id: &str) {
        if self.drains && self.is_on_its_way(channel, id) {
            self.told.entry(channel.into()).or_default().ended.remove(id);
        }
    }

    fn is_on_its_way(&self, channel: &str, id: &str) -> bool {
        let status = self.manager.message_status(channel, id);
        status.is_ok_and(|it| matches!(it.state, MessageState::Unacknowledged | MessageState::PossiblyAcknowledged))
    }

    /// No message of its own is lost: each is on its way until its host is told otherwise.
    fn check_own(&self, channel: &str) {
        let Ok(status) = self.manager.channel_status(channel) else { return };
        let Some(told) = self.told.get(channel) else { return };
        if !self.drains {
            return;
        }
        let lost = told.own.difference(&told.ended).find(|id| !self.is_on_its_way(channel, id));
        assert_eq!(lost, None, "a message of our own is gone");
        let on_its_way = told.own.iter().filter(|id| self.is_on_its_way(channel, id)).count();
        assert_eq!(status.unacknowledged, on_its_way as u64);
    }
}
