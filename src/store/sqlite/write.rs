//! A batch of changes into the tables.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};

use super::{CHANNEL_BITS, error, find_channel, ordered, place, schema, seen};
use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::record::{Change, Key, Kind, StoredMessage, Value};
use crate::store::Write;
use crate::types::ChannelId;

/// A batch on its way into the database.
pub(super) struct Writing<'a> {
    transaction: &'a Transaction<'a>,
    /// The numbers of channels that were used before.
    known: &'a BTreeMap<ChannelId, i64>,
    written: Written,
    /// A batch may have thousands of messages: what writes them is made ready once.
    put_message: Option<PutMessage<'a>>,
}

/// What is known once a batch is committed.
#[derive(Default)]
pub(super) struct Written {
    /// What becomes of the numbers of channels. `None`: it is gone.
    pub channels: BTreeMap<ChannelId, Option<i64>>,
    /// New ids, each with its channel.
    pub received: Vec<(i64, IdHash)>,
}

impl<'a> Writing<'a> {
    /// Writes a batch, in its order.
    pub fn all(
        transaction: &'a Transaction<'a>,
        known: &'a BTreeMap<ChannelId, i64>,
        batch: &[Write],
    ) -> Result<Written, StoreError> {
        let mut writing = Self { transaction, known, written: Written::default(), put_message: None };
        batch.iter().try_for_each(|write| writing.write(write))?;
        Ok(writing.written)
    }

    fn write(&mut self, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Manager(record) => put_manager(self.transaction, record).map_err(error),
            Write::Channel(channel_id, change) => {
                let channel = match self.find(channel_id)? {
                    Some(number) => number,
                    None => {
                        let number = add_channel(self.transaction, channel_id).map_err(error)?;
                        self.written.channels.insert(channel_id.clone(), Some(number));
                        number
                    }
                };
                self.write_change(channel, change)
            }
            Write::Forget(channel_id) => {
                if let Some(channel) = self.find(channel_id)? {
                    schema::forget(self.transaction, channel).map_err(error)?;
                }
                self.written.channels.insert(channel_id.clone(), None);
                Ok(())
            }
            Write::Wipe => {
                self.written.channels = self.known.keys().map(|channel_id| (channel_id.clone(), None)).collect();
                schema::wipe(self.transaction).map_err(error)
            }
        }
    }

    fn find(&mut self, channel_id: &ChannelId) -> Result<Option<i64>, StoreError> {
        let known = self.written.channels.get(channel_id).copied();
        if let Some(number) = known.or_else(|| self.known.get(channel_id).map(|number| Some(*number))) {
            return Ok(number);
        }
        let number = find_channel(self.transaction, channel_id).map_err(error)?;
        if number.is_some() {
            self.written.channels.insert(channel_id.clone(), number);
        }
        Ok(number)
    }

    fn write_change(&mut self, channel: i64, change: &Change) -> Result<(), StoreError> {
        let transaction = self.transaction;
        match (&change.value, change.key.kind) {
            (Some(Value::Message(message)), _) => self.write_message(channel, message),
            (Some(Value::Bytes(head)), Kind::Head) => put_head(transaction, channel, head).map_err(error),
            (Some(Value::Bytes(value)), _) => put_record(transaction, channel, change.key, value).map_err(error),
            (None, Kind::Message) => delete_message(transaction, channel, change.key),
            (None, _) => delete_record(transaction, channel, change.key).map_err(error),
        }
    }

    fn write_message(&mut self, channel: i64, message: &StoredMessage) -> Result<(), StoreError> {
        let put = match &mut self.put_message {
            Some(put) => put,
            none => none.insert(PutMessage::new(self.transaction).map_err(error)?),
        };
        // One that is written again, without what nobody needs any more, is no new id.
        if put.put(channel, message)? {
            self.written.received.push((channel, message.hash));
        }
        Ok(())
    }
}

fn put_manager(transaction: &Transaction<'_>, record: &[u8]) -> rusqlite::Result<()> {
    const PUT: &str =
        "INSERT INTO manager (id, record) VALUES (1, ?) ON CONFLICT DO UPDATE SET record = excluded.record";
    transaction.prepare_cached(PUT)?.execute([record]).map(drop)
}

fn add_channel(transaction: &Transaction<'_>, channel_id: &ChannelId) -> rusqlite::Result<i64> {
    // Not an old number again, as long as there are others: then one that is free, of which nothing is left.
    const ADD: &str = "INSERT INTO channels (channel_id, head) VALUES (?, x'')";
    const NEXT: &str = "SELECT seq + 1 FROM sqlite_sequence WHERE name = 'channels'";
    const ADD_AS: &str = "INSERT INTO channels (number, channel_id, head)
        SELECT min(number) + 1, ?, x'' FROM (SELECT 0 AS number UNION ALL SELECT number FROM channels) AS used
        WHERE NOT EXISTS (SELECT 1 FROM channels WHERE channels.number = used.number + 1)";
    let next: Option<i64> = transaction.prepare_cached(NEXT)?.query_row([], |row| row.get(0)).optional()?;
    let add = if next.is_some_and(|next| next >= 1 << CHANNEL_BITS) { ADD_AS } else { ADD };
    transaction.prepare_cached(add)?.insert([channel_id.as_str()])
}

fn put_head(transaction: &Transaction<'_>, channel: i64, head: &[u8]) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE channels SET head = ? WHERE number = ?")?
        .execute(params![head, channel])
        .map(drop)
}

fn put_record(transaction: &Transaction<'_>, channel: i64, key: Key, value: &[u8]) -> rusqlite::Result<()> {
    const PUT: &str = "INSERT INTO records (channel, kind, id, value) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value";
    let id = key.id.to_be_bytes();
    transaction.prepare_cached(PUT)?.execute(params![channel, key.kind as u8, id, value]).map(drop)
}

fn delete_record(transaction: &Transaction<'_>, channel: i64, key: Key) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM records WHERE channel = ? AND kind = ? AND id = ?";
    let id = key.id.to_be_bytes();
    transaction.prepare_cached(DELETE)?.execute(params![channel, key.kind as u8, id]).map(drop)
}

fn delete_message(transaction: &Transaction<'_>, channel: i64, key: Key) -> Result<(), StoreError> {
    let place = place(channel, u64::try_from(key.id).unwrap_or(u64::MAX))?;
    let delete = transaction.prepare_cached("DELETE FROM messages WHERE place = ?");
    delete.and_then(|mut delete| delete.execute([place])).map(drop).map_err(error)
}

/// Writes messages, and notes their ids.
struct PutMessage<'t> {
    put: CachedStatement<'t>,
    seen: seen::Put<'t>,
}

impl<'t> PutMessage<'t> {
    fn new(transaction: &'t Transaction<'_>) -> rusqlite::Result<Self> {
        const PUT: &str = "INSERT INTO messages (place, hash, message_id, sender_id, lamport, since_ms, flags, bytes,
            ahead_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET flags = excluded.flags, bytes = excluded.bytes";
        Ok(Self { put: transaction.prepare_cached(PUT)?, seen: seen::Put::new(transaction)? })
    }

    /// True if its id was never here.
    fn put(&mut self, channel: i64, message: &StoredMessage) -> Result<bool, StoreError> {
        let row = params![
            place(channel, message.number)?,
            message.hash.number().to_be_bytes(),
            message.message_id.as_str(),
            message.sender_id.as_str(),
            ordered(message.lamport_ms),
            // A time of the host's, which fits.
            message.since_ms.cast_signed(),
            message.flags,
            &message.bytes[..],
            message.ahead_ms.cast_signed(),
        ];
        self.put.execute(row).map_err(error)?;
        self.seen.put(channel, message.number, message.hash).map_err(error)
    }
}
