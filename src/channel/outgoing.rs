//! Our own messages: whether somebody has them, and when they are sent again.
//!
//! RFC: Review ACK Status

mod durable;
mod own;

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use super::ids::Named;
use super::pace::Pace;
use super::tally::Tally;
use crate::bloom::{FilterView, HashKind, ItemHash};
use crate::config::Config;
use crate::error::Error;
use crate::idhash::{IdHash, IdMap};
use crate::output::{Event, MessageState, MessageStatus};
use crate::types::{MessageId, TimeMs};
use durable::Unsaved;
pub(super) use durable::{OutgoingRecord, OutgoingRecords};
pub(super) use own::Sent;
use own::{Evidence, Own, name_len};

/// What a review needs of a message, side by side with its like.
#[derive(Debug)]
struct UnderReview {
    hash: IdHash,
    farm: Option<ItemHash>,
    murmur: Option<ItemHash>,
    /// Whose filter held it last, and what that was worth. The same said again is passed over: every message of a peer
    /// says it, until the message is acknowledged.
    last: Option<(IdHash, Evidence)>,
}

impl UnderReview {
    /// The hashes that place the message in filters of this kind, computed once.
    fn item_hash(&mut self, kind: HashKind, messages: &IdMap<Box<Own>>) -> Option<ItemHash> {
        let cached = match kind {
            HashKind::Farm => &mut self.farm,
            HashKind::Murmur => &mut self.murmur,
        };
        if cached.is_none() {
            *cached = messages.get(&self.hash).map(|own| ItemHash::of(kind, &own.message_id));
        }
        *cached
    }
}

/// The buffer of unacknowledged outgoing messages, and what became of those that left it.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Boxed: thousands may be kept, and a small table is quicker to look into.
    messages: IdMap<Box<Own>>,
    /// Those that no history has named yet.
    review: Vec<UnderReview>,
    /// When each is to be sent again.
    due: BTreeSet<(TimeMs, IdHash)>,
    /// Bytes of these.
    review_bytes: Tally,
    /// Bytes of the names of those who possibly acknowledged these. They have their own limit: strangers choose them, and
    /// must not leave our messages without room.
    review_names: Tally,
    /// Those given up, oldest first.
    given_up: VecDeque<IdHash>,
    given_up_bytes: Tally,
    /// Acknowledged and cancelled ones, oldest first, kept to tell their status and to repeat their bytes.
    ended: VecDeque<IdHash>,
    /// What these hold, names included.
    ended_bytes: Tally,
    acknowledged_total: u64,
    /// Filters and participants that were not taken down for a message because it had enough of them.
    pub evidence_dropped: u64,
    /// How many were given up or ended.
    queued: u64,
    unsaved: Unsaved,
}

/// A received message, as far as it says who has what.
pub(super) struct Review<'a> {
    /// Who says so.
    pub sender_id: &'a str,
    /// The hash of that.
    pub sender: IdHash,
    pub history: &'a [Named<'a>],
    /// Its filter, if it has a usable one.
    pub filter: Option<&'a FilterView<'a>>,
}

impl Outgoing {
    /// Messages that await an acknowledgement, given-up ones included.
    pub fn under_review(&self) -> usize {
        self.review.len()
    }

    pub fn acknowledged_total(&self) -> u64 {
        self.acknowledged_total
    }

    /// Counts messages in a state.
    pub fn count(&self, state: MessageState) -> usize {
        self.review.iter().filter(|item| self.messages.get(&item.hash).is_some_and(|own| own.state == state)).count()
    }

    /// The messages that await an acknowledgement, and their states.
    pub fn states(&self) -> impl Iterator<Item = (&MessageId, MessageState, u32)> {
        let own = |item: &UnderReview| self.messages.get(&item.hash);
        self.review.iter().filter_map(own).map(|own| (&own.message_id, own.state, own.resends))
    }

    /// The bytes of a message of ours; `None` if it is not known here, or no longer.
    pub fn bytes(&self, hash: IdHash) -> Option<&Bytes> {
        self.messages.get(&hash).map(|own| &own.bytes)
    }

    pub fn status(&self, hash: IdHash) -> Option<MessageStatus> {
        let own = self.messages.get(&hash)?;
        Some(MessageStatus {
            state: own.state,
            probability: if own.state == MessageState::Acknowledged { 1.0 } else { 1.0 - own.false_chance() },
            lamport_timestamp_ms: own.lamport_ms,
            resends: own.resends,
            acknowledgers: own.acknowledgers.clone(),
        })
    }

    /// Refuses one more message of `size` bytes if the buffer is full of messages that are still hoped for.
    pub fn check_room(&self, size: usize, config: &Config) -> Result<(), Error> {
        let (max, max_bytes) = (config.max_unacknowledged, config.max_unacknowledged_bytes);
        if self.review.len().saturating_sub(self.given_up.len()) >= max {
            return Err(Error::TooManyUnacknowledged(max));
        }
        if self.review_bytes.bytes().saturating_sub(self.given_up_bytes.bytes()).saturating_add(size) > max_bytes {
            return Err(Error::TooManyUnacknowledgedBytes(max_bytes));
        }
        Ok(())
    }

    /// Makes room for one more message of `size` bytes: the oldest that were given up leave, if the buffer is full.
    pub fn make_room(&mut self, size: usize, config: &Config) {
        let is_full = |it: &Self| {
            let over = it.review_bytes.bytes().saturating_add(size) > config.max_unacknowledged_bytes;
            over || it.review.len() >= config.max_unacknowledged
        };
        while is_full(self) {
            let Some(oldest) = self.given_up.front().copied() else { return };
            self.hope_again(oldest);
            self.leave_review(oldest);
            self.remove(oldest);
        }
    }

    /// The same for a message that is sent again: only a cancelled one has to come back into the buffer.
    pub fn check_room_again(&self, hash: IdHash, config: &Config) -> Result<(), Error> {
        self.cancelled_size(hash).map_or(Ok(()), |size| self.check_room(size, config))
    }

    /// The size of a message, if it is cancelled.
    fn cancelled_size(&self, hash: IdHash) -> Option<usize> {
        self.messages.get(&hash).filter(|own| own.state == MessageState::Cancelled).map(|own| own.bytes.len())
    }

    /// A message is given up no longer, if it was.
    fn hope_again(&mut self, hash: IdHash) {
        let before = self.given_up.len();
        self.given_up.retain(|given_up| *given_up != hash);
        if self.given_up.len() < before {
            let len = self.bytes(hash).map_or(0, Bytes::len);
            self.given_up_bytes.take_off(len);
        }
    }

    /// After broadcasting, a message enters the buffer (RFC 109, *Send Message*).
    pub fn add(&mut self, message: Sent, due_ms: TimeMs) {
        let Sent { message_id, hash, lamport_ms, bytes, number, since } = message;
        let own = Own {
            message_id,
            lamport_ms,
            bytes,
            number,
            since,
            queued: 0,
            state: MessageState::Unacknowledged,
            evidence: Vec::new(),
            acknowledgers: Vec::new(),
            resends: 0,
            due_ms: Some(due_ms),
            place: None,
        };
        self.messages.insert(hash, Box::new(own));
        self.due.insert((due_ms, hash));
        self.unsaved.add(number);
        self.enter_review(hash);
    }

    /// A message is of no use any more.
    fn remove(&mut self, hash: IdHash) {
        if let Some(own) = self.messages.remove(&hash) {
            self.unsaved.remove(hash, &own);
        }
    }

    /// Marks what a received message acknowledges: what its history names is acknowledged, what its filter holds is
    /// possibly acknowledged, and acknowledged once the chance that all filters err is small enough.
    pub fn review(
        &mut self,
        seen: &Review<'_>,
        now_ms: TimeMs,
        config: &Config,
        rng: &mut fastrand::Rng,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        for named in seen.history {
            self.acknowledge(named.hash, seen.sender_id, config, &mut events);
        }
        let Some(filter) = seen.filter else { return events };
        for (hash, evidence) in self.news_of(filter, seen.sender) {
            self.possibly_acknowledge(hash, evidence, seen.sender_id, now_ms, config, rng, &mut events);
        }
        events
    }

    /// What a filter says of the messages under review, as far as its sender did not just say so. This runs over all of
    /// them for every message received.
    fn news_of(&mut self, filter: &FilterView<'_>, sender: IdHash) -> Vec<(IdHash, Evidence)> {
        let (kind, bits, hashes) = (filter.kind(), filter.bits(), filter.hashes());
        // Its fill, and the least it can be worth: computed once, and only if it holds anything.
        let mut weight = None;
        let mut news = Vec::new();
        for item in &mut self.review {
            let Some(item_hash) = item.item_hash(kind, &self.messages) else { continue };
            if !filter.contains(&item_hash) {
                continue;
            }
            let (fill, least) = *weight.get_or_insert_with(|| {
                let fill = filter.fill();
                (fill, filter.least_false_positive_rate(fill))
            });
            let said = Evidence { kind, bits, hashes, false_chance: least };
            if item.last.is_some_and(|(who, old)| who == sender && old.is_like(&said) && old.false_chance <= least) {
                continue;
            }
            let evidence = Evidence { false_chance: filter.false_positive_rate_at(fill, &item_hash), ..said };
            item.last = Some((sender, evidence));
            self.unsaved.states.touch(item.hash);
            news.push((item.hash, evidence));
        }
        news
    }

    fn acknowledge(&mut self, hash: IdHash, who: &str, config: &Config, events: &mut Vec<Event>) {
        if !self.messages.contains_key(&hash) {
            return;
        }
        self.unsaved.states.touch(hash);
        let noted = self.note_acknowledger(hash, who, true, config);
        self.evidence_dropped = self.evidence_dropped.saturating_add(u64::from(!noted));
        self.finish(hash, MessageState::Acknowledged, config, events);
        // One more name of a message that has ended may be one too many.
        self.forget_ended(config);
    }

    /// Remembers who acknowledged a message, for certain or possibly; false if there is no room for the name.
    fn note_acknowledger(&mut self, hash: IdHash, who: &str, certain: bool, config: &Config) -> bool {
        let Some(own) = self.messages.get_mut(&hash) else { return true };
        let in_review = own.place.is_some();
        let is_full =
            in_review && self.review_names.bytes().saturating_add(name_len(who)) > config.max_unacknowledged_bytes;
        let before = own.acknowledgers.len();
        let most = if is_full { before } else { config.max_acknowledgers };
        let noted = own.add_acknowledger(who, certain, most);
        self.unsaved.heard |= noted == Some(true);
        if own.acknowledgers.len() > before {
            // Each message is in one of the two.
            let held = if in_review { &mut self.review_names } else { &mut self.ended_bytes };
            held.add(name_len(who));
        }
        noted.is_some()
    }

    #[allow(clippy::too_many_arguments)]
    fn possibly_acknowledge(
        &mut self,
        hash: IdHash,
        evidence: Evidence,
        who: &str,
        now_ms: TimeMs,
        config: &Config,
        rng: &mut fastrand::Rng,
        events: &mut Vec<Event>,
    ) {
        let Some(own) = self.messages.get_mut(&hash) else { return };
        // A filter that holds anything says nothing.
        if evidence.false_chance >= 1.0 {
            return;
        }
        self.unsaved.states.touch(hash);
        let has_room = own.has_room_for(&evidence);
        let noted = has_room & self.note_acknowledger(hash, who, false, config);
        self.evidence_dropped = self.evidence_dropped.saturating_add(u64::from(!noted));
        let Some(own) = self.messages.get_mut(&hash) else { return };
        if !own.add_evidence(evidence) {
            return;
        }
        if own.false_chance() < config.ack_false_positive {
            return self.finish(hash, MessageState::Acknowledged, config, events);
        }
        let (message_id, probability) = (own.message_id.clone(), 1.0 - own.false_chance());
        match own.state {
            MessageState::Unacknowledged => {
                own.state = MessageState::PossiblyAcknowledged;
                events.push(Event::PossiblyAcknowledged { message_id, probability });
                let wait = Pace::of(config).wait_ms(own.state, own.resends, rng);
                let due_ms = now_ms.saturating_add(wait).max(own.due_ms.unwrap_or(0));
                self.schedule(hash, Some(due_ms));
            }
            MessageState::Failed => {
                own.state = MessageState::Unconfirmed;
                events.push(Event::Unconfirmed { message_id, probability });
            }
            _ => {}
        }
    }

    /// Ends the life of a message in the buffer, as acknowledged or as cancelled. Ended ones end once.
    fn finish(&mut self, hash: IdHash, state: MessageState, config: &Config, events: &mut Vec<Event>) {
        let Some(own) = self.messages.get_mut(&hash) else { return };
        self.unsaved.states.touch(hash);
        let before = std::mem::replace(&mut own.state, state);
        if before == state || before == MessageState::Acknowledged {
            own.state = before;
            return;
        }
        if state == MessageState::Acknowledged {
            self.acknowledged_total = self.acknowledged_total.saturating_add(1);
            events.push(Event::Acknowledged { message_id: own.message_id.clone() });
        }
        let held_len = own.held_len();
        self.hope_again(hash);
        if before != MessageState::Cancelled {
            self.queue(hash);
            self.ended_bytes.add(held_len);
            self.ended.push_back(hash);
        }
        self.schedule(hash, None);
        self.leave_review(hash);
        self.forget_ended(config);
    }

    /// Keeps no more ended messages than the log does, and no more bytes of them and of the names of those who have them.
    fn forget_ended(&mut self, config: &Config) {
        // The latest is kept, whatever its size: the host is about to be told, and may ask.
        while self.ended.len() > config.log_messages
            || self.ended_bytes.bytes() > config.log_bytes && self.ended.len() > 1
        {
            let Some(oldest) = self.ended.pop_front() else { return };
            if let Some(own) = self.messages.get(&oldest)
                && own.has_ended()
            {
                self.ended_bytes.take_off(own.held_len());
                self.remove(oldest);
            }
        }
    }

    /// Sends a message again by the host's wish: its resends count anew. Returns its bytes, or `None` if it needs none,
    /// being acknowledged. Ask [`check_room_again`](Self::check_room_again) first.
    pub fn retry(&mut self, hash: IdHash, due_ms: TimeMs, config: &Config) -> Option<(MessageId, Bytes)> {
        if let Some(size) = self.cancelled_size(hash) {
            self.make_room(size, config);
        }
        let own = self.messages.get_mut(&hash).filter(|own| own.state != MessageState::Acknowledged)?;
        if own.state == MessageState::Cancelled {
            self.ended_bytes.take_off(own.held_len());
            self.ended.retain(|ended| *ended != hash);
        }
        self.hope_again(hash);
        let own = self.messages.get_mut(&hash)?;
        own.state = match own.evidence.is_empty() {
            true => MessageState::Unacknowledged,
            false => MessageState::PossiblyAcknowledged,
        };
        own.resends = 0;
        let sent = (own.message_id.clone(), own.bytes.clone());
        self.schedule(hash, Some(due_ms));
        self.enter_review(hash);
        Some(sent)
    }

    /// Stops resending a message. False if it is none of ours.
    pub fn cancel(&mut self, hash: IdHash, config: &Config) -> bool {
        let known = self.messages.contains_key(&hash);
        self.finish(hash, MessageState::Cancelled, config, &mut Vec::new());
        known
    }

    /// When something is due.
    pub fn next_due_ms(&self) -> Option<TimeMs> {
        self.due.first().map(|due| due.0)
    }

    /// The messages that are due, unacknowledged ones before possibly acknowledged ones, each group by its time.
    pub fn due(&self, now_ms: TimeMs) -> Vec<IdHash> {
        let due = self.due.iter().take_while(|due| due.0 <= now_ms).map(|due| due.1);
        let is_possibly =
            |hash: &IdHash| self.messages.get(hash).is_some_and(|own| own.state == MessageState::PossiblyAcknowledged);
        let (mut possibly, mut due): (Vec<_>, Vec<_>) = due.partition(is_possibly);
        due.append(&mut possibly);
        due
    }

    /// Takes a due message one step on: it is to be sent again, or given up.
    pub fn step(&mut self, hash: IdHash, now_ms: TimeMs, pace: &Pace, rng: &mut fastrand::Rng) -> Option<Step> {
        let own = self.messages.get_mut(&hash)?;
        if own.resends < pace.max_resends {
            own.resends = own.resends.saturating_add(1);
            let due_ms = now_ms.saturating_add(pace.wait_ms(own.state, own.resends, rng));
            let resend = Step::Resend { message_id: own.message_id.clone(), bytes: own.bytes.clone() };
            self.schedule(hash, Some(due_ms));
            return Some(resend);
        }
        let message_id = own.message_id.clone();
        let event = if own.evidence.is_empty() {
            own.state = MessageState::Failed;
            Event::Failed { message_id }
        } else {
            own.state = MessageState::Unconfirmed;
            Event::Unconfirmed { message_id, probability: 1.0 - own.false_chance() }
        };
        self.given_up_bytes.add(own.bytes.len());
        self.schedule(hash, None);
        self.queue(hash);
        self.given_up.push_back(hash);
        Some(Step::GiveUp(event))
    }

    /// A message joins those given up, or those that ended.
    fn queue(&mut self, hash: IdHash) {
        self.queued = self.queued.saturating_add(1);
        if let Some(own) = self.messages.get_mut(&hash) {
            own.queued = self.queued;
        }
    }

    fn schedule(&mut self, hash: IdHash, due_ms: Option<TimeMs>) {
        let Some(own) = self.messages.get_mut(&hash) else { return };
        self.unsaved.states.touch(hash);
        if let Some(old) = std::mem::replace(&mut own.due_ms, due_ms) {
            self.due.remove(&(old, hash));
        }
        if let Some(new) = due_ms {
            self.due.insert((new, hash));
        }
    }

    fn enter_review(&mut self, hash: IdHash) {
        if let Some(own) = self.messages.get_mut(&hash)
            && own.place.is_none()
        {
            own.place = Some(self.review.len());
            self.unsaved.states.touch(hash);
            self.review_bytes.add(own.bytes.len());
            self.review_names.add(own.names_len());
            self.review.push(UnderReview { hash, farm: None, murmur: None, last: None });
        }
    }

    fn leave_review(&mut self, hash: IdHash) {
        let Some(own) = self.messages.get_mut(&hash) else { return };
        let Some(place) = own.place.take() else { return };
        self.unsaved.states.touch(hash);
        self.review_bytes.take_off(own.bytes.len());
        self.review_names.take_off(own.names_len());
        self.review.swap_remove(place);
        if let Some(moved) = self.review.get(place)
            && let Some(own) = self.messages.get_mut(&moved.hash)
        {
            self.unsaved.states.touch(moved.hash);
            own.place = Some(place);
        }
    }
}

/// What to do with a message that is due.
#[derive(Debug)]
pub(super) enum Step {
    Resend { message_id: MessageId, bytes: Bytes },
    GiveUp(Event),
}
