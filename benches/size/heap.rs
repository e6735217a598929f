//! The bytes that are allocated at a time. In this benchmark alone: counting them would slow the others.

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that are allocated now, as they were asked for.
pub fn live() -> usize {
    ALLOCATOR.allocated()
}

/// What `work` makes, and the bytes of heap that it still holds then.
pub fn held<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = live();
    let made = work();
    (made, live().saturating_sub(before))
}
