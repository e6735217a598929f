//! Channels that are in the store only: how they get there, and what is changed of them there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::locks::MutexGuard;
use prost::Message;
use tracing::debug;

use super::Manager;
use super::slot::{HeadRecord, Slot, State, Turn};
use crate::error::{Error, StoreError};
use crate::record::{Change, Key, Value, decode};
use crate::store::Write;
use crate::types::TimeMs;

/// Channels that leave memory, or are changed in the store, with one commit.
const MOST_AT_ONCE: usize = 1_024;

impl Manager {
    /// Takes channels out of memory that were not used for long.
    pub(super) fn unload_idle(&self, now_ms: TimeMs) -> Result<(), Error> {
        let after_ms = self.config.unload_after_ms;
        if after_ms == 0 || !self.durable.can_unload(now_ms, after_ms) {
            return Ok(());
        }
        self.all_slots().chunks(MOST_AT_ONCE).try_for_each(|slots| self.unload(slots, now_ms))
    }

    /// Takes those that are idle out of memory, once all of them is stored, with one commit.
    fn unload(&self, slots: &[Arc<Slot>], now_ms: TimeMs) -> Result<(), Error> {
        // All are locked until that is done. Nobody waits for one with another one locked, and one that is in use is not idle.
        let mut idle: Vec<_> = slots.iter().filter_map(|slot| slot.state.try_lock()).collect();
        idle.retain_mut(|state| state.is_idle(now_ms, self.config.unload_after_ms));
        if idle.is_empty() {
            return Ok(());
        }
        for state in &mut idle {
            if let Some(channel) = state.loaded() {
                // From here on the manager counts the time offline.
                channel.leave(now_ms);
            }
            let writes = self.writes_of(state);
            self.durable.add_to_next(writes);
        }
        let stored = self.store_itself();
        idle.into_iter().for_each(|state| self.let_go(state, now_ms, stored.is_ok()));
        stored
    }

    fn let_go(&self, mut state: MutexGuard<'_, State>, now_ms: TimeMs, stored: bool) {
        if stored {
            state.unload(self.durable.offline_ms(now_ms));
            self.schedule_stored(&mut state);
            debug!(channel = %state.id, "channel unloaded");
        } else if let Some(channel) = state.loaded() {
            // It stays, and goes on to count the time offline by itself.
            let online = self.online.load(Ordering::Acquire);
            channel.come_back(0, (!online).then_some(now_ms));
        }
    }

    /// Closes a channel that is in the store only. It need not be read for that, and may be damaged.
    pub(super) fn close_stored(&self, state: &mut State) -> Result<(), Error> {
        state.due_ms = [None; 2];
        self.schedule_stored(state);
        let Ok(mut head) = self.stored_head(state) else { return Ok(()) };
        (head.open, head.auto, head.due_ms, head.fixed_due_ms) = (false, state.auto, None, None);
        let mut turn = Turn { commit: true, ..Turn::default() };
        let writes = vec![head_write(state, &head)];
        self.durable.add(&state.id, writes, Vec::new(), &mut turn, &self.outputs).map(drop)
    }

    /// The host's clock stepped back from one time to another: all deadlines move along, also those of channels that are in
    /// the store only.
    pub(super) fn step_back(&self, from_ms: TimeMs, to_ms: TimeMs) {
        self.durable.step_back(from_ms, to_ms);
        for slots in self.all_slots().chunks(MOST_AT_ONCE) {
            for slot in slots {
                let mut state = slot.state.lock();
                if state.forgotten {
                    continue;
                }
                let writes = self.step_channel_back(&mut state, from_ms, to_ms);
                self.durable.add_to_next(writes);
            }
            // A store that fails is told by the next call that makes more.
            let _ = self.store_itself();
        }
    }

    fn step_channel_back(&self, state: &mut State, from_ms: TimeMs, to_ms: TimeMs) -> Vec<Write> {
        state.used_ms = state.used_ms.min(to_ms);
        if let Some(channel) = state.loaded() {
            // First the time at which the step happened: the channel may not have been called for a while.
            channel.observe(from_ms);
            channel.observe(to_ms);
            self.reschedule(state);
            return self.writes_of(state);
        }
        // One that cannot be read tells so when it is used.
        let Ok(mut head) = self.stored_head(state) else { return Vec::new() };
        let by_ms = head.channel.step_back(from_ms, to_ms, self.config.clock_step_ms);
        head.due_ms = head.due_ms.map(|due_ms| due_ms.saturating_sub(by_ms));
        // A closed one is never due, whatever a damaged record says.
        if state.open {
            state.due_ms = [head.due_ms, head.fixed_due_ms];
            self.schedule_stored(state);
        }
        vec![head_write(state, &head)]
    }

    fn stored_head(&self, state: &State) -> Result<HeadRecord, Error> {
        let head = self.durable.read_head(&state.id)?;
        Ok(decode(&head).map_err(StoreError::from)?)
    }
}

fn head_write(state: &State, head: &HeadRecord) -> Write {
    let value = Some(Value::Bytes(head.encode_to_vec()));
    Write::Channel(state.id.clone(), Change { key: Key::HEAD, value })
}
