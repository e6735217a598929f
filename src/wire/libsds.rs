//! The message of nim-sds, as the Status app speaks it.

use super::Fields;
use super::write::{Sink, put_entries};
use crate::error::DecodeError;
use crate::types::{Message, Profile};

pub(super) const FIELDS: Fields =
    Fields { message_id: 1, timestamp: 2, history: 3, channel_id: 4, content: 5, filter: 6, sender_id: 7, repair: 13 };

/// Timestamps are seconds on the wire.
const MS_PER_TIMESTAMP: u64 = 1_000;

/// Checks what this profile demands, and turns its seconds into milliseconds.
pub(super) fn read(mut message: Message<'_>) -> Result<Message<'_>, DecodeError> {
    let refuse = |what| Err(DecodeError::Malformed { profile: Profile::Libsds.name(), what });
    let Some(seconds) = message.lamport_timestamp_ms else { return refuse("no timestamp") };
    if message.content.is_none() {
        return refuse("no content");
    }
    message.lamport_timestamp_ms = Some(seconds.saturating_mul(MS_PER_TIMESTAMP));
    Ok(message)
}

/// Writes the fields in number order, as nim-sds does. The sender is left out when empty; all else it insists on.
pub(super) fn write(message: &Message<'_>, out: &mut impl Sink) {
    out.put_bytes(FIELDS.message_id, message.message_id.as_bytes());
    // Division also keeps it far below 2^63, from which on a timestamp ends the process of nim-sds.
    out.put_number(FIELDS.timestamp, message.lamport_timestamp_ms.unwrap_or(0) / MS_PER_TIMESTAMP);
    put_entries(out, FIELDS.history, &message.causal_history, Profile::Libsds);
    out.put_bytes(FIELDS.channel_id, message.channel_id.as_bytes());
    out.put_bytes(FIELDS.content, message.content.unwrap_or_default());
    out.put_bytes(FIELDS.filter, message.bloom_filter.unwrap_or_default());
    out.put_text(FIELDS.sender_id, message.sender_id);
    put_entries(out, FIELDS.repair, &message.repair_request, Profile::Libsds);
}
