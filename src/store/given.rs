//! The records that a host kept, to start from.

use super::{LogItem, Store, Write};
use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::record::{Key, Kind, StoredMessage, Wanted};
use crate::types::ChannelId;

/// Records that are read once, when their channel comes into memory. The host keeps them: nothing is written here.
#[derive(Debug, Default)]
pub struct Given {
    manager: Option<Vec<u8>>,
    /// Ascending by id.
    channels: Vec<Channel>,
}

#[derive(Debug)]
struct Channel {
    id: ChannelId,
    /// Ascending by key.
    records: Vec<(Key, Vec<u8>)>,
}

impl Given {
    /// Takes records in any order. Of two under one key the later one counts.
    pub fn of(records: impl IntoIterator<Item = (ChannelId, Key, Vec<u8>)>) -> Self {
        let mut records: Vec<_> = records.into_iter().collect();
        records.sort_by(|(a, x, _), (b, y, _)| (a, x).cmp(&(b, y)));
        let mut all = Self::default();
        for (id, key, value) in records {
            if id.is_empty() {
                all.manager = Some(value);
                continue;
            }
            if all.channels.last().is_none_or(|last| last.id != id) {
                all.channels.push(Channel { id, records: Vec::new() });
            }
            let Some(channel) = all.channels.last_mut() else { continue };
            match channel.records.last_mut().filter(|last| last.0 == key) {
                Some(last) => last.1 = value,
                None => channel.records.push((key, value)),
            }
        }
        all
    }

    fn place(&self, channel_id: &str) -> Option<usize> {
        self.channels.binary_search_by(|channel| channel.id.as_str().cmp(channel_id)).ok()
    }

    fn channel(&self, channel_id: &str) -> Option<&Channel> {
        self.channels.get(self.place(channel_id)?)
    }
}

impl Channel {
    fn get(&self, key: Key) -> Option<&Vec<u8>> {
        let place = self.records.binary_search_by_key(&key, |record| record.0).ok()?;
        self.records.get(place).map(|record| &record.1)
    }

    /// The records from a key on.
    fn from(&self, key: Key) -> impl Iterator<Item = &(Key, Vec<u8>)> {
        let start = self.records.partition_point(|record| record.0 < key);
        self.records.iter().skip(start)
    }
}

/// The key of the message of that number.
fn message_key(number: u64) -> Key {
    Key { kind: Kind::Message, id: number.into() }
}

fn message(key: Key, value: &[u8]) -> Result<StoredMessage, StoreError> {
    let number = u64::try_from(key.id).map_err(|_| StoreError::Damaged("a message without a number".to_owned()))?;
    Ok(StoredMessage::decode(number, value)?)
}

/// What is asked of stores that are written to.
fn read_only<T>() -> Result<T, StoreError> {
    Err(StoreError::ReadOnly("the host keeps the records".to_owned()))
}

impl Store for Given {
    fn manager(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.manager.clone())
    }

    fn heads(&mut self) -> Result<Vec<(ChannelId, Vec<u8>)>, StoreError> {
        let no_head = || StoreError::Damaged("a channel without its head".to_owned());
        let head = |channel: &Channel| Ok((channel.id.clone(), channel.get(Key::HEAD).ok_or_else(no_head)?.clone()));
        self.channels.iter().map(head).collect()
    }

    fn head(&mut self, channel_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.channel(channel_id).and_then(|channel| channel.get(Key::HEAD).cloned()))
    }

    fn records(&mut self, channel_id: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let Some(channel) = self.channel(channel_id) else { return Ok(Vec::new()) };
        let is_small = |key: &Key| !matches!(key.kind, Kind::Head | Kind::Message);
        Ok(channel.records.iter().filter(|(key, _)| is_small(key)).cloned().collect())
    }

    fn messages(&mut self, channel_id: &str, wanted: &Wanted) -> Result<Vec<StoredMessage>, StoreError> {
        let Some(channel) = self.channel(channel_id) else { return Ok(Vec::new()) };
        let mut messages = Vec::new();
        for number in &wanted.numbers {
            let key = message_key(*number);
            if let Some(value) = channel.get(key) {
                messages.push(message(key, value)?);
            }
        }
        let rest = channel.from(message_key(wanted.from)).take_while(|(key, _)| key.kind == Kind::Message);
        for (key, value) in rest {
            messages.push(message(*key, value)?);
        }
        Ok(messages)
    }

    fn was_received(&mut self, _channel_id: &str, _hash: IdHash) -> Result<bool, StoreError> {
        read_only()
    }

    fn page(&mut self, _: &str, _after: Option<(u64, &str)>, _limit: usize) -> Result<Vec<LogItem>, StoreError> {
        read_only()
    }

    fn commit(&mut self, _batch: &[Write]) -> Result<(), StoreError> {
        read_only()
    }

    fn release(&mut self, channel_id: &str) {
        // Its place stays: there may be many.
        if let Some(channel) = self.place(channel_id).and_then(|place| self.channels.get_mut(place)) {
            channel.records = Vec::new();
        }
    }
}
