//! One message of ours, and the evidence that somebody has it.

use bytes::Bytes;

use crate::bloom::HashKind;
use crate::channel::clock::Now;
use crate::config::MAX_EVIDENCE;
use crate::idhash::IdHash;
use crate::output::{Acknowledger, MessageState};
use crate::types::{MessageId, ParticipantId, TimeMs};

/// What a name costs beyond its own bytes, so that many short ones count too.
const NAME_OVERHEAD_BYTES: usize = 64;

/// A message of ours, as it was sent.
#[derive(Debug)]
pub struct Sent {
    pub message_id: MessageId,
    pub hash: IdHash,
    pub lamport_ms: u64,
    pub bytes: Bytes,
    /// Its number in the log.
    pub number: u64,
    /// When it was sent.
    pub since: Now,
}

/// A message of ours, from wrapping until it is of no use any more.
#[derive(Debug)]
pub(super) struct Own {
    pub message_id: MessageId,
    pub lamport_ms: u64,
    /// What was broadcast, to be broadcast again as it is.
    pub bytes: Bytes,
    pub state: MessageState,
    pub evidence: Vec<Evidence>,
    pub acknowledgers: Vec<Acknowledger>,
    pub resends: u32,
    /// When it is sent again, or given up. `None`: never.
    pub due_ms: Option<TimeMs>,
    /// Where it is among those under review.
    pub place: Option<usize>,
    /// Its number in the log, where it is stored.
    pub number: u64,
    /// When it was sent.
    pub since: Now,
    /// Its place among those given up or ended.
    pub queued: u64,
}

/// What a name takes.
pub(super) fn name_len(name: &str) -> usize {
    name.len().saturating_add(NAME_OVERHEAD_BYTES)
}

/// What filters of one size say of a message. All of them make the same mistakes, so that they count once, with the
/// smallest chance that what they say is false.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    pub kind: HashKind,
    pub bits: u64,
    pub hashes: u32,
    pub false_chance: f64,
}

impl Evidence {
    pub fn is_like(&self, other: &Self) -> bool {
        (self.kind, self.bits, self.hashes) == (other.kind, other.bits, other.hashes)
    }
}

impl Own {
    /// The chance that all evidence is false.
    pub fn false_chance(&self) -> f64 {
        self.evidence.iter().map(|evidence| evidence.false_chance).product()
    }

    /// What it holds: its bytes, and the names of those who acknowledged it, which strangers choose.
    pub fn held_len(&self) -> usize {
        self.bytes.len().saturating_add(self.names_len())
    }

    /// What the names of those who acknowledged it take.
    pub fn names_len(&self) -> usize {
        self.acknowledgers.iter().map(|it| name_len(&it.participant_id)).sum()
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.state, MessageState::Acknowledged | MessageState::Cancelled)
    }

    pub fn is_given_up(&self) -> bool {
        matches!(self.state, MessageState::Failed | MessageState::Unconfirmed)
    }

    /// Adds evidence, and tells whether it says anything new.
    pub fn add_evidence(&mut self, new: Evidence) -> bool {
        if let Some(old) = self.evidence.iter_mut().find(|old| old.is_like(&new)) {
            let smaller = new.false_chance < old.false_chance;
            old.false_chance = old.false_chance.min(new.false_chance);
            return smaller;
        }
        let room = self.evidence.len() < MAX_EVIDENCE;
        if room {
            self.evidence.push(new);
        }
        room
    }

    /// Whether evidence can be taken down.
    pub fn has_room_for(&self, new: &Evidence) -> bool {
        self.evidence.len() < MAX_EVIDENCE || self.evidence.iter().any(|old| old.is_like(new))
    }

    /// Remembers who gave evidence, and tells whether that is news; `None` if there is no room. A sender without a name cannot
    /// be told from another.
    pub fn add_acknowledger(&mut self, who: &str, certain: bool, max: usize) -> Option<bool> {
        if who.is_empty() {
            return Some(false);
        }
        if let Some(known) = self.acknowledgers.iter_mut().find(|known| known.participant_id.as_str() == who) {
            let before = known.certain;
            known.certain |= certain;
            return Some(known.certain != before);
        }
        if self.acknowledgers.len() < max {
            self.acknowledgers.push(Acknowledger { participant_id: ParticipantId::from(who), certain });
            return Some(true);
        }
        None
    }
}
