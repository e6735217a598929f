//! Handles: numbers that name managers, and survive every misuse.

#[cfg(test)]
mod tests;

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::Lazy;
use parking_lot::RwLock;

use super::args;
use super::guard::{Failure, guard, sds_error_t};
use super::status::sds_status_t::{self, *};
use crate::manager::Manager;

/// Names a manager. A plain number, not an address: it can be copied and compared, 0 is never one, and a handle that is
/// closed or was never given out is answered with a status.
#[allow(non_camel_case_types)]
pub type sds_manager_t = u64;

/// The top byte of every handle, so that a stray number is told from a closed manager.
const KIND: u64 = 0x5d;
const INDEX_BITS: u32 = 24;
const GENERATION_BITS: u32 = 32;

/// One manager: the lock is held for reading by every call inside, and for writing by the close that waits for them.
struct Entry {
    manager: RwLock<Option<Manager>>,
    poisoned: AtomicBool,
}

/// A place in the table. Its generation grows when its manager is closed, so that the old handle stays closed for good.
struct Slot {
    generation: u32,
    entry: Option<Arc<Entry>>,
}

#[derive(Default)]
struct Table {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

static TABLE: Lazy<RwLock<Table>> = Lazy::new(RwLock::default);

/// Puts a manager into the table.
pub(super) fn insert(manager: Manager) -> Result<sds_manager_t, Failure> {
    let entry = Some(Arc::new(Entry { manager: RwLock::new(Some(manager)), poisoned: AtomicBool::new(false) }));
    let mut table = TABLE.write();
    let index = match table.free.pop() {
        Some(index) => index,
        None if table.slots.len() < 1 << INDEX_BITS => {
            table.slots.push(Slot { generation: 0, entry: None });
            table.slots.len() - 1
        }
        None => return Err(Failure::new(SDS_NO_RESOURCES, "no more manager handles in this process")),
    };
    let slot = &mut table.slots[index];
    slot.entry = entry;
    Ok(KIND << (INDEX_BITS + GENERATION_BITS) | u64::from(slot.generation) << INDEX_BITS | index as u64)
}

/// Runs `body` on a manager. A panic in it poisons the manager on its way out.
pub(super) fn with(handle: sds_manager_t, body: impl FnOnce(&Manager) -> Result<(), Failure>) -> Result<(), Failure> {
    let entry = find(handle)?;
    let manager = entry.manager.read();
    let manager = manager.as_ref().ok_or_else(closed)?;
    if entry.poisoned.load(Ordering::Acquire) {
        return Err(Failure::new(SDS_POISONED, "an earlier call on this manager panicked: close it"));
    }
    let _poison = PoisonOnUnwind(&entry.poisoned);
    body(manager)
}

/// The body of a C function about a channel.
///
/// # Safety
/// As for [`args::text`], and `error` as for [`guard`].
pub(super) unsafe fn with_channel(
    handle: sds_manager_t,
    (channel_id, channel_id_len): (*const c_char, usize),
    error: *mut sds_error_t,
    body: impl FnOnce(&Manager, &str) -> Result<(), Failure>,
) -> sds_status_t {
    // SAFETY: forwarded from the caller.
    unsafe {
        guard(error, || {
            let channel_id = args::text(channel_id, channel_id_len, "channel id")?;
            with(handle, |manager| body(manager, channel_id))
        })
    }
}

/// The body of a C function about a message of a channel.
///
/// # Safety
/// As for [`with_channel`], and the message id as the channel id.
pub(super) unsafe fn with_message(
    handle: sds_manager_t,
    channel_id: (*const c_char, usize),
    (message_id, message_id_len): (*const c_char, usize),
    error: *mut sds_error_t,
    body: impl FnOnce(&Manager, &str, &str) -> Result<(), Failure>,
) -> sds_status_t {
    // SAFETY: forwarded from the caller.
    unsafe {
        with_channel(handle, channel_id, error, |manager, channel_id| {
            let message_id = args::text(message_id, message_id_len, "message id")?;
            body(manager, channel_id, message_id)
        })
    }
}

/// Closes a manager: waits for the calls inside it, stores what is not stored yet, then frees it. Later calls find it closed,
/// also if the store failed.
pub(super) fn close(handle: sds_manager_t) -> Result<(), Failure> {
    let entry = find(handle)?;
    let index = index_of(handle);
    {
        let mut table = TABLE.write();
        let slot = &mut table.slots[index];
        // Another thread may have closed it, and a new manager may have its place.
        if !slot.entry.as_ref().is_some_and(|current| Arc::ptr_eq(current, &entry)) {
            return Err(closed());
        }
        retire(&mut table, index);
    }
    end(&entry)
}

/// Takes a manager out of its entry and lets it go.
fn end(entry: &Entry) -> Result<(), Failure> {
    let manager = entry.manager.write().take();
    match manager {
        // What a panic left half done is not to be stored.
        Some(manager) if !entry.poisoned.load(Ordering::Acquire) => Ok(manager.flush()?),
        _ => Ok(()),
    }
}

/// Closes every manager of the process. An error is the first of them.
pub(super) fn close_all() -> Result<(), Failure> {
    let entries: Vec<_> = {
        let mut table = TABLE.write();
        let entries = table.slots.iter().filter_map(|slot| slot.entry.clone()).collect();
        for index in 0..table.slots.len() {
            if table.slots[index].entry.is_some() {
                retire(&mut table, index);
            }
        }
        entries
    };
    end_all(&entries)
}

/// A panic in one keeps none of the others from being stored: it goes on once all have ended.
fn end_all(entries: &[Arc<Entry>]) -> Result<(), Failure> {
    let (mut result, mut panic) = (Ok(()), None);
    for entry in entries {
        // Whatever it was in the middle of is dropped with it.
        match catch_unwind(AssertUnwindSafe(|| end(entry))) {
            Ok(ended) => result = result.and(ended),
            Err(payload) => panic = panic.or(Some(payload)),
        }
    }
    match panic {
        Some(payload) => resume_unwind(payload),
        None => result,
    }
}

fn retire(table: &mut Table, index: usize) {
    let slot = &mut table.slots[index];
    slot.entry = None;
    // A place whose generations are used up is never used again.
    if let Some(generation) = slot.generation.checked_add(1) {
        slot.generation = generation;
        table.free.push(index);
    }
}

fn find(handle: sds_manager_t) -> Result<Arc<Entry>, Failure> {
    let generation = (handle >> INDEX_BITS) as u32;
    let table = TABLE.read();
    let slot = table.slots.get(index_of(handle)).filter(|_| handle >> (INDEX_BITS + GENERATION_BITS) == KIND);
    match slot {
        Some(slot) if slot.generation == generation => slot.entry.clone().ok_or_else(closed),
        Some(slot) if slot.generation > generation => Err(closed()),
        _ => Err(Failure::new(SDS_INVALID_HANDLE, format!("{handle:#x} is no manager handle"))),
    }
}

fn index_of(handle: sds_manager_t) -> usize {
    (handle & ((1 << INDEX_BITS) - 1)) as usize
}

fn closed() -> Failure {
    Failure::new(SDS_CLOSED, "the manager is closed")
}

/// Poisons its manager when a panic passes.
struct PoisonOnUnwind<'a>(&'a AtomicBool);

impl Drop for PoisonOnUnwind<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Release);
        }
    }
}
