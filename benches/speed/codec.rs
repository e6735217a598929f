//! `wrap_vs_encode` and `unwrap_vs_decode`: the whole engine against prost doing nothing but the encoding.

use std::hint::black_box;
use std::time::Duration;

use sds::types::Profile;

use crate::common::chat::{ALICE, BOB, Member, config};
use crate::common::figure::{Figure, worst};
use crate::common::prost_message::Either;
use crate::common::timing::{ratio, time_both};

const ROUNDS: usize = 21;
const BATCH: usize = 16;
/// A filter at its greatest capacity is rebuilt every 2,000 messages: a round holds two of those.
const BATCHES: usize = 4_096 / BATCH;
/// Enough for log and filter to have reached their limits.
const WARM_UP: usize = 12_000;
/// Messages of ours that await an acknowledgement all along.
const UNACKNOWLEDGED: usize = 8;
const LIMIT: f64 = 6.0;

/// A steady state to measure in.
struct Setting {
    name: &'static str,
    profile: Profile,
    /// Between two messages. With few milliseconds, filters are as large as they get (18,752 bytes); with half a minute
    /// they cover twenty ids (128 bytes), where there is next to nothing to encode, and our own work shows most.
    step_ms: u64,
}

const SETTINGS: [Setting; 4] = [
    Setting { name: "rfc", profile: Profile::Rfc, step_ms: 5 },
    Setting { name: "rfc_quiet", profile: Profile::Rfc, step_ms: 30_000 },
    Setting { name: "libsds", profile: Profile::Libsds, step_ms: 5 },
    Setting { name: "libsds_quiet", profile: Profile::Libsds, step_ms: 30_000 },
];

impl Setting {
    fn member(&self, name: &'static str) -> Member {
        Member::new(name, self.profile, self.step_ms, config(name))
    }
}

/// The cost of `Manager::wrap_outgoing` with the id supplied, over that of prost encoding the very message that came out
/// into a fresh vector (its fields owned and ready) and copying its filter once more, into memory that is there.
pub fn wrap() -> Vec<Figure> {
    let each: Vec<_> = SETTINGS.iter().map(|setting| (setting.name.to_owned(), wrap_in(setting))).collect();
    worst("wrap_vs_encode", "ratio", LIMIT, &each)
}

fn wrap_in(setting: &Setting) -> f64 {
    let mut alice = setting.member(ALICE);
    alice.send(WARM_UP);
    alice.send_unacknowledged(UNACKNOWLEDGED);
    let mut last = alice.send(1);
    ratio(ROUNDS, BATCHES, |turn| {
        let ids = alice.next_ids(BATCH);
        let same = Either::decode(setting.profile, &last[0]);
        let mut copy = same.filter().to_vec();
        let encode = || (0..BATCH).for_each(|_| encode_and_copy(black_box(&same), &mut copy));
        let wrap = || {
            ids.iter().for_each(|id| {
                last[0] = black_box(alice.wrap(id));
            });
        };
        let times = time_both(turn, wrap, encode);
        alice.settle(&ids);
        times
    })
}

fn encode_and_copy(message: &Either, copy: &mut [u8]) {
    black_box(message.encode());
    copy.copy_from_slice(message.filter());
    black_box(copy);
}

/// The cost of `Manager::unwrap_incoming` for a message whose dependencies are met, over that of prost decoding the same
/// bytes into owned fields and copying its filter once more. We have eight unacknowledged messages, of which the sender
/// has received four, so that its filter is read for them.
pub fn unwrap() -> Vec<Figure> {
    let each: Vec<_> = SETTINGS.iter().map(|setting| (setting.name.to_owned(), unwrap_in(setting))).collect();
    worst("unwrap_vs_decode", "ratio", LIMIT, &each)
}

fn unwrap_in(setting: &Setting) -> f64 {
    let (mut alice, mut bob) = (setting.member(ALICE), setting.member(BOB));
    alice.receive_from(&mut bob, WARM_UP);
    let mut ours = Vec::new();
    ratio(ROUNDS, BATCHES, |turn| {
        if turn == 0 {
            ours = renew_unacknowledged(&mut alice, &mut bob, &ours);
        }
        let messages = bob.send(BATCH);
        let mut copy = Either::decode(setting.profile, &messages[0]).filter().to_vec();
        let decode = || messages.iter().for_each(|bytes| decode_and_copy(setting.profile, bytes, &mut copy));
        let unwrap = || {
            messages.iter().for_each(|bytes| {
                black_box(alice.unwrap(bytes));
            })
        };
        let times: (Duration, Duration) = time_both(turn, unwrap, decode);
        alice.manager.drain();
        times
    })
}

/// Before every round, eight messages of ours take the place of the last ones, so that the sender's filter holds some
/// within its window.
fn renew_unacknowledged(alice: &mut Member, bob: &mut Member, old: &[String]) -> Vec<String> {
    alice.settle(old);
    let ids = alice.next_ids(UNACKNOWLEDGED);
    let sent: Vec<_> = ids.iter().map(|id| alice.wrap(id)).collect();
    bob.receive(&sent[..UNACKNOWLEDGED / 2]);
    ids
}

fn decode_and_copy(profile: Profile, bytes: &[u8], copy: &mut [u8]) {
    let message = black_box(Either::decode(profile, bytes));
    let filter = message.filter();
    copy[..filter.len()].copy_from_slice(filter);
    black_box(copy);
}
