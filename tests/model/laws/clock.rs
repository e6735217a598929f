//! Clocks: they follow honest stamps and nothing else; what is stamped too far ahead waits outside the log.

use proptest::prelude::*;

use super::Case;
use crate::call::Call;
use crate::group::{Group, Verdict};

/// What may lie between two stamps of a profile.
pub fn unit_ms(group: &Group, who: usize) -> u64 {
    if group.members[who].plan.profile == sds::types::Profile::Rfc { 1 } else { 1_000 }
}

/// A tick releases what was held until its time.
pub fn release(group: &mut Group, case: &mut Case<'_>, call: &Call) -> Verdict {
    let member = &mut group.members[case.who];
    let drift_ms = member.config.max_clock_drift_ms(member.plan.profile);
    if !matches!(call, Call::Tick) {
        return Ok(());
    }
    let logged = super::delivery::logged(case);
    let (due_ms, may_ms) = (case.before.now_ms + drift_ms, member.facts.clock.latest_ms + drift_ms);
    let oldest = member.facts.oldest(member.config.log_messages);
    for (stamp_ms, number) in member.facts.held.clone() {
        let id = &member.facts.arrivals[number].1;
        // Whether one between the two is released depends on how far a small step back was flattened.
        let released = stamp_ms <= due_ms || (stamp_ms <= may_ms && logged.iter().any(|entry| entry.1 == *id));
        if released && number >= oldest {
            member.facts.held.remove(&(stamp_ms, number));
            case.handed_out_ms.push(stamp_ms);
        }
    }
    Ok(())
}

/// Who hears somebody stamp by the time that it is, and itself stamps what nobody would believe, falls back to what is
/// believed. If that hangs on how far a small step back of the clock was flattened, the clock and the log tell.
pub fn fall_back(group: &mut Group, case: &mut Case<'_>, call: &Call) -> Verdict {
    let member = &mut group.members[case.who];
    let Call::Unwrap(packet) = call else { return Ok(()) };
    let is_new = packet.sender != case.who && !member.facts.knows(&packet.id);
    let Some(heard_ms) = packet.stamp_ms.filter(|_| is_new) else { return Ok(()) };
    let drift_ms = member.config.max_clock_drift_ms(member.plan.profile);
    let (now_ms, latest_ms) = (case.before.now_ms, member.facts.clock.latest_ms);
    let ours_ms = case.before.status.lamport_timestamp_ms;
    let is_ahead = |now_ms: u64| ours_ms > now_ms + 2 * drift_ms;
    let may = is_ahead(now_ms) && heard_ms + drift_ms >= now_ms && heard_ms <= latest_ms + drift_ms;
    let must = is_ahead(latest_ms) && heard_ms.abs_diff(now_ms).max(heard_ms.abs_diff(latest_ms)) <= drift_ms;
    let fell = case.after.lamport_timestamp_ms < ours_ms;
    prop_assert!(may || !fell, "fell back from {ours_ms} at {now_ms} for {heard_ms}");
    prop_assert!(fell || !must, "did not fall back from {ours_ms} at {now_ms} for {heard_ms}");
    if !fell {
        return Ok(());
    }
    let logged: std::collections::BTreeSet<_> = super::delivery::logged(case).into_iter().collect();
    for number in member.facts.oldest(member.config.log_messages)..member.facts.arrivals.len() {
        let entry = member.facts.arrivals[number].clone();
        if entry.0 > latest_ms + drift_ms || entry.0 > now_ms + drift_ms && !logged.contains(&entry) {
            member.facts.hold(number);
        }
    }
    let latest = member.facts.log(member.config.log_messages).pop().map_or(0, |entry| entry.0);
    case.fell_back_ms = Some((latest.max(now_ms), latest.max(latest_ms)));
    Ok(())
}

/// Whether a message that is handed out now is stamped too far ahead. If that hangs on how far a small step back of the
/// clock was flattened, the log tells.
pub fn is_ahead(group: &Group, case: &mut Case<'_>, stamp_ms: u64, id: &str) -> bool {
    let member = &group.members[case.who];
    let drift_ms = member.config.max_clock_drift_ms(member.plan.profile);
    if stamp_ms <= case.before.now_ms + drift_ms {
        case.handed_out_ms.push(stamp_ms);
        return false;
    }
    if stamp_ms > member.facts.clock.latest_ms + drift_ms {
        return true;
    }
    case.maybe_handed_out_ms.push(stamp_ms);
    !super::delivery::logged(case).iter().any(|entry| entry.1 == id)
}

/// The clock is where its last stamp, or the greatest that it believed, put it.
pub fn holds(group: &Group, case: &Case<'_>, call: &Call) -> Verdict {
    let (before_ms, after_ms) = (case.before.status.lamport_timestamp_ms, case.after.lamport_timestamp_ms);
    let (least_ms, most_ms) = case.fell_back_ms.unwrap_or((before_ms, before_ms));
    let certain_ms = case.handed_out_ms.iter().copied().fold(least_ms, u64::max);
    let possible_ms = case.maybe_handed_out_ms.iter().copied().fold(certain_ms.max(most_ms), u64::max);
    prop_assert!((certain_ms..=possible_ms).contains(&after_ms), "clock from {before_ms} to {after_ms}: {certain_ms}");
    let greatest_ms = group.greatest_told_ms + group.stamps_ms;
    prop_assert!(after_ms <= greatest_ms, "the clock {after_ms} is above all honest time, {greatest_ms}");
    if let (Call::Tick, Some(next_ms)) = (call, group.members[case.who].manager.next_deadline()) {
        prop_assert!(next_ms > case.before.now_ms, "due at {next_ms}, at once after a tick at {}", case.before.now_ms);
    }
    Ok(())
}
