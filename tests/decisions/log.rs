//! The order of the log, what leaves it, and what is still known of that.

use sds::Error;
use sds::config::MAX_LITTLE_NAMED;
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

/// Eight messages that nobody named, stamped in their order.
fn named_by_nobody(profile: sds::types::Profile) -> sds::Manager {
    let alice = member_with("alice", |config| {
        config.profile = profile;
        config.sync_in_libsds = true;
    });
    for number in 0..8 {
        let id = format!("m{number}");
        receive(&alice, &forged(&id).of(profile).at(NOW + number * SECOND).bytes(), NOW + 10 * SECOND);
    }
    alice
}

#[test]
fn what_was_not_named_as_often_is_named_too_oldest_first_in_the_order_of_the_log() {
    for profile in BOTH {
        let alice = named_by_nobody(profile);
        // m1 was named often enough, and m2 once.
        for (id, named) in [("a", ["m1", "m2"]), ("b", ["m1", "m1"]), ("c", ["m1", "m1"])] {
            receive(&alice, &forged(id).of(profile).by("carol").sync().after(&named).bytes(), NOW + 10 * SECOND);
        }
        let told: Vec<_> = alice.next_history(CHANNEL).unwrap().iter().map(|it| it.message_id.to_string()).collect();
        let sent = send(&alice, "mine", NOW + 11 * SECOND);
        assert_eq!(history(&sent.bytes), ["m0", "m2", "m3", "m5", "m6", "m7"], "{profile:?}");
        assert_eq!(told, history(&sent.bytes), "as it was told before");
        alice.cancel(CHANNEL, "mine", NOW + 11 * SECOND).unwrap();
        // Naming them counts, too; with a sync message as with any.
        let mut named = Vec::new();
        while let Some(due_ms) = alice.next_deadline().filter(|due| *due < NOW + 300 * MINUTE) {
            tick(&alice, due_ms).iter().for_each(|it| named.extend(history(&it.bytes)));
        }
        let times = |id: &str| named.iter().filter(|named| *named == id).count();
        assert!(times("m1") == 0 && (1..=2).contains(&times("m2")), "{profile:?}: {named:?}");
        assert_eq!((times("m0"), times("m3"), times("m4")), (2, 2, 3), "{profile:?}: three times in all");
    }
}

#[test]
fn at_equal_timestamps_too_what_was_not_named_is_named() {
    let alice = member("alice");
    ids("m", 8).iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    assert_eq!(history(&send(&alice, "mine", NOW).bytes), ["m0", "m1", "m2", "m5", "m6", "m7"]);
}

#[test]
fn what_was_named_enough_takes_no_place_of_what_was_not() {
    let alice = member("alice");
    receive(&alice, &forged("little named").bytes(), NOW);
    let often = ids("m", MAX_LITTLE_NAMED - 4);
    let often: Vec<&str> = often.iter().map(String::as_str).collect();
    often.iter().for_each(|id| drop(receive(&alice, &forged(id).at(NOW + 1).bytes(), NOW)));
    for id in ["s1", "s2", "s3"] {
        receive(&alice, &forged(id).by("carol").sync().after(&often).bytes(), NOW);
    }
    send(&alice, "mine", NOW + 2);
    for id in ids("later", 10) {
        receive(&alice, &forged(&id).at(NOW + 3).bytes(), NOW + 3);
    }
    assert_eq!(status(&alice).namings_dropped, 0);
    assert!(history(&send(&alice, "next", NOW + 4).bytes).contains(&"little named".to_owned()));
}

#[test]
fn what_was_named_enough_is_not_counted_when_it_gives_way() {
    let alice = member("alice");
    let all = ids("m", MAX_LITTLE_NAMED + 2);
    receive(&alice, &forged(&all[0]).bytes(), NOW);
    for id in ["s1", "s2", "s3"] {
        receive(&alice, &forged(id).by("carol").sync().after(&[&all[0]]).bytes(), NOW);
    }
    for (id, dropped) in all[1..].iter().zip([0; MAX_LITTLE_NAMED].into_iter().chain([1])) {
        receive(&alice, &forged(id).bytes(), NOW);
        assert_eq!(status(&alice).namings_dropped, dropped, "{id}");
    }
}

#[test]
fn what_was_named_before_it_was_here_was_named_enough() {
    let alice = member("alice");
    receive(&alice, &forged("later").at(NOW + 9 * SECOND).after(&["x"]).bytes(), NOW);
    for number in 1..8 {
        let id = format!("m{number}");
        receive(&alice, &forged(&id).at(NOW + number * SECOND).after(&["later"]).bytes(), NOW);
    }
    receive(&alice, &forged("x").bytes(), NOW);
    let sent = send(&alice, "mine", NOW + 10 * SECOND);
    assert_eq!(history(&sent.bytes), ["m1", "m2", "m3", "m6", "m7", "later"], "x was missed, and later waited for");
}

#[test]
fn what_was_named_before_it_was_delivered_was_named_enough() {
    // "waits" is named by a sync message before it comes, or by messages that wait for it.
    for named_before in [true, false] {
        let alice = member("alice");
        if named_before {
            receive(&alice, &forged("s").sync().after(&["waits"]).bytes(), NOW);
        }
        receive(&alice, &forged("waits").at(NOW + 1).after(&["x"]).bytes(), NOW);
        let after: &[&str] = if named_before { &[] } else { &["waits"] };
        for number in 2..8 {
            receive(&alice, &forged(&format!("m{number}")).at(NOW + number).after(after).bytes(), NOW);
        }
        receive(&alice, &forged("x").bytes(), NOW);
        let named = history(&send(&alice, "mine", NOW + 10).bytes);
        assert_eq!(named, ["m2", "m3", "m4", "m5", "m6", "m7"], "named before: {named_before}");
    }
}
