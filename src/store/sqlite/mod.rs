//! Records in an SQLite database file.
//!
//! The file is in WAL mode and locked while it is open: two managers on one file would undo each other's work. Its schema
//! is in `schema.rs`.

mod schema;
mod seen;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, TransactionBehavior, params};

use super::{LogItem, Page, Store, Write};
use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::record::{Key, Kind, StoredMessage, Wanted, hash_of};
use crate::types::{ChannelId, MessageId, ParticipantId};
use seen::Seen;
use write::{Writing, Written};

/// Bits of a message's place that are its number in its channel; the others are the number of the channel.
const NUMBER_BITS: u32 = 40;
/// Bits of the number of a channel.
const CHANNEL_BITS: u32 = 62 - NUMBER_BITS;
/// Statements that are kept prepared.
const STATEMENTS: usize = 32;
/// The number of a message, from its place.
const MESSAGE_COLUMNS: &str = "place, hash, message_id, sender_id, lamport, since_ms, flags, bytes, ahead_ms";

/// When a commit is on the disk itself: what survives a loss of power, by SQLite's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Never waits: the operating system may lose what it had not written. A crash of the process loses nothing.
    Off,
    /// Waits now and then: a loss of power may lose the latest commits, and damages nothing.
    Normal,
    /// Waits at every commit: a loss of power loses nothing. The default.
    #[default]
    Full,
}

/// The next messages after a place in the order of a log.
const PAGE: &str = "SELECT place, hash, message_id, sender_id, lamport, since_ms, flags, bytes, ahead_ms
    FROM messages WHERE place >> 40 = ?1 AND (lamport, message_id) > (?2, ?3)
    ORDER BY lamport, message_id LIMIT ?4";

/// Records in an SQLite database file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    /// The numbers of channels that were used.
    channels: BTreeMap<ChannelId, i64>,
    seen: Seen,
}

impl Sqlite {
    /// Opens a database file, or makes one. `":memory:"` is one that is gone when it is closed.
    ///
    /// What is there and no database of ours is an error, and stays as it is.
    pub fn open(path: impl AsRef<Path>, synchronous: Synchronous) -> Result<Self, StoreError> {
        Self::with(connect(path)?, synchronous)
    }

    /// The same, encrypted with a key: of any length, UTF-8 or not. An empty one is refused, and nothing is made.
    #[cfg(feature = "sqlcipher")]
    pub fn open_encrypted(path: impl AsRef<Path>, synchronous: Synchronous, key: &[u8]) -> Result<Self, StoreError> {
        if key.is_empty() {
            return Err(StoreError::Io("an empty key encrypts nothing".to_owned()));
        }
        let connection = connect(path)?;
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        // A passphrase, not a raw key: whatever its length, the database's own salt goes into what is made of it.
        connection.pragma_update(None, "key", hex).map_err(error)?;
        Self::with(connection, synchronous)
    }

    fn with(mut connection: Connection, synchronous: Synchronous) -> Result<Self, StoreError> {
        // SQLite opens what it cannot write for reading, and then fails for reasons that only it understands.
        if connection.is_readonly(rusqlite::MAIN_DB).map_err(error)? {
            return Err(StoreError::ReadOnly("the file, or the folder in which it lies, is read-only".to_owned()));
        }
        check_whole(&connection)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Until it is known to be ours: SQLite would otherwise tidy up, when it closes it, what another program left.
        let leave_alone = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection.set_db_config(leave_alone, true).map_err(error)?;
        schema::prepare(&mut connection, synchronous)?;
        connection.set_db_config(leave_alone, false).map_err(error)?;
        let seen = Seen::new()?;
        Ok(Self { connection, channels: BTreeMap::new(), seen })
    }

    fn number_of(&mut self, channel_id: &str) -> Result<Option<i64>, StoreError> {
        if let Some(number) = self.channels.get(channel_id) {
            return Ok(Some(*number));
        }
        let number = find_channel(&self.connection, channel_id).map_err(error)?;
        if let Some(number) = number {
            self.channels.insert(ChannelId::from(channel_id), number);
        }
        Ok(number)
    }
}

/// Opens a file by its name, also if that begins with `file:`: SQLite, as it is built in, would take it for a URI.
fn connect(path: impl AsRef<Path>) -> Result<Connection, StoreError> {
    let path = path.as_ref();
    let is_like_uri = path.as_os_str().as_encoded_bytes().starts_with(b"file:");
    let opened = if is_like_uri { Connection::open(Path::new(".").join(path)) } else { Connection::open(path) };
    opened.map_err(error)
}

/// Refuses a file that is empty, or was just made, beside a write-ahead log that is not: SQLite would delete the log, and
/// what it holds, and begin anew.
fn check_whole(connection: &Connection) -> Result<(), StoreError> {
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else { return Ok(()) };
    let bytes = |path: &str| std::fs::metadata(path).map_or(0, |file| file.len());
    if bytes(path) == 0 && bytes(&format!("{path}-wal")) > 0 {
        return Err(StoreError::Damaged("the file is empty, and what belongs to it is not".to_owned()));
    }
    Ok(())
}

/// Empties the log of what was written: what was deleted is overwritten in the file, but there it would stay.
fn empty_log(connection: &Connection) -> Result<(), StoreError> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(error)?;
    if busy != 0 {
        return Err(StoreError::Locked("what was forgotten could not be overwritten yet".to_owned()));
    }
    Ok(())
}

fn find_channel(connection: &Connection, channel_id: &str) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT number FROM channels WHERE channel_id = ?")?;
    select.query_row([channel_id], |row| row.get(0)).optional()
}

fn read_heads(connection: &Connection) -> rusqlite::Result<Vec<(ChannelId, Vec<u8>)>> {
    let mut statement = connection.prepare("SELECT channel_id, head FROM channels")?;
    let mut rows = statement.query([])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        heads.push((ChannelId::from(row.get_ref(0)?.as_str()?), row.get(1)?));
    }
    Ok(heads)
}

impl Store for Sqlite {
    fn manager(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let record = self.connection.query_row("SELECT record FROM manager", [], |row| row.get(0));
        record.optional().map_err(error)
    }

    fn heads(&mut self) -> Result<Vec<(ChannelId, Vec<u8>)>, StoreError> {
        read_heads(&self.connection).map_err(error)
    }

    fn head(&mut self, channel_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT head FROM channels WHERE channel_id = ?").map_err(error)?;
        select.query_row([channel_id], |row| row.get(0)).optional().map_err(error)
    }

    fn records(&mut self, channel_id: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let Some(channel) = self.number_of(channel_id)? else { return Ok(Vec::new()) };
        const SELECT: &str = "SELECT kind, id, value FROM records WHERE channel = ? ORDER BY kind, id";
        let mut statement = self.connection.prepare_cached(SELECT).map_err(error)?;
        let mut rows = statement.query([channel]).map_err(error)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(error)? {
            let (kind, id, value): (u8, Vec<u8>, _) = row.try_into().map_err(error)?;
            records.push((Key::from_bytes(&[&[kind], &id[..]].concat())?, value));
        }
        Ok(records)
    }

    fn messages(&mut self, channel_id: &str, wanted: &Wanted) -> Result<Vec<StoredMessage>, StoreError> {
        let Some(channel) = self.number_of(channel_id)? else { return Ok(Vec::new()) };
        let select = format!("SELECT {MESSAGE_COLUMNS} FROM messages WHERE place BETWEEN ? AND ? ORDER BY place");
        let mut statement = self.connection.prepare_cached(&select).map_err(error)?;
        let mut messages = Vec::new();
        let ranges = wanted.numbers.iter().map(|number| (*number, *number));
        for (from, to) in ranges.chain([(wanted.from, (1 << NUMBER_BITS) - 1)]) {
            let mut rows = statement.query([place(channel, from)?, place(channel, to)?]).map_err(error)?;
            while let Some(row) = rows.next().map_err(error)? {
                messages.push(read_message(row)?);
            }
        }
        Ok(messages)
    }

    fn was_received(&mut self, channel_id: &str, hash: IdHash) -> Result<bool, StoreError> {
        let Some(channel) = self.number_of(channel_id)? else { return Ok(false) };
        self.seen.contains(&self.connection, channel, hash)
    }

    fn page(&mut self, channel_id: &str, after: Option<(u64, &str)>, most: Page) -> Result<Vec<LogItem>, StoreError> {
        let Some(channel) = self.number_of(channel_id)? else { return Ok(Vec::new()) };
        let (after_ms, after_id) = after.map_or((i64::MIN, ""), |(ms, id)| (ordered(ms), id));
        let limit = i64::try_from(most.messages).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(PAGE).map_err(error)?;
        let mut rows = statement.query(params![channel, after_ms, after_id, limit]).map_err(error)?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(error)? {
            let message = read_message(row)?;
            let side = side_of(&self.connection, channel, message.number).map_err(error)?;
            bytes += message.bytes.len();
            page.push(LogItem { message, side });
            if most.is_full(page.len(), bytes) {
                break;
            }
        }
        Ok(page)
    }

    fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(error)?;
        let Written { channels, received } = Writing::all(&transaction, &self.channels, batch)?;
        transaction.commit().map_err(error)?;
        if batch.contains(&Write::Wipe) {
            self.channels.clear();
            self.seen = Seen::new()?;
        }
        for (channel_id, number) in channels {
            match number {
                Some(number) => self.channels.insert(channel_id, number),
                None => self.channels.remove(&channel_id),
            };
        }
        self.seen.add(&received);
        if batch.iter().any(|write| matches!(write, Write::Forget(_) | Write::Wipe)) {
            empty_log(&self.connection)?;
        }
        Ok(())
    }
}

// ---- Reading

fn read_message(row: &Row<'_>) -> Result<StoredMessage, StoreError> {
    let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?)).map_err(error);
    let place: i64 = row.get(0).map_err(error)?;
    let hash: Vec<u8> = row.get(1).map_err(error)?;
    let (lamport, since_ms): (i64, i64) = (row.get(4).map_err(error)?, row.get(5).map_err(error)?);
    Ok(StoredMessage {
        number: (place & ((1 << NUMBER_BITS) - 1)).cast_unsigned(),
        hash: hash_of(&hash)?,
        message_id: MessageId::from(text(2)?),
        sender_id: ParticipantId::from(text(3)?),
        lamport_ms: unordered(lamport),
        since_ms: since_ms.cast_unsigned(),
        flags: row.get(6).map_err(error)?,
        bytes: row.get::<_, Vec<u8>>(7).map_err(error)?.into(),
        ahead_ms: row.get::<_, i64>(8).map_err(error)?.cast_unsigned(),
    })
}

fn side_of(connection: &Connection, channel: i64, number: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    const SELECT: &str = "SELECT value FROM records WHERE channel = ? AND kind = ? AND id = ?";
    let id = u128::from(number).to_be_bytes();
    let mut statement = connection.prepare_cached(SELECT)?;
    statement.query_row(params![channel, Kind::Side as u8, id], |row| row.get(0)).optional()
}

// ---- Numbers

/// Where a message lies in its table: by channel, then by number.
fn place(channel: i64, number: u64) -> Result<i64, StoreError> {
    let number = i64::try_from(number).ok().filter(|number| *number < 1 << NUMBER_BITS);
    let channel = Some(channel).filter(|channel| (0..1 << CHANNEL_BITS).contains(channel));
    let place = channel.zip(number).map(|(channel, number)| channel << NUMBER_BITS | number);
    place.ok_or_else(|| StoreError::Io("more channels or messages than the schema has numbers for".to_owned()))
}

/// A timestamp as SQLite orders it: less 2^63.
fn ordered(ms: u64) -> i64 {
    (ms ^ 1 << 63).cast_signed()
}

fn unordered(ms: i64) -> u64 {
    ms.cast_unsigned() ^ 1 << 63
}

fn error(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::Full(text),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked(text),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly(text),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text),
            _ => StoreError::Io(text),
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => StoreError::Damaged(text),
        _ => StoreError::Io(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_be_emptied_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.db");
        let ours = Connection::open(&path).expect("opens");
        ours.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).expect("a setting");
        ours.execute_batch("CREATE TABLE secrets (text TEXT); INSERT INTO secrets VALUES ('x')").expect("writes");
        let other = Connection::open(&path).expect("opens");
        other.execute_batch("BEGIN; SELECT * FROM secrets").expect("reads");
        ours.pragma_update(None, "busy_timeout", 0).expect("a setting");
        ours.execute_batch("DELETE FROM secrets").expect("writes");
        assert!(matches!(empty_log(&ours), Err(StoreError::Locked(_))));
        other.execute_batch("COMMIT").expect("ends");
        empty_log(&ours).expect("nobody reads it now");
        assert_eq!(std::fs::metadata(folder.path().join("log.db-wal")).expect("is there").len(), 0);
    }

    #[test]
    fn pages_of_a_log_are_read_by_an_index() {
        let store = Sqlite::open(":memory:", Synchronous::Off).expect("opens");
        let plan = format!("EXPLAIN QUERY PLAN {PAGE}");
        let mut statement = store.connection.prepare(&plan).expect("a statement");
        let steps = statement.query_map(params![1, 0, "", 5], |row| row.get::<_, String>(3)).expect("plans");
        let steps: Vec<_> = steps.map(|step| step.expect("a step")).collect();
        let by_all = |step: &String| step.contains("messages_in_order (<expr>=? AND (lamport,message_id)>(?,?))");
        assert!(matches!(&steps[..], [step] if by_all(step)), "{steps:?}");
    }
}
