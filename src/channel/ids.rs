//! The ids in a received message, hashed once for all the steps that look them up.

use crate::idhash::{IdHash, IdHasher};
use crate::types::{HistoryEntry, Message};

/// An id that a message names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'m> {
    pub hash: IdHash,
    pub entry: &'m HistoryEntry<'m>,
}

/// The ids in a message.
#[derive(Debug)]
pub struct Ids<'m> {
    pub(super) hash: IdHash,
    /// Its causal history, without itself and without what has no id.
    pub(super) history: Vec<Named<'m>>,
}

impl<'m> Ids<'m> {
    pub(super) fn of(message: &'m Message<'m>, ids: &IdHasher) -> Self {
        let hash = ids.hash(message.message_id);
        let entries = message.causal_history.iter().filter(|entry| !entry.message_id.is_empty());
        let named = entries.map(|entry| Named { hash: ids.hash(entry.message_id), entry });
        Self { hash, history: named.filter(|named| named.hash != hash).collect() }
    }

    /// The hashes of all of them.
    pub fn hashes(&self) -> impl Iterator<Item = IdHash> {
        self.history.iter().map(|named| named.hash).chain([self.hash])
    }
}
