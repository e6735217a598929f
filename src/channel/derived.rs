//! Message ids that are derived from their message, for senders and receivers.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// An id derived from its message: SHA-256 in hex over channel, sender, timestamp and content, each preceded by its
/// length in bytes as a big-endian u64, the timestamp as a big-endian u64 of milliseconds. Equal payloads get two ids.
pub fn derive_message_id(channel_id: &str, sender_id: &str, lamport_timestamp_ms: u64, content: &[u8]) -> String {
    let mut hasher = Sha256::new();
    for part in [channel_id.as_bytes(), sender_id.as_bytes(), &lamport_timestamp_ms.to_be_bytes(), content] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
