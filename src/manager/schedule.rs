//! Which channel is due when, so that a tick costs nothing for those that are not.

use std::collections::BTreeSet;

use crate::locks::Mutex;

use crate::types::{ChannelId, TimeMs};

/// The deadlines of all channels, in the host's milliseconds.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    deadlines: Mutex<BTreeSet<(TimeMs, ChannelId)>>,
}

impl Schedule {
    /// Moves a channel from one deadline to another; `None` is none.
    pub(super) fn set(&self, channel_id: &ChannelId, old_ms: Option<TimeMs>, new_ms: Option<TimeMs>) {
        let mut deadlines = self.deadlines.lock();
        if let Some(old_ms) = old_ms {
            deadlines.remove(&(old_ms, channel_id.clone()));
        }
        if let Some(new_ms) = new_ms {
            deadlines.insert((new_ms, channel_id.clone()));
        }
    }

    /// Takes in the deadlines of many channels that have none.
    pub(super) fn fill(&self, deadlines: Vec<(TimeMs, ChannelId)>) {
        *self.deadlines.lock() = deadlines.into_iter().collect();
    }

    pub(super) fn first(&self) -> Option<TimeMs> {
        self.deadlines.lock().first().map(|deadline| deadline.0)
    }

    /// The channels that are due, the longest due first.
    pub(super) fn due(&self, now_ms: TimeMs) -> Vec<ChannelId> {
        let deadlines = self.deadlines.lock();
        deadlines.iter().take_while(|deadline| deadline.0 <= now_ms).map(|deadline| deadline.1.clone()).collect()
    }

    pub(super) fn clear(&self) {
        self.deadlines.lock().clear();
    }
}
