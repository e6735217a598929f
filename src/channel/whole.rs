//! Whole messages, as they came or went, kept where we may have to send them again.
//!
//! RFC: SDS-R participant state: augmented local history log

use bytes::Bytes;

use crate::types::{Message, Profile, TimeMs};

/// A message as it was received or sent.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub bytes: Bytes,
    /// The format of the bytes.
    pub profile: Profile,
    /// When it came or went.
    pub since_ms: TimeMs,
    /// Its content, a part of the bytes. Absent in messages of our own, whose bytes we know.
    content: Option<Bytes>,
}

impl Whole {
    /// A copy of a received message. `message` borrows from `bytes`.
    pub fn received(bytes: &[u8], message: &Message<'_>, profile: Profile, now_ms: TimeMs) -> Self {
        let copy = Bytes::copy_from_slice(bytes);
        let content = message.payload().unwrap_or_default();
        let from = (content.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        let within = from.checked_add(content.len()).is_some_and(|end| end <= copy.len());
        let content = if within { copy.slice(from..from + content.len()) } else { Bytes::copy_from_slice(content) };
        Self { bytes: copy, profile, since_ms: now_ms, content: Some(content) }
    }

    /// A message of ours, as it was sent.
    pub fn own(bytes: Bytes, profile: Profile, now_ms: TimeMs) -> Self {
        Self { bytes, profile, since_ms: now_ms, content: None }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Its content; empty in messages of our own.
    pub fn content(&self) -> Bytes {
        self.content.clone().unwrap_or_default()
    }

    /// Whether a received message is this one again, and not another under its id. A message may come in the other
    /// format the second time, so that its bytes need not be equal.
    pub fn is(&self, bytes: &[u8], message: &Message<'_>, profile: Profile) -> bool {
        match &self.content {
            Some(content) => message.payload().unwrap_or_default() == &content[..],
            None => profile != self.profile || bytes == &self.bytes[..],
        }
    }
}
