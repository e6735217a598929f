//! Messages of strangers, for the target `ops`.

use super::step::{Forged, Named, Stamp, content, id};
use crate::bloom::{Filter, HashKind, ItemHash, Params, RFC_PARAMS};
use crate::types::{HistoryEntry, Message, Profile, TimeMs};
use crate::wire;

/// What a stranger knows: it heard everything on the network.
pub(super) struct Stranger<'a> {
    /// The names of the members.
    pub members: [&'a str; 2],
    /// The ids of all messages so far.
    pub known: &'a [String],
    pub now_ms: TimeMs,
}

/// An entry of a list, owned.
struct Entry {
    message_id: String,
    hint: Option<Vec<u8>>,
    sender_id: Option<String>,
}

impl Stranger<'_> {
    /// A message in bytes.
    pub fn forge(&self, forged: &Forged, channel_id: &str) -> Vec<u8> {
        let profile = if forged.libsds { Profile::Libsds } else { Profile::Rfc };
        let message_id = self.id(forged.id);
        let (history, requests) = (self.entries(&forged.history), self.entries(&forged.requests));
        let (filter, content) = (self.filter(forged.filter, profile), content(forged.content));
        let message = Message {
            sender_id: &self.sender(forged.sender),
            message_id: &message_id,
            channel_id,
            lamport_timestamp_ms: self.stamp(forged.stamp),
            causal_history: history.iter().map(borrowed).collect(),
            bloom_filter: filter.as_deref(),
            repair_request: requests.iter().map(borrowed).collect(),
            content: Some(&content),
        };
        let mut bytes = Vec::new();
        wire::encode(profile, &message, &mut bytes);
        bytes
    }

    fn id(&self, number: u8) -> String {
        id(number, self.known).unwrap_or_default()
    }

    fn sender(&self, number: u8) -> String {
        match number {
            0 | 1 => self.members[usize::from(number)].to_owned(),
            2 => "mallory".to_owned(),
            3 => String::new(),
            // As many as it likes: anybody can have any name.
            _ => format!("sender {number}"),
        }
    }

    fn stamp(&self, stamp: Stamp) -> Option<u64> {
        match stamp {
            Stamp::None => None,
            Stamp::Early(ms) => Some(self.now_ms.saturating_sub(ms)),
            Stamp::Late(ms) => Some(self.now_ms.saturating_add(ms)),
            Stamp::Exactly(ms) => Some(ms),
        }
    }

    fn entries(&self, list: &[Named]) -> Vec<Entry> {
        let entry = |named: &Named| Entry {
            message_id: self.id(named.id),
            hint: (named.more >> 4 > 0).then(|| vec![b'h'; usize::from(named.more >> 4) * 5]),
            sender_id: (named.more & 8 != 0).then(|| self.sender(named.more & 7)),
        };
        list.iter().map(entry).collect()
    }

    fn filter(&self, number: u8, profile: Profile) -> Option<Vec<u8>> {
        let params = match profile {
            Profile::Rfc => RFC_PARAMS,
            Profile::Libsds => Params::sized(u64::from(number) * 4 + 1, 0.001),
        };
        let filter = Filter::new(profile, params);
        match number % 8 {
            0 | 1 => None,
            2 => Some(Vec::new()),
            3 => Some(filter.wire_bytes().to_vec()),
            4 | 5 => Some(self.holding_all(filter, profile)),
            // It holds everything: words of ones, up to where the numbers of the libsds layout begin.
            6 => {
                let mut bytes = filter.wire_bytes().to_vec();
                let words = bytes.iter().rposition(|byte| *byte == 0).map_or(0, |last| last + 1);
                let first = bytes.iter().position(|byte| *byte == 0).unwrap_or(words);
                bytes[first..words].fill(0xff);
                Some(bytes)
            }
            _ => Some(vec![number; usize::from(number)]),
        }
    }

    /// A filter that acknowledges all there is.
    fn holding_all(&self, mut filter: Filter, profile: Profile) -> Vec<u8> {
        let kind = HashKind::of(profile);
        self.known.iter().for_each(|id| filter.insert(&ItemHash::of(kind, id)));
        filter.wire_bytes().to_vec()
    }
}

fn borrowed(entry: &Entry) -> HistoryEntry<'_> {
    HistoryEntry {
        message_id: &entry.message_id,
        retrieval_hint: entry.hint.as_deref(),
        sender_id: entry.sender_id.as_deref(),
    }
}
