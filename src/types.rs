//! The protocol's nouns: identifiers, times, and the SDS message.
//!
//! RFC: Message

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Milliseconds since the Unix epoch.
pub type TimeMs = u64;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

id_type! {
    /// Names one message, for everybody and for ever. Ordered bytewise, as the log orders equal timestamps.
    MessageId
}
id_type! {
    /// Names one channel, that is, one group conversation.
    ChannelId
}
id_type! {
    /// Names one installation of one member. The empty one equals nobody's.
    ParticipantId
}

/// The two deployed wire formats. Both are always read; a channel writes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// RFC 109 as written, as spoken by `@waku/sds`.
    Rfc,
    /// What nim-sds speaks inside the Status app: other field numbers, seconds, another filter.
    Libsds,
}

impl Profile {
    /// `"rfc"` or `"libsds"`.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Rfc => "rfc",
            Profile::Libsds => "libsds",
        }
    }
}

/// A message named in a causal history or in a repair request, borrowed from the bytes that name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryEntry<'a> {
    /// The message that is named.
    pub message_id: &'a str,
    /// What the application needs to fetch it, such as the network's own hash of it.
    pub retrieval_hint: Option<&'a [u8]>,
    /// Who sent it originally.
    pub sender_id: Option<&'a str>,
}

/// An SDS message, borrowed from the bytes it was read from, or from the state it is written from.
///
/// Times are in milliseconds in both profiles: the wire layer converts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// The participant that sent it; may be empty.
    pub sender_id: &'a str,
    /// Its id.
    pub message_id: &'a str,
    /// The channel it belongs to.
    pub channel_id: &'a str,
    /// The sender's Lamport timestamp, in milliseconds; absent in ephemeral messages.
    pub lamport_timestamp_ms: Option<u64>,
    /// The messages that it causally depends on, in log order.
    pub causal_history: Vec<HistoryEntry<'a>>,
    /// The sender's filter of received ids, as the profile lays it out.
    pub bloom_filter: Option<&'a [u8]>,
    /// Messages the sender misses and asks for (SDS-R).
    pub repair_request: Vec<HistoryEntry<'a>>,
    /// The application's payload; absent or empty in sync messages.
    pub content: Option<&'a [u8]>,
}

/// What a message is for, told by the fields it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ordinary: logged, acknowledged, delivered in causal order.
    Content,
    /// State only: its history and filter are processed, and it leaves no other trace.
    Sync,
    /// Delivered at once and remembered nowhere.
    Ephemeral,
}

impl Message<'_> {
    /// The payload, when there is a non-empty one.
    pub fn payload(&self) -> Option<&[u8]> {
        self.content.filter(|content| !content.is_empty())
    }

    /// What the message is for (RFC 109, *Periodic Sync Message* and *Ephemeral Messages*).
    pub fn kind(&self) -> Kind {
        match (self.lamport_timestamp_ms, self.payload()) {
            (None, _) => Kind::Ephemeral,
            (Some(_), None) => Kind::Sync,
            (Some(_), Some(_)) => Kind::Content,
        }
    }
}

/// A [`HistoryEntry`] that outlives the bytes it came from: a message we know of by name only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The message that is named.
    pub message_id: MessageId,
    /// What the application needs to fetch it.
    pub retrieval_hint: Option<Arc<[u8]>>,
    /// Who sent it originally, as far as whoever named it said so.
    pub sender_id: Option<ParticipantId>,
}

impl Dependency {
    /// Takes over what `other` says of the same message and this one does not. Returns whether there was anything.
    pub fn fill_in(&mut self, other: &Self) -> bool {
        let before = (self.retrieval_hint.is_some(), self.sender_id.is_some());
        self.retrieval_hint = self.retrieval_hint.take().or_else(|| other.retrieval_hint.clone());
        self.sender_id = self.sender_id.take().or_else(|| other.sender_id.clone());
        before != (self.retrieval_hint.is_some(), self.sender_id.is_some())
    }
}

impl From<&HistoryEntry<'_>> for Dependency {
    fn from(entry: &HistoryEntry<'_>) -> Self {
        Self {
            message_id: entry.message_id.into(),
            retrieval_hint: entry.retrieval_hint.map(Arc::from),
            sender_id: entry.sender_id.map(ParticipantId::from),
        }
    }
}
