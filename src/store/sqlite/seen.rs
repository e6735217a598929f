//! Whether an id was ever here: a filter in memory, in front of a table.
//!
//! Nearly every id that is asked about is new, and the filter says so without a look at the disk. What it does not rule
//! out is looked up. One filter serves all channels; the ids of each are read into it when the channel is first asked
//! about, so that those of channels that nobody uses cost nothing.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use bloomfilter::Bloom;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{error, place};
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
    filter: Bloom<u64>,
    held: usize,
    capacity: usize,
    /// The channels whose ids are in the filter, all of them.
    read: BTreeSet<i64>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("held", &self.held).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl Seen {
    pub fn new() -> Result<Self, StoreError> {
        Self::with_capacity(LEAST_CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Result<Self, StoreError> {
        Ok(Self { filter: filter(capacity)?, held: 0, capacity, read: BTreeSet::new() })
    }

    /// Ids that were committed.
    pub fn add(&mut self, ids: &[(i64, IdHash)]) {
        for (channel, hash) in ids {
            // Those of other channels are read once they are asked about.
            if self.read.contains(channel) && !self.filter.check_and_set(&item(*channel, *hash)) {
                self.held = self.held.saturating_add(1);
            }
        }
    }

    pub fn contains(&mut self, connection: &Connection, channel: i64, hash: IdHash) -> Result<bool, StoreError> {
        if self.held > self.capacity {
            self.begin_anew(self.held)?;
        }
        if !self.read.contains(&channel) {
            self.read_channel(connection, channel)?;
        }
        if !self.filter.check(&item(channel, hash)) {
            return Ok(false);
        }
        look_up(connection, channel, &hash.number().to_be_bytes()).map_err(error)
    }

    /// A greater filter, which is filled again with the channels that are in use.
    fn begin_anew(&mut self, ids: usize) -> Result<(), StoreError> {
        *self = Self::with_capacity(ids.saturating_mul(2).max(LEAST_CAPACITY))?;
        Ok(())
    }

    fn read_channel(&mut self, connection: &Connection, channel: i64) -> Result<(), StoreError> {
        const COUNT: &str = "SELECT count(*) FROM seen WHERE channel = ?";
        let count = connection.prepare_cached(COUNT).and_then(|mut count| count.query_row([channel], |row| row.get(0)));
        let count: i64 = count.map_err(error)?;
        let ids = self.held.saturating_add(usize::try_from(count).unwrap_or(0));
        if ids > self.capacity {
            self.begin_anew(ids)?;
        }
        for_each_id(connection, channel, |hash| self.filter.set(&item(channel, hash))).map_err(error)?;
        self.held = self.held.saturating_add(usize::try_from(count).unwrap_or(0));
        self.read.insert(channel);
        Ok(())
    }
}

fn for_each_id(connection: &Connection, channel: i64, mut take: impl FnMut(IdHash)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("SELECT hash FROM seen WHERE channel = ?")?;
    let mut rows = statement.query([channel])?;
    while let Some(row) = rows.next()? {
        if let Ok(hash) = row.get_ref(0)?.as_blob()?.try_into().map(u128::from_be_bytes) {
            take(IdHash::from_number(hash));
        }
    }
    Ok(())
}

/// What stands in the filter for an id of a channel. Half of a hash is enough: it may be wrong now and then.
fn item(channel: i64, hash: IdHash) -> u64 {
    hash.short().wrapping_add(channel.cast_unsigned())
}

fn filter(capacity: usize) -> Result<Bloom<u64>, StoreError> {
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

/// Notes ids of messages that enter logs. The oldest are forgotten, an era at a time.
pub(super) struct Put<'t> {
    transaction: &'t Connection,
    /// Messages of an era.
    era: u64,
}

impl<'t> Put<'t> {
    pub fn new(transaction: &'t Transaction<'_>) -> Self {
        Self { transaction, era: ERA }
    }

    /// Notes the ids of messages of a channel whose numbers follow each other, as they lie in their table, unless they were
    /// noted before.
    pub fn put(&self, channel: i64, numbers: RangeInclusive<u64>) -> Result<(), StoreError> {
        const PUT: &str = "INSERT OR IGNORE INTO seen (channel, era, hash)
            SELECT ?1, (place & (1 << 40) - 1) / ?2, hash FROM messages WHERE place BETWEEN ?3 AND ?4";
        let (first, last) = (place(channel, *numbers.start())?, place(channel, *numbers.end())?);
        let row = params![channel, self.era.cast_signed(), first, last];
        self.transaction.prepare_cached(PUT).and_then(|mut put| put.execute(row)).map_err(error)?;
        // An era begins among them.
        if numbers.start().is_multiple_of(self.era) || numbers.start() / self.era < numbers.end() / self.era {
            let oldest = (numbers.end() / self.era).saturating_sub(ERAS).cast_signed();
            const FORGET: &str = "DELETE FROM seen WHERE channel = ? AND era < ?";
            self.transaction.execute(FORGET, [channel, oldest]).map_err(error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::store::sqlite::{Sqlite, Synchronous};

    fn hash(number: u128) -> IdHash {
        // As keyed hashes are: spread.
        IdHash::from_number(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    /// Puts messages into the table whose ids have the hashes of those numbers, and notes these.
    fn put_ids(connection: &mut Connection, channel: i64, ids: Range<u64>) -> Vec<(i64, IdHash)> {
        put_ids_in_eras(connection, channel, ids, ERA)
    }

    fn put_ids_in_eras(connection: &mut Connection, channel: i64, ids: Range<u64>, era: u64) -> Vec<(i64, IdHash)> {
        const PUT: &str = "INSERT INTO messages VALUES (?, ?, '', '', 0, 0, 0, x'', 0)";
        let transaction = connection.transaction().expect("begins");
        for id in ids.clone() {
            let hash = hash(id.into()).number().to_be_bytes();
            transaction.execute(PUT, params![place(channel, id).expect("fits"), hash]).expect("writes");
        }
        let put = Put { era, ..Put::new(&transaction) };
        put.put(channel, ids.start..=ids.end - 1).expect("writes");
        transaction.commit().expect("commits");
        ids.map(|id| (channel, hash(id.into()))).collect()
    }

    #[test]
    fn a_channel_is_read_when_it_is_asked_about_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Sqlite::open(folder.path().join("sds.db"), Synchronous::Off).expect("opens");
        put_ids(&mut store.connection, 1, 0..500);
        put_ids(&mut store.connection, 2, 500..900);
        let mut seen = Seen::new().expect("room");
        assert!(seen.contains(&store.connection, 1, hash(499)).expect("reads"));
        assert!(!seen.contains(&store.connection, 1, hash(500)).expect("reads"));
        assert_eq!((seen.held, seen.read.len()), (500, 1));
        // What is added to a channel that was not asked about is read with the rest of it.
        let added = put_ids(&mut store.connection, 2, 900..910);
        seen.add(&added);
        assert_eq!(seen.held, 500);
        assert!(seen.contains(&store.connection, 2, hash(905)).expect("reads"));
        assert_eq!((seen.held, seen.read.len()), (910, 2));
    }

    #[test]
    fn a_filter_that_is_full_begins_anew_and_forgets_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Sqlite::open(folder.path().join("sds.db"), Synchronous::Off).expect("opens");
        let mut seen = Seen::with_capacity(64).expect("room");
        for round in 0..40 {
            for channel in 1..4 {
                let added = put_ids(&mut store.connection, channel, round * 10..round * 10 + 10);
                seen.add(&added);
                for (channel, hash) in added {
                    assert!(seen.contains(&store.connection, channel, hash).expect("reads"));
                }
            }
        }
        assert!(seen.capacity >= 1_200, "{seen:?}");
        let known =
            |id: &u128| (1..4).all(|channel| seen.contains(&store.connection, channel, hash(*id)).expect("reads"));
        assert_eq!((0..500).filter(known).count(), 400);
    }

    #[test]
    fn ids_beyond_the_eras_are_forgotten_an_era_at_a_time() {
        let mut store = Sqlite::open(":memory:", Synchronous::Off).expect("opens");
        for first in (0..100).step_by(7) {
            put_ids_in_eras(&mut store.connection, 1, first..100.min(first + 7), 4);
        }
        let mut seen = Seen::new().expect("room");
        let is_known = |number: &u128| seen.contains(&store.connection, 1, hash(*number)).expect("reads");
        let known: Vec<_> = (0..110).filter(is_known).collect();
        // The last 9 whole eras, and the one under way.
        assert_eq!(known, (100 - 10 * 4..100).collect::<Vec<_>>());
    }
}
