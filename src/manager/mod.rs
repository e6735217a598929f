//! The manager: one participant in any number of channels.
//!
//! The only module that knows wire, channels, store and locks at once. Each call goes one way: bytes are decoded, routed to
//! their channel, taken in under the channel's lock, what changed is stored, and what came up for the host is queued.
//!
//! Any method may be called from any thread. Calls on different channels run side by side, up to the store.

mod checks;
mod durable;
mod lifecycle;
mod log;
mod messages;
mod outputs;
mod schedule;
mod slot;
mod translate;
mod unloaded;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::locks::{Mutex, RwLock};
use tracing::warn;

use crate::config::Config;
use crate::error::Error;
use crate::output::{ChannelStatus, Output};
use crate::types::{ChannelId, TimeMs};
use durable::Durable;
pub use durable::Offer;
pub use log::{Known, LogEntry, LogPage};
use outputs::Outputs;
use schedule::Schedule;
use slot::{Slot, Turn};

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
    durable: Durable,
}

impl Manager {
    /// Its configuration, the seed filled in.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Tells whether the network is reachable. Offline, nothing is resent, asked for or answered, no sync message is made,
    /// and what is missing is not given up: that time does not count. A manager begins online.
    ///
    /// A host that is going to sleep says so: time in which it merely makes no call counts, and what has been missing for
    /// `dependency_timeout_ms` when it wakes is lost at the next tick. (Time in which a stored manager is not open does not
    /// count anyway.)
    pub fn set_online(&self, online: bool, now_ms: TimeMs) -> Result<(), Error> {
        let now_ms = self.observe(now_ms)?;
        self.online.store(online, Ordering::Release);
        self.durable.set_online(online, now_ms);
        for slot in self.all_slots() {
            let mut state = slot.state.lock();
            if let Some(channel) = state.loaded() {
                channel.set_online(online, now_ms);
                self.reschedule(&mut state);
            } else {
                self.schedule_stored(&mut state);
            }
        }
        Ok(())
    }

    /// The counts of a channel.
    pub fn channel_status(&self, channel_id: &str) -> Result<ChannelStatus, Error> {
        self.with_channel(channel_id, |channel, _| Ok(channel.status()))
    }

    /// A channel's state without any content, as JSON.
    pub fn dump_channel(&self, channel_id: &str) -> Result<String, Error> {
        let now_ms = self.latest_ms.load(Ordering::Acquire);
        self.with_channel(channel_id, |channel, _| Ok(format!("{:#}", channel.dump(now_ms))))
    }

    /// Does what is due. Early, late and extra calls do no harm.
    ///
    /// A store that fails is the error of the first channel that it failed for; the others had their turn all the same.
    pub fn tick(&self, now_ms: TimeMs) -> Result<(), Error> {
        let now_ms = self.observe(now_ms)?;
        self.durable.retry(&self.outputs)?;
        let mut result = Ok(());
        for channel_id in self.schedule.due(now_ms) {
            self.check_room()?;
            let done = self.with_channel(&channel_id, |channel, turn| self.tick_channel(channel, turn, now_ms));
            // Closed or forgotten meanwhile: then nothing is due.
            if let Err(error @ Error::Store(_)) = done {
                result = result.and(Err(error));
            }
        }
        result.and(self.unload_idle(now_ms))
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

    /// Refuses, before anything is changed, if the host has to drain or to confirm first, or the store fails still.
    fn check_room(&self) -> Result<(), Error> {
        self.outputs.check_room()?;
        self.durable.retry(&self.outputs)?;
        self.durable.check_room(&self.config)
    }

    /// The time as every channel is to see it: small steps back of the host's clock count as no time passing, and after a
    /// large one every channel shifts its deadlines.
    fn observe(&self, now_ms: TimeMs) -> Result<TimeMs, Error> {
        if now_ms > GREATEST_TIME_MS {
            return Err(Error::TimeOutOfRange(now_ms));
        }
        let latest_ms = self.latest_ms.fetch_max(now_ms, Ordering::AcqRel);
        if now_ms >= latest_ms || latest_ms - now_ms <= self.config.clock_step_ms {
            return Ok(now_ms.max(latest_ms));
        }
        // One thread does it; the others go on.
        if self.latest_ms.compare_exchange(latest_ms, now_ms, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Ok(now_ms);
        }
        warn!(by_ms = latest_ms - now_ms, "the host's clock stepped back");
        self.step_back(latest_ms, now_ms);
        Ok(now_ms)
    }

    fn all_slots(&self) -> Vec<Arc<Slot>> {
        self.channels.read().values().cloned().collect()
    }
}

fn unknown_channel(channel_id: &str) -> Error {
    Error::UnknownChannel(channel_id.to_owned())
}
