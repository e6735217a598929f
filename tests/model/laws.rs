//! What has to hold after every call, whatever happened before.

mod acks;
mod bounds;
mod clock;
mod delivery;
mod repair;
mod sending;

use std::collections::BTreeSet;

use proptest::prelude::*;
use sds::output::{ChannelStatus, Event, Output};
use serde_json::Value;

use crate::call::{Answer, Call};
use crate::group::{Group, Verdict};

/// What was before a call.
pub struct Before {
    pub status: ChannelStatus,
    /// The time it was told.
    pub now_ms: u64,
}

/// A call on one participant, and what is known of it so far.
pub struct Case<'a> {
    pub who: usize,
    pub before: &'a Before,
    pub after: ChannelStatus,
    pub dump: Value,
    /// Messages handed out before something they name, so far, and before their own time was up.
    pub early: BTreeSet<String>,
    /// Messages handed out whose own time was up, and how many of them before something they name.
    pub overdue: BTreeSet<String>,
    pub overdue_unmet: u64,
    /// The timestamps of what it handed out, as far as they count.
    pub handed_out_ms: Vec<u64>,
    /// Those of which it may not be told whether they count.
    pub maybe_handed_out_ms: Vec<u64>,
    /// Between what its clock lies after it fell back, before anything is handed out.
    pub fell_back_ms: Option<(u64, u64)>,
    /// What its host was told that it asked for.
    pub told_asked: Vec<String>,
    /// What its messages asked for.
    pub asked: Vec<String>,
}

/// Holds a call that was not refused to the laws, and takes in what it told.
pub fn hold(
    group: &mut Group,
    who: usize,
    before: &Before,
    call: &Call,
    answer: Option<&Answer>,
    outputs: &[Output],
) -> Verdict {
    let member = &group.members[who];
    let (after, dump) = (member.status(), member.dump());
    let case = &mut Case {
        who,
        before,
        after,
        dump,
        early: BTreeSet::new(),
        overdue: BTreeSet::new(),
        overdue_unmet: 0,
        handed_out_ms: Vec::new(),
        maybe_handed_out_ms: Vec::new(),
        fell_back_ms: None,
        told_asked: Vec::new(),
        asked: Vec::new(),
    };
    clock::release(group, case, call)?;
    clock::fall_back(group, case, call)?;
    match (call, answer) {
        (Call::Wrap { .. }, Some(Answer::Wrapped(wrapped))) => sending::wrapped(group, case, call, wrapped)?,
        (Call::Whisper { .. }, Some(Answer::Wrapped(wrapped))) => sending::whispered(group, case, call, wrapped)?,
        (Call::Unwrap(packet), Some(Answer::Received(received))) => delivery::received(group, case, packet, received)?,
        (Call::Tick, _) => {}
        (Call::Online(_), _) => {}
        (Call::Retry(id), _) => acks::retried(group, case, id),
        (Call::Cancel(id), _) => acks::cancelled(group, case, id),
        (Call::Mark(id), _) => drop(group.members[who].facts.marked.insert(id.clone())),
        _ => prop_assert!(false, "an answer to another call: {answer:?}"),
    }
    for output in outputs {
        match output {
            Output::Transmit(transmit) => sending::transmitted(group, case, call, transmit)?,
            Output::Event(Event::Delivered(delivered)) => delivery::delivered(group, case, delivered)?,
            Output::Event(Event::Missing(missing)) => delivery::missing(group, case, &missing.message_id)?,
            Output::Event(Event::Lost(lost)) => delivery::lost(group, case, &lost.message_id)?,
            Output::Event(Event::BeforeUs(_)) => prop_assert!(false, "nobody joined later"),
            Output::Event(Event::RepairRequested { message_id, asks }) => {
                repair::asked(group, case, message_id, *asks)?
            }
            Output::Event(Event::RepairAnswered { message_id }) => repair::answered(group, case, message_id)?,
            Output::Event(Event::Repaired { message_id }) => repair::repaired(group, case, message_id)?,
            Output::Event(event) => acks::told(group, case, event)?,
        }
    }
    delivery::holds(group, case)?;
    repair::holds(group, case, call)?;
    acks::hold(group, case)?;
    clock::holds(group, case, call)?;
    bounds::hold(group, case)
}
