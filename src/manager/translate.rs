//! Messages into the bytes that a channel writes.

use bytes::Bytes;

use crate::channel::{Channel, Draft};
use crate::config::Config;
use crate::error::Error;
use crate::types::{Message, Profile};
use crate::wire;

/// A message in a format. Refused if it is larger than peers accept.
pub(super) fn encode(profile: Profile, message: &Message<'_>, config: &Config) -> Result<Bytes, Error> {
    let mut bytes = Vec::new();
    wire::encode(profile, message, &mut bytes);
    let (size, limit) = (bytes.len(), config.max_message_bytes);
    if size > limit {
        return Err(Error::MessageTooLarge { size, limit });
    }
    Ok(bytes.into())
}

/// A drafted message in the channel's format; without what need not be there, if it is too large with it.
pub(super) fn encode_draft(
    channel: &Channel,
    draft: &mut Draft,
    content: Option<&[u8]>,
    config: &Config,
) -> Result<Bytes, Error> {
    let first = encode(channel.profile(), &channel.message(draft, content), config);
    if first.is_ok() || draft.is_lean() {
        return first;
    }
    draft.make_lean();
    encode(channel.profile(), &channel.message(draft, content), config)
}

/// A message that came in the other format, in the channel's own, which all its members read; `None` if it is in that
/// already. What the format cannot say must not change, or logs differ for ever: a message whose timestamp is no whole
/// second stays as it came, and so does one whose id, derived from it, would not fit it any more.
pub(super) fn translate(bytes: &Bytes, channel: &Channel, config: &Config) -> Option<Bytes> {
    let (profile, mut message) = wire::decode_kept(bytes).ok()?;
    if profile == channel.profile() || channel.options().derived_ids {
        return None;
    }
    // A filter in the other format's layout is none in this one.
    message.bloom_filter = None;
    let translated = encode(channel.profile(), &message, config).ok()?;
    let same = wire::decode_kept(&translated).ok()?.1.lamport_timestamp_ms == message.lamport_timestamp_ms;
    same.then_some(translated)
}
