//! What the tests share: members at a made-up time, messages of strangers, and looks into the state.

#![allow(dead_code)]

use sds::bloom::{Filter, FilterView, HashKind, ItemHash, Params, RFC_PARAMS};
use sds::output::{
    ChannelOptions, ChannelStatus, Disposition, Event, MessageState, Output, Transmit, Unwrapped, Wrapped,
};
use sds::types::{HistoryEntry, Message, Profile};
use sds::{Config, Error, Manager, wire};
use serde_json::Value;

/// When every test begins, in milliseconds; a whole second, so that libsds stamps are easy to read.
pub const NOW: u64 = 1_700_000_000_000;
pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
/// By when a received message is confirmed that nobody else confirms, with the default configuration.
pub const CONFIRMED_BY: u64 = 7 * SECOND / 2;
pub const CHANNEL: &str = "general";
pub const BOTH: [Profile; 2] = [Profile::Rfc, Profile::Libsds];

pub fn config(name: &str) -> Config {
    let seed = name.bytes().fold(7, |seed: u64, byte| seed * 31 + u64::from(byte));
    Config { participant_id: name.to_owned(), seed: Some(seed), ..Config::default() }
}

/// A manager with [`CHANNEL`] open since [`NOW`].
pub fn open(config: Config) -> Manager {
    let manager = Manager::open(config).unwrap();
    manager.open_channel(CHANNEL, ChannelOptions::default(), NOW).unwrap();
    manager
}

pub fn member(name: &str) -> Manager {
    open(config(name))
}

pub fn member_with(name: &str, change: impl FnOnce(&mut Config)) -> Manager {
    let mut config = config(name);
    change(&mut config);
    open(config)
}

pub fn member_of(profile: Profile, name: &str) -> Manager {
    member_with(name, |config| config.profile = profile)
}

/// A member that sends nothing by itself but resends, since sync messages are off: what falls due is about what it received.
pub fn quiet_member_with(change: impl FnOnce(&mut Config)) -> Manager {
    member_with("alice", |config| {
        config.profile = Profile::Libsds;
        change(config);
    })
}

/// A member whose channel was opened with these options.
pub fn member_opened(name: &str, options: ChannelOptions) -> Manager {
    let manager = Manager::open(config(name)).unwrap();
    manager.open_channel(CHANNEL, options, NOW).unwrap();
    manager
}

/// Wraps a message whose content is its id.
pub fn send(manager: &Manager, id: &str, now_ms: u64) -> Wrapped {
    manager.wrap_outgoing(CHANNEL, Some(id), id.as_bytes(), now_ms).unwrap()
}

pub fn receive<'a>(manager: &Manager, bytes: &'a [u8], now_ms: u64) -> Unwrapped<'a> {
    manager.unwrap_incoming(bytes, now_ms).unwrap()
}

pub fn disposition(manager: &Manager, bytes: &[u8], now_ms: u64) -> Disposition {
    receive(manager, bytes, now_ms).disposition
}

/// A message as a stranger might make it up: by bob, in rfc, of [`NOW`], its content its id, without history or filter.
#[derive(Clone)]
pub struct Forged<'a> {
    pub profile: Profile,
    pub message: Message<'a>,
}

pub fn forged(id: &str) -> Forged<'_> {
    let message = Message {
        sender_id: "bob",
        message_id: id,
        channel_id: CHANNEL,
        lamport_timestamp_ms: Some(NOW),
        content: Some(id.as_bytes()),
        ..Message::default()
    };
    Forged { profile: Profile::Rfc, message }
}

impl<'a> Forged<'a> {
    pub fn by(mut self, sender_id: &'a str) -> Self {
        self.message.sender_id = sender_id;
        self
    }

    pub fn at(mut self, lamport_ms: u64) -> Self {
        self.message.lamport_timestamp_ms = Some(lamport_ms);
        self
    }

    pub fn after(mut self, history: &[&'a str]) -> Self {
        self.message.causal_history.extend(history.iter().map(|id| entry(id)));
        self
    }

    pub fn hinted(mut self, id: &'a str, hint: &'a [u8]) -> Self {
        self.message.causal_history.push(HistoryEntry { retrieval_hint: Some(hint), ..entry(id) });
        self
    }

    /// Names a message and who sent it.
    pub fn after_from(mut self, id: &'a str, sender_id: &'a str) -> Self {
        self.message.causal_history.push(HistoryEntry { sender_id: Some(sender_id), ..entry(id) });
        self
    }

    /// Asks for messages (SDS-R).
    pub fn asking(mut self, ids: &[&'a str]) -> Self {
        self.message.repair_request.extend(ids.iter().map(|id| entry(id)));
        self
    }

    pub fn filter(mut self, filter: &'a [u8]) -> Self {
        self.message.bloom_filter = Some(filter);
        self
    }

    pub fn content(mut self, content: &'a [u8]) -> Self {
        self.message.content = Some(content);
        self
    }

    pub fn sync(mut self) -> Self {
        self.message.content = if self.profile == Profile::Libsds { Some(b"") } else { None };
        self
    }

    pub fn ephemeral(mut self) -> Self {
        self.message.lamport_timestamp_ms = None;
        self
    }

    pub fn channel(mut self, channel_id: &'a str) -> Self {
        self.message.channel_id = channel_id;
        self
    }

    pub fn of(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        wire::encode(self.profile, &self.message, &mut bytes);
        bytes
    }
}

pub fn entry(id: &str) -> HistoryEntry<'_> {
    HistoryEntry { message_id: id, ..HistoryEntry::default() }
}

/// The bytes of an rfc filter that holds `ids` and `others` more.
pub fn rfc_filter(ids: &[&str], others: usize) -> Vec<u8> {
    filled(Filter::new(Profile::Rfc, RFC_PARAMS), HashKind::Murmur, ids, others)
}

/// The bytes of a libsds filter of `bits` bits and ten hashes that holds `ids` and `others` more.
pub fn libsds_filter(bits: u64, ids: &[&str], others: usize) -> Vec<u8> {
    let params = Params { bits, words: (bits / 64 + 1) as usize, ..Params::sized(64, 0.001) };
    filled(Filter::new(Profile::Libsds, params), HashKind::Farm, ids, others)
}

fn filled(mut filter: Filter, kind: HashKind, ids: &[&str], others: usize) -> Vec<u8> {
    ids.iter().for_each(|id| filter.insert(&ItemHash::of(kind, id)));
    (0..others).for_each(|number| filter.insert(&ItemHash::of(kind, &format!("other {number}"))));
    filter.wire_bytes().to_vec()
}

/// The chance that this filter names an id that it does not hold.
pub fn false_chance(profile: Profile, filter: &[u8], id: &str) -> f64 {
    let view = FilterView::parse(profile, filter, filter.len()).unwrap().unwrap();
    view.false_positive_rate(&ItemHash::of(view.kind(), id))
}

/// Whether the filter in a message holds an id.
#[track_caller]
pub fn filter_holds(bytes: &[u8], id: &str) -> bool {
    let (profile, message) = decode(bytes);
    let filter = message.bloom_filter.expect("a filter");
    let view = FilterView::parse(profile, filter, filter.len()).unwrap().unwrap();
    view.contains(&ItemHash::of(view.kind(), id))
}

pub fn decode(bytes: &[u8]) -> (Profile, Message<'_>) {
    wire::decode(bytes, &Config::default()).unwrap()
}

/// Ids with a number each, from 0.
pub fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

/// The ids in the causal history of a message.
pub fn history(bytes: &[u8]) -> Vec<String> {
    decode(bytes).1.causal_history.iter().map(|entry| entry.message_id.to_owned()).collect()
}

/// The ids that a message asks for (SDS-R).
pub fn asks(bytes: &[u8]) -> Vec<String> {
    decode(bytes).1.repair_request.iter().map(|entry| entry.message_id.to_owned()).collect()
}

/// All events that wait, transmissions dropped.
pub fn events(manager: &Manager) -> Vec<Event> {
    let event = |output| match output {
        Output::Event(event) => Some(event),
        Output::Transmit(_) => None,
    };
    manager.drain().into_iter().filter_map(|(_, output)| event(output)).collect()
}

/// All transmissions that wait, events dropped.
pub fn transmits(manager: &Manager) -> Vec<Transmit> {
    let transmit = |output| match output {
        Output::Transmit(transmit) => Some(transmit),
        Output::Event(_) => None,
    };
    manager.drain().into_iter().filter_map(|(_, output)| transmit(output)).collect()
}

/// What a tick gives out to be sent.
pub fn tick(manager: &Manager, now_ms: u64) -> Vec<Transmit> {
    manager.tick(now_ms).unwrap();
    transmits(manager)
}

/// Ticks at every deadline until `until_ms`, and returns what was to be sent, each with its time.
pub fn run(manager: &Manager, until_ms: u64) -> Vec<(u64, Transmit)> {
    let mut sent = Vec::new();
    while let Some(due_ms) = manager.next_deadline().filter(|due| *due <= until_ms) {
        sent.extend(tick(manager, due_ms).into_iter().map(|transmit| (due_ms, transmit)));
        assert_ne!(manager.next_deadline(), Some(due_ms), "due again at once");
    }
    sent
}

/// What a tick tells.
pub fn tick_events(manager: &Manager, now_ms: u64) -> Vec<Event> {
    manager.tick(now_ms).unwrap();
    events(manager)
}

/// The ids of all events of a sort, in order.
pub fn delivered(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| if let Event::Delivered(it) = event { Some(&*it.message_id) } else { None })
        .collect()
}

pub fn missing(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| if let Event::Missing(it) = event { Some(&*it.message_id) } else { None })
        .collect()
}

pub fn lost(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|event| if let Event::Lost(it) = event { Some(&*it.message_id) } else { None }).collect()
}

/// The messages that were asked for, and how often that made.
pub fn requested(events: &[Event]) -> Vec<(&str, u32)> {
    let mut asked = Vec::new();
    for event in events {
        if let Event::RepairRequested { message_id, asks } = event {
            asked.push((message_id.as_str(), *asks));
        }
    }
    asked
}

pub fn acknowledged(events: &[Event]) -> Vec<&str> {
    let mut ids = Vec::new();
    for event in events {
        if let Event::Acknowledged { message_id } = event {
            ids.push(message_id.as_str());
        }
    }
    ids
}

pub fn state(manager: &Manager, id: &str) -> MessageState {
    manager.message_status(CHANNEL, id).unwrap().state
}

pub fn status(manager: &Manager) -> ChannelStatus {
    manager.channel_status(CHANNEL).unwrap()
}

pub fn lamport(manager: &Manager) -> u64 {
    status(manager).lamport_timestamp_ms
}

pub fn dump(manager: &Manager) -> Value {
    serde_json::from_str(&manager.dump_channel(CHANNEL).unwrap()).unwrap()
}

/// The ids of the log, in its order.
pub fn log(manager: &Manager) -> Vec<String> {
    let dump = dump(manager);
    let latest_first = dump["log_latest_first"].as_array().unwrap();
    latest_first.iter().rev().map(|entry| entry[1].as_str().unwrap().to_owned()).collect()
}

/// Everything of a manager that shows: if two of these are equal, a call between them changed nothing.
pub fn snapshot(manager: &Manager) -> (Vec<(String, String)>, Option<u64>) {
    let channels = manager.channels();
    let dumps = channels.iter().map(|id| (id.to_string(), manager.dump_channel(id).unwrap())).collect();
    (dumps, manager.next_deadline())
}

/// Runs a call that has to be refused, and checks that it changed nothing and queued nothing.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(manager: &Manager, call: impl FnOnce() -> Result<T, Error>) -> Error {
    let before = snapshot(manager);
    let error = call().expect_err("refused");
    assert_eq!(snapshot(manager), before, "changed by a call refused with: {error}");
    error
}
