//! Channels come into memory when they are used, and leave it when they are not.

use sds::Manager;
use sds::config::Config;
use sds::output::{ChannelOptions, Disposition, MessageState, Output, TransmitReason};

use crate::contract::{CHANNEL, NOW_MS, config, member};
use crate::failing::{Fault, Faulty};
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

/// Opens so many channels, all stored, none of them in memory; in the seventh, a message of ours is due after 5 s.
fn stored(store: &Faulty, channels: usize, now_ms: u64) -> Manager {
    let config = Config { unload_after_ms: 60_000, ..config("alice") };
    let alice = Manager::open_store(config.clone(), store.clone(), now_ms).expect("opens");
    for number in 0..channels {
        alice.open_channel(&format!("channel-{number}"), ChannelOptions::default(), now_ms).expect("opens");
    }
    alice.wrap_outgoing("channel-7", Some("m1"), b"hi", now_ms).expect("wraps");
    drop(alice);
    Manager::open_store(config, store.clone(), now_ms).expect("opens")
}

#[test]
fn opening_a_channel_is_one_commit() {
    let store = Faulty::new(usize::MAX, Fault::None);
    let alice = Manager::open_store(config("alice"), store.clone(), NOW_MS).expect("opens");
    for number in 1..4 {
        let before = store.commits();
        alice.open_channel(&format!("channel-{number}"), ChannelOptions::default(), NOW_MS).expect("opens");
        assert_eq!(store.commits(), before + 1);
    }
}

#[test]
fn many_idle_channels_leave_memory_with_one_commit() {
    let store = Faulty::new(usize::MAX, Fault::Fail);
    let alice = stored(&store, 500, NOW_MS);
    for number in 0..500 {
        alice.channel_status(&format!("channel-{number}")).expect("open");
    }
    assert_eq!(alice.channels_in_memory(), 500);
    alice.cancel("channel-7", "m1", NOW_MS).expect("ours");
    alice.drain();
    let before = store.commits();
    store.fail_from_now();
    assert!(matches!(alice.tick(NOW_MS + 70_000), Err(sds::Error::Store(_))));
    assert_eq!(alice.channels_in_memory(), 500, "they stay until they are stored");
    store.mend();
    let before = store.commits().max(before);
    alice.tick(NOW_MS + 100_000).expect("the store works again");
    assert!(alice.channels_in_memory() <= 1, "but for the one that sent a sync message now");
    // One for what could not be stored, one for that message, and one for the channels.
    assert!(store.commits() - before <= 3, "{}", store.commits() - before);
    assert_eq!(alice.message_status("channel-7", "m1").expect("known").state, MessageState::Cancelled);
}

#[test]
fn a_clock_that_steps_back_loads_no_channel_and_moves_every_deadline() {
    let store = Faulty::new(usize::MAX, Fault::None);
    let alice = stored(&store, 300, NOW_MS);
    alice.tick(NOW_MS + 1_000).expect("ticks");
    let before = store.commits();
    let back_ms = NOW_MS - HOUR_MS;
    alice.tick(back_ms).expect("ticks");
    assert_eq!(alice.channels_in_memory(), 0);
    assert!(store.commits() - before <= 1, "{}", store.commits() - before);
    assert_eq!(alice.next_deadline(), Some(back_ms + 4_000));
    // Stored as well: also who never uses the channel again until a restart finds it due.
    drop(alice);
    let alice = Manager::open_store(config("alice"), store, back_ms).expect("opens");
    assert_eq!(alice.next_deadline(), Some(back_ms + 4_000));
    alice.tick(back_ms + 3_999).expect("ticks");
    assert_eq!(alice.channels_in_memory(), 0);
    alice.tick(back_ms + 4_000).expect("ticks");
    assert!(alice.drain().iter().any(|(_, output)| matches!(output, Output::Transmit(it) if &*it.message_id == "m1")));
}

#[test]
fn a_channel_that_is_forgotten_while_it_is_used_and_opened_anew_is_whole() {
    let pause = || std::thread::sleep(std::time::Duration::from_millis(5));
    let bob = member("bob");
    let wrapped =
        |number| bob.wrap_outgoing(CHANNEL, Some(&format!("b{number}")), b"hello", NOW_MS).expect("wraps").bytes;
    let messages: Vec<_> = (0..400).map(wrapped).collect();
    let slices: Vec<&[u8]> = messages.iter().map(|bytes| &bytes[..]).collect();
    for kind in [Kind::Memory(sds::store::Memory::default()), Kind::sqlite()] {
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        let open = || alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS);
        let wrap = |id: &str| alice.wrap_outgoing(CHANNEL, Some(id), b"hello", NOW_MS);
        open().expect("opens");
        std::thread::scope(|scope| {
            // Takes a while, in which the channel is in use.
            scope.spawn(|| alice.unwrap_batch(&slices, NOW_MS));
            pause();
            scope.spawn(|| alice.forget_channel(CHANNEL).expect("is there"));
            pause();
            scope.spawn(|| (open(), wrap("between").is_ok()));
        });
        // Whichever came first, what follows is kept.
        open().expect("is open, or opens");
        wrap("new").expect("wraps");
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        alice.message_status(CHANNEL, "new").expect("is known");
        let received = alice.channel_status(CHANNEL).expect("open").received;
        assert!(matches!(received, 0 | 400), "all was forgotten, or came after that: {received}");
    }
}

#[test]
fn a_channel_that_could_not_be_unloaded_is_offline_still() {
    let store = Faulty::new(usize::MAX, Fault::Fail);
    let config = Config { unload_after_ms: 60_000, ..config("alice") };
    let alice = Manager::open_store(config, store.clone(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice.wrap_outgoing(CHANNEL, Some("m1"), b"hi", NOW_MS).expect("wraps");
    alice.set_online(false, NOW_MS).expect("a good time");
    store.fail_from_now();
    assert!(alice.tick(NOW_MS + 100_000).is_err(), "it is idle, and cannot be stored");
    store.mend();
    for second in 101..400 {
        alice.tick(NOW_MS + second * 1_000).expect("the store works again");
        // Used, it stays in memory.
        alice.channel_status(CHANNEL).expect("open");
    }
    assert_eq!(alice.drain().len(), 0, "nothing is sent into nowhere");
}
