//! One channel: what a participant keeps for it, and what it tells.
//!
//! RFC: Participant state
//!
//! A pure state machine. It knows no store, no lock and no clock: the time comes in with every call. The protocol's
//! steps lie in files of their own, and only they touch two parts of the state at once:
//!
//! | step | file | what it does |
//! |---|---|---|
//! | Send, Ephemeral, SDS-R send | `send` | drafts messages, and takes them in once they are encoded |
//! | Receive, Deliver | `receive` | takes in a message: acks, filter, dependencies, log |
//! | SDS-R receive | `requests` | what a received message asks for, and what it settles |
//! | the sweeps, Sync | `tick` | what falls due: resends, losses, answers, sync messages |
//! | | `ahead` | what is stamped too far ahead: held messages, and our own clock |
//! | | `seed` | takes in what the host knows from before |
//! | | `durable` | writes out what a call changed, and reads it back |

// Bytes of strangers come here: nothing overflows and no index is out of bounds, or it says why it cannot.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod ahead;
mod clock;
mod dump;
mod durable;
mod ids;
mod incoming;
mod log;
mod outgoing;
mod pace;
mod receive;
pub mod repair;
mod requests;
mod retention;
mod seed;
mod send;
mod sync;
mod tally;
mod tick;
mod whole;

use std::sync::Arc;

pub use durable::{ChannelRecord, ChannelSummary, Records, stored_content, stored_hint};
pub use ids::Ids;
pub use receive::Received;
pub use seed::Known;
pub use send::{Draft, Drafted};

use crate::bloom::RollingFilter;
use crate::config::Config;
use crate::error::Error;
use crate::idhash::{IdHash, IdHasher};
use crate::output::{ChannelOptions, ChannelStatus, Event, Hint, MessageState, MessageStatus, Output};
use crate::types::{ChannelId, Dependency, Message, MessageId, ParticipantId, Profile, TimeMs};
use clock::Clock;
use incoming::Incoming;
use log::Log;
use outgoing::Outgoing;
use repair::{Answers, Requests};
use retention::Retention;
use sync::Sync;

/// The state of one participant in one channel.
#[derive(Debug)]
pub struct Channel {
    id: ChannelId,
    config: Arc<Config>,
    me: ParticipantId,
    options: ChannelOptions,
    profile: Profile,
    ids: IdHasher,
    rng: fastrand::Rng,
    /// Since when the network is unreachable.
    offline_since_ms: Option<TimeMs>,
    clock: Clock,
    filter: RollingFilter,
    log: Log,
    incoming: Incoming,
    outgoing: Outgoing,
    sync: Sync,
    /// The outgoing repair request buffer.
    requests: Requests,
    /// The incoming repair request buffer.
    answers: Answers,
    /// With [`ChannelOptions::from_now`]: the timestamp at and below which nothing is waited for.
    floor_ms: Option<u64>,
    refilter: Refilter,
    counters: Counters,
    outputs: Vec<Output>,
    /// A received message told what nobody may tell again.
    heard: bool,
    /// What is on disk, if anything is.
    retention: Option<Retention>,
}

/// What is counted and never goes down.
#[derive(Debug, Default)]
struct Counters {
    received: u64,
    sent: u64,
    duplicates: u64,
    delivered_early: u64,
    filters_refused: u64,
    refilters_refused: u64,
    repaired: u64,
}

/// How many duplicates re-entered the filter within the current minute.
#[derive(Debug, Default)]
struct Refilter {
    minute: u64,
    count: usize,
}

impl Channel {
    /// An empty channel. `seed` is its own: two channels of a manager get different ones.
    pub fn new(id: ChannelId, options: ChannelOptions, config: Arc<Config>, seed: u64, now_ms: TimeMs) -> Self {
        let profile = options.profile.unwrap_or(config.profile);
        let mut rng = fastrand::Rng::with_seed(seed);
        let filter_seed = config.seed.unwrap_or_else(|| rng.u64(..));
        Self {
            profile,
            options,
            ids: IdHasher::new([rng.u64(..), rng.u64(..)]),
            offline_since_ms: None,
            clock: Clock::new(now_ms, config.clock_step_ms),
            filter: RollingFilter::new(profile, &config, filter_seed),
            log: Log::new(&config),
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            sync: Sync::new(profile == Profile::Rfc || config.sync_in_libsds, &config),
            requests: Requests::default(),
            answers: Answers::default(),
            floor_ms: None,
            refilter: Refilter::default(),
            me: ParticipantId::from(&*config.participant_id),
            counters: Counters::default(),
            outputs: Vec::new(),
            heard: false,
            retention: None,
            rng,
            config,
            id,
        }
    }

    /// Its id.
    pub fn id(&self) -> &ChannelId {
        &self.id
    }

    /// How it was opened.
    pub fn options(&self) -> ChannelOptions {
        self.options
    }

    /// The format it writes.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The number that the next message of the log will have: one more with each that enters it.
    pub fn next_number(&self) -> u64 {
        self.log.next_number()
    }

    /// How much came up for the host since it was last asked.
    pub fn outputs_len(&self) -> usize {
        self.outputs.len()
    }

    /// Takes what came up for the host since it was last asked. Ask after every call that takes the time.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Tells whether the network is reachable: offline, nothing is sent, and nothing missing is given up, since nobody
    /// could fetch it. Its deadlines move on by as long as that lasts.
    pub fn set_online(&mut self, online: bool, now_ms: TimeMs) {
        let now = self.clock.observe(now_ms);
        if online {
            self.leave(now_ms);
        } else {
            self.offline_since_ms.get_or_insert(now.steady_ms);
        }
    }

    /// The channel leaves memory now, or is online: the time offline up to here is taken in.
    pub fn leave(&mut self, now_ms: TimeMs) {
        let offline_ms = self.offline_ms(now_ms);
        if self.offline_since_ms.take().is_some() {
            self.incoming.postpone(offline_ms);
        }
    }

    /// The channel is back in memory. `missed_ms`: how long the network was unreachable meanwhile; `offline`: since now, it
    /// is again or still.
    pub fn come_back(&mut self, missed_ms: u64, offline: Option<TimeMs>) {
        if missed_ms > 0 {
            self.incoming.postpone(missed_ms);
        }
        self.offline_since_ms = offline.map(|now_ms| self.clock.to_steady(now_ms));
    }

    /// How long the network has been unreachable now, as far as that is not taken in.
    pub fn offline_ms(&self, now_ms: TimeMs) -> u64 {
        self.offline_since_ms.map_or(0, |since_ms| self.clock.to_steady(now_ms).saturating_sub(since_ms))
    }

    fn is_online(&self) -> bool {
        self.offline_since_ms.is_none()
    }

    /// Takes in the time and does nothing else: enough for a backward step of the host's clock to shift the deadlines.
    pub fn observe(&mut self, now_ms: TimeMs) {
        self.clock.observe(now_ms);
    }

    /// When [`Channel::tick`] has something to do, in the host's milliseconds. Ask after every other call.
    pub fn next_deadline_ms(&self) -> Option<TimeMs> {
        let [steady, release] = self.deadlines_ms();
        earliest(&[steady.filter(|_| self.is_online()), release])
    }

    /// The same in two parts: the one that moves along when the host's clock steps back, as if the network were reachable,
    /// and the one at which a message that is stamped too far ahead has its place.
    pub fn deadlines_ms(&self) -> [Option<TimeMs>; 2] {
        let release = self.log.first_held_ms().map(|stamp| stamp.saturating_sub(self.max_drift_ms()));
        let asking = self.requests.next_due_ms(&self.config).filter(|_| self.sync.is_enabled());
        let sending =
            earliest(&[self.outgoing.next_due_ms(), self.sync.next_due_ms(), asking, self.answers.next_due_ms()]);
        let steady = earliest(&[sending, self.incoming.next_deadline_ms()]);
        [steady.map(|due| self.clock.to_host(due)), release]
    }

    /// Tells that messages are here by other means: who waits for them waits no longer. They enter neither filter nor
    /// log, and are delivered should they come.
    pub fn mark_dependencies_met(&mut self, message_ids: &[&str], now_ms: TimeMs) {
        self.clock.observe(now_ms);
        let hashes: Vec<_> = message_ids.iter().map(|message_id| self.ids.hash(message_id)).collect();
        for hash in &hashes {
            if !self.log.was_received(*hash) {
                self.log.remember(*hash, log::Known::Met);
            }
            self.no_longer_missing(*hash);
        }
        self.deliver_dependents(hashes);
    }

    /// The ids in a message, for [`Channel::unknown`] and [`Channel::receive`].
    pub fn ids_of<'m>(&self, message: &'m Message<'m>) -> Ids<'m> {
        Ids::of(message, &self.ids)
    }

    /// The hash of an id, for [`Channel::unknown`].
    pub fn hash(&self, message_id: &str) -> IdHash {
        self.ids.hash(message_id)
    }

    /// Those of these ids that memory does not know to have been here, each once, in ascending order.
    pub fn unknown(&self, mut hashes: Vec<IdHash>) -> Vec<IdHash> {
        hashes.retain(|hash| !self.log.was_received(*hash) && !self.incoming.is_waiting(*hash));
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    /// These, in ascending order, were in the log once, says the store: for the call that is about to be made. None: it is over.
    pub fn recall(&mut self, hashes: Vec<IdHash>) {
        self.log.recall(hashes);
    }

    /// Sets what others need to fetch a message, or removes it if it is empty. False if the message is not here.
    pub fn set_retrieval_hint(&mut self, message_id: &str, hint: &[u8]) -> bool {
        let hash = self.ids.hash(message_id);
        let hint = (!hint.is_empty()).then(|| Hint::from(hint));
        self.log.set_hint(hash, hint.clone()) || self.incoming.set_hint(hash, hint)
    }

    /// What the next message with content will name in its causal history, in log order.
    pub fn next_history(&self) -> Vec<Dependency> {
        let named = |entry: &log::Entry| Dependency {
            message_id: entry.message_id.clone(),
            retrieval_hint: entry.hint.clone(),
            sender_id: self.named_sender(&entry.sender_id).map(|_| entry.sender_id.clone()),
        };
        self.log.history(false).map(named).collect()
    }

    /// What is named and not here, the first to be lost first.
    pub fn missing(&self) -> Vec<Dependency> {
        self.incoming.missing().map(|(dependency, _)| dependency.clone()).collect()
    }

    /// Our messages that nobody is known to have, in no order.
    pub fn outgoing(&self) -> Vec<(MessageId, MessageState)> {
        self.outgoing.states().map(|(message_id, state, _)| (message_id.clone(), state)).collect()
    }

    /// How far a message of ours got; `None` if it is none of ours, or no longer held.
    pub fn message_status(&self, message_id: &str) -> Option<MessageStatus> {
        self.outgoing.status(self.ids.hash(message_id))
    }

    /// Whether nothing was sent or received yet. Of a channel in use, a count tells at once, whatever it holds.
    pub fn is_unused(&self) -> bool {
        if self.counters.sent > 0 || self.counters.received > 0 || self.outgoing.under_review() > 0 {
            return false;
        }
        let status = self.status();
        let now = self.clock.lamport_ms();
        status == ChannelStatus { lamport_timestamp_ms: now, ..ChannelStatus::default() } && self.floor_ms.is_none()
    }

    /// The counts of the channel.
    pub fn status(&self) -> ChannelStatus {
        let failed = self.outgoing.count(MessageState::Failed) as u64;
        let given_up = failed.saturating_add(self.outgoing.count(MessageState::Unconfirmed) as u64);
        let taken = self.log.taken();
        ChannelStatus {
            received: self.counters.received,
            sent: self.counters.sent,
            logged: self.log.len() as u64,
            missing: self.incoming.missing_len() as u64,
            lost: self.log.lost_len() as u64,
            waiting: self.incoming.waiting_len() as u64,
            unacknowledged: (self.outgoing.under_review() as u64).saturating_sub(given_up),
            possibly_acknowledged: self.outgoing.count(MessageState::PossiblyAcknowledged) as u64,
            given_up,
            acknowledged: self.outgoing.acknowledged_total(),
            held: self.log.held_len() as u64,
            duplicates: self.counters.duplicates,
            delivered_early: self.counters.delivered_early,
            filters_refused: self.counters.filters_refused,
            missing_untracked: self.incoming.untracked,
            repair_requests: self.requests.len() as u64,
            repair_answers: self.answers.len() as u64,
            repairs_requested: self.requests.asked_total(),
            repairs_answered: self.answers.answered_total(),
            repaired: self.counters.repaired,
            repairs_refused: self.answers.refused_total(),
            lamport_timestamp_ms: self.clock.lamport_ms(),
            log_evicted: taken.evicted,
            whole_dropped: taken.whole_dropped.saturating_add(self.incoming.reduced_total),
            ids_forgotten: self.log.ids_forgotten(),
            filter_evicted: self.filter.evicted(),
            refilters_refused: self.counters.refilters_refused,
            evidence_dropped: self.outgoing.evidence_dropped,
            confirmations_dropped: self.sync.confirmations_dropped,
            namings_dropped: taken.namings_dropped,
        }
    }

    /// Whether a sender id is ours. The empty one is nobody's.
    fn is_own(&self, sender_id: &str) -> bool {
        !sender_id.is_empty() && sender_id == self.config.participant_id
    }

    /// Whom a history entry names as the sender of a message: SDS-R needs it, nobody else does (RFC 109, *SDS-R message
    /// fields*).
    fn named_sender<'a>(&self, sender_id: &'a ParticipantId) -> Option<&'a str> {
        Some(sender_id.as_str()).filter(|sender_id| self.config.repairs() && !sender_id.is_empty())
    }

    /// A message is here, or need not be here: it is missing no longer, and not asked for.
    fn no_longer_missing(&mut self, hash: IdHash) {
        self.requests.remove(hash);
        self.incoming.arrived(hash);
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }
}

/// The first of these times, if there is any.
fn earliest(times: &[Option<TimeMs>]) -> Option<TimeMs> {
    times.iter().fold(None, |first: Option<TimeMs>, next| match (first, *next) {
        (Some(first), Some(next)) => Some(first.min(next)),
        (first, next) => first.or(next),
    })
}

/// The message ids that a retry or a cancellation concerns must be ours.
fn unknown_message(message_id: &str) -> Error {
    Error::UnknownMessage(message_id.to_owned())
}

/// An id and its hash, which always travel together.
#[derive(Clone, Debug)]
struct Hashed {
    message_id: MessageId,
    hash: IdHash,
}
