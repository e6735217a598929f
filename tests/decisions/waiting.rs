//! Unmet dependencies: what waits, for how long, and what becomes of it.

use sds::Manager;
use sds::output::{ChannelOptions, Disposition, Event};
use sds::types::Profile;

use crate::common::*;

const TIMEOUT: u64 = 10 * MINUTE;

fn quiet() -> Manager {
    quiet_member_with(|_| ())
}

fn unmet(manager: &Manager, bytes: &[u8], now_ms: u64) -> Vec<String> {
    receive(manager, bytes, now_ms).unmet.iter().map(|it| it.message_id.to_string()).collect()
}

#[test]
fn all_unmet_ids_are_listed_each_once_in_the_order_named() {
    let alice = member("alice");
    receive(&alice, &forged("here").bytes(), NOW);
    receive(&alice, &forged("waits").after(&["x"]).bytes(), NOW);
    let m = forged("m").after(&["y", "here", "waits", "x", "y", ""]).bytes();
    assert_eq!(unmet(&alice, &m, NOW), ["y", "waits", "x"]);
    assert_eq!(missing(&events(&alice)), ["x", "y"], "one that waits is not missing");
    receive(&alice, &forged("y").bytes(), NOW);
    assert_eq!(unmet(&alice, &m, NOW), ["waits", "x"], "unmet now");
}

#[test]
fn a_missing_id_is_reported_once_with_hint_and_sender() {
    let alice = member("alice");
    let mut named = forged("m").hinted("x", b"hint");
    named.message.causal_history[0].sender_id = Some("carol");
    receive(&alice, &named.bytes(), NOW);
    receive(&alice, &forged("m2").after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("s").sync().after(&["x"]).bytes(), NOW);
    let deadline_ms = NOW + 600_000;
    let shown = serde_json::json!([{
        "message_id": "x",
        "sender_id": "carol",
        "has_hint": true,
        "deadline_ms": deadline_ms,
    }]);
    assert_eq!(dump(&alice)["missing"], shown);
    let told = events(&alice);
    let [Event::Missing(x)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&*x.message_id, x.retrieval_hint.as_deref()), ("x", Some(&b"hint"[..])));
    assert_eq!(x.sender_id.as_deref(), Some("carol"));
}

#[test]
fn a_chain_of_made_up_names_delays_nothing_beyond_its_time() {
    // Each time the missing one comes, just in time, and names another: a made-up chain.
    let alice = quiet();
    receive(&alice, &forged("m0").after(&["m1"]).bytes(), NOW);
    for number in 1..10 {
        let (id, next) = (format!("m{number}"), format!("m{}", number + 1));
        receive(&alice, &forged(&id).after(&[&next]).bytes(), NOW + number * 30 * SECOND);
    }
    events(&alice);
    for number in 0..9 {
        let due_ms = NOW + number * 30 * SECOND + TIMEOUT;
        assert_eq!(alice.next_deadline(), Some(due_ms));
        assert!(tick_events(&alice, due_ms - 1).is_empty());
        let told = tick_events(&alice, due_ms);
        assert_eq!((lost(&told), delivered(&told)), (vec![], vec![&*format!("m{number}")]), "when its own time is up");
    }
    let told = tick_events(&alice, NOW + 9 * 30 * SECOND + TIMEOUT);
    assert_eq!((lost(&told), delivered(&told)), (vec!["m10"], vec!["m9"]));
    assert_eq!(alice.next_deadline(), None);
}

#[test]
fn before_a_message_whose_time_is_up_comes_what_it_names_and_waits_here() {
    let alice = quiet();
    receive(&alice, &forged("c").at(NOW + 3).after(&["b", "y"]).bytes(), NOW);
    receive(&alice, &forged("b").at(NOW + 2).after(&["a", "z"]).bytes(), NOW + MINUTE);
    receive(&alice, &forged("a").at(NOW + 1).after(&["x"]).bytes(), NOW + 2 * MINUTE);
    receive(&alice, &forged("d").at(NOW + 4).after(&["x"]).bytes(), NOW + 2 * MINUTE);
    receive(&alice, &forged("e").at(NOW + 5).after(&["a"]).bytes(), NOW + 2 * MINUTE);
    events(&alice);
    let told = tick_events(&alice, NOW + TIMEOUT);
    assert_eq!((lost(&told), delivered(&told)), (vec!["y"], vec!["a", "e", "b", "c"]), "d is not named");
    assert_eq!((status(&alice).missing, status(&alice).delivered_early), (2, 2), "a and b, before x and z");
    let told = tick_events(&alice, NOW + TIMEOUT + MINUTE);
    assert_eq!((lost(&told), delivered(&told)), (vec!["z"], vec![]), "what they wait for has its own time");
    receive(&alice, &forged("x").bytes(), NOW + TIMEOUT + MINUTE);
    assert_eq!(delivered(&events(&alice)), ["d"]);
}

#[test]
fn who_names_what_is_stamped_after_itself_does_not_have_it_delivered() {
    let alice = quiet();
    receive(&alice, &forged("c").at(NOW + 2).after(&["b"]).bytes(), NOW);
    receive(&alice, &forged("b").at(NOW + 2).after(&["x"]).bytes(), NOW + MINUTE);
    events(&alice);
    assert_eq!(delivered(&tick_events(&alice, NOW + TIMEOUT)), ["c"]);
    assert_eq!((status(&alice).waiting, status(&alice).delivered_early), (1, 0));
}

#[test]
fn a_full_buffer_keeps_causal_order_among_those_here() {
    let alice = quiet_member_with(|config| config.max_waiting_messages = 2);
    receive(&alice, &forged("b").at(NOW + 1).after(&["a"]).bytes(), NOW);
    receive(&alice, &forged("a").at(NOW).after(&["x"]).bytes(), NOW);
    events(&alice);
    receive(&alice, &forged("c").at(NOW + 2).after(&["y"]).bytes(), NOW);
    assert_eq!(delivered(&events(&alice)), ["a", "b"]);
    assert_eq!((status(&alice).waiting, status(&alice).delivered_early), (1, 1), "a alone: b waited for nothing else");
}

/// What alice hears of an honest message whose dependency is missing, when a forger whose own time is nearly up would end
/// that wait: nothing, until its own time is up.
fn honest_waits_its_time(attack: impl Fn(&Manager, u64)) {
    let alice = member("alice");
    attack(&alice, NOW);
    let then = NOW + TIMEOUT - SECOND;
    receive(&alice, &forged("honest").at(then).after(&["real"]).bytes(), then);
    attack(&alice, then);
    assert!(missing(&events(&alice)).contains(&"real"));
    for at in [then + SECOND, then + SECOND + 1, then + TIMEOUT - 1] {
        let told = tick_events(&alice, at);
        assert!(!lost(&told).contains(&"real") && !delivered(&told).contains(&"honest"), "{told:?}");
    }
    assert!(asks_for(&alice, "real"), "and it is asked for all that time");
    let told = tick_events(&alice, then + TIMEOUT);
    assert!(lost(&told).contains(&"real") && delivered(&told).contains(&"honest"), "{told:?}");
}

fn asks_for(alice: &Manager, id: &str) -> bool {
    dump(alice)["repair_requests"].to_string().contains(id)
}

#[test]
fn a_made_up_id_that_nearly_expired_ends_no_wait() {
    honest_waits_its_time(|alice, at| match at {
        NOW => drop(receive(alice, &forged("s").by("mallory").sync().after(&["e"]).bytes(), at)),
        _ => drop(receive(alice, &forged("e").by("mallory").at(at).after(&["honest"]).bytes(), at)),
    });
}

#[test]
fn a_made_up_message_that_nearly_expired_ends_no_wait() {
    honest_waits_its_time(|alice, at| match at {
        NOW => drop(receive(alice, &forged("early").by("mallory").after(&["bridge"]).bytes(), at)),
        _ => drop(receive(alice, &forged("bridge").by("mallory").at(at).after(&["honest"]).bytes(), at)),
    });
}

#[test]
fn a_message_stamped_ahead_ends_no_wait_before_half_its_time() {
    let alice = quiet();
    let (half, ahead) = (NOW + TIMEOUT / 2, NOW + TIMEOUT - 1);
    receive(&alice, &forged("early").by("mallory").at(ahead).after(&["bridge", "honest 2"]).bytes(), NOW);
    for (id, then) in [("honest 1", half - 2), ("honest 2", half)] {
        receive(&alice, &forged(id).at(then).after(&["real"]).bytes(), then);
    }
    receive(&alice, &forged("bridge").by("mallory").at(half - 1).after(&["honest 1", "fake"]).bytes(), ahead);
    events(&alice);
    let told = tick_events(&alice, NOW + TIMEOUT);
    assert_eq!((lost(&told), delivered(&told)), (vec![], vec!["honest 1", "bridge", "early"]));
    assert!(
        missing(&tick_events(&alice, NOW + TIMEOUT)).is_empty() && status(&alice).missing == 2,
        "real is still missing"
    );
}

#[test]
fn a_step_back_of_the_clock_makes_no_stamp_old() {
    let alice = quiet();
    alice.tick(NOW + 60 * MINUTE).unwrap();
    receive(&alice, &forged("early").by("mallory").at(NOW + TIMEOUT).after(&["honest"]).bytes(), NOW);
    let then = NOW + TIMEOUT - SECOND;
    receive(&alice, &forged("honest").at(then).after(&["real"]).bytes(), then);
    events(&alice);
    assert_eq!(delivered(&tick_events(&alice, NOW + TIMEOUT)), ["early"], "honest came a second ago");
    assert_eq!(delivered(&tick_events(&alice, then + TIMEOUT)), ["honest"]);
}

#[test]
fn among_members_whose_stamps_run_ahead_causal_order_holds_when_time_is_up() {
    // Six minutes, of ten that are believed: somebody's clock is that fast, and all follow it.
    let (alice, ahead) = (quiet(), NOW + 6 * MINUTE);
    receive(&alice, &forged("f").at(ahead + 2).after(&["w", "y"]).bytes(), NOW);
    receive(&alice, &forged("w").at(ahead + 1).after(&["x"]).bytes(), NOW + MINUTE);
    events(&alice);
    assert_eq!(delivered(&tick_events(&alice, NOW + TIMEOUT)), ["w", "f"]);
}

#[test]
fn who_names_a_message_before_it_comes_does_not_shorten_its_wait() {
    honest_waits_its_time(|alice, at| {
        receive(alice, &forged(&format!("s{at}")).by("mallory").at(at).sync().after(&["honest"]).bytes(), at);
        receive(alice, &forged(&format!("m{at}")).by("mallory").at(at).after(&["honest"]).bytes(), at);
    });
}

#[test]
fn each_missing_one_is_lost_at_its_own_time_with_one_event() {
    let alice = quiet();
    receive(&alice, &forged("a").after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("b").after(&["x", "y"]).bytes(), NOW + MINUTE);
    events(&alice);
    let told = tick_events(&alice, NOW + TIMEOUT);
    assert_eq!((lost(&told), delivered(&told)), (vec!["x"], vec!["a"]));
    assert_eq!(alice.next_deadline(), Some(NOW + TIMEOUT + MINUTE));
    let told = tick_events(&alice, NOW + TIMEOUT + MINUTE);
    assert_eq!((lost(&told), delivered(&told)), (vec!["y"], vec!["b"]));
    assert_eq!(alice.next_deadline(), None);
}

#[test]
fn a_lost_message_that_comes_after_all_is_delivered_marked_late() {
    let alice = quiet();
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.tick(NOW + TIMEOUT).unwrap();
    assert_eq!(status(&alice).lost, 1);
    let x = forged("x").bytes();
    assert_eq!(disposition(&alice, &x, NOW + TIMEOUT), Disposition::Late);
    assert_eq!((status(&alice).lost, log(&alice)), (0, vec!["m".to_owned(), "x".to_owned()]));
    assert_eq!(disposition(&alice, &x, NOW + TIMEOUT), Disposition::Duplicate);
}

#[test]
fn a_late_message_that_has_to_wait_is_still_late() {
    let alice = quiet();
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.tick(NOW + TIMEOUT).unwrap();
    events(&alice);
    let x = forged("x").after(&["y"]).bytes();
    assert_eq!(disposition(&alice, &x, NOW + TIMEOUT), Disposition::Waiting);
    receive(&alice, &forged("y").bytes(), NOW + TIMEOUT);
    let told = events(&alice);
    assert!(told.iter().any(|event| matches!(event, Event::Delivered(it) if it.late && &*it.message_id == "x")));
}

#[test]
fn cycles_and_self_references_wedge_nothing() {
    let alice = quiet();
    assert_eq!(disposition(&alice, &forged("self").after(&["self"]).bytes(), NOW), Disposition::Delivered);
    for (id, next) in [("b", "c"), ("c", "a"), ("a", "b")] {
        assert_eq!(disposition(&alice, &forged(id).after(&[next, id]).bytes(), NOW), Disposition::Waiting);
    }
    receive(&alice, &forged("reply").after(&["c"]).bytes(), NOW + SECOND);
    assert_eq!((status(&alice).waiting, status(&alice).missing), (4, 0));
    events(&alice);
    let told = tick_events(&alice, NOW + TIMEOUT);
    assert!(lost(&told).is_empty(), "nothing is missing");
    assert_eq!(delivered(&told), ["a", "c", "b", "reply"], "broken in the order of the log, then as they depend");
    assert_eq!((status(&alice).waiting, alice.next_deadline()), (0, None));
}

#[test]
fn a_full_buffer_delivers_its_oldest_early_and_drops_nothing() {
    let alice = quiet_member_with(|config| config.max_waiting_messages = 2);
    for id in ["a", "b"] {
        receive(&alice, &forged(id).after(&["x"]).bytes(), NOW);
    }
    events(&alice);
    assert_eq!(disposition(&alice, &forged("c").after(&["a"]).bytes(), NOW), Disposition::Waiting);
    assert_eq!(delivered(&events(&alice)), ["a", "c"], "a goes early, and c waited for a alone");
    assert_eq!((status(&alice).waiting, status(&alice).delivered_early), (1, 1));
    let told = tick_events(&alice, NOW + TIMEOUT);
    assert_eq!((lost(&told), delivered(&told)), (vec!["x"], vec!["b"]));
    assert_eq!(status(&alice).received, 3);
}

#[test]
fn the_buffer_is_bounded_in_bytes_too() {
    let alice = member_with("alice", |config| {
        config.max_message_bytes = 64 << 10;
        config.max_filter_bytes = 64 << 10;
        config.max_waiting_bytes = 64 << 10;
    });
    let content = vec![1; 30_000];
    for id in ["a", "b", "c"] {
        receive(&alice, &forged(id).content(&content).after(&["x"]).bytes(), NOW);
    }
    assert_eq!(delivered(&events(&alice)), ["a"]);
    assert_eq!(status(&alice).waiting, 2);
    receive(&alice, &forged("x").bytes(), NOW);
    assert_eq!(delivered(&events(&alice)), ["b", "c"], "and what they held is given back");
    for id in ["d", "e"] {
        receive(&alice, &forged(id).content(&content).after(&["y"]).bytes(), NOW);
    }
    assert_eq!((delivered(&events(&alice)).len(), status(&alice).waiting), (0, 2));
}

#[test]
fn missing_ids_beyond_the_limit_are_counted_and_waited_for() {
    let alice = quiet_member_with(|config| config.max_missing = 2);
    receive(&alice, &forged("m").after(&["w", "x", "y", "z"]).bytes(), NOW);
    assert_eq!(missing(&events(&alice)), ["w", "x"]);
    assert_eq!((status(&alice).missing, status(&alice).missing_untracked), (2, 2));
    ["w", "x", "y"].iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    assert!(delivered(&events(&alice)).is_empty(), "z is not here");
    assert_eq!(delivered(&tick_events(&alice, NOW + TIMEOUT)), ["m"], "and not waited for endlessly");
}

#[test]
fn from_now_the_first_stamp_is_the_floor() {
    let from_now = ChannelOptions { from_now: true, ..ChannelOptions::default() };
    let alice = member_opened("alice", from_now);
    let first = forged("first").at(NOW + 1_000).after(&["old 1", "old 2"]).bytes();
    let unwrapped = receive(&alice, &first, NOW);
    assert_eq!(unwrapped.disposition, Disposition::BeforeUs);
    assert_eq!(unwrapped.unmet.len(), 2, "which ones");
    let told = events(&alice);
    let before: Vec<_> = told.iter().map(|event| matches!(event, Event::BeforeUs(_))).collect();
    assert_eq!(before, [true, true], "told as such, and not as missing");
    assert_eq!(status(&alice).missing, 0);
    let level = forged("level").at(NOW + 1_000).after(&["old 3"]).bytes();
    assert_eq!(disposition(&alice, &level, NOW), Disposition::BeforeUs, "at the floor");
    let above = forged("above").at(NOW + 1_001).after(&["old 1", "old 4"]).bytes();
    assert_eq!(unmet(&alice, &above, NOW), ["old 4"], "above it: waited for, and what lies before us is met");
    assert_eq!(disposition(&alice, &forged("old 1").at(NOW).bytes(), NOW), Disposition::Delivered, "should it come");
    let alice = member("alice");
    assert_eq!(disposition(&alice, &first, NOW), Disposition::Waiting, "the default is to wait");
}

#[test]
fn from_now_waits_for_what_is_here() {
    let from_now = ChannelOptions { from_now: true, ..ChannelOptions::default() };
    let alice = member_opened("alice", from_now);
    receive(&alice, &forged("first").at(NOW).bytes(), NOW);
    receive(&alice, &forged("waits").at(NOW + 1).after(&["x"]).bytes(), NOW);
    let below = forged("below").at(NOW).after(&["waits"]).bytes();
    assert_eq!(disposition(&alice, &below, NOW), Disposition::Waiting, "causal order holds among those here");
    receive(&alice, &forged("x").at(NOW).bytes(), NOW);
    assert_eq!(delivered(&events(&alice)), ["waits", "below"]);
}

#[test]
fn marked_dependencies_are_known_and_nothing_else() {
    for profile in BOTH {
        let alice = member_of(profile, "alice");
        receive(&alice, &forged("m").of(profile).after(&["x", "y"]).bytes(), NOW);
        receive(&alice, &forged("r").of(profile).after(&["m"]).bytes(), NOW);
        events(&alice);
        alice.mark_dependencies_met(CHANNEL, &["x", "never heard of"], NOW).unwrap();
        assert!(delivered(&events(&alice)).is_empty(), "y is still missing");
        assert_eq!(status(&alice).missing, 1);
        alice.mark_dependencies_met(CHANNEL, &["y", "y"], NOW).unwrap();
        assert_eq!(delivered(&events(&alice)), ["m", "r"], "{profile:?}");
        let sent = send(&alice, "mine", NOW);
        assert_eq!(history(&sent.bytes), ["m", "r"], "{profile:?}: not in histories");
        assert!(!filter_holds(&sent.bytes, "x") && !filter_holds(&sent.bytes, "never heard of"), "nor in filters");
        assert_eq!(
            disposition(&alice, &forged("x").of(profile).bytes(), NOW),
            Disposition::Delivered,
            "should it come"
        );
        let later = forged("later").of(profile).after(&["never heard of"]).bytes();
        assert_eq!(disposition(&alice, &later, NOW), Disposition::Delivered);
    }
}

#[test]
fn a_libsds_message_without_content_is_remembered_as_met() {
    let alice = member_of(Profile::Libsds, "alice");
    receive(&alice, &forged("m").of(Profile::Libsds).after(&["sync"]).bytes(), NOW);
    events(&alice);
    receive(&alice, &forged("sync").of(Profile::Libsds).sync().bytes(), NOW);
    assert_eq!(delivered(&events(&alice)), ["m"], "its members will name it");
    let named = forged("m2").of(Profile::Libsds).after(&["sync"]).bytes();
    assert_eq!(disposition(&alice, &named, NOW), Disposition::Delivered);
}

#[test]
fn in_an_rfc_channel_a_message_without_content_ends_no_wait() {
    for profile in BOTH {
        let rfc = member("alice");
        receive(&rfc, &forged("m").after(&["x"]).bytes(), NOW);
        events(&rfc);
        receive(&rfc, &forged("x").by("mallory").of(profile).sync().bytes(), NOW);
        assert!(events(&rfc).is_empty());
        let it = status(&rfc);
        assert_eq!((it.waiting, it.missing, it.repair_requests), (1, 1, 1), "{profile:?}: it is asked for as before");
        assert_eq!(disposition(&rfc, &forged("m2").after(&["x"]).bytes(), NOW), Disposition::Waiting);
    }
    let libsds = member_of(Profile::Libsds, "alice");
    receive(&libsds, &forged("x").sync().bytes(), NOW);
    let named = forged("m").of(Profile::Libsds).after(&["x"]).bytes();
    assert_eq!(disposition(&libsds, &named, NOW), Disposition::Waiting, "nobody names an rfc sync message");
}

#[test]
fn a_libsds_message_without_content_that_was_asked_for_is_told_as_repaired() {
    let alice = member_of(Profile::Libsds, "alice");
    receive(&alice, &forged("m").of(Profile::Libsds).after(&["x"]).bytes(), NOW);
    events(&alice);
    run(&alice, NOW + 2 * MINUTE);
    send(&alice, "mine", NOW + 2 * MINUTE);
    assert!(requested(&events(&alice)).iter().any(|asked| asked.0 == "x"));
    receive(&alice, &forged("x").of(Profile::Libsds).sync().bytes(), NOW + 2 * MINUTE);
    let told = events(&alice);
    let repaired = |event: &Event| matches!(event, Event::Repaired { message_id } if &**message_id == "x");
    assert!(told.iter().any(repaired), "{told:?}");
    assert_eq!((delivered(&told), status(&alice).repaired), (vec!["m"], 1));
}

#[test]
fn offline_nothing_is_given_up_and_that_time_does_not_count() {
    let alice = quiet();
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.set_online(false, NOW + MINUTE).unwrap();
    assert_eq!(alice.next_deadline(), None);
    assert!(lost(&tick_events(&alice, NOW + 60 * MINUTE)).is_empty(), "nobody could have fetched it");
    alice.set_online(true, NOW + 61 * MINUTE).unwrap();
    assert_eq!(alice.next_deadline(), Some(NOW + 60 * MINUTE + TIMEOUT), "an hour later");
    assert!(lost(&tick_events(&alice, NOW + 60 * MINUTE + TIMEOUT - 1)).is_empty());
    let told = tick_events(&alice, NOW + 60 * MINUTE + TIMEOUT);
    assert_eq!((lost(&told), delivered(&told)), (vec!["x"], vec!["m"]));
}

#[test]
fn made_up_sync_messages_do_not_hide_what_is_waited_for() {
    let alice = member_with("alice", |config| config.max_missing = 10);
    for number in 0..5 {
        let ids: Vec<String> = (0..8).map(|fake| format!("fake {number} {fake}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let id = format!("s{number}");
        receive(&alice, &forged(&id).by("mallory").sync().after(&ids).bytes(), NOW);
    }
    assert_eq!((status(&alice).missing, status(&alice).repair_requests), (10, 10));
    events(&alice);
    receive(&alice, &forged("m").after(&["x", "y"]).bytes(), NOW);
    assert_eq!(missing(&events(&alice)), ["x", "y"], "those that nobody waits for give way");
    assert_eq!((status(&alice).missing, status(&alice).repair_requests), (10, 10));
    assert_eq!(status(&alice).missing_untracked, 32);
}

#[test]
fn a_hint_that_comes_later_is_told_with_the_loss() {
    let alice = quiet();
    receive(&alice, &forged("m1").after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("m2").hinted("x", b"hint").bytes(), NOW);
    assert_eq!(missing(&events(&alice)), ["x"], "once");
    let told = tick_events(&alice, NOW + TIMEOUT);
    let hint = told.iter().find_map(|event| if let Event::Lost(it) = event { it.retrieval_hint.clone() } else { None });
    assert_eq!(hint.as_deref(), Some(&b"hint"[..]));
}

#[test]
fn a_lost_message_that_need_not_be_here_is_lost_no_longer() {
    let alice = quiet();
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW);
    alice.tick(NOW + TIMEOUT).unwrap();
    assert_eq!(status(&alice).lost, 1);
    alice.mark_dependencies_met(CHANNEL, &["x"], NOW + TIMEOUT).unwrap();
    assert_eq!(status(&alice).lost, 0);
}

#[test]
fn what_is_named_while_offline_is_waited_for_as_long_as_anything_else() {
    let alice = quiet();
    alice.set_online(false, NOW).unwrap();
    receive(&alice, &forged("m").after(&["x"]).bytes(), NOW + 59 * MINUTE);
    alice.set_online(true, NOW + 60 * MINUTE).unwrap();
    assert_eq!(alice.next_deadline(), Some(NOW + 60 * MINUTE + TIMEOUT));
}

#[test]
fn what_several_losses_set_free_comes_in_log_order() {
    for seed in 0..8 {
        // Ids are hashed by a key from the seed: no order that they happen to have decides.
        let alice = quiet_member_with(|config| config.seed = Some(seed));
        let named = [("d", "w", 4), ("c", "x", 3), ("b", "y", 2), ("a", "z", 1)];
        for (id, missing, second) in named {
            let waiting = forged(id).of(Profile::Libsds).at(NOW + second * SECOND).after(&[missing]);
            receive(&alice, &waiting.bytes(), NOW);
        }
        events(&alice);
        let told = tick_events(&alice, NOW + TIMEOUT);
        assert_eq!((lost(&told).len(), delivered(&told)), (4, vec!["a", "b", "c", "d"]), "seed {seed}");
    }
    let alice = quiet();
    receive(&alice, &forged("b").at(NOW + 2).after(&["x"]).bytes(), NOW);
    receive(&alice, &forged("a").at(NOW + 1).after(&["y"]).bytes(), NOW);
    events(&alice);
    alice.mark_dependencies_met(CHANNEL, &["x", "y"], NOW).unwrap();
    assert_eq!(delivered(&events(&alice)), ["a", "b"], "the same for those marked together");
}
