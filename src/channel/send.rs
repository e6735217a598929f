//! Sending: from content to a message, and into log, filter and outgoing buffer.
//!
//! RFC: Send Message; Ephemeral Messages; SDS-R send message
//!
//! A message is made in two steps, with its encoding in between. [`Channel::draft`] decides what it says and changes
//! nothing. The caller encodes [`Channel::message`], which borrows from the channel, and may still refuse it, for its
//! size, say. [`Channel::commit`] takes the bytes and changes the state.

use bytes::Bytes;

use super::clock::Now;
use super::log::Stored;
use super::outgoing::Sent;
use super::whole::Whole;
use super::{Channel, Hashed, log, unknown_message};
use crate::error::Error;
use crate::idhash::{IdHash, derive_message_id, unique_message_id};
use crate::output::{Event, Output, Transmit, TransmitReason};
use crate::record::StoredMessage;
use crate::types::{HistoryEntry, Message, MessageId, Profile, TimeMs};

/// Timestamps that are tried for an id that is derived and new. Only our own messages from before our state was lost can
/// have the first.
const MAX_ID_TRIES: usize = 1_000;
/// Hexadecimal digits of the id of an ephemeral or a sync message: 128 bits.
const UNTRACED_ID_CHARS: usize = 32;

/// What a message of ours will be, before it is encoded.
#[derive(Clone, Debug)]
pub struct Draft {
    id: Hashed,
    lamport_ms: u64,
    /// The missing messages that it asks for.
    requests: Vec<IdHash>,
    lean: bool,
}

impl Draft {
    /// Its id.
    pub fn message_id(&self) -> &MessageId {
        &self.id.message_id
    }

    /// Its Lamport timestamp, in milliseconds.
    pub fn lamport_timestamp_ms(&self) -> u64 {
        self.lamport_ms
    }

    /// Whether it asks for missing messages.
    pub fn asks(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Whether it has nothing but what has to be there.
    pub fn is_lean(&self) -> bool {
        self.lean
    }

    /// Leaves out what need not be there: content comes first where not all of it fits.
    pub fn make_lean(&mut self) {
        self.requests = Vec::new();
        self.lean = true;
    }
}

/// What comes of drafting.
#[derive(Clone, Debug)]
pub enum Drafted {
    /// A message that is new.
    New(Draft),
    /// The id is that of a message of ours, whose bytes these are. What they hold tells whether it is the same message.
    Before(Bytes),
}

impl Channel {
    /// Drafts a message with content. Refuses an id that somebody else used, or that is not derived in a channel of
    /// derived ids.
    pub fn draft(&mut self, message_id: Option<&str>, content: &[u8], now_ms: TimeMs) -> Result<Drafted, Error> {
        let now = self.clock.observe(now_ms);
        // For tests/c/planted.c alone: never in a library that anybody uses.
        #[cfg(sds_planted_panic)]
        assert!(content != b"planted panic", "planted panic");
        let mut lamport_ms = self.clock.next(self.profile, now);
        let (message_id, hash) = match message_id {
            Some(message_id) => {
                let hash = self.ids.hash(message_id);
                if let Some(bytes) = self.outgoing.bytes(hash) {
                    self.outgoing.check_room_again(hash, &self.config)?;
                    return Ok(Drafted::Before(bytes.clone()));
                }
                self.check_given(message_id, hash, lamport_ms, content)?;
                (MessageId::from(message_id), hash)
            }
            None => {
                let message_id = self.make_id(&mut lamport_ms, content)?;
                let hash = self.ids.hash(&message_id);
                (message_id, hash)
            }
        };
        self.outgoing.check_room(content.len(), &self.config)?;
        self.filter.expire(now.steady_ms);
        // Offline, nobody would hear it ask.
        let requests = if self.is_online() { self.requests.eligible(now.steady_ms, &self.config) } else { Vec::new() };
        Ok(Drafted::New(Draft { id: Hashed { message_id, hash }, lamport_ms, requests, lean: false }))
    }

    /// Refuses the id of a message that is in the log, or was, or waits to be, and one that is not derived where it has to
    /// be.
    fn check_given(&self, message_id: &str, hash: IdHash, lamport_ms: u64, content: &[u8]) -> Result<(), Error> {
        let used = match self.sender_of(hash) {
            Some(sender_id) if self.is_own(sender_id) => Some(Error::BytesGone as fn(String) -> Error),
            Some(_) => Some(Error::IdReused as fn(String) -> Error),
            // It left the log, and with it who sent it.
            None => self.log.was_received(hash).then_some(Error::BytesGone as fn(String) -> Error),
        };
        if let Some(error) = used {
            return Err(error(message_id.to_owned()));
        }
        let derived = || derive_message_id(&self.id, &self.config.participant_id, lamport_ms, content);
        if self.options.derived_ids && message_id != derived() {
            return Err(Error::IdMismatch(message_id.to_owned()));
        }
        Ok(())
    }

    /// Makes up an id that is new. Where it has to be derived from its message, a later timestamp makes another.
    fn make_id(&mut self, lamport_ms: &mut u64, content: &[u8]) -> Result<MessageId, Error> {
        let me = &self.config.participant_id;
        if !self.options.derived_ids {
            let random = self.rng.u128(..);
            return Ok(MessageId::from(&*unique_message_id(&self.id, me, *lamport_ms, content, random)));
        }
        let mut message_id = String::new();
        for _ in 0..MAX_ID_TRIES {
            message_id = derive_message_id(&self.id, me, *lamport_ms, content);
            let hash = self.ids.hash(&message_id);
            if !self.log.was_received(hash) && !self.incoming.is_waiting(hash) && self.outgoing.bytes(hash).is_none() {
                return Ok(MessageId::from(&*message_id));
            }
            *lamport_ms = self.clock.after(self.profile, *lamport_ms);
        }
        Err(Error::IdReused(message_id))
    }

    /// The message that a draft stands for: the increased timestamp, the last ids of the log with their hints, the current
    /// filter (RFC 109, *Send Message*), and what it asks for (*SDS-R send message*). `content`: what was drafted; `None` for
    /// a sync message.
    pub fn message<'a>(&'a self, draft: &'a Draft, content: Option<&'a [u8]>) -> Message<'a> {
        let mut causal_history = Vec::with_capacity(self.config.causal_history_size);
        causal_history.extend(self.log.history(draft.lean).map(|entry| self.named(entry)));
        if content.is_none() && !draft.lean {
            causal_history.extend(self.waiting_history());
        }
        Message {
            sender_id: &self.config.participant_id,
            message_id: &draft.id.message_id,
            channel_id: &self.id,
            lamport_timestamp_ms: Some(draft.lamport_ms),
            causal_history,
            bloom_filter: Some(self.filter.wire_bytes()),
            repair_request: self.repair_request(draft),
            content,
        }
    }

    fn named<'a>(&self, entry: &'a log::Entry) -> HistoryEntry<'a> {
        HistoryEntry {
            message_id: &entry.message_id,
            retrieval_hint: entry.hint.as_deref(),
            sender_id: self.named_sender(&entry.sender_id),
        }
    }

    /// What a sync message names besides: the last messages that wait here, the very last first.
    ///
    /// Where members miss something, nearly all that follows waits with them, and is in the log of nobody who could name it:
    /// who misses such a message would learn of it only by what comes later. A message with content does not name them,
    /// since it would have to be waited for with what they miss.
    fn waiting_history<'a>(&'a self) -> impl Iterator<Item = HistoryEntry<'a>> {
        self.incoming.latest(self.config.sync_waiting_names()).map(|waiting| HistoryEntry {
            message_id: &waiting.message_id,
            retrieval_hint: waiting.hint.as_deref(),
            sender_id: self.named_sender(&waiting.sender_id),
        })
    }

    fn repair_request<'a>(&'a self, draft: &Draft) -> Vec<HistoryEntry<'a>> {
        let missing = draft.requests.iter().filter_map(|hash| self.requests.dependency(*hash));
        let entry = missing.map(|dependency| HistoryEntry {
            message_id: &dependency.message_id,
            retrieval_hint: dependency.retrieval_hint.as_deref(),
            sender_id: dependency.sender_id.as_deref(),
        });
        entry.collect()
    }

    /// Refuses a drafted message that the buffer of unacknowledged messages has no room for, as encoded.
    pub fn check_room(&self, bytes: &Bytes) -> Result<(), Error> {
        self.outgoing.check_room(bytes.len(), &self.config)
    }

    /// Takes in a drafted message with content, as encoded: it moves the clock, and enters log, filter and the buffer of
    /// unacknowledged messages.
    pub fn commit(&mut self, draft: Draft, bytes: Bytes) {
        let now = self.clock.latest();
        self.asked(&draft, now);
        self.requests.bring_back(now.steady_ms, &self.config);
        let (lean, Hashed { message_id, hash }) = (draft.lean, draft.id);
        self.clock.raise(draft.lamport_ms);
        self.filter.insert(&message_id, now.steady_ms);
        let entry = log::Entry {
            message_id: message_id.clone(),
            hash,
            lamport_ms: draft.lamport_ms,
            sender_id: self.me.clone(),
            hint: None,
            // Whoever sent a message is always one of those who may have to answer for it.
            whole: self.config.repairs().then(|| Whole::own(bytes.clone(), now)),
            namings: 0,
            flags: StoredMessage::SENT,
        };
        let stored = self.is_durable().then(|| Stored { bytes: bytes.clone(), since: now });
        let number = self.log.next_number();
        self.log.named_by_us(lean);
        self.log.insert(entry, false, stored);
        // Others may have named it already: a copy of this state that was lost sent it.
        self.no_longer_missing(hash);
        self.deliver_dependents([hash]);
        let due_ms = now.steady_ms.saturating_add(self.config.resend_interval_ms);
        self.outgoing.make_room(bytes.len(), &self.config);
        let sent = Sent { message_id, hash, lamport_ms: draft.lamport_ms, bytes, number, since: now };
        self.outgoing.add(sent, due_ms);
        self.counters.sent = self.counters.sent.saturating_add(1);
        self.sync.sent(now.steady_ms, &mut self.rng);
        self.sync.news(now.steady_ms, &self.config, &mut self.rng);
    }

    /// The host broadcasts a message of ours once more by itself: its next resend is a whole interval off.
    pub fn sent_again(&mut self, message_id: &str, now_ms: TimeMs) {
        let now = self.clock.observe(now_ms);
        let due_ms = now.steady_ms.saturating_add(self.config.resend_interval_ms);
        let hash = self.ids.hash(message_id);
        self.outgoing.retry(hash, due_ms, &self.config);
        self.answers.cancel(hash);
    }

    /// Sends a message of ours again, now, and counts its resends anew. An acknowledged one is not sent.
    pub fn retry(&mut self, message_id: &str, now_ms: TimeMs) -> Result<(), Error> {
        let now = self.clock.observe(now_ms);
        let hash = self.ids.hash(message_id);
        if self.outgoing.bytes(hash).is_none() {
            return Err(unknown_message(message_id));
        }
        self.outgoing.check_room_again(hash, &self.config)?;
        let due_ms = now.steady_ms.saturating_add(self.config.resend_interval_ms);
        if let Some((message_id, bytes)) = self.outgoing.retry(hash, due_ms, &self.config) {
            self.answers.cancel(hash);
            self.outputs.push(Output::Transmit(Transmit { message_id, reason: TransmitReason::Resend, bytes }));
        }
        Ok(())
    }

    /// Stops resending a message of ours. It stays in the log: it may have been received.
    pub fn cancel(&mut self, message_id: &str, now_ms: TimeMs) -> Result<(), Error> {
        self.clock.observe(now_ms);
        let ours = self.outgoing.cancel(self.ids.hash(message_id), &self.config);
        if ours { Ok(()) } else { Err(unknown_message(message_id)) }
    }

    /// Makes up an ephemeral message: no timestamp, history or filter, and no trace (RFC 109, *Ephemeral Messages*).
    /// Returns its id, for [`Channel::ephemeral_message`].
    pub fn draft_ephemeral(
        &mut self,
        message_id: Option<&str>,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<MessageId, Error> {
        if self.profile == Profile::Libsds {
            return Err(Error::EphemeralUnsupported);
        }
        Ok(message_id.map_or_else(|| self.unique_id(now_ms, content), MessageId::from))
    }

    /// The ephemeral message of that id.
    pub fn ephemeral_message<'a>(&'a self, message_id: &'a MessageId, content: &'a [u8]) -> Message<'a> {
        Message {
            sender_id: &self.config.participant_id,
            message_id,
            channel_id: &self.id,
            content: Some(content),
            ..Message::default()
        }
    }

    /// A sync message goes out, as encoded. It enters neither log nor filter nor any buffer (RFC 109, *Periodic Sync
    /// Message*); what it names has been named.
    pub fn commit_sync(&mut self, draft: &Draft) {
        self.log.named_by_us(draft.lean);
    }

    /// Drafts a sync message: the clock is raised as for any other.
    pub(super) fn draft_sync(&mut self) -> Draft {
        let now = self.clock.latest();
        let lamport_ms = self.clock.next(self.profile, now);
        self.clock.raise(lamport_ms);
        self.filter.expire(now.steady_ms);
        let message_id = self.unique_id(now.wall_ms, &[]);
        let hash = self.ids.hash(&message_id);
        self.sync.add_own(hash);
        let requests = self.requests.eligible(now.steady_ms, &self.config);
        let draft = Draft { id: Hashed { message_id, hash }, lamport_ms, requests, lean: false };
        self.asked(&draft, now);
        draft
    }

    /// What a message asks for will be asked for again, should nobody answer.
    fn asked(&mut self, draft: &Draft, now: Now) {
        for hash in &draft.requests {
            let asks = self.requests.asked(*hash, now.steady_ms, &self.config);
            if let Some(missing) = self.requests.dependency(*hash) {
                let message_id = missing.message_id.clone();
                self.emit(Event::RepairRequested { message_id, asks });
            }
        }
    }

    /// The id of a message that leaves no trace, of [`UNTRACED_ID_CHARS`]. Nothing may have been stored since it drew the
    /// chance: after a crash the same is drawn once more, at another time.
    fn unique_id(&mut self, now_ms: TimeMs, content: &[u8]) -> MessageId {
        let random = self.rng.u128(..);
        let mut id = unique_message_id(&self.id, &self.config.participant_id, now_ms, content, random);
        id.truncate(UNTRACED_ID_CHARS);
        MessageId::from(&*id)
    }
}
