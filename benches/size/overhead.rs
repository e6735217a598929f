//! `overhead_quiet` and `overhead_busy`: bytes on the wire beyond the payload.

use sds::types::Profile;

use crate::common::chat::{ALICE, BOB, CONTENT, Member, config};
use crate::common::figure::Figure;

/// All messages are recent: within the ten minutes that a filter covers.
const STEP_MS: u64 = 100;

pub fn figures() -> [Figure; 2] {
    [
        Figure::limited("overhead_quiet", overhead(20), "bytes", 600.0),
        Figure::limited("overhead_busy", overhead(1_000), "bytes", 2_600.0),
    ]
}

/// What a message of 200 bytes takes on the wire beyond those, once `recent` messages were received, in the libsds
/// profile with the default configuration. Ids of messages have 66 characters, those of channel and members 16.
fn overhead(recent: usize) -> f64 {
    let member = |name| Member::new(name, Profile::Libsds, STEP_MS, config(name));
    let (mut alice, mut bob) = (member(ALICE), member(BOB));
    alice.receive_from(&mut bob, recent);
    let id = &alice.next_ids(1)[0];
    (alice.wrap(id).len() - CONTENT.len()) as f64
}
