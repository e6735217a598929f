//! All that comes out of the engine: what to transmit, and what happened.
//!
//! What a call learns about its own message it returns itself ([`Wrapped`], [`Unwrapped`]); everything else is an
//! [`Output`], drained by the host.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::types::{Dependency, MessageId, ParticipantId, Profile};

/// One thing that the engine wants done or known, outside the call that caused it.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Bytes to broadcast in the channel.
    Transmit(Transmit),
    /// Something the application may want to show.
    Event(Event),
}

/// Bytes to broadcast, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The message in the bytes.
    pub message_id: MessageId,
    /// Why it goes out.
    pub reason: TransmitReason,
    /// The encoded message.
    pub bytes: Bytes,
}

/// Why bytes go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransmitReason {
    /// A message of ours that is sent for the first time: it had to be stored before.
    Publish,
    /// A message of ours that nobody confirmed (RFC 109, *Periodic Outgoing Buffer Sweep*).
    Resend,
    /// A periodic sync message (RFC 109, *Periodic Sync Message*).
    Sync,
    /// A sync message that asks for missing messages (RFC 109, *SDS-R send message*).
    RepairRequest,
    /// A message that somebody else asked for (RFC 109, *SDS-R incoming repair request buffer sweep*).
    RepairAnswer,
}

/// A fact about messages of one channel. Each fact is told once.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A message that waited for others is now in causal order. `unwrap_incoming` returned its content before, with
    /// the disposition [`Disposition::Waiting`].
    Delivered(Delivered),
    /// A message is named by others and was not received: fetch it by its hint, if there is one.
    Missing(Dependency),
    /// A missing message did not come in time. Should it come after all, it is delivered, marked late.
    Lost(Dependency),
    /// A message from before this channel was opened with [`ChannelOptions::from_now`]: not waited for.
    BeforeUs(Dependency),
    /// Received filters hold a message of ours.
    PossiblyAcknowledged {
        /// Our message.
        message_id: MessageId,
        /// The chance that somebody has it, 0 to 1.
        probability: f64,
    },
    /// Somebody has a message of ours.
    Acknowledged {
        /// Our message.
        message_id: MessageId,
    },
    /// A message of ours was resent as often as configured, and nothing was heard of it. It can be retried.
    Failed {
        /// Our message.
        message_id: MessageId,
    },
    /// The same, but filters hold it: it was possibly acknowledged, and never more.
    Unconfirmed {
        /// Our message.
        message_id: MessageId,
        /// The chance that somebody has it, 0 to 1.
        probability: f64,
    },
    /// We asked the other members for a missing message, for the first time or again (RFC 109, *SDS-R*).
    RepairRequested {
        /// The missing message.
        message_id: MessageId,
        /// How often we have asked for it now. Counted anew for a message that gave way to others for lack of room, and
        /// is named again.
        asks: u32,
    },
    /// We answered a request: a message was broadcast again for somebody who misses it.
    RepairAnswered {
        /// The message.
        message_id: MessageId,
    },
    /// A missing message that we had asked for is here; or, in a libsds channel, it turned out to have no content.
    Repaired {
        /// The message.
        message_id: MessageId,
    },
}

/// A message that became deliverable after it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The message.
    pub message_id: MessageId,
    /// Who sent it.
    pub sender_id: ParticipantId,
    /// Its Lamport timestamp in milliseconds.
    pub lamport_timestamp_ms: u64,
    /// Its content.
    pub content: Bytes,
    /// It had been given up as lost before it came.
    pub late: bool,
    /// Its sender id is ours, though we did not send it from this state.
    pub own: bool,
}

/// How a channel is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelOptions {
    /// The format it writes; `None`: the one of the configuration.
    pub profile: Option<Profile>,
    /// The channel begins with the first message received: what lay before is neither waited for nor missing.
    pub from_now: bool,
    /// Every message id is derived from its message, and others are refused.
    pub derived_ids: bool,
}

/// A message ready to be broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// Its id, the host's own or a derived one.
    pub message_id: MessageId,
    /// Its Lamport timestamp in milliseconds; `None` for an ephemeral message.
    pub lamport_timestamp_ms: Option<u64>,
    /// The bytes to broadcast.
    pub bytes: Bytes,
}

/// What became of a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// In causal order: show it.
    Delivered,
    /// It depends on messages not yet here. A host may show it, marked; [`Event::Delivered`] follows.
    Waiting,
    /// Received before: not delivered again.
    Duplicate,
    /// An echo of a message that we sent.
    Own,
    /// A sync message: it has no content.
    Sync,
    /// Delivered, and remembered nowhere.
    Ephemeral,
    /// Delivered, although it depends on messages from before we joined.
    BeforeUs,
    /// Delivered, after it had been given up as lost.
    Late,
}

/// A received message, borrowed from the bytes it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwrapped<'a> {
    /// Its channel.
    pub channel_id: &'a str,
    /// Its id.
    pub message_id: &'a str,
    /// Who sent it; may be empty.
    pub sender_id: &'a str,
    /// Its Lamport timestamp in milliseconds.
    pub lamport_timestamp_ms: Option<u64>,
    /// The format it came in.
    pub profile: Profile,
    /// Its content; empty in sync messages.
    pub content: &'a [u8],
    /// What became of it.
    pub disposition: Disposition,
    /// Its sender id is ours.
    pub own: bool,
    /// Every dependency of it that is not met now, in the order named.
    pub unmet: Vec<Dependency>,
}

/// How far a message of ours got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Nobody was heard to have it.
    Unacknowledged,
    /// Filters hold it, which is evidence and no proof.
    PossiblyAcknowledged,
    /// Somebody has it.
    Acknowledged,
    /// Given up; nothing was heard of it.
    Failed,
    /// Given up; filters hold it.
    Unconfirmed,
    /// The host took it back: it is not resent.
    Cancelled,
}

/// What is known about one message of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageStatus {
    /// How far it got.
    pub state: MessageState,
    /// The chance that somebody has it, 0 to 1; 1 when acknowledged.
    pub probability: f64,
    /// Its Lamport timestamp in milliseconds.
    pub lamport_timestamp_ms: u64,
    /// Resends so far.
    pub resends: u32,
    /// Participants whose messages gave evidence of it, in the order heard; at most `max_acknowledgers`.
    pub acknowledgers: Vec<Acknowledger>,
}

/// A participant that gave evidence of having a message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledger {
    /// Who.
    pub participant_id: ParticipantId,
    /// It named the message in a causal history; otherwise its filter held it.
    pub certain: bool,
}

/// The sync status of one channel: how much is here, and what is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChannelStatus {
    /// Messages with content delivered from others since the channel was first opened.
    pub received: u64,
    /// Messages of ours since then.
    pub sent: u64,
    /// Messages in the log now.
    pub logged: u64,
    /// Missing messages now.
    pub missing: u64,
    /// Messages given up as lost, and not come since.
    pub lost: u64,
    /// Messages that wait for dependencies now.
    pub waiting: u64,
    /// Messages of ours that await an acknowledgement now, possibly acknowledged ones included.
    pub unacknowledged: u64,
    /// Those of them that are possibly acknowledged.
    pub possibly_acknowledged: u64,
    /// Messages of ours given up, failed or unconfirmed, now.
    pub given_up: u64,
    /// Messages of ours acknowledged since the channel was first opened.
    pub acknowledged: u64,
    /// Delivered messages kept outside the log because their timestamp lies too far ahead.
    pub held: u64,
    /// Duplicates received.
    pub duplicates: u64,
    /// Messages delivered before what they depend on and before their own time: the incoming buffer was full, or the time of
    /// one that names them was up.
    pub delivered_early: u64,
    /// Received filters that were refused.
    pub filters_refused: u64,
    /// Missing ids that were not tracked because too many were.
    pub missing_untracked: u64,
    /// Missing messages that we will ask for, or ask for again (the outgoing repair request buffer).
    pub repair_requests: u64,
    /// Requests of others that we will answer, should nobody else (the incoming repair request buffer).
    pub repair_answers: u64,
    /// Requests of ours that went out, repeated ones included.
    pub repairs_requested: u64,
    /// Requests of others that we answered.
    pub repairs_answered: u64,
    /// Missing messages that came after we had asked for them.
    pub repaired: u64,
    /// Requests of others, repeated ones included, that we could have answered and did not take up, for their number or
    /// size.
    pub repairs_refused: u64,
    /// Our Lamport timestamp, in milliseconds.
    pub lamport_timestamp_ms: u64,
    /// Messages that left the log because `log_messages` were in it, since the channel was first opened.
    pub log_evicted: u64,
    /// Whole messages dropped for `log_bytes` and `max_waiting_bytes`: requests for them are not answered. Names and
    /// contents stay.
    pub whole_dropped: u64,
    /// Ids forgotten for `seen_limit`, received, met, lost and reported ones: should they come again, they are new.
    pub ids_forgotten: u64,
    /// Ids that left our filter before their time for `bloom_capacity`: their senders hear less of them.
    pub filter_evicted: u64,
    /// Duplicates that did not re-enter the filter for `refilter_per_minute`.
    pub refilters_refused: u64,
    /// Filters and participants that were not taken down as evidence for a message of ours, which had enough of them.
    pub evidence_dropped: u64,
    /// Messages that were not remembered as to be confirmed, since 64 were; a sync message confirms them all the same.
    pub confirmations_dropped: u64,
    /// Messages named by fewer than `causal_history_size` histories when 64 younger ones were in line: we name them no more.
    pub namings_dropped: u64,
}

/// The bytes of a retrieval hint, shared.
pub type Hint = Arc<[u8]>;
