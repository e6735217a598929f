//! Receiving: from a message to acknowledgements, filter, log, and what is delivered.
//!
//! RFC: Receive Message; Deliver Message

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use bytes::Bytes;

use super::clock::Now;
use super::ids::{Ids, Named};
use super::incoming::{Noted, Waiting};
use super::log::{self, Known, Stored};
use super::outgoing::Review;
use super::sync::Unconfirmed;
use super::whole::Whole;
use super::{Channel, Refilter};
use crate::bloom::{FilterView, ItemHash};
use crate::error::Error;
use crate::idhash::{IdHash, derive_message_id};
use crate::output::{Delivered, Disposition, Event, Hint};
use crate::record::StoredMessage;
use crate::types::{Dependency, Kind, Message, MessageId, ParticipantId, Profile, TimeMs};

const MINUTE_MS: u64 = 60_000;
/// Filters that hold a stranger's id with more than this chance confirm nothing.
const MAX_CONFIRMING_ERROR: f64 = 0.01;

/// What became of a received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What became of it.
    pub disposition: Disposition,
    /// Its sender id is ours.
    pub own: bool,
    /// Every dependency of it that is not met now, in the order named.
    pub unmet: Vec<Dependency>,
}

/// A message on its way through the steps, with what was found out about it.
struct Incomer<'a> {
    message: &'a Message<'a>,
    bytes: &'a [u8],
    profile: Profile,
    hash: IdHash,
    lamport_ms: u64,
    sender: IdHash,
    own: bool,
    now: Now,
    history: &'a [Named<'a>],
    filter: Option<FilterView<'a>>,
}

impl Incomer<'_> {
    fn names(&self, hash: IdHash) -> bool {
        self.history.iter().any(|named| named.hash == hash)
    }
}

impl Channel {
    /// Takes in a message of this channel, which came as `bytes` in `profile` (RFC 109, *Receive Message*).
    pub fn receive(
        &mut self,
        bytes: &[u8],
        message: &Message<'_>,
        ids: &Ids<'_>,
        profile: Profile,
        now_ms: TimeMs,
    ) -> Result<Received, Error> {
        self.check_derived_id(message)?;
        let now = self.clock.observe(now_ms);
        let own = self.is_own(message.sender_id);
        let Some(lamport_ms) = message.lamport_timestamp_ms.filter(|_| message.kind() != Kind::Ephemeral) else {
            let disposition = if own { Disposition::Own } else { Disposition::Ephemeral };
            return Ok(Received { disposition, own, unmet: Vec::new() });
        };
        self.log.drop_whole_before(now.steady_ms.saturating_sub(self.config.repair_window_ms));
        let Ids { hash, ref history } = *ids;
        if self.log.was_received(hash) || self.incoming.is_waiting(hash) {
            self.cancel_answer(hash, bytes, message);
            return Ok(self.receive_again(message, ids, own, now));
        }
        // Who has no participant id knows its own sync messages by their ids.
        if message.kind() == Kind::Sync && (own || self.sync.is_own(hash)) {
            return Ok(Received { disposition: Disposition::Own, own, unmet: Vec::new() });
        }
        history.iter().for_each(|named| self.log.named(named.hash));
        let filter = self.usable_filter(message, profile);
        let sender = self.ids.hash(message.sender_id);
        let incomer = Incomer { message, bytes, profile, hash, lamport_ms, sender, own, now, history, filter };
        if !own {
            self.fall_back_if_ahead(lamport_ms, now);
            // A message under our id that we did not send is no evidence of anybody having ours.
            self.review_acks(&incomer);
            self.note_confirmations(&incomer);
        }
        let received = match message.kind() {
            Kind::Content => self.receive_content(&incomer),
            _ => self.receive_sync(&incomer),
        };
        if !own {
            self.take_up_requests(message, now);
        }
        Ok(received)
    }

    /// In a channel of derived ids, whoever makes up a message cannot give it the id of another.
    fn check_derived_id(&self, message: &Message<'_>) -> Result<(), Error> {
        if !self.options.derived_ids || message.kind() != Kind::Content {
            return Ok(());
        }
        let lamport_ms = message.lamport_timestamp_ms.unwrap_or(0);
        let content = message.payload().unwrap_or_default();
        if derive_message_id(message.channel_id, message.sender_id, lamport_ms, content) == message.message_id {
            return Ok(());
        }
        Err(Error::IdMismatch(message.message_id.to_owned()))
    }

    /// A duplicate, or an echo of our own. It acknowledges nothing: it may be a replay.
    fn receive_again(&mut self, message: &Message<'_>, ids: &Ids<'_>, own: bool, now: Now) -> Received {
        if own {
            return Received { disposition: Disposition::Own, own, unmet: Vec::new() };
        }
        self.counters.duplicates = self.counters.duplicates.saturating_add(1);
        if message.kind() == Kind::Content {
            self.filter_again(message, ids.hash, now);
        }
        let unmet = if self.incoming.is_waiting(ids.hash) { self.unmet(&ids.history) } else { Vec::new() };
        Received { disposition: Disposition::Duplicate, own, unmet }
    }

    /// The sender of a message that left the filter's window did not hear that it was received. It enters the filter once
    /// more, and our confirmation is due once more, so that a resend earns a new acknowledgement.
    fn filter_again(&mut self, message: &Message<'_>, hash: IdHash, now: Now) {
        let item = ItemHash::of(self.filter.kind(), message.message_id);
        self.filter.expire(now.steady_ms);
        if !self.filter.covers(&item) && self.may_refilter(now) {
            self.filter.insert_item(item, now.steady_ms);
            let unconfirmed = Unconfirmed { hash, item, sender: self.ids.hash(message.sender_id) };
            self.sync.add_unconfirmed(unconfirmed, now.steady_ms, &self.config, &mut self.rng);
        }
    }

    /// A stranger who replays old messages must not crowd recent ones out of the filter.
    fn may_refilter(&mut self, now: Now) -> bool {
        let minute = now.steady_ms / MINUTE_MS;
        if self.refilter.minute != minute {
            self.refilter = Refilter { minute, count: 0 };
        }
        self.refilter.count = self.refilter.count.saturating_add(1);
        let may = self.refilter.count <= self.config.refilter_per_minute;
        self.counters.refilters_refused = self.counters.refilters_refused.saturating_add(u64::from(!may));
        may
    }

    fn usable_filter<'a>(&mut self, message: &Message<'a>, profile: Profile) -> Option<FilterView<'a>> {
        match FilterView::parse(profile, message.bloom_filter?, self.config.max_filter_bytes) {
            Ok(filter) => filter,
            Err(_) => {
                self.counters.filters_refused = self.counters.filters_refused.saturating_add(1);
                None
            }
        }
    }

    /// Reviews the ack status of our messages by the received history and filter.
    fn review_acks(&mut self, incomer: &Incomer<'_>) {
        let (sender_id, filter) = (incomer.message.sender_id, incomer.filter.as_ref());
        let seen = Review { sender_id, sender: incomer.sender, history: incomer.history, filter };
        let events = self.outgoing.review(&seen, incomer.now.steady_ms, &self.config, &mut self.rng);
        self.heard |= self.outgoing.take_heard();
        events.into_iter().for_each(|event| self.emit(event));
    }

    /// What somebody else confirms, we need not. If they confirm all that our next message would name, ours can wait.
    fn note_confirmations(&mut self, incomer: &Incomer<'_>) {
        if !self.sync.is_enabled() {
            return;
        }
        let filter = incomer.filter.as_ref().filter(|filter| filter.kind() == self.filter.kind());
        // A filter that holds nearly anything says nothing. How full it is, is looked up only where it matters.
        let sound = OnceCell::new();
        let is_sound = |filter: &FilterView<'_>| filter.least_false_positive_rate(filter.fill()) < MAX_CONFIRMING_ERROR;
        let holds = |item: &ItemHash| {
            filter.is_some_and(|filter| filter.contains(item) && *sound.get_or_init(|| is_sound(filter)))
        };
        self.sync.retain_unconfirmed(|message| {
            // The empty sender equals nobody: then it may well be another.
            let own_sender = !incomer.message.sender_id.is_empty() && message.sender == incomer.sender;
            own_sender || !(incomer.names(message.hash) || holds(&message.item))
        });
        if self.covers_our_latest(incomer, holds) {
            // A stamp that is ahead must not make stale what comes in until then.
            let lamport_ms = incomer.lamport_ms.min(incomer.now.wall_ms);
            self.sync.suppress(lamport_ms, incomer.now.steady_ms, &mut self.rng);
        }
    }

    /// Whether a message names all that our next one would, and can be believed to come after it: what is stamped before
    /// what it names, or far ahead, is made up.
    fn covers_our_latest(&self, incomer: &Incomer<'_>, holds: impl Fn(&ItemHash) -> bool) -> bool {
        let sender_id = incomer.message.sender_id;
        let covers = |entry: &log::Entry| {
            incomer.names(entry.hash)
                || (!sender_id.is_empty() && entry.sender_id.as_str() == sender_id)
                || holds(&ItemHash::of(self.filter.kind(), &entry.message_id))
        };
        let mut latest = self.log.latest().take(self.config.causal_history_size).peekable();
        let Some(newest_ms) = latest.peek().map(|entry| entry.lamport_ms) else { return false };
        let believable = incomer.lamport_ms > newest_ms && !self.is_ahead(incomer.lamport_ms, incomer.now);
        believable && latest.all(covers)
    }

    /// A sync message: its history tells what we miss. Nothing else of it stays, except that in a libsds channel members
    /// take it for an ordinary message and will name it, so that its id must not count as missing.
    fn receive_sync(&mut self, incomer: &Incomer<'_>) -> Received {
        let (mut unmet, before_us) = self.dependencies(incomer);
        let mut met = self.hashes(&before_us);
        // Where ids are derived, none of a message that is named is that of a sync message: it would be made up. And in an
        // rfc channel, nobody names one.
        let is_named = self.profile == Profile::Libsds && incomer.profile == Profile::Libsds;
        if is_named && !self.options.derived_ids {
            self.log.remember_named(incomer.hash);
            self.heard = true;
            self.repaired_if_asked(incomer.hash, incomer.message.message_id);
            self.incoming.arrived(incomer.hash);
            met.push(incomer.hash);
        }
        self.deliver_dependents(met);
        // It may name what waited for itself.
        unmet.retain(|dependency| !self.log.is_met(self.ids.hash(&dependency.message_id)));
        let deadline_ms = self.timeout_ms(incomer.now);
        self.report_missing(&unmet, deadline_ms, incomer);
        Received { disposition: Disposition::Sync, own: incomer.own, unmet }
    }

    fn receive_content(&mut self, incomer: &Incomer<'_>) -> Received {
        let message = incomer.message;
        let item = ItemHash::of(self.filter.kind(), message.message_id);
        self.filter.insert_item(item, incomer.now.steady_ms);
        if !incomer.own {
            let unconfirmed = Unconfirmed { hash: incomer.hash, item, sender: incomer.sender };
            self.sync.add_unconfirmed(unconfirmed, incomer.now.steady_ms, &self.config, &mut self.rng);
        }
        self.sync.news(incomer.now.steady_ms, &self.config, &mut self.rng);
        let late = self.log.found(incomer.hash);
        self.repaired_if_asked(incomer.hash, message.message_id);
        let named = self.incoming.arrived(incomer.hash);
        let (unmet, before_us) = self.dependencies(incomer);
        let disposition = match (unmet.is_empty(), late, before_us.is_empty()) {
            (false, _, _) => Disposition::Waiting,
            (true, true, _) => Disposition::Late,
            (true, false, false) => Disposition::BeforeUs,
            (true, false, true) => Disposition::Delivered,
        };
        let mut met = self.hashes(&before_us);
        let listed = if unmet.is_empty() { before_us } else { unmet.clone() };
        let whole = self.whole_if_answerable(incomer.bytes, message, incomer.now);
        if unmet.is_empty() {
            let entry = log::Entry {
                message_id: MessageId::from(message.message_id),
                hash: incomer.hash,
                lamport_ms: incomer.lamport_ms,
                sender_id: ParticipantId::from(message.sender_id),
                hint: None,
                whole,
                namings: self.namings(named),
                flags: flags(incomer.own, late),
            };
            let stored = self.is_durable().then(|| Stored::received(&entry, incomer.now, || message.payload()));
            self.deliver(entry, incomer.own, incomer.now, stored);
            met.push(incomer.hash);
        } else {
            self.wait(incomer, whole, &unmet, late, named);
        }
        self.deliver_dependents(met);
        Received { disposition, own: incomer.own, unmet: listed }
    }

    /// Puts a message with unmet dependencies into the incoming buffer.
    fn wait(&mut self, incomer: &Incomer<'_>, whole: Option<Whole>, unmet: &[Dependency], late: bool, named: bool) {
        let message = incomer.message;
        let deadline_ms = self.timeout_ms(incomer.now);
        self.report_missing(unmet, deadline_ms, incomer);
        let content = whole.as_ref().map(Whole::content);
        let content = content.unwrap_or_else(|| Bytes::copy_from_slice(message.payload().unwrap_or_default()));
        let waiting = Waiting {
            message_id: message.message_id.into(),
            sender_id: message.sender_id.into(),
            lamport_ms: incomer.lamport_ms,
            content,
            whole,
            hint: None,
            late,
            named,
            own: incomer.own,
            since: incomer.now,
            unmet: self.hashes(unmet),
            deadline_ms,
            arrival: 0,
        };
        self.incoming.add(incomer.hash, waiting);
        self.incoming.reduce(&self.config);
        while let Some(oldest) = self.incoming.overflow(&self.config) {
            self.deliver_waiting(oldest);
        }
    }

    /// The unmet dependencies of a message, each once: those to wait for, and those that lie before us. These are told, and need
    /// not be waited for: who does is to be delivered once the message itself has its place.
    fn dependencies(&mut self, incomer: &Incomer<'_>) -> (Vec<Dependency>, Vec<Dependency>) {
        let unmet = self.unmet(incomer.history);
        if !self.options.from_now {
            return (unmet, Vec::new());
        }
        if self.floor_ms.is_none() && !self.is_ahead(incomer.lamport_ms, incomer.now) {
            self.floor_ms = Some(incomer.lamport_ms);
            self.heard = true;
        }
        if self.floor_ms.is_none_or(|floor_ms| incomer.lamport_ms > floor_ms) {
            return (unmet, Vec::new());
        }
        let (unmet, before_us): (Vec<_>, Vec<_>) =
            unmet.into_iter().partition(|dependency| self.incoming.is_waiting(self.ids.hash(&dependency.message_id)));
        for dependency in &before_us {
            let hash = self.ids.hash(&dependency.message_id);
            self.emit(Event::BeforeUs(dependency.clone()));
            self.log.remember(hash, Known::Met);
            self.no_longer_missing(hash);
        }
        (unmet, before_us)
    }

    fn hashes(&self, dependencies: &[Dependency]) -> Vec<IdHash> {
        dependencies.iter().map(|dependency| self.ids.hash(&dependency.message_id)).collect()
    }

    /// Dependencies are met if the log has, or had, their ids. One that waits itself is not met.
    fn unmet(&self, history: &[Named<'_>]) -> Vec<Dependency> {
        let mut seen = BTreeSet::new();
        let is_unmet = |named: &&Named<'_>| !self.log.is_met(named.hash) && seen.insert(named.hash.number());
        history.iter().filter(is_unmet).map(|named| Dependency::from(named.entry)).collect()
    }

    /// Reports ids that are named and not here, each once. One that waits itself is here.
    fn report_missing(&mut self, unmet: &[Dependency], deadline_ms: TimeMs, incomer: &Incomer<'_>) {
        let waited = incomer.message.kind() == Kind::Content;
        let unmet: Vec<_> = self.hashes(unmet).into_iter().zip(unmet).collect();
        if waited {
            // All of them first: none gives way to another.
            unmet.iter().for_each(|(hash, _)| self.incoming.is_to_be_waited_for(*hash));
        }
        for (hash, dependency) in unmet {
            if self.incoming.is_waiting(hash) {
                continue;
            }
            // Before another that gives way takes its place among those that were told.
            let was_told = self.log.was_told(hash);
            match self.incoming.note_missing(hash, dependency, deadline_ms, waited, self.config.max_missing) {
                Noted::New => {}
                Noted::InsteadOf(other) => {
                    self.requests.remove(other);
                    self.log.remember(other, Known::Told);
                }
                Noted::Learned => {
                    self.requests.learn(hash, dependency);
                    self.heard = true;
                    continue;
                }
                Noted::Known => continue,
                Noted::Untracked => continue,
            }
            if was_told {
                self.heard = true;
            } else {
                self.emit(Event::Missing(dependency.clone()));
            }
            self.ask_for(hash, dependency, incomer.now);
        }
    }

    /// Delivers a message: a greater timestamp moves the clock, and the id enters the log by its timestamp. One stamped
    /// too far ahead moves no clock and stays outside the order: a single hostile stamp must not poison a channel.
    fn deliver(&mut self, entry: log::Entry, own: bool, now: Now, stored: Option<Stored>) {
        if !own {
            self.counters.received = self.counters.received.saturating_add(1);
        }
        self.enter_log(entry, now, stored);
    }

    /// A message enters the log, and moves the clock unless it is stamped too far ahead.
    pub(super) fn enter_log(&mut self, entry: log::Entry, now: Now, stored: Option<Stored>) {
        let ahead = self.is_ahead(entry.lamport_ms, now);
        if !ahead {
            self.clock.raise(entry.lamport_ms);
        }
        self.log.insert(entry, ahead, stored);
    }

    /// When what is missing now is given up.
    fn timeout_ms(&self, now: Now) -> TimeMs {
        self.waiting_ms(now).saturating_add(self.config.dependency_timeout_ms)
    }

    /// The time on the scale of the deadlines. Offline time does not count: going online moves all deadlines on by it.
    fn waiting_ms(&self, now: Now) -> TimeMs {
        self.offline_since_ms.unwrap_or(now.steady_ms)
    }

    /// How often a message that enters the log counts as named. If it was named before it was here, whoever misses it has
    /// heard of it as we did: that is enough.
    fn namings(&self, named: bool) -> usize {
        if named { self.config.causal_history_size } else { 0 }
    }

    /// Delivers all that waited for these and now waits for nothing more, and what waited for that, in causal order, and
    /// in log order among those that do not depend on each other.
    pub(super) fn deliver_dependents(&mut self, met: impl IntoIterator<Item = IdHash>) {
        let mut ready = BinaryHeap::new();
        met.into_iter().for_each(|hash| self.add_ready(hash, &mut ready));
        while let Some(Reverse((_, _, next))) = ready.pop() {
            self.deliver_one_waiting(next);
            self.add_ready(next, &mut ready);
        }
    }

    /// Delivers a waiting message whatever is missing, after what it names and waits here, and then what waited for these.
    /// What is missing stays so until its own time.
    pub(super) fn deliver_waiting(&mut self, hash: IdHash) {
        let timeout_ms = self.config.dependency_timeout_ms;
        let Some(deadline_ms) = self.incoming.deadline_ms(hash) else { return };
        let stamped_by_ms = self.clock.to_host(deadline_ms.saturating_sub(timeout_ms)).saturating_add(timeout_ms / 2);
        let due_by_ms = deadline_ms.saturating_add(timeout_ms / 2);
        for next in self.incoming.with_named(hash, stamped_by_ms, due_by_ms) {
            // One of those before may have set it free meanwhile.
            if self.incoming.is_waiting(next) {
                self.deliver_one_waiting(next);
                self.deliver_dependents([next]);
            }
        }
    }

    fn add_ready(&mut self, met: IdHash, ready: &mut BinaryHeap<Reverse<(u64, MessageId, IdHash)>>) {
        for hash in self.incoming.met(met) {
            if let Some((lamport_ms, message_id)) = self.incoming.place(hash) {
                ready.push(Reverse((lamport_ms, message_id, hash)));
            }
        }
    }

    fn deliver_one_waiting(&mut self, hash: IdHash) {
        let Some(waiting) = self.incoming.take(hash) else { return };
        let is_early = !waiting.unmet.is_empty() && waiting.deadline_ms > self.waiting_ms(self.clock.latest());
        self.counters.delivered_early = self.counters.delivered_early.saturating_add(u64::from(is_early));
        let hint: Option<Hint> = waiting.hint;
        // Not a part of the whole message's memory: until the host drains the event, that would be held for its content.
        let content = match &waiting.whole {
            Some(_) => Bytes::copy_from_slice(&waiting.content),
            None => waiting.content,
        };
        let named = waiting.named || self.incoming.is_waited_for(hash);
        let entry = log::Entry {
            message_id: waiting.message_id.clone(),
            hash,
            lamport_ms: waiting.lamport_ms,
            sender_id: waiting.sender_id.clone(),
            hint,
            whole: waiting.whole,
            namings: self.namings(named),
            flags: flags(waiting.own, waiting.late),
        };
        let stored = self.is_durable().then(|| Stored::received(&entry, waiting.since, || Some(&content)));
        self.deliver(entry, waiting.own, self.clock.latest(), stored);
        self.emit(Event::Delivered(Delivered {
            message_id: waiting.message_id,
            sender_id: waiting.sender_id,
            lamport_timestamp_ms: waiting.lamport_ms,
            content,
            late: waiting.late,
            own: waiting.own,
        }));
    }
}

/// What the stored log says of a received message.
fn flags(own: bool, late: bool) -> u8 {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    flag(own, StoredMessage::OWN) | flag(late, StoredMessage::LATE)
}
