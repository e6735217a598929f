//! The other side of every ratio: an application's own table.

use std::path::Path;

use rusqlite::Connection;
use sds::store::Synchronous;

/// How commits wait for the disk.
pub fn setting() -> String {
    std::env::var("SDS_SYNCHRONOUS").unwrap_or_else(|_| "full".to_owned())
}

pub fn synchronous() -> Synchronous {
    match &*setting() {
        "off" => Synchronous::Off,
        "normal" => Synchronous::Normal,
        _ => Synchronous::Full,
    }
}

/// A table as a chat application has it: messages by id.
pub fn table(path: &Path) -> Connection {
    let plain = Connection::open(path).expect("opens");
    for (name, value) in
        [("locking_mode", "EXCLUSIVE"), ("journal_mode", "WAL"), ("secure_delete", "ON"), ("synchronous", &setting())]
    {
        plain
            .pragma_update_and_check(None, name, value, |_| Ok(()))
            .or_else(|_| plain.pragma_update(None, name, value))
            .expect("a setting");
    }
    plain.execute_batch("CREATE TABLE messages (id TEXT PRIMARY KEY, sent INTEGER, message BLOB)").expect("a table");
    plain
}

/// Inserts messages in one transaction.
pub fn insert<'a>(plain: &mut Connection, rows: impl IntoIterator<Item = (String, &'a [u8])>) {
    let transaction = plain.transaction().expect("begins");
    {
        let mut insert =
            transaction.prepare_cached("INSERT INTO messages (id, sent, message) VALUES (?, ?, ?)").expect("prepares");
        for (id, bytes) in rows {
            insert.execute((id, 1_790_000_000_000_i64, bytes)).expect("inserts");
        }
    }
    transaction.commit().expect("commits");
}
