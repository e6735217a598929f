//! Records in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::locks::Mutex;

use super::{LogItem, Page, Store, Write};
use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::record::{Change, Key, Kind, StoredMessage, Value, Wanted};
use crate::types::ChannelId;

/// Records in memory. Clones share them, so that what one manager left, another can be opened on.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Records>>);

#[derive(Debug, Default)]
struct Records {
    manager: Option<Vec<u8>>,
    channels: BTreeMap<ChannelId, Channel>,
}

#[derive(Debug, Default)]
struct Channel {
    records: BTreeMap<Key, Vec<u8>>,
    received: BTreeSet<IdHash>,
    /// Timestamp, id and number of each message.
    order: BTreeSet<(u64, String, u64)>,
}

impl Memory {
    /// Every record, as a host would keep them: the manager's under the empty channel id.
    pub fn all(&self) -> Vec<(ChannelId, Key, Vec<u8>)> {
        let records = self.0.lock();
        let manager = records.manager.iter().map(|value| (ChannelId::from(""), Key::HEAD, value.clone()));
        let of_channel = |(id, channel): (&ChannelId, &Channel)| {
            channel.records.iter().map(|(key, value)| (id.clone(), *key, value.clone())).collect::<Vec<_>>()
        };
        manager.chain(records.channels.iter().flat_map(of_channel)).collect()
    }

    /// A store of such records, in any order. Those it cannot place are damaged.
    pub fn of(records: impl IntoIterator<Item = (ChannelId, Key, Vec<u8>)>) -> Result<Self, StoreError> {
        let mut all = Records::default();
        for (channel_id, key, value) in records {
            if channel_id.is_empty() {
                all.manager = Some(value);
            } else {
                all.channels.entry(channel_id).or_default().put(key, value)?;
            }
        }
        Ok(Self(Arc::new(Mutex::new(all))))
    }
}

impl Records {
    fn write(&mut self, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Manager(value) => self.manager = Some(value.clone()),
            Write::Forget(channel_id) => drop(self.channels.remove(channel_id)),
            Write::Wipe => *self = Self::default(),
            Write::Channel(channel_id, change) => {
                self.channels.entry(channel_id.clone()).or_default().write(change)?;
            }
        }
        Ok(())
    }
}

impl Channel {
    fn write(&mut self, change: &Change) -> Result<(), StoreError> {
        match &change.value {
            None => self.delete(change.key),
            Some(Value::Bytes(value)) => self.put(change.key, value.clone()),
            Some(Value::Message(message)) => self.put(change.key, message.encode()),
        }
    }

    fn put(&mut self, key: Key, value: Vec<u8>) -> Result<(), StoreError> {
        if key.kind == Kind::Message {
            let message = message(key, &value)?;
            self.received.insert(message.hash);
            self.order.insert((message.lamport_ms, message.message_id.to_string(), message.number));
        }
        self.records.insert(key, value);
        Ok(())
    }

    fn delete(&mut self, key: Key) -> Result<(), StoreError> {
        let old = self.records.remove(&key);
        if let Some(value) = old.filter(|_| key.kind == Kind::Message) {
            let message = message(key, &value)?;
            self.order.remove(&(message.lamport_ms, message.message_id.to_string(), message.number));
        }
        Ok(())
    }

    fn message(&self, number: u64) -> Result<Option<StoredMessage>, StoreError> {
        let key = Key { kind: Kind::Message, id: number.into() };
        self.records.get(&key).map(|value| message(key, value)).transpose()
    }
}

fn message(key: Key, value: &[u8]) -> Result<StoredMessage, StoreError> {
    let number = u64::try_from(key.id).map_err(|_| StoreError::Damaged("a message without a number".to_owned()))?;
    Ok(StoredMessage::decode(number, value)?)
}

impl Store for Memory {
    fn manager(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.lock().manager.clone())
    }

    fn heads(&mut self) -> Result<Vec<(ChannelId, Vec<u8>)>, StoreError> {
        let records = self.0.lock();
        let no_head = || StoreError::Damaged("a channel without its head".to_owned());
        let head = |(id, channel): (&ChannelId, &Channel)| {
            Ok((id.clone(), channel.records.get(&Key::HEAD).ok_or_else(no_head)?.clone()))
        };
        records.channels.iter().map(head).collect()
    }

    fn head(&mut self, channel_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let records = self.0.lock();
        Ok(records.channels.get(channel_id).and_then(|channel| channel.records.get(&Key::HEAD).cloned()))
    }

    fn records(&mut self, channel_id: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let records = self.0.lock();
        let Some(channel) = records.channels.get(channel_id) else { return Ok(Vec::new()) };
        let is_small = |key: &Key| !matches!(key.kind, Kind::Head | Kind::Message);
        let small = channel.records.iter().filter(|(key, _)| is_small(key));
        Ok(small.map(|(key, value)| (*key, value.clone())).collect())
    }

    fn messages(&mut self, channel_id: &str, wanted: &Wanted) -> Result<Vec<StoredMessage>, StoreError> {
        let records = self.0.lock();
        let Some(channel) = records.channels.get(channel_id) else { return Ok(Vec::new()) };
        let before = wanted.numbers.iter().filter_map(|number| channel.message(*number).transpose());
        let from = Key { kind: Kind::Message, id: wanted.from.into() };
        let rest = channel.records.range(from..).take_while(|(key, _)| key.kind == Kind::Message);
        before.chain(rest.map(|(key, value)| message(*key, value))).collect()
    }

    fn was_received(&mut self, channel_id: &str, hash: IdHash) -> Result<bool, StoreError> {
        let records = self.0.lock();
        Ok(records.channels.get(channel_id).is_some_and(|channel| channel.received.contains(&hash)))
    }

    fn page(&mut self, channel_id: &str, after: Option<(u64, &str)>, most: Page) -> Result<Vec<LogItem>, StoreError> {
        let records = self.0.lock();
        let Some(channel) = records.channels.get(channel_id) else { return Ok(Vec::new()) };
        let after = after.map_or(Bound::Unbounded, |(ms, id)| Bound::Excluded((ms, id.to_owned(), u64::MAX)));
        let (mut page, mut bytes) = (Vec::<LogItem>::new(), 0);
        for (_, _, number) in channel.order.range((after, Bound::Unbounded)) {
            let side = channel.records.get(&Key { kind: Kind::Side, id: (*number).into() }).cloned();
            page.extend(channel.message(*number)?.map(|message| LogItem { message, side }));
            bytes += page.last().map_or(0, |item| item.message.bytes.len());
            if most.is_full(page.len(), bytes) {
                break;
            }
        }
        Ok(page)
    }

    fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        let mut records = self.0.lock();
        batch.iter().try_for_each(|write| records.write(write))
    }
}
