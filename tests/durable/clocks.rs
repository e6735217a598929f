//! A host's clock that is set: what is stored tells the host's times, and what falls due is moved wherever it lies.

use sds::Manager;
use sds::output::{ChannelOptions, MessageState};
use sds::record;

use crate::contract::{CHANNEL, NOW_MS, config, member};
use crate::kinds::Kind;
use crate::mended::received;

const DAY_MS: u64 = 86_400_000;

/// When each message of the log was received or sent, by its id.
fn received_ms(kind: &mut Kind, alice: &Manager) -> Vec<(String, u64)> {
    kind.drain(alice);
    let entries = match kind {
        Kind::Host(host) => {
            let rows = host.rows.iter().filter(|((_, key), _)| key.kind == record::Kind::Message);
            let read = |((_, key), value): (&(_, record::Key), &Vec<u8>)| {
                alice.read_log_record(u64::try_from(key.id).expect("a number"), value, None).expect("reads")
            };
            rows.map(read).collect()
        }
        _ => alice.read_log(CHANNEL, None, 10).expect("reads").entries,
    };
    let mut times: Vec<_> =
        entries.into_iter().map(|entry| (entry.message_id.to_string(), entry.received_ms)).collect();
    times.sort();
    times
}

#[test]
fn a_log_tells_when_messages_came_by_the_hosts_clock_though_it_was_a_day_ahead_before() {
    for mut kind in Kind::all() {
        let (alice, bob) = (kind.open(&config("alice"), NOW_MS).expect("opens"), member("bob"));
        alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
        alice.tick(NOW_MS + DAY_MS).expect("ticks");
        alice.tick(NOW_MS).expect("ticks");
        alice.wrap_outgoing(CHANNEL, Some("a1"), b"x", NOW_MS + 1).expect("wraps");
        let [first, second] =
            ["b1", "b2"].map(|id| bob.wrap_outgoing(CHANNEL, Some(id), b"x", NOW_MS).expect("wraps").bytes);
        // The second waits for the first.
        alice.unwrap_incoming(&second, NOW_MS + 2).expect("good");
        kind.drain(&alice);
        drop(alice);
        let alice = kind.open(&config("alice"), NOW_MS + 3).expect("opens");
        alice.unwrap_incoming(&first, NOW_MS + 4).expect("good");
        let expected = [("a1", NOW_MS + 1), ("b1", NOW_MS + 4), ("b2", NOW_MS + 2)];
        let expected = expected.map(|(id, ms)| (id.to_owned(), ms));
        assert_eq!(received_ms(&mut kind, &alice), expected, "{}", kind.name());
        // What is acknowledged, and left the hour for which it may be asked for, is written anew.
        let heard = received("b9", NOW_MS + 10, b"x", &["a1", "b1", "b2"]);
        alice.unwrap_incoming(&heard, NOW_MS + 5).expect("good");
        assert_eq!(alice.message_status(CHANNEL, "a1").expect("ours").state, MessageState::Acknowledged);
        alice.tick(NOW_MS + 2 * 3_600_000).expect("ticks");
        alice.flush().expect("stores");
        assert_eq!(received_ms(&mut kind, &alice)[..3], expected, "{}", kind.name());
    }
}
