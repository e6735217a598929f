//! What a host that keeps the records itself gave of them: the records of channels that are not read yet, and of every channel
//! which messages the host keeps.

use super::ids::Ids;
use super::{LogItem, Page, Store, Write};
use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::record::{Change, Key, Kind, StoredMessage, Value, Wanted};
use crate::types::ChannelId;

/// The records of a host. What it is given to write is noted here as well, as far as it may be read again.
#[derive(Debug, Default)]
pub(crate) struct Given {
    manager: Option<Vec<u8>>,
    /// In the order of their ids.
    channels: Vec<(ChannelId, Box<Channel>)>,
}

#[derive(Debug, Default)]
struct Channel {
    /// In the order of their keys. None once the channel was read, and of one that is new.
    records: Vec<(Key, Vec<u8>)>,
    ids: Ids,
}

impl Given {
    /// Takes in such records, in any order. Those it cannot place are damaged.
    pub fn of(records: impl IntoIterator<Item = (ChannelId, Key, Vec<u8>)>) -> Result<Self, StoreError> {
        let mut records: Vec<_> = records.into_iter().collect();
        records.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let mut given = Self::default();
        for (channel_id, key, value) in records {
            if channel_id.is_empty() {
                given.manager = Some(value);
            } else {
                given.channel_or_new(&channel_id).add(key, value)?;
            }
        }
        Ok(given)
    }

    /// Where the channel of that id is, or would be.
    fn place(&self, channel_id: &str) -> Result<usize, usize> {
        match self.channels.last() {
            Some((last, _)) if **last < *channel_id => Err(self.channels.len()),
            _ => self.channels.binary_search_by(|(id, _)| (**id).cmp(channel_id)),
        }
    }

    fn channel(&mut self, channel_id: &str) -> Option<&mut Channel> {
        let place = self.place(channel_id).ok()?;
        self.channels.get_mut(place).map(|(_, channel)| &mut **channel)
    }

    fn channel_or_new(&mut self, channel_id: &ChannelId) -> &mut Channel {
        let place = self.place(channel_id).unwrap_or_else(|place| {
            self.channels.insert(place, (channel_id.clone(), Box::default()));
            place
        });
        &mut self.channels[place].1
    }
}

impl Channel {
    /// Takes in a record, in the order of their keys.
    fn add(&mut self, key: Key, value: Vec<u8>) -> Result<(), StoreError> {
        if key.kind == Kind::Message {
            let number = number(key)?;
            self.ids.put(number, StoredMessage::decode(number, &value)?.hash);
        }
        self.records.push((key, value));
        Ok(())
    }

    /// Where the record of that key is, or would be.
    fn place(&self, key: Key) -> Result<usize, usize> {
        self.records.binary_search_by(|record| record.0.cmp(&key))
    }

    fn head(&self) -> Option<Vec<u8>> {
        self.place(Key::HEAD).ok().and_then(|place| self.records.get(place)).map(|record| record.1.clone())
    }

    /// The host writes that.
    fn note(&mut self, change: &Change) {
        match &change.value {
            Some(Value::Message(message)) => self.ids.put(message.number, message.hash),
            None if change.key.kind == Kind::Message => number(change.key).map_or((), |number| self.ids.delete(number)),
            // Of channels that are not read, their heads are all that changes.
            Some(Value::Bytes(value)) => {
                if let Ok(place) = self.place(change.key)
                    && let Some(record) = self.records.get_mut(place)
                {
                    record.1.clone_from(value);
                }
            }
            None => {}
        }
    }
}

fn number(key: Key) -> Result<u64, StoreError> {
    u64::try_from(key.id).map_err(|_| StoreError::Damaged("a message without a number".to_owned()))
}

impl Store for Given {
    fn manager(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.manager.clone())
    }

    fn heads(&mut self) -> Result<Vec<(ChannelId, Vec<u8>)>, StoreError> {
        let no_head = || StoreError::Damaged("a channel without its head".to_owned());
        self.channels.iter().map(|(id, channel)| Ok((id.clone(), channel.head().ok_or_else(no_head)?))).collect()
    }

    fn head(&mut self, channel_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.channel(channel_id).and_then(|channel| channel.head()))
    }

    fn records(&mut self, channel_id: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let Some(channel) = self.channel(channel_id) else { return Ok(Vec::new()) };
        let is_small = |(key, _): &&(Key, Vec<u8>)| !matches!(key.kind, Kind::Head | Kind::Message);
        Ok(channel.records.iter().filter(is_small).cloned().collect())
    }

    fn messages(&mut self, channel_id: &str, wanted: &Wanted) -> Result<Vec<StoredMessage>, StoreError> {
        let Some(channel) = self.channel(channel_id) else { return Ok(Vec::new()) };
        let mut messages = Vec::new();
        for (key, value) in channel.records.iter().filter(|(key, _)| key.kind == Kind::Message) {
            let number = number(*key)?;
            if number >= wanted.from || wanted.numbers.binary_search(&number).is_ok() {
                messages.push(StoredMessage::decode(number, value)?);
            }
        }
        Ok(messages)
    }

    fn was_received(&mut self, channel_id: &str, hash: IdHash) -> Result<bool, StoreError> {
        Ok(self.channel(channel_id).is_some_and(|channel| channel.ids.contains(hash)))
    }

    /// The host has the log, and reads it itself.
    fn page(&mut self, _: &str, _: Option<(u64, &str)>, _: Page) -> Result<Vec<LogItem>, StoreError> {
        Ok(Vec::new())
    }

    fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        self.note(batch);
        Ok(())
    }

    fn release(&mut self, channel_id: &str) {
        if let Some(channel) = self.channel(channel_id) {
            channel.records = Vec::new();
        }
    }

    fn note(&mut self, batch: &[Write]) {
        for write in batch {
            match write {
                Write::Manager(_) => {}
                Write::Forget(channel_id) => drop(self.place(channel_id).map(|place| self.channels.remove(place))),
                Write::Wipe => *self = Self::default(),
                Write::Channel(channel_id, change) => self.channel_or_new(channel_id).note(change),
            }
        }
    }
}
