//! What every way to keep state has to do. Each test runs on all three, and stops the manager as a crash would: without
//! a word.

use sds::Manager;
use sds::config::Config;
use sds::error::{Error, StoreError};
use sds::manager::{Known, LogEntry};
use sds::output::{ChannelOptions, Disposition, Event, MessageState, Output, TransmitReason};
use sds::record::{self, Key};
use sds::types::{ChannelId, HistoryEntry, Message, Profile, TimeMs};
use sds::wire;

use crate::kinds::Kind;

pub const NOW_MS: TimeMs = 1_790_000_000_000;
pub const CHANNEL: &str = "garden";

pub fn config(who: &str) -> Config {
    Config { participant_id: who.to_owned(), seed: Some(3), ..Config::default() }
}

pub fn member(who: &str) -> Manager {
    let manager = Manager::open(config(who)).expect("opens");
    manager.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    manager
}

/// A manager of alice's on a fresh store, with its channel open and all of that committed.
fn fresh(kind: &mut Kind, config: &Config) -> Manager {
    let manager = kind.open(config, NOW_MS).expect("opens");
    manager.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    kind.drain(&manager);
    manager
}

/// The bytes of a message of ours: of the call, or held back until they are stored.
fn send(kind: &mut Kind, manager: &Manager, id: &str, now_ms: TimeMs) -> Vec<u8> {
    let wrapped = manager.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), now_ms).expect("wraps");
    let outputs = kind.drain(manager);
    if !wrapped.bytes.is_empty() {
        return wrapped.bytes.to_vec();
    }
    let held = outputs.into_iter().find_map(|(_, output)| match output {
        Output::Transmit(transmit) if transmit.reason == TransmitReason::Publish => Some(transmit.bytes.to_vec()),
        _ => None,
    });
    held.expect("what was held back comes once it is stored")
}

fn events(outputs: Vec<(ChannelId, Output)>) -> Vec<Event> {
    let event = |(_, output)| match output {
        Output::Event(event) => Some(event),
        Output::Transmit(_) => None,
    };
    outputs.into_iter().filter_map(event).collect()
}

fn on_each(test: impl Fn(Kind)) {
    for kind in Kind::all() {
        println!("on {}", kind.name());
        test(kind);
    }
}

#[test]
fn what_was_sent_is_sent_again_until_it_is_acknowledged() {
    on_each(|mut kind| {
        let alice = fresh(&mut kind, &config("alice"));
        let bytes = send(&mut kind, &alice, "m1", NOW_MS);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS + 10).expect("opens");
        assert_eq!(alice.message_status(CHANNEL, "m1").expect("known").state, MessageState::Unacknowledged);
        alice.tick(NOW_MS + 7_000).expect("ticks");
        let resent = kind.drain(&alice).into_iter().any(|(_, output)| {
            matches!(output, Output::Transmit(it) if it.reason == TransmitReason::Resend && it.bytes == bytes)
        });
        assert!(resent, "the very bytes are broadcast again");
        let bob = member("bob");
        bob.unwrap_incoming(&bytes, NOW_MS).expect("good");
        let answer = bob.wrap_outgoing(CHANNEL, Some("m2"), b"got it", NOW_MS + 8_000).expect("wraps");
        alice.unwrap_incoming(&answer.bytes, NOW_MS + 8_000).expect("good");
        assert!(events(kind.drain(&alice)).contains(&Event::Acknowledged { message_id: "m1".into() }));
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS + 9_000).expect("opens");
        assert_eq!(alice.message_status(CHANNEL, "m1").expect("known").state, MessageState::Acknowledged);
    });
}

#[test]
fn what_was_delivered_is_not_delivered_again() {
    on_each(|mut kind| {
        let (alice, bob) = (fresh(&mut kind, &config("alice")), member("bob"));
        let hello = bob.wrap_outgoing(CHANNEL, Some("b1"), b"hello", NOW_MS).expect("wraps");
        assert_eq!(alice.unwrap_incoming(&hello.bytes, NOW_MS).expect("good").disposition, Disposition::Delivered);
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        assert_eq!(alice.unwrap_incoming(&hello.bytes, NOW_MS).expect("good").disposition, Disposition::Duplicate);
        assert_eq!(alice.channel_status(CHANNEL).expect("open").received, 1);
    });
}

#[test]
fn what_waits_goes_on_waiting_and_nothing_missing_is_told_twice() {
    on_each(|mut kind| {
        let (alice, bob) = (fresh(&mut kind, &config("alice")), member("bob"));
        let [first, second, third] = ["b1", "b2", "b3"]
            .map(|id| bob.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), NOW_MS).expect("wraps").bytes);
        assert_eq!(alice.unwrap_incoming(&second, NOW_MS).expect("good").disposition, Disposition::Waiting);
        let told = events(kind.drain(&alice));
        assert!(matches!(&told[..], [Event::Missing(it)] if &*it.message_id == "b1"), "{told:?}");
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        assert_eq!(alice.unwrap_incoming(&third, NOW_MS).expect("good").disposition, Disposition::Waiting);
        assert_eq!(events(kind.drain(&alice)), [], "b1 is known to be missing");
        let missing: Vec<_> = alice.missing(CHANNEL).expect("open").into_iter().map(|it| it.message_id).collect();
        assert_eq!(missing, ["b1".into()], "and who was restarted can ask");
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        assert_eq!(alice.unwrap_incoming(&first, NOW_MS).expect("good").disposition, Disposition::Delivered);
        let delivered: Vec<_> = events(kind.drain(&alice))
            .into_iter()
            .filter_map(|event| match event {
                Event::Delivered(it) => Some((it.message_id.to_string(), it.content.to_vec())),
                _ => None,
            })
            .collect();
        assert_eq!(delivered, [("b2".to_owned(), b"b2".to_vec()), ("b3".to_owned(), b"b3".to_vec())]);
    });
}

#[test]
fn a_hint_that_is_set_while_a_message_waits_is_kept() {
    on_each(|mut kind| {
        let (alice, bob) = (fresh(&mut kind, &config("alice")), member("bob"));
        let [first, second] =
            ["b1", "b2"].map(|id| bob.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), NOW_MS).expect("wraps").bytes);
        assert_eq!(alice.unwrap_incoming(&second, NOW_MS).expect("good").disposition, Disposition::Waiting);
        alice.set_retrieval_hint(CHANNEL, "b2", b"where").expect("it waits");
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        assert_eq!(alice.unwrap_incoming(&first, NOW_MS).expect("good").disposition, Disposition::Delivered);
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        let bytes = send(&mut kind, &alice, "m1", NOW_MS + 10);
        let (_, message) = wire::decode(&bytes, &config("alice")).expect("good");
        let history = message.causal_history.iter();
        let named: Vec<_> = history.map(|entry| (entry.message_id, entry.retrieval_hint)).collect();
        assert_eq!(named, [("b1", None), ("b2", Some(&b"where"[..]))], "{}", kind.name());
    });
}

#[test]
fn a_night_asleep_loses_nothing_and_what_is_lost_stays_lost() {
    on_each(|mut kind| {
        let (alice, bob) = (fresh(&mut kind, &config("alice")), member("bob"));
        let [first, second] =
            ["b1", "b2"].map(|id| bob.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), NOW_MS).expect("wraps").bytes);
        alice.unwrap_incoming(&second, NOW_MS).expect("good");
        kind.drain(&alice);
        drop(alice);
        // Eight hours later there is time to fetch it, still.
        let morning_ms = NOW_MS + 8 * 3_600_000;
        let alice = kind.open(&config("alice"), morning_ms).expect("opens");
        alice.tick(morning_ms + 1_000).expect("ticks");
        assert!(!events(kind.drain(&alice)).iter().any(|event| matches!(event, Event::Lost(_))));
        let late_ms = morning_ms + 11 * 60_000;
        alice.tick(late_ms).expect("ticks");
        assert!(events(kind.drain(&alice)).iter().any(|event| matches!(event, Event::Lost(_))));
        drop(alice);
        let alice = kind.open(&config("alice"), late_ms).expect("opens");
        assert_eq!(alice.channel_status(CHANNEL).expect("open").lost, 1);
        assert_eq!(alice.unwrap_incoming(&first, late_ms).expect("good").disposition, Disposition::Late);
    });
}

#[test]
fn forgetting_and_wiping_leave_nothing_behind() {
    on_each(|mut kind| {
        let alice = fresh(&mut kind, &config("alice"));
        send(&mut kind, &alice, "m1", NOW_MS);
        alice.forget_channel(CHANNEL).expect("is there");
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        assert_eq!(alice.channels(), []);
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens anew");
        assert_eq!(alice.channel_status(CHANNEL).expect("open").logged, 0);
        send(&mut kind, &alice, "m1", NOW_MS);
        alice.reset().expect("the store works");
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        assert_eq!(alice.channels(), []);
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens anew");
        assert!(matches!(alice.message_status(CHANNEL, "m1"), Err(Error::UnknownMessage(_))));
    });
}

#[test]
fn a_seeded_history_is_neither_missing_nor_forgotten() {
    on_each(|mut kind| {
        let (alice, bob) = (fresh(&mut kind, &config("alice")), member("bob"));
        bob.wrap_outgoing(CHANNEL, Some("b1"), b"long ago", NOW_MS).expect("wraps");
        let next = bob.wrap_outgoing(CHANNEL, Some("b2"), b"today", NOW_MS).expect("wraps");
        let known = [Known { message_id: "b1", sender_id: "bob", lamport_timestamp_ms: NOW_MS, retrieval_hint: None }];
        assert_eq!(alice.seed_history(CHANNEL, &known, NOW_MS).expect("seeds"), 1);
        assert_eq!(alice.seed_history(CHANNEL, &known, NOW_MS).expect("seeds"), 0, "it is known");
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        assert_eq!(alice.unwrap_incoming(&next.bytes, NOW_MS).expect("good").disposition, Disposition::Delivered);
        assert_eq!(events(kind.drain(&alice)), []);
        let named: Vec<_> = alice.next_history(CHANNEL).expect("open").into_iter().map(|it| it.message_id).collect();
        assert_eq!(named, ["b1".into(), "b2".into()]);
    });
}

#[test]
fn the_state_of_another_participant_is_refused() {
    on_each(|mut kind| {
        drop(fresh(&mut kind, &config("alice")));
        let refused = kind.open(&config("mallory"), NOW_MS).err();
        assert!(matches!(refused, Some(Error::Store(StoreError::OtherParticipant { .. }))), "{refused:?}");
        kind.open(&config("alice"), NOW_MS).expect("it is alice's, as before");
    });
}

#[test]
fn records_of_a_later_form_are_refused() {
    let mut host = crate::host::Host::default();
    let alice = Manager::open_external(config("alice"), host.records(), NOW_MS).expect("opens");
    host.commit_all(&alice);
    drop(alice);
    // Its own record says so, in its fifth field.
    host.rows.get_mut(&(ChannelId::from(""), Key::HEAD)).expect("is there").extend([5 << 3, 9]);
    let refused = Manager::open_external(config("alice"), host.records(), NOW_MS).err();
    assert_eq!(refused, Some(Error::Store(StoreError::Newer { found: 9, known: 1 })));
}

/// The whole log of the channel, in order: from the store in pages, or by the host out of its own database.
fn whole_log(kind: &Kind, alice: &Manager) -> Vec<LogEntry> {
    let mut log: Vec<LogEntry> = Vec::new();
    if let Kind::Host(host) = kind {
        let side = |key: &Key| host.rows.get(&(CHANNEL.into(), Key { kind: record::Kind::Side, ..*key }));
        for ((_, key), value) in host.rows.iter().filter(|((_, key), _)| key.kind == record::Kind::Message) {
            let side = side(key).map(|side| &side[..]);
            log.push(alice.read_log_record(key.id.try_into().expect("a number"), value, side).expect("reads"));
        }
        log.sort_by_key(|entry| (entry.lamport_timestamp_ms, entry.message_id.to_string()));
        return log;
    }
    loop {
        let after = log.last().map(|last| (last.lamport_timestamp_ms, last.message_id.to_string()));
        let after = after.as_ref().map(|(ms, id)| (*ms, id.as_str()));
        let page = alice.read_log(CHANNEL, after, 7).expect("reads");
        log.extend(page.entries);
        if !page.more {
            return log;
        }
    }
}

#[test]
fn a_log_far_larger_than_memory_is_read_in_order_and_every_id_is_known() {
    on_each(|mut kind| {
        let config = Config { log_messages: 4, seen_limit: 2, ..config("alice") };
        let alice = fresh(&mut kind, &config);
        let bob = member("bob");
        let mut received = Vec::new();
        for number in 0..30 {
            let id = format!("b{number:02}");
            let wrapped = bob.wrap_outgoing(CHANNEL, Some(&id), id.as_bytes(), NOW_MS + number).expect("wraps");
            received.push(wrapped.bytes);
        }
        let late = received.remove(10);
        let batch: Vec<&[u8]> = received.iter().map(|bytes| &bytes[..]).collect();
        assert!(alice.unwrap_batch(&batch, NOW_MS).iter().all(Result::is_ok));
        assert!(alice.unwrap_incoming(&late, NOW_MS).is_ok());
        send(&mut kind, &alice, "m1", NOW_MS + 100);
        alice.set_retrieval_hint(CHANNEL, "m1", b"hint").expect("known");
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config, NOW_MS).expect("opens");
        let log = whole_log(&kind, &alice);
        let ids: Vec<_> = log.iter().map(|entry| entry.message_id.to_string()).collect();
        let expected: Vec<_> = (0..30).map(|number| format!("b{number:02}")).chain(["m1".to_owned()]).collect();
        assert_eq!(ids, expected, "{}", kind.name());
        for entry in &log {
            assert_eq!(entry.content, entry.message_id.as_bytes());
            assert_eq!(entry.sent, &*entry.message_id == "m1");
            assert_eq!(entry.received_ms / 1_000_000, NOW_MS / 1_000_000);
        }
        assert_eq!(log[30].retrieval_hint.as_deref(), Some(&b"hint"[..]));
        // Memory remembers six of them, and so it is with what came since it was opened.
        for number in 30..50 {
            let id = format!("b{number:02}");
            received.push(bob.wrap_outgoing(CHANNEL, Some(&id), b"hi", NOW_MS + 200 + number).expect("wraps").bytes);
            let new = received.last().expect("one");
            assert_eq!(alice.unwrap_incoming(new, NOW_MS).expect("good").disposition, Disposition::Delivered);
            kind.drain(&alice);
        }
        for bytes in &received {
            let again = alice.unwrap_incoming(bytes, NOW_MS).expect("good").disposition;
            assert_eq!(again, Disposition::Duplicate, "{}", kind.name());
        }
        // What names one of them waits for nothing.
        let names = Message {
            sender_id: "carol",
            message_id: "c1",
            channel_id: CHANNEL,
            lamport_timestamp_ms: Some(NOW_MS + 300),
            causal_history: vec![HistoryEntry { message_id: "b02", ..HistoryEntry::default() }],
            content: Some(b"remember?"),
            ..Message::default()
        };
        let mut bytes = Vec::new();
        wire::encode(Profile::Rfc, &names, &mut bytes);
        assert_eq!(alice.unwrap_incoming(&bytes, NOW_MS).expect("good").disposition, Disposition::Delivered);
        let refused = alice.wrap_outgoing(CHANNEL, Some("b03"), b"mine", NOW_MS).err();
        assert!(matches!(refused, Some(Error::BytesGone(_))), "{refused:?}");
        assert_eq!(events(kind.drain(&alice)), [], "nothing is missing");
    });
}

#[test]
fn a_batch_says_what_its_messages_would_one_by_one() {
    on_each(|mut kind| {
        let (alice, bob) = (fresh(&mut kind, &config("alice")), member("bob"));
        let plain = member("alice");
        bob.open_channel("kitchen", ChannelOptions::default(), NOW_MS).expect("opens");
        let wrap =
            |channel, id: &str| bob.wrap_outgoing(channel, Some(id), id.as_bytes(), NOW_MS).expect("wraps").bytes;
        let [one, two, three] = ["b1", "b2", "b3"].map(|id| wrap(CHANNEL, id));
        let elsewhere = wrap("kitchen", "k1");
        let batch: [&[u8]; 7] = [&three, b"no message", &two, &elsewhere, &one, &one, &three];
        let together = alice.unwrap_batch(&batch, NOW_MS);
        let apart: Vec<_> = batch.iter().map(|bytes| plain.unwrap_incoming(bytes, NOW_MS)).collect();
        assert_eq!(together, apart);
        assert_eq!(events(kind.drain(&alice)), events(plain.drain()));
    });
}

#[test]
fn a_host_that_does_not_confirm_is_offered_the_same_again_and_nothing_gets_out() {
    let mut host = crate::host::Host::default();
    let alice = Manager::open_external(config("alice"), host.records(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    let wrapped = alice.wrap_outgoing(CHANNEL, Some("m1"), b"hello", NOW_MS).expect("wraps");
    assert!(wrapped.bytes.is_empty(), "its bytes are held back");
    let offer = alice.offer().expect("a host's").expect("something to write");
    alice.wrap_outgoing(CHANNEL, Some("m2"), b"world", NOW_MS).expect("wraps");
    assert_eq!(alice.offer().expect("a host's"), Some(offer.clone()), "the same, until it is confirmed");
    assert_eq!(alice.drain(), []);
    assert!(!alice.confirm(offer.number + 1).expect("a host's"), "that was never offered");
    assert_eq!(alice.drain(), []);
    host.commit(&offer.writes);
    assert!(alice.confirm(offer.number).expect("a host's"));
    assert!(!alice.confirm(offer.number).expect("a host's"), "once is enough");
    let sent: Vec<_> = alice.drain().into_iter().map(|(_, output)| output).collect();
    assert!(matches!(&sent[..], [Output::Transmit(it)] if &*it.message_id == "m1"), "{sent:?}");
    // The second was never committed: after a crash it was never sent, and nobody was told otherwise.
    drop(alice);
    let alice = Manager::open_external(config("alice"), host.records(), NOW_MS).expect("opens");
    assert!(alice.message_status(CHANNEL, "m1").is_ok());
    assert!(alice.message_status(CHANNEL, "m2").is_err());
}
