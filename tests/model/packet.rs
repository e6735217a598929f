//! A message as it is on the network, read once.

use std::fmt;

use bytes::Bytes;
use sds::bloom::{FilterView, ItemHash};
use sds::types::{Kind, Profile};

use crate::common::decode;

pub struct Packet {
    pub bytes: Bytes,
    pub profile: Profile,
    pub id: String,
    /// Who made it, counted in the group.
    pub sender: usize,
    pub sender_id: String,
    pub kind: Kind,
    pub stamp_ms: Option<u64>,
    pub history: Vec<String>,
    /// Who sent what the history names, as far as it says.
    pub history_senders: Vec<Option<String>>,
    /// What it asks for.
    pub asks: Vec<String>,
    pub filter: Vec<u8>,
    pub content: Vec<u8>,
    /// How many messages of others its sender had received when it was made: what it can tell of.
    pub sender_had: usize,
}

impl Packet {
    pub fn read(bytes: Bytes, sender: usize, sender_had: usize) -> Self {
        let (profile, message) = decode(&bytes);
        Self {
            profile,
            id: message.message_id.to_owned(),
            sender,
            sender_id: message.sender_id.to_owned(),
            kind: message.kind(),
            stamp_ms: message.lamport_timestamp_ms,
            history: message.causal_history.iter().map(|entry| entry.message_id.to_owned()).collect(),
            history_senders: message.causal_history.iter().map(|it| it.sender_id.map(str::to_owned)).collect(),
            asks: message.repair_request.iter().map(|entry| entry.message_id.to_owned()).collect(),
            filter: message.bloom_filter.unwrap_or_default().to_vec(),
            content: message.content.unwrap_or_default().to_vec(),
            sender_had,
            bytes: bytes.clone(),
        }
    }

    /// Its filter, if it has one.
    pub fn view(&self) -> Option<FilterView<'_>> {
        FilterView::parse(self.profile, &self.filter, self.filter.len()).expect("an honest filter")
    }
}

/// What a failure is told by: the bytes of a filter tell nobody anything.
impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, sender_id, kind, stamp_ms, history, .. } = self;
        write!(f, "{kind:?} {id} by {sender_id} at {stamp_ms:?} after {history:?}")
    }
}

/// Whether a filter holds an id, by mistake or not.
pub fn holds(view: &FilterView<'_>, id: &str) -> bool {
    view.contains(&ItemHash::of(view.kind(), id))
}
