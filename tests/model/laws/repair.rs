//! Repair among the members: only what is missing is asked for, only what was asked for is answered, and as it was.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::Case;
use crate::call::Call;
use crate::common::MINUTE;
use crate::group::{Group, Verdict};
use crate::member::Member;
use crate::packet::Packet;

/// A message of ours asks for a few of those that are missing, and says truly who sent what it names.
pub fn asks(group: &Group, case: &mut Case<'_>, packet: &Packet) -> Verdict {
    let member = &group.members[case.who];
    prop_assert!(packet.asks.len() <= member.config.repair_request_size, "{:?}", packet.asks);
    case.asked.extend(packet.asks.iter().cloned());
    for (id, sender) in packet.history.iter().zip(&packet.history_senders) {
        let expected = group.repair.then_some(&group.made[id].sender_id);
        prop_assert_eq!(sender.as_ref(), expected, "the sender of {}", id);
    }
    Ok(())
}

/// It is told that something was asked for: for so long it was missing, and so often it was asked for.
pub fn asked(group: &mut Group, case: &mut Case<'_>, id: &str, asks: u32) -> Verdict {
    prop_assert!(group.repair);
    let member = &mut group.members[case.who];
    let facts = &mut member.facts;
    prop_assert!(facts.missing().contains(id), "asked for {id}, which is not missing");
    let since_ms = facts.missing_since.get(id).map_or(u64::MAX, |since| since.moved_ms);
    let waited_ms = facts.clock.moved_ms.saturating_sub(since_ms);
    prop_assert!(waited_ms >= member.config.repair_t_min_ms, "asked for {id} after {waited_ms} ms");
    let before = facts.asked.entry(id.to_owned()).or_default();
    // One that gave way to another for lack of room, and is named again, is not told missing again and is counted anew.
    let anew = asks == 1 && case.after.missing_untracked > 0;
    *before = if anew { 1 } else { *before + 1 };
    facts.asks += 1;
    prop_assert_eq!(asks, *before, "asked for {}", id);
    case.told_asked.push(id.to_owned());
    Ok(())
}

/// What was asked for goes out as it was made, once for all who asked. One that somebody put into the other format, and
/// perhaps somebody else back into the first, says the same, but has no filter.
pub fn answer(group: &mut Group, case: &Case<'_>, packet: &Packet) -> Verdict {
    let Some(made) = group.made.get(&packet.id) else { return Err(TestCaseError::fail("answered what nobody sent")) };
    if packet.bytes != made.bytes {
        prop_assert!(packet.filter.is_empty());
        prop_assert_eq!((&packet.sender_id, &packet.content), (&made.sender_id, &made.content));
        prop_assert_eq!((packet.stamp_ms, &packet.history), (made.stamp_ms, &made.history), "{} translated", packet.id);
    }
    let facts = &mut group.members[case.who].facts;
    prop_assert!(facts.knows(&packet.id));
    prop_assert!(facts.asked_for.remove(&packet.id), "answered, and nobody asks for {} any more", packet.id);
    Ok(())
}

pub fn answered(group: &mut Group, case: &Case<'_>, id: &str) -> Verdict {
    let facts = &mut group.members[case.who].facts;
    prop_assert!(facts.knows(id));
    facts.answered += 1;
    Ok(())
}

/// What was asked for came.
pub fn repaired(group: &mut Group, case: &Case<'_>, id: &str) -> Verdict {
    let facts = &mut group.members[case.who].facts;
    prop_assert!(facts.knows(id) && facts.asked.contains_key(id), "{id} was repaired");
    facts.repaired += 1;
    Ok(())
}

/// What is told was asked for, and the other way round; counts are those of what was told.
pub fn holds(group: &mut Group, case: &mut Case<'_>, call: &Call) -> Verdict {
    prop_assert_eq!(&case.told_asked, &case.asked, "asked for, told and on the network");
    let member = &mut group.members[case.who];
    let facts = &mut member.facts;
    if let Call::Unwrap(packet) = call
        && packet.sender != case.who
        && group.repair
    {
        let here: Vec<_> = packet.asks.iter().filter(|id| facts.knows(id)).cloned().collect();
        facts.asked_for.extend(here);
    }
    for entry in case.dump["repair_requests"].as_array().into_iter().flatten() {
        let id = entry["message_id"].as_str().unwrap_or_default();
        prop_assert!(facts.missing().contains(id), "will ask for {id}, which is not missing");
    }
    for entry in case.dump["repair_answers"].as_array().into_iter().flatten() {
        let id = entry["message_id"].as_str().unwrap_or_default();
        prop_assert!(facts.asked_for.contains(id), "will answer for {id}, and nobody asks for it");
    }
    takes_up_so_many(member, case, call)?;
    let facts = &member.facts;
    let status = &case.after;
    prop_assert_eq!(status.repairs_requested, facts.asks);
    prop_assert_eq!((status.repairs_answered, status.repaired), (facts.answered, facts.repaired));
    if !group.repair {
        prop_assert_eq!((status.repairs_requested, status.repair_requests, status.repair_answers), (0, 0, 0));
    }
    Ok(())
}

/// So many requests are taken up in a minute. Sixty seconds lie in two minutes at most.
fn takes_up_so_many(member: &mut Member, case: &Case<'_>, call: &Call) -> Verdict {
    let facts = &mut member.facts;
    let taken = case.after.repair_answers.saturating_sub(case.before.status.repair_answers);
    prop_assert!(taken == 0 || matches!(call, Call::Unwrap(_)), "took up a request that nobody made");
    let now_ms = facts.clock.moved_ms;
    facts.taken_up.extend((0..taken).map(|_| now_ms));
    let lately = facts.taken_up.iter().rev().take_while(|at_ms| now_ms - **at_ms < MINUTE).count();
    let most = 2 * member.config.repair_answers_per_minute;
    prop_assert!(lately <= most, "{lately} requests taken up in a minute, over {most}");
    Ok(())
}
