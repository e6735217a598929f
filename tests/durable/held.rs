//! What a host needs that takes in messages while it still stores what earlier ones changed, as the npm package does:
//! [`Manager::unwrap_incoming_held`], and [`Manager::outgoing`].

use sds::config::Config;
use sds::error::Error;
use sds::output::{ChannelOptions, Disposition, Event, MessageState, Output};
use sds::store::Memory;
use sds::types::{HistoryEntry, Message, Profile, TimeMs};
use sds::{Manager, wire};

use crate::contract::{CHANNEL, NOW_MS, config, member};
use crate::host::Host;
use crate::kinds::Kind;

fn on_host(host: &Host) -> Manager {
    let alice = Manager::open_external(config("alice"), host.records(), NOW_MS).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice
}

/// Messages of bob's, each naming those before it.
fn of_bob() -> [Vec<u8>; 3] {
    let bob = member("bob");
    ["b1", "b2", "b3"]
        .map(|id| bob.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), NOW_MS).expect("wraps").bytes.to_vec())
}

/// The ids of what is told as delivered, in order.
fn told(alice: &Manager) -> Vec<String> {
    let delivered = |(_, output)| match output {
        Output::Event(Event::Delivered(it)) => {
            assert_eq!(it.content, it.message_id.as_bytes(), "its content comes along");
            Some(it.message_id.to_string())
        }
        _ => None,
    };
    alice.drain().into_iter().filter_map(delivered).collect()
}

fn receive_held(alice: &Manager, bytes: &[u8]) -> Disposition {
    let received = alice.unwrap_incoming_held(bytes, NOW_MS).expect("good");
    assert_eq!(received.content, received.message_id.as_bytes(), "the host has it in its hands all the same");
    received.disposition
}

#[test]
fn what_is_held_comes_once_it_is_stored_in_the_order_in_which_to_show_it() {
    let mut host = Host::default();
    let (alice, [first, second, third]) = (on_host(&host), of_bob());
    host.commit_all(&alice);
    let offer = || alice.offer().expect("a host's");
    assert_eq!(receive_held(&alice, &second), Disposition::Waiting);
    let earlier = offer().expect("what waits is stored");
    // The host has not stored that yet, and goes on to receive.
    assert_eq!(receive_held(&alice, &first), Disposition::Delivered);
    assert_eq!(receive_held(&alice, &first), Disposition::Duplicate);
    assert_eq!(receive_held(&alice, &third), Disposition::Delivered);
    assert_eq!(told(&alice), [""; 0], "nothing is told before it is stored");
    host.commit(&earlier.writes);
    assert!(alice.confirm(earlier.number).expect("a host's"));
    assert_eq!(told(&alice), [""; 0], "the second waited then: what let it go on is not stored");
    host.commit_all(&alice);
    assert_eq!(told(&alice), ["b1", "b2", "b3"], "what the calls returned has its place among the others, once");
}

#[test]
fn without_held_a_host_is_told_only_what_no_call_returned() {
    let mut host = Host::default();
    let (alice, [first, second, _]) = (on_host(&host), of_bob());
    assert_eq!(alice.unwrap_incoming(&second, NOW_MS).expect("good").disposition, Disposition::Waiting);
    assert_eq!(alice.unwrap_incoming(&first, NOW_MS).expect("good").disposition, Disposition::Delivered);
    host.commit_all(&alice);
    assert_eq!(told(&alice), ["b2"]);
}

#[test]
fn where_the_call_itself_stores_nothing_is_held() {
    let [first, second, _] = of_bob();
    for kind in [Kind::Memory(Memory::default()), Kind::sqlite()] {
        let alice = kind.open(&config("alice"), NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        assert_eq!(receive_held(&alice, &second), Disposition::Waiting);
        assert_eq!(receive_held(&alice, &first), Disposition::Delivered);
        assert_eq!(told(&alice), ["b2"], "{}", kind.name());
    }
    let alice = member("alice");
    assert_eq!(receive_held(&alice, &second), Disposition::Waiting);
    assert_eq!(receive_held(&alice, &first), Disposition::Delivered);
    assert_eq!(told(&alice), ["b2"]);
}

#[test]
fn bytes_that_are_refused_hold_nothing() {
    let mut host = Host::default();
    let alice = on_host(&host);
    host.commit_all(&alice);
    assert!(matches!(alice.unwrap_incoming_held(b"no message", NOW_MS), Err(Error::Decode(_))));
    assert_eq!(alice.offer().expect("a host's"), None);
}

/// Ids and states, by id.
fn outgoing(alice: &Manager) -> Vec<(String, MessageState)> {
    let mut outgoing: Vec<_> =
        alice.outgoing(CHANNEL).expect("open").into_iter().map(|(id, state)| (id.to_string(), state)).collect();
    outgoing.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    outgoing
}

#[test]
fn outgoing_lists_what_nobody_is_known_to_have_and_after_a_restart_too() {
    use MessageState::{Failed, Unacknowledged};
    let listed =
        |list: &[(&str, MessageState)]| list.iter().map(|(id, it)| ((*id).to_owned(), *it)).collect::<Vec<_>>();
    let config = Config { max_resends: 0, ..config("alice") };
    for mut kind in Kind::all() {
        let alice = kind.open(&config, NOW_MS).expect("opens");
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        assert_eq!(outgoing(&alice), []);
        let wrap = |id: &str, now_ms: TimeMs| {
            alice.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), now_ms).expect("wraps");
        };
        wrap("gone", NOW_MS);
        wrap("cancelled", NOW_MS);
        alice.cancel(CHANNEL, "cancelled", NOW_MS).expect("ours");
        // Never sent again, and nobody heard of it.
        let later_ms = NOW_MS + 600_000;
        alice.tick(later_ms).expect("ticks");
        wrap("heard", later_ms);
        wrap("new", later_ms);
        assert_eq!(outgoing(&alice), listed(&[("gone", Failed), ("heard", Unacknowledged), ("new", Unacknowledged)]));
        // Somebody names one of them.
        let heard = HistoryEntry { message_id: "heard", retrieval_hint: None, sender_id: None };
        let message = Message {
            channel_id: CHANNEL,
            message_id: "b1",
            sender_id: "bob",
            lamport_timestamp_ms: Some(later_ms),
            causal_history: vec![heard],
            content: Some(b"yes"),
            ..Message::default()
        };
        let mut bytes = Vec::new();
        wire::encode(Profile::Rfc, &message, &mut bytes);
        alice.unwrap_incoming(&bytes, later_ms).expect("good");
        let left = listed(&[("gone", Failed), ("new", Unacknowledged)]);
        assert_eq!(outgoing(&alice), left, "{}", kind.name());
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config, later_ms).expect("opens");
        assert_eq!(outgoing(&alice), left, "{}", kind.name());
        assert!(matches!(alice.outgoing("elsewhere"), Err(Error::UnknownChannel(_))));
    }
}
