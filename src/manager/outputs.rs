//! The queue of what waits for the host to drain it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::locks::Mutex;
use tracing::{debug, warn};

use crate::config::Config;
use crate::error::Error;
use crate::output::{Event, Output};
use crate::types::ChannelId;

/// Outputs of all channels, oldest first.
///
/// Bounded without losing any: once `limit` outputs wait, or outputs of `limit_bytes`, calls that would make more are
/// refused, until the host drains. One call may overshoot a limit by what it makes, which the limits of a channel bound.
#[derive(Debug)]
pub(super) struct Outputs {
    queue: Mutex<Queue>,
    /// The length of the queue, so that asking takes no lock.
    len: AtomicUsize,
    /// The same in bytes.
    bytes: AtomicUsize,
    limit: usize,
    limit_bytes: usize,
}

/// Outputs in order, and what they hold.
#[derive(Debug, Default)]
pub(super) struct Queue {
    items: VecDeque<(ChannelId, Output)>,
    bytes: usize,
}

impl Queue {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn push(&mut self, channel_id: ChannelId, output: Output) {
        self.insert(self.items.len(), channel_id, output);
    }

    pub fn insert(&mut self, at: usize, channel_id: ChannelId, output: Output) {
        self.bytes = self.bytes.saturating_add(size(&output));
        self.items.insert(at, (channel_id, output));
    }

    fn pop(&mut self) {
        if let Some((_, output)) = self.items.pop_front() {
            self.bytes = self.bytes.saturating_sub(size(&output));
        }
    }

    pub fn retain(&mut self, keep: impl FnMut(&(ChannelId, Output)) -> bool) {
        self.items.retain(keep);
        self.bytes = self.items.iter().map(|(_, output)| size(output)).sum();
    }
}

/// What an output holds beyond its fixed size, in bytes.
fn size(output: &Output) -> usize {
    match output {
        Output::Transmit(transmit) => transmit.message_id.len() + transmit.bytes.len(),
        Output::Event(Event::Delivered(it)) => it.message_id.len() + it.sender_id.len() + it.content.len(),
        Output::Event(Event::Missing(it) | Event::Lost(it) | Event::BeforeUs(it)) => {
            let hint = it.retrieval_hint.as_ref().map_or(0, |hint| hint.len());
            it.message_id.len() + hint + it.sender_id.as_ref().map_or(0, |sender| sender.len())
        }
        Output::Event(
            Event::PossiblyAcknowledged { message_id, .. }
            | Event::Acknowledged { message_id }
            | Event::Failed { message_id }
            | Event::Unconfirmed { message_id, .. }
            | Event::RepairRequested { message_id, .. }
            | Event::RepairAnswered { message_id }
            | Event::Repaired { message_id },
        ) => message_id.len(),
    }
}

impl Outputs {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            queue: Mutex::default(),
            len: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            limit: config.max_outputs,
            limit_bytes: config.max_output_bytes,
        }
    }

    /// Refuses if the host has to drain first.
    pub(super) fn check_room(&self) -> Result<(), Error> {
        check_limits(self.len.load(Ordering::Acquire), self.bytes.load(Ordering::Acquire), self.limit, self.limit_bytes)
    }

    /// Lets out what waited elsewhere, in its order.
    pub(super) fn append(&self, mut waited: Queue) {
        if waited.len() > 0 {
            self.change(|queue| {
                queue.bytes = queue.bytes.saturating_add(waited.bytes);
                queue.items.append(&mut waited.items);
            });
        }
    }

    pub(super) fn push(&self, channel_id: &ChannelId, output: Output) {
        self.change(|queue| queue.push(channel_id.clone(), output));
    }

    pub(super) fn drain_while(&self, mut take: impl FnMut(&ChannelId, &Output) -> bool) {
        self.change(|queue| {
            while queue.items.front().is_some_and(|(channel_id, output)| take(channel_id, output)) {
                queue.pop();
            }
        });
    }

    pub(super) fn drain(&self) -> Vec<(ChannelId, Output)> {
        self.change(std::mem::take).items.into()
    }

    pub(super) fn clear(&self) {
        drop(self.drain());
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

    fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = self.queue.lock();
        let result = change(&mut queue);
        self.len.store(queue.items.len(), Ordering::Release);
        self.bytes.store(queue.bytes, Ordering::Release);
        result
    }
}

/// Refuses if there are as many outputs, or bytes of them, as may wait.
pub(super) fn check_limits(len: usize, bytes: usize, limit: usize, limit_bytes: usize) -> Result<(), Error> {
    match (len >= limit, bytes >= limit_bytes) {
        (true, _) => Err(Error::OutputsFull(limit)),
        (false, true) => Err(Error::OutputBytesFull(limit_bytes)),
        (false, false) => Ok(()),
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
