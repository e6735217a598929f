//! Sending: what a message says of its sender's log, filter and clock, and when anything goes out at all.

use std::rc::Rc;

use proptest::prelude::*;
use sds::bloom::ItemHash;
use sds::output::{Transmit, TransmitReason, Wrapped};
use sds::types::{Kind, Profile};

use super::{Case, clock};
use crate::call::Call;
use crate::facts::{Facts, Own};
use crate::group::{Group, Verdict};
use crate::packet::Packet;

fn packet(group: &Group, who: usize, bytes: &bytes::Bytes) -> Packet {
    Packet::read(bytes.clone(), who, group.members[who].facts.received.len())
}

/// A wrap: a new message, or the old bytes of one that was wrapped before.
pub fn wrapped(group: &mut Group, case: &mut Case<'_>, call: &Call, wrapped: &Wrapped) -> Verdict {
    let Call::Wrap { id, content } = call else { return Ok(()) };
    let who = case.who;
    if let Some(before) = group.made.get(wrapped.message_id.as_str()) {
        prop_assert_eq!(id.as_deref(), Some(&*before.id), "an id was made up twice");
        prop_assert_eq!(&wrapped.bytes, &before.bytes);
        super::acks::retried(group, case, &wrapped.message_id);
        group.members[who].facts.asked_for.remove(&*wrapped.message_id);
        return Ok(());
    }
    let packet = packet(group, who, &wrapped.bytes);
    prop_assert!(id.as_ref().is_none_or(|id| *id == packet.id));
    prop_assert_eq!(wrapped.message_id.as_str(), &packet.id);
    prop_assert_eq!(wrapped.lamport_timestamp_ms, packet.stamp_ms);
    prop_assert_eq!(packet.kind, Kind::Content);
    prop_assert_eq!(&packet.content, content);
    stamped(group, case, &packet)?;
    let stamp_ms = packet.stamp_ms.unwrap_or_default();
    let member = &mut group.members[who];
    member.facts.own.insert(packet.id.clone(), Own::default());
    member.facts.covered.push((member.facts.clock.moved_ms, packet.id.clone()));
    // Its own messages it always believes.
    member.facts.arrive(stamp_ms, &packet.id, false, member.config.log_messages);
    group.made.insert(packet.id.clone(), Rc::new(packet));
    Ok(())
}

/// An ephemeral message has neither timestamp nor history nor filter, and leaves no trace.
pub fn whispered(group: &mut Group, case: &Case<'_>, call: &Call, wrapped: &Wrapped) -> Verdict {
    let Call::Whisper { content } = call else { return Ok(()) };
    let packet = packet(group, case.who, &wrapped.bytes);
    prop_assert_eq!(packet.kind, Kind::Ephemeral);
    prop_assert_eq!(&packet.content, content);
    prop_assert!(packet.history.is_empty() && packet.filter.is_empty() && packet.stamp_ms.is_none());
    prop_assert_eq!(&case.after, &case.before.status);
    Ok(())
}

/// What goes out by itself: the same bytes again of what nobody confirmed, and sync messages.
pub fn transmitted(group: &mut Group, case: &mut Case<'_>, call: &Call, transmit: &Transmit) -> Verdict {
    let who = case.who;
    let asked = matches!(call, Call::Retry(_));
    prop_assert!(asked || group.members[who].away.is_none(), "sent while away");
    let packet = packet(group, who, &transmit.bytes);
    prop_assert_eq!(transmit.message_id.as_str(), &packet.id);
    if transmit.reason == TransmitReason::RepairAnswer {
        return super::repair::answer(group, case, &packet);
    }
    if matches!(transmit.reason, TransmitReason::Sync | TransmitReason::RepairRequest) {
        let plan = &group.members[who].plan;
        prop_assert!(plan.profile == Profile::Rfc || plan.sync_in_libsds, "no sync messages were wanted");
        prop_assert_eq!(packet.kind, Kind::Sync);
        prop_assert!(matches!(call, Call::Tick));
        prop_assert_eq!(transmit.reason == TransmitReason::RepairRequest, !packet.asks.is_empty());
        return stamped(group, case, &packet);
    }
    prop_assert_eq!(transmit.reason, TransmitReason::Resend);
    prop_assert_eq!(&transmit.bytes, &group.made[&packet.id].bytes, "resent with other bytes");
    group.members[who].facts.asked_for.remove(&packet.id);
    let most = group.members[who].config.max_resends;
    let Some(own) = group.members[who].facts.own.get_mut(&packet.id) else {
        return Err(TestCaseError::fail("resent another's message"));
    };
    prop_assert!(!own.acknowledged && !own.cancelled && !own.given_up, "resent {:?}", own.state());
    // What the host asks for comes at once, and does not count.
    own.resends += u32::from(matches!(call, Call::Tick));
    prop_assert!(own.resends <= most, "resent {} times", own.resends);
    Ok(())
}

/// A message of ours names the end of our log, has all recent ids in its filter, and a timestamp above all we know.
fn stamped(group: &mut Group, case: &mut Case<'_>, packet: &Packet) -> Verdict {
    let unit_ms = clock::unit_ms(group, case.who);
    group.stamps_ms += unit_ms;
    let member = &group.members[case.who];
    let facts = &member.facts;
    prop_assert_eq!((packet.profile, &packet.sender_id), (member.plan.profile, &member.name));
    prop_assert!(packet.bytes.len() <= member.config.max_message_bytes);

    names_what_it_should(group, case, packet)?;
    super::repair::asks(group, case, packet)?;
    let stamp_ms = packet.stamp_ms.unwrap_or_default();
    let clock_ms = case.handed_out_ms.iter().copied().fold(case.before.status.lamport_timestamp_ms, u64::max);
    let least_ms = case.before.now_ms.max(clock_ms + 1);
    let possible_ms = case.maybe_handed_out_ms.iter().copied().fold(clock_ms, u64::max);
    let most_ms = facts.clock.latest_ms.max(possible_ms + 1).next_multiple_of(unit_ms);
    prop_assert!((least_ms..=most_ms).contains(&stamp_ms), "stamped {stamp_ms}: {least_ms} to {most_ms}");
    prop_assert_eq!(stamp_ms % unit_ms, 0);
    case.handed_out_ms.push(stamp_ms);

    filter_holds(group, case.who, packet)?;
    group.members[case.who].facts.count_namings(&packet.history);
    Ok(())
}

/// The causal history names the end of the log, and before that a few that were named too rarely, all in the order of the
/// log.
fn names_what_it_should(group: &Group, case: &Case<'_>, packet: &Packet) -> Verdict {
    let member = &group.members[case.who];
    let (facts, most) = (&member.facts, member.config.causal_history_size);
    let log: Vec<String> = facts.log(member.config.log_messages).into_iter().map(|entry| entry.1).collect();
    let (older, latest) = log.split_at(log.len().saturating_sub(most));
    let history = names_what_waits(facts, packet, 2 * most)?;
    let (more, named) = history.split_at(history.len().saturating_sub(latest.len()));
    prop_assert_eq!(named, latest, "the causal history of {}", packet.id);
    prop_assert!(more.len() <= most, "{} names {:?}", packet.id, packet.history);
    let places: Vec<_> = more.iter().map(|id| older.iter().position(|other| other == id)).collect();
    let in_order = places.iter().all(Option::is_some) && places.is_sorted();
    prop_assert!(in_order, "{} names {more:?}, of the log {older:?}", packet.id);
    let often = more.iter().find(|id| facts.namings(id) >= most);
    prop_assert!(often.is_none(), "{} names {often:?}, which was named often enough", packet.id);
    // Of very many, some are not looked for.
    let recent = facts.arrivals.iter().rev().take(32).map(|arrival| &arrival.1);
    let mut rarely = recent.filter(|id| older.contains(id) && facts.is_news(id) && facts.namings(id) < most);
    let left_out = rarely.find(|id| more.len() < most && !more.contains(id));
    prop_assert!(left_out.is_none(), "{} leaves out {left_out:?}, which was named too rarely", packet.id);
    Ok(())
}

/// A sync message names, after the others, what came last of what waits; any other does not. Returns the others.
fn names_what_waits<'a>(facts: &Facts, packet: &'a Packet, most: usize) -> Result<&'a [String], TestCaseError> {
    let waiting = facts.received.iter().rev().filter(|id| facts.waiting.contains_key(*id));
    let waiting: Vec<_> = waiting.take(if packet.kind == Kind::Sync { most } else { 0 }).cloned().collect();
    let Some(others) = packet.history.strip_suffix(&waiting[..]) else {
        return Err(TestCaseError::fail(format!("{} names {:?}, and {waiting:?} waits", packet.id, packet.history)));
    };
    let waits = others.iter().find(|id| facts.waiting.contains_key(*id));
    prop_assert!(waits.is_none(), "{} names {waits:?}, which waits", packet.id);
    Ok(others)
}

/// The filter holds what was sent and received within its window, as far as it has room.
fn filter_holds(group: &Group, who: usize, packet: &Packet) -> Verdict {
    let member = &group.members[who];
    let (facts, config) = (&member.facts, &member.config);
    let Some(view) = packet.view() else { return Err(TestCaseError::fail("no filter")) };
    // A full filter is rebuilt without its oldest fifth.
    let recent = facts.covered.iter().rev().take(config.bloom_capacity / 5 * 4);
    for (at_ms, id) in recent.take_while(|covered| facts.clock.moved_ms - covered.0 < config.ack_window_ms) {
        let item = ItemHash::of(view.kind(), id);
        prop_assert!(
            view.contains(&item),
            "{id}, received {} ms ago, is not in the filter",
            facts.clock.moved_ms - at_ms
        );
    }
    Ok(())
}
