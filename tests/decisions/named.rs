//! Messages that are named: who answers for them, which give way, and who waits for them no longer.

use sds::output::{ChannelOptions, Disposition, Event, TransmitReason};
use sds::types::Profile;

use crate::common::*;

const T_MAX: u64 = 120 * SECOND;

/// The repair answers that a member gives out until a time.
fn answers_until(alice: &sds::Manager, until_ms: u64) -> Vec<Vec<u8>> {
    let sent = run(alice, until_ms).into_iter();
    sent.filter(|(_, it)| it.reason == TransmitReason::RepairAnswer).map(|(_, it)| it.bytes.to_vec()).collect()
}

#[test]
fn a_message_that_waits_is_answered_for_as_it_came() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let waits = forged("waits").of(profile).after(&["x"]).bytes();
        receive(&alice, &waits, NOW);
        let request = forged("s").of(profile).by("carol").at(NOW + SECOND).sync().asking(&["waits"]).bytes();
        receive(&alice, &request, NOW + SECOND);
        assert_eq!(status(&alice).repair_answers, 1, "{profile:?}");
        assert_eq!(dump(&alice)["repair_answers"][0]["message_id"], "waits");
        assert_eq!(answers_until(&alice, NOW + SECOND + T_MAX), [waits], "{profile:?}");
        assert_eq!(status(&alice).repairs_answered, 1);
    }
}

#[test]
fn requests_for_what_waits_and_others_answer_for_count_too() {
    // Two groups, two answers a minute: what the other group answers for takes of them.
    let member = |limit| {
        member_with("alice", |config| {
            (config.num_participants, config.repair_answers_per_minute) = (256, limit);
        })
    };
    let groups = member(2).config().num_response_groups();
    let is_ours = |id: &str| sds::channel::repair::in_response_group("alice", "bob", id, groups);
    let names = ids("m", 100);
    let (ours, theirs): (Vec<&str>, Vec<&str>) = names.iter().map(String::as_str).partition(|id| is_ours(id));
    let taken_up = |asked: &[&str]| {
        let alice = member(2);
        for id in ours.iter().take(1).chain(theirs.iter().take(2)) {
            receive(&alice, &forged(id).after(&["x"]).bytes(), NOW);
        }
        receive(&alice, &forged("s").by("carol").sync().asking(asked).bytes(), NOW);
        status(&alice).repair_answers
    };
    assert_eq!(taken_up(&[ours[0]]), 1);
    assert_eq!(taken_up(&[theirs[0], theirs[1], ours[0]]), 0, "the two of this minute are the other group's");
}

#[test]
fn somebody_elses_answer_for_a_message_that_waits_spares_ours_and_a_made_up_one_does_not() {
    let alice = member("alice");
    let waits = forged("waits").after(&["x"]);
    receive(&alice, &waits.bytes(), NOW);
    let request = forged("s").by("carol").sync().asking(&["waits"]).bytes();
    receive(&alice, &request, NOW);
    receive(&alice, &waits.clone().content(b"made up").bytes(), NOW);
    assert_eq!(status(&alice).repair_answers, 1);
    receive(&alice, &waits.bytes(), NOW);
    assert_eq!(status(&alice).repair_answers, 0);
    assert!(answers_until(&alice, NOW + T_MAX).is_empty());
}

#[test]
fn a_message_that_waits_is_answered_for_though_it_leaves_the_buffer_meanwhile() {
    let alice = member("alice");
    let waits = forged("waits").after(&["x"]).bytes();
    receive(&alice, &waits, NOW);
    receive(&alice, &forged("s").by("carol").sync().asking(&["waits"]).bytes(), NOW);
    receive(&alice, &forged("x").bytes(), NOW);
    assert_eq!(answers_until(&alice, NOW + T_MAX), [waits]);
}

#[test]
fn what_a_sync_message_named_first_gives_way_no_more_once_it_is_waited_for() {
    for order in [["honest", "y1", "y2", "y3"], ["y1", "y2", "y3", "honest"]] {
        let alice = member_with("alice", |config| config.max_missing = 4);
        receive(&alice, &forged("s").by("carol").sync().after(&["honest"]).bytes(), NOW);
        receive(&alice, &forged("s2").by("mallory").sync().after(&["f1", "f2", "f3"]).bytes(), NOW);
        events(&alice);
        receive(&alice, &forged("m").after(&order).bytes(), NOW);
        let dump = dump(&alice);
        let shown = dump["missing"].as_array().unwrap().iter().map(|it| it["message_id"].as_str().unwrap());
        let mut shown: Vec<_> = shown.collect();
        shown.sort_unstable();
        assert_eq!(shown, ["honest", "y1", "y2", "y3"], "the made-up ones gave way");
        assert!(dump["repair_requests"].to_string().contains("honest"));
    }
}

#[test]
fn nobody_waits_any_more_for_what_turns_out_to_lie_before_us() {
    let from_now = ChannelOptions { from_now: true, ..ChannelOptions::default() };
    for kind in [Disposition::BeforeUs, Disposition::Sync] {
        let alice = member_opened("alice", from_now);
        receive(&alice, &forged("first").at(NOW).bytes(), NOW);
        receive(&alice, &forged("w").at(NOW + 2).after(&["x"]).bytes(), NOW);
        receive(&alice, &forged("w2").at(NOW + 3).after(&["w"]).bytes(), NOW);
        events(&alice);
        let below = forged("below").at(NOW).after(&["x"]);
        let below = if kind == Disposition::Sync { below.sync() } else { below };
        assert_eq!(disposition(&alice, &below.bytes(), NOW), kind);
        let told = events(&alice);
        assert!(matches!(&told[0], Event::BeforeUs(it) if it.message_id.as_str() == "x"), "{told:?}");
        assert_eq!(delivered(&told), ["w", "w2"]);
        let it = status(&alice);
        assert_eq!((it.waiting, it.missing, it.repair_requests), (0, 0, 0));
        assert!(run(&alice, NOW + 30 * MINUTE).iter().all(|(_, it)| asks(&it.bytes).is_empty()));
    }
}

#[test]
fn what_waited_for_that_alone_is_not_waited_for_either() {
    let from_now = ChannelOptions { from_now: true, ..ChannelOptions::default() };
    let alice = member_opened("alice", from_now);
    receive(&alice, &forged("first").at(NOW).bytes(), NOW);
    receive(&alice, &forged("w").at(NOW + 2).after(&["x"]).bytes(), NOW);
    events(&alice);
    let below = forged("below").at(NOW).after(&["x", "w"]).bytes();
    assert_eq!(disposition(&alice, &below, NOW), Disposition::Waiting, "after w, which it names");
    assert_eq!((delivered(&events(&alice)), status(&alice).waiting), (vec!["w", "below"], 0));
    assert_eq!(log(&alice), ["below", "first", "w"]);
}

#[test]
fn a_libsds_message_without_content_that_names_what_waits_for_it_misses_nothing() {
    let alice = member_of(Profile::Libsds, "alice");
    receive(&alice, &forged("w").of(Profile::Libsds).after(&["empty"]).bytes(), NOW);
    events(&alice);
    let empty = forged("empty").of(Profile::Libsds).sync().after(&["w"]).bytes();
    assert!(receive(&alice, &empty, NOW).unmet.is_empty(), "w is here now");
    let told = events(&alice);
    assert_eq!((delivered(&told), missing(&told)), (vec!["w"], vec![]));
    assert_eq!((status(&alice).missing, log(&alice)), (0, vec!["w".to_owned()]));
}
