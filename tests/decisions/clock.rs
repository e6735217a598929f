//! Stamps far ahead, clocks that step back, and the seconds of libsds.

use sds::config::Config;
use sds::output::Disposition;
use sds::types::Profile;

use crate::common::*;

#[test]
fn a_stamp_too_far_ahead_is_delivered_and_held_until_time_catches_up() {
    for profile in BOTH {
        let drift = Config::default().max_clock_drift_ms(profile);
        let alice = member_of(profile, "alice");
        let stamp = NOW + drift + SECOND;
        assert_eq!(disposition(&alice, &forged("far").of(profile).at(stamp).bytes(), NOW), Disposition::Delivered);
        assert_eq!(lamport(&alice), NOW, "{profile:?}: it moves no clock");
        assert_eq!((log(&alice).len(), status(&alice).held), (0, 1));
        receive(&alice, &forged("near").of(profile).by("alice").bytes(), NOW);
        let sent = send(&alice, "mine", NOW);
        assert_eq!(history(&sent.bytes), ["near"], "{profile:?}: no history names it");
        assert!(filter_holds(&sent.bytes, "far"), "it was received all the same");
        assert_eq!(disposition(&alice, &forged("r").of(profile).after(&["far"]).bytes(), NOW), Disposition::Delivered);
        assert_eq!(disposition(&alice, &forged("far").of(profile).at(stamp).bytes(), NOW), Disposition::Duplicate);
        alice.cancel(CHANNEL, "mine", NOW).unwrap();
        alice.set_online(false, NOW).unwrap();
        assert_eq!(alice.next_deadline(), Some(stamp - drift), "{profile:?}");
        alice.tick(stamp - drift - 1).unwrap();
        assert_eq!(status(&alice).held, 1);
        alice.tick(stamp - drift).unwrap();
        assert_eq!((status(&alice).held, alice.next_deadline()), (0, None), "{profile:?}");
        assert_eq!(log(&alice).last().unwrap(), "far");
        assert_eq!(lamport(&alice), stamp, "{profile:?}: now it does");
    }
}

#[test]
fn a_stamp_at_the_bound_still_counts() {
    for profile in BOTH {
        let drift = Config::default().max_clock_drift_ms(profile);
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("m").of(profile).at(NOW + drift).bytes(), NOW);
        assert_eq!((lamport(&alice), log(&alice).len(), status(&alice).held), (NOW + drift, 1, 0), "{profile:?}");
    }
}

#[test]
fn a_message_released_from_the_buffer_is_held_too() {
    let alice = member("alice");
    receive(&alice, &forged("far").at(NOW + 11 * MINUTE).after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("x").bytes(), NOW);
    assert_eq!(delivered(&events(&alice)), ["far"]);
    assert_eq!((lamport(&alice), status(&alice).held), (NOW, 1));
    assert_eq!(log(&alice), ["x"]);
}

#[test]
fn held_messages_are_bounded_with_the_log_and_all_get_their_place() {
    let alice = member_with("alice", |config| config.log_messages = 3);
    for (id, minutes) in [("d", 40), ("c", 30), ("b", 20), ("a", 15)] {
        receive(&alice, &forged(id).at(NOW + minutes * MINUTE).bytes(), NOW);
    }
    assert_eq!((status(&alice).held, log(&alice).len()), (3, 0));
    alice.tick(NOW + 40 * MINUTE).unwrap();
    assert_eq!(log(&alice), ["a", "b", "c"], "the oldest by arrival left");
    assert_eq!(disposition(&alice, &forged("d").bytes(), NOW + 40 * MINUTE), Disposition::Duplicate, "still known");
}

#[test]
fn a_time_that_no_clock_shows_is_refused() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    let latest = 253_402_300_799_999;
    for time in [latest + 1, u64::MAX] {
        let error = refused(&alice, || alice.tick(time));
        assert_eq!(error, sds::Error::TimeOutOfRange(time));
        refused(&alice, || alice.wrap_outgoing(CHANNEL, None, b"hi", time));
        refused(&alice, || alice.unwrap_incoming(&forged("x").bytes(), time).map(drop));
        refused(&alice, || alice.set_online(false, time));
        refused(&alice, || alice.open_channel("later", Default::default(), time));
    }
    alice.tick(latest).unwrap();
}

#[test]
fn the_greatest_of_all_stamps_does_no_harm() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        // In libsds the wire holds seconds: 2^64 - 1 of them are more milliseconds than there are.
        let mut bytes = forged("max").of(profile).at(u64::MAX).bytes();
        if profile == Profile::Libsds {
            let mut head = vec![0x0a, 3, b'm', b'a', b'x', 0x10];
            prost::encoding::encode_varint(u64::MAX, &mut head);
            head.extend_from_slice(b"\x22\x07general\x2a\x01x");
            bytes = head;
        }
        let unwrapped = receive(&alice, &bytes, NOW);
        assert_eq!(unwrapped.lamport_timestamp_ms, Some(u64::MAX), "{profile:?}");
        assert_eq!((unwrapped.disposition, lamport(&alice)), (Disposition::Delivered, NOW));
        let mine = send(&alice, "m", NOW);
        assert!(mine.lamport_timestamp_ms.unwrap() <= NOW + SECOND, "{profile:?}");
        receive(&alice, &forged("reply").of(profile).at(u64::MAX).after(&["x"]).bytes(), NOW);
        alice.tick(NOW + 10 * MINUTE).unwrap();
        assert_eq!(lost(&events(&alice)), ["x"]);
        assert!(lamport(&alice) <= NOW + 11 * MINUTE, "{profile:?}");
    }
}

#[test]
fn one_hostile_stamp_poisons_no_channel_opened_from_now() {
    for profile in BOTH {
        let options = sds::output::ChannelOptions { from_now: true, profile: Some(profile), ..Default::default() };
        let alice = member_opened("alice", options);
        receive(&alice, &forged("hostile").of(profile).at(u64::MAX / 1_000 * 1_000).bytes(), NOW);
        receive(&alice, &forged("first").of(profile).at(NOW).bytes(), NOW);
        let later = forged("m").of(profile).at(NOW + SECOND).after(&["missing"]).bytes();
        assert_eq!(disposition(&alice, &later, NOW), Disposition::Waiting, "{profile:?}: the floor is not u64::MAX");
    }
}

#[test]
fn libsds_stamps_are_whole_seconds_rounded_up() {
    let alice = member_of(Profile::Libsds, "alice");
    assert_eq!(send(&alice, "m1", NOW + 1).lamport_timestamp_ms, Some(NOW + SECOND));
    assert_eq!(send(&alice, "m2", NOW + 1).lamport_timestamp_ms, Some(NOW + 2 * SECOND), "a second per message");
    assert_eq!(send(&alice, "m3", NOW + 7 * SECOND).lamport_timestamp_ms, Some(NOW + 7 * SECOND), "no rounding needed");
    let sent = send(&alice, "m4", NOW + 7 * SECOND);
    assert_eq!(decode(&sent.bytes).1.lamport_timestamp_ms, sent.lamport_timestamp_ms, "what peers read");
    assert_eq!(lamport(&alice), NOW + 8 * SECOND);
}

#[test]
fn a_backward_step_of_over_a_minute_shifts_every_deadline_by_it() {
    let alice = quiet_member_with(|_| ());
    alice.open_channel("idle", Default::default(), NOW).unwrap();
    for channel in [CHANNEL, "idle"] {
        alice.unwrap_incoming(&forged("m").channel(channel).after(&["x"]).bytes(), NOW).unwrap();
    }
    events(&alice);
    assert_eq!(alice.next_deadline(), Some(NOW + 600_000));
    // 200 s pass, as one of the two channels notices; then the clock steps back by 61 s.
    alice.unwrap_incoming(&forged("n").bytes(), NOW + 200_000).unwrap();
    alice.tick(NOW + 139_000).unwrap();
    assert_eq!(alice.next_deadline(), Some(NOW + 539_000), "400 s are left, as they were");
    assert!(lost(&tick_events(&alice, NOW + 538_999)).is_empty());
    assert_eq!(lost(&tick_events(&alice, NOW + 539_000)), ["x", "x"], "in the channel that was idle, too");
}

#[test]
fn a_backward_step_of_up_to_a_minute_is_flattened() {
    let alice = quiet_member_with(|_| ());
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    events(&alice);
    receive(&alice, &forged("n").bytes(), NOW + 200_000);
    for back in [59_000, 60_000] {
        receive(&alice, &forged("n").bytes(), NOW + 200_000 - back);
        alice.tick(NOW + 200_000 - back).unwrap();
        assert_eq!(alice.next_deadline(), Some(NOW + 600_000), "{back}: over a minute is more than a minute");
    }
    assert!(lost(&tick_events(&alice, NOW + 599_999)).is_empty());
    assert_eq!(lost(&tick_events(&alice, NOW + 600_000)), ["x"]);
}

#[test]
fn stamps_follow_the_clock_and_never_run_back() {
    let alice = member("alice");
    assert_eq!(send(&alice, "m1", NOW + 200_000).lamport_timestamp_ms, Some(NOW + 200_000));
    assert_eq!(send(&alice, "m2", NOW + 141_000).lamport_timestamp_ms, Some(NOW + 200_001));
    assert_eq!(send(&alice, "m3", NOW).lamport_timestamp_ms, Some(NOW + 200_002), "a Lamport clock knows no way back");
}

#[test]
fn resends_and_losses_keep_their_distance_through_a_step_back() {
    let alice = member("alice");
    send(&alice, "m", NOW);
    alice.tick(NOW + 2_000).unwrap();
    let back = NOW - 3_600_000;
    assert!(tick(&alice, back).is_empty());
    assert_eq!(alice.next_deadline(), Some(back + 3_000), "3 of its 5 s were left");
    assert!(tick(&alice, back + 2_999).is_empty());
    assert_eq!(tick(&alice, back + 3_000).len(), 1);
}

#[test]
fn the_window_of_the_filter_survives_a_step_back() {
    let alice = member_of(Profile::Libsds, "alice");
    receive(&alice, &forged("m").of(Profile::Libsds).bytes(), NOW);
    let back = NOW - 3_600_000;
    assert!(filter_holds(&send(&alice, "a", back).bytes, "m"));
    assert!(filter_holds(&send(&alice, "b", back + 590_000).bytes, "m"));
    send(&alice, "c", back + 601_000);
    assert!(!filter_holds(&send(&alice, "d", back + 20 * MINUTE).bytes, "m"), "ten minutes are ten minutes");
}

#[test]
fn a_clock_that_was_a_year_ahead_does_not_poison_ours() {
    const YEAR: u64 = 365 * 24 * 60 * MINUTE;
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        let unit = if profile == Profile::Rfc { 1 } else { SECOND };
        receive(&alice, &forged("before").of(profile).bytes(), NOW);
        send(&alice, "ahead 1", NOW + YEAR);
        send(&alice, "ahead 2", NOW + YEAR);
        send(&alice, "back", NOW + SECOND);
        assert!(lamport(&alice) > NOW + YEAR, "nobody said yet which of the two times is right");
        receive(&alice, &forged("s").of(profile).at(NOW + SECOND).sync().bytes(), NOW + SECOND);
        assert_eq!(
            (log(&alice), status(&alice).held),
            (vec!["before".to_owned()], 3),
            "{profile:?}: as with the others"
        );
        let mine = send(&alice, "mine", NOW + 2 * SECOND);
        assert_eq!(mine.lamport_timestamp_ms, Some(NOW + 2 * SECOND), "{profile:?}");
        assert_eq!(history(&mine.bytes), ["before"]);
        let others = forged("n").of(profile).by("carol").at(NOW + 3 * SECOND).after(&["mine"]).bytes();
        receive(&alice, &others, NOW + 3 * SECOND);
        alice.tick(NOW + YEAR).unwrap();
        assert_eq!(log(&alice), ["before", "mine", "n", "ahead 1", "ahead 2", "back"], "{profile:?}: in their time");
        let later = send(&alice, "much later", NOW + YEAR);
        let mut named = history(&later.bytes);
        let count = named.len();
        named.sort();
        named.dedup();
        assert_eq!(named.len(), count, "{profile:?}: each once");
        assert!(send(&alice, "later", NOW + YEAR).lamport_timestamp_ms > Some(NOW + YEAR + 2 * unit), "after them");
    }
}

#[test]
fn a_clock_that_is_years_behind_keeps_the_stamps_of_the_others() {
    let alice = member("alice");
    receive(&alice, &forged("m").bytes(), NOW);
    let switched_on = 1_000_000_000_000;
    receive(&alice, &forged("s").at(NOW + SECOND).sync().bytes(), switched_on);
    let mine = send(&alice, "mine", switched_on);
    assert_eq!((mine.lamport_timestamp_ms, history(&mine.bytes)), (Some(NOW + 1), vec!["m".to_owned()]));
}

#[test]
fn a_clock_that_was_ahead_a_little_does_not_fall_back() {
    let alice = member("alice");
    let drift_ms = Config::default().max_clock_drift_rfc_ms;
    for (ahead_ms, falls) in [(2 * drift_ms, false), (2 * drift_ms + SECOND, true)] {
        let now = NOW + ahead_ms;
        send(&alice, &format!("ahead {ahead_ms}"), now);
        receive(&alice, &forged("s").by("carol").at(NOW).sync().bytes(), NOW);
        assert_eq!(lamport(&alice) < now, falls, "{ahead_ms}: what holds it passes soon");
    }
}

#[test]
fn nothing_that_is_remembered_of_stamps_stays_ahead_of_a_clock_that_fell_back() {
    const YEAR: u64 = 365 * 24 * 60 * MINUTE;
    let from_now = sds::output::ChannelOptions { from_now: true, ..Default::default() };
    let alice = member_opened("alice", from_now);
    receive(&alice, &forged("first").at(NOW + YEAR).bytes(), NOW + YEAR);
    send(&alice, "ahead", NOW + YEAR);
    receive(&alice, &forged("s").by("carol").at(NOW + SECOND).sync().bytes(), NOW + SECOND);
    let m = forged("m").at(NOW + 2 * SECOND).after(&["x"]).bytes();
    assert_eq!(disposition(&alice, &m, NOW + 2 * SECOND), Disposition::Waiting, "it does not lie before us");
}
