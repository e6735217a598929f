//! What the host has from before this engine was there: a history to go on from.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::clock::Now;
use super::log::Stored;
use super::{Channel, log};
use crate::output::Hint;
use crate::record::StoredMessage;
use crate::types::{MessageId, ParticipantId, TimeMs};

/// A message of which the host has the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known<'a> {
    /// Its id.
    pub message_id: &'a str,
    /// Who sent it; empty if that is not known.
    pub sender_id: &'a str,
    /// Its Lamport timestamp in milliseconds.
    pub lamport_timestamp_ms: u64,
    /// What others need to fetch it, if that is known.
    pub retrieval_hint: Option<&'a [u8]>,
}

impl Channel {
    /// Takes in messages by name. Returns how many were new.
    pub fn seed(&mut self, known: &[Known<'_>], now_ms: TimeMs) -> usize {
        let now = self.clock.observe(now_ms);
        let (mut new, mut seen) = (Vec::new(), BTreeSet::new());
        for message in known {
            let hash = self.ids.hash(message.message_id);
            // A long list may push its own first names out of memory.
            if self.log.was_received(hash) || self.incoming.is_waiting(hash) || !seen.insert(hash.number()) {
                continue;
            }
            new.push(hash);
            let entry = log::Entry {
                message_id: MessageId::from(message.message_id),
                hash,
                lamport_ms: message.lamport_timestamp_ms,
                sender_id: ParticipantId::from(message.sender_id),
                hint: message.retrieval_hint.map(Hint::from),
                whole: None,
                // Who misses it asks others.
                namings: self.config.causal_history_size,
                flags: StoredMessage::SEEDED,
            };
            let stored = self.is_durable().then(|| Stored { bytes: Bytes::new(), since: Now::default() });
            self.enter_log(entry, now, stored);
            self.no_longer_missing(hash);
        }
        let count = new.len();
        self.deliver_dependents(new);
        count
    }
}
