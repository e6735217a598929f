//! The bytes that are allocated at a time.

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that are allocated now, as they were asked for.
pub fn live() -> usize {
    ALLOCATOR.allocated()
}
