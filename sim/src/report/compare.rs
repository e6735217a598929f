//! The same group with the parameters of the deployed implementations beside ours. Only parameters: it is our engine that
//! runs, so that what differs comes from them.

use serde::Serialize;

use crate::furps::{Case, Measured, Profile, Repair};

pub const PARTICIPANTS: u32 = 20;
/// So many that filters for 10,000 get full, where they err.
pub const MESSAGES: u32 = 12_000;
/// A year: never.
const NEVER: u64 = 365 * 24 * 3_600_000;

/// What a way of doing it came to.
#[derive(Debug, Serialize)]
pub struct Compared {
    pub way: String,
    pub measured: Measured,
}

impl Compared {
    pub fn new(way: &str, measured: Measured) -> Self {
        Self { way: way.to_owned(), measured }
    }
}

/// Filters are of the one fixed size in this format, so that they are the same in all three.
pub fn cases(seed: u64) -> Vec<(&'static str, Case)> {
    let case = |set: &[String]| Case {
        loss_percent: 10.0,
        messages: MESSAGES,
        set: set.to_vec(),
        ..Case::new(PARTICIPANTS, Repair::Store, Profile::Rfc, seed)
    };
    let deployed = |history: u32, resend_ms: u64, confirm_ms: u64, sync_ms: u64| {
        let setting = |name: &str, value: u64| format!("{name}={value}");
        case(&[
            // Or so many names with hints would not fit.
            "max_hint_bytes=256".to_owned(),
            setting("causal_history_size", u64::from(history)),
            // The longer one first: it may not be the shorter at any time.
            setting("possibly_resend_interval_ms", resend_ms),
            setting("resend_interval_ms", resend_ms),
            // One filter that holds a message acknowledges it, and ids leave a filter only when it is full.
            "ack_false_positive=0.49".to_owned(),
            setting("ack_window_ms", NEVER),
            // The greatest interval first, for the same reason.
            setting("sync_interval_max_ms", sync_ms.max(1_800_000)),
            setting("sync_interval_ms", sync_ms),
            setting("sync_confirm_ms", confirm_ms),
            "repair=false".to_owned(),
        ])
    };
    vec![
        ("ours", case(&[])),
        (
            "as nim-sds: names 10, resends after 60 s, one filter hit acknowledges, no sync messages",
            deployed(10, 60_000, NEVER, NEVER),
        ),
        (
            "as @waku/sds: names 200, resends after 30 s, one filter hit acknowledges, sync after 30 s",
            deployed(200, 30_000, NEVER, 30_000),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_can_be_run() {
        for (way, case) in cases(1) {
            let scenario = case.scenario().expect(way);
            scenario.config(0).validate().expect(way);
        }
    }
}
