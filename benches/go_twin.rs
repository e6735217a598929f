//! The loop of Go's `BenchmarkWrap`, in Rust: the other half of `go_wrap_vs_rust`. What it does is told there, in
//! go-bindings/sds/bench_test.go; why it waits for each round to be asked for, in twin_test.go beside it.
//!
//! Takes the gap between two messages in milliseconds. After warming up it answers every line with the nanoseconds of a
//! round.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sds::output::ChannelOptions;
use sds::types::Profile;
use sds::{Config, Manager};

const CHANNEL: &str = "room";
const ROUND: u64 = 1_000;
const BURST: u64 = 100;
const WARM_UP_ROUNDS: u64 = 20;
const EPOCH_MS: u64 = 1_700_000_000_000;

fn main() {
    let gap_ms = std::env::args().nth(1).and_then(|gap_ms| gap_ms.parse().ok()).expect("the gap in milliseconds");
    let mut chat = Chat::new(gap_ms);
    for _ in 0..WARM_UP_ROUNDS {
        chat.round();
    }
    for line in std::io::stdin().lines() {
        line.expect("standard input");
        println!("{}", chat.round().as_nanos());
    }
}

struct Chat {
    alice: Manager,
    twin: Manager,
    bob: Manager,
    gap_ms: u64,
    sent: u64,
}

/// A hundred messages to be wrapped, and the message that acknowledges them.
struct Burst {
    ids: Vec<(String, u64)>,
    ack: Bytes,
    ack_at_ms: u64,
}

impl Chat {
    fn new(gap_ms: u64) -> Self {
        let history = Config::default().causal_history_size;
        let alice = || manager("alice", 1, history);
        Self { alice: alice(), twin: alice(), bob: manager("bob", 2, BURST as usize), gap_ms, sent: 0 }
    }

    /// One round of messages: the time that alice takes to wrap them.
    fn round(&mut self) -> Duration {
        let bursts: Vec<_> = (0..ROUND / BURST).map(|_| self.prepare()).collect();
        let wrap_burst = |burst: &Burst| {
            let start = Instant::now();
            for (id, now_ms) in &burst.ids {
                black_box(wrap(&self.alice, id, *now_ms));
            }
            let time = start.elapsed();
            acknowledge(&self.alice, burst);
            time
        };
        bursts.iter().map(wrap_burst).sum()
    }

    fn prepare(&mut self) -> Burst {
        let numbers = self.sent..self.sent + BURST;
        self.sent += BURST;
        let ids: Vec<_> = numbers.map(|number| (format!("0x{number:064x}"), EPOCH_MS + number * self.gap_ms)).collect();
        for (id, now_ms) in &ids {
            unwrap(&self.bob, &wrap(&self.twin, id, *now_ms), *now_ms);
        }
        let (last, ack_at_ms) = (self.sent - 1, ids[BURST as usize - 1].1);
        let ack_id = format!("0x{:064x}", (1u64 << 40) + last);
        let ack = wrap(&self.bob, &ack_id, ack_at_ms);
        self.bob.cancel(CHANNEL, &ack_id, ack_at_ms).expect("a message of bob's");
        self.bob.drain();
        let burst = Burst { ids, ack, ack_at_ms };
        acknowledge(&self.twin, &burst);
        burst
    }
}

fn manager(participant_id: &str, seed: u64, causal_history_size: usize) -> Manager {
    let config = Config {
        participant_id: participant_id.to_owned(),
        seed: Some(seed),
        profile: Profile::Libsds,
        causal_history_size,
        ..Config::default()
    };
    let manager = Manager::open(config).expect("a valid configuration");
    manager.open_channel(CHANNEL, ChannelOptions::default(), EPOCH_MS).expect("a new channel");
    manager
}

fn wrap(manager: &Manager, message_id: &str, now_ms: u64) -> Bytes {
    manager.wrap_outgoing(CHANNEL, Some(message_id), &[0; 200], now_ms).expect("a message that can be sent").bytes
}

fn unwrap(manager: &Manager, bytes: &[u8], now_ms: u64) {
    manager.unwrap_incoming(bytes, now_ms).expect("a message that can be received");
}

fn acknowledge(manager: &Manager, burst: &Burst) {
    unwrap(manager, &burst.ack, burst.ack_at_ms);
    assert_eq!(manager.drain().len(), BURST as usize, "acknowledgements");
}
