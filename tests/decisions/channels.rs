//! Channels, hints, limits on what waits, and runs that can be replayed.

use sds::channel::Channel;
use sds::output::{ChannelOptions, ChannelStatus, Disposition, Event, MessageState, Output};
use sds::types::Profile;
use sds::{Error, Manager};

use crate::common::*;

#[test]
fn bytes_for_an_unknown_channel_are_refused_with_its_id() {
    let alice = member("alice");
    let error = refused(&alice, || alice.unwrap_incoming(&forged("m").channel("strange").bytes(), NOW).map(drop));
    assert_eq!(error, Error::UnknownChannel("strange".into()));
    assert!(error.to_string().contains("\"strange\""));
    let error = refused(&alice, || alice.wrap_outgoing("strange", None, b"x", NOW));
    assert_eq!(error, Error::UnknownChannel("strange".into()));
}

#[test]
fn a_flag_opens_channels_up_to_the_limit() {
    let alice = member_with("alice", |config| {
        config.auto_open_channels = true;
        config.max_channels = 3;
    });
    alice.unwrap_incoming(&forged("m").channel("two").bytes(), NOW).unwrap();
    alice.wrap_outgoing("three", None, b"x", NOW).unwrap();
    assert_eq!(alice.channels().iter().map(|id| &**id).collect::<Vec<_>>(), [CHANNEL, "three", "two"]);
    let error = refused(&alice, || alice.unwrap_incoming(&forged("m").channel("four").bytes(), NOW).map(drop));
    assert_eq!(error, Error::TooManyChannels(3));
    let error = refused(&alice, || alice.open_channel("four", ChannelOptions::default(), NOW));
    assert_eq!(error, Error::TooManyChannels(3));
    alice.forget_channel("two").unwrap();
    alice.open_channel("four", ChannelOptions::default(), NOW).unwrap();
}

#[test]
fn a_refused_call_opens_no_channel() {
    let libsds = member_with("alice", |config| {
        config.auto_open_channels = true;
        config.profile = Profile::Libsds;
    });
    assert_eq!(refused(&libsds, || libsds.wrap_ephemeral("new", None, b"x", NOW)), Error::EphemeralUnsupported);
    let alice = member_with("alice", |config| config.auto_open_channels = true);
    let large = vec![0; 1 << 20];
    let error = refused(&alice, || alice.wrap_outgoing("new", None, &large, NOW));
    assert!(matches!(error, Error::MessageTooLarge { .. }));
    let long = "x".repeat(257);
    assert!(matches!(refused(&alice, || alice.wrap_outgoing(&long, None, b"x", NOW)), Error::IdTooLong { .. }));
    assert!(matches!(refused(&alice, || alice.wrap_outgoing("", None, b"x", NOW)), Error::EmptyId(_)));
}

#[test]
fn opening_again_asks_for_the_same_options() {
    let alice = member("alice");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW).unwrap();
    let same = ChannelOptions { profile: Some(Profile::Rfc), ..ChannelOptions::default() };
    alice.open_channel(CHANNEL, same, NOW).unwrap();
    for other in [
        ChannelOptions { profile: Some(Profile::Libsds), ..ChannelOptions::default() },
        ChannelOptions { from_now: true, ..ChannelOptions::default() },
        ChannelOptions { derived_ids: true, ..ChannelOptions::default() },
    ] {
        let error = refused(&alice, || alice.open_channel(CHANNEL, other, NOW));
        assert_eq!(error, Error::ChannelOptionsDiffer(CHANNEL.into()));
        alice.open_channel("other", other, NOW).unwrap();
        alice.open_channel("other", other, NOW).unwrap();
        let error = refused(&alice, || alice.open_channel("other", ChannelOptions::default(), NOW));
        assert_eq!(error, Error::ChannelOptionsDiffer("other".into()), "what was not the default is kept");
        alice.forget_channel("other").unwrap();
    }
}

#[test]
fn a_channel_is_unused_until_anything_is_received() {
    // What is asked when a call was refused for which a channel was opened: another thread may use it by then.
    let config = std::sync::Arc::new(config("alice"));
    for from_now in [false, true] {
        let options = ChannelOptions { from_now, ..ChannelOptions::default() };
        let opened = || Channel::new(CHANNEL.into(), options, config.clone(), 1, NOW);
        assert!(opened().is_unused());
        for (message, unused) in [(forged("m"), false), (forged("s").sync(), !from_now)] {
            let mut channel = opened();
            let bytes = message.bytes();
            let ids = channel.ids_of(&message.message);
            channel.receive(&bytes, &message.message, &ids, message.profile, NOW).unwrap();
            assert_eq!(channel.is_unused(), unused, "from now: {from_now}; a sync message sets the floor, too");
        }
    }
}

#[test]
fn close_and_open_again_keep_the_state() {
    let alice = member("alice");
    let sent = send(&alice, "m", NOW);
    receive(&alice, &forged("w").after(&["x"]).bytes(), NOW);
    events(&alice);
    let before = alice.dump_channel(CHANNEL).unwrap();
    alice.close_channel(CHANNEL).unwrap();
    assert_eq!((alice.next_deadline(), alice.channels().len()), (None, 0));
    assert!(tick(&alice, NOW + 4 * SECOND).is_empty());
    let unknown = Error::UnknownChannel(CHANNEL.into());
    assert_eq!(alice.unwrap_incoming(&forged("n").bytes(), NOW).map(drop), Err(unknown.clone()));
    assert_eq!(alice.wrap_outgoing(CHANNEL, None, b"x", NOW).map(drop), Err(unknown.clone()));
    assert_eq!(alice.mark_dependencies_met(CHANNEL, &["x"], NOW), Err(unknown.clone()));
    assert_eq!(alice.close_channel(CHANNEL), Err(unknown));
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW + 4 * SECOND).unwrap();
    assert_eq!(alice.dump_channel(CHANNEL).unwrap(), before);
    assert_eq!(tick(&alice, NOW + 5 * SECOND)[0].bytes, sent.bytes);
    receive(&alice, &forged("x").bytes(), NOW + 5 * SECOND);
    assert_eq!(delivered(&events(&alice)), ["w"]);
}

#[test]
fn forget_wipes() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    receive(&alice, &forged("w").after(&["x"]).bytes(), NOW);
    alice.forget_channel(CHANNEL).unwrap();
    assert!(alice.drain().is_empty(), "what waited to be drained too");
    assert_eq!(alice.next_deadline(), None);
    assert_eq!(alice.forget_channel(CHANNEL), Err(Error::UnknownChannel(CHANNEL.into())));
    let libsds = ChannelOptions { profile: Some(Profile::Libsds), ..ChannelOptions::default() };
    alice.open_channel(CHANNEL, libsds, NOW + 5).unwrap();
    assert_eq!(status(&alice), ChannelStatus { lamport_timestamp_ms: NOW + 5, ..ChannelStatus::default() });
    assert_eq!(disposition(&alice, &forged("w").bytes(), NOW), Disposition::Delivered);
    alice.close_channel(CHANNEL).unwrap();
    alice.forget_channel(CHANNEL).unwrap();
}

#[test]
fn forget_leaves_other_channels_alone() {
    let alice = member("alice");
    alice.open_channel("other", ChannelOptions::default(), NOW).unwrap();
    for channel in [CHANNEL, "other"] {
        alice.unwrap_incoming(&forged("w").channel(channel).after(&["x"]).bytes(), NOW).unwrap();
    }
    let before = alice.dump_channel("other").unwrap();
    alice.forget_channel(CHANNEL).unwrap();
    assert_eq!(alice.dump_channel("other").unwrap(), before);
    assert_eq!(missing(&events(&alice)), ["x"]);
}

#[test]
fn reset_forgets_everything() {
    let alice = member("alice");
    alice.open_channel("other", ChannelOptions::default(), NOW).unwrap();
    send(&alice, "m", NOW);
    receive(&alice, &forged("w").after(&["x"]).bytes(), NOW);
    alice.reset().unwrap();
    assert!(alice.channels().is_empty() && alice.drain().is_empty());
    assert_eq!(alice.next_deadline(), None);
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW).unwrap();
    assert_eq!(status(&alice), ChannelStatus { lamport_timestamp_ms: NOW, ..ChannelStatus::default() });
}

#[test]
fn hints_ride_in_histories_and_can_be_set_before_the_wrap() {
    let alice = member("alice");
    send(&alice, "mine", NOW);
    receive(&alice, &forged("theirs").at(NOW + 10).bytes(), NOW);
    receive(&alice, &forged("waits").at(NOW + 20).after(&["x"]).bytes(), NOW);
    let named: Vec<_> = alice.next_history(CHANNEL).unwrap().iter().map(|it| it.message_id.to_string()).collect();
    assert_eq!(named, ["mine", "theirs"]);
    alice.set_retrieval_hint(CHANNEL, "theirs", b"h").unwrap();
    alice.set_retrieval_hint(CHANNEL, "waits", b"w").unwrap();
    receive(&alice, &forged("x").at(NOW + 5).bytes(), NOW);
    let next = alice.next_history(CHANNEL).unwrap();
    let sent = send(&alice, "m", NOW + 30);
    let entries = decode(&sent.bytes).1.causal_history;
    let hints: Vec<_> = entries.iter().map(|it| (it.message_id, it.retrieval_hint)).collect();
    assert_eq!(hints[1..], [("x", None), ("theirs", Some(&b"h"[..])), ("waits", Some(&b"w"[..]))]);
    let asked: Vec<_> = next.iter().map(|it| (&*it.message_id, it.retrieval_hint.as_deref())).collect();
    assert_eq!(asked, hints, "as it was told before");
    alice.set_retrieval_hint(CHANNEL, "theirs", b"").unwrap();
    let entries = alice.next_history(CHANNEL).unwrap();
    let theirs = entries.iter().find(|it| &*it.message_id == "theirs").unwrap();
    assert_eq!(theirs.retrieval_hint, None, "removed");
    let unknown = refused(&alice, || alice.set_retrieval_hint(CHANNEL, "unknown", b"h"));
    assert_eq!(unknown, Error::UnknownMessage("unknown".into()));
    let long = refused(&alice, || alice.set_retrieval_hint(CHANNEL, "m", &[0; 1_025]));
    assert_eq!(long, Error::HintTooLong { size: 1_025, limit: 1_024 });
}

/// A manager whose queue of outputs is full.
fn full() -> Manager {
    let alice = member_with("alice", |config| config.max_outputs = 16);
    send(&alice, "m", NOW);
    for number in 0..16 {
        receive(&alice, &forged(&format!("s{number}")).sync().after(&[&format!("x{number}")]).bytes(), NOW);
    }
    alice
}

#[test]
fn a_full_queue_refuses_what_would_make_more_and_loses_nothing() {
    let alice = full();
    let one_more = forged("w").after(&["x0"]).bytes();
    let error = refused(&alice, || alice.unwrap_incoming(&one_more, NOW).map(drop));
    assert_eq!(error, Error::OutputsFull(16));
    assert_eq!(refused(&alice, || alice.mark_dependencies_met(CHANNEL, &["x0"], NOW)), Error::OutputsFull(16));
    assert_eq!(refused(&alice, || alice.retry(CHANNEL, "m", NOW)), Error::OutputsFull(16));
    assert_eq!(refused(&alice, || alice.tick(NOW + 5 * SECOND)), Error::OutputsFull(16));
    let expected: Vec<_> = (0..16).map(|number| format!("x{number}")).collect();
    assert_eq!(missing(&events(&alice)), expected);
    assert_eq!(tick(&alice, NOW + 5 * SECOND).len(), 1, "what was refused can be done now");
    assert_eq!(disposition(&alice, &one_more, NOW + 5 * SECOND), Disposition::Waiting);
}

#[test]
fn drain_takes_what_is_taken_and_leaves_the_rest() {
    let alice = full();
    let mut budget = 5;
    alice.drain_while(|channel, output| {
        assert!(&**channel == CHANNEL && matches!(output, Output::Event(Event::Missing(_))));
        budget -= 1;
        budget >= 0
    });
    let rest = events(&alice);
    assert_eq!((missing(&rest).len(), missing(&rest)[0]), (11, "x5"));
}

/// A long and varied run; all bytes and facts that came out of it, as text.
fn eventful_run(seed: u64) -> String {
    let config = |name| sds::Config { seed: Some(seed), ..config(name) };
    let (alice, bob) = (open(config("alice")), open(config("bob")));
    let mut trace = String::new();
    let mut now = NOW;
    let mut rng = fastrand::Rng::with_seed(99);
    for number in 0..120 {
        now += rng.u64(100..20_000);
        let (from, to) = if rng.bool() { (&alice, &bob) } else { (&bob, &alice) };
        let wrapped = from.wrap_outgoing(CHANNEL, None, format!("{number}").as_bytes(), now).unwrap();
        trace += &format!("{wrapped:?}\n");
        if rng.u8(..) > 80 {
            trace += &format!("{:?}\n", to.unwrap_incoming(&wrapped.bytes, now).unwrap());
        }
        for (member, other) in [(&alice, &bob), (&bob, &alice)] {
            member.tick(now).unwrap();
            for (_, output) in member.drain() {
                trace += &format!("{output:?}\n");
                if let Output::Transmit(transmit) = output
                    && rng.u8(..) > 80
                {
                    trace += &format!("{:?}\n", other.unwrap_incoming(&transmit.bytes, now).unwrap());
                }
            }
        }
    }
    trace + &alice.dump_channel(CHANNEL).unwrap() + &bob.dump_channel(CHANNEL).unwrap()
}

#[test]
fn equal_seeds_give_equal_runs_to_the_byte() {
    let (first, second, other) = (eventful_run(1), eventful_run(1), eventful_run(2));
    assert!(first == second);
    assert!(first != other);
    assert!(first.contains("reason: Sync") && first.contains("reason: Resend"), "there is randomness in it");
}

#[test]
fn status_counts_what_is_there() {
    let alice = member("alice");
    send(&alice, "m1", NOW);
    send(&alice, "m2", NOW);
    receive(&alice, &forged("r").after(&["m1"]).bytes(), NOW);
    receive(&alice, &forged("r").after(&["m1"]).bytes(), NOW);
    receive(&alice, &forged("w").after(&["x", "y"]).filter(b"short").bytes(), NOW);
    receive(&alice, &forged("far").at(NOW + 11 * MINUTE).bytes(), NOW);
    let expected = ChannelStatus {
        received: 2,
        sent: 2,
        logged: 3,
        missing: 2,
        waiting: 1,
        unacknowledged: 1,
        acknowledged: 1,
        held: 1,
        duplicates: 1,
        filters_refused: 1,
        repair_requests: 2,
        lamport_timestamp_ms: NOW + 2,
        ..ChannelStatus::default()
    };
    assert_eq!(status(&alice), expected);
    assert_eq!(state(&alice, "m2"), MessageState::Unacknowledged);
}

#[test]
fn a_closed_channel_sends_nothing_that_waited_to_be_sent() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    receive(&alice, &forged("w").after(&["x"]).bytes(), NOW);
    alice.tick(NOW + 5 * SECOND).unwrap();
    alice.close_channel(CHANNEL).unwrap();
    let left = alice.drain();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(matches!(&left[0].1, Output::Event(Event::Missing(_))), "what it tells stays");
}

#[test]
fn reset_is_as_if_just_opened_and_so_online() {
    let alice = member("alice");
    alice.set_online(false, NOW).unwrap();
    alice.reset().unwrap();
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW).unwrap();
    send(&alice, "m", NOW);
    assert_eq!(tick(&alice, NOW + 5 * SECOND).len(), 1);
}

#[test]
fn marking_dependencies_opens_no_channel() {
    let alice = member_with("alice", |config| config.auto_open_channels = true);
    assert!(alice.mark_dependencies_met("elsewhere", &["m"], NOW).is_err());
    assert_eq!(alice.channels().len(), 1);
}

#[test]
fn a_full_queue_refuses_a_wrap() {
    let alice = member_with("alice", |config| config.max_outputs = 16);
    let ids: Vec<String> = (0..16).map(|number| format!("x{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    receive(&alice, &forged("m").after(&ids).bytes(), NOW);
    let error = refused(&alice, || alice.wrap_outgoing(CHANNEL, Some("mine"), b"hi", NOW));
    assert_eq!(error, Error::OutputsFull(16));
    alice.drain();
    send(&alice, "mine", NOW);
}
