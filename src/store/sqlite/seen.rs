//! Whether an id was ever here: a filter in memory, in front of a table.
//!
//! Nearly every id that is asked about is new, and the filter says so without a look at the disk. What it does not rule
//! out is looked up. One filter serves all channels.

use bloomfilter::Bloom;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::error;
use crate::error::StoreError;
use crate::idhash::IdHash;

/// The rate at which the filter is wrong, and the disk is looked at for nothing.
const ERROR_RATE: f64 = 0.001;
/// Ids that a filter has room for at least.
const LEAST_CAPACITY: usize = 65_536;
/// Messages of a channel by whose number their ids are put together, so that old ones can be dropped together.
const ERA: u64 = 1 << 18;
/// Eras of a channel that are kept: over 2,000,000 ids.
const ERAS: u64 = 9;

pub(super) struct Seen {
    filter: Bloom<(i64, u128)>,
    held: usize,
    capacity: usize,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("held", &self.held).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl Seen {
    /// Reads every id of the database into a filter.
    pub fn open(connection: &Connection) -> Result<Self, StoreError> {
        let held: i64 = connection.query_row("SELECT count(*) FROM seen", [], |row| row.get(0)).map_err(error)?;
        let held = usize::try_from(held).unwrap_or(0);
        let capacity = held.saturating_mul(2).max(LEAST_CAPACITY);
        let mut filter = filter(capacity)?;
        for_each_id(connection, |id| filter.set(&id)).map_err(error)?;
        Ok(Self { filter, held, capacity })
    }

    /// Ids that were committed.
    pub fn add(&mut self, connection: &Connection, ids: &[(i64, IdHash)]) -> Result<(), StoreError> {
        self.held = self.held.saturating_add(ids.len());
        if self.held > self.capacity {
            *self = Self::open(connection)?;
        }
        ids.iter().for_each(|(channel, hash)| self.filter.set(&(*channel, hash.number())));
        Ok(())
    }

    pub fn contains(&self, connection: &Connection, channel: i64, hash: IdHash) -> Result<bool, StoreError> {
        if !self.filter.check(&(channel, hash.number())) {
            return Ok(false);
        }
        look_up(connection, channel, &hash.number().to_be_bytes()).map_err(error)
    }
}

fn for_each_id(connection: &Connection, mut take: impl FnMut((i64, u128))) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT channel, hash FROM seen")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Ok(hash) = row.get_ref(1)?.as_blob()?.try_into().map(u128::from_be_bytes) {
            take((row.get(0)?, hash));
        }
    }
    Ok(())
}

fn filter(capacity: usize) -> Result<Bloom<(i64, u128)>, StoreError> {
    let failed = |what| StoreError::Io(format!("no filter for ids: {what}"));
    // What is hashed is a hash already, under a key that strangers do not know.
    Bloom::new_for_fp_rate_with_seed(capacity, ERROR_RATE, &[0; 32]).map_err(failed)
}

fn look_up(connection: &Connection, channel: i64, hash: &[u8; 16]) -> rusqlite::Result<bool> {
    let mut latest = connection.prepare_cached("SELECT max(era) FROM seen WHERE channel = ?")?;
    let Some(latest) = latest.query_row([channel], |row| row.get::<_, Option<i64>>(0))? else { return Ok(false) };
    let mut find = connection.prepare_cached("SELECT 1 FROM seen WHERE channel = ? AND era = ? AND hash = ?")?;
    for era in (latest.saturating_sub(ERAS as i64)..=latest).rev() {
        if find.query_row(params![channel, era, hash], |_| Ok(())).optional()?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Notes the id of a message that enters the log; false if it was noted before. The oldest are forgotten, an era at a time.
pub(super) fn put(transaction: &Transaction<'_>, channel: i64, number: u64, hash: &[u8]) -> rusqlite::Result<bool> {
    let era = (number / ERA).cast_signed();
    let mut put = transaction.prepare_cached("INSERT OR IGNORE INTO seen (channel, era, hash) VALUES (?, ?, ?)")?;
    let is_new = put.execute(params![channel, era, hash])? > 0;
    if number.is_multiple_of(ERA) {
        let oldest = era.saturating_sub(ERAS as i64);
        transaction.execute("DELETE FROM seen WHERE channel = ? AND era < ?", [channel, oldest])?;
    }
    Ok(is_new)
}
