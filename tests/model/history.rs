//! What a run is made of: who takes part, what the network is like, and what happens. Plain data, so that proptest can
//! shrink it and print it.

use proptest::prelude::*;
use sds::Config;
use sds::types::Profile;

use crate::common::{MINUTE, SECOND};

/// Ids in a causal history that names everything: more than a run has messages.
pub const WIDE: usize = 128;
/// Longer than nearly all runs.
const LONG_MS: u64 = 6 * 60 * MINUTE;

#[derive(Clone, Debug)]
pub struct History {
    pub members: Vec<Plan>,
    pub weather: Weather,
    /// Whether hosts fetch what is missing from a store that has all that was ever broadcast.
    pub store: bool,
    /// Whether members ask one another for what is missing (SDS-R).
    pub repair: bool,
    /// Whether causal histories name all there is. Otherwise three ids and a few more, and what is named by nobody is
    /// missed by nobody.
    pub wide: bool,
    /// Decides what the network does to each packet.
    pub seed: u64,
    pub steps: Vec<Step>,
}

/// One participant.
#[derive(Clone, Debug)]
pub struct Plan {
    pub profile: Profile,
    pub sync_in_libsds: bool,
    /// Its clock minus the true time.
    pub skew_ms: i64,
    /// How long after a deadline it ticks.
    pub late_ms: u64,
    /// Limits so small that they are reached; `None`: the defaults.
    pub tight: Option<Tight>,
}

/// Limits that a run reaches.
#[derive(Clone, Debug)]
pub struct Tight {
    pub log_messages: usize,
    pub max_waiting_messages: usize,
    pub max_missing: usize,
    pub max_unacknowledged: usize,
    pub max_acknowledgers: usize,
    pub max_repair_answers: usize,
}

/// What the network does to packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Of a hundred packets, so many do not reach a given participant.
    pub lost: u8,
    /// So many reach it twice.
    pub doubled: u8,
    /// So many come back to their sender.
    pub echoed: u8,
    /// Packets take up to this long, and overtake one another.
    pub delay_ms: u64,
}

/// One thing that happens. `who` counts around the group, `which` around what there is.
#[derive(Clone, Debug)]
pub enum Step {
    /// Somebody says something.
    Say {
        who: u8,
        derived: bool,
        bytes: u16,
    },
    /// Somebody sends an ephemeral message.
    Whisper {
        who: u8,
    },
    /// Time passes, and with it all that falls due.
    Pass {
        ms: u64,
    },
    /// Somebody's host ticks, although nothing need be due.
    Tick {
        who: u8,
    },
    /// Somebody is not reachable. `frozen`: it is not even running, but keeps its state.
    Leave {
        who: u8,
        frozen: bool,
    },
    Return {
        who: u8,
    },
    /// The network falls apart: who is on which side is told by the bits.
    Split {
        sides: u8,
    },
    Join,
    /// Somebody's clock is set.
    Turn {
        who: u8,
        by_ms: i64,
    },
    /// The network brings an old packet once more.
    Replay {
        which: u16,
        to: u8,
    },
    /// Somebody wraps a message again that it sent before.
    Repeat {
        who: u8,
        which: u16,
    },
    /// Somebody asks for one of its messages to be sent once more.
    Retry {
        who: u8,
        which: u16,
    },
    Cancel {
        who: u8,
        which: u16,
    },
    /// Somebody has a missing message from elsewhere.
    Mark {
        who: u8,
        which: u16,
    },
}

impl Plan {
    /// The configuration of participant `name`.
    pub fn config(&self, name: &str, history: &History) -> Config {
        let default = Config::default();
        // Where members are all there is to ask, they are asked for long, and remember for long.
        let long_ms = if history.repair && !history.store { LONG_MS } else { 0 };
        let mut config = Config {
            repair: history.repair,
            dependency_timeout_ms: default.dependency_timeout_ms.max(long_ms),
            repair_window_ms: default.repair_window_ms.max(long_ms),
            profile: self.profile,
            sync_in_libsds: self.sync_in_libsds,
            // As in rfc: the default, a week, is longer than any run.
            max_clock_drift_libsds_ms: default.max_clock_drift_rfc_ms,
            causal_history_size: if history.wide { WIDE } else { 3 },
            ..crate::common::config(name)
        };
        if let Some(tight) = &self.tight {
            config.log_messages = tight.log_messages;
            config.causal_history_size = tight.log_messages.min(3);
            config.max_waiting_messages = tight.max_waiting_messages;
            config.max_missing = tight.max_missing;
            config.max_unacknowledged = tight.max_unacknowledged;
            config.max_acknowledgers = tight.max_acknowledgers;
            config.bloom_capacity = 64;
            config.max_outputs = 16;
            config.max_repair_answers = tight.max_repair_answers;
            config.repair_answers_per_minute = 1;
            // Room for a few whole messages: an rfc filter is large.
            config.log_bytes = if self.profile == Profile::Rfc { 60_000 } else { 1_000 };
        }
        config
    }
}

pub fn histories() -> impl Strategy<Value = History> {
    let switches = (any::<bool>(), any::<bool>(), any::<bool>());
    let steps = prop::collection::vec(steps(), 1..40);
    (fleets(), weathers(), switches, any::<u64>(), steps).prop_map(
        |(members, weather, (store, repair, wide), seed, steps)| History {
            members,
            weather,
            store,
            repair,
            wide,
            seed,
            steps,
        },
    )
}

/// Two to eight participants: all of one kind, or each as it comes.
fn fleets() -> impl Strategy<Value = Vec<Plan>> {
    let kinds =
        || prop_oneof![Just((Profile::Rfc, false)), Just((Profile::Libsds, true)), Just((Profile::Libsds, false))];
    let all_alike = kinds().prop_map(|kind| vec![kind; 8]);
    let mixed = prop::collection::vec(kinds(), 8);
    let tight = prop_oneof![2 => Just(None), 1 => tights().prop_map(Some)];
    let skews = prop_oneof![Just(0), -5_000i64..5_000, -240_000i64..240_000];
    let lates = prop_oneof![3 => Just(0), 1 => 0..3 * SECOND];
    (prop_oneof![all_alike, mixed], prop::collection::vec((skews, lates, tight), 2..=8)).prop_map(|(kinds, plans)| {
        let plan = |((profile, sync_in_libsds), (skew_ms, late_ms, tight))| Plan {
            profile,
            sync_in_libsds,
            skew_ms,
            late_ms,
            tight,
        };
        kinds.into_iter().zip(plans).map(plan).collect()
    })
}

fn tights() -> impl Strategy<Value = Tight> {
    let few = 1usize..4;
    let buffers = (1usize..12, few.clone(), few.clone(), 1usize..5);
    (buffers, few.clone(), few).prop_map(|(buffers, max_acknowledgers, max_repair_answers)| {
        let (log_messages, max_waiting_messages, max_missing, max_unacknowledged) = buffers;
        Tight {
            log_messages,
            max_waiting_messages,
            max_missing,
            max_unacknowledged,
            max_acknowledgers,
            max_repair_answers,
        }
    })
}

fn weathers() -> impl Strategy<Value = Weather> {
    let rates = prop_oneof![Just((0, 0, 0)), (0u8..60, 0u8..40, 0u8..30)];
    let delays = prop_oneof![Just(50), 0..2 * SECOND, 0..40 * SECOND];
    (rates, delays).prop_map(|((lost, doubled, echoed), delay_ms)| Weather { lost, doubled, echoed, delay_ms })
}

fn steps() -> impl Strategy<Value = Step> {
    let (who, which) = (0u8..8, any::<u16>());
    let sizes = prop_oneof![9 => 1u16..20, 1 => 1_000u16..5_000];
    let short = prop_oneof![0..200u64, 0..3 * SECOND, 0..30 * SECOND];
    // In which members come to ask one another.
    let middle = MINUTE / 2..4 * MINUTE;
    let long = prop_oneof![MINUTE..7 * MINUTE, 10 * MINUTE..40 * MINUTE];
    let turns = prop_oneof![-50_000i64..50_000, -1_800_000i64..1_800_000];
    prop_oneof![
        14 => (who.clone(), any::<bool>(), sizes).prop_map(|(who, derived, bytes)| Step::Say { who, derived, bytes }),
        1 => who.clone().prop_map(|who| Step::Whisper { who }),
        10 => short.prop_map(|ms| Step::Pass { ms }),
        4 => middle.prop_map(|ms| Step::Pass { ms }),
        2 => long.prop_map(|ms| Step::Pass { ms }),
        1 => who.clone().prop_map(|who| Step::Tick { who }),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, frozen)| Step::Leave { who, frozen }),
        2 => who.clone().prop_map(|who| Step::Return { who }),
        1 => any::<u8>().prop_map(|sides| Step::Split { sides }),
        1 => Just(Step::Join),
        2 => (who.clone(), turns).prop_map(|(who, by_ms)| Step::Turn { who, by_ms }),
        2 => (which, who.clone()).prop_map(|(which, to)| Step::Replay { which, to }),
        1 => (who.clone(), which).prop_map(|(who, which)| Step::Repeat { who, which }),
        1 => (who.clone(), which).prop_map(|(who, which)| Step::Retry { who, which }),
        2 => (who.clone(), which).prop_map(|(who, which)| Step::Cancel { who, which }),
        1 => (who, which).prop_map(|(who, which)| Step::Mark { who, which }),
    ]
}
