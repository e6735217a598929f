//! Limits met to the last one, and counts that have to stay right: what is still kept, and what is not any more.

use sds::config::MAX_EVIDENCE;
use sds::output::{ChannelOptions, Disposition, MessageState, TransmitReason};
use sds::types::Profile;
use sds::{Error, Manager};

use crate::common::*;

const LIBSDS: Profile = Profile::Libsds;

/// A libsds message of somebody that acknowledges nothing but what its filter holds.
/// What the name of somebody who has a message counts beyond its own bytes.
const NAME_OVERHEAD: usize = 64;

fn hear(alice: &Manager, id: &str, filter: &[u8]) {
    receive(alice, &forged(id).of(LIBSDS).filter(filter).bytes(), NOW);
}

/// Wraps a message and has it acknowledged.
fn end(alice: &Manager, id: &str) -> usize {
    let sent = send(alice, id, NOW);
    receive(alice, &forged(&format!("re {id}")).of(LIBSDS).after(&[id]).bytes(), NOW);
    sent.bytes.len()
}

/// Those of these that are still known as ours.
fn known<'a>(alice: &Manager, ids: &[&'a str]) -> Vec<&'a str> {
    ids.iter().copied().filter(|id| alice.message_status(CHANNEL, id).is_ok()).collect()
}

#[test]
fn ids_are_put_back_by_the_minute_and_not_by_the_millisecond() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.ack_window_ms = MINUTE;
        config.refilter_per_minute = 4;
    });
    let all: Vec<_> = (0..10).map(|number| forged(&format!("m{number}")).of(LIBSDS).bytes()).collect();
    all.iter().for_each(|bytes| drop(receive(&alice, bytes, NOW)));
    let later = (NOW + 10 * MINUTE).next_multiple_of(MINUTE);
    for (at, bytes) in (later..).zip(&all) {
        receive(&alice, bytes, at);
    }
    assert_eq!(status(&alice).refilters_refused, 6);
}

#[test]
fn answers_are_limited_by_the_minute_and_not_by_the_millisecond() {
    let alice = member_with("alice", |config| config.repair_answers_per_minute = 2);
    let minute = NOW.next_multiple_of(MINUTE);
    for (at, id) in (minute..).zip(["a", "b", "c", "d"]) {
        receive(&alice, &forged(id).bytes(), at);
        receive(&alice, &forged(&format!("s {id}")).by("carol").sync().asking(&[id]).bytes(), at);
    }
    assert_eq!((status(&alice).repair_answers, status(&alice).repairs_refused), (2, 2));
}

#[test]
fn an_answer_overdue_by_t_max_is_not_given() {
    for (late_ms, answered) in [(0, 0), (1, 1)] {
        let alice = member("alice");
        receive(&alice, &forged("m").bytes(), NOW);
        receive(&alice, &forged("s").by("carol").sync().asking(&["m"]).bytes(), NOW);
        let due_ms = dump(&alice)["repair_answers"][0]["due_ms"].as_u64().unwrap();
        let sent = tick(&alice, due_ms + 120 * SECOND - late_ms);
        let answers = sent.iter().filter(|it| it.reason == TransmitReason::RepairAnswer).count();
        assert_eq!(answers, answered, "{late_ms} ms before");
    }
}

#[test]
fn what_was_answered_just_now_is_remembered_with_a_log_of_one() {
    let alice = member_with("alice", |config| (config.log_messages, config.causal_history_size) = (1, 1));
    send(&alice, "mine", NOW);
    alice.cancel(CHANNEL, "mine", NOW).unwrap();
    let mut answered = 0;
    for second in 0..5 {
        let (id, at) = (format!("s{second}"), NOW + second * SECOND);
        receive(&alice, &forged(&id).by("carol").at(at).sync().asking(&["mine"]).bytes(), at);
        answered += run(&alice, at).iter().filter(|(_, it)| it.reason == TransmitReason::RepairAnswer).count();
    }
    assert_eq!(answered, 1);
}

#[test]
fn a_message_fits_that_fills_the_buffer_to_the_last_byte() {
    let content = vec![1; 30_000];
    let with = |max_bytes: usize| {
        member_with("alice", |config| {
            config.max_message_bytes = 64 << 10;
            config.max_filter_bytes = 64 << 10;
            config.max_unacknowledged_bytes = max_bytes;
            config.max_resends = 0;
        })
    };
    let wrap = |alice: &Manager, id: &str, at: u64| alice.wrap_outgoing(CHANNEL, Some(id), &content, at);
    let plenty = with(1 << 20);
    let [a, b] = ["a", "b"].map(|id| wrap(&plenty, id, NOW).unwrap().bytes.len());
    // What is around the content counts, too.
    let alice = with(a + b);
    wrap(&alice, "a", NOW).unwrap();
    wrap(&alice, "b", NOW).unwrap();
    let tight = with(a + b - 1);
    wrap(&tight, "a", NOW).unwrap();
    let error = refused(&tight, || wrap(&tight, "b", NOW));
    assert_eq!(error, Error::TooManyUnacknowledgedBytes(a + b - 1));
    // One that was given up leaves only if it has to.
    let alice = with(a + b);
    wrap(&alice, "a", NOW).unwrap();
    tick(&alice, NOW + 6 * SECOND);
    assert_eq!(state(&alice, "a"), MessageState::Failed);
    alice.set_online(false, NOW + 6 * SECOND).unwrap();
    wrap(&alice, "b", NOW + 6 * SECOND).unwrap();
    assert_eq!(known(&alice, &["a", "b"]), ["a", "b"]);
}

#[test]
fn one_that_is_retried_is_hoped_for_and_the_others_stay_given_up() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.max_unacknowledged = 2;
        config.max_resends = 0;
    });
    send(&alice, "m1", NOW);
    send(&alice, "m2", NOW);
    tick(&alice, NOW + 6 * SECOND);
    assert_eq!(status(&alice).given_up, 2);
    alice.retry(CHANNEL, "m1", NOW + 6 * SECOND).unwrap();
    send(&alice, "m3", NOW + 6 * SECOND);
    assert_eq!(known(&alice, &["m1", "m2", "m3"]), ["m1", "m3"]);
}

#[test]
fn a_message_that_is_in_the_full_buffer_needs_no_room_to_be_sent_again() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.max_unacknowledged = 1;
    });
    let sent = send(&alice, "m", NOW);
    assert_eq!(send(&alice, "m", NOW).bytes, sent.bytes);
    alice.retry(CHANNEL, "m", NOW).unwrap();
    assert_eq!(state(&alice, "m"), MessageState::Unacknowledged);
}

#[test]
fn as_many_ended_messages_are_kept_as_the_log_holds() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        (config.log_messages, config.causal_history_size) = (3, 1);
    });
    let ids = ["m1", "m2", "m3", "m4", "m5"];
    for (number, id) in ids.iter().enumerate() {
        end(&alice, id);
        assert_eq!(known(&alice, &ids), ids[(number + 1).saturating_sub(3)..=number]);
    }
}

#[test]
fn as_many_bytes_of_ended_messages_are_kept_as_the_log_holds_however_many_have_left() {
    // Of one size: without a filter, which a libsds channel carries only once it holds something.
    let names: Vec<_> = (10..40).map(|number| format!("m{number}")).collect();
    let plenty = member_of(LIBSDS, "alice");
    let lens: Vec<_> = names.iter().map(|id| end(&plenty, id)).collect();
    // And the name of the one who acknowledged each.
    let budget: usize = lens[lens.len() - 4..].iter().map(|len| len + NAME_OVERHEAD + "bob".len()).sum();
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.log_bytes = budget;
    });
    let ids: Vec<_> = names.iter().map(String::as_str).collect();
    ids.iter().for_each(|id| assert!(end(&alice, id) > 0));
    assert_eq!(known(&alice, &ids), ids[ids.len() - 4..], "to the last byte");
}

#[test]
fn names_of_those_who_have_an_ended_message_count_as_its_bytes_do() {
    let long = |number: usize| format!("{number:x>250}");
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.log_bytes = 100_000;
    });
    let mine = ids("m", 20);
    mine.iter().for_each(|id| assert!(end(&alice, id) > 0));
    let named: Vec<_> = mine.iter().map(String::as_str).collect();
    assert_eq!(known(&alice, &named).len(), 20);
    for number in 0..40 {
        let (id, who) = (format!("a{number}"), long(number));
        receive(&alice, &forged(&id).by(&who).of(LIBSDS).sync().after(&named).bytes(), NOW);
    }
    // Each holds 40 names, and they hold no more than a log may.
    let left = known(&alice, &named);
    let names = 40 * (NAME_OVERHEAD + 250);
    assert!(!left.is_empty() && left.len() <= 100_000 / names, "{} messages of {names} bytes of names", left.len());
    assert_eq!(left, named[20 - left.len()..], "the oldest leave first");
    let status = alice.message_status(CHANNEL, left[0]).unwrap();
    assert_eq!(status.acknowledgers.len(), 41);
}

#[test]
fn names_leave_our_messages_their_room_and_are_bounded() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.max_unacknowledged_bytes = config.max_message_bytes;
    });
    let mine = ids("m", 300);
    mine.iter().for_each(|id| drop(alice.wrap_outgoing(CHANNEL, Some(id), b"x", NOW).unwrap()));
    let refs: Vec<_> = mine.iter().map(String::as_str).collect();
    for number in 0..20 {
        let who = format!("{number:x>250}");
        let filter = libsds_filter(6_007, &refs, 0);
        receive(&alice, &forged(&format!("f{number}")).by(&who).of(LIBSDS).sync().filter(&filter).bytes(), NOW);
        alice.drain();
    }
    assert_eq!(status(&alice).possibly_acknowledged, 300);
    let names: usize = refs.iter().map(|id| alice.message_status(CHANNEL, id).unwrap().acknowledgers.len()).sum();
    assert_eq!(names, (1 << 20) / (NAME_OVERHEAD + 250), "as many as there is room for");
    assert!(status(&alice).evidence_dropped > 0);
    alice.wrap_outgoing(CHANNEL, Some("one more"), b"x", NOW).expect("room");
}

#[test]
fn one_cancelled_and_taken_back_again_and_again_takes_nothing_from_the_others() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.log_bytes = 1_000;
    });
    end(&alice, "m1");
    send(&alice, "m2", NOW);
    send(&alice, "m3", NOW);
    alice.cancel(CHANNEL, "m3", NOW).unwrap();
    for _ in 0..50 {
        alice.cancel(CHANNEL, "m2", NOW).unwrap();
        alice.retry(CHANNEL, "m2", NOW).unwrap();
    }
    assert_eq!(known(&alice, &["m1", "m2", "m3"]), ["m1", "m2", "m3"]);
    // Nor is it forgotten for having been cancelled once.
    for number in 0..50 {
        end(&alice, &format!("other {number}"));
    }
    assert_eq!(state(&alice, "m2"), MessageState::Unacknowledged);
    assert!(known(&alice, &["m1", "m3"]).is_empty(), "these are");
}

#[test]
fn a_better_filter_of_one_size_can_make_certain() {
    for again in ["bob", "carol"] {
        let (weak, strong) = (libsds_filter(967, &["m"], 40), libsds_filter(967, &["m"], 10));
        let (p, q) = (false_chance(LIBSDS, &weak, "m"), false_chance(LIBSDS, &strong, "m"));
        let alice = member_with("alice", |config| {
            config.profile = LIBSDS;
            config.ack_false_positive = (p + q) / 2.0;
        });
        send(&alice, "m", NOW);
        hear(&alice, "r1", &weak);
        assert_eq!(state(&alice, "m"), MessageState::PossiblyAcknowledged);
        receive(&alice, &forged("r2").by(again).of(LIBSDS).filter(&strong).bytes(), NOW);
        assert_eq!(state(&alice, "m"), MessageState::Acknowledged, "by {again}");
    }
}

#[test]
fn a_chance_that_equals_the_bound_is_not_certain() {
    let filter = libsds_filter(967, &["m"], 20);
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.ack_false_positive = false_chance(LIBSDS, &filter, "m");
    });
    send(&alice, "m", NOW);
    hear(&alice, "r", &filter);
    assert_eq!(state(&alice, "m"), MessageState::PossiblyAcknowledged);
}

#[test]
fn so_many_filters_are_evidence_and_no_more() {
    let alice = member_with("alice", |config| {
        config.profile = LIBSDS;
        config.ack_false_positive = 1e-300;
    });
    send(&alice, "m", NOW);
    let (mut chance, mut dropped) = (1.0, 0);
    for number in 0..MAX_EVIDENCE + 1 {
        let filter = libsds_filter(601 + 2 * number as u64, &["m"], 120);
        if number < MAX_EVIDENCE {
            chance *= false_chance(LIBSDS, &filter, "m");
        } else {
            dropped = 1;
        }
        hear(&alice, &format!("r{number}"), &filter);
        let probability = alice.message_status(CHANNEL, "m").unwrap().probability;
        assert!((probability - (1.0 - chance)).abs() < 1e-12, "{number}: {probability}, {chance}");
        assert_eq!(status(&alice).evidence_dropped, dropped);
    }
}

#[test]
fn as_many_ids_are_remembered_as_may_be() {
    let alice = member_with("alice", |config| {
        (config.log_messages, config.causal_history_size) = (1, 1);
        config.seen_limit = 2;
    });
    let ids = ["a", "b", "c", "d"];
    ids[..3].iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    assert_eq!(status(&alice).ids_forgotten, 0);
    assert_eq!(disposition(&alice, &forged("a").bytes(), NOW), Disposition::Duplicate);
    receive(&alice, &forged("d").bytes(), NOW);
    assert_eq!(status(&alice).ids_forgotten, 1);
    assert_eq!(disposition(&alice, &forged("b").bytes(), NOW), Disposition::Duplicate);
}

#[test]
fn an_id_that_left_the_log_cannot_be_given_again() {
    let alice = member_with("alice", |config| (config.log_messages, config.causal_history_size) = (1, 1));
    ["a", "b"].iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    assert_eq!(refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("a"), b"a", NOW)), Error::BytesGone("a".into()));
}

#[test]
fn the_id_of_a_message_that_waits_is_not_derived_again() {
    // The state was lost, and our own message from before waits while we say the same again.
    for profile in BOTH {
        let options = ChannelOptions { derived_ids: true, profile: Some(profile), ..ChannelOptions::default() };
        let carols = member_opened("carol", options).wrap_outgoing(CHANNEL, None, b"c", NOW).unwrap();
        let (before, alice) = (member_opened("alice", options), member_opened("alice", options));
        receive(&before, &carols.bytes, NOW);
        let sent = before.wrap_outgoing(CHANNEL, None, b"hi", NOW + 2 * SECOND).unwrap();
        assert_eq!(disposition(&alice, &sent.bytes, NOW), Disposition::Waiting);
        let again = alice.wrap_outgoing(CHANNEL, None, b"hi", NOW + 2 * SECOND).unwrap();
        assert_ne!(again.message_id, sent.message_id, "{profile:?}");
        assert!(again.lamport_timestamp_ms > sent.lamport_timestamp_ms, "{profile:?}: the next that the profile has");
    }
}

#[test]
fn a_channel_of_any_options_can_be_opened_again_with_them() {
    for options in [
        ChannelOptions { derived_ids: true, ..ChannelOptions::default() },
        ChannelOptions { from_now: true, ..ChannelOptions::default() },
    ] {
        let alice = member_opened("alice", options);
        alice.open_channel(CHANNEL, options, NOW).unwrap();
        let error = refused(&alice, || alice.open_channel(CHANNEL, ChannelOptions::default(), NOW));
        assert_eq!(error, Error::ChannelOptionsDiffer(CHANNEL.into()));
    }
}

#[test]
fn a_backward_step_of_exactly_the_bound_is_flattened() {
    for (back_ms, due_ms) in [(MINUTE, NOW + 5 * SECOND), (MINUTE + 1, NOW + 5 * SECOND - MINUTE - 1)] {
        let alice = quiet_member_with(|_| ());
        send(&alice, "m", NOW);
        alice.set_online(true, NOW - back_ms).unwrap();
        assert_eq!(alice.next_deadline(), Some(due_ms));
    }
}

#[test]
fn each_message_that_nobody_confirmed_is_confirmed() {
    let alice = member("alice");
    ["m", "n"].iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    receive(&alice, &forged("s").by("carol").sync().after(&["m"]).bytes(), NOW);
    assert!(alice.next_deadline().unwrap() <= NOW + CONFIRMED_BY, "n was not");
}

#[test]
fn confirmations_come_mostly_after_two_seconds() {
    let late = (0..20).filter(|seed| {
        let alice = member_with("alice", |config| config.seed = Some(*seed));
        receive(&alice, &forged("m").bytes(), NOW);
        alice.next_deadline().unwrap() > NOW + 2 * SECOND
    });
    assert!(late.count() > 10, "a quarter of the time is waited at least, and most of the rest");
}

#[test]
fn the_echoes_of_several_sync_messages_are_ours() {
    // Without a name, only their ids tell.
    let alice = member("");
    send(&alice, "m", NOW);
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    let sent: Vec<_> = run(&alice, NOW + 30 * MINUTE).into_iter().map(|(_, it)| it).collect();
    assert!(sent.len() > 2 && sent.iter().all(|it| it.reason == TransmitReason::Sync));
    for sync in &sent {
        assert_eq!(disposition(&alice, &sync.bytes, NOW + 30 * MINUTE), Disposition::Own);
    }
}

#[test]
fn a_message_of_the_stamp_of_the_latest_does_not_come_after_it() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    let due_ms = alice.next_deadline().unwrap();
    let latest_ms = lamport(&alice);
    receive(&alice, &forged("s1").by("dave").sync().at(latest_ms).after(&["m"]).bytes(), due_ms - 1);
    assert_eq!(alice.next_deadline(), Some(due_ms));
    receive(&alice, &forged("s2").by("dave").sync().at(latest_ms + 1).after(&["m"]).bytes(), due_ms - 1);
    assert!(alice.next_deadline().unwrap() > due_ms);
}

#[test]
fn nobody_answers_for_a_message_without_a_sender() {
    use sds::channel::repair::in_response_group;
    let names: Vec<_> = (0..200).map(|number| format!("p{number}")).collect();
    for groups in [0, 1, 2, 3] {
        assert!(names.iter().all(|name| !in_response_group(name, "", "m", groups)), "{groups} groups");
        assert!(!in_response_group("", "", "m", groups), "{groups} groups");
    }
}

#[test]
fn older_messages_of_the_stamp_of_the_latest_are_named_too() {
    let alice = member("alice");
    (0..8).for_each(|number| drop(receive(&alice, &forged(&format!("m{number}")).bytes(), NOW)));
    assert_eq!(history(&send(&alice, "mine", NOW).bytes), ["m0", "m1", "m2", "m5", "m6", "m7"]);
}

#[test]
fn what_was_named_while_it_waited_was_named_enough() {
    let alice = member("alice");
    receive(&alice, &forged("w").after(&["x"]).bytes(), NOW);
    for number in 1..5 {
        receive(&alice, &forged(&format!("y{number}")).at(NOW + number).after(&["w"]).bytes(), NOW);
    }
    receive(&alice, &forged("x").at(NOW - 1).bytes(), NOW);
    assert_eq!(history(&send(&alice, "mine", NOW + SECOND).bytes), ["y1", "y2", "y3", "y4"]);
}

#[test]
fn a_dump_shows_what_is_missing() {
    let alice = member("alice");
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    assert_eq!(dump(&alice)["missing"][0]["message_id"], "x");
}
