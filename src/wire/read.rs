//! Reading fields: the walk over protobuf bytes that both profiles share, and the limits that hold on it.

use prost::encoding::{WireType, decode_varint, encoded_len_varint};

use super::{entry_field, fields};
use crate::config::Config;
use crate::error::DecodeError;
use crate::types::{HistoryEntry, Message, Profile};

/// The value of one field, as far as anybody here uses it.
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// A fixed-width number, which no field of ours is.
    Other,
}

/// Goes over the fields of one (nested) message.
pub(super) struct Walk<'a> {
    rest: &'a [u8],
    profile: Profile,
}

impl<'a> Walk<'a> {
    pub fn new(bytes: &'a [u8], profile: Profile) -> Self {
        Self { rest: bytes, profile }
    }

    /// The next field and its number; `None` at the end.
    pub fn next_field(&mut self) -> Result<Option<(u32, Value<'a>)>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = u32::try_from(self.varint()?).map_err(|_| self.malformed("a field number out of range"))?;
        let wire_type = WireType::try_from(u64::from(key & 7)).map_err(|_| self.malformed("an unknown wire type"))?;
        let number = key >> 3;
        if number == 0 {
            return Err(self.malformed("field number 0"));
        }
        let value = match wire_type {
            WireType::Varint => Value::Number(self.varint()?),
            WireType::LengthDelimited => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            WireType::SixtyFourBit => self.take(8).map(|_| Value::Other)?,
            WireType::ThirtyTwoBit => self.take(4).map(|_| Value::Other)?,
            WireType::StartGroup | WireType::EndGroup => return Err(self.malformed("a group")),
        };
        Ok(Some((number, value)))
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        // Nearly all keys and lengths have one byte, for which the general way takes several times as long.
        match self.rest.split_first() {
            Some((byte @ ..0x80, rest)) => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let before = self.rest.len();
        let value = decode_varint(&mut self.rest).map_err(|_| self.malformed("a broken varint"))?;
        // nim-sds refuses an encoding longer than need be, and what it refuses must not make a difference here.
        if self.profile == Profile::Libsds && before.saturating_sub(self.rest.len()) != encoded_len_varint(value) {
            return Err(self.malformed("an overlong varint"));
        }
        Ok(value)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (value, rest) = split.ok_or_else(|| self.malformed("a field beyond the end"))?;
        self.rest = rest;
        Ok(value)
    }

    fn malformed(&self, what: &'static str) -> DecodeError {
        DecodeError::Malformed { profile: self.profile.name(), what }
    }
}

/// The limits on received fields, out of the configuration.
pub(super) struct Limits {
    id_bytes: usize,
    hint_bytes: usize,
    history_entries: usize,
    repair_entries: usize,
}

impl Limits {
    pub const NONE: Self =
        Self { id_bytes: usize::MAX, hint_bytes: usize::MAX, history_entries: usize::MAX, repair_entries: usize::MAX };

    pub fn of(config: &Config) -> Self {
        Self {
            id_bytes: config.max_id_bytes,
            hint_bytes: config.max_hint_bytes,
            history_entries: config.max_history_entries,
            repair_entries: config.max_repair_entries,
        }
    }

    /// Whether this can be the id of anything.
    pub fn is_readable(&self, id: &[u8]) -> bool {
        !id.is_empty() && self.text("id", id).is_ok()
    }

    fn text<'a>(&self, field: &'static str, bytes: &'a [u8]) -> Result<&'a str, DecodeError> {
        at_most(field, bytes, self.id_bytes)?;
        std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8(field))
    }

    fn non_empty<'a>(&self, field: &'static str, bytes: &'a [u8]) -> Result<&'a str, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Empty(field));
        }
        self.text(field, bytes)
    }
}

fn at_most(field: &'static str, bytes: &[u8], limit: usize) -> Result<(), DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLarge { field, size: bytes.len(), limit });
    }
    Ok(())
}

/// A message as it comes off the walk: its own ids not yet looked at, its entries checked.
#[derive(Default)]
pub(super) struct Raw<'a> {
    pub message_id: &'a [u8],
    pub channel_id: &'a [u8],
    sender_id: &'a [u8],
    timestamp: Option<u64>,
    history: Vec<HistoryEntry<'a>>,
    filter: Option<&'a [u8]>,
    repair: Vec<HistoryEntry<'a>>,
    content: Option<&'a [u8]>,
}

impl<'a> Raw<'a> {
    /// Takes in all fields. After an error, those before it are there.
    pub fn read(&mut self, bytes: &'a [u8], profile: Profile, limits: &Limits) -> Result<(), DecodeError> {
        let numbers = fields(profile);
        let mut walk = Walk::new(bytes, profile);
        while let Some((number, value)) = walk.next_field()? {
            match value {
                Value::Number(value) if number == numbers.timestamp => self.timestamp = Some(value),
                Value::Number(_) | Value::Other => {}
                Value::Bytes(value) if number == numbers.message_id => self.message_id = value,
                Value::Bytes(value) if number == numbers.channel_id => self.channel_id = value,
                Value::Bytes(value) if number == numbers.sender_id => self.sender_id = value,
                Value::Bytes(value) if number == numbers.content => self.content = Some(value),
                Value::Bytes(value) if number == numbers.filter => self.filter = Some(value),
                Value::Bytes(value) if number == numbers.history => {
                    push(&mut self.history, value, profile, limits, "causal history", limits.history_entries)?;
                }
                Value::Bytes(value) if number == numbers.repair => {
                    push(&mut self.repair, value, profile, limits, "repair request", limits.repair_entries)?;
                }
                Value::Bytes(_) => {}
            }
        }
        Ok(())
    }

    /// Checks what is left to check. The timestamp stays in the unit of the wire.
    pub fn into_message(self, limits: &Limits) -> Result<Message<'a>, DecodeError> {
        Ok(Message {
            message_id: limits.non_empty("message id", self.message_id)?,
            channel_id: limits.non_empty("channel id", self.channel_id)?,
            sender_id: limits.text("sender id", self.sender_id)?,
            lamport_timestamp_ms: self.timestamp,
            causal_history: self.history,
            bloom_filter: self.filter,
            repair_request: self.repair,
            content: self.content,
        })
    }
}

/// Reads one entry of a list, unless the list is full.
fn push<'a>(
    list: &mut Vec<HistoryEntry<'a>>,
    bytes: &'a [u8],
    profile: Profile,
    limits: &Limits,
    field: &'static str,
    limit: usize,
) -> Result<(), DecodeError> {
    if list.len() >= limit {
        return Err(DecodeError::TooMany { field, limit });
    }
    list.push(read_entry(bytes, profile, limits)?);
    Ok(())
}

fn read_entry<'a>(bytes: &'a [u8], profile: Profile, limits: &Limits) -> Result<HistoryEntry<'a>, DecodeError> {
    let mut walk = Walk::new(bytes, profile);
    let (mut message_id, mut hint, mut sender_id) = (None, None, None);
    while let Some((number, value)) = walk.next_field()? {
        match (number, value) {
            (entry_field::MESSAGE_ID, Value::Bytes(value)) => message_id = Some(value),
            (entry_field::HINT, Value::Bytes(value)) => hint = Some(value),
            (entry_field::SENDER_ID, Value::Bytes(value)) => sender_id = Some(value),
            _ => {}
        }
    }
    // In libsds, even an empty id is written; in rfc, an empty one is not.
    if profile == Profile::Libsds && message_id.is_none() {
        return Err(walk.malformed("an entry without message id"));
    }
    if let Some(hint) = hint {
        at_most("retrieval hint", hint, limits.hint_bytes)?;
    }
    Ok(HistoryEntry {
        message_id: limits.text("message id in an entry", message_id.unwrap_or_default())?,
        retrieval_hint: hint,
        sender_id: sender_id.map(|sender| limits.text("sender id in an entry", sender)).transpose()?,
    })
}
