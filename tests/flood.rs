//! `make flood` in small: some hostile messages of mixed kinds, with honest traffic beside them. The only test in its
//! program, so that what is allocated is its own.

#[path = "../benches/flood/attack.rs"]
mod attack;
#[path = "../benches/flood/field.rs"]
mod field;
#[path = "../benches/flood/heap.rs"]
mod heap;

const MESSAGES: usize = 6_000;
const MOST_BYTES: usize = 32 << 20;

#[test]
fn a_flood_of_everything() {
    let it = field::run(MESSAGES, heap::live);
    assert!(it.most_held < MOST_BYTES, "{} bytes", it.most_held);
    assert_eq!((it.delivered, it.acknowledged), (it.sent, it.sent), "of the honest messages: {:#?}", it.status);
    // It reached what it was to reach.
    let status = it.status;
    let reached = [
        status.duplicates,
        status.delivered_early,
        status.missing_untracked,
        status.log_evicted,
        status.whole_dropped,
        status.held,
        status.repairs_refused,
        status.confirmations_dropped,
        status.namings_dropped,
        status.evidence_dropped,
    ];
    assert!(reached.iter().all(|count| *count > 0), "{status:#?}");
}
