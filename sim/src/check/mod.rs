//! What must hold, whatever the network does. Checkers compare what an engine tells its host with the truth; the first
//! that does not agree ends the run, with a reason.
//!
//! | rule | file |
//! |---|---|
//! | causal order; nothing twice; nothing that nobody said | [`delivery`] |
//! | no acknowledgement that nobody earned | [`acks`] |
//! | bounds: of buffers, of what is sent | [`bounds`] |
//! | after healing everybody has the same log | [`logs`] |
//! | what has to happen, happens in bounded time | [`liveness`] |

pub mod acks;
pub mod bounds;
pub mod delivery;
pub mod liveness;
pub mod logs;

use std::fmt;

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    CausalOrder,
    NothingTwice,
    NothingMadeUp,
    EarnedAcks,
    Bounds,
    EqualLogs,
    Liveness,
    /// Honest calls and honest messages are not refused.
    Accepted,
}

/// A promise that was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub rule: Rule,
    pub how: String,
}

pub type Verdict = Result<(), Broken>;

/// Refuses unless `holds`.
pub fn must(holds: bool, rule: Rule, how: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Broken { rule, how: how() }) }
}

/// A broken promise, with when and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub broken: Broken,
    /// Milliseconds from the start.
    pub at_ms: u64,
    pub who: Option<u32>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broken: Broken { rule, how }, at_ms, who } = self;
        let (seconds, ms) = (at_ms / 1_000, at_ms % 1_000);
        write!(f, "{rule:?} at {seconds}.{ms:03} s")?;
        who.map_or(Ok(()), |who| write!(f, ", participant {who}"))?;
        write!(f, ": {how}")
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::ledger::{Ledger, Said};
    use crate::speech;

    /// A ledger of messages by participant 0, each naming those before it.
    pub fn ledger(messages: u32) -> Ledger {
        let mut ledger = Ledger::default();
        for number in 0..messages {
            ledger.add(Said {
                id: format!("m{number}").as_str().into(),
                who: 0,
                said_ms: 0,
                stamp_ms: u64::from(number),
                content: said(number).into(),
                history: (0..number).collect(),
                packet: Some(number),
            });
        }
        ledger
    }

    pub fn said(number: u32) -> Vec<u8> {
        speech::content(number, 20)
    }

    #[track_caller]
    pub fn breaks(verdict: Verdict, rule: Rule) {
        assert_eq!(verdict.unwrap_err().rule, rule);
    }
}
