//! What a forger cannot make us send, and cannot keep us from sending.

use sds::Manager;
use sds::output::TransmitReason;

use crate::common::*;

/// Takes in what `message` makes up, one every `every_ms` for `for_ms`, and returns what went out, each with its time.
fn under_flood(
    alice: &Manager,
    for_ms: u64,
    every_ms: usize,
    message: impl Fn(u64) -> Vec<u8>,
) -> Vec<(u64, TransmitReason)> {
    let mut sent = Vec::new();
    for at_ms in (NOW..NOW + for_ms).step_by(every_ms) {
        receive(alice, &message(at_ms), at_ms);
        sent.extend(run(alice, at_ms).into_iter().map(|(at_ms, transmit)| (at_ms, transmit.reason)));
    }
    sent
}

#[test]
fn new_content_makes_us_confirm_no_more_often_than_every_half_a_second() {
    let alice = member("alice");
    let sent = under_flood(&alice, MINUTE, 20, |at_ms| forged(&format!("m{at_ms}")).at(at_ms).bytes());
    assert!(sent.iter().all(|(_, reason)| *reason == TransmitReason::Sync));
    assert!(sent.len() > 10, "{} confirmations", sent.len());
    assert!(sent.windows(2).all(|two| two[1].0 - two[0].0 >= 500), "{sent:?}");
}

#[test]
fn made_up_names_make_us_ask_no_more_often_than_every_five_seconds() {
    let alice = member("alice");
    let sent = under_flood(&alice, 5 * MINUTE, 100, |at_ms| {
        let (id, fakes) = (format!("s{at_ms}"), [0, 1, 2, 3].map(|fake| format!("fake {at_ms} {fake}")));
        forged(&id).by("mallory").at(at_ms).sync().after(&fakes.each_ref().map(String::as_str)).bytes()
    });
    let asked: Vec<u64> =
        sent.iter().filter(|sent| sent.1 == TransmitReason::RepairRequest).map(|sent| sent.0).collect();
    assert!(asked.len() > 40, "{}", asked.len());
    assert!(asked.windows(2).all(|two| two[1] - two[0] >= 5 * SECOND), "{asked:?}");
    assert!(status(&alice).repairs_requested <= 3 * asked.len() as u64);
}

#[test]
fn a_stranger_who_asks_for_everything_gets_64_answers_a_minute() {
    let alice = member("alice");
    let ids: Vec<String> = (0..500).map(|number| format!("m{number}")).collect();
    ids.iter().for_each(|id| drop(receive(&alice, &forged(id).bytes(), NOW)));
    let sent = under_flood(&alice, 5 * MINUTE, 1_000, |at_ms| {
        let from = (at_ms / 1_000 * 50 % 450) as usize;
        let wanted: Vec<&str> = ids[from..from + 50].iter().map(String::as_str).collect();
        forged(&format!("s{at_ms}")).by("mallory").at(at_ms).sync().asking(&wanted).bytes()
    });
    let answers = sent.iter().filter(|sent| sent.1 == TransmitReason::RepairAnswer).count();
    // Minutes are those of the clock, so that five of them may touch six.
    assert!((64..=6 * 64).contains(&answers), "{answers}");
    assert!(status(&alice).repairs_refused > 1_000);
}

#[test]
fn replays_of_old_messages_make_us_send_next_to_nothing() {
    let alice = member("alice");
    let old: Vec<Vec<u8>> = (0..300).map(|number| forged(&format!("m{number}")).bytes()).collect();
    old.iter().for_each(|bytes| drop(receive(&alice, bytes, NOW)));
    run(&alice, NOW + 11 * MINUTE);
    let from = NOW + 11 * MINUTE;
    let mut sent = 0;
    for (number, bytes) in old.iter().cycle().take(6_000).enumerate() {
        let at_ms = from + number as u64 * 10;
        receive(&alice, bytes, at_ms);
        sent += run(&alice, at_ms).len();
    }
    assert!(sent <= 2 * 60 + 2, "{sent} in a minute");
    // All that came back into the filter is 64 a minute, and the minute of the clock may have changed once.
    assert!(status(&alice).refilters_refused > 0);
}

#[test]
fn in_a_group_of_many_response_groups_all_members_together_answer_as_little() {
    let members: Vec<_> = (0..80)
        .map(|number| member_with(&format!("member {number}"), |config| config.num_participants = 10_000))
        .collect();
    let here = ids("m", 256);
    for id in &here {
        let bytes = forged(id).bytes();
        members.iter().for_each(|member| drop(receive(member, &bytes, NOW)));
    }
    let here: Vec<_> = here.iter().map(String::as_str).collect();
    for (number, wanted) in here.chunks(64).enumerate() {
        let asking = forged(&format!("s{number}")).by("mallory").sync().asking(wanted).bytes();
        members.iter().for_each(|member| drop(receive(member, &asking, NOW)));
    }
    let taken_up: std::collections::BTreeSet<String> = members
        .iter()
        .flat_map(|member| {
            let dump = dump(member);
            let answers = dump["repair_answers"].as_array().unwrap().clone();
            answers.into_iter().map(|answer| answer["message_id"].as_str().unwrap().to_owned())
        })
        .collect();
    assert!((1..=64).contains(&taken_up.len()), "{} messages will be answered", taken_up.len());
}
