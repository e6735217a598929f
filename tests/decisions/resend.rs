//! Resending: when, how often, and what it is called when it was in vain.

use sds::output::{Event, MessageState, TransmitReason};
use sds::types::Profile;
use sds::{Error, Manager};

use crate::common::*;

/// A member whose sync messages do not get in the way.
fn alice() -> Manager {
    member_of(Profile::Libsds, "alice")
}

/// Runs from deadline to deadline; when something was resent, relative to `from_ms`, and what was told at the end.
fn run(alice: &Manager, from_ms: u64) -> (Vec<u64>, Vec<Event>, u64) {
    let mut times = Vec::new();
    loop {
        let due_ms = alice.next_deadline().expect("more to do");
        alice.tick(due_ms).unwrap();
        let (mut resent, mut told) = (0, Vec::new());
        for (_, output) in alice.drain() {
            match output {
                sds::output::Output::Transmit(_) => resent += 1,
                sds::output::Output::Event(event) => told.push(event),
            }
        }
        (0..resent).for_each(|_| times.push(due_ms - from_ms));
        if !told.is_empty() {
            return (times, told, due_ms);
        }
    }
}

fn possibly(alice: &Manager, id: &str, now_ms: u64) {
    let bytes = forged(&format!("re {id}")).of(Profile::Libsds).filter(&libsds_filter(967, &[id], 20)).bytes();
    receive(alice, &bytes, now_ms);
}

#[test]
fn five_ten_twenty_forty_eighty_seconds_with_jitter_from_the_second_on() {
    let mut jittered = 0;
    for seed in 0..20 {
        let alice = member_with("alice", |config| {
            config.profile = Profile::Libsds;
            config.seed = Some(seed);
        });
        send(&alice, "m", NOW);
        let (times, told, end) = run(&alice, NOW);
        let mut before = 0;
        assert_eq!(times.len(), 5);
        assert_eq!(times[0], 5 * SECOND, "exactly");
        for (time, wait) in times.iter().chain([&(end - NOW)]).zip([5, 10, 20, 40, 80, 160]) {
            let (waited, wait) = (time - before, wait * SECOND);
            assert!((wait..=wait * 12 / 10).contains(&waited), "{waited} for {wait}");
            jittered += usize::from(waited != wait);
            before = *time;
        }
        assert_eq!(told, [Event::Failed { message_id: "m".into() }]);
        let status = alice.message_status(CHANNEL, "m").unwrap();
        assert_eq!((status.state, status.resends), (MessageState::Failed, 5));
        assert_eq!(alice.next_deadline(), None);
    }
    assert!(jittered > 90, "{jittered} of 100");
}

#[test]
fn the_bytes_are_the_same_every_time() {
    let alice = alice();
    let sent = send(&alice, "m", NOW);
    send(&alice, "later", NOW + SECOND);
    for _ in 0..5 {
        for transmit in tick(&alice, alice.next_deadline().unwrap()) {
            assert_eq!(transmit.reason, TransmitReason::Resend);
            assert!(&*transmit.message_id != "m" || transmit.bytes == sent.bytes);
        }
    }
}

#[test]
fn offline_pauses_the_attempts() {
    let alice = alice();
    send(&alice, "m", NOW);
    alice.set_online(false, NOW + SECOND).unwrap();
    assert_eq!(alice.next_deadline(), None, "a phone sleeps");
    for hour in 0..10 {
        assert!(tick(&alice, NOW + hour * 60 * MINUTE).is_empty());
    }
    let later = NOW + 10 * 60 * MINUTE;
    alice.set_online(true, later).unwrap();
    assert!(alice.next_deadline().unwrap() <= later);
    assert_eq!(tick(&alice, later).len(), 1);
    assert_eq!(alice.message_status(CHANNEL, "m").unwrap().resends, 1, "what was not tried is not counted");
    let (times, told, _) = run(&alice, later);
    assert_eq!((times.len(), told.len()), (4, 1));
}

#[test]
fn given_up_is_failed_or_unconfirmed_and_never_sent() {
    let alice = alice();
    send(&alice, "m", NOW);
    possibly(&alice, "m", NOW);
    let told = events(&alice);
    let Event::PossiblyAcknowledged { probability, .. } = told[0] else { panic!("{told:?}") };
    let (times, told, _) = run(&alice, NOW);
    assert_eq!((times.len(), times[0]), (5, 15 * SECOND), "possibly acknowledged: a longer period");
    assert_eq!(told, [Event::Unconfirmed { message_id: "m".into(), probability }]);
    assert_eq!(state(&alice, "m"), MessageState::Unconfirmed);
    assert_eq!((status(&alice).given_up, status(&alice).unacknowledged), (1, 0));
}

#[test]
fn a_late_acknowledgement_still_counts() {
    let alice = alice();
    send(&alice, "m", NOW);
    let (_, _, end) = run(&alice, NOW);
    possibly(&alice, "m", end);
    let told = events(&alice);
    assert!(matches!(&told[..], [Event::Unconfirmed { probability, .. }] if *probability > 0.99), "{told:?}");
    receive(&alice, &forged("r").of(Profile::Libsds).after(&["m"]).bytes(), end);
    assert_eq!(events(&alice), [Event::Acknowledged { message_id: "m".into() }]);
    assert_eq!((status(&alice).given_up, status(&alice).acknowledged), (0, 1));
}

#[test]
fn retry_counts_anew() {
    let alice = alice();
    let sent = send(&alice, "m", NOW);
    let (_, _, end) = run(&alice, NOW);
    alice.retry(CHANNEL, "m", end).unwrap();
    let resent = transmits(&alice);
    assert_eq!((resent.len(), &resent[0].bytes), (1, &sent.bytes), "at once");
    let status = alice.message_status(CHANNEL, "m").unwrap();
    assert_eq!((status.state, status.resends), (MessageState::Unacknowledged, 0));
    let (times, told, _) = run(&alice, end);
    assert_eq!((times.len(), times[0]), (5, 5 * SECOND));
    assert_eq!(told, [Event::Failed { message_id: "m".into() }], "told again");
    let unknown = refused(&alice, || alice.retry(CHANNEL, "never sent", end));
    assert_eq!(unknown, Error::UnknownMessage("never sent".into()));
}

#[test]
fn an_acknowledged_message_is_not_retried() {
    let alice = alice();
    send(&alice, "m", NOW);
    receive(&alice, &forged("r").of(Profile::Libsds).after(&["m"]).bytes(), NOW);
    alice.retry(CHANNEL, "m", NOW).unwrap();
    assert!(transmits(&alice).is_empty());
    assert_eq!(state(&alice, "m"), MessageState::Acknowledged);
}

#[test]
fn cancel_stops_resending_and_no_more() {
    let alice = alice();
    let sent = send(&alice, "m", NOW);
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    assert_eq!((state(&alice, "m"), alice.next_deadline()), (MessageState::Cancelled, None));
    assert_eq!((status(&alice).unacknowledged, log(&alice)), (0, vec!["m".to_owned()]));
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    alice.retry(CHANNEL, "m", NOW).unwrap();
    assert_eq!(transmits(&alice)[0].bytes, sent.bytes, "and can be taken back");
    assert_eq!((state(&alice, "m"), status(&alice).unacknowledged), (MessageState::Unacknowledged, 1));
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    receive(&alice, &forged("r").of(Profile::Libsds).after(&["m"]).bytes(), NOW);
    assert_eq!(state(&alice, "m"), MessageState::Acknowledged, "somebody has it all the same");
    assert_eq!(status(&alice).acknowledged, 1);
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    assert_eq!(state(&alice, "m"), MessageState::Acknowledged);
    let unknown = refused(&alice, || alice.cancel(CHANNEL, "theirs", NOW));
    assert_eq!(unknown, Error::UnknownMessage("theirs".into()));
}

#[test]
fn the_buffer_is_bounded_and_gives_up_the_given_up_first() {
    let alice = member_with("alice", |config| {
        config.profile = Profile::Libsds;
        config.max_unacknowledged = 2;
    });
    send(&alice, "m1", NOW);
    send(&alice, "m2", NOW + SECOND);
    let full = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("m3"), b"x", NOW + SECOND));
    assert_eq!(full, Error::TooManyUnacknowledged(2));
    run(&alice, NOW);
    let given_up = if state(&alice, "m1") == MessageState::Failed { "m1" } else { "m2" };
    send(&alice, "m3", NOW + 10 * MINUTE);
    assert!(alice.message_status(CHANNEL, given_up).is_err(), "it made room");
    assert_eq!(dump(&alice)["outgoing"].as_array().unwrap().len(), 2);
}

#[test]
fn a_cancelled_message_comes_back_only_if_there_is_room() {
    let alice = member_with("alice", |config| {
        config.profile = Profile::Libsds;
        config.max_unacknowledged = 1;
    });
    let first = send(&alice, "m1", NOW);
    alice.cancel(CHANNEL, "m1", NOW).unwrap();
    send(&alice, "m2", NOW);
    let full = refused(&alice, || alice.retry(CHANNEL, "m1", NOW));
    assert_eq!(full, Error::TooManyUnacknowledged(1));
    let full = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("m1"), b"m1", NOW));
    assert_eq!(full, Error::TooManyUnacknowledged(1), "wrapped again is retried");
    run(&alice, NOW);
    alice.retry(CHANNEL, "m1", NOW + 10 * MINUTE).unwrap();
    assert_eq!(transmits(&alice)[0].bytes, first.bytes);
    assert!(alice.message_status(CHANNEL, "m2").is_err(), "the one given up made room");
}

#[test]
fn unacknowledged_messages_are_bounded_in_bytes_too() {
    let alice = member_with("alice", |config| {
        config.max_message_bytes = 64 << 10;
        config.max_filter_bytes = 64 << 10;
        config.max_unacknowledged_bytes = 100_000;
        config.max_resends = 0;
    });
    let content = vec![1; 30_000];
    let wrap = |id: &str, at: u64| alice.wrap_outgoing(CHANNEL, Some(id), &content, at);
    // With filters of 18,752 bytes.
    wrap("a", NOW).unwrap();
    wrap("b", NOW + 1).unwrap();
    let error = refused(&alice, || wrap("c", NOW + 1));
    assert_eq!(error, Error::TooManyUnacknowledgedBytes(100_000));
    // Given up, they make room, the oldest first.
    tick(&alice, NOW + 6 * SECOND);
    assert_eq!(status(&alice).given_up, 2);
    wrap("c", NOW + 6 * SECOND).unwrap();
    assert!(alice.message_status(CHANNEL, "a").is_err());
    assert_eq!(state(&alice, "b"), MessageState::Failed);
    alice.retry(CHANNEL, "b", NOW + 6 * SECOND).unwrap();
    refused(&alice, || wrap("d", NOW + 6 * SECOND));
    alice.cancel(CHANNEL, "b", NOW + 6 * SECOND).unwrap();
    wrap("d", NOW + 6 * SECOND).unwrap();
}

#[test]
fn what_is_in_the_buffer_needs_no_more_room_to_be_sent_again() {
    let alice = member_with("alice", |config| config.max_unacknowledged = 1);
    let sent = send(&alice, "m", NOW);
    assert_eq!(send(&alice, "m", NOW + SECOND).bytes, sent.bytes);
    alice.retry(CHANNEL, "m", NOW + 2 * SECOND).unwrap();
    assert_eq!(transmits(&alice)[0].bytes, sent.bytes);
}

#[test]
fn a_message_hoped_for_again_leaves_the_others_given_up() {
    let alice = member_with("alice", |config| {
        config.profile = Profile::Libsds;
        config.max_unacknowledged = 2;
        config.max_resends = 0;
    });
    send(&alice, "m1", NOW);
    send(&alice, "m2", NOW + SECOND);
    let later = NOW + 6 * SECOND;
    alice.tick(later).unwrap();
    assert_eq!(status(&alice).given_up, 2);
    alice.retry(CHANNEL, "m1", later).unwrap();
    send(&alice, "m3", later);
    assert!(alice.message_status(CHANNEL, "m2").is_err(), "it made room");
    assert_eq!(state(&alice, "m1"), MessageState::Unacknowledged);
    let full = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("m4"), b"x", later));
    assert_eq!(full, Error::TooManyUnacknowledged(2));
}

#[test]
fn ended_messages_are_kept_as_many_as_the_log_has_and_the_oldest_leave_first() {
    let alice = member_with("alice", |config| {
        config.profile = Profile::Libsds;
        config.log_messages = 3;
    });
    let cancelled = |ids: &[&str]| {
        for id in ids {
            send(&alice, id, NOW);
            alice.cancel(CHANNEL, id, NOW).unwrap();
        }
    };
    let known = |id: &str| alice.message_status(CHANNEL, id).is_ok();
    cancelled(&["m1", "m2", "m3"]);
    assert!(known("m1"), "three are kept");
    // Taken back, it is not one of them, and they remain what they are.
    alice.retry(CHANNEL, "m1", NOW).unwrap();
    cancelled(&["m4"]);
    assert!(known("m2"));
    cancelled(&["m5"]);
    assert!(!known("m2") && ["m1", "m3", "m4", "m5"].iter().all(|id| known(id)));
}
