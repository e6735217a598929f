//! The order of the log, what leaves it, and what is still known of that.

use sds::Error;
use sds::output::Disposition;

use crate::common::*;

#[test]
fn the_order_is_the_same_whatever_the_order_of_arrival() {
    let mut ids: Vec<_> = (0..40).map(|number| format!("m{number}")).collect();
    // Every second pair shares its timestamp.
    let stamp = |id: &str| NOW + id[1..].parse::<u64>().unwrap() / 2 * SECOND;
    let mut expected = ids.clone();
    expected.sort_by(|a, b| (stamp(a), a).cmp(&(stamp(b), b)));
    let mut rng = fastrand::Rng::with_seed(1);
    for round in 0..20 {
        rng.shuffle(&mut ids);
        for profile in BOTH {
            let alice = member_of(profile, "alice");
            for id in &ids {
                receive(&alice, &forged(id).of(profile).at(stamp(id)).bytes(), NOW + MINUTE);
            }
            assert_eq!(log(&alice), expected, "round {round}, {profile:?}");
        }
    }
}

#[test]
fn eviction_is_by_arrival_and_evicted_ids_are_met_and_not_delivered_again() {
    for profile in BOTH {
        let alice = member_with("alice", |config| {
            config.log_messages = 3;
            config.profile = profile;
        });
        let send_in =
            |id: &str, second: u64| disposition(&alice, &forged(id).of(profile).at(NOW + second * SECOND).bytes(), NOW);
        for (id, second) in [("first", 500), ("b", 1), ("c", 2), ("d", 3)] {
            assert_eq!(send_in(id, second), Disposition::Delivered);
        }
        assert_eq!(log(&alice), ["b", "c", "d"], "{profile:?}: first came, first goes, whatever its stamp");
        assert_eq!(send_in("first", 500), Disposition::Duplicate, "{profile:?}");
        assert_eq!(
            disposition(&alice, &forged("e").of(profile).after(&["first"]).bytes(), NOW),
            Disposition::Delivered
        );
        assert_eq!(status(&alice).received, 5);
    }
}

#[test]
fn ids_beyond_the_limit_are_forgotten() {
    let alice = member_with("alice", |config| {
        config.log_messages = 3;
        config.seen_limit = 2;
    });
    ["a", "b", "c", "d", "e", "f"].iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    assert_eq!(disposition(&alice, &forged("c").bytes(), NOW), Disposition::Duplicate);
    assert_eq!(disposition(&alice, &forged("a").bytes(), NOW), Disposition::Delivered);
}

#[test]
fn far_ahead_stamps_do_not_push_honest_messages_out() {
    let alice = member_with("alice", |config| config.log_messages = 10);
    for number in 0..9 {
        receive(&alice, &forged(&format!("h{number}")).bytes(), NOW);
    }
    receive(&alice, &forged("x").at(NOW + 9 * MINUTE).bytes(), NOW);
    receive(&alice, &forged("last").at(NOW + 1).bytes(), NOW);
    assert!(!log(&alice).contains(&"h0".to_owned()) && log(&alice).contains(&"last".to_owned()));
}

#[test]
fn an_evicted_message_of_ours_is_still_ours() {
    let alice = member_with("alice", |config| config.log_messages = 3);
    let first = send(&alice, "first", NOW);
    ["b", "c", "d"].iter().for_each(|id| drop(send(&alice, id, NOW)));
    assert_eq!(disposition(&alice, &first.bytes, NOW), Disposition::Own);
    assert_eq!(send(&alice, "first", NOW).bytes, first.bytes, "unacknowledged: it can still be sent again");
    let other = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("first"), b"other", NOW));
    assert_eq!(other, Error::IdReused("first".into()));
}
