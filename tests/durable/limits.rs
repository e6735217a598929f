//! What a store holds is bounded too.

use sds::config::Config;
use sds::error::Error;
use sds::output::{ChannelOptions, Disposition};
use sds::store::Memory;
use sds::types::{Message, Profile};
use sds::wire;
use sds::{Manager, manager::LogEntry};

use crate::contract::{CHANNEL, NOW_MS, config, member};
use crate::kinds::Kind;
use crate::mended::received;

const HOUR_MS: u64 = 3_600_000;

fn ids(alice: &Manager) -> Vec<String> {
    let page = alice.read_log(CHANNEL, None, 1_000).expect("reads");
    page.entries.iter().map(|entry: &LogEntry| entry.message_id.to_string()).collect()
}

#[test]
fn messages_beyond_stored_messages_leave_the_store_and_their_ids_stay() {
    for kind in [Kind::Memory(Memory::default()), Kind::sqlite()] {
        let config = Config { stored_messages: 5, log_messages: 3, seen_limit: 1, ..config("alice") };
        let (alice, bob) = (kind.open(&config, NOW_MS).expect("opens"), member("bob"));
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        // Ours stays while it may have to be sent again.
        alice.wrap_outgoing(CHANNEL, Some("ours"), b"hello", NOW_MS).expect("wraps");
        let mut received = Vec::new();
        for number in 0..12 {
            let id = format!("b{number:02}");
            let bytes = bob.wrap_outgoing(CHANNEL, Some(&id), b"hi", NOW_MS + number).expect("wraps").bytes;
            alice.unwrap_incoming(&bytes, NOW_MS + number).expect("good");
            received.push(bytes);
        }
        assert_eq!(ids(&alice), ["ours", "b07", "b08", "b09", "b10", "b11"], "{}", kind.name());
        for bytes in received {
            assert_eq!(alice.unwrap_incoming(&bytes, NOW_MS).expect("good").disposition, Disposition::Duplicate);
        }
        // Acknowledged, and forgotten by the buffer of our own: then it goes.
        bob.unwrap_incoming(
            &alice.wrap_outgoing(CHANNEL, Some("ours"), b"hello", NOW_MS).expect("again").bytes,
            NOW_MS,
        )
        .expect("good");
        for number in 0..8 {
            let own = alice.wrap_outgoing(CHANNEL, Some(&format!("o{number}")), b"hey", NOW_MS + 100).expect("wraps");
            bob.unwrap_incoming(&own.bytes, NOW_MS + 100).expect("good");
            let id = format!("c{number}");
            let bytes = bob.wrap_outgoing(CHANNEL, Some(&id), b"hi", NOW_MS + 200).expect("wraps").bytes;
            alice.unwrap_incoming(&bytes, NOW_MS + 200).expect("good");
        }
        assert!(!ids(&alice).contains(&"ours".to_owned()), "{:?}", ids(&alice));
    }
}

/// A host's records are what tells, so that what it was told to delete is new again; a store of ours would still know it.
#[test]
fn at_a_host_the_ids_of_the_messages_that_it_keeps_are_known() {
    let mut kind = Kind::Host(crate::host::Host::default());
    let config = Config { stored_messages: 5, log_messages: 3, seen_limit: 1, ..config("alice") };
    let (alice, bob) = (kind.open(&config, NOW_MS).expect("opens"), member("bob"));
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    let mut received = Vec::new();
    for number in 0..12 {
        let bytes = bob.wrap_outgoing(CHANNEL, Some(&format!("b{number:02}")), b"hi", NOW_MS).expect("wraps").bytes;
        alice.unwrap_incoming(&bytes, NOW_MS).expect("good");
        received.push(bytes);
    }
    kind.drain(&alice);
    let restarted = kind.open(&config, NOW_MS).expect("opens");
    for alice in [alice, restarted] {
        for bytes in &received[7..] {
            assert_eq!(alice.unwrap_incoming(bytes, NOW_MS).expect("good").disposition, Disposition::Duplicate);
        }
        assert_eq!(alice.unwrap_incoming(&received[0], NOW_MS).expect("good").disposition, Disposition::Delivered);
    }
}

#[test]
fn a_page_of_large_messages_ends_early() {
    for kind in [Kind::Memory(Memory::default()), Kind::sqlite()] {
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        let content = vec![7; 1_000_000];
        for number in 0..20 {
            alice.wrap_outgoing(CHANNEL, Some(&format!("m{number:02}")), &content, NOW_MS + number).expect("wraps");
        }
        let first = alice.read_log(CHANNEL, None, 100).expect("reads");
        assert!(first.more && first.entries.len() == 17, "{}", first.entries.len());
        let last = first.entries.last().expect("one");
        let after = (last.lamport_timestamp_ms, &*last.message_id);
        let rest = alice.read_log(CHANNEL, Some(after), 100).expect("reads");
        assert!(!rest.more && rest.entries.len() == 3, "{}", rest.entries.len());
        assert_eq!(rest.entries.last().expect("one").content, content);
    }
}

#[test]
fn messages_older_than_stored_ms_leave_the_store() {
    let kind = Kind::sqlite();
    let config = Config { stored_ms: 3_200_000, log_messages: 3, ..config("alice") };
    let (alice, bob) = (kind.open(&config, NOW_MS).expect("opens"), member("bob"));
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    for number in 0..40 {
        let now_ms = NOW_MS + number * 200_000;
        let bytes = bob.wrap_outgoing(CHANNEL, Some(&format!("b{number:02}")), b"hi", now_ms).expect("wraps").bytes;
        alice.unwrap_incoming(&bytes, now_ms).expect("good");
    }
    // The last came at 7,800 s: what came before 4,600 s is too old, give or take a part.
    let ids = ids(&alice);
    assert_eq!(ids.last().map(String::as_str), Some("b39"));
    assert!((16..=20).contains(&ids.len()), "{ids:?}");
}

/// A manager of alice's that keeps messages for an hour, and has three in memory.
fn for_an_hour(store: &Memory, now_ms: u64) -> Manager {
    let config = Config { stored_ms: HOUR_MS, log_messages: 3, ..config("alice") };
    let alice = Manager::open_store(config, store.clone(), now_ms).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), now_ms).expect("opens");
    alice
}

#[test]
fn what_is_too_old_is_deleted_by_later_calls_though_each_deletes_only_so_many() {
    let store = Memory::default();
    let alice = for_an_hour(&store, NOW_MS);
    let many: Vec<_> = (0..5_000).map(|n| received(&format!("m{n}"), NOW_MS + n, b"x", &[])).collect();
    let many: Vec<_> = many.iter().map(|bytes| &bytes[..]).collect();
    assert!(alice.unwrap_batch(&many, NOW_MS).iter().all(Result::is_ok));
    let mut left = Vec::new();
    for number in 0..3 {
        let now_ms = NOW_MS + 3 * HOUR_MS + number;
        let alice = for_an_hour(&store, now_ms);
        alice.unwrap_incoming(&received(&format!("n{number}"), now_ms, b"x", &[]), now_ms).expect("good");
        left.push(ids(&alice).len());
    }
    assert!(left[0] < 1_000 && left[1..] == [3, 3], "{left:?}");
}

#[test]
fn messages_that_came_at_once_are_as_old_as_they_are_whenever_the_next_comes() {
    let alice = for_an_hour(&Memory::default(), NOW_MS);
    let receive = |id: &str, now_ms: u64| {
        alice.unwrap_incoming(&received(id, now_ms, b"x", &[]), now_ms).expect("good");
    };
    (0..20).for_each(|second| receive(&format!("m{second}"), NOW_MS + second * 1_000));
    // They age while nothing comes.
    (0..5).for_each(|minute| receive(&format!("n{minute}"), NOW_MS + HOUR_MS * 3 / 4 + minute * 60_000));
    assert_eq!(ids(&alice).len(), 25);
    receive("o", NOW_MS + HOUR_MS + 30_000);
    assert_eq!(ids(&alice), ["n0", "n1", "n2", "n3", "n4", "o"]);
}

#[test]
fn what_memory_holds_stays_however_old_it_is() {
    let store = Memory::default();
    let alice = for_an_hour(&store, NOW_MS);
    for (number, now_ms) in [NOW_MS, NOW_MS + 100 * HOUR_MS].into_iter().enumerate() {
        alice.unwrap_incoming(&received(&format!("m{number}"), now_ms, b"x", &[]), now_ms).expect("good");
    }
    assert_eq!(ids(&alice), ["m0", "m1"]);
}

#[test]
fn changes_beyond_max_unconfirmed_bytes_refuse_calls() {
    let mut host = crate::host::Host::default();
    let config = Config { max_unconfirmed_bytes: 60_000, ..config("alice") };
    let alice = Manager::open_external(config, host.records(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    let wrap = |number: usize| alice.wrap_outgoing(CHANNEL, Some(&format!("m{number}")), &[7; 9_000], NOW_MS);
    let refused = (0..10).find_map(|number| wrap(number).err().map(|error| (number, error)));
    assert!(matches!(refused, Some((1..9, Error::Unconfirmed(60_000)))), "{refused:?}");
    let number = refused.map_or(0, |refused| refused.0);
    assert!(alice.message_status(CHANNEL, &format!("m{number}")).is_err(), "it changed nothing");
    host.commit_all(&alice);
    wrap(number).expect("there is room again");
}

/// Messages that leave nothing behind but their ids, of which only so many are remembered, add up to no more than these,
/// however many are committed together.
#[test]
fn ids_that_came_and_went_leave_nothing_to_be_stored() {
    let mut host = crate::host::Host::default();
    let config = Config { seen_limit: 100, profile: Profile::Libsds, ..config("alice") };
    let alice = Manager::open_external(config, host.records(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    host.commit_all(&alice);
    let of_mallory = |number: u64| {
        let (id, mut bytes) = (format!("s{number}"), Vec::new());
        let message = Message {
            sender_id: "mallory",
            message_id: &id,
            channel_id: CHANNEL,
            lamport_timestamp_ms: Some(NOW_MS),
            ..Message::default()
        };
        wire::encode(Profile::Libsds, &message, &mut bytes);
        bytes
    };
    let all: Vec<_> = (0..5_000).map(of_mallory).collect();
    let all: Vec<_> = all.iter().map(|bytes| &bytes[..]).collect();
    for together in all.chunks(1_000) {
        assert!(alice.unwrap_batch(together, NOW_MS).iter().all(Result::is_ok));
        let writes = alice.offer().expect("the host's").expect("something").writes.len();
        assert!(writes < 16, "{writes}");
        host.commit_all(&alice);
    }
    assert!(host.records().len() < 16, "{}", host.records().len());
    let forgotten = alice.channel_status(CHANNEL).expect("open").ids_forgotten;
    drop(alice);
    let config = crate::contract::config("alice");
    let again =
        Manager::open_external(Config { seen_limit: 100, profile: Profile::Libsds, ..config }, host.records(), NOW_MS);
    assert_eq!(again.expect("opens").channel_status(CHANNEL).expect("sound").ids_forgotten, forgotten);
}

#[test]
fn outputs_that_wait_for_the_host_to_commit_are_limited_in_bytes_too() {
    let mut host = crate::host::Host::default();
    const LIMIT: usize = 64 << 10;
    let config =
        Config { max_output_bytes: LIMIT, max_message_bytes: LIMIT, max_filter_bytes: LIMIT, ..config("alice") };
    let alice = Manager::open_external(config, host.records(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    let wrap = |number: usize| alice.wrap_outgoing(CHANNEL, Some(&format!("m{number}")), &[7; 9_000], NOW_MS);
    let refused = (0..10).find_map(|number| wrap(number).err().map(|error| (number, error)));
    let Some((number @ 2..9, Error::OutputBytesFull(LIMIT))) = refused else { panic!("{refused:?}") };
    // Committed, they wait for the host to take them; a channel that is closed sends none of them.
    host.commit_all(&alice);
    assert_eq!(wrap(number).err(), Some(Error::OutputBytesFull(LIMIT)));
    assert_eq!(alice.drain().len(), number);
    for round in 1..4 {
        let wrapped = (0..10).take_while(|it| wrap(round * 10 + it).is_ok()).count();
        assert_eq!(wrapped, number);
        alice.close_channel(CHANNEL).expect("open");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    }
}
