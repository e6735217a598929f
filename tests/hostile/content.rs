//! What well-formed content from strangers does, in which nothing tells it from honest content: delivery goes on, and an
//! acknowledgement comes late or not at all, but is never made up.

use sds::Manager;
use sds::output::{Disposition, MessageState, Transmit};

use crate::common::*;

/// More than a filter covers, and in one minute, so that nothing leaves it by age.
const STRANGERS: u64 = 12_000;

/// Both hear strangers say what strangers say.
fn flood(members: [&Manager; 2], name: &str, from_ms: u64) {
    for number in 0..STRANGERS {
        let (id, at_ms) = (format!("{name} {number}"), from_ms + number * 4);
        let bytes = forged(&id).by(&id).at(at_ms).bytes();
        members.iter().for_each(|member| assert_eq!(disposition(member, &bytes, at_ms), Disposition::Delivered));
    }
}

fn hear(member: &Manager, sent: &[(u64, Transmit)]) {
    sent.iter().for_each(|(at_ms, transmit)| drop(receive(member, &transmit.bytes, *at_ms)));
}

#[test]
fn honest_messages_are_delivered_at_once_through_a_flood_of_content() {
    let (alice, bob) = (member("alice"), member("bob"));
    for round in 0..3 {
        let at_ms = NOW + round * MINUTE;
        let sent = send(&bob, &format!("bob {round}"), at_ms);
        assert_eq!(disposition(&alice, &sent.bytes, at_ms), Disposition::Delivered);
        flood([&alice, &bob], &format!("flood {round}"), at_ms);
        let answer = send(&alice, &format!("alice {round}"), at_ms + 50 * SECOND);
        assert_eq!(disposition(&bob, &answer.bytes, at_ms + 50 * SECOND), Disposition::Delivered);
        // What is answered at once is acknowledged: it is named, as the latest.
        let last = send(&bob, &format!("bob {round} again"), at_ms + 50 * SECOND);
        receive(&alice, &last.bytes, at_ms + 50 * SECOND);
        assert_eq!(state(&alice, &format!("alice {round}")), MessageState::Acknowledged);
    }
    assert_eq!(status(&alice).waiting, 0);
}

#[test]
fn what_is_not_answered_before_a_flood_of_content_is_possibly_acknowledged_by_a_resend() {
    let (alice, bob) = (member("alice"), member("bob"));
    let ours = send(&alice, "ours", NOW);
    receive(&bob, &ours.bytes, NOW);
    flood([&alice, &bob], "flood", NOW);
    let answer = send(&bob, "answer", NOW + 50 * SECOND);
    receive(&alice, &answer.bytes, NOW + 50 * SECOND);
    assert_eq!(state(&alice, "ours"), MessageState::Unacknowledged, "neither named nor in the filter any more");
    // A resend brings it back into the filter of whoever has it.
    let mut at_ms = NOW + 50 * SECOND;
    while at_ms < NOW + 5 * MINUTE {
        at_ms += SECOND;
        hear(&bob, &run(&alice, at_ms));
        hear(&alice, &run(&bob, at_ms));
    }
    let status = alice.message_status(CHANNEL, "ours").unwrap();
    assert!(matches!(status.state, MessageState::PossiblyAcknowledged | MessageState::Unconfirmed), "{status:?}");
    assert!(status.probability > 0.99 && status.resends > 0, "{status:?}");
}
