//! Acknowledgements: nothing is acknowledged that nobody received, and what was confirmed is acknowledged.

use proptest::prelude::*;
use sds::output::{Event, MessageState};

use super::Case;
use crate::group::{Group, Verdict};
use crate::packet::{Packet, holds};

/// A participant heard another: what that one has received it can know of now, and what it names or its filter holds is
/// evidence.
pub fn heard(group: &mut Group, case: &Case<'_>, packet: &Packet) {
    let facts = &mut group.members[case.who].facts;
    let heard = &mut facts.heard_from[packet.sender];
    *heard = (*heard).max(packet.sender_had);
    let view = packet.view();
    for (id, own) in &mut facts.own {
        own.named |= packet.history.contains(id);
        let open = !own.named && !own.acknowledged && !own.cancelled;
        let Some(view) = view.as_ref().filter(|view| open && holds(view, id)) else { continue };
        let item = sds::bloom::ItemHash::of(view.kind(), id);
        own.add_filter(view.kind(), view.bits(), view.hashes(), view.false_positive_rate(&item));
    }
}

/// Its host asked for it to be sent once more: it counts its resends anew.
pub fn retried(group: &mut Group, case: &Case<'_>, id: &str) {
    if let Some(own) = group.members[case.who].facts.own.get_mut(id) {
        (own.cancelled, own.given_up, own.resends) = (false, false, 0);
    }
}

pub fn cancelled(group: &mut Group, case: &Case<'_>, id: &str) {
    if let Some(own) = group.members[case.who].facts.own.get_mut(id)
        && !own.acknowledged
    {
        (own.cancelled, own.given_up) = (true, false);
    }
}

/// Something was told of a message of its own: it has to follow from what it heard.
pub fn told(group: &mut Group, case: &Case<'_>, event: &Event) -> Verdict {
    let limit = group.members[case.who].config.ack_false_positive;
    let most_resends = group.members[case.who].config.max_resends;
    let (id, told) = match event {
        Event::PossiblyAcknowledged { message_id, probability } | Event::Unconfirmed { message_id, probability } => {
            (message_id, Some(*probability))
        }
        Event::Acknowledged { message_id } | Event::Failed { message_id } => (message_id, None),
        _ => return Ok(()),
    };
    let received = was_received(group, case.who, id);
    let facts = &mut group.members[case.who].facts;
    let Some(own) = facts.own.get_mut(id.as_str()) else {
        return Err(TestCaseError::fail("told of another's message"));
    };
    if let Some(probability) = told {
        prop_assert!((probability - (1.0 - own.false_chance())).abs() < 1e-9, "{id}: {probability} for {own:?}");
    }
    match event {
        Event::PossiblyAcknowledged { .. } => {
            prop_assert!(!own.filters.is_empty() && !own.named, "{id}: {own:?}");
        }
        Event::Acknowledged { .. } => {
            prop_assert!(own.named || own.false_chance() < limit, "{id} was acknowledged by nothing: {own:?}");
            prop_assert!(received || !own.named, "{id} was acknowledged, and nobody it heard of received it");
            own.acknowledged = true;
            facts.acknowledged += 1;
            group.accidents += u32::from(!received);
            // One is less likely than one in a million.
            prop_assert!(group.accidents <= 1, "{id} was acknowledged, and nobody it heard of received it");
        }
        Event::Failed { .. } | Event::Unconfirmed { .. } => {
            prop_assert_eq!(own.filters.is_empty(), matches!(event, Event::Failed { .. }), "{} {:?}", id, own);
            prop_assert!(own.resends == most_resends, "given up after {} resends", own.resends);
            own.given_up = true;
        }
        _ => {}
    }
    Ok(())
}

/// Whether somebody received a message, and a participant heard from them after that.
fn was_received(group: &Group, who: usize, id: &str) -> bool {
    let heard_from = &group.members[who].facts.heard_from;
    group.members.iter().zip(heard_from).any(|(other, heard)| other.facts.received[..*heard].iter().any(|it| it == id))
}

/// Every message of its own is in the state that the evidence puts it in.
pub fn hold(group: &Group, case: &Case<'_>) -> Verdict {
    let member = &group.members[case.who];
    let limit = member.config.ack_false_positive;
    for (id, own) in &member.facts.own {
        let Ok(status) = member.manager.message_status(crate::common::CHANNEL, id) else {
            // Small limits let what is over be forgotten.
            let over = own.acknowledged || own.cancelled || own.given_up;
            prop_assert!(!member.is_roomy() && over, "{id} is forgotten");
            continue;
        };
        // It counts filters of sixteen sizes at most.
        let overdue = !own.acknowledged && !own.cancelled && own.filters.len() <= 16 && own.false_chance() < limit;
        prop_assert!(!overdue && (own.acknowledged || !own.named), "{id} is not acknowledged: {own:?}");
        prop_assert!(own.acknowledged || own.resends == status.resends, "{id}: {status:?} for {own:?}");
        prop_assert_eq!(status.state, own.state(), "{} {:?}", id, own);
        prop_assert_eq!(Some(status.lamport_timestamp_ms), group.made[id].stamp_ms);
        let probability = if own.acknowledged { 1.0 } else { 1.0 - own.false_chance() };
        prop_assert!((status.probability - probability).abs() < 1e-9, "{id}: {status:?} for {own:?}");
        for acknowledger in status.acknowledgers {
            let who = acknowledger.participant_id.as_str();
            prop_assert!(who != member.name && group.members.iter().any(|other| other.name == who));
        }
    }
    let counted = |state| member.facts.own.values().filter(|own| own.state() == state).count() as u64;
    if member.is_roomy() {
        let possibly = counted(MessageState::PossiblyAcknowledged);
        prop_assert_eq!(case.after.possibly_acknowledged, possibly);
        prop_assert_eq!(case.after.unacknowledged, counted(MessageState::Unacknowledged) + possibly);
        let given_up = counted(MessageState::Failed) + counted(MessageState::Unconfirmed);
        prop_assert_eq!(case.after.given_up, given_up);
    }
    prop_assert_eq!(case.after.acknowledged, member.facts.acknowledged);
    prop_assert_eq!(case.after.sent as usize, member.facts.own.len());
    Ok(())
}
