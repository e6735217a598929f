//! Messages through a channel: sent, received, and what becomes of ours.

use bytes::Bytes;
use tracing::debug;

use super::Manager;
use super::checks::{check_hint, check_id, check_outgoing};
use super::slot::Turn;
use super::translate::{encode, encode_draft};
use crate::channel::{Channel, Drafted, Received};
use crate::error::Error;
use crate::idhash::IdHash;
use crate::output::{
    Delivered, Disposition, Event, MessageState, MessageStatus, Output, Transmit, TransmitReason, Unwrapped, Wrapped,
};
use crate::types::{Dependency, Message, MessageId, ParticipantId, Profile, TimeMs};
use crate::wire;

/// Messages that are committed together at most, and outputs after which no more are.
const MOST_A_RUN: usize = 1_024;

impl Manager {
    /// Makes a message ready to be broadcast, and keeps it until somebody is known to have it.
    ///
    /// `message_id`: unique for ever; `None` for a derived one. Wrapping an id again with equal content returns the same
    /// bytes: a retry.
    pub fn wrap_outgoing(
        &self,
        channel_id: &str,
        message_id: Option<&str>,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<Wrapped, Error> {
        let now_ms = self.observe(now_ms)?;
        check_outgoing(message_id, content, &self.config)?;
        self.check_room()?;
        let (mut wrapped, released) = self.with_open_channel(channel_id, now_ms, |channel, turn| {
            self.recall(channel, |channel| message_id.map(|id| channel.hash(id)).into_iter().collect())?;
            let wrapped = self.wrap(channel, message_id, content, now_ms)?;
            turn.commit = true;
            if self.durable.is_on() {
                let reason = TransmitReason::Publish;
                let (message_id, bytes) = (wrapped.message_id.clone(), wrapped.bytes.clone());
                turn.held.push((0, Box::new(move || Output::Transmit(Transmit { message_id, reason, bytes }))));
                turn.for_host = true;
            }
            Ok(wrapped)
        })?;
        if !released {
            wrapped.bytes = Bytes::new();
        }
        Ok(wrapped)
    }

    fn wrap(
        &self,
        channel: &mut Channel,
        message_id: Option<&str>,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<Wrapped, Error> {
        let mut draft = match channel.draft(message_id, content, now_ms)? {
            Drafted::New(draft) => draft,
            Drafted::Before(bytes) => return self.wrap_again(channel, bytes, content, now_ms),
        };
        let bytes = encode_draft(channel, &mut draft, Some(content), &self.config)?;
        channel.check_room(&bytes)?;
        let message_id = draft.message_id().clone();
        let lamport_timestamp_ms = Some(draft.lamport_timestamp_ms());
        channel.commit(draft, bytes.clone());
        Ok(Wrapped { message_id, lamport_timestamp_ms, bytes })
    }

    /// Makes a message that is delivered at once, is not acknowledged and leaves no trace.
    pub fn wrap_ephemeral(
        &self,
        channel_id: &str,
        message_id: Option<&str>,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<Wrapped, Error> {
        let now_ms = self.observe(now_ms)?;
        check_outgoing(message_id, content, &self.config)?;
        let (wrapped, _) = self.with_open_channel(channel_id, now_ms, |channel, _| {
            let message_id = channel.draft_ephemeral(message_id, content, now_ms)?;
            let message = channel.ephemeral_message(&message_id, content);
            let bytes = encode(channel.profile(), &message, &self.config)?;
            Ok(Wrapped { message_id, lamport_timestamp_ms: None, bytes })
        })?;
        Ok(wrapped)
    }

    /// Takes in bytes from the network, of either profile.
    pub fn unwrap_incoming<'a>(&self, bytes: &'a [u8], now_ms: TimeMs) -> Result<Unwrapped<'a>, Error> {
        let now_ms = self.observe(now_ms)?;
        self.unwrap(bytes, now_ms, false).inspect_err(|error| debug!(%error, "message refused"))
    }

    /// The same, for a host that keeps the state and takes in further messages before it has committed what one changed:
    /// a message that is delivered comes as [`Event::Delivered`] too, among the outputs that are let out when it is confirmed,
    /// so that these alone tell the order in which to show messages.
    pub fn unwrap_incoming_held<'a>(&self, bytes: &'a [u8], now_ms: TimeMs) -> Result<Unwrapped<'a>, Error> {
        let now_ms = self.observe(now_ms)?;
        self.unwrap(bytes, now_ms, true).inspect_err(|error| debug!(%error, "message refused"))
    }

    fn unwrap<'a>(&self, bytes: &'a [u8], now_ms: TimeMs, held: bool) -> Result<Unwrapped<'a>, Error> {
        let (profile, message) = wire::decode(bytes, &self.config)?;
        self.check_room()?;
        let (received, _) = self.with_open_channel(message.channel_id, now_ms, |channel, turn| {
            turn.for_host = held;
            self.receive(channel, bytes, &message, profile, now_ms, turn)
        })?;
        Ok(unwrapped(&message, profile, received))
    }

    /// Takes in many messages, in their order, as [`Manager::unwrap_incoming`] would one by one. A store commits what
    /// follows each other in one channel at once, which is many times faster.
    ///
    /// Returns a result for each. If the store fails, that is the result of all that were to be committed together.
    pub fn unwrap_batch<'a>(&self, batch: &[&'a [u8]], now_ms: TimeMs) -> Vec<Result<Unwrapped<'a>, Error>> {
        let now_ms = match self.observe(now_ms) {
            Ok(now_ms) => now_ms,
            Err(error) => return batch.iter().map(|_| Err(error.clone())).collect(),
        };
        let decoded: Vec<_> = batch.iter().map(|bytes| wire::decode(bytes, &self.config)).collect();
        let mut results = Vec::with_capacity(batch.len());
        while let Some(first) = decoded.get(results.len()) {
            let (_, message) = match first {
                Ok(first) => first,
                Err(error) => {
                    results.push(Err(error.clone().into()));
                    continue;
                }
            };
            let from = results.len();
            let run = batch.iter().zip(&decoded).skip(from).map_while(|(bytes, decoded)| match decoded {
                Ok((profile, next)) if next.channel_id == message.channel_id => Some((*bytes, *profile, next)),
                _ => None,
            });
            if let Err(error) = self.unwrap_run(message.channel_id, run, now_ms, &mut results) {
                // What was taken in fails together; what was not reached has the same reason.
                let failed = results.len().max(from + 1);
                results.truncate(from);
                results.resize_with(failed, || Err(error.clone()));
            }
        }
        results.iter().filter_map(|result| result.as_ref().err()).for_each(|error| debug!(%error, "message refused"));
        results
    }

    /// Takes in messages of one channel, as many as may be committed together, and adds their results.
    fn unwrap_run<'a: 't, 't>(
        &self,
        channel_id: &str,
        run: impl Iterator<Item = (&'a [u8], Profile, &'t Message<'a>)>,
        now_ms: TimeMs,
        results: &mut Vec<Result<Unwrapped<'a>, Error>>,
    ) -> Result<(), Error> {
        self.check_room()?;
        // Of those that the store does not have yet, all are known in memory.
        let most = self.config.log_messages.saturating_add(self.config.seen_limit) as u64;
        let done = self.with_open_channel(channel_id, now_ms, |channel, turn| {
            let before = channel.next_number();
            for (bytes, profile, message) in run.take(MOST_A_RUN) {
                let received = self.receive(channel, bytes, message, profile, now_ms, turn);
                let refused = received.is_err();
                results.push(received.map(|received| unwrapped(message, profile, received)));
                // A channel that was opened for a message that is refused is closed again.
                let is_much = channel.outputs_len() >= MOST_A_RUN || channel.next_number().wrapping_sub(before) >= most;
                if is_much || refused && channel.is_unused() {
                    break;
                }
            }
            match results.last() {
                Some(Err(error)) if channel.is_unused() => Err(error.clone()),
                _ => Ok(()),
            }
        });
        done.map(drop)
    }

    /// Takes in a message, and notes whether its content is let out.
    pub(super) fn receive<'t>(
        &self,
        channel: &mut Channel,
        bytes: &[u8],
        message: &'t Message<'t>,
        profile: Profile,
        now_ms: TimeMs,
        turn: &mut Turn<'t>,
    ) -> Result<Received, Error> {
        let ids = channel.ids_of(message);
        self.recall(channel, |_| ids.hashes().collect())?;
        let before = channel.outputs_len();
        let received = channel.receive(bytes, message, &ids, profile, now_ms)?;
        turn.commit |= channel.take_heard();
        match received.disposition {
            Disposition::Delivered | Disposition::Late | Disposition::BeforeUs => {
                turn.commit = true;
                if self.durable.is_on() {
                    let (late, own) = (received.disposition == Disposition::Late, received.own);
                    let held = move || Output::Event(Event::Delivered(delivered(message, late, own)));
                    turn.held.push((before, Box::new(held)));
                }
            }
            // Its content comes once more when it is delivered.
            Disposition::Waiting => turn.commit = true,
            Disposition::Duplicate | Disposition::Own | Disposition::Sync | Disposition::Ephemeral => {}
        }
        Ok(received)
    }

    /// Ids that left a channel's memory, and that the store or the host has, are known for the call that follows.
    pub(super) fn recall(&self, channel: &mut Channel, ids: impl FnOnce(&Channel) -> Vec<IdHash>) -> Result<(), Error> {
        if self.durable.is_on() {
            let mut recalled = Vec::new();
            for hash in channel.unknown(ids(channel)) {
                if self.durable.was_received(channel.id(), hash)? {
                    recalled.push(hash);
                }
            }
            channel.recall(recalled);
        }
        Ok(())
    }

    /// Tells that messages are here by other means: who waits for them waits no longer.
    pub fn mark_dependencies_met(&self, channel_id: &str, message_ids: &[&str], now_ms: TimeMs) -> Result<(), Error> {
        let now_ms = self.observe(now_ms)?;
        message_ids.iter().try_for_each(|id| check_id("message id", id, &self.config))?;
        self.check_room()?;
        self.with_channel(channel_id, |channel, turn| {
            self.recall(channel, |channel| message_ids.iter().map(|id| channel.hash(id)).collect())?;
            channel.mark_dependencies_met(message_ids, now_ms);
            turn.commit = true;
            Ok(())
        })
    }

    /// Sets what others need to fetch a message; an empty hint removes it.
    pub fn set_retrieval_hint(&self, channel_id: &str, message_id: &str, hint: &[u8]) -> Result<(), Error> {
        check_id("message id", message_id, &self.config)?;
        check_hint(hint, &self.config)?;
        self.durable.retry(&self.outputs)?;
        self.with_channel(channel_id, |channel, turn| match channel.set_retrieval_hint(message_id, hint) {
            true => {
                turn.commit = true;
                Ok(())
            }
            false => Err(Error::UnknownMessage(message_id.to_owned())),
        })
    }

    /// What the next message will name in its causal history, so that the host can set hints first.
    pub fn next_history(&self, channel_id: &str) -> Result<Vec<Dependency>, Error> {
        self.with_channel(channel_id, |channel, _| Ok(channel.next_history()))
    }

    /// What is missing now, the first to be lost first. Each was told by an event before, but after a restart the host may
    /// have fetched none of it.
    pub fn missing(&self, channel_id: &str) -> Result<Vec<Dependency>, Error> {
        self.with_channel(channel_id, |channel, _| Ok(channel.missing()))
    }

    /// How far a message of ours got.
    pub fn message_status(&self, channel_id: &str, message_id: &str) -> Result<MessageStatus, Error> {
        check_id("message id", message_id, &self.config)?;
        let unknown = || Error::UnknownMessage(message_id.to_owned());
        self.with_channel(channel_id, |channel, _| channel.message_status(message_id).ok_or_else(unknown))
    }

    /// Our messages that nobody is known to have, given-up ones included, in no order, and how far each got.
    pub fn outgoing(&self, channel_id: &str) -> Result<Vec<(MessageId, MessageState)>, Error> {
        self.with_channel(channel_id, |channel, _| Ok(channel.outgoing()))
    }

    /// Sends a message of ours again, now, and counts its resends anew.
    pub fn retry(&self, channel_id: &str, message_id: &str, now_ms: TimeMs) -> Result<(), Error> {
        let now_ms = self.observe(now_ms)?;
        check_id("message id", message_id, &self.config)?;
        self.check_room()?;
        self.with_channel(channel_id, |channel, turn| {
            turn.commit = true;
            channel.retry(message_id, now_ms)
        })
    }

    /// Stops resending a message of ours.
    pub fn cancel(&self, channel_id: &str, message_id: &str, now_ms: TimeMs) -> Result<(), Error> {
        let now_ms = self.observe(now_ms)?;
        check_id("message id", message_id, &self.config)?;
        self.durable.retry(&self.outputs)?;
        self.with_channel(channel_id, |channel, turn| {
            turn.commit = true;
            channel.cancel(message_id, now_ms)
        })
    }

    pub(super) fn tick_channel(&self, channel: &mut Channel, turn: &mut Turn<'_>, now_ms: TimeMs) -> Result<(), Error> {
        if let Some(mut draft) = channel.tick(now_ms) {
            let bytes = encode_draft(channel, &mut draft, None, &self.config)?;
            channel.commit_sync(&draft);
            let message_id = draft.message_id().clone();
            let reason = if draft.asks() { TransmitReason::RepairRequest } else { TransmitReason::Sync };
            let transmit = Transmit { message_id, reason, bytes };
            turn.outputs.push(Output::Transmit(transmit));
        }
        Ok(())
    }

    /// A message of ours that is wrapped once more: the same bytes if the content is equal, and otherwise an error.
    fn wrap_again(
        &self,
        channel: &mut Channel,
        bytes: Bytes,
        content: &[u8],
        now_ms: TimeMs,
    ) -> Result<Wrapped, Error> {
        let (_, sent) = wire::decode_kept(&bytes)?;
        if sent.payload() != Some(content) {
            return Err(Error::IdReused(sent.message_id.to_owned()));
        }
        channel.sent_again(sent.message_id, now_ms);
        let (message_id, lamport_timestamp_ms) = (sent.message_id.into(), sent.lamport_timestamp_ms);
        Ok(Wrapped { message_id, lamport_timestamp_ms, bytes: bytes.clone() })
    }

    /// Runs `body` on a channel, opening it first if the configuration says so.
    fn with_open_channel<'t, T>(
        &self,
        channel_id: &str,
        now_ms: TimeMs,
        body: impl FnOnce(&mut Channel, &mut Turn<'t>) -> Result<T, Error>,
    ) -> Result<(T, bool), Error> {
        let opened = self.open_for_message(channel_id, now_ms)?;
        let result = self.with_open(channel_id, body);
        if opened {
            self.settle_opened(channel_id, result.is_err());
        }
        result
    }
}

fn unwrapped<'a>(message: &Message<'a>, profile: Profile, received: Received) -> Unwrapped<'a> {
    Unwrapped {
        channel_id: message.channel_id,
        message_id: message.message_id,
        sender_id: message.sender_id,
        lamport_timestamp_ms: message.lamport_timestamp_ms,
        profile,
        content: message.content.unwrap_or_default(),
        disposition: received.disposition,
        own: received.own,
        unmet: received.unmet,
    }
}

fn delivered(message: &Message<'_>, late: bool, own: bool) -> Delivered {
    Delivered {
        message_id: MessageId::from(message.message_id),
        sender_id: ParticipantId::from(message.sender_id),
        lamport_timestamp_ms: message.lamport_timestamp_ms.unwrap_or(0),
        content: Bytes::copy_from_slice(message.payload().unwrap_or_default()),
        late,
        own,
    }
}
