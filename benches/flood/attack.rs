//! Hostile messages of mixed kinds, made up one after the other. The same seed makes the same ones.

use std::collections::VecDeque;

use sds::bloom::RFC_PARAMS;
use sds::types::{HistoryEntry, Message, Profile};
use sds::wire;

/// The channel that is flooded.
pub const CHANNEL: &str = "flooded";
/// Messages that are kept to be replayed.
const OLD: usize = 2_000;
/// Ids of honest messages that are kept to be forged: these are still remembered. Under an id that is forgotten, a forged
/// message is new, well-formed content, of which no flood of anything else consists.
const OVERHEARD: usize = 200;
/// Of these, the latest may not be acknowledged yet.
const OPEN: usize = 20;
/// Names in a huge history, and in an ordinary made-up one. The limit is 1,024.
const HUGE: usize = 1_000;
const FEW: usize = 3;

/// What a hostile message is. Out of a hundred messages, so many are of each kind.
const KINDS: [(Kind, u64); 10] = [
    (Kind::Unmet, 25),
    (Kind::HugeHistory, 1),
    (Kind::HugeSync, 1),
    (Kind::Replay, 20),
    (Kind::Forged, 14),
    (Kind::FarOff, 10),
    (Kind::Ones, 9),
    (Kind::SyncStorm, 13),
    (Kind::Claiming, 2),
    (Kind::Asking, 5),
];

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Content that depends on what does not exist, with the longest names and hints there may be.
    Unmet,
    /// Content, and a sync message, that name as many as a message may.
    HugeHistory,
    HugeSync,
    /// A message that was sent before, or long before.
    Replay,
    /// Content under the id of an honest message, by anybody.
    Forged,
    /// Content stamped in the past, or days ahead, or at the end of time.
    FarOff,
    /// A filter in which all is set, or nearly all.
    Ones,
    /// Sync messages that name what does not exist, in both formats.
    SyncStorm,
    /// Histories that name honest messages which were acknowledged long ago, under ever new names of the longest.
    Claiming,
    /// Requests for everything that was heard of.
    Asking,
}

/// Who floods.
pub struct Attacker {
    rng: fastrand::Rng,
    made: u64,
    old: VecDeque<Vec<u8>>,
    /// Ids of honest messages that were overheard.
    overheard: VecDeque<String>,
    ones: Vec<u8>,
    hint: Vec<u8>,
}

impl Attacker {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            made: 0,
            old: VecDeque::new(),
            overheard: VecDeque::new(),
            ones: vec![0xff; RFC_PARAMS.word_bytes()],
            hint: vec![7; 1_024],
        }
    }

    /// An honest message went over the network.
    pub fn overhear(&mut self, id: &str, bytes: &[u8]) {
        self.overheard.push_back(id.to_owned());
        self.keep(bytes.to_vec());
        if self.overheard.len() > OVERHEARD {
            self.overheard.pop_front();
        }
    }

    /// The next hostile message.
    pub fn next(&mut self, now_ms: u64) -> Vec<u8> {
        self.made += 1;
        let mut at = self.rng.u64(0..KINDS.iter().map(|kind| kind.1).sum());
        let kind = KINDS.iter().find(|(_, share)| at.checked_sub(*share).map(|rest| at = rest).is_none());
        let bytes = self.make(kind.map_or(Kind::Unmet, |kind| kind.0), now_ms);
        if self.made.is_multiple_of(7) {
            self.keep(bytes.clone());
        }
        bytes
    }

    fn keep(&mut self, bytes: Vec<u8>) {
        self.old.push_back(bytes);
        if self.old.len() > OLD {
            self.old.pop_front();
        }
    }

    fn make(&mut self, kind: Kind, now_ms: u64) -> Vec<u8> {
        let id = format!("{:0>64}", self.made);
        let sender = format!("sybil-{}", self.rng.u64(0..1_000_000));
        let stamp_ms = now_ms.saturating_add(self.rng.u64(0..1_000));
        let plain = Message {
            sender_id: &sender,
            message_id: &id,
            channel_id: CHANNEL,
            lamport_timestamp_ms: Some(stamp_ms),
            content: Some(b"buy"),
            ..Message::default()
        };
        match kind {
            Kind::Unmet => self.unmet(plain),
            Kind::HugeHistory => self.naming(plain, HUGE, Profile::Rfc),
            Kind::HugeSync => self.naming(Message { content: None, ..plain }, HUGE, Profile::Rfc),
            Kind::Replay => self.replay().unwrap_or_else(|| encode(Profile::Rfc, &plain)),
            Kind::Forged => match self.pick_overheard() {
                Some(id) => encode(Profile::Rfc, &Message { message_id: &id, ..plain }),
                None => encode(Profile::Rfc, &plain),
            },
            Kind::FarOff => {
                let stamps = [0, 1, now_ms - 86_400_000, now_ms + 86_400_000, now_ms * 2, u64::MAX];
                let stamp_ms = stamps[self.rng.usize(0..stamps.len())];
                encode(Profile::Rfc, &Message { lamport_timestamp_ms: Some(stamp_ms), ..plain })
            }
            Kind::Ones => {
                let at = self.rng.usize(0..self.ones.len());
                self.ones[at] ^= 1 << self.rng.u32(0..8);
                encode(Profile::Rfc, &Message { bloom_filter: Some(&self.ones), content: None, ..plain })
            }
            Kind::SyncStorm => {
                let (profile, content) =
                    if self.rng.bool() { (Profile::Rfc, None) } else { (Profile::Libsds, Some(&b""[..])) };
                self.naming(Message { content, ..plain }, FEW, profile)
            }
            Kind::Claiming => self.claiming(Message { content: None, ..plain }),
            Kind::Asking => self.asking(Message { content: None, ..plain }),
        }
    }

    fn unmet(&mut self, message: Message<'_>) -> Vec<u8> {
        let size = self.rng.usize(1..16_384);
        let content = vec![self.rng.u8(..); size];
        self.naming(Message { content: Some(&content), ..message }, FEW, Profile::Rfc)
    }

    /// A message that names what does not exist, under the longest names.
    fn naming(&mut self, message: Message<'_>, count: usize, profile: Profile) -> Vec<u8> {
        let names: Vec<String> = (0..count).map(|number| format!("{:0>240}-{number:0>14}", self.rng.u64(..))).collect();
        let hint = (count < HUGE).then_some(&self.hint[..]);
        let entry = |name| HistoryEntry { message_id: name, retrieval_hint: hint, sender_id: Some(name) };
        let causal_history = names.iter().map(|name| entry(name.as_str())).collect();
        encode(profile, &Message { causal_history, ..message })
    }

    /// The latest are left out: their acknowledgements are to be honest ones.
    fn claiming(&mut self, message: Message<'_>) -> Vec<u8> {
        let sender = format!("{:0>255}", self.rng.u64(..));
        let entry = |id| HistoryEntry { message_id: id, ..HistoryEntry::default() };
        let causal_history = self.overheard.iter().rev().skip(OPEN).map(|id| entry(id.as_str())).collect();
        encode(Profile::Rfc, &Message { sender_id: &sender, causal_history, ..message })
    }

    fn asking(&self, message: Message<'_>) -> Vec<u8> {
        let entry = |id| HistoryEntry { message_id: id, ..HistoryEntry::default() };
        let repair_request = self.overheard.iter().rev().take(60).map(|id| entry(id.as_str())).collect();
        encode(Profile::Rfc, &Message { repair_request, ..message })
    }

    fn replay(&mut self) -> Option<Vec<u8>> {
        let at = self.rng.usize(0..self.old.len().max(1));
        self.old.get(at).cloned()
    }

    fn pick_overheard(&mut self) -> Option<String> {
        let at = self.rng.usize(0..self.overheard.len().max(1));
        self.overheard.get(at).cloned()
    }
}

fn encode(profile: Profile, message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::encode(profile, message, &mut bytes);
    bytes
}
