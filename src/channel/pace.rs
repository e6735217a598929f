//! How long until a message of ours is sent again, and how often.

use crate::config::Config;
use crate::output::MessageState;

/// How long until a message is sent again, and how often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    interval_ms: u64,
    possibly_interval_ms: u64,
    jitter_percent: u64,
    pub max_resends: u32,
}

impl Pace {
    pub fn of(config: &Config) -> Self {
        Self {
            interval_ms: config.resend_interval_ms,
            possibly_interval_ms: config.possibly_resend_interval_ms,
            jitter_percent: u64::from(config.resend_jitter_percent),
            max_resends: config.max_resends,
        }
    }

    /// The wait after `resends` resends: doubling, with jitter from the second on, and longer if filters hold it.
    pub fn wait_ms(&self, state: MessageState, resends: u32, rng: &mut fastrand::Rng) -> u64 {
        let base = match state {
            MessageState::PossiblyAcknowledged => self.possibly_interval_ms,
            _ => self.interval_ms,
        };
        let wait = base.saturating_mul(1 << resends.min(16));
        let jitter = if resends == 0 { 0 } else { wait.saturating_mul(self.jitter_percent) / 100 };
        wait.saturating_add(rng.u64(0..=jitter))
    }
}
