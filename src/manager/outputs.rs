//! The queue of what waits for the host to drain it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tracing::{debug, warn};

use crate::error::Error;
use crate::output::{Event, Output};
use crate::types::ChannelId;

/// Outputs of all channels, oldest first.
///
/// Bounded without losing any: once `limit` outputs wait, calls that would make more are refused, until the host drains.
/// One call may overshoot the limit by what it makes, which the limits of a channel bound.
#[derive(Debug)]
pub(super) struct Outputs {
    queue: Mutex<VecDeque<(ChannelId, Output)>>,
    /// The length of the queue, so that asking takes no lock.
    len: AtomicUsize,
    limit: usize,
}

impl Outputs {
    pub(super) fn new(limit: usize) -> Self {
        Self { queue: Mutex::default(), len: AtomicUsize::new(0), limit }
    }

    /// Refuses if the host has to drain first.
    pub(super) fn check_room(&self) -> Result<(), Error> {
        if self.len.load(Ordering::Acquire) < self.limit { Ok(()) } else { Err(Error::OutputsFull(self.limit)) }
    }

    pub(super) fn push(&self, channel_id: &ChannelId, output: Output) {
        self.change(|queue| queue.push_back((channel_id.clone(), output)));
    }

    pub(super) fn drain_while(&self, mut take: impl FnMut(&ChannelId, &Output) -> bool) {
        self.change(|queue| {
            while queue.front().is_some_and(|(channel_id, output)| take(channel_id, output)) {
                queue.pop_front();
            }
        });
    }

    pub(super) fn drain(&self) -> Vec<(ChannelId, Output)> {
        self.change(std::mem::take).into()
    }

    pub(super) fn clear(&self) {
        self.change(VecDeque::clear);
    }

    /// Drops what a channel would have sent. What it has to tell stays.
    pub(super) fn drop_transmits(&self, channel_id: &ChannelId) {
        let is_sent =
            |(other, output): &(ChannelId, Output)| matches!(output, Output::Transmit(_)) && other == channel_id;
        self.change(|queue| queue.retain(|item| !is_sent(item)));
    }

    /// Drops what a channel left.
    pub(super) fn forget(&self, channel_id: &ChannelId) {
        self.change(|queue| queue.retain(|(other, _)| other != channel_id));
    }

    fn change<T>(&self, change: impl FnOnce(&mut VecDeque<(ChannelId, Output)>) -> T) -> T {
        let mut queue = self.queue.lock();
        let result = change(&mut queue);
        self.len.store(queue.len(), Ordering::Release);
        result
    }
}

/// Writes to the log what a host may look for there. Ids, never content.
pub(super) fn log_output(channel_id: &ChannelId, output: &Output) {
    match output {
        Output::Transmit(transmit) => {
            debug!(channel = %channel_id, message = %transmit.message_id, reason = ?transmit.reason, "transmit");
        }
        Output::Event(Event::Lost(lost)) => warn!(channel = %channel_id, message = %lost.message_id, "message lost"),
        Output::Event(Event::Failed { message_id } | Event::Unconfirmed { message_id, .. }) => {
            warn!(channel = %channel_id, message = %message_id, "message given up");
        }
        Output::Event(_) => {}
    }
}
