//! A batch of changes into the tables.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};

use super::{CHANNEL_BITS, MESSAGE_COLUMNS, error, find_channel, ordered, place, schema, seen};
use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::record::{Change, Key, Kind, StoredMessage, Value};
use crate::store::Write;
use crate::types::ChannelId;

/// A batch on its way into the database.
pub(super) struct Writing<'a, 'b> {
    transaction: &'a Transaction<'a>,
    /// The numbers of channels that were used before.
    known: &'a BTreeMap<ChannelId, i64>,
    written: Written,
    /// Messages that follow each other in the batch, to be written together.
    rows: Vec<Row<'b>>,
    /// A batch may have thousands of messages: what writes them is made ready once.
    put_messages: Option<PutMessages<'a>>,
}

/// What is known once a batch is committed.
#[derive(Default)]
pub(super) struct Written {
    /// What becomes of the numbers of channels. `None`: it is gone.
    pub channels: BTreeMap<ChannelId, Option<i64>>,
    /// Ids of messages that were written, each with its channel.
    pub received: Vec<(i64, IdHash)>,
}

impl<'a, 'b> Writing<'a, 'b> {
    /// Writes a batch, in its order.
    pub fn all(
        transaction: &'a Transaction<'a>,
        known: &'a BTreeMap<ChannelId, i64>,
        batch: &'b [Write],
    ) -> Result<Written, StoreError> {
        let (written, rows) = (Written::default(), Vec::new());
        let mut writing = Self { transaction, known, written, rows, put_messages: None };
        batch.iter().try_for_each(|write| writing.write(write))?;
        writing.write_rows()?;
        Ok(writing.written)
    }

    fn write(&mut self, write: &'b Write) -> Result<(), StoreError> {
        if !matches!(write, Write::Channel(_, Change { value: Some(Value::Message(_)), .. })) {
            self.write_rows()?;
        }
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

    fn write_change(&mut self, channel: i64, change: &'b Change) -> Result<(), StoreError> {
        let transaction = self.transaction;
        match (&change.value, change.key.kind) {
            (Some(Value::Message(message)), _) => {
                self.rows.push(Row::new(channel, message)?);
                Ok(())
            }
            (Some(Value::Bytes(head)), Kind::Head) => put_head(transaction, channel, head).map_err(error),
            (Some(Value::Bytes(value)), _) => put_record(transaction, channel, change.key, value).map_err(error),
            (None, Kind::Message) => delete_message(transaction, channel, change.key),
            (None, _) => delete_record(transaction, channel, change.key).map_err(error),
        }
    }

    /// Writes the messages up to here.
    fn write_rows(&mut self) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let put = match &mut self.put_messages {
            Some(put) => put,
            none => none.insert(PutMessages::new(self.transaction).map_err(error)?),
        };
        put.put(&self.rows, &mut self.written.received)?;
        self.rows.clear();
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

/// Messages that one statement writes, where there are so many: with more, what making it ready takes outweighs the gain.
const ROWS: usize = 16;
/// Of [`MESSAGE_COLUMNS`].
const COLUMNS: usize = 9;

/// A message on its way into its table.
struct Row<'b> {
    channel: i64,
    place: i64,
    hash: [u8; 16],
    message: &'b StoredMessage,
}

impl<'b> Row<'b> {
    fn new(channel: i64, message: &'b StoredMessage) -> Result<Self, StoreError> {
        let (place, hash) = (place(channel, message.number)?, message.hash.number().to_be_bytes());
        Ok(Self { channel, place, hash, message })
    }

    /// Whether the other is the next of its channel.
    fn is_before(&self, other: &Self) -> bool {
        self.channel == other.channel && self.message.number.checked_add(1) == Some(other.message.number)
    }

    /// Binds it to a statement, as the columns from that place on, in the order of [`MESSAGE_COLUMNS`].
    fn bind(&self, statement: &mut CachedStatement<'_>, from: usize) -> rusqlite::Result<()> {
        let Self { place, hash, message, .. } = self;
        statement.raw_bind_parameter(from, place)?;
        statement.raw_bind_parameter(from + 1, &hash[..])?;
        statement.raw_bind_parameter(from + 2, message.message_id.as_str())?;
        statement.raw_bind_parameter(from + 3, message.sender_id.as_str())?;
        statement.raw_bind_parameter(from + 4, ordered(message.lamport_ms))?;
        // A time of the host's, which fits.
        statement.raw_bind_parameter(from + 5, message.since_ms.cast_signed())?;
        statement.raw_bind_parameter(from + 6, message.flags)?;
        statement.raw_bind_parameter(from + 7, &message.bytes[..])?;
        statement.raw_bind_parameter(from + 8, message.ahead_ms.cast_signed())
    }
}

/// Writes messages, and notes their ids.
struct PutMessages<'t> {
    transaction: &'t Transaction<'t>,
    put: CachedStatement<'t>,
    /// The same for [`ROWS`] of them: what follows the row before it is put there, without a search of the table.
    put_rows: Option<CachedStatement<'t>>,
    seen: seen::Put<'t>,
}

impl<'t> PutMessages<'t> {
    fn new(transaction: &'t Transaction<'_>) -> rusqlite::Result<Self> {
        let put = transaction.prepare_cached(&put_statement(1))?;
        Ok(Self { transaction, put, put_rows: None, seen: seen::Put::new(transaction) })
    }

    /// Writes them, and adds their ids to those that are here.
    fn put(&mut self, rows: &[Row<'_>], received: &mut Vec<(i64, IdHash)>) -> Result<(), StoreError> {
        let (chunks, rest) = rows.as_chunks::<ROWS>();
        for chunk in chunks {
            let put = match &mut self.put_rows {
                Some(put) => put,
                none => none.insert(self.transaction.prepare_cached(&put_statement(ROWS)).map_err(error)?),
            };
            put_rows(put, chunk).map_err(error)?;
        }
        rest.chunks(1).try_for_each(|row| put_rows(&mut self.put, row)).map_err(error)?;
        for run in rows.chunk_by(Row::is_before) {
            if let [first, ..] = run
                && let [.., last] = run
            {
                self.seen.put(first.channel, first.message.number..=last.message.number)?;
            }
        }
        received.extend(rows.iter().map(|row| (row.channel, row.message.hash)));
        Ok(())
    }
}

/// Runs a statement that writes so many messages.
fn put_rows(statement: &mut CachedStatement<'_>, rows: &[Row<'_>]) -> rusqlite::Result<()> {
    for (from, row) in (1..).step_by(COLUMNS).zip(rows) {
        row.bind(statement, from)?;
    }
    statement.raw_execute().map(drop)
}

/// The statement that writes so many messages.
fn put_statement(rows: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    let values = vec![row; rows].join(", ");
    format!(
        "INSERT INTO messages ({MESSAGE_COLUMNS}) VALUES {values}
            ON CONFLICT DO UPDATE SET flags = excluded.flags, bytes = excluded.bytes"
    )
}
