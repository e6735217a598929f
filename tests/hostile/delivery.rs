//! What a forger cannot do to delivery and order.

use sds::output::{ChannelOptions, Disposition, TransmitReason};
use sds::types::Profile;

use crate::common::*;

/// Bytes under the id of a message that is here, each different from it in something.
fn forgeries(id: &str) -> Vec<Vec<u8>> {
    vec![
        forged(id).content(b"other").bytes(),
        forged(id).by("mallory").bytes(),
        forged(id).by("alice").bytes(),
        forged(id).at(NOW + MINUTE).bytes(),
        forged(id).at(1).content(b"other").bytes(),
        forged(id).at(u64::MAX).bytes(),
        forged(id).after(&["a", "b"]).content(b"other").bytes(),
        forged(id).sync().bytes(),
        forged(id).of(Profile::Libsds).sync().bytes(),
        forged(id).of(Profile::Libsds).content(b"other").bytes(),
    ]
}

#[test]
fn a_forged_message_under_a_received_id_does_not_replace_it_nor_move_it() {
    let alice = member("alice");
    for (id, at_ms) in [("first", NOW), ("second", NOW + 1), ("third", NOW + 2)] {
        receive(&alice, &forged(id).at(at_ms).bytes(), NOW);
    }
    let before = (log(&alice), lamport(&alice), alice.next_history(CHANNEL).unwrap());
    for bytes in forgeries("second") {
        let became = disposition(&alice, &bytes, NOW);
        assert!(matches!(became, Disposition::Duplicate | Disposition::Own), "{became:?}");
    }
    assert_eq!((log(&alice), lamport(&alice), alice.next_history(CHANNEL).unwrap()), before);
    assert_eq!((status(&alice).received, events(&alice).len()), (3, 0), "nothing is delivered or told");
}

#[test]
fn a_forged_message_under_a_waiting_id_does_not_replace_it() {
    let alice = member("alice");
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    for bytes in forgeries("m") {
        let became = disposition(&alice, &bytes, NOW);
        assert!(matches!(became, Disposition::Duplicate | Disposition::Own), "{became:?}");
    }
    assert_eq!((status(&alice).waiting, status(&alice).received), (1, 0));
    events(&alice);
    receive(&alice, &forged("x").bytes(), NOW);
    let told = events(&alice);
    let sds::output::Event::Delivered(it) = &told[0] else { panic!("{told:?}") };
    assert_eq!((&*it.message_id, &*it.sender_id, &it.content[..]), ("m", "bob", &b"m"[..]));
}

#[test]
fn a_forged_message_under_a_received_id_does_not_stop_its_repair() {
    let alice = member("alice");
    let real = forged("m").bytes();
    receive(&alice, &real, NOW);
    receive(&alice, &forged("ask").by("carol").sync().asking(&["m"]).bytes(), NOW);
    forgeries("m").iter().filter(|bytes| **bytes != real).for_each(|bytes| drop(receive(&alice, bytes, NOW)));
    assert_eq!(status(&alice).repair_answers, 1);
    let answers = run(&alice, NOW + 2 * MINUTE);
    let answer = answers.iter().find(|(_, sent)| sent.reason == TransmitReason::RepairAnswer).expect("an answer");
    assert_eq!(answer.1.bytes, real, "as it was received");
}

#[test]
fn in_a_channel_of_derived_ids_no_forgery_keeps_the_real_message_out() {
    let derived = ChannelOptions { derived_ids: true, ..ChannelOptions::default() };
    let (alice, bob) = (member_opened("alice", derived), member_opened("bob", derived));
    let real = bob.wrap_outgoing(CHANNEL, None, b"real", NOW).unwrap();
    // Whatever is changed in a message, its id is not derived from it any more.
    for forgery in [
        forged(&real.message_id).content(b"fake"),
        forged(&real.message_id).content(b"real").by("mallory"),
        forged(&real.message_id).content(b"real").at(real.lamport_timestamp_ms.unwrap() + 1),
    ] {
        refused(&alice, || alice.unwrap_incoming(&forgery.bytes(), NOW).map(drop));
    }
    assert_eq!(disposition(&alice, &real.bytes, NOW), Disposition::Delivered);
}

#[test]
fn a_flood_in_one_channel_leaves_the_others_alone() {
    let alice = member_with("alice", |config| {
        config.log_messages = 20;
        config.max_missing = 20;
        config.max_waiting_messages = 20;
    });
    alice.open_channel("other", ChannelOptions::default(), NOW).unwrap();
    for id in ["a", "b"] {
        receive(&alice, &forged(id).channel("other").bytes(), NOW);
    }
    receive(&alice, &forged("waits").channel("other").after(&["missing"]).bytes(), NOW);
    let before = alice.dump_channel("other").unwrap();
    for number in 0..100 {
        let (id, fake) = (format!("m{number}"), format!("fake {number}"));
        // The ids of the other channel among them.
        let id = ["a", "b", "missing"].get(number).map_or(id, |id| (*id).to_owned());
        receive(&alice, &forged(&id).after(&[&fake]).asking(&["a"]).bytes(), NOW);
    }
    assert_eq!(alice.dump_channel("other").unwrap(), before);
}

#[test]
fn an_honest_message_is_delivered_at_once_whatever_waits() {
    let alice = member("alice");
    receive(&alice, &forged("honest 1").by("carol").bytes(), NOW);
    for number in 0..50 {
        let (id, fake) = (format!("m{number}"), format!("fake {number}"));
        receive(&alice, &forged(&id).by("mallory").after(&[&fake, "honest 2"]).bytes(), NOW);
    }
    let next = forged("honest 2").by("carol").at(NOW + 1).after(&["honest 1"]).bytes();
    assert_eq!(disposition(&alice, &next, NOW), Disposition::Delivered);
    assert_eq!(status(&alice).waiting, 50, "for what is made up");
}
