//! The host in the target `ffi`: its managers, its memory, and what it has read out of records.

use std::collections::BTreeMap;
use std::ptr;

use super::args::Out;
use crate::config::Config;
use crate::ffi::*;

pub(super) struct World {
    /// What managers are made from, unless something in it is changed.
    pub config: sds_config_t,
    /// Managers that are open.
    pub open: Vec<sds_manager_t>,
    /// Handles of those that were closed.
    pub closed: Vec<sds_manager_t>,
    pub now_ms: u64,
    /// What results are written to, over and over.
    pub out: sds_buffer_t,
    /// Messages on the network, and the ids that were heard of.
    pub packets: Vec<Vec<u8>>,
    pub ids: Vec<Vec<u8>>,
    /// What the host keeps for its managers, all in one heap: by channel and key.
    pub rows: BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>,
    /// The number of the offer that was made last.
    pub offered: u64,
}

/// What the library wrote last: enough to be read again.
const MOST_KEPT: usize = 64;

impl World {
    /// Two managers with one channel, since little can be done without.
    pub fn new(config: &Config) -> Self {
        let out = sds_buffer_t { data: ptr::null_mut(), len: 0, capacity: 0 };
        let now_ms = 1_760_000_000_000;
        let mut config = sds_config_t::from_config(config);
        (config.has_seed, config.seed) = (1, 7);
        let (open, closed, packets, ids) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (rows, offered) = (BTreeMap::new(), 0);
        let mut world = Self { config, open, closed, now_ms, out, packets, ids, rows, offered };
        for name in ["alice", "bob"] {
            let mut config = world.config;
            (config.participant_id, config.participant_id_len) = (name.as_ptr().cast(), name.len());
            let mut manager = 0;
            let channel = "garden";
            // SAFETY: all pointers are ours, and NULL where that is allowed.
            let opened = unsafe {
                assert_eq!(sds_manager_open(&raw const config, &raw mut manager, ptr::null_mut()), SDS_OK);
                let (text, len) = (channel.as_ptr().cast(), channel.len());
                sds_channel_open(manager, text, len, ptr::null(), now_ms, ptr::null_mut())
            };
            assert_eq!(opened, SDS_OK);
            world.open.push(manager);
        }
        world
    }

    /// A handle by its number: mostly one that is open.
    pub fn handle(&self, number: u8) -> sds_manager_t {
        let nth = |list: &[sds_manager_t]| list.get(usize::from(number) % list.len().max(1)).copied().unwrap_or(0);
        match number {
            0..=229 => nth(&self.open),
            230..=244 => nth(&self.closed),
            245 => 0,
            246 => u64::MAX,
            // Another place in the table, another generation, another kind.
            247 => nth(&self.open) + 1_000,
            248 => nth(&self.open) + (1 << 24),
            _ => nth(&self.open) ^ 1 << (56 + number % 8),
        }
    }

    /// Where a call writes its result. The pointer is good until the next use of either.
    pub fn out(&mut self, out: &mut Out) -> *mut sds_buffer_t {
        match out {
            Out::Own => &raw mut self.out,
            Out::Null => ptr::null_mut(),
            Out::Impossible(buffer) => buffer,
        }
    }

    /// Reads the records that a call wrote to our buffer, if it did.
    pub fn read_out(&mut self, status: sds_status_t, out: &Out) {
        if status == SDS_OK && matches!(out, Out::Own) {
            let data = self.out_bytes().to_vec();
            self.read(&data);
        }
    }

    pub fn out_bytes(&self) -> &[u8] {
        assert!(self.out.len <= self.out.capacity);
        if self.out.data.is_null() {
            return &[];
        }
        // SAFETY: not NULL, and `len` bytes of it were written by the library.
        unsafe { std::slice::from_raw_parts(self.out.data, self.out.len) }
    }

    /// Reads records to their end, with all their entries.
    pub fn read(&mut self, data: &[u8]) {
        let (mut at, mut count) = (0, 0);
        loop {
            // SAFETY: a structure of numbers and raw pointers, for which all zero bits are valid.
            let mut record: sds_record_t = unsafe { std::mem::zeroed() };
            record.size = size_of::<sds_record_t>();
            // SAFETY: `data` has its length, and all else is ours.
            match unsafe { sds_record_next(data.as_ptr(), data.len(), &raw mut at, &raw mut record) } {
                SDS_OK => count += 1,
                SDS_END => break,
                other => panic!("{other:?} in what the library wrote, after {count} records"),
            }
            assert!(at <= data.len());
            self.keep(&record);
            assert_eq!(self.read_entries(&record), record.entry_count);
        }
    }

    /// Writes what the offer in our buffer says.
    pub fn commit(&mut self) {
        let data = self.out_bytes().to_vec();
        let mut at = 0;
        // SAFETY: as for `read`.
        let mut record: sds_record_t = unsafe { std::mem::zeroed() };
        record.size = size_of::<sds_record_t>();
        // SAFETY: as for `read`.
        while unsafe { sds_record_next(data.as_ptr(), data.len(), &raw mut at, &raw mut record) } == SDS_OK {
            if record.kind != SDS_RECORD_WRITE {
                continue;
            }
            let channel = self.bytes(record.channel_id.cast(), record.channel_id_len).to_vec();
            let data = self.bytes(record.data, record.data_len).to_vec();
            match record.code {
                SDS_WRITE_FORGET => self.rows.retain(|(other, _), _| *other != channel),
                SDS_WRITE_WIPE => self.rows.clear(),
                code => {
                    let (key, value) = data.split_at(SDS_KEY_SIZE);
                    let place = (channel, key.to_vec());
                    let put = code == SDS_WRITE_PUT;
                    assert!(put || code == SDS_WRITE_DELETE && value.is_empty());
                    if put {
                        self.rows.insert(place, value.to_vec())
                    } else {
                        self.rows.remove(&place)
                    };
                }
            }
        }
    }

    fn read_entries(&mut self, record: &sds_record_t) -> usize {
        let (mut at, mut count) = (0, 0);
        loop {
            // SAFETY: as for records.
            let mut entry: sds_entry_t = unsafe { std::mem::zeroed() };
            entry.size = size_of::<sds_entry_t>();
            // SAFETY: `record` was read from memory that is still there.
            match unsafe { sds_entry_next(record, &raw mut at, &raw mut entry) } {
                SDS_OK => count += 1,
                SDS_END => return count,
                other => panic!("{other:?} in entries that the library wrote"),
            }
            let id = self.bytes(entry.message_id.cast(), entry.message_id_len).to_vec();
            let others = self.bytes(entry.retrieval_hint, entry.retrieval_hint_len).len()
                + self.bytes(entry.sender_id.cast(), entry.sender_id_len).len();
            assert!(others <= record.entries_len);
            keep(&mut self.ids, id);
        }
    }

    /// Keeps what is of use later.
    fn keep(&mut self, record: &sds_record_t) {
        for (text, len) in [
            (record.channel_id, record.channel_id_len),
            (record.message_id, record.message_id_len),
            (record.sender_id, record.sender_id_len),
        ] {
            assert!(std::str::from_utf8(self.bytes(text.cast(), len)).is_ok(), "texts are UTF-8");
        }
        let id = self.bytes(record.message_id.cast(), record.message_id_len).to_vec();
        let data = self.bytes(record.data, record.data_len).to_vec();
        keep(&mut self.ids, id);
        if matches!(record.kind, SDS_RECORD_WRAPPED | SDS_RECORD_TRANSMIT) && !data.is_empty() {
            keep(&mut self.packets, data);
        }
    }

    /// Bytes that a record or an entry points to.
    fn bytes(&self, data: *const u8, len: usize) -> &[u8] {
        if data.is_null() {
            assert_eq!(len, 0);
            return &[];
        }
        // SAFETY: it reaches into memory that its caller still holds.
        unsafe { std::slice::from_raw_parts(data, len) }
    }

    /// Everything is given back: only managers of this run are closed, since tests run side by side.
    pub fn end(mut self) {
        for manager in std::mem::take(&mut self.open) {
            // SAFETY: no error structure.
            assert_eq!(unsafe { sds_manager_close(manager, ptr::null_mut()) }, SDS_OK);
            // SAFETY: as above.
            assert_eq!(unsafe { sds_manager_close(manager, ptr::null_mut()) }, SDS_CLOSED);
        }
        // SAFETY: a buffer of ours.
        unsafe { sds_buffer_free(&raw mut self.out) };
    }
}

pub(super) fn keep(list: &mut Vec<Vec<u8>>, item: Vec<u8>) {
    if list.len() == MOST_KEPT {
        list.remove(0);
    }
    list.push(item);
}

pub(super) use sds_status_t::*;
