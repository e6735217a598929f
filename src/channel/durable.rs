//! A channel as records: what a call changed is written out, and all of it can be read back.
//!
//! The store holds just what the memory does, and more of the log. A channel that is read back goes on, message for
//! message, as if it had never stopped.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::clock::Clock;
use super::incoming::{Incoming, IncomingRecord, IncomingRecords};
use super::log::{Log, LogRecord, LogRecords, SideRecord};
use super::outgoing::{Outgoing, OutgoingRecord, OutgoingRecords};
use super::repair::{Answers, AnswersRecord, AnswersRecords, Requests, RequestsRecord};
use super::retention::Retention;
use super::sync::SyncRecord;
use super::whole::Whole;
use super::{Channel, Counters, Refilter};
use crate::bloom::FilterRecord;
use crate::config::Config;
use crate::idhash::IdHasher;
use crate::output::{ChannelOptions, Hint};
use crate::record::{Change, Damaged, Key, Kind, Rows, StoredMessage, Value, Wanted, add_row};
use crate::types::{ChannelId, Profile, TimeMs};

/// Stored messages that one commit deletes at most: more than one adds. Later ones go on with it.
const MOST_TRIMMED: u64 = 4_096;

/// How a channel stands: all of it that is no line of entries.
#[derive(Clone, PartialEq, Message)]
pub struct ChannelRecord {
    #[prost(bool, tag = "1")]
    libsds: bool,
    #[prost(bool, tag = "2")]
    from_now: bool,
    #[prost(bool, tag = "3")]
    derived_ids: bool,
    #[prost(fixed64, repeated, tag = "4")]
    hash_key: Vec<u64>,
    #[prost(fixed64, tag = "5")]
    rng: u64,
    #[prost(uint64, repeated, tag = "7")]
    clock: Vec<u64>,
    #[prost(uint64, optional, tag = "8")]
    floor_ms: Option<u64>,
    #[prost(uint64, repeated, tag = "9")]
    refilter: Vec<u64>,
    #[prost(uint64, repeated, tag = "10")]
    counters: Vec<u64>,
    #[prost(message, required, tag = "11")]
    filter: FilterRecord,
    #[prost(message, required, tag = "12")]
    log: LogRecord,
    #[prost(message, required, tag = "13")]
    incoming: IncomingRecord,
    #[prost(message, required, tag = "14")]
    outgoing: OutgoingRecord,
    #[prost(message, required, tag = "15")]
    sync: SyncRecord,
    #[prost(message, required, tag = "16")]
    requests: RequestsRecord,
    #[prost(message, required, tag = "17")]
    answers: AnswersRecord,
    #[prost(uint64, tag = "18")]
    stored_first: u64,
    #[prost(uint64, repeated, tag = "19")]
    marks: Vec<u64>,
}

/// What of a [`ChannelRecord`] is looked at before the channel is used: there may be thousands.
#[derive(Clone, PartialEq, Message)]
pub struct ChannelSummary {
    #[prost(bool, tag = "1")]
    libsds: bool,
    #[prost(bool, tag = "2")]
    from_now: bool,
    #[prost(bool, tag = "3")]
    derived_ids: bool,
    #[prost(uint64, repeated, tag = "7")]
    clock: Vec<u64>,
}

impl ChannelRecord {
    /// The host's clock stepped back from one time to another: what [`Channel::observe`] of either would do. Returns by
    /// how much deadlines move, in the host's milliseconds.
    pub fn step_back(&mut self, from_ms: TimeMs, to_ms: TimeMs, step_ms: u64) -> u64 {
        // One that is not whole is an error for who reads the channel.
        let [lamport_ms, steady_ms, offset_ms] = self.clock[..] else { return 0 };
        let mut clock = Clock::restore([lamport_ms, steady_ms, offset_ms], step_ms);
        clock.observe(from_ms);
        clock.observe(to_ms);
        self.clock = clock.record().to_vec();
        clock.record()[2].saturating_sub(offset_ms)
    }

    fn options(&self) -> ChannelOptions {
        options(self.libsds, self.from_now, self.derived_ids)
    }
}

fn options(libsds: bool, from_now: bool, derived_ids: bool) -> ChannelOptions {
    let profile = if libsds { Profile::Libsds } else { Profile::Rfc };
    ChannelOptions { profile: Some(profile), from_now, derived_ids }
}

impl ChannelSummary {
    /// How the channel was opened.
    pub fn options(&self) -> ChannelOptions {
        options(self.libsds, self.from_now, self.derived_ids)
    }

    /// The latest time that the channel was told, in the host's milliseconds.
    pub fn latest_ms(&self) -> TimeMs {
        match self.clock[..] {
            [_, steady_ms, offset_ms] => steady_ms.saturating_sub(offset_ms),
            _ => 0,
        }
    }
}

/// The stored records of a channel, but for its messages and its [`ChannelRecord`].
#[derive(Debug, Default)]
pub struct Records {
    log: LogRecords,
    incoming: IncomingRecords,
    outgoing: OutgoingRecords,
    requests: Rows,
    answers: AnswersRecords,
    covered: Vec<Vec<u8>>,
}

impl Records {
    /// Takes in one record. Those of a kind have to come in the order of their ids, each once.
    pub fn add(&mut self, key: Key, value: Vec<u8>) -> Result<(), Damaged> {
        match key.kind {
            Kind::Head | Kind::Message => {}
            Kind::Side => add_row(&mut self.log.sides, key.id, value)?,
            Kind::Waiting => add_row(&mut self.incoming.messages, key.id, value)?,
            Kind::WaitingState => add_row(&mut self.incoming.states, key.id, value)?,
            Kind::Missing => add_row(&mut self.incoming.missing, key.id, value)?,
            Kind::Request => add_row(&mut self.requests, key.id, value)?,
            Kind::Own => add_row(&mut self.outgoing.states, key.id, value)?,
            Kind::Answer => add_row(&mut self.answers.answers, key.id, value)?,
            Kind::Answered => self.answers.recent.push(value),
            Kind::Covered => self.covered.push(value),
            Kind::Received => self.log.received.push(value),
            Kind::Met => self.log.met.push(value),
            Kind::Lost => self.log.lost.push(value),
            Kind::Told => self.log.told.push(value),
        }
        Ok(())
    }

    /// Which messages go with these records.
    pub fn wanted(&self, record: &ChannelRecord) -> Result<Wanted, Damaged> {
        let from = record.log.evicted();
        let mut numbers = Outgoing::numbers(&self.outgoing.states)?;
        numbers.dedup();
        numbers.truncate(numbers.partition_point(|number| *number < from));
        Ok(Wanted { from, numbers })
    }

    fn add_messages(&mut self, messages: Vec<StoredMessage>, from: u64) {
        for message in messages {
            if message.is(StoredMessage::SENT) && !message.is(StoredMessage::CONTENT_ONLY) {
                self.outgoing.bytes.push((message.number, message.bytes.clone()));
            }
            if message.number >= from {
                self.log.messages.push(message);
            }
        }
    }
}

impl Channel {
    /// Keeps its state durably from now on.
    pub fn persist(&mut self) {
        self.retention.get_or_insert_default();
        self.filter.persist();
        self.log.persist();
        self.incoming.persist();
        self.outgoing.persist();
        self.requests.persist();
        self.answers.persist();
    }

    /// Whether a received message told what has to be stored though nothing comes of it, since nobody may tell it again: that
    /// somebody more has a message of ours, the id of a sync message that others will name, a hint of what is missing, where a
    /// channel begins, or that our clock was ahead. Asked after each.
    pub fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.heard)
    }

    /// Whether its state is kept durably.
    pub(super) fn is_durable(&self) -> bool {
        self.retention.is_some()
    }

    /// Writes out what the store does not have, but for its [`Channel::record`].
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.is_durable() {
            self.log.take_changes(&mut changes);
            self.reduce_stored(&mut changes);
            self.trim_stored(&mut changes);
            self.filter.take_changes(&mut changes);
            self.incoming.take_changes(&mut changes);
            self.outgoing.take_changes(&mut changes);
            self.requests.take_changes(&mut changes);
            self.answers.take_changes(&mut changes);
        }
        changes
    }

    /// Messages that nobody may have to send again are reduced to their contents.
    fn reduce_stored(&mut self, changes: &mut Vec<Change>) {
        for message in self.log.take_reduced() {
            if !self.outgoing.needs(message.number) {
                self.reduce(message, changes);
            }
        }
        let first = self.retention.as_ref().map_or(0, |retention| retention.first);
        for gone in self.outgoing.take_gone() {
            if gone.number < first {
                delete_message(gone.number, changes);
            } else if !self.log.is_whole(gone.number) {
                self.reduce(gone.stored(&self.me), changes);
            }
        }
    }

    fn reduce(&self, mut message: StoredMessage, changes: &mut Vec<Change>) {
        if let Some(content) = Whole::content_of(&message.bytes) {
            // Not a part of the whole message's memory any more.
            message.bytes = Bytes::copy_from_slice(&content);
            message.flags |= StoredMessage::CONTENT_ONLY;
            let key = Key { kind: Kind::Message, id: message.number.into() };
            changes.push(Change { key, value: Some(Value::Message(message)) });
        }
    }

    /// What is too much on disk, or too old, is deleted, the oldest by arrival first, so many in a call. What is in memory,
    /// or may have to be sent again, stays.
    fn trim_stored(&mut self, changes: &mut Vec<Change>) {
        let now_ms = self.clock.latest().steady_ms;
        let (next, in_memory) = (self.log.next_number(), self.log.first_number());
        let Some(retention) = &mut self.retention else { return };
        let too_many = next.saturating_sub(self.config.stored_messages);
        let too_old = retention.too_old(next, now_ms, self.config.stored_ms);
        // All at once might be as many as a lowered limit, or a damaged record, says.
        let keep_from = too_many.max(too_old).min(in_memory).min(retention.first.saturating_add(MOST_TRIMMED));
        while retention.first < keep_from {
            if !self.outgoing.needs(retention.first) {
                delete_message(retention.first, changes);
            }
            retention.first = retention.first.saturating_add(1);
        }
    }

    /// How the channel stands.
    pub fn record(&self) -> ChannelRecord {
        let Counters { received, sent, duplicates, delivered_early, filters_refused, refilters_refused, repaired } =
            self.counters;
        let retention = self.retention.as_ref();
        ChannelRecord {
            libsds: self.profile == Profile::Libsds,
            from_now: self.options.from_now,
            derived_ids: self.options.derived_ids,
            hash_key: self.ids.key().to_vec(),
            rng: self.rng.get_seed(),
            clock: self.clock.record().to_vec(),
            floor_ms: self.floor_ms,
            refilter: vec![self.refilter.minute, self.refilter.count as u64],
            counters: vec![received, sent, duplicates, delivered_early, filters_refused, refilters_refused, repaired],
            filter: self.filter.record(),
            log: self.log.record(),
            incoming: self.incoming.record(),
            outgoing: self.outgoing.record(),
            sync: self.sync.record(),
            requests: self.requests.record(),
            answers: self.answers.record(),
            stored_first: retention.map_or(0, |retention| retention.first),
            marks: retention.map_or(Vec::new(), Retention::marks),
        }
    }

    /// The channel of those records, with the messages that they [want](Records::wanted), by number.
    pub fn restore(
        id: ChannelId,
        config: Arc<Config>,
        record: &ChannelRecord,
        mut records: Records,
        messages: Vec<StoredMessage>,
    ) -> Result<Self, Damaged> {
        const BROKEN: Damaged = Damaged("a channel whose record is not whole");
        let [key_a, key_b] = record.hash_key[..] else { return Err(BROKEN) };
        let [lamport_ms, steady_ms, offset_ms] = record.clock[..] else { return Err(BROKEN) };
        let [minute, count] = record.refilter[..] else { return Err(BROKEN) };
        let [received, sent, duplicates, delivered_early, filters_refused, refilters_refused, repaired] =
            record.counters[..]
        else {
            return Err(BROKEN);
        };
        records.add_messages(messages, record.log.evicted());
        let mut channel = Self::new(id, record.options(), config, record.rng, 0);
        channel.ids = IdHasher::new([key_a, key_b]);
        channel.clock = Clock::restore([lamport_ms, steady_ms, offset_ms], channel.config.clock_step_ms);
        channel.floor_ms = record.floor_ms;
        channel.refilter = Refilter { minute, count: usize::try_from(count).unwrap_or(usize::MAX) };
        channel.counters =
            Counters { received, sent, duplicates, delivered_early, filters_refused, refilters_refused, repaired };
        channel.filter.restore(&record.filter, &records.covered)?;
        channel.log = Log::restore(&record.log, records.log, &channel.config)?;
        if record.stored_first > channel.log.first_number() {
            return Err(Damaged("a log on disk that begins after the one in memory"));
        }
        channel.incoming = Incoming::restore(&record.incoming, &records.incoming)?;
        channel.outgoing = Outgoing::restore(&record.outgoing, &records.outgoing)?;
        channel.sync.restore(&record.sync)?;
        channel.requests = Requests::restore(&record.requests, &records.requests)?;
        channel.answers = Answers::restore(&record.answers, &records.answers)?;
        channel.retention = Some(Retention::restore(record.stored_first, &record.marks));
        channel.rng = fastrand::Rng::with_seed(record.rng);
        channel.persist();
        Ok(channel)
    }
}

/// The content of a stored message.
pub fn stored_content(message: &StoredMessage) -> Result<Bytes, Damaged> {
    if message.is(StoredMessage::CONTENT_ONLY) || message.is(StoredMessage::SEEDED) {
        return Ok(message.bytes.clone());
    }
    Whole::content_of(&message.bytes).ok_or(Damaged("a message that does not decode"))
}

/// The hint of a stored message, out of the record beside it.
pub fn stored_hint(side: &[u8]) -> Result<Option<Hint>, Damaged> {
    SideRecord::hint_of(side)
}

fn delete_message(number: u64, changes: &mut Vec<Change>) {
    for kind in [Kind::Message, Kind::Side] {
        changes.push(Change { key: Key { kind, id: number.into() }, value: None });
    }
}
