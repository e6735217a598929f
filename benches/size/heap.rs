//! An allocator that counts the bytes that are allocated at a time. In this benchmark alone: it would slow the others.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all of it is the system's allocator; counting changes nothing about that.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Bytes that are allocated now, as they were asked for.
pub fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// What `work` makes, and the bytes of heap that it still holds then.
pub fn held<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = live();
    let made = work();
    (made, live().saturating_sub(before))
}
