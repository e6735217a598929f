//! A function that panics behind a guard, with something to drop on the way.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicI32, Ordering};

static DROPPED: AtomicI32 = AtomicI32::new(0);

struct Count;

impl Drop for Count {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

/// Panics inside, for `panic` other than 0. How many values were dropped so far; negative if the panic was caught.
#[unsafe(no_mangle)]
pub extern "C" fn sds_boundary(panic: i32) -> i32 {
    let caught = catch_unwind(|| {
        let _count = Count;
        assert!(panic == 0, "asked to panic: {panic}");
    });
    let dropped = DROPPED.load(Ordering::SeqCst);
    if caught.is_err() { -dropped } else { dropped }
}
