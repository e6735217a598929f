//! *Periodic Outgoing Buffer Sweep*.

use sds::output::{MessageState, TransmitReason};
use sds::types::Profile;

use crate::common::*;

#[test]
fn o1_unacknowledged_messages_are_rebroadcast() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let sent = send(&alice, "m", NOW);
        assert!(tick(&alice, NOW + 5 * SECOND - 1).is_empty());
        let resent = tick(&alice, NOW + 5 * SECOND);
        assert_eq!(resent.len(), 1, "{profile:?}");
        assert_eq!((&*resent[0].message_id, resent[0].reason), ("m", TransmitReason::Resend));
        assert_eq!(resent[0].bytes, sent.bytes, "{profile:?}: as it was");
        assert_eq!(state(&alice, "m"), MessageState::Unacknowledged);
        // Twice the wait, and a fifth of it as jitter.
        let mut again = tick(&alice, NOW + 17 * SECOND);
        again.retain(|transmit| transmit.reason == TransmitReason::Resend);
        assert_eq!(again, resent, "{profile:?}: and again");
    }
}

#[test]
fn o2_possibly_acknowledged_ones_have_their_own_period_and_come_second() {
    let alice = member_of(Profile::Libsds, "alice");
    send(&alice, "possibly", NOW);
    receive(&alice, &forged("r").of(Profile::Libsds).filter(&libsds_filter(967, &["possibly"], 20)).bytes(), NOW);
    assert_eq!(state(&alice, "possibly"), MessageState::PossiblyAcknowledged);
    events(&alice);
    assert!(tick(&alice, NOW + 11 * SECOND - 1).is_empty(), "not after 5 s");
    assert_eq!(alice.next_deadline(), Some(NOW + 15 * SECOND));
    send(&alice, "unacknowledged", NOW + 11 * SECOND);
    let resent = tick(&alice, NOW + 16 * SECOND);
    let ids: Vec<_> = resent.iter().map(|transmit| &*transmit.message_id).collect();
    assert_eq!(ids, ["unacknowledged", "possibly"], "first though it fell due last");
}
