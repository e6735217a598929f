//! Whole messages, as they came or went, kept where we may have to send them again.
//!
//! RFC: SDS-R participant state: augmented local history log

use std::ops::Range;

use bytes::Bytes;

use super::clock::Now;
use crate::record::Damaged;
use crate::types::Message;
use crate::wire;

/// A message as it was received or sent.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub bytes: Bytes,
    /// When it came or went.
    pub since: Now,
    /// Where in the bytes its content is. Absent in messages of our own, whose bytes we know.
    content: Option<Range<u32>>,
}

impl Whole {
    /// A copy of a received message. `message` borrows from `bytes`.
    pub fn received(bytes: &[u8], message: &Message<'_>, now: Now) -> Self {
        let content = Self::content_range(bytes, message);
        Self { bytes: Bytes::copy_from_slice(bytes), since: now, content: Some(content) }
    }

    fn content_range(bytes: &[u8], message: &Message<'_>) -> Range<u32> {
        let content = message.payload().unwrap_or_default();
        let from = (content.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        let end = from.checked_add(content.len()).filter(|end| *end <= bytes.len());
        // Positions fit: messages are under 4 GiB, by the configuration.
        end.map_or(0..0, |end| from as u32..end as u32)
    }

    /// A message of ours, as it was sent.
    pub fn own(bytes: Bytes, now: Now) -> Self {
        Self { bytes, since: now, content: None }
    }

    /// One that was stored.
    pub fn restored(bytes: Bytes, sent: bool, since: Now) -> Result<Self, Damaged> {
        if sent {
            return Ok(Self::own(bytes, since));
        }
        let (_, message) = wire::decode_kept(&bytes).map_err(|_| Damaged("a message that does not decode"))?;
        let content = Self::content_range(&bytes, &message);
        Ok(Self { bytes, since, content: Some(content) })
    }

    /// The content of an encoded message; `None` if it has none.
    pub fn content_of(bytes: &Bytes) -> Option<Bytes> {
        let (_, message) = wire::decode_kept(bytes).ok()?;
        message.payload().map(|content| bytes.slice_ref(content))
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Its content; empty in messages of our own.
    pub fn content(&self) -> Bytes {
        let range = self.content.clone().unwrap_or_default();
        self.bytes.slice(range.start as usize..range.end as usize)
    }

    /// Whether a received message is this one again, and not another under its id. A message may come in the other
    /// format the second time, so that its bytes need not be equal.
    pub fn is(&self, bytes: &[u8], message: &Message<'_>) -> bool {
        if bytes == &self.bytes[..] {
            return true;
        }
        // Rare enough to look into it only now. A filter is not the same in both formats; all else that makes a message is.
        wire::decode_kept(&self.bytes).is_ok_and(|(_, mine)| {
            let names = |message: &Message<'_>| -> Vec<String> {
                message.causal_history.iter().map(|entry| entry.message_id.to_owned()).collect()
            };
            mine.sender_id == message.sender_id
                && mine.lamport_timestamp_ms == message.lamport_timestamp_ms
                && mine.payload() == message.payload()
                && names(&mine) == names(message)
        })
    }
}
