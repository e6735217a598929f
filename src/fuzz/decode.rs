//! Target `decode`: bytes from the network, and then everything that one can do with what they decode to.

use super::step::END_OF_TIME_MS;
use super::{NOW, limits};
use crate::bloom::FilterView;
use crate::config::Config;
use crate::inspect::inspect;
use crate::manager::Manager;
use crate::output::{Disposition, Output, TransmitReason, Unwrapped};
use crate::types::{HistoryEntry, Message, Profile, TimeMs};
use crate::wire;

const PROFILES: [Profile; 2] = [Profile::Rfc, Profile::Libsds];

/// The input is the bytes.
pub(super) fn run(bytes: &[u8]) {
    let default = Config::default();
    for config in [&default, &limits::tight()] {
        if let Ok((profile, message)) = wire::decode(bytes, config) {
            assert!(bytes.len() <= config.max_message_bytes);
            keeps_limits(&message, config);
            writes_the_same(profile, &message, config);
        }
    }
    let decoded = wire::decode(bytes, &default);
    match inspect(bytes) {
        Ok(inspection) => assert_eq!(decoded.as_ref().map(|(profile, _)| *profile), Ok(inspection.profile)),
        Err(error) => assert_eq!(decoded.as_ref().err(), Some(&error)),
    }
    let Ok((_, message)) = decoded else { return };
    for profile in PROFILES {
        use_it(bytes, &message, "fuzz", profile);
    }
    if !message.sender_id.is_empty() {
        use_it(bytes, &message, message.sender_id, Profile::Rfc);
    }
}

fn keeps_limits(message: &Message<'_>, config: &Config) {
    let is_id = |id: &str| (1..=config.max_id_bytes).contains(&id.len());
    assert!(is_id(message.message_id) && is_id(message.channel_id));
    assert!(message.sender_id.len() <= config.max_id_bytes);
    assert!(message.causal_history.len() <= config.max_history_entries);
    assert!(message.repair_request.len() <= config.max_repair_entries);
    for entry in message.causal_history.iter().chain(&message.repair_request) {
        assert!(entry.message_id.len() <= config.max_id_bytes);
        assert!(entry.sender_id.is_none_or(|sender| sender.len() <= config.max_id_bytes));
        assert!(entry.retrieval_hint.is_none_or(|hint| hint.len() <= config.max_hint_bytes));
    }
}

/// What was decoded is written, in its own profile, as what decodes to the same, and in the other one as what decodes.
fn writes_the_same(profile: Profile, message: &Message<'_>, config: &Config) {
    // What a profile insists on takes a few bytes that need not have been there.
    let roomy = Config { max_message_bytes: 2 * config.max_message_bytes, ..config.clone() };
    for into in PROFILES {
        let mut written = Vec::new();
        wire::encode(into, message, &mut written);
        assert_eq!(written.len(), wire::encoded_len(into, message));
        let again = wire::decode(&written, &roomy).unwrap_or_else(|error| panic!("{error}: {message:?}"));
        assert_eq!(again.0, into);
        if into == profile {
            assert_eq!(again.1, expressible(profile, message));
        }
    }
}

/// A message as its profile can say it.
fn expressible<'a>(profile: Profile, message: &Message<'a>) -> Message<'a> {
    let mut message = message.clone();
    if profile == Profile::Libsds {
        message.lamport_timestamp_ms = message.lamport_timestamp_ms.map(|ms| ms / 1_000 * 1_000);
        message.bloom_filter = message.bloom_filter.or(Some(&[]));
        for entry in message.causal_history.iter_mut().chain(&mut message.repair_request) {
            entry.retrieval_hint = entry.retrieval_hint.filter(|hint| !hint.is_empty());
            entry.sender_id = entry.sender_id.filter(|sender| !sender.is_empty());
        }
    }
    message
}

/// A member that is called `me` receives the message, and lives with it.
fn use_it(bytes: &[u8], message: &Message<'_>, me: &str, profile: Profile) {
    let config =
        Config { participant_id: me.to_owned(), seed: Some(7), profile, auto_open_channels: true, ..Config::default() };
    let manager = Manager::open(config).expect("a sound configuration");
    let received = manager.unwrap_incoming(bytes, NOW).expect("it decodes, and nothing else is checked");
    check_received(&received, message, me);
    let again = manager.unwrap_incoming(bytes, NOW).expect("as before").disposition;
    let leaves_no_trace = matches!(received.disposition, Disposition::Sync | Disposition::Ephemeral | Disposition::Own);
    let wanted = if leaves_no_trace { received.disposition } else { Disposition::Duplicate };
    // What its own state does not know of is an echo from the second time on.
    assert!(again == wanted || again == Disposition::Own && received.own, "{again:?} after {received:?}");
    // A part of it is another message or none, and does no harm.
    let _ = manager.unwrap_incoming(&bytes[..bytes.len() / 2], NOW);
    let _ = manager.unwrap_incoming(&bytes[bytes.len() / 2..], NOW);

    answer(&manager, message);
    poll(&manager, NOW);
    is_repaired(&manager, message);
    look(&manager, message);
    let history: Vec<_> = message.causal_history.iter().map(|entry| entry.message_id).collect();
    let history: Vec<_> = history.into_iter().filter(|id| !id.is_empty()).collect();
    manager.mark_dependencies_met(message.channel_id, &history, NOW).expect("these ids were accepted before");
    let later = NOW + 2 * manager.config().dependency_timeout_ms;
    poll(&manager, later);
    let status = manager.channel_status(message.channel_id).expect("it is open");
    assert_eq!((status.waiting, status.missing), (0, 0), "nothing waits longer than it may");
    manager.close_channel(message.channel_id).expect("it is open");
}

fn check_received(received: &Unwrapped<'_>, message: &Message<'_>, me: &str) {
    assert_eq!(received.message_id, message.message_id);
    assert_eq!(received.channel_id, message.channel_id);
    assert_eq!(received.sender_id, message.sender_id);
    assert_eq!(received.content, message.payload().unwrap_or_default());
    assert_eq!(received.own, message.sender_id == me);
    assert!(received.unmet.len() <= message.causal_history.len());
    if received.disposition == Disposition::Waiting {
        assert!(!received.unmet.is_empty());
    }
}

/// A message after it names it, if it is in the log, and fits what others accept.
fn answer(manager: &Manager, message: &Message<'_>) {
    let named = manager.next_history(message.channel_id).expect("it is open");
    let wrapped = manager.wrap_outgoing(message.channel_id, None, b"an answer", NOW).expect("there is room");
    let (_, ours) = wire::decode(&wrapped.bytes, manager.config()).expect("what we send is what we accept");
    assert_eq!(ours.causal_history.len(), named.len());
    let filter = ours.bloom_filter.expect("we always send one");
    let (profile, limit) = (manager.config().profile, manager.config().max_filter_bytes);
    assert!(FilterView::parse(profile, filter, limit).expect("a sound filter").is_some());
    manager.set_retrieval_hint(message.channel_id, &wrapped.message_id, b"hint").expect("it is in the log");
    manager.message_status(message.channel_id, &wrapped.message_id).expect("it is ours");
}

/// Does what falls due for a while, from `now_ms` on.
fn poll(manager: &Manager, mut now_ms: TimeMs) {
    for _ in 0..6 {
        manager.tick(now_ms).expect("outputs are drained");
        for (_, output) in manager.drain() {
            if let Output::Transmit(transmit) = output {
                wire::decode(&transmit.bytes, manager.config()).expect("what we send is what we accept");
            }
        }
        // What is stamped later than any clock may show is due when no clock will show it.
        let Some(next_ms) = manager.next_deadline().filter(|next_ms| *next_ms <= END_OF_TIME_MS) else { return };
        assert!(next_ms > now_ms, "a deadline that does not pass: {next_ms} at {now_ms}");
        now_ms = next_ms;
    }
}

/// Somebody misses the message and asks for it: if we answer, it is with this message. One without content or timestamp was
/// not kept, and a part of its bytes may be another message with its id.
fn is_repaired(manager: &Manager, message: &Message<'_>) {
    let is_kept = message.payload().is_some() && message.lamport_timestamp_ms.is_some();
    let missing = HistoryEntry { message_id: message.message_id, sender_id: Some(message.sender_id), ..<_>::default() };
    let request = Message {
        sender_id: "asker",
        message_id: "a request",
        channel_id: message.channel_id,
        lamport_timestamp_ms: Some(NOW),
        repair_request: vec![missing],
        ..Message::default()
    };
    let mut bytes = Vec::new();
    wire::encode(Profile::Rfc, &request, &mut bytes);
    manager.unwrap_incoming(&bytes, NOW).expect("a sound message");
    manager.tick(NOW + manager.config().repair_t_max_ms).expect("outputs are drained");
    for (channel, output) in manager.drain() {
        let Output::Transmit(answer) = output else { continue };
        // The message may have asked for others itself, and a part of its bytes be one of them, or one in another channel.
        let is_ours = (channel.as_str(), answer.message_id.as_str()) == (message.channel_id, message.message_id);
        if is_kept && is_ours && answer.reason == TransmitReason::RepairAnswer {
            let (_, repaired) = wire::decode(&answer.bytes, manager.config()).expect("as we accepted it");
            assert_eq!(repaired.message_id, message.message_id);
            assert_eq!(repaired.payload(), message.payload());
            assert_eq!(repaired.lamport_timestamp_ms, message.lamport_timestamp_ms);
        }
    }
}

fn look(manager: &Manager, message: &Message<'_>) {
    let dump = manager.dump_channel(message.channel_id).expect("it is open");
    let dump: serde_json::Value = serde_json::from_str(&dump).expect("a dump is JSON");
    assert_eq!(dump["channel_id"], message.channel_id);
    assert!(manager.channels().iter().any(|channel| channel.as_str() == message.channel_id));
}
