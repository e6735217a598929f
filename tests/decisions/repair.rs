//! SDS-R beyond its sentences: asking again, made-up requests, floods, the other format, and who joins late.

use sds::output::{Event, Transmit, TransmitReason};
use sds::types::Profile;
use sds::{Config, Error, Manager};

use crate::common::*;

const T_MAX: u64 = 120 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const TIMEOUT: u64 = 10 * MINUTE;
const T_MIN: u64 = 30 * SECOND;

fn answers(sent: &[(u64, Transmit)]) -> Vec<&(u64, Transmit)> {
    sent.iter().filter(|(_, it)| it.reason == TransmitReason::RepairAnswer).collect()
}

/// When what was asked for.
fn asked(sent: &[(u64, Transmit)]) -> Vec<(u64, Vec<String>)> {
    sent.iter().map(|(at, it)| (*at, asks(&it.bytes))).filter(|(_, ids)| !ids.is_empty()).collect()
}

fn asking_for<'a>(id: &'a str, wanted: &'a [String]) -> Forged<'a> {
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    forged(id).by("carol").sync().asking(&wanted)
}

#[test]
fn what_nobody_answers_is_asked_for_again_with_backoff_and_then_lost() {
    let alice = member_with("alice", |config| config.dependency_timeout_ms = 30 * MINUTE);
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.drain();
    let times: Vec<_> = asked(&run(&alice, NOW + 30 * MINUTE - 1)).into_iter().map(|(at, _)| at).collect();
    assert!((NOW + 30 * SECOND..NOW + T_MAX).contains(&times[0]));
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let expected: Vec<_> = (0..waits.len()).map(|number| T_MIN << number).collect();
    assert_eq!(waits, expected, "doubling");
    assert!(waits.len() >= 4);
    let told = tick_events(&alice, NOW + 30 * MINUTE);
    assert_eq!((lost(&told), delivered(&told)), (vec!["x"], vec!["m"]));
    assert_eq!(status(&alice).repair_requests, 0);
    assert!(asked(&run(&alice, NOW + 120 * MINUTE)).is_empty(), "a lost message is not asked for");
}

#[test]
fn each_request_is_told_with_its_number_and_counted() {
    let alice = member("alice");
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    let mut told = Vec::new();
    while let Some(due_ms) = alice.next_deadline().filter(|due| *due < NOW + TIMEOUT) {
        told.extend(tick_events(&alice, due_ms));
    }
    assert_eq!(requested(&told), [("x", 1), ("x", 2), ("x", 3), ("x", 4), ("x", 5)]);
    assert_eq!(status(&alice).repairs_requested, 5);
    receive(&alice, &forged("x").bytes(), NOW + TIMEOUT - 1);
    assert!(events(&alice).contains(&Event::Repaired { message_id: "x".into() }));
    assert_eq!((status(&alice).repaired, status(&alice).repair_requests), (1, 0));
}

#[test]
fn a_message_that_came_before_it_was_asked_for_was_not_repaired() {
    let alice = member("alice");
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("x").bytes(), NOW + SECOND);
    assert!(!events(&alice).iter().any(|event| matches!(event, Event::Repaired { .. })));
    assert_eq!(status(&alice).repaired, 0);
}

#[test]
fn a_made_up_request_cancels_ours_for_t_max_and_not_for_good() {
    let alice = member_with("alice", |config| config.dependency_timeout_ms = 30 * MINUTE);
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.drain();
    // Somebody asks for it every ten seconds, and nobody answers.
    let mut times = Vec::new();
    for at in (NOW..NOW + 10 * MINUTE).step_by(10_000) {
        times.extend(asked(&run(&alice, at)).into_iter().map(|(at, _)| at));
        let fake = format!("fake{at}");
        receive(&alice, &forged(&fake).by("mallory").at(at).sync().asking(&["x"]).bytes(), at);
        assert!(status(&alice).repair_requests <= 1);
    }
    // Each comes back with a T_req of its own, so that it takes part in no flood either.
    assert_eq!(times, [0; 0], "who asks every ten seconds does keep us silent");
    times.extend(asked(&run(&alice, NOW + 20 * MINUTE)).into_iter().map(|(at, _)| at));
    let first = times.first().expect("asked for after all");
    assert!((NOW + 10 * MINUTE..NOW + 10 * MINUTE + T_MAX + T_MAX).contains(first), "{}", first - NOW);
}

#[test]
fn one_made_up_request_does_not_keep_a_message_from_being_asked_for_in_time() {
    let alice = member_with("alice", |config| config.repair_t_max_ms = 60_000);
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("fake").by("mallory").sync().asking(&["x"]).bytes(), NOW + SECOND);
    alice.drain();
    let times = asked(&run(&alice, NOW + TIMEOUT - 1));
    assert!((NOW + 91 * SECOND..NOW + 121 * SECOND).contains(&times[0].0), "T_max later, with a new T_req");
}

#[test]
fn sync_messages_that_only_ask_keep_their_distance() {
    let alice = member("alice");
    let wanted = ids("x", 200);
    let mut naming = forged("names them");
    wanted.iter().for_each(|id| naming = naming.clone().after(&[id]));
    receive(&alice, &naming.bytes(), NOW);
    alice.drain();
    let asked = asked(&run(&alice, NOW + TIMEOUT - 1));
    for pair in asked.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= 5 * SECOND, "{pair:?}");
    }
    assert!(asked.iter().all(|(_, ids)| ids.len() <= 3));
    assert!(asked.len() > 20, "all the same, they go on: {}", asked.len());
}

#[test]
fn in_the_libsds_profile_without_sync_messages_requests_ride_on_content() {
    let alice = member_of(Profile::Libsds, "alice");
    receive(&alice, &forged("m").of(Profile::Libsds).after(&["x"]).bytes(), NOW);
    alice.drain();
    assert!(asked(&run(&alice, NOW + TIMEOUT - 1)).is_empty(), "nim-sds takes a sync message for an ordinary one");
    assert_eq!(asks(&send(&alice, "mine", NOW + TIMEOUT - 1).bytes), ["x"]);
}

#[test]
fn offline_nothing_is_asked_or_answered() {
    let alice = member("alice");
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("here").bytes(), NOW);
    receive(&alice, &forged("s").by("carol").sync().asking(&["here"]).bytes(), NOW);
    alice.drain();
    alice.set_online(false, NOW).unwrap();
    assert!(run(&alice, NOW + TIMEOUT - 1).is_empty());
    alice.set_online(true, NOW + TIMEOUT - 1).unwrap();
    let sent = tick(&alice, NOW + TIMEOUT - 1);
    let reasons: Vec<_> = sent.iter().map(|it| it.reason).collect();
    assert_eq!(reasons, [TransmitReason::RepairRequest], "others have answered long ago");
    assert_eq!(status(&alice).repair_answers, 0);
}

#[test]
fn without_a_participant_id_or_by_configuration_it_is_off() {
    let off: [fn(&mut Config); 2] = [|config| config.repair = false, |config| config.participant_id = String::new()];
    for change in off {
        let nobody = member_with("alice", change);
        receive(&nobody, &forged("here").bytes(), NOW);
        receive(&nobody, &forged("m").after(&["x"]).bytes(), NOW);
        receive(&nobody, &forged("s").by("carol").sync().asking(&["here"]).bytes(), NOW);
        assert_eq!((status(&nobody).repair_requests, status(&nobody).repair_answers), (0, 0));
        assert_eq!(dump(&nobody)["whole_messages_bytes"], 0);
        nobody.drain();
        let sent = run(&nobody, NOW + TIMEOUT);
        assert!(asked(&sent).is_empty() && answers(&sent).is_empty());
    }
}

#[test]
fn requests_are_limited_in_number_where_they_are_taken_up() {
    let alice = member_with("alice", |config| config.repair_answers_per_minute = 10);
    let here = ids("m", 40);
    here.iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    receive(&alice, &asking_for("s1", &here[..30]).bytes(), NOW);
    assert_eq!((status(&alice).repair_answers, status(&alice).repairs_refused), (10, 20));
    receive(&alice, &asking_for("s2", &here[30..]).bytes(), NOW + SECOND);
    assert_eq!((status(&alice).repair_answers, status(&alice).repairs_refused), (10, 30), "whoever asks, when");
    receive(&alice, &asking_for("s3", &here[30..]).bytes(), NOW + MINUTE);
    assert_eq!(status(&alice).repair_answers, 20, "a new minute");
}

#[test]
fn requests_are_limited_in_bytes_where_they_are_taken_up() {
    let alice = member_with("alice", |config| {
        config.max_message_bytes = 64 << 10;
        config.max_filter_bytes = 64 << 10;
        config.repair_bytes_per_minute = 100_000;
    });
    let content = vec![7; 30_000];
    let here = ids("m", 5);
    here.iter().for_each(|id| drop(receive(&alice, &forged(id).content(&content).bytes(), NOW)));
    receive(&alice, &asking_for("s", &here).bytes(), NOW);
    assert_eq!((status(&alice).repair_answers, status(&alice).repairs_refused), (3, 2));
}

#[test]
fn the_incoming_buffer_is_bounded() {
    let alice = member_with("alice", |config| config.max_repair_answers = 5);
    let here = ids("m", 20);
    here.iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    receive(&alice, &asking_for("s", &here).bytes(), NOW);
    assert_eq!((status(&alice).repair_answers, status(&alice).repairs_refused), (5, 15));
}

#[test]
fn a_request_repeated_is_answered_once_in_half_of_t_min() {
    let alice = member("alice");
    send(&alice, "mine", NOW);
    alice.cancel(CHANNEL, "mine", NOW).unwrap();
    let mut answered = 0;
    for second in 0..15 {
        let (id, at) = (format!("s{second}"), NOW + second * SECOND);
        receive(&alice, &forged(&id).by("carol").at(at).sync().asking(&["mine"]).bytes(), at);
        answered += answers(&run(&alice, at)).len();
    }
    assert_eq!(answered, 1, "whoever sent it answers at once, each time it is asked");
    receive(&alice, &forged("s").by("dave").at(NOW + MINUTE).sync().asking(&["mine"]).bytes(), NOW + T_MIN / 2);
    assert_eq!(answers(&run(&alice, NOW + T_MIN / 2)).len(), 1);
}

#[test]
fn a_forged_message_under_the_id_stops_no_answer() {
    for profile in BOTH {
        let alice = member("alice");
        let bytes = forged("m").of(profile).content(b"true").bytes();
        receive(&alice, &bytes, NOW);
        receive(&alice, &forged("s").by("carol").sync().asking(&["m"]).bytes(), NOW);
        for other in BOTH {
            receive(&alice, &forged("m").of(other).content(b"false").bytes(), NOW);
            receive(&alice, &forged("m").of(other).by("mallory").content(b"true").bytes(), NOW);
        }
        receive(&alice, &forged("m").ephemeral().content(b"true").bytes(), NOW);
        assert_eq!(status(&alice).repair_answers, 1, "{profile:?}");
        // In the other format, and otherwise the same: somebody did answer.
        let other = if profile == Profile::Rfc { Profile::Libsds } else { Profile::Rfc };
        receive(&alice, &forged("m").of(other).content(b"true").bytes(), NOW);
        assert_eq!(status(&alice).repair_answers, 0, "{profile:?}");
    }
}

#[test]
fn the_sender_in_our_log_counts_and_not_the_one_a_request_claims() {
    let alice = member("alice");
    receive(&alice, &forged("m").bytes(), NOW);
    let mut lying = forged("s").by("carol").sync().asking(&["m"]);
    lying.message.repair_request[0].sender_id = Some("alice");
    receive(&alice, &lying.bytes(), NOW);
    let answers_due = dump(&alice)["repair_answers"][0]["due_ms"].as_u64().unwrap();
    assert_ne!(answers_due, NOW, "as its sender she would answer at once");
}

#[test]
fn for_a_message_without_a_sender_no_group_answers() {
    assert!(ids("m", 50).iter().all(|id| !sds::channel::repair::in_response_group("alice", "", id, 2)));
}

#[test]
fn an_answer_in_the_other_format_is_put_into_the_channels() {
    for (came, channel) in [(Profile::Rfc, Profile::Libsds), (Profile::Libsds, Profile::Rfc)] {
        let alice = member_of(channel, "alice");
        let bytes = forged("m").of(came).at(NOW + 5 * SECOND).after(&["before"]).content(b"hello").bytes();
        receive(&alice, &forged("before").of(came).bytes(), NOW);
        receive(&alice, &bytes, NOW);
        receive(&alice, &forged("s").by("carol").sync().asking(&["m"]).bytes(), NOW);
        let sent = run(&alice, NOW + T_MAX);
        let (profile, message) = decode(&answers(&sent)[0].1.bytes);
        assert_eq!(profile, channel);
        assert_eq!((message.sender_id, message.message_id, message.channel_id), ("bob", "m", CHANNEL));
        assert_eq!((message.lamport_timestamp_ms, message.payload()), (Some(NOW + 5 * SECOND), Some(&b"hello"[..])));
        assert_eq!(message.causal_history, [entry("before")]);
        assert!(message.bloom_filter.is_none_or(<[u8]>::is_empty), "the other format's filter would be none");
    }
}

#[test]
fn an_answer_that_the_channels_format_cannot_say_stays_as_it_came() {
    let alice = member_of(Profile::Libsds, "alice");
    let bytes = forged("m").at(NOW + 1).bytes();
    receive(&alice, &bytes, NOW);
    receive(&alice, &forged("s").by("carol").sync().asking(&["m"]).bytes(), NOW);
    // In seconds it would have another timestamp, and another place in the log of whoever asked.
    assert_eq!(answers(&run(&alice, NOW + T_MAX))[0].1.bytes, bytes);
}

#[test]
fn our_own_resend_answers_too() {
    let alice = member("alice");
    send(&alice, "mine", NOW);
    receive(&alice, &forged("s").by("carol").sync().asking(&["mine"]).bytes(), NOW + 5 * SECOND);
    let sent = run(&alice, NOW + 5 * SECOND);
    let reasons: Vec<_> = sent.iter().map(|(_, it)| it.reason).collect();
    assert_eq!(reasons, [TransmitReason::Resend], "once is enough");
    assert_eq!(status(&alice).repair_answers, 0);
}

#[test]
fn whole_messages_are_bounded_in_bytes_and_the_log_keeps_their_names() {
    let alice = member_with("alice", |config| config.log_bytes = 10_000);
    let content = [7; 1_000];
    let here = ids("m", 40);
    for id in &here {
        receive(&alice, &forged(id).content(&content).bytes(), NOW);
        assert!(dump(&alice)["whole_messages_bytes"].as_u64().unwrap() <= 10_000);
    }
    assert_eq!(status(&alice).logged, 40);
    receive(&alice, &asking_for("s", &here).bytes(), NOW);
    let sent = run(&alice, NOW + T_MAX);
    let mut answered: Vec<_> = answers(&sent).iter().map(|(_, it)| it.message_id.to_string()).collect();
    answered.sort();
    assert_eq!(answered, here[31..], "the latest by arrival");
}

#[test]
fn whole_messages_are_kept_for_the_repair_window() {
    let kept = |manager: &Manager| dump(manager)["whole_messages_bytes"].as_u64().unwrap();
    let alice = member("alice");
    receive(&alice, &forged("m").bytes(), NOW);
    send(&alice, "mine", NOW + MINUTE);
    let both = kept(&alice);
    let hear = |at: u64| drop(receive(&alice, &forged("s").by("carol").sync().bytes(), at));
    hear(NOW + 60 * MINUTE);
    assert_eq!(kept(&alice), both);
    hear(NOW + 60 * MINUTE + 1);
    assert!((1..both).contains(&kept(&alice)), "only ours");
    hear(NOW + 61 * MINUTE + 1);
    assert_eq!((kept(&alice), status(&alice).logged), (0, 2));
    // Where nothing is heard, with what falls due.
    let bob = member("bob");
    send(&bob, "mine", NOW);
    run(&bob, NOW + 180 * MINUTE);
    assert_eq!((kept(&bob), status(&bob).logged), (0, 1));
}

#[test]
fn whole_messages_leave_with_their_entries() {
    let alice = member_with("alice", |config| config.log_messages = 5);
    let here = ids("m", 20);
    here.iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    let one = forged("m19").bytes().len() as u64;
    assert!(dump(&alice)["whole_messages_bytes"].as_u64().unwrap() <= 5 * one);
    receive(&alice, &asking_for("s", &here).bytes(), NOW);
    assert_eq!(status(&alice).repair_answers, 5);
}

#[test]
fn a_message_that_waited_can_be_answered_for() {
    let alice = member("alice");
    let waits = forged("waits").after(&["x"]).bytes();
    receive(&alice, &waits, NOW);
    receive(&alice, &forged("x").bytes(), NOW);
    receive(&alice, &forged("s").by("carol").sync().asking(&["waits"]).bytes(), NOW);
    let sent = run(&alice, NOW + T_MAX);
    assert_eq!(answers(&sent)[0].1.bytes, waits);
}

#[test]
fn whole_messages_make_no_message_leave_the_incoming_buffer_early() {
    let alice = member_with("alice", |config| {
        config.max_message_bytes = 64 << 10;
        config.max_filter_bytes = 64 << 10;
        config.max_waiting_bytes = 64 << 10;
    });
    // Twenty messages with filters of 18,752 bytes, of which three would fill the buffer.
    let filter = rfc_filter(&[], 0);
    let waiting = ids("w", 20);
    waiting.iter().for_each(|id| drop(receive(&alice, &forged(id).after(&["x"]).filter(&filter).bytes(), NOW)));
    assert_eq!((status(&alice).waiting, status(&alice).delivered_early), (20, 0));
    receive(&alice, &forged("x").bytes(), NOW);
    let told = events(&alice);
    assert_eq!(delivered(&told).len(), 20);
    assert!(told.iter().all(|event| !matches!(event, Event::Delivered(it) if it.content != it.message_id.as_bytes())));
    assert!(dump(&alice)["whole_messages_bytes"].as_u64().unwrap() > 2 * 18_752, "the latest are whole still");
}

#[test]
fn requests_that_do_not_fit_give_way_to_content() {
    let alice = member_with("alice", |config| {
        config.max_message_bytes = 44 << 10;
        config.max_filter_bytes = 44 << 10;
        config.bloom_capacity = 5_000;
        config.repair_request_size = 10;
        config.max_hint_bytes = 450;
    });
    let hint = [7; 450];
    let wanted = ids("x", 10);
    let mut naming = forged("names them");
    wanted.iter().for_each(|id| naming = naming.clone().hinted(id, &hint));
    receive(&alice, &naming.bytes(), NOW);
    let content = vec![1; 23_000];
    let sent = alice.wrap_outgoing(CHANNEL, Some("big"), &content, NOW + T_MAX).unwrap();
    assert!(asks(&sent.bytes).is_empty());
    assert_eq!(status(&alice).repairs_requested, 0, "it did not ask");
    assert_eq!(asks(&send(&alice, "small", NOW + T_MAX).bytes).len(), 10);
}

#[test]
fn a_timeout_too_short_for_an_answer_is_refused() {
    let open = |change: fn(&mut Config)| {
        let mut config = config("alice");
        change(&mut config);
        Manager::open(config)
    };
    let error = open(|config| config.dependency_timeout_ms = 269_999).unwrap_err();
    assert!(matches!(&error, Error::Config(it) if it.field == "dependency_timeout_ms"), "{error}");
    assert!(open(|config| config.dependency_timeout_ms = 270_000).is_ok());
    assert!(open(|config| (config.repair, config.dependency_timeout_ms) = (false, 1_000)).is_ok());
    type Change = fn(&mut Config);
    let refused: [(&str, Change); 8] = [
        // A sync message has to fit with all that it asks for: what was told to be asked for must be.
        ("max_message_bytes", |config| {
            config.max_message_bytes = 32 << 10;
            config.max_filter_bytes = 32 << 10;
            config.bloom_capacity = 5_000;
            config.repair_request_size = 10;
            config.max_hint_bytes = 450;
        }),
        // No arithmetic on it overflows, either.
        ("causal_history_size", |config| config.causal_history_size = usize::MAX),
        ("repair_window_ms", |config| config.repair_window_ms = T_MAX),
        ("repair_t_max_ms", |config| config.repair_t_max_ms = config.repair_t_min_ms),
        ("repair_request_size", |config| config.repair_request_size = 0),
        ("max_repair_answers", |config| config.max_repair_answers = 0),
        ("repair_answers_per_minute", |config| config.repair_answers_per_minute = 0),
        ("repair_bytes_per_minute", |config| config.repair_bytes_per_minute = 1),
    ];
    for (field, change) in refused {
        let error = open(change).unwrap_err();
        assert!(matches!(&error, Error::Config(it) if it.field == field), "{field}: {error}");
    }
}

#[test]
fn a_later_naming_fills_in_who_sent_it() {
    let alice = member("alice");
    receive(&alice, &forged("m1").after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("m2").after_from("x", "bob").bytes(), NOW);
    let sent = send(&alice, "mine", NOW + T_MAX);
    assert_eq!(decode(&sent.bytes).1.repair_request[0].sender_id, Some("bob"), "by which members decide who answers");
}

#[test]
fn who_joins_in_the_middle_takes_part_at_once_with_a_bounded_number_of_requests() {
    // Bob and carol talk for long; dave hears only the last message. Whatever is asked for is answered.
    let (bob, carol, dave) = (member("bob"), member("carol"), member("dave"));
    let mut at = NOW;
    for number in 0..500 {
        at += SECOND;
        let sent = send(&bob, &format!("m{number}"), at);
        receive(&carol, &sent.bytes, at);
    }
    let members = [&bob, &carol, &dave];
    let last = send(&bob, "last", at);
    members[1..].iter().for_each(|member| drop(receive(member, &last.bytes, at)));
    // He can send and be acknowledged, and acknowledges.
    at += SECOND;
    let hello = send(&dave, "hello", at);
    members[..2].iter().for_each(|member| drop(receive(member, &hello.bytes, at)));
    assert_eq!(state(&bob, "last"), sds::output::MessageState::Acknowledged);
    let until = at + TIMEOUT + SECOND;
    let mut asked_for = 0;
    while let Some(due_ms) = members.iter().filter_map(|member| member.next_deadline()).min().filter(|due| *due < until)
    {
        for member in members {
            for sent in tick(member, due_ms) {
                asked_for += asks(&sent.bytes).len();
                members.iter().for_each(|other| drop(receive(other, &sent.bytes, due_ms)));
            }
        }
    }
    assert_eq!(state(&dave, "hello"), sds::output::MessageState::Acknowledged);
    assert!((3..=30).contains(&asked_for), "{asked_for}");
    let now = status(&dave);
    assert_eq!((now.missing, now.waiting), (0, 0), "and then it is over");
    assert_eq!(log(&dave).iter().rev().take(2).collect::<Vec<_>>(), ["hello", "last"]);
}

#[test]
fn an_old_message_asks_for_nothing_any_more() {
    let lag_ms = 10 * MINUTE;
    for (age_ms, taken_up) in [(lag_ms + T_MAX + 1, false), (lag_ms + T_MAX, true)] {
        let id = format!("asked {age_ms} ago");
        let asking = forged(&id).by("carol").at(NOW + HOUR - age_ms).asking(&["here", "x"]);
        let late = member("alice");
        receive(&late, &forged("here").at(NOW + HOUR).bytes(), NOW + HOUR);
        receive(&late, &forged("m").at(NOW + HOUR).after(&["x"]).bytes(), NOW + HOUR);
        receive(&late, &asking.bytes(), NOW + HOUR);
        let now = status(&late);
        assert_eq!((now.repair_answers == 1, now.repair_requests == 0), (taken_up, taken_up), "{age_ms}");
    }
}

#[test]
fn who_has_a_slow_clock_is_answered() {
    for behind_ms in [0, 3 * MINUTE, 9 * MINUTE] {
        let (alice, bob) = (member("alice"), Manager::open(config("bob")).unwrap());
        bob.open_channel(CHANNEL, Default::default(), NOW - behind_ms).unwrap();
        send(&alice, "lost", NOW);
        let next = send(&alice, "next", NOW + SECOND);
        ["lost", "next"].iter().for_each(|id| alice.cancel(CHANNEL, id, NOW + SECOND).unwrap());
        receive(&bob, &next.bytes, NOW + SECOND - behind_ms);
        bob.drain();
        // Somebody else resends nothing, and the channel is silent: bob's clock has nothing to follow.
        for at in (NOW..NOW + 9 * MINUTE).step_by(1_000) {
            run(&bob, at - behind_ms).iter().for_each(|(_, sent)| drop(receive(&alice, &sent.bytes, at)));
            run(&alice, at).iter().for_each(|(_, sent)| drop(receive(&bob, &sent.bytes, at - behind_ms)));
        }
        assert_eq!(status(&bob).repaired, 1, "{behind_ms} ms behind");
        assert_eq!(log(&bob), ["lost", "next"]);
    }
}

#[test]
fn offline_a_wrap_asks_for_nothing_and_spends_nothing() {
    let alice = member("alice");
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.set_online(false, NOW).unwrap();
    for number in 0..5 {
        let id = format!("offline {number}");
        assert!(asks(&send(&alice, &id, NOW + 4 * MINUTE).bytes).is_empty());
    }
    assert_eq!(status(&alice).repairs_requested, 0);
    alice.set_online(true, NOW + 5 * MINUTE).unwrap();
    assert_eq!(asks(&send(&alice, "online", NOW + 5 * MINUTE).bytes), ["x"]);
}

#[test]
fn a_copy_of_ours_made_up_in_the_other_format_stops_no_answer() {
    let alice = member("alice");
    let at_ms = send(&alice, "mine", NOW + SECOND).lamport_timestamp_ms.unwrap();
    assert_eq!(at_ms, NOW + SECOND, "which libsds can say");
    receive(&alice, &forged("s").by("carol").sync().asking(&["mine"]).bytes(), NOW);
    let copy = || forged("mine").by("alice").of(Profile::Libsds).at(at_ms);
    for made_up in [copy().content(b"made up"), copy().at(at_ms + SECOND), copy().after(&["x"]), copy().by("mallory")] {
        receive(&alice, &made_up.bytes(), NOW);
        assert_eq!(status(&alice).repair_answers, 1);
    }
    receive(&alice, &copy().bytes(), NOW);
    assert_eq!(status(&alice).repair_answers, 0, "the same in the other format: somebody did answer");
}

#[test]
fn what_the_host_sends_again_is_answered_for_by_that() {
    let again: [fn(&Manager); 2] =
        [|alice| alice.retry(CHANNEL, "mine", NOW).unwrap(), |alice| drop(send(alice, "mine", NOW))];
    for again in again {
        let alice = member("alice");
        send(&alice, "mine", NOW);
        receive(&alice, &forged("s").by("carol").sync().asking(&["mine"]).bytes(), NOW);
        assert_eq!(status(&alice).repair_answers, 1);
        again(&alice);
        assert_eq!(status(&alice).repair_answers, 0, "once is enough");
    }
}

#[test]
fn who_asks_for_what_is_set_aside_already_delays_it_no_further() {
    let alice = member("alice");
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.drain();
    for second in [1, 100] {
        let (id, at) = (format!("fake{second}"), NOW + second * SECOND);
        assert!(asked(&run(&alice, at)).is_empty());
        receive(&alice, &forged(&id).by("mallory").at(at).sync().asking(&["x"]).bytes(), at);
    }
    let first = asked(&run(&alice, NOW + TIMEOUT - 1))[0].0;
    let wait_ms = sds::channel::repair::t_req_wait_ms("alice", "x", T_MIN, T_MAX);
    assert_eq!(first, NOW + SECOND + T_MAX + wait_ms, "T_max after the first, with a new T_req");
}
