//! What a run is made of, as plain data: it can be drawn from a seed, printed, and read back.

use sds::Config;
use sds::types::Profile;
use serde::{Deserialize, Serialize};

use crate::chance::{Purpose, mix};

pub const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;
/// When every run begins, as the hosts' clocks have it.
pub const START_MS: u64 = 1_790_000_000_000;
/// The one channel.
pub const CHANNEL: &str = "the village square";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub seed: u64,
    pub participants: u32,
    pub format: Format,
    pub weather: Weather,
    /// A node that has every message, and hands it out on request; `None`: there is none.
    pub store: Option<StoreNode>,
    pub speech: Speech,
    pub engine: Engine,
    /// What else happens, in ascending time.
    pub incidents: Vec<Incident>,
    /// Clocks are wrong by up to this much, either way.
    pub skew_ms: u64,
    pub keeping: Keeping,
}

/// What participants write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Rfc,
    Libsds,
    /// Each the one or the other.
    Mixed,
}

/// Where participants keep their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeping {
    /// In memory: a crash only freezes them.
    Memory,
    /// In a store that the engine writes.
    Store,
    /// In the host's own database, which confirms what it was offered.
    Host,
    /// Each in one of the latter two.
    Mixed,
}

/// What the network does to packets. Shares are in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    pub loss: Loss,
    pub delay: Delay,
    /// Packets that arrive twice.
    pub doubled_ppm: u32,
    /// Packets that come back to whoever sent them.
    pub echoed_ppm: u32,
    /// Packets that come later than others by `late_ms` at most, and are overtaken.
    pub late_ppm: u32,
    pub late_ms: u64,
}

/// Which packets do not arrive at a participant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Each by itself.
    Independent { ppm: u32 },
    /// Links are good or bad, and stay so for a while (Gilbert and Elliott): times are means.
    Bursty { good_ppm: u32, bad_ppm: u32, good_ms: u64, bad_ms: u64 },
}

/// How long a packet takes to a participant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delay {
    Uniform {
        least_ms: u64,
        most_ms: u64,
    },
    /// Beyond the least, exponential; the tail is cut.
    Exponential {
        least_ms: u64,
        mean_ms: u64,
        most_ms: u64,
    },
}

/// A store node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreNode {
    /// How long it takes to answer, both ways included.
    pub least_ms: u64,
    pub most_ms: u64,
    /// How long a host waits before it asks again, if there was no answer.
    pub retry_ms: u64,
    /// Broadcasts that the node itself misses.
    pub lost_ppm: u32,
}

/// Who says something when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speech {
    /// Gaps between messages are exponential, and no longer than the cap; each by one of the first `speakers`, by chance.
    Poisson { messages: u32, mean_ms: u64, cap_ms: u64, speakers: u32, least_bytes: u64, most_bytes: u64 },
    /// As it was written down: milliseconds from the start, speaker, bytes.
    Recorded { lines: Vec<(u64, u32, u64)> },
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Milliseconds from the start.
    pub at_ms: u64,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The network falls into so many parts. Packets stay in theirs.
    Split {
        parts: u32,
    },
    Heal,
    /// Somebody comes for the first time, and was not there before.
    Join {
        who: u32,
    },
    /// Somebody goes for good.
    Leave {
        who: u32,
    },
    /// Somebody's host knows that it is not reachable.
    Offline {
        who: u32,
    },
    Online {
        who: u32,
    },
    /// A process dies. What it did last may not have been committed.
    Crash {
        who: u32,
        in_a_call: bool,
    },
    Restart {
        who: u32,
    },
    StoreDown,
    StoreUp,
    /// Somebody's clock is set.
    Turn {
        who: u32,
        by_ms: i64,
    },
}

/// What of the engine's configuration a run sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    pub causal_history_size: usize,
    pub log_messages: usize,
    pub log_bytes: usize,
    pub bloom_capacity: usize,
    pub ack_window_ms: u64,
    pub ack_false_positive: f64,
    pub resend_interval_ms: u64,
    pub possibly_resend_interval_ms: u64,
    pub max_resends: u32,
    pub dependency_timeout_ms: u64,
    pub max_waiting_messages: usize,
    pub max_missing: usize,
    pub max_unacknowledged: usize,
    pub max_hint_bytes: usize,
    pub sync_interval_ms: u64,
    pub sync_interval_max_ms: u64,
    pub sync_confirm_ms: u64,
    pub repair: bool,
    pub repair_t_min_ms: u64,
    pub repair_t_max_ms: u64,
    pub repair_request_size: usize,
    pub repair_window_ms: u64,
}

impl Default for Engine {
    fn default() -> Self {
        let config = Config::default();
        Self {
            causal_history_size: config.causal_history_size,
            log_messages: config.log_messages,
            log_bytes: config.log_bytes,
            bloom_capacity: config.bloom_capacity,
            ack_window_ms: config.ack_window_ms,
            ack_false_positive: config.ack_false_positive,
            resend_interval_ms: config.resend_interval_ms,
            possibly_resend_interval_ms: config.possibly_resend_interval_ms,
            max_resends: config.max_resends,
            dependency_timeout_ms: config.dependency_timeout_ms,
            max_waiting_messages: config.max_waiting_messages,
            max_missing: config.max_missing,
            max_unacknowledged: config.max_unacknowledged,
            max_hint_bytes: config.max_hint_bytes,
            sync_interval_ms: config.sync_interval_ms,
            sync_interval_max_ms: config.sync_interval_max_ms,
            sync_confirm_ms: config.sync_confirm_ms,
            repair: config.repair,
            repair_t_min_ms: config.repair_t_min_ms,
            repair_t_max_ms: config.repair_t_max_ms,
            repair_request_size: config.repair_request_size,
            repair_window_ms: config.repair_window_ms,
        }
    }
}

impl Engine {
    /// Whether a message counts as acknowledged only when no filter can be wrong about it, for all that a run can see.
    pub fn acks_are_sure(&self) -> bool {
        self.ack_false_positive <= Config::default().ack_false_positive
    }
}

impl Scenario {
    pub fn profile(&self, who: u32) -> Profile {
        match self.format {
            Format::Rfc => Profile::Rfc,
            Format::Libsds => Profile::Libsds,
            Format::Mixed if mix(self.seed, Purpose::Scenario, u64::from(who)).is_multiple_of(2) => Profile::Rfc,
            Format::Mixed => Profile::Libsds,
        }
    }

    /// The configuration of one participant.
    pub fn config(&self, who: u32) -> Config {
        let engine = self.engine.clone();
        let default = Config::default();
        Config {
            participant_id: participant_id(who),
            seed: Some(mix(self.seed, Purpose::Engine, u64::from(who))),
            profile: self.profile(who),
            sync_in_libsds: true,
            num_participants: u64::from(self.participants),
            // As in rfc: the default, a week, is longer than any run.
            max_clock_drift_libsds_ms: default.max_clock_drift_rfc_ms,
            causal_history_size: engine.causal_history_size,
            log_messages: engine.log_messages,
            log_bytes: engine.log_bytes,
            bloom_capacity: engine.bloom_capacity,
            ack_window_ms: engine.ack_window_ms,
            ack_false_positive: engine.ack_false_positive,
            resend_interval_ms: engine.resend_interval_ms,
            possibly_resend_interval_ms: engine.possibly_resend_interval_ms,
            max_resends: engine.max_resends,
            dependency_timeout_ms: engine.dependency_timeout_ms,
            max_waiting_messages: engine.max_waiting_messages,
            max_missing: engine.max_missing,
            max_unacknowledged: engine.max_unacknowledged,
            max_hint_bytes: engine.max_hint_bytes,
            sync_interval_ms: engine.sync_interval_ms,
            sync_interval_max_ms: engine.sync_interval_max_ms,
            sync_confirm_ms: engine.sync_confirm_ms,
            repair: engine.repair,
            repair_t_min_ms: engine.repair_t_min_ms,
            repair_t_max_ms: engine.repair_t_max_ms,
            repair_request_size: engine.repair_request_size,
            repair_window_ms: engine.repair_window_ms,
            ..default
        }
    }

    /// How wrong somebody's clock is at the start.
    pub fn skew_of(&self, who: u32) -> i64 {
        let range = self.skew_ms * 2 + 1;
        (mix(self.seed, Purpose::Skew, u64::from(who)) % range) as i64 - self.skew_ms as i64
    }

    /// The same with one setting of the engine changed, as in `sync_confirm_ms=1000`.
    pub fn set(&mut self, setting: &str) -> Result<(), String> {
        let (name, value) = setting.split_once('=').ok_or_else(|| format!("{setting}: not NAME=VALUE"))?;
        let value = serde_json::from_str(value).map_err(|error| format!("{setting}: {error}"))?;
        let mut engine = serde_json::to_value(&self.engine).map_err(|error| error.to_string())?;
        engine[name] = value;
        self.engine = serde_json::from_value(engine).map_err(|error| format!("{setting}: {error}"))?;
        self.config(0).validate().map_err(|error| format!("{setting}: {error}"))
    }
}

pub fn participant_id(who: u32) -> String {
    format!("participant-{who:05}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw;

    #[test]
    fn a_scenario_survives_being_written_down() {
        for seed in 0..50 {
            let scenario = draw::scenario(seed);
            let text = serde_json::to_string(&scenario).unwrap();
            assert_eq!(serde_json::from_str::<Scenario>(&text).unwrap(), scenario);
        }
    }

    #[test]
    fn settings_are_checked_by_name_and_value() {
        let mut scenario = draw::scenario(1);
        scenario.set("sync_confirm_ms=1234").unwrap();
        assert_eq!(scenario.config(0).sync_confirm_ms, 1_234);
        for wrong in ["sync_confirm_ms", "sync_confirm=1", "sync_confirm_ms=soon", "sync_confirm_ms=1"] {
            assert!(scenario.clone().set(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn clocks_are_wrong_by_as_much_as_they_may() {
        let scenario = Scenario { skew_ms: 10, ..draw::scenario(1) };
        let skews: Vec<i64> = (0..1_000).map(|who| scenario.skew_of(who)).collect();
        assert_eq!((skews.iter().min(), skews.iter().max()), (Some(&-10), Some(&10)));
    }
}
