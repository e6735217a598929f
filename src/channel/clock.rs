//! The channel's two clocks: the Lamport clock that orders messages, and a steady one for deadlines.
//!
//! Both are fed by the time that the host passes in; neither ever reads one.

use crate::types::{Profile, TimeMs};

/// Libsds counts its Lamport timestamps in seconds.
const LIBSDS_UNIT_MS: u64 = 1_000;

/// One moment, on both scales.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Now {
    /// The host's clock, for Lamport timestamps: small backward steps are flattened.
    pub wall_ms: TimeMs,
    /// A scale that never runs backwards, for deadlines.
    pub steady_ms: TimeMs,
}

impl Now {
    /// How far the scale of deadlines was ahead of the host's clock then, in milliseconds.
    pub fn ahead_ms(self) -> u64 {
        self.steady_ms.saturating_sub(self.wall_ms)
    }

    /// The moment that was stored as its steady time and [`Now::ahead_ms`].
    pub fn stored(steady_ms: TimeMs, ahead_ms: u64) -> Self {
        Self { wall_ms: steady_ms.saturating_sub(ahead_ms), steady_ms }
    }
}

/// The clocks of one channel.
#[derive(Debug)]
pub(super) struct Clock {
    lamport_ms: u64,
    /// The latest steady time.
    steady_ms: TimeMs,
    /// Steady time minus host time.
    offset_ms: u64,
    step_ms: u64,
}

impl Clock {
    /// The Lamport clock starts at the current epoch time in milliseconds (RFC 109, *Participant state*).
    pub fn new(now_ms: TimeMs, step_ms: u64) -> Self {
        Self { lamport_ms: now_ms, steady_ms: now_ms, offset_ms: 0, step_ms }
    }

    /// The Lamport timestamp, the steady time, and how far that is from the host's.
    pub fn record(&self) -> [u64; 3] {
        [self.lamport_ms, self.steady_ms, self.offset_ms]
    }

    /// The clock of that record.
    pub fn restore([lamport_ms, steady_ms, offset_ms]: [u64; 3], step_ms: u64) -> Self {
        Self { lamport_ms, steady_ms, offset_ms, step_ms }
    }

    /// Takes in the host's time. A backward step beyond `step_ms` moves the scale of the deadlines along with it, so
    /// that nothing falls due later than it would have; a smaller one counts as no time passing.
    pub fn observe(&mut self, now_ms: TimeMs) -> Now {
        let steady_ms = now_ms.saturating_add(self.offset_ms);
        let behind = self.steady_ms.saturating_sub(steady_ms);
        self.steady_ms = self.steady_ms.max(steady_ms);
        if behind > self.step_ms {
            self.offset_ms = self.offset_ms.saturating_add(behind);
            return Now { wall_ms: now_ms, steady_ms: self.steady_ms };
        }
        Now { wall_ms: now_ms.saturating_add(behind), steady_ms: self.steady_ms }
    }

    /// The latest moment, without a new one.
    pub fn latest(&self) -> Now {
        Now { wall_ms: self.to_host(self.steady_ms), steady_ms: self.steady_ms }
    }

    /// A deadline on the host's scale.
    pub fn to_host(&self, steady_ms: TimeMs) -> TimeMs {
        steady_ms.saturating_sub(self.offset_ms)
    }

    /// A time of the host's on the scale of deadlines, which never runs backwards.
    pub fn to_steady(&self, host_ms: TimeMs) -> TimeMs {
        host_ms.saturating_add(self.offset_ms).max(self.steady_ms)
    }

    /// The Lamport timestamp now.
    pub fn lamport_ms(&self) -> u64 {
        self.lamport_ms
    }

    /// The timestamp of the next message: the greater of the time and the clock's next (RFC 109, *Send Message*),
    /// rounded up to what the profile can express. The clock moves only by [`Clock::raise`].
    pub fn next(&self, profile: Profile, now: Now) -> u64 {
        self.expressible(profile, now.wall_ms.max(self.lamport_ms.saturating_add(1)))
    }

    /// The timestamp after another, as the profile counts.
    pub fn after(&self, profile: Profile, lamport_ms: u64) -> u64 {
        self.expressible(profile, lamport_ms.saturating_add(1))
    }

    fn expressible(&self, profile: Profile, lamport_ms: u64) -> u64 {
        match profile {
            Profile::Rfc => lamport_ms,
            Profile::Libsds => lamport_ms.checked_next_multiple_of(LIBSDS_UNIT_MS).unwrap_or(lamport_ms),
        }
    }

    /// The clock was moved by a clock of the host's that was far ahead.
    pub fn fall_back(&mut self, lamport_ms: u64) {
        self.lamport_ms = lamport_ms;
    }

    /// A greater timestamp moves the clock to it (RFC 109, *Deliver Message*).
    pub fn raise(&mut self, lamport_ms: u64) {
        self.lamport_ms = self.lamport_ms.max(lamport_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_backward_steps_are_flattened_and_large_ones_followed() {
        let mut clock = Clock::new(1_000_000, 60_000);
        let now = clock.observe(990_000);
        assert_eq!((now.wall_ms, now.steady_ms), (1_000_000, 1_000_000));
        let now = clock.observe(500_000);
        assert_eq!((now.wall_ms, now.steady_ms), (500_000, 1_000_000));
        assert_eq!(clock.to_host(1_000_500), 500_500, "a deadline half a second off stays half a second off");
        assert_eq!(clock.observe(500_500).steady_ms, 1_000_500);
    }

    #[test]
    fn no_number_overflows() {
        let mut clock = Clock::new(u64::MAX, 60_000);
        assert_eq!(clock.next(Profile::Rfc, Now { wall_ms: 5, steady_ms: 5 }), u64::MAX);
        assert_eq!(clock.next(Profile::Libsds, Now { wall_ms: 5, steady_ms: 5 }), u64::MAX);
        clock.observe(0);
        clock.observe(u64::MAX);
    }
}
