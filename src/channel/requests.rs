//! Requests for repair, on reception: what a message settles, what we will ask for, and what others ask for.
//!
//! RFC: SDS-R receive message

use super::repair::{in_response_group, t_resp_wait_ms};
use super::whole::Whole;
use super::{Channel, clock::Now};
use crate::idhash::IdHash;
use crate::output::Event;
use crate::types::{Dependency, Message, MessageId, ParticipantId};

impl Channel {
    /// The message itself, if we may have to answer for it.
    pub(super) fn whole_if_answerable(&self, bytes: &[u8], message: &Message<'_>, now: Now) -> Option<Whole> {
        let groups = self.config.num_response_groups();
        let answerable = self.config.repairs()
            && in_response_group(&self.config.participant_id, message.sender_id, message.message_id, groups);
        answerable.then(|| Whole::received(bytes, message, now))
    }

    /// A message that can be sent again, its id and its sender: one in the log, or one that waits. Sync messages name what
    /// waits too, and whoever misses it must find somebody who answers.
    pub(super) fn whole(&self, hash: IdHash) -> Option<(&MessageId, &ParticipantId, &Whole)> {
        let logged = self.log.whole(hash).map(|(entry, whole)| (&entry.message_id, &entry.sender_id, whole));
        logged.or_else(|| self.incoming.whole(hash))
    }

    /// Who sent a message that is in the log, or waits.
    pub(super) fn sender_of(&self, hash: IdHash) -> Option<&ParticipantId> {
        self.log.sender_of(hash).or_else(|| self.incoming.sender_of(hash))
    }

    /// A message with content came for the first time. We need not ask for it any more.
    pub(super) fn repaired_if_asked(&mut self, hash: IdHash, message_id: &str) {
        if self.requests.remove(hash) > 0 {
            self.counters.repaired = self.counters.repaired.saturating_add(1);
            self.emit(Event::Repaired { message_id: MessageId::from(message_id) });
        }
    }

    /// A message that we have came once more: somebody broadcast it, and we need not. Another one under its id, made up,
    /// must not keep us from answering.
    pub(super) fn cancel_answer(&mut self, hash: IdHash, bytes: &[u8], message: &Message<'_>) {
        if !self.answers.contains(hash) {
            return;
        }
        if self.whole(hash).is_none_or(|(_, _, whole)| whole.is(bytes, message)) {
            self.answers.cancel(hash);
        }
    }

    /// A message is named that is not here: it will be asked for.
    pub(super) fn ask_for(&mut self, hash: IdHash, missing: &Dependency, now: Now) {
        if self.config.repairs() {
            self.requests.add(hash, missing, now.steady_ms, &self.config);
        }
    }

    /// What a message asks for, we need not ask for; and if we have it and may answer, we will, unless somebody else does
    /// first. Who sent it is told by what we have: what the request claims may be made up.
    ///
    /// A message that is older than T_max, out of a store or replayed, asks for nothing any more: whoever sent it has asked
    /// anew or has been answered. A sender's clock may lag as far as it may run ahead: who waits for what it misses stamps
    /// by that clock alone, since only what is delivered moves it.
    pub(super) fn take_up_requests(&mut self, message: &Message<'_>, now: Now) {
        let stamp_ms = message.lamport_timestamp_ms.unwrap_or(0);
        let age_ms = self.config.repair_t_max_ms.saturating_add(self.config.max_clock_drift_rfc_ms);
        let is_fresh = stamp_ms.saturating_add(age_ms) >= now.wall_ms;
        if !self.config.repairs() || !is_fresh {
            return;
        }
        for entry in message.repair_request.iter().filter(|entry| !entry.message_id.is_empty()) {
            let hash = self.ids.hash(entry.message_id);
            self.requests.set_aside(hash, now.steady_ms, &self.config);
            let (me, t_max_ms) = (&self.config.participant_id, self.config.repair_t_max_ms);
            if let Some((message_id, sender_id, whole)) = self.whole(hash) {
                let (wait_ms, size) = (t_resp_wait_ms(me, sender_id, message_id, t_max_ms), whole.len());
                let due_ms = now.steady_ms.saturating_add(wait_ms);
                self.answers.add(hash, due_ms, size, now.steady_ms, &self.config);
            } else if self.sender_of(hash).is_some_and(|sender_id| {
                !in_response_group(me, sender_id, entry.message_id, self.config.num_response_groups())
            }) {
                self.answers.leave_to_others(now.steady_ms, &self.config);
            }
        }
    }
}
