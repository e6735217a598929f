//! The timers of sync messages.

use sds::Manager;
use sds::output::{ChannelOptions, Disposition, TransmitReason};
use sds::types::Profile;

use crate::common::*;

/// A member with one message that is not resent.
fn alice(seed: u64) -> Manager {
    let alice = member_with("alice", |config| config.seed = Some(seed));
    send(&alice, "m", NOW);
    alice.cancel(CHANNEL, "m", NOW).unwrap();
    alice
}

/// Runs to the next deadline, which has to be a sync message's; tells when that was.
fn next_sync(alice: &Manager) -> u64 {
    let due_ms = alice.next_deadline().unwrap();
    let sent = tick(alice, due_ms);
    assert_eq!(sent.iter().map(|it| it.reason).collect::<Vec<_>>(), [TransmitReason::Sync]);
    due_ms
}

#[test]
fn the_interval_doubles_to_half_an_hour_while_nothing_is_new() {
    for seed in 0..10 {
        let alice = alice(seed);
        let mut before = NOW;
        for seconds in [30, 60, 120, 240, 480, 960, 1_800, 1_800, 1_800] {
            let at = next_sync(&alice);
            let interval = seconds * SECOND;
            assert!((interval..=2 * interval).contains(&(at - before)), "{} s for {seconds} s", (at - before) / SECOND);
            before = at;
        }
    }
}

#[test]
fn news_bring_the_interval_back() {
    let alice = alice(1);
    for _ in 0..6 {
        next_sync(&alice);
    }
    let at = next_sync(&alice);
    send(&alice, "news", at);
    alice.cancel(CHANNEL, "news", at).unwrap();
    let wait = next_sync(&alice) - at;
    assert!((30 * SECOND..=60 * SECOND).contains(&wait), "{wait}");
}

#[test]
fn a_message_that_nobody_confirmed_is_confirmed_in_some_seconds() {
    let mut after_two = 0;
    for seed in 0..20 {
        let alice = member_with("alice", |config| config.seed = Some(seed));
        receive(&alice, &forged("m").bytes(), NOW);
        let at = next_sync(&alice);
        after_two += usize::from(at > NOW + 2 * SECOND);
        assert!((NOW + SECOND / 2..=NOW + CONFIRMED_BY).contains(&at), "{}", at - NOW);
        let periodic = alice.next_deadline().unwrap();
        assert!(periodic >= at + 30 * SECOND, "one-off");
        assert!(periodic <= at + 60 * SECOND, "which is not the periodic one: nothing is old yet");
    }
    assert!(after_two >= 10, "half a second to three and a half, mostly late: {after_two} of 20");
}

#[test]
fn what_is_not_confirmed_is_confirmed_though_another_message_was() {
    let alice = member("alice");
    receive(&alice, &forged("m").bytes(), NOW);
    receive(&alice, &forged("n").bytes(), NOW);
    receive(&alice, &forged("s").by("carol").sync().after(&["m"]).bytes(), NOW);
    assert!(alice.next_deadline().unwrap() <= NOW + CONFIRMED_BY, "nobody was heard to have n");
    receive(&alice, &forged("s2").by("carol").sync().after(&["n"]).bytes(), NOW);
    assert!(alice.next_deadline().unwrap() > NOW + 4 * SECOND);
}

#[test]
fn a_confirmation_heard_or_given_makes_ours_needless() {
    let confirmed = |by: &dyn Fn(&Manager)| {
        let alice = member("alice");
        receive(&alice, &forged("m").bytes(), NOW);
        assert!(alice.next_deadline().unwrap() <= NOW + CONFIRMED_BY);
        by(&alice);
        alice.next_deadline().unwrap() > NOW + 4 * SECOND
    };
    assert!(confirmed(&|alice| drop(receive(alice, &forged("s").by("carol").sync().after(&["m"]).bytes(), NOW))));
    let filter = rfc_filter(&["m"], 0);
    assert!(confirmed(&|alice| drop(receive(alice, &forged("s").by("carol").sync().filter(&filter).bytes(), NOW))));
    assert!(confirmed(&|alice| drop(send(alice, "mine", NOW))), "our own next message says so");
    assert!(!confirmed(&|alice| drop(receive(alice, &forged("s").by("carol").sync().after(&["n"]).bytes(), NOW))));
}

#[test]
fn its_own_sender_does_not_confirm_a_message() {
    let alice = member("alice");
    receive(&alice, &forged("m").bytes(), NOW);
    receive(&alice, &forged("s").by("bob").sync().after(&["m"]).bytes(), NOW + 100);
    assert!(alice.next_deadline().unwrap() <= NOW + CONFIRMED_BY, "bob does not know yet that anybody has m");
}

#[test]
fn a_filter_that_holds_everything_confirms_nothing() {
    let ones = vec![0xff; 18_752];
    let alice = member("alice");
    receive(&alice, &forged("m").bytes(), NOW);
    receive(&alice, &forged("s").by("mallory").sync().filter(&ones).bytes(), NOW + 100);
    assert!(alice.next_deadline().unwrap() <= NOW + CONFIRMED_BY, "ours still goes out");
    let alice = self::alice(1);
    let due_ms = alice.next_deadline().unwrap();
    receive(&alice, &forged("s").by("mallory").sync().at(due_ms).filter(&ones).bytes(), due_ms - 1);
    assert_eq!(alice.next_deadline(), Some(due_ms), "nor does it make ours wait");
}

#[test]
fn only_a_fresh_message_that_covers_the_latest_makes_ours_wait() {
    let prepared = || {
        let alice = alice(1);
        receive(&alice, &forged("n").by("carol").at(NOW + 10).bytes(), NOW);
        next_sync(&alice);
        let due_ms = alice.next_deadline().unwrap();
        (alice, due_ms)
    };
    let (alice, due_ms) = prepared();
    let at = due_ms - 1;
    let partly = forged("s1").by("dave").sync().at(at).after(&["n"]).bytes();
    receive(&alice, &partly, at);
    assert_eq!(alice.next_deadline(), Some(due_ms), "it does not cover m");
    let ahead = forged("s2").by("dave").sync().at(at + 11 * MINUTE).after(&["m", "n"]).bytes();
    receive(&alice, &ahead, at);
    assert_eq!(alice.next_deadline(), Some(due_ms), "a stamp beyond belief");
    let all = forged("s3").by("dave").sync().at(at).after(&["m", "n"]).bytes();
    receive(&alice, &all, at);
    let put_off = alice.next_deadline().unwrap();
    assert!(put_off >= at + 30 * SECOND);
    receive(&alice, &all, put_off - 1);
    assert_eq!(alice.next_deadline(), Some(put_off), "a replay is not fresh");
    // By its history, its filter, or being who sent it.
    let filter = rfc_filter(&["m", "n"], 0);
    let sync = || forged("s4").sync().at(at);
    for covering in [sync().by("dave").filter(&filter), sync().by("carol").after(&["m"])] {
        let (alice, due_ms) = prepared();
        receive(&alice, &covering.bytes(), due_ms - 1);
        assert!(alice.next_deadline().unwrap() >= due_ms - 1 + 30 * SECOND);
    }
}

#[test]
fn a_stamp_ahead_does_not_make_stale_what_comes_until_then() {
    let alice = alice(1);
    let at = alice.next_deadline().unwrap() - 1;
    let ahead = forged("s1").by("mallory").sync().at(at + 9 * MINUTE).after(&["m"]).bytes();
    receive(&alice, &ahead, at);
    let at = alice.next_deadline().unwrap() - 1;
    let honest = forged("s2").by("dave").sync().at(at).after(&["m"]).bytes();
    receive(&alice, &honest, at);
    assert!(alice.next_deadline().unwrap() >= at + 30 * SECOND, "ours waits for it as for any other");
}

#[test]
fn an_old_message_replayed_for_the_first_time_is_not_fresh_either() {
    let alice = alice(1);
    let due_ms = alice.next_deadline().unwrap();
    // Recorded a day ago, or made up so; or stamped as what it names, which it cannot have known then.
    for (id, at) in [("s1", NOW - 24 * 60 * MINUTE), ("s2", lamport(&alice))] {
        let stale = forged(id).by("dave").sync().at(at).after(&["m"]).bytes();
        receive(&alice, &stale, due_ms - 1);
        assert_eq!(alice.next_deadline(), Some(due_ms), "{id}");
    }
}

#[test]
fn none_in_libsds_unless_configured_and_none_in_an_empty_channel() {
    let libsds = member_of(Profile::Libsds, "alice");
    receive(&libsds, &forged("m").of(Profile::Libsds).bytes(), NOW);
    assert_eq!(libsds.next_deadline(), None);
    assert!(tick(&libsds, NOW + 60 * MINUTE).is_empty());
    let enabled = member_with("alice", |config| {
        config.profile = Profile::Libsds;
        config.sync_in_libsds = true;
    });
    receive(&enabled, &forged("m").of(Profile::Libsds).bytes(), NOW);
    assert!(enabled.next_deadline().unwrap() <= NOW + CONFIRMED_BY);
    let mixed = member("alice");
    let options = ChannelOptions { profile: Some(Profile::Libsds), ..ChannelOptions::default() };
    mixed.open_channel("status", options, NOW).unwrap();
    mixed.unwrap_incoming(&forged("m").of(Profile::Libsds).channel("status").bytes(), NOW).unwrap();
    assert_eq!(mixed.next_deadline(), None, "by the channel's profile, not the manager's");
    assert_eq!(member("alice").next_deadline(), None, "an empty channel has nothing to say");
    let only_heard = member("alice");
    receive(&only_heard, &forged("s").sync().bytes(), NOW);
    assert_eq!(only_heard.next_deadline(), None);
}

#[test]
fn offline_none_goes_out_and_one_makes_up_for_it() {
    let alice = alice(1);
    alice.set_online(false, NOW).unwrap();
    assert_eq!(alice.next_deadline(), None);
    assert!(tick(&alice, NOW + 60 * MINUTE).is_empty());
    alice.set_online(true, NOW + 60 * MINUTE).unwrap();
    assert_eq!(tick(&alice, NOW + 60 * MINUTE).len(), 1);
    assert!(tick(&alice, NOW + 60 * MINUTE).is_empty());
}

#[test]
fn a_group_that_is_silent_sends_no_more_for_being_large() {
    // All have everything; whoever fires first spares the others.
    let members: Vec<_> = (0..40)
        .map(|number| {
            let member = member_with(&format!("member {number}"), |config| config.seed = Some(number));
            receive(&member, &forged("m").bytes(), NOW);
            receive(&member, &forged("s").by("carol").sync().after(&["m"]).bytes(), NOW);
            member
        })
        .collect();
    let (mut sent, mut now) = (0, NOW);
    while now < NOW + 5 * MINUTE {
        now = members.iter().filter_map(Manager::next_deadline).min().unwrap().max(now);
        let out: Vec<_> = members.iter().flat_map(|member| tick(member, now)).collect();
        sent += out.len();
        for transmit in out {
            members.iter().for_each(|member| drop(member.unwrap_incoming(&transmit.bytes, now).unwrap()));
        }
    }
    assert!((2..40).contains(&sent), "{sent} in five minutes, of 40 members");
}

#[test]
fn members_without_a_name_spare_each_other_too() {
    for name in ["named", ""] {
        let members: Vec<_> = (0..30)
            .map(|number| {
                member_with(name, |config| {
                    config.seed = Some(number);
                    if !name.is_empty() {
                        config.participant_id = format!("{name} {number}");
                    }
                })
            })
            .collect();
        let message = send(&members[0], "m", NOW);
        members[1..].iter().for_each(|member| drop(receive(member, &message.bytes, NOW)));
        let mut sent = 0;
        while let Some(due_ms) =
            members.iter().filter_map(|it| it.next_deadline()).min().filter(|due| *due < NOW + 20_000)
        {
            for member in &members {
                for transmit in tick(member, due_ms) {
                    sent += 1;
                    members.iter().for_each(|other| drop(receive(other, &transmit.bytes, due_ms)));
                }
            }
        }
        assert!((1..=3).contains(&sent), "{name:?}: {sent}");
    }
}

/// The history of the next sync message.
fn next_sync_history(alice: &Manager) -> Vec<String> {
    let sent = tick(alice, alice.next_deadline().unwrap());
    assert_eq!(sent.iter().map(|it| it.reason).collect::<Vec<_>>(), [TransmitReason::Sync]);
    history(&sent[0].bytes)
}

#[test]
fn a_sync_message_names_the_last_ones_that_wait_and_content_does_not() {
    let alice = member("alice");
    receive(&alice, &forged("here").bytes(), NOW);
    for number in 0..8 {
        receive(&alice, &forged(&format!("w{number}")).by("bob").after(&["x"]).bytes(), NOW + number);
    }
    assert_eq!(
        next_sync_history(&alice),
        ["here", "w7", "w6", "w5", "w4", "w3", "w2"],
        "as many as it may name others"
    );
    let sent = send(&alice, "m", NOW + MINUTE);
    assert_eq!(history(&sent.bytes), ["here"], "others would have to wait for x with us");
}

#[test]
fn who_misses_what_waits_elsewhere_learns_of_it_and_waits_for_nothing() {
    let (alice, bob, carol) = (member("alice"), member("bob"), member("carol"));
    send(&bob, "lost", NOW);
    let next = send(&bob, "next", NOW + 1);
    assert_eq!(disposition(&alice, &next.bytes, NOW + 1), Disposition::Waiting);
    alice.set_retrieval_hint(CHANNEL, "next", b"hint").unwrap();
    let sync = tick(&alice, alice.next_deadline().unwrap());
    let unmet = receive(&carol, &sync[0].bytes, NOW + 3 * SECOND).unmet;
    let named = (&*unmet[0].message_id, unmet[0].sender_id.as_deref(), unmet[0].retrieval_hint.as_deref());
    assert_eq!((unmet.len(), named), (1, ("next", Some("bob"), Some(&b"hint"[..]))));
    assert_eq!((missing(&events(&carol)), status(&carol).waiting), (vec!["next"], 0));
    receive(&bob, &sync[0].bytes, NOW + 3 * SECOND);
    assert_eq!(acknowledged(&events(&bob)), ["next"], "alice has it, and not the other");
}
