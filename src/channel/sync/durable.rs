//! The sync timers as a record.

use prost::Message;

use super::{Sync, Unconfirmed};
use crate::bloom::ItemHash;
use crate::config::{MAX_OWN_SYNC, MAX_UNCONFIRMED};
use crate::idhash::IdHash;
use crate::record::{Damaged, pack, unpack};

/// Hash, item and sender of an unconfirmed message.
const UNCONFIRMED_BYTES: usize = 48;

/// How the timers stand.
#[derive(Clone, PartialEq, Message)]
pub struct SyncRecord {
    #[prost(uint64, tag = "1")]
    interval_ms: u64,
    #[prost(uint64, optional, tag = "2")]
    periodic_ms: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    confirm_ms: Option<u64>,
    /// One after the other.
    #[prost(bytes = "vec", tag = "4")]
    unconfirmed: Vec<u8>,
    #[prost(uint64, tag = "5")]
    suppressed_by_ms: u64,
    #[prost(bytes = "vec", tag = "6")]
    own: Vec<u8>,
    #[prost(uint64, tag = "7")]
    confirmations_dropped: u64,
}

impl Sync {
    pub fn record(&self) -> SyncRecord {
        SyncRecord {
            interval_ms: self.interval_ms,
            periodic_ms: self.periodic_ms,
            confirm_ms: self.confirm_ms,
            unconfirmed: self.unconfirmed.iter().flat_map(unconfirmed_bytes).collect(),
            suppressed_by_ms: self.suppressed_by_ms,
            own: pack(&self.own),
            confirmations_dropped: self.confirmations_dropped,
        }
    }

    /// Sets fresh timers as the record says. Where sync messages are off now, there are none.
    pub fn restore(&mut self, record: &SyncRecord) -> Result<(), Damaged> {
        let (unconfirmed, rest) = record.unconfirmed.as_chunks::<UNCONFIRMED_BYTES>();
        if !rest.is_empty() || unconfirmed.len() > MAX_UNCONFIRMED || record.own.len() > 16 * MAX_OWN_SYNC {
            return Err(Damaged("sync timers that are not whole"));
        }
        if self.enabled {
            self.interval_ms = record.interval_ms;
            self.periodic_ms = record.periodic_ms;
            self.confirm_ms = record.confirm_ms;
            self.unconfirmed = unconfirmed.iter().filter_map(unconfirmed_of).collect();
        }
        self.suppressed_by_ms = record.suppressed_by_ms;
        self.confirmations_dropped = record.confirmations_dropped;
        self.own = unpack(&record.own)?.into();
        Ok(())
    }
}

fn unconfirmed_bytes(message: &Unconfirmed) -> impl Iterator<Item = u8> {
    let (hash, sender) = (message.hash.number().to_be_bytes(), message.sender.number().to_be_bytes());
    [hash, message.item.to_bytes(), sender].into_iter().flatten()
}

fn unconfirmed_of(bytes: &[u8; UNCONFIRMED_BYTES]) -> Option<Unconfirmed> {
    let [hash, item, sender] = bytes.as_chunks::<16>().0 else { return None };
    let id = |bytes: &[u8; 16]| IdHash::from_number(u128::from_be_bytes(*bytes));
    Some(Unconfirmed { hash: id(hash), item: ItemHash::from_bytes(item), sender: id(sender) })
}
