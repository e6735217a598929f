//! Logs: once everybody has everything, all logs are equal, in the one order there is.

use super::{Rule, Verdict, must};
use crate::ledger::{Ledger, Said};

/// The one log: by timestamp, and then by id. What never got out, for want of room to send it again, is in the log of whoever
/// said it alone.
pub fn expected(ledger: &Ledger, who: u32) -> Vec<&str> {
    let is_here = |said: &&Said| said.packet.is_some() || said.who == who;
    let mut all: Vec<(u64, &str)> =
        ledger.said.iter().filter(is_here).map(|said| (said.stamp_ms, said.id.as_str())).collect();
    all.sort_unstable();
    all.into_iter().map(|(_, id)| id).collect()
}

/// A participant's log, in its order.
pub fn equal(log: &[String], expected: &[&str]) -> Verdict {
    must(log.len() == expected.len(), Rule::EqualLogs, || {
        format!("{} messages in the log, where there are {}", log.len(), expected.len())
    })?;
    let differs = log.iter().zip(expected).position(|(logged, expected)| logged != expected);
    must(differs.is_none(), Rule::EqualLogs, || {
        let place = differs.unwrap_or_default();
        format!("{} in the log at {place}, where {} belongs", log[place], expected[place])
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{breaks, ledger};
    use super::*;

    #[test]
    fn another_log_is_noticed() {
        let mut ledger = ledger(4);
        // Equal stamps are ordered by id; what was never broadcast is in no other log.
        ledger.said[2].stamp_ms = 1;
        ledger.said[3].packet = None;
        assert_eq!(expected(&ledger, 0), ["m0", "m1", "m2", "m3"]);
        let expected = expected(&ledger, 1);
        assert_eq!(expected, ["m0", "m1", "m2"]);
        let log = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        equal(&log(&["m0", "m1", "m2"]), &expected).unwrap();
        for wrong in [&["m0", "m2", "m1"][..], &["m0", "m1"], &["m0", "m1", "m2", "m3"], &[]] {
            breaks(equal(&log(wrong), &expected), Rule::EqualLogs);
        }
    }
}
