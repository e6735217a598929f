//! `idle_channel` and `log_message`: bytes of heap.

use sds::Manager;
use sds::output::ChannelOptions;
use sds::types::Profile;

use super::heap::held;
use crate::common::chat::{ALICE, BOB, CHANNEL, CONTENT, Member, START_MS, config};
use crate::common::figure::{Figure, worst};

const CHANNELS: usize = 10_000;
/// As many as a log holds by default.
const MESSAGES: usize = 1_000;
const STEP_MS: u64 = 100;

pub fn figures() -> Vec<Figure> {
    let logged = [Profile::Rfc, Profile::Libsds].map(|profile| (profile.name().to_owned(), received(profile)));
    let idle = Figure::limited("idle_channel", idle_channel(), "bytes", 4_096.0);
    let own = Figure::plain("log_message_own", own(), "bytes");
    [idle].into_iter().chain(worst("log_message", "bytes", 800.0, &logged)).chain([own]).collect()
}

/// Heap of an open channel without any messages in the libsds profile, of 10,000 in one manager, everything that the
/// manager needs to find it included.
fn idle_channel() -> f64 {
    let manager = Manager::open(config(ALICE)).expect("a valid configuration");
    let options = ChannelOptions { profile: Some(Profile::Libsds), ..ChannelOptions::default() };
    let ((), bytes) = held(|| {
        for number in 0..CHANNELS {
            manager.open_channel(&format!("channel-{number:08}"), options, START_MS).expect("a new channel");
        }
    });
    bytes as f64 / CHANNELS as f64
}

/// Heap per received message in a full log beyond the message, with all that is kept for it: its place in filter and
/// tables too. The message itself is kept, whole, to answer requests for repair; how much of that may be kept has a limit
/// of its own (`log_bytes`, `repair_window_ms`), so that it is told apart.
fn received(profile: Profile) -> f64 {
    let member = |name| Member::new(name, profile, STEP_MS, config(name));
    let mut alice = member(ALICE);
    let messages = member(BOB).send(MESSAGES);
    let ((), bytes) = held(|| alice.receive(&messages));
    (bytes - whole_messages(&alice)) as f64 / MESSAGES as f64
}

/// Bytes of the messages that a member keeps whole.
fn whole_messages(member: &Member) -> usize {
    let dump: serde_json::Value = member.manager.dump_channel(CHANNEL).expect("open").parse().expect("JSON");
    dump["whole_messages_bytes"].as_u64().expect("a number") as usize
}

/// Heap per message of our own in a full log, beyond its content. Its bytes are kept as they were sent, to be sent again:
/// with its causal history, and with its filter, which grows to 2 KB over these messages.
fn own() -> f64 {
    let mut alice = Member::new(ALICE, Profile::Libsds, STEP_MS, config(ALICE));
    let (sent, bytes) = held(|| alice.send(MESSAGES));
    // The list of what was sent is ours; the bytes in it are the channel's as well.
    let list = sent.capacity() * size_of_val(&sent[0]);
    (bytes - list) as f64 / MESSAGES as f64 - CONTENT.len() as f64
}
