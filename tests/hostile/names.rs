//! Made-up names of missing messages: they crowd nobody out for good, and nothing is told twice.

use sds::Manager;
use sds::output::ChannelOptions;
use sds::types::Profile;

use crate::common::*;

/// A sync message of a stranger that names `count` messages which do not exist.
fn made_up_names(manager: &Manager, flood: usize, count: usize) {
    let ids: Vec<String> = (0..count).map(|fake| format!("fake {flood} {fake}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let id = format!("sync {flood}");
    receive(manager, &forged(&id).by("mallory").sync().after(&ids).bytes(), NOW);
}

#[test]
fn what_gave_way_to_made_up_names_is_not_told_again() {
    let alice = member_with("alice", |config| config.max_missing = 10);
    receive(&alice, &forged("s").sync().after(&["real"]).bytes(), NOW);
    assert_eq!(missing(&events(&alice)), ["real"]);
    made_up_names(&alice, 0, 10);
    assert_eq!((status(&alice).missing, status(&alice).missing_untracked), (10, 1));
    events(&alice);
    receive(&alice, &forged("s2").sync().after(&["real", "other"]).bytes(), NOW);
    assert_eq!(missing(&events(&alice)), ["other"], "the other was told");
    // It is tracked again all the same: asked for, and told to be lost.
    let asked = dump(&alice)["repair_requests"].to_string();
    assert!(asked.contains("\"real\""), "{asked}");
    assert!(lost(&tick_events(&alice, NOW + 10 * MINUTE)).contains(&"real"));
}

#[test]
fn it_is_not_told_again_until_seen_limit_others_gave_way() {
    let told_again = |others: usize| {
        let alice = member_with("alice", |config| {
            config.max_missing = 10;
            config.seen_limit = 20;
        });
        receive(&alice, &forged("s").sync().after(&["real"]).bytes(), NOW);
        made_up_names(&alice, 0, 10);
        // It gave way: to the first of these. Each further one takes the place of another.
        (0..others).for_each(|number| made_up_names(&alice, 1 + number, 1));
        events(&alice);
        receive(&alice, &forged("s2").sync().after(&["real"]).bytes(), NOW);
        missing(&events(&alice)).contains(&"real")
    };
    assert!(!told_again(19), "as many as are remembered");
    assert!(told_again(21), "what the limit takes away");
}

#[test]
fn what_its_message_no_longer_waits_for_gives_way() {
    let alice = member_with("alice", |config| {
        config.max_missing = 10;
        config.max_waiting_messages = 2;
    });
    for number in 0..5 {
        let (id, fakes) = (format!("m{number}"), [0, 1, 2, 3].map(|fake| format!("fake {number} {fake}")));
        receive(&alice, &forged(&id).by("mallory").after(&fakes.each_ref().map(String::as_str)).bytes(), NOW);
    }
    events(&alice);
    receive(&alice, &forged("honest").after(&["real"]).bytes(), NOW);
    assert_eq!(missing(&events(&alice)), ["real"]);
    assert_eq!(status(&alice).missing, 10);
}

#[test]
fn in_a_channel_of_derived_ids_an_empty_message_ends_no_wait() {
    let derived = ChannelOptions { derived_ids: true, profile: Some(Profile::Libsds), ..ChannelOptions::default() };
    let (alice, bob) = (member_opened("alice", derived), member_opened("bob", derived));
    let lost = bob.wrap_outgoing(CHANNEL, None, b"first", NOW).unwrap();
    let next = bob.wrap_outgoing(CHANNEL, None, b"second", NOW).unwrap();
    receive(&alice, &next.bytes, NOW);
    let fake = forged(&lost.message_id).by("bob").of(Profile::Libsds).at(NOW).sync().bytes();
    receive(&alice, &fake, NOW);
    assert_eq!((status(&alice).waiting, status(&alice).missing, status(&alice).repair_requests), (1, 1, 1));
    receive(&alice, &lost.bytes, NOW);
    assert_eq!(status(&alice).waiting, 0);
}
