//! Measuring two things side by side, on a machine that does other things too.

use std::time::{Duration, Instant};

/// How long `work` takes.
pub fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// How long two pieces of work take, run one after the other: in turn, the first or the second goes first, so that
/// neither always finds the caches warm.
pub fn time_both(turn: usize, a: impl FnOnce(), b: impl FnOnce()) -> (Duration, Duration) {
    if turn.is_multiple_of(2) {
        let first = time(a);
        (first, time(b))
    } else {
        let first = time(b);
        (time(a), first)
    }
}

/// Measures a ratio: `batch` runs a short batch of both sides and returns how long each took. What is rare within a round
/// (a filter that is rebuilt) counts in its sums; a round that something else disturbed does not count in the median of
/// rounds.
pub fn ratio(rounds: usize, batches: usize, mut batch: impl FnMut(usize) -> (Duration, Duration)) -> f64 {
    let mut ratio_of_round = || {
        let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
        for turn in 0..batches {
            let (a, b) = batch(turn);
            ours += a;
            theirs += b;
        }
        ours.as_secs_f64() / theirs.as_secs_f64()
    };
    median((0..rounds).map(|_| ratio_of_round()).collect())
}

/// The middle value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
