//! What is stamped too far ahead: messages that are held outside the order of the log, and our own clock when its host's was
//! wrong.

use super::Channel;
use super::clock::Now;
use crate::types::TimeMs;

impl Channel {
    /// How far ahead of the time a timestamp may lie and be believed.
    pub(super) fn max_drift_ms(&self) -> u64 {
        self.config.max_clock_drift_ms(self.profile)
    }

    /// Whether a timestamp lies too far ahead to be believed.
    pub(super) fn is_ahead(&self, lamport_ms: u64, now: Now) -> bool {
        lamport_ms > self.believed_ms(now.wall_ms)
    }

    /// The greatest timestamp that is believed.
    fn believed_ms(&self, wall_ms: TimeMs) -> u64 {
        wall_ms.saturating_add(self.max_drift_ms())
    }

    /// Messages that were stamped too far ahead enter the order of the log once time has caught up.
    pub(super) fn release_held(&mut self, wall_ms: TimeMs) {
        if let Some(greatest_ms) = self.log.release(self.believed_ms(wall_ms)) {
            self.clock.raise(greatest_ms);
        }
    }

    /// Somebody else stamps by the time that our host's clock shows, and we stamp what nobody believes for long: that clock
    /// was far ahead, and is back. Ours falls back too, what was stamped by it is held here as it is everywhere else, and
    /// nothing that we remember of stamps lies ahead of the time.
    ///
    /// Unless somebody else says so it may be the time now that is wrong, as on a phone that has just been switched on.
    pub(super) fn fall_back_if_ahead(&mut self, heard_ms: u64, now: Now) {
        let (drift_ms, believed_ms) = (self.max_drift_ms(), self.believed_ms(now.wall_ms));
        let is_ahead = self.clock.lamport_ms() > believed_ms.saturating_add(drift_ms);
        if !is_ahead || heard_ms.abs_diff(now.wall_ms) > drift_ms {
            return;
        }
        self.log.hold_after(believed_ms);
        let latest_ms = self.log.latest().next().map_or(0, |entry| entry.lamport_ms);
        self.clock.fall_back(latest_ms.max(now.wall_ms));
        self.floor_ms = self.floor_ms.map(|floor_ms| floor_ms.min(now.wall_ms));
        self.sync.believe_until(now.wall_ms);
        self.heard = true;
    }
}
