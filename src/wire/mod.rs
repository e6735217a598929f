//! Bytes to [`Message`] and back, in both deployed profiles, without copying.
//!
//! RFC: SDS-R message fields
//!
//! Reading a message borrows everything from its bytes; only the two lists of entries are allocated. Checks are made in
//! this order, and the first that fails is reported:
//!
//! 1. the whole is not over `max_message_bytes`;
//! 2. its first field 2 tells the profile ([`detect`]); without one it is not SDS;
//! 3. if neither the message id nor the channel id is readable (not empty, UTF-8, within `max_id_bytes`), it is not SDS,
//!    whatever else may be wrong, so that a host can hand traffic of other kinds over untouched;
//! 4. every field parses, and every entry of the lists: their number, ids and hints are within limits as they come;
//! 5. message id, channel id, sender: not empty (the sender may be), not too long, UTF-8;
//! 6. what the profile demands to be present.
//!
//! A filter is not looked into here: whoever reads it refuses it, and the message goes on without it. A known field of the wrong
//! wire type is skipped like an unknown one. Of a field that comes twice, the last counts. Groups are refused.

// Bytes of strangers come here: nothing overflows and no index is out of bounds, or it says why it cannot.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod libsds;
mod read;
mod rfc;
mod write;

use crate::config::Config;
use crate::error::DecodeError;
use crate::types::{HistoryEntry, Message, Profile};
use read::{Limits, Raw, Walk};
use write::{Length, Sink};

/// The field numbers of a profile.
struct Fields {
    sender_id: u32,
    message_id: u32,
    channel_id: u32,
    timestamp: u32,
    history: u32,
    filter: u32,
    repair: u32,
    content: u32,
}

/// The field numbers of an entry in either list, the same in both profiles.
mod entry_field {
    pub const MESSAGE_ID: u32 = 1;
    pub const HINT: u32 = 2;
    pub const SENDER_ID: u32 = 3;
}

/// The field that both profiles use, for different things: a timestamp in libsds, the message id in rfc.
const TELLING_FIELD: u32 = 2;

fn fields(profile: Profile) -> &'static Fields {
    match profile {
        Profile::Rfc => &rfc::FIELDS,
        Profile::Libsds => &libsds::FIELDS,
    }
}

/// Tells the profile of a message by its first field 2: a number in libsds, text in rfc.
pub fn detect(bytes: &[u8]) -> Result<Profile, DecodeError> {
    // Which profile's rules the fields before it follow is not known yet: the lenient ones'.
    let mut walk = Walk::new(bytes, Profile::Rfc);
    loop {
        match walk.next_field() {
            Ok(Some((TELLING_FIELD, read::Value::Number(_)))) => return Ok(Profile::Libsds),
            Ok(Some((TELLING_FIELD, read::Value::Bytes(_)))) => return Ok(Profile::Rfc),
            Ok(Some(_)) => {}
            Ok(None) => return Err(DecodeError::NotSds("it has no field 2")),
            Err(_) => return Err(DecodeError::NotSds("it does not parse")),
        }
    }
}

/// Reads a message of either profile, within the limits of the configuration.
pub fn decode<'a>(bytes: &'a [u8], limits: &Config) -> Result<(Profile, Message<'a>), DecodeError> {
    if bytes.len() > limits.max_message_bytes {
        return Err(DecodeError::TooLarge { field: "message", size: bytes.len(), limit: limits.max_message_bytes });
    }
    decode_within(bytes, &Limits::of(limits))
}

/// Reads a message that was taken in or made here before, whatever the limits are by now.
pub fn decode_kept(bytes: &[u8]) -> Result<(Profile, Message<'_>), DecodeError> {
    decode_within(bytes, &Limits::NONE)
}

fn decode_within<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Profile, Message<'a>), DecodeError> {
    let profile = detect(bytes)?;
    let mut raw = Raw::default();
    let walked = raw.read(bytes, profile, limits);
    if !limits.is_readable(raw.message_id) && !limits.is_readable(raw.channel_id) {
        return Err(DecodeError::NotSds("it has neither a readable message id nor a readable channel id"));
    }
    walked?;
    let message = raw.into_message(limits)?;
    let message = match profile {
        Profile::Rfc => rfc::read(message)?,
        Profile::Libsds => libsds::read(message)?,
    };
    Ok((profile, message))
}

/// The size of a message in a profile, in bytes.
pub fn encoded_len(profile: Profile, message: &Message<'_>) -> usize {
    let mut length = Length::default();
    put(profile, message, &mut length);
    length.0
}

/// Appends a message in a profile to `out`, reserving about its size, and no less.
///
/// What a profile cannot express is left out or filled in: the libsds profile writes 0 for an absent timestamp, and empty
/// bytes for an absent filter or content, without which its readers refuse a message.
pub fn encode(profile: Profile, message: &Message<'_>, out: &mut Vec<u8>) {
    out.reserve_exact(greatest_len(message));
    put(profile, message, out);
}

/// What a message can take at most, in any profile: told without a walk over its fields.
fn greatest_len(message: &Message<'_>) -> usize {
    /// A key of two bytes, and a length or number of ten.
    const HEAD: usize = 12;
    let entries = message.causal_history.iter().chain(&message.repair_request);
    let entry_len = |entry: &HistoryEntry<'_>| {
        let hint = entry.retrieval_hint.map_or(0, <[u8]>::len);
        let sender_id = entry.sender_id.map_or(0, str::len);
        [entry.message_id.len(), hint, sender_id].into_iter().fold(4 * HEAD, usize::saturating_add)
    };
    let ids = [message.sender_id, message.message_id, message.channel_id].map(str::len);
    let bytes = [message.bloom_filter, message.content].map(|bytes| bytes.map_or(0, <[u8]>::len));
    ids.into_iter().chain(bytes).chain(entries.map(entry_len)).fold(6 * HEAD, usize::saturating_add)
}

fn put(profile: Profile, message: &Message<'_>, out: &mut impl Sink) {
    match profile {
        Profile::Rfc => rfc::write(message, out),
        Profile::Libsds => libsds::write(message, out),
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod tests;
