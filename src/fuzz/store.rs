//! Target `store`: records, or an SQLite file of them, that were damaged since they were written. What opens all the same
//! is used.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};

use super::NOW;
use crate::config::Config;
use crate::error::{Error, StoreError};
use crate::manager::{Known, Manager};
use crate::output::{ChannelOptions, Output};
use crate::record::{Key, Kind, Value};
use crate::store::{Memory, Store, Write};
use crate::types::{ChannelId, HistoryEntry, Message, Profile};
use crate::wire;

const CHANNEL: &str = "garden";
/// One that is opened anew, in which nothing is damaged.
const SOUND: &str = "shed";
/// Damages of one input.
const MOST_DAMAGES: u8 = 12;

type Record = (ChannelId, Key, Vec<u8>);

/// What a manager left, and what others sent meanwhile.
pub(super) struct Left {
    pub records: Vec<Record>,
    pub messages: Vec<Vec<u8>>,
}

static RFC: LazyLock<Left> = LazyLock::new(|| left(Profile::Rfc));
static LIBSDS: LazyLock<Left> = LazyLock::new(|| left(Profile::Libsds));
static YOUNG: LazyLock<Left> = LazyLock::new(|| young(Profile::Rfc, &RFC));
static YOUNG_LIBSDS: LazyLock<Left> = LazyLock::new(|| young(Profile::Libsds, &LIBSDS));

/// Limits so small that a short history fills everything.
pub(super) fn config(who: &str, profile: Profile) -> Config {
    Config {
        participant_id: who.to_owned(),
        seed: Some(5),
        profile,
        log_messages: 6,
        seen_limit: 8,
        stored_messages: 12,
        max_waiting_messages: 4,
        max_missing: 6,
        max_resends: 1,
        bloom_capacity: 64,
        sync_in_libsds: true,
        max_unconfirmed_bytes: 1 << 20,
        ..Config::default()
    }
}

/// A channel in which nothing happened yet, and one with a message.
fn young(profile: Profile, old: &Left) -> Left {
    let memory = Memory::default();
    let alice = Manager::open_store(config("alice", profile), memory.clone(), NOW).expect("opens");
    for channel in [CHANNEL, "kitchen"] {
        alice.open_channel(channel, ChannelOptions::default(), NOW).expect("opens");
    }
    alice.wrap_outgoing("kitchen", None, b"first", NOW).expect("wraps");
    alice.flush().expect("memory");
    Left { records: memory.all(), messages: old.messages.clone() }
}

/// A history after which there are records of every kind.
pub(super) fn left(profile: Profile) -> Left {
    let memory = Memory::default();
    let messages = left_in(memory.clone(), profile);
    Left { records: memory.all(), messages }
}

/// Leaves that history in a store, and tells what others sent.
pub(super) fn left_in(store: impl Store + 'static, profile: Profile) -> Vec<Vec<u8>> {
    let alice = Manager::open_store(config("alice", profile), store, NOW).expect("opens");
    let others = ["bob", "carol"].map(|who| Manager::open(config(who, profile)).expect("opens"));
    for manager in others.iter().chain([&alice]) {
        manager.open_channel(CHANNEL, ChannelOptions::default(), NOW).expect("opens");
    }
    let mut messages = Vec::new();
    for round in 0..24_u64 {
        let now_ms = NOW + round * 40_000;
        for (who, other) in others.iter().enumerate() {
            let id = format!("{who}-{round}");
            let Ok(wrapped) = other.wrap_outgoing(CHANNEL, Some(&id), id.as_bytes(), now_ms) else { continue };
            messages.push(wrapped.bytes.to_vec());
            // Some are lost for alice, and some for the others.
            if round % 5 != 2 + who as u64 {
                let _ = alice.unwrap_incoming(&wrapped.bytes, now_ms);
            }
            if round % 3 != 0 {
                let _ = others[1 - who].unwrap_incoming(&wrapped.bytes, now_ms);
            }
        }
        if let Ok(wrapped) = alice.wrap_outgoing(CHANNEL, None, b"ours", now_ms)
            && round % 4 == 1
        {
            let _ = others[0].unwrap_incoming(&wrapped.bytes, now_ms);
        }
        for other in &others {
            let _ = other.tick(now_ms + 39_000);
            for (_, output) in other.drain() {
                if let Output::Transmit(transmit) = output {
                    let _ = alice.unwrap_incoming(&transmit.bytes, now_ms + 39_000);
                }
            }
        }
        if round == 20 {
            let _ = alice.mark_dependencies_met(CHANNEL, &["0-22", "never"], now_ms);
            for history in alice.next_history(CHANNEL).expect("open") {
                let _ = alice.set_retrieval_hint(CHANNEL, &history.message_id, b"hint");
            }
        }
        let _ = alice.tick(now_ms + 39_500);
        alice.drain();
    }
    // Names of a stranger push each other out.
    for number in 0..2 {
        let _ = alice.unwrap_incoming(&names(profile, number), NOW + 960_000);
    }
    alice.drain();
    alice.flush().expect("it works");
    messages
}

/// A sync message that names what nobody sent.
fn names(profile: Profile, number: usize) -> Vec<u8> {
    let ids: Vec<_> = (0..8).map(|at| format!("made up {number} {at}")).collect();
    let named = |message_id| HistoryEntry { message_id, ..HistoryEntry::default() };
    let message = Message {
        sender_id: "mallory",
        message_id: &ids[0].replace("up", "by"),
        channel_id: CHANNEL,
        lamport_timestamp_ms: Some(NOW + 960_000),
        causal_history: ids.iter().map(|id| named(id.as_str())).collect(),
        ..Message::default()
    };
    let mut bytes = Vec::new();
    wire::encode(profile, &message, &mut bytes);
    bytes
}

/// The input: flags, up to 12 damages, and what is done with what opens.
pub(super) fn run(bytes: &[u8]) {
    // Too few bytes are an input like any other, which ends early.
    let _ = damaged(&mut Unstructured::new(bytes));
}

fn damaged(input: &mut Unstructured<'_>) -> Result<()> {
    let flags: u8 = input.arbitrary()?;
    let profile = if flags & 1 == 0 { Profile::Rfc } else { Profile::Libsds };
    #[cfg(feature = "sqlite")]
    if flags & 8 != 0 {
        return super::file::damaged(input, profile, flags & 16 != 0);
    }
    let left = match (profile, flags & 4 == 0) {
        (Profile::Rfc, true) => &*RFC,
        (Profile::Rfc, false) => &*YOUNG,
        (Profile::Libsds, true) => &*LIBSDS,
        (Profile::Libsds, false) => &*YOUNG_LIBSDS,
    };
    let mut records = left.records.clone();
    for _ in 0..input.int_in_range(0..=MOST_DAMAGES)? {
        damage(input, &mut records)?;
    }
    let config = config("alice", profile);
    let now_ms = NOW + 24 * 40_000 + u64::from(input.arbitrary::<u32>()? >> 8);
    if flags & 2 == 0 {
        let Ok(memory) = Memory::of(records) else { return Ok(()) };
        if let Ok(alice) = Manager::open_store(config.clone(), memory.clone(), now_ms) {
            use_it(&alice, left, now_ms, true, || {});
            let _ = alice.flush();
            drop(alice);
            if let Ok(again) = Manager::open_store(config, memory, now_ms) {
                use_it(&again, left, now_ms + 1, true, || {});
            }
        }
    } else if let Ok(alice) = Manager::open_external(config.clone(), records.clone(), now_ms) {
        let mut host = Memory::of(records).unwrap_or_default();
        use_it(&alice, left, now_ms, true, || confirm(&alice, &mut host));
        drop(alice);
        if let Ok(again) = Manager::open_external(config, host.all(), now_ms) {
            use_it(&again, left, now_ms + 1, false, || {});
        }
    }
    Ok(())
}

fn confirm(alice: &Manager, host: &mut Memory) {
    while let Ok(Some(offer)) = alice.offer() {
        // A host that wrote what it was told, but for what it could not read either.
        let _ = host.commit(&offer.writes);
        assert!(
            offer
                .writes
                .iter()
                .all(|write| !matches!(write, Write::Channel(_, change) if is_empty(change.value.as_ref())))
        );
        assert!(alice.confirm(offer.number).expect("the host's"));
    }
}

/// A message that is stored has an id.
fn is_empty(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Message(message)) if message.message_id.is_empty() && message.bytes.is_empty())
}

fn damage(input: &mut Unstructured<'_>, records: &mut Vec<Record>) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let at = usize::from(input.arbitrary::<u16>()?) % records.len();
    let other = usize::from(input.arbitrary::<u16>()?) % records.len();
    match input.int_in_range(0..=10_u8)? {
        0 => {
            let offset = usize::from(input.arbitrary::<u16>()?);
            let bits: u8 = input.arbitrary()?;
            let value = &mut records[at].2;
            if let Some(byte) = (!value.is_empty()).then(|| offset % value.len()).and_then(|at| value.get_mut(at)) {
                *byte ^= bits;
            }
        }
        1 => {
            let len = usize::from(input.arbitrary::<u16>()?);
            records[at].2.truncate(len);
        }
        2 => {
            let more = usize::from(input.arbitrary::<u8>()?).min(input.len());
            records[at].2.extend_from_slice(input.bytes(more)?);
        }
        3 => drop(records.remove(at)),
        4 => records[at].1.id = records[other].1.id,
        5 => records[at].1.kind = Kind::from_number(input.int_in_range(0..=14)?).unwrap_or(Kind::Head),
        6 => {
            let value = records[other].2.clone();
            records[at].2 = value;
        }
        7 => {
            let len = usize::from(input.arbitrary::<u16>()?).min(input.len());
            records[at].2 = input.bytes(len)?.to_vec();
        }
        8 => records[at].1.id = input.arbitrary()?,
        9 => records[at].0 = ChannelId::from(if other.is_multiple_of(2) { "kitchen" } else { "" }),
        _ => {
            let copy = records[at].clone();
            records.push((copy.0, Key { id: copy.1.id.wrapping_add(1), ..copy.1 }, copy.2));
        }
    }
    Ok(())
}

/// `works`: the store itself does, and takes what it is given.
pub(super) fn use_it(alice: &Manager, left: &Left, now_ms: u64, works: bool, mut after: impl FnMut()) {
    let sound = alice.open_channel(SOUND, ChannelOptions::default(), now_ms);
    assert!(!works || sound.is_ok(), "{sound:?}");
    after();
    let _ = alice.open_channel(CHANNEL, ChannelOptions::default(), now_ms);
    for channel in alice.channels() {
        let _ = (alice.channel_status(&channel), alice.dump_channel(&channel), alice.next_history(&channel));
        let page = alice.read_log(&channel, None, 5);
        if let Some(last) = page.ok().and_then(|page| page.entries.last().cloned()) {
            let _ = alice.read_log(&channel, Some((last.lamport_timestamp_ms, &last.message_id)), 100);
        }
        let _ = alice.wrap_outgoing(&channel, Some("new"), b"hello", now_ms);
        let known = [Known { message_id: "seeded", sender_id: "bob", lamport_timestamp_ms: NOW, retrieval_hint: None }];
        let _ = alice.seed_history(&channel, &known, now_ms);
        for id in ["0-1", "1-2", "new", "never"] {
            let _ = (
                alice.message_status(&channel, id),
                alice.retry(&channel, id, now_ms),
                alice.cancel(&channel, id, now_ms),
            );
            let _ = alice.set_retrieval_hint(&channel, id, b"hint");
            let _ = alice.mark_dependencies_met(&channel, &[id], now_ms);
        }
        after();
    }
    for bytes in &left.messages {
        let _ = alice.unwrap_incoming(bytes, now_ms);
    }
    after();
    for minutes in [0, 1, 10, 40] {
        let at_ms = now_ms + minutes * 60_000;
        let done = alice.tick(at_ms);
        if matches!(&done, Ok(()) | Err(Error::Store(StoreError::Damaged(_)))) && works {
            let next_ms = alice.next_deadline();
            assert!(next_ms.is_none_or(|next_ms| next_ms > at_ms), "{next_ms:?} stays due at {at_ms} after {done:?}");
        }
        alice.drain();
        after();
        // Whatever became of the others, one that is sound goes on.
        let id = format!("sound {at_ms}");
        let sent = alice.wrap_outgoing(SOUND, Some(&id), b"still here", at_ms);
        assert!(!works || sent.is_ok() && alice.message_status(SOUND, &id).is_ok(), "{sent:?}");
        after();
    }
    let _ = alice.close_channel(CHANNEL);
    let _ = alice.forget_channel("kitchen");
    let _ = alice.flush();
    after();
}
