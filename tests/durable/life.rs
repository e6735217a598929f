//! Channels come into memory when they are used, and leave it when they are not.

use sds::config::Config;
use sds::output::{ChannelOptions, Disposition, Output, TransmitReason};

use crate::contract::{CHANNEL, NOW_MS, config, member};
use crate::kinds::Kind;

const HOUR_MS: u64 = 3_600_000;

#[test]
fn an_idle_channel_leaves_memory_and_comes_back_on_its_own() {
    for kind in [Kind::Memory(sds::store::Memory::default()), Kind::sqlite()] {
        let config = Config { unload_after_ms: 60_000, ..config("alice") };
        let alice = kind.open(&config, NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.open_channel("kitchen", ChannelOptions::default(), NOW_MS).expect("opens");
        let hello = member("bob").wrap_outgoing(CHANNEL, Some("b1"), b"hello", NOW_MS).expect("wraps");
        alice.unwrap_incoming(&hello.bytes, NOW_MS).expect("good");
        let sent = alice.wrap_outgoing(CHANNEL, Some("m1"), b"hi", NOW_MS).expect("wraps");
        assert_eq!(alice.channels_in_memory(), 2);
        // Resends and sync messages keep it in use for a while.
        let mut now_ms = NOW_MS;
        let mut resends = 0;
        while alice.channels_in_memory() > 0 {
            now_ms += 20_000;
            alice.tick(now_ms).expect("ticks");
            let outputs = alice.drain();
            let is_resend =
                |output: &Output| matches!(output, Output::Transmit(it) if it.reason == TransmitReason::Resend);
            resends += outputs.iter().filter(|(_, output)| is_resend(output)).count();
            assert!(now_ms < NOW_MS + 24 * HOUR_MS, "it never leaves");
        }
        assert_eq!(resends, 5);
        // It is still there for whoever asks, and a sync message still falls due.
        assert_eq!(alice.unwrap_incoming(&hello.bytes, now_ms).expect("good").disposition, Disposition::Duplicate);
        assert_eq!(alice.channels_in_memory(), 1);
        assert_eq!(alice.wrap_outgoing(CHANNEL, Some("m1"), b"hi", now_ms).expect("the same").bytes, sent.bytes);
        let due_ms = alice.next_deadline().expect("a sync message");
        alice.tick(due_ms).expect("ticks");
        assert!(alice.drain().iter().any(|(_, output)| matches!(output, Output::Transmit(_))));
    }
}

#[test]
fn opening_reads_no_channel() {
    let kind = Kind::sqlite();
    let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
    for number in 0..300 {
        alice.open_channel(&format!("channel-{number}"), ChannelOptions::default(), NOW_MS).expect("opens");
    }
    alice.wrap_outgoing("channel-7", Some("m1"), b"hi", NOW_MS).expect("wraps");
    drop(alice);
    let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
    assert_eq!(alice.channels().len(), 300);
    assert_eq!(alice.channels_in_memory(), 0);
    assert_eq!(alice.next_deadline(), Some(NOW_MS + 5_000), "the resend of m1 falls due all the same");
    alice.tick(NOW_MS + 5_000).expect("ticks");
    assert_eq!(alice.channels_in_memory(), 1);
    assert!(alice.drain().iter().any(|(_, output)| matches!(output, Output::Transmit(it) if &*it.message_id == "m1")));
}
