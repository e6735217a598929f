//! What a forger cannot do to acknowledgements.

use sds::output::{Event, MessageState};
use sds::types::Profile;

use crate::common::*;

/// A libsds filter of `bits` bits and ten hashes in which all bits are set but every hundredth.
fn nearly_full(bits: u64) -> Vec<u8> {
    let mut filter = libsds_filter(bits, &[], 0);
    // Its words are its longest field, and the only one of more than a few bytes: key, length, words.
    let (words, at) = ((bits / 64 + 1) as usize * 8, 1 + varint_len((bits / 64 + 1) * 8));
    filter[at..at + words].fill(0xff);
    (0..words).step_by(12).for_each(|byte| filter[at + byte] = 0xfe);
    filter
}

fn varint_len(value: u64) -> usize {
    (64 - value.leading_zeros() as usize).div_ceil(7)
}

#[test]
fn filters_nearly_full_acknowledge_nothing_however_many() {
    let alice = member_of(Profile::Libsds, "alice");
    let ids: Vec<String> = (0..20).map(|number| format!("ours {number}")).collect();
    ids.iter().for_each(|id| drop(send(&alice, id, NOW)));
    for number in 0..200u64 {
        let (id, who, filter) =
            (format!("m{number}"), format!("sybil {number}"), nearly_full(64 * (number % 100 + 10) - 1));
        assert!(false_chance(Profile::Libsds, &filter, "stranger") > 0.85);
        receive(&alice, &forged(&id).by(&who).of(Profile::Libsds).sync().filter(&filter).bytes(), NOW);
    }
    let it = status(&alice);
    assert_eq!((it.acknowledged, it.unacknowledged, it.filters_refused), (0, 20, 0));
    assert!(it.possibly_acknowledged > 15, "it held them, and that was weighed");
    for id in ids {
        let probability = alice.message_status(CHANNEL, &id).unwrap().probability;
        assert!(probability < 0.95, "{id}: {probability}");
    }
}

#[test]
fn a_made_up_echo_stops_no_resend() {
    let alice = member("alice");
    let sent = send(&alice, "ours", NOW);
    receive(&alice, &sent.bytes, NOW);
    receive(&alice, &forged("ours").by("alice").content(b"other").bytes(), NOW);
    receive(&alice, &forged("ours").by("mallory").content(b"other").bytes(), NOW);
    assert_eq!(state(&alice, "ours"), MessageState::Unacknowledged);
    let again = tick(&alice, NOW + 5 * SECOND);
    assert!(again.iter().any(|transmit| transmit.bytes == sent.bytes), "as it was");
}

#[test]
fn an_acknowledgement_is_not_taken_back() {
    let alice = member("alice");
    send(&alice, "ours", NOW);
    receive(&alice, &forged("m").after(&["ours"]).bytes(), NOW);
    assert!(events(&alice).contains(&Event::Acknowledged { message_id: "ours".into() }));
    let empty = rfc_filter(&[], 0);
    receive(&alice, &forged("m2").filter(&empty).bytes(), NOW + SECOND);
    receive(&alice, &forged("m3").by("alice").filter(&empty).bytes(), NOW + SECOND);
    receive(&alice, &forged("m4").sync().asking(&["ours"]).bytes(), NOW + SECOND);
    assert_eq!(state(&alice, "ours"), MessageState::Acknowledged);
}
