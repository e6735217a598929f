//! The message of RFC 109, as `@waku/sds` speaks it.

use super::Fields;
use super::write::{Sink, put_entries};
use crate::error::DecodeError;
use crate::types::{Message, Profile};

pub(super) const FIELDS: Fields = Fields {
    sender_id: 1,
    message_id: 2,
    channel_id: 3,
    timestamp: 10,
    history: 11,
    filter: 12,
    repair: 13,
    content: 20,
};

/// Checks what this profile demands. Times are in milliseconds on the wire.
pub(super) fn read(message: Message<'_>) -> Result<Message<'_>, DecodeError> {
    if message.lamport_timestamp_ms.is_none() && message.payload().is_none() {
        return Err(DecodeError::Malformed { profile: Profile::Rfc.name(), what: "neither timestamp nor content" });
    }
    Ok(message)
}

/// Writes the fields in number order; empty texts and absent fields not at all.
pub(super) fn write(message: &Message<'_>, out: &mut impl Sink) {
    out.put_text(FIELDS.sender_id, message.sender_id);
    out.put_text(FIELDS.message_id, message.message_id);
    out.put_text(FIELDS.channel_id, message.channel_id);
    if let Some(timestamp_ms) = message.lamport_timestamp_ms {
        out.put_number(FIELDS.timestamp, timestamp_ms);
    }
    put_entries(out, FIELDS.history, &message.causal_history, Profile::Rfc);
    if let Some(filter) = message.bloom_filter {
        out.put_bytes(FIELDS.filter, filter);
    }
    put_entries(out, FIELDS.repair, &message.repair_request, Profile::Rfc);
    if let Some(content) = message.content {
        out.put_bytes(FIELDS.content, content);
    }
}
