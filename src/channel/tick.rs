//! What falls due: resends, losses, answers to requests for repair, sync messages.
//!
//! RFC: Periodic Incoming Buffer Sweep; Periodic Outgoing Buffer Sweep; Periodic Sync Message
//! RFC: SDS-R incoming repair request buffer sweep; SDS-R Periodic Sync Message

use super::outgoing::Step;
use super::pace::Pace;
use super::send::Draft;
use super::{Channel, log};
use crate::output::{Event, Output, Transmit, TransmitReason};
use crate::types::TimeMs;

impl Channel {
    /// Does what is due. Early, late and extra calls do no harm. A sync message that is due comes back as a draft: the
    /// caller encodes [`Channel::message`] without content, and broadcasts it.
    pub fn tick(&mut self, now_ms: TimeMs) -> Option<Draft> {
        let now = self.clock.observe(now_ms);
        self.release_held(now.wall_ms);
        self.log.drop_whole_before(now.steady_ms.saturating_sub(self.config.repair_window_ms));
        if !self.is_online() {
            return None;
        }
        self.sweep_incoming(now.steady_ms);
        self.sweep_outgoing(now.steady_ms);
        self.sweep_answers(now.steady_ms);
        self.requests.bring_back(now.steady_ms, &self.config);
        self.sync_if_due(now.steady_ms)
    }

    /// Missing messages whose time is up are lost, and what waited for them is delivered. What is overdue even so waits for
    /// what came later and waits in turn, or in a cycle: it is delivered, in the order of the log, and before it what it
    /// names.
    fn sweep_incoming(&mut self, steady_ms: TimeMs) {
        let mut lost = Vec::new();
        while let Some((hash, dependency)) = self.incoming.take_lost(steady_ms) {
            self.requests.remove(hash);
            self.log.remember(hash, log::Known::Lost);
            self.emit(Event::Lost(dependency));
            lost.push(hash);
        }
        // All at once: in log order, whichever of them each waited for.
        self.deliver_dependents(lost);
        for hash in self.incoming.overdue(steady_ms) {
            self.deliver_waiting(hash);
        }
    }

    /// Unacknowledged messages are broadcast again, as they were, before possibly acknowledged ones.
    fn sweep_outgoing(&mut self, steady_ms: TimeMs) {
        let pace = Pace::of(&self.config);
        for hash in self.outgoing.due(steady_ms) {
            let output = match self.outgoing.step(hash, steady_ms, &pace, &mut self.rng) {
                None => continue,
                Some(Step::GiveUp(event)) => Output::Event(event),
                Some(Step::Resend { message_id, bytes }) => {
                    self.answers.cancel(hash);
                    Output::Transmit(Transmit { message_id, reason: TransmitReason::Resend, bytes })
                }
            };
            self.outputs.push(output);
        }
    }

    /// Requests whose T_resp has passed are answered with the message as it was received, or sent.
    fn sweep_answers(&mut self, steady_ms: TimeMs) {
        while let Some(hash) = self.answers.take_due(steady_ms, &self.config) {
            // It may have left the log meanwhile: then others answer.
            let Some((message_id, _, whole)) = self.whole(hash) else { continue };
            let (message_id, bytes) = (message_id.clone(), whole.bytes.clone());
            self.answers.answered(hash, steady_ms, &self.config);
            let answer = Transmit { message_id: message_id.clone(), reason: TransmitReason::RepairAnswer, bytes };
            self.outputs.push(Output::Transmit(answer));
            self.emit(Event::RepairAnswered { message_id });
        }
    }

    /// A sync message goes out when it is time for one, and when there is something to ask for, whatever others sent.
    fn sync_if_due(&mut self, steady_ms: TimeMs) -> Option<Draft> {
        if self.sync.is_due(steady_ms) {
            self.sync.fire(steady_ms, &self.config, &mut self.rng);
        } else if self.sync.is_enabled() && self.requests.is_due(steady_ms, &self.config) {
            self.sync.sent(steady_ms, &mut self.rng);
        } else {
            return None;
        }
        Some(self.draft_sync())
    }
}
