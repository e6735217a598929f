//! Delivery: once, in causal order, and as soon as nothing is in the way; and what is missing is told.

use std::rc::Rc;

use proptest::prelude::*;
use sds::output::{Delivered, Disposition};
use sds::types::Kind;

use super::{Case, acks, clock};
use crate::call::Received;
use crate::group::{Group, Verdict};
use crate::packet::Packet;

/// What became of a received message is what it has to be.
pub fn received(group: &mut Group, case: &mut Case<'_>, packet: &Rc<Packet>, received: &Received) -> Verdict {
    let who = case.who;
    let own = packet.sender == who;
    let facts = &group.members[who].facts;
    let again = facts.knows(&packet.id);
    let unmet = facts.unmet(&packet.history);
    let (disposition, unmet) = match (packet.kind, again, own) {
        (Kind::Ephemeral, _, false) => (Disposition::Ephemeral, vec![]),
        (_, _, true) => (Disposition::Own, vec![]),
        (_, true, _) if facts.waiting.contains_key(&packet.id) => (Disposition::Duplicate, unmet),
        (_, true, _) => (Disposition::Duplicate, vec![]),
        (Kind::Sync, _, _) => (Disposition::Sync, unmet),
        (_, _, _) if !unmet.is_empty() => (Disposition::Waiting, unmet),
        (_, _, _) if facts.lost.contains(&packet.id) => (Disposition::Late, vec![]),
        (_, _, _) => (Disposition::Delivered, vec![]),
    };
    prop_assert_eq!(received.disposition, disposition);
    prop_assert_eq!(&received.unmet, &unmet);
    prop_assert_eq!(received.own, own);
    prop_assert_eq!(&received.content, &packet.content);
    prop_assert_eq!((&received.message_id, &received.sender_id), (&packet.id, &packet.sender_id));
    prop_assert_eq!(received.lamport_ms, packet.stamp_ms);

    if packet.kind == Kind::Ephemeral {
        return Ok(());
    }
    // Somebody broadcast it: nobody needs to.
    group.members[who].facts.asked_for.remove(&packet.id);
    if own {
        return Ok(());
    }
    if again {
        group.members[who].facts.duplicates += 1;
        return Ok(());
    }
    acks::heard(group, case, packet);
    let facts = &mut group.members[who].facts;
    facts.count_namings(&packet.history);
    facts.named.extend(packet.history.iter().cloned());
    if packet.kind == Kind::Sync {
        return Ok(());
    }
    facts.received.push(packet.id.clone());
    facts.covered.push((facts.clock.moved_ms, packet.id.clone()));
    if disposition == Disposition::Waiting {
        let late = facts.lost.contains(&packet.id);
        facts.waiting.insert(packet.id.clone(), late);
        facts.waiting_since.insert(packet.id.clone(), facts.clock.clone());
        return Ok(());
    }
    hand_out(group, case, packet)
}

/// A message that waited.
pub fn delivered(group: &mut Group, case: &mut Case<'_>, told: &Delivered) -> Verdict {
    let packet = group.made.get(told.message_id.as_str()).cloned();
    let Some(packet) = packet else { return Err(TestCaseError::fail("delivered what nobody sent")) };
    let waiting = group.members[case.who].facts.waiting.get(&packet.id).copied();
    prop_assert!(waiting.is_some(), "delivered {} which did not wait", packet.id);
    prop_assert_eq!(Some(told.late), waiting, "late");
    prop_assert!(!told.own);
    prop_assert_eq!(&told.content[..], &packet.content[..]);
    prop_assert_eq!(told.sender_id.as_str(), &packet.sender_id);
    prop_assert_eq!(Some(told.lamport_timestamp_ms), packet.stamp_ms);
    hand_out(group, case, &packet)
}

/// A message takes its place in the causal order: once, after all that it names and is here, and after what is missing or
/// when its time is up.
fn hand_out(group: &mut Group, case: &mut Case<'_>, packet: &Rc<Packet>) -> Verdict {
    let (facts, config) = (&group.members[case.who].facts, &group.members[case.who].config);
    prop_assert!(!facts.here.contains(&packet.id), "{} was delivered twice", packet.id);
    let mut unmet = facts.unmet(&packet.history);
    unmet.retain(|named| !facts.came_after_it_was_lost(named, &packet.id));
    let since = facts.waiting_since.get(&packet.id);
    let since_ms = since.map_or(u64::MAX, |since| since.reachable_ms);
    if facts.clock.reachable_ms.saturating_sub(since_ms) >= config.dependency_timeout_ms {
        case.overdue.insert(packet.id.clone());
        case.overdue_unmet += u64::from(!unmet.is_empty());
    } else if !unmet.is_empty() {
        case.early.insert(packet.id.clone());
    }
    // What came, and was stamped, long after its message is no reason to deliver it: it may be made up. Time is told by the
    // clock as it is now.
    let half_ms = config.dependency_timeout_ms / 2;
    let counts = |named: &&String| {
        since.zip(facts.waiting_since.get(*named)).is_some_and(|(since, named_since)| {
            let came_ms = facts.clock.now_ms().saturating_sub(facts.clock.moved_ms - since.moved_ms);
            let by_ms = came_ms.min(since.now_ms()) + half_ms;
            let stamped_before = group.made[*named].stamp_ms.is_some_and(|stamp_ms| stamp_ms < by_ms);
            stamped_before || named_since.reachable_ms < since.reachable_ms + half_ms
        })
    };
    let waits = unmet.iter().filter(|named| facts.waiting.contains_key(*named)).find(counts);
    prop_assert!(waits.is_none(), "{} was delivered before {:?}, which is here", packet.id, waits);
    let stamp_ms = packet.stamp_ms.unwrap_or_default();
    let held = clock::is_ahead(group, case, stamp_ms, &packet.id);
    let member = &mut group.members[case.who];
    member.facts.arrive(stamp_ms, &packet.id, held, member.config.log_messages);
    Ok(())
}

/// A message is told missing once, and only if it is.
pub fn missing(group: &mut Group, case: &Case<'_>, id: &str) -> Verdict {
    let facts = &mut group.members[case.who].facts;
    prop_assert!(facts.named.contains(id) && !facts.knows(id), "{id} is not missing");
    // One that gave way to another for lack of room may be told again.
    let gave_way = case.after.missing_untracked > 0;
    prop_assert!(facts.told_missing.insert(id.to_owned()) || gave_way, "{id} was told missing twice");
    facts.missing_since.insert(id.to_owned(), facts.clock.clone());
    facts.asked.remove(id);
    Ok(())
}

/// Only what was told missing is lost, once, and not before its time.
pub fn lost(group: &mut Group, case: &Case<'_>, id: &str) -> Verdict {
    let member = &mut group.members[case.who];
    let facts = &mut member.facts;
    prop_assert!(facts.told_missing.contains(id) && !facts.knows(id), "{id} is not missing, and cannot be lost");
    prop_assert!(!facts.marked.contains(id), "{id} was met");
    let since_ms = facts.missing_since.get(id).map_or(u64::MAX, |since| since.reachable_ms);
    let waited_ms = facts.clock.reachable_ms.saturating_sub(since_ms);
    prop_assert!(member.away.is_none(), "{id} was lost while it could not be fetched");
    prop_assert!(waited_ms >= member.config.dependency_timeout_ms, "{id} was lost after {waited_ms} ms");
    prop_assert!(facts.lost.insert(id.to_owned()), "{id} was lost twice");
    Ok(())
}

/// Nothing is held back that could be handed out; the log is the last arrivals in order; all that is missing is told.
pub fn holds(group: &Group, case: &Case<'_>) -> Verdict {
    let member = &group.members[case.who];
    let facts = &member.facts;
    for id in facts.waiting.keys() {
        let unmet = facts.unmet(&group.made[id].history);
        prop_assert!(!unmet.is_empty(), "{id} waits for nothing");
    }
    // Early is only what leaves a full buffer, or is named by what left, and that is told. What waits for others is handed
    // out when its own time is up.
    let told = case.after.delivered_early - case.before.status.delivered_early;
    let untracked = case.after.missing_untracked > 0;
    let (early, most) = (case.early.len() as u64, case.early.len() as u64 + case.overdue_unmet);
    prop_assert!((early..=most).contains(&told), "{early} to {most} delivered before what they name, told {told}");
    let is_named = |id: &String| {
        let mut others = case.early.iter().chain(&case.overdue);
        others.any(|other| other != id && group.made[other].history.contains(id))
    };
    let is_forced = case.early.iter().all(is_named) && (case.early.is_empty() || !case.overdue.is_empty());
    prop_assert!(!member.is_roomy() || (is_forced && !untracked), "there is room: {:?}", case.early);

    let log = facts.log(member.config.log_messages);
    prop_assert_eq!(logged(case), log, "the log, as (timestamp, id)");
    let waiting: Vec<&str> = names(&case.dump["waiting"]);
    prop_assert_eq!(waiting.len(), facts.waiting.len(), "waiting: {:?} for {:?}", waiting, facts.waiting);
    prop_assert!(waiting.iter().all(|id| facts.waiting.contains_key(*id)), "waiting: {waiting:?}");
    let mut missing = names(&case.dump["missing"]);
    missing.sort_unstable();
    if untracked {
        prop_assert!(missing.iter().all(|id| facts.missing().contains(id)), "missing: {missing:?}");
    } else {
        prop_assert_eq!(&missing, &facts.missing().into_iter().collect::<Vec<_>>(), "missing");
    }
    prop_assert!(missing.iter().all(|id| facts.told_missing.contains(*id)), "untold: {missing:?}");

    let received = facts.arrivals.len() - facts.own.len();
    prop_assert_eq!(case.after.received as usize, received, "received");
    prop_assert_eq!(case.after.duplicates, facts.duplicates, "duplicates");
    let lost = facts.lost.iter().filter(|id| !facts.knows(id)).count();
    prop_assert_eq!(case.after.lost as usize, lost, "lost");
    prop_assert_eq!(case.after.held as usize, facts.held.len(), "held");
    Ok(())
}

/// The log as the engine has it, in its order.
pub fn logged(case: &Case<'_>) -> Vec<(u64, String)> {
    let entries = case.dump["log_latest_first"].as_array().expect("a log").iter().rev();
    let entry = |entry: &serde_json::Value| {
        (entry[0].as_u64().expect("a timestamp"), entry[1].as_str().expect("an id").to_owned())
    };
    entries.map(entry).collect()
}

fn names(list: &serde_json::Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|entry| entry["message_id"].as_str().expect("an id")).collect()
}
