//! Another Rust archive in the same program: collections, formatting, and a panic that is caught.

use std::collections::HashMap;
use std::panic::catch_unwind;

/// How many different remainders the first `count` numbers leave by `divisor`; -1 if that panics, as it does for 0.
#[unsafe(no_mangle)]
pub extern "C" fn other_count(count: u32, divisor: u32) -> i32 {
    catch_unwind(|| {
        let mut seen = HashMap::new();
        for number in 0..count {
            seen.insert(number.checked_rem(divisor).expect("divided by zero"), number.to_string());
        }
        i32::try_from(seen.len()).unwrap_or(i32::MAX)
    })
    .unwrap_or(-1)
}
