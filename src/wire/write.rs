//! Writing fields: the same walk over a message once counts its bytes and once writes them.

use prost::encoding::{WireType, encode_varint, encoded_len_varint, key_len};

use super::entry_field;
use crate::types::{HistoryEntry, Profile};

/// Where fields go.
pub(super) trait Sink {
    /// A number, whatever it is.
    fn put_number(&mut self, field: u32, value: u64);
    /// Bytes, even none.
    fn put_bytes(&mut self, field: u32, value: &[u8]);
    /// The head of a nested message that is written next.
    fn open(&mut self, field: u32, length: usize);

    /// Text, unless it is empty.
    fn put_text(&mut self, field: u32, value: &str) {
        if !value.is_empty() {
            self.put_bytes(field, value.as_bytes());
        }
    }
}

/// Counts bytes instead of writing them.
#[derive(Default)]
pub(super) struct Length(pub usize);

impl Length {
    fn add(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
    }
}

impl Sink for Length {
    fn put_number(&mut self, field: u32, value: u64) {
        self.add(key_len(field).saturating_add(encoded_len_varint(value)));
    }

    fn put_bytes(&mut self, field: u32, value: &[u8]) {
        self.open(field, value.len());
        self.add(value.len());
    }

    fn open(&mut self, field: u32, length: usize) {
        self.put_number(field, length as u64);
    }
}

impl Sink for Vec<u8> {
    fn put_number(&mut self, field: u32, value: u64) {
        put_varint(self, key(field, WireType::Varint));
        put_varint(self, value);
    }

    // With the field's number known, the key is a constant. WebAssembly is to be small instead.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn put_bytes(&mut self, field: u32, value: &[u8]) {
        self.open(field, value.len());
        self.extend_from_slice(value);
    }

    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn open(&mut self, field: u32, length: usize) {
        let key = key(field, WireType::LengthDelimited);
        if let (Ok(key @ ..0x80), Ok(length @ ..0x80)) = (u8::try_from(key), u8::try_from(length)) {
            return self.extend_from_slice(&[key, length]);
        }
        put_varint(self, key);
        put_varint(self, length as u64);
    }
}

fn key(field: u32, wire_type: WireType) -> u64 {
    u64::from(field) << 3 | wire_type as u64
}

/// Nearly all numbers in a message are keys and lengths of one byte, for which the general way takes several times as
/// long as writing the byte.
fn put_varint(out: &mut Vec<u8>, value: u64) {
    match u8::try_from(value) {
        Ok(byte @ ..0x80) => out.push(byte),
        _ => encode_varint(value, out),
    }
}

/// Writes a list of entries.
pub(super) fn put_entries(out: &mut impl Sink, field: u32, entries: &[HistoryEntry<'_>], profile: Profile) {
    for entry in entries {
        let mut length = Length::default();
        put_entry(&mut length, entry, profile);
        out.open(field, length.0);
        put_entry(out, entry, profile);
    }
}

fn put_entry(out: &mut impl Sink, entry: &HistoryEntry<'_>, profile: Profile) {
    let sender_id = entry.sender_id.map(str::as_bytes);
    match profile {
        Profile::Rfc => {
            out.put_text(entry_field::MESSAGE_ID, entry.message_id);
            put_present(out, entry_field::HINT, entry.retrieval_hint);
            put_present(out, entry_field::SENDER_ID, sender_id);
        }
        // nim-sds insists on the id, even an empty one, and does not tell an empty hint or sender from none.
        Profile::Libsds => {
            out.put_bytes(entry_field::MESSAGE_ID, entry.message_id.as_bytes());
            put_present(out, entry_field::HINT, entry.retrieval_hint.filter(|hint| !hint.is_empty()));
            put_present(out, entry_field::SENDER_ID, sender_id.filter(|sender| !sender.is_empty()));
        }
    }
}

fn put_present(out: &mut impl Sink, field: u32, value: Option<&[u8]>) {
    if let Some(value) = value {
        out.put_bytes(field, value);
    }
}
