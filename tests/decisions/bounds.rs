//! Limits at their edge: what just fits is allowed, and one more is not.

use sds::output::{MessageState, TransmitReason};
use sds::{Config, Error, Manager};

use crate::common::*;

const LIMIT: usize = 64 << 10;
const T_MAX: u64 = 120 * SECOND;

/// A member for whom messages of 64 KiB are the largest, whose sync messages are off.
fn small(change: impl FnOnce(&mut Config)) -> Manager {
    quiet_member_with(|config| {
        config.max_message_bytes = LIMIT;
        config.max_filter_bytes = LIMIT;
        change(config);
    })
}

fn whole_bytes(manager: &Manager) -> usize {
    dump(manager)["whole_messages_bytes"].as_u64().unwrap() as usize
}

#[test]
fn waiting_messages_may_fill_their_bytes_to_the_last() {
    for repair in [false, true] {
        for extra in [0, 1] {
            let alice = small(|config| (config.max_waiting_bytes, config.repair) = (LIMIT, repair));
            let content = vec![1; LIMIT];
            let waiting = |id, len| forged(id).content(&content[..len]).after(&["x"]).bytes();
            // A message and each name it waits for take 256 bytes more; for repair, it is kept whole.
            let around = waiting("a", 30_000).len() - 30_000;
            let more = 2 * 256 + "a".len() + "bob".len() + if repair { around } else { 0 };
            receive(&alice, &waiting("a", 30_000), NOW);
            receive(&alice, &waiting("b", LIMIT + extra - 30_000 - 2 * more), NOW);
            let it = status(&alice);
            let expected = if repair { (0, extra as u64) } else { (extra as u64, 0) };
            assert_eq!((it.delivered_early, it.whole_dropped), expected, "repair: {repair}, {extra} too many");
        }
    }
}

#[test]
fn the_names_that_messages_wait_for_take_their_bytes_too() {
    for (count, early) in [(126, 0), (127, 1)] {
        let alice = small(|config| (config.max_waiting_bytes, config.repair) = (LIMIT, false));
        for id in ["a", "b"] {
            let names = ids(id, count);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            receive(&alice, &forged(id).after(&names).bytes(), NOW);
        }
        assert_eq!(status(&alice).delivered_early, early, "{count} names");
    }
}

#[test]
fn whole_messages_may_fill_their_bytes_to_the_last() {
    let one = forged("m0").bytes().len();
    let alice = member_with("alice", |config| config.log_bytes = 3 * one);
    ids("m", 5).iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    assert_eq!((whole_bytes(&alice), status(&alice).whole_dropped), (3 * one, 2));
}

#[test]
fn whole_messages_keep_to_their_bytes_after_others_left_with_the_log() {
    let alice = member_with("alice", |config| (config.log_messages, config.log_bytes) = (5, 10_000));
    ids("small", 10).iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    let content = [7; 3_000];
    let mut len = 0;
    for id in ids("m", 5) {
        let large = forged(&id).content(&content).bytes();
        receive(&alice, &large, NOW);
        assert!(whole_bytes(&alice) <= 10_000);
        len = large.len();
    }
    assert_eq!(whole_bytes(&alice), 3 * len);
}

#[test]
fn unacknowledged_messages_may_fill_their_bytes_to_the_last() {
    let content = vec![1; LIMIT];
    // Two messages as encoded, of which the second has `len` bytes of content.
    let both = |len: usize| {
        let alice = small(|config| config.max_unacknowledged_bytes = LIMIT);
        let first = alice.wrap_outgoing(CHANNEL, Some("m1"), &content[..30_000], NOW).unwrap();
        let before = snapshot(&alice);
        let second = alice.wrap_outgoing(CHANNEL, Some("m2"), &content[..len], NOW);
        assert!(second.is_ok() || snapshot(&alice) == before, "refused, it changed nothing");
        second.map(|second| first.bytes.len() + second.bytes.len())
    };
    let len = 30_000 + LIMIT - both(30_000).unwrap();
    assert_eq!(both(len), Ok(LIMIT), "history and filter count, too");
    assert_eq!(both(len + 1), Err(Error::TooManyUnacknowledgedBytes(LIMIT)));
}

#[test]
fn a_message_given_up_leaves_only_if_its_bytes_are_needed() {
    let content = vec![1; LIMIT];
    // What both take, and whether the first is kept.
    let both = |len: usize| {
        let alice = small(|config| (config.max_unacknowledged_bytes, config.max_resends) = (LIMIT, 0));
        let first = alice.wrap_outgoing(CHANNEL, Some("m1"), &content[..30_000], NOW).unwrap();
        alice.tick(NOW + 5 * SECOND).unwrap();
        assert_eq!(state(&alice, "m1"), MessageState::Failed);
        let second = alice.wrap_outgoing(CHANNEL, Some("m2"), &content[..len], NOW + 5 * SECOND).unwrap();
        (first.bytes.len() + second.bytes.len(), alice.message_status(CHANNEL, "m1").is_ok())
    };
    let len = 30_000 + LIMIT - both(30_000).0;
    assert_eq!((both(len), both(len + 1)), ((LIMIT, true), (LIMIT + 1, false)));
}

#[test]
fn ended_messages_may_fill_their_bytes_to_the_last() {
    let cancelled = |log_bytes| {
        let alice = quiet_member_with(|config| config.log_bytes = log_bytes);
        let len = |id| {
            let sent = send(&alice, id, NOW);
            alice.cancel(CHANNEL, id, NOW).unwrap();
            sent.bytes.len()
        };
        (len("m1") + len("m2"), alice.message_status(CHANNEL, "m1").is_ok())
    };
    let (both, _) = cancelled(8 << 20);
    assert_eq!((cancelled(both), cancelled(both - 1)), ((both, true), (both, false)));
}

#[test]
fn an_answer_that_is_late_by_t_max_is_not_given() {
    for (late_ms, given) in [(T_MAX - 1, 1), (T_MAX, 0)] {
        let alice = member("alice");
        receive(&alice, &forged("m").bytes(), NOW);
        receive(&alice, &forged("s").by("carol").sync().asking(&["m"]).bytes(), NOW);
        let due_ms = dump(&alice)["repair_answers"][0]["due_ms"].as_u64().unwrap();
        let sent = tick(&alice, due_ms + late_ms);
        let answers = sent.iter().filter(|it| it.reason == TransmitReason::RepairAnswer).count();
        assert_eq!((answers, status(&alice).repair_answers), (given, 0), "{late_ms}");
    }
}

#[test]
fn as_many_answers_as_the_log_has_messages_are_not_repeated() {
    let alice = member_with("alice", |config| config.log_messages = 3);
    let ours = ids("m", 3);
    for id in &ours {
        send(&alice, id, NOW);
        alice.cancel(CHANNEL, id, NOW).unwrap();
    }
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    for (id, at) in [("s1", NOW), ("s2", NOW + SECOND)] {
        receive(&alice, &forged(id).by("carol").at(at).sync().asking(&ours).bytes(), at);
        run(&alice, at);
        assert_eq!(status(&alice).repairs_answered, 3, "{id}");
    }
}
