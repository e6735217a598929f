//! The counts of a channel, under the names that JavaScript gives them.

use sds::output::ChannelStatus;
use wasm_bindgen::prelude::*;

use crate::shapes;

macro_rules! counts {
    ($($field:ident $name:literal)*) => {
        /// As an object. Counts beyond 2^53 are rounded.
        pub fn from_channel_status(it: &ChannelStatus) -> JsValue {
            // No rest: a count that is added to the engine must be added here.
            let ChannelStatus { $($field),* } = *it;
            shapes::counts(concat!($($name, " "),*), &[$($field as f64),*])
        }
    };
}

counts! {
    received "received"
    sent "sent"
    logged "logged"
    missing "missing"
    lost "lost"
    waiting "waiting"
    unacknowledged "unacknowledged"
    possibly_acknowledged "possiblyAcknowledged"
    given_up "givenUp"
    acknowledged "acknowledged"
    held "held"
    duplicates "duplicates"
    delivered_early "deliveredEarly"
    filters_refused "filtersRefused"
    missing_untracked "missingUntracked"
    repair_requests "repairRequests"
    repair_answers "repairAnswers"
    repairs_requested "repairsRequested"
    repairs_answered "repairsAnswered"
    repaired "repaired"
    repairs_refused "repairsRefused"
    lamport_timestamp_ms "lamportTimestampMs"
    log_evicted "logEvicted"
    whole_dropped "wholeDropped"
    ids_forgotten "idsForgotten"
    filter_evicted "filterEvicted"
    refilters_refused "refiltersRefused"
    evidence_dropped "evidenceDropped"
    confirmations_dropped "confirmationsDropped"
    namings_dropped "namingsDropped"
}
