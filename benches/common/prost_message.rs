//! The baseline: the same message as prost derives it, with owned fields, as a plain program would have it.

use prost::Message;
use sds::types::Profile;

/// An entry of a causal history.
#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    #[prost(string, tag = "1")]
    pub message_id: String,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub retrieval_hint: Option<Vec<u8>>,
    #[prost(string, optional, tag = "3")]
    pub sender_id: Option<String>,
}

/// The message of the rfc profile.
#[derive(Clone, PartialEq, Message)]
pub struct Rfc {
    #[prost(string, tag = "1")]
    pub sender_id: String,
    #[prost(string, tag = "2")]
    pub message_id: String,
    #[prost(string, tag = "3")]
    pub channel_id: String,
    #[prost(uint64, optional, tag = "10")]
    pub lamport_timestamp: Option<u64>,
    #[prost(message, repeated, tag = "11")]
    pub causal_history: Vec<Entry>,
    #[prost(bytes = "vec", optional, tag = "12")]
    pub bloom_filter: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "13")]
    pub repair_request: Vec<Entry>,
    #[prost(bytes = "vec", optional, tag = "20")]
    pub content: Option<Vec<u8>>,
}

/// The message of the libsds profile.
#[derive(Clone, PartialEq, Message)]
pub struct Libsds {
    #[prost(string, tag = "1")]
    pub message_id: String,
    #[prost(uint64, tag = "2")]
    pub lamport_timestamp: u64,
    #[prost(message, repeated, tag = "3")]
    pub causal_history: Vec<Entry>,
    #[prost(string, tag = "4")]
    pub channel_id: String,
    #[prost(bytes = "vec", tag = "5")]
    pub content: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    pub bloom_filter: Vec<u8>,
    #[prost(string, tag = "7")]
    pub sender_id: String,
    #[prost(message, repeated, tag = "13")]
    pub repair_request: Vec<Entry>,
}

/// A message of either profile.
pub enum Either {
    Rfc(Rfc),
    Libsds(Libsds),
}

impl Either {
    /// Decodes a message that we encoded.
    pub fn decode(profile: Profile, bytes: &[u8]) -> Self {
        match profile {
            Profile::Rfc => Rfc::decode(bytes).map(Either::Rfc),
            Profile::Libsds => Libsds::decode(bytes).map(Either::Libsds),
        }
        .expect("prost reads what we write")
    }

    /// Encodes it into a fresh vector.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Either::Rfc(message) => message.encode_to_vec(),
            Either::Libsds(message) => message.encode_to_vec(),
        }
    }

    /// The bytes of its filter.
    pub fn filter(&self) -> &[u8] {
        match self {
            Either::Rfc(message) => message.bloom_filter.as_deref().unwrap_or_default(),
            Either::Libsds(message) => &message.bloom_filter,
        }
    }
}
