//! The schema of the database, its versions, and how one becomes the next.
//!
//! | table | a row is |
//! |---|---|
//! | `manager` | the manager's record; there is one at most |
//! | `channels` | a channel: its number, its id, and how it stands |
//! | `records` | a record of a channel, by kind and id |
//! | `messages` | a message of a log |
//! | `seen` | the hash of an id that was once in a log |
//!
//! `messages.place` is the number of the channel times 2^40, plus the number of the message by arrival.
//! The index `messages_in_order` has the messages of a channel in the order of its log, for pages of it.
//! `messages.lamport` is the Lamport timestamp in milliseconds less 2^63, so that SQLite orders it as what it is: an
//! unsigned number. `messages.since_ms` less `messages.ahead_ms` is when it came or went, by the host's clock.
//! `messages.flags` is a sum: 1 its sender id is ours, 2 it came late, 4 only its content is here (else
//! the encoded message), 8 we may have to send it again, 16 we sent it, 32 the host said that it was here before.
//! `records.id` and the hashes are 16 bytes, big-endian. Records are protobuf messages, defined beside the parts of the
//! state that they hold (`src/channel/*/durable.rs`).

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{Synchronous, error};
use crate::error::StoreError;

/// What tells a database of ours from any other: "SDSR".
const APPLICATION_ID: i64 = 0x5344_5352;

/// Each brings the schema to the next version, from 0 on, an empty database. Never changed once released; one is added.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE manager (id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL);
    CREATE TABLE channels (number INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT NOT NULL UNIQUE, head BLOB NOT NULL);
    CREATE TABLE records (channel INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (channel, kind, id)) WITHOUT ROWID;
    CREATE TABLE messages (place INTEGER PRIMARY KEY, hash BLOB NOT NULL, message_id TEXT NOT NULL,
        sender_id TEXT NOT NULL, lamport INTEGER NOT NULL, since_ms INTEGER NOT NULL, flags INTEGER NOT NULL,
        bytes BLOB NOT NULL);
    CREATE INDEX messages_in_order ON messages (place >> 40, lamport, message_id);
    CREATE TABLE seen (channel INTEGER NOT NULL, era INTEGER NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (channel, era, hash)) WITHOUT ROWID;
", "
    ALTER TABLE messages ADD COLUMN ahead_ms INTEGER NOT NULL DEFAULT 0;
"];

/// Makes a connection ready: its settings, and the schema brought to the version known here.
pub(super) fn prepare(connection: &mut Connection, synchronous: Synchronous) -> Result<(), StoreError> {
    // The lock is taken with the first access and held. SQLite then needs no shared memory for its write-ahead log.
    let setting = |name: &str, value: &str| connection.pragma_update(None, name, value).map_err(error);
    setting("locking_mode", "EXCLUSIVE")?;
    // Who has it locked keeps it: there is nothing to wait for.
    setting("busy_timeout", "0")?;
    setting("trusted_schema", "OFF")?;
    check_ours(connection)?;
    let wal: Result<String, _> = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
    wal.map_err(error)?;
    setting("secure_delete", "ON")?;
    let level = match synchronous {
        Synchronous::Off => "OFF",
        Synchronous::Normal => "NORMAL",
        Synchronous::Full => "FULL",
    };
    setting("synchronous", level)?;
    migrate(connection)
}

/// Refuses what is somebody else's, before anything is written.
fn check_ours(connection: &Connection) -> Result<(), StoreError> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(error)?;
    if tables > 0 && number(connection, "application_id")? != APPLICATION_ID {
        return Err(StoreError::Damaged("a database of another application".to_owned()));
    }
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = number(connection, "user_version")?;
    let found = usize::try_from(found).map_err(|_| StoreError::Damaged("a negative schema version".to_owned()))?;
    if found == 0 && number(connection, "application_id")? == APPLICATION_ID {
        // What is made has both numbers at once.
        return Err(StoreError::Damaged("a database of ours without a schema version".to_owned()));
    }
    let Some(missing) = MIGRATIONS.get(found..) else {
        let (found, known) = (u32::try_from(found).unwrap_or(u32::MAX), MIGRATIONS.len() as u32);
        return Err(StoreError::Newer { found, known });
    };
    // Takes the lock for writing even when there is nothing to do: who cannot write learns of it now.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(error)?;
    for migration in missing {
        transaction.execute_batch(migration).map_err(error)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(error)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(error)?;
    }
    check_tables(&transaction)?;
    transaction.commit().map_err(error)
}

/// Refuses a database of ours that lacks a table, or has another one in its place.
fn check_tables(connection: &Connection) -> Result<(), StoreError> {
    let whole = Connection::open_in_memory().map_err(error)?;
    MIGRATIONS.iter().try_for_each(|migration| whole.execute_batch(migration)).map_err(error)?;
    let (found, expected) = (tables(connection).map_err(error)?, tables(&whole).map_err(error)?);
    match expected.difference(&found).next() {
        None => Ok(()),
        Some((name, _)) => Err(StoreError::Damaged(format!("{name} is not as the schema has it"))),
    }
}

/// The names of what a schema has, and how each is made.
fn tables(connection: &Connection) -> rusqlite::Result<BTreeSet<(String, Option<String>)>> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| row.try_into())?;
    rows.collect()
}

fn number(connection: &Connection, pragma: &str) -> Result<i64, StoreError> {
    connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(error)
}

/// Deletes all of a channel.
pub(super) fn forget(transaction: &Transaction<'_>, channel: i64) -> rusqlite::Result<()> {
    let range = (channel << super::NUMBER_BITS, (channel + 1) << super::NUMBER_BITS);
    transaction.execute("DELETE FROM messages WHERE place >= ? AND place < ?", range)?;
    transaction.execute("DELETE FROM records WHERE channel = ?", [channel])?;
    transaction.execute("DELETE FROM seen WHERE channel = ?", [channel])?;
    transaction.execute("DELETE FROM channels WHERE number = ?", [channel])?;
    Ok(())
}

/// Deletes everything.
pub(super) fn wipe(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "DELETE FROM manager; DELETE FROM channels; DELETE FROM records; DELETE FROM messages; DELETE FROM seen;
        DELETE FROM sqlite_sequence;",
    )
}
