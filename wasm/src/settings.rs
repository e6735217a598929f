//! A configuration from JavaScript: values by the places of [`Config`]'s fields, whose names it is told.

use sds::Config;
use sds::types::Profile;
use wasm_bindgen::prelude::*;

use crate::shapes::refused;

/// A field, to be set to a number from JavaScript.
enum Field<'c> {
    Flag(&'c mut bool),
    Small(&'c mut u32),
    Whole(&'c mut u64),
    Count(&'c mut usize),
    Real(&'c mut f64),
}

macro_rules! field_of {
    ($($kind:ty, $field:ident;)*) => {
        $(impl<'c> From<&'c mut $kind> for Field<'c> {
            fn from(field: &'c mut $kind) -> Self {
                Self::$field(field)
            }
        })*
    };
}

field_of! {
    bool, Flag;
    u32, Small;
    u64, Whole;
    usize, Count;
    f64, Real;
}

impl Field<'_> {
    /// False: it cannot hold the number.
    fn set(self, number: f64) -> bool {
        let most = match self {
            Self::Flag(_) => 1.0,
            Self::Small(_) => f64::from(u32::MAX),
            Self::Whole(_) => u64::MAX as f64,
            Self::Count(_) => usize::MAX as f64,
            Self::Real(field) => {
                if number.is_finite() {
                    *field = number;
                }
                return number.is_finite();
            }
        };
        let fits = number >= 0.0 && number <= most && number.fract() == 0.0;
        if fits {
            match self {
                Self::Flag(field) => *field = number == 1.0,
                Self::Small(field) => *field = number as u32,
                Self::Whole(field) => *field = number as u64,
                Self::Count(field) => *field = number as usize,
                Self::Real(_) => {}
            }
        }
        fits
    }
}

/// What an engine is made from.
#[wasm_bindgen]
pub struct Settings(pub(crate) Config);

macro_rules! fields {
    ($($field:ident)*) => {
        /// Sets the field at a place among [`NAMES`]. False: there is none, or it cannot hold the number.
        fn set(config: &mut Config, place: usize, number: f64) -> bool {
            let fields = [$(Field::from(&mut config.$field)),*];
            fields.into_iter().nth(place).is_some_and(|field| field.set(number))
        }

        /// The names of all fields that [`Settings::set`] knows, each with a blank behind it: one text is smaller than many.
        const NAMES: &str = concat!($(stringify!($field), " "),*);
    };
}

fields! {
    auto_open_channels causal_history_size max_clock_drift_rfc_ms max_clock_drift_libsds_ms clock_step_ms log_messages log_bytes
    seen_limit stored_messages stored_ms unload_after_ms max_unconfirmed_bytes bloom_capacity bloom_error_rate ack_window_ms
    refilter_per_minute ack_false_positive max_acknowledgers resend_interval_ms possibly_resend_interval_ms max_resends
    resend_jitter_percent max_unacknowledged max_unacknowledged_bytes dependency_timeout_ms max_waiting_messages
    max_waiting_bytes max_missing sync_interval_ms sync_interval_max_ms sync_confirm_ms sync_in_libsds repair repair_t_min_ms
    repair_t_max_ms num_participants repair_request_size repair_request_interval_ms repair_window_ms max_repair_answers
    repair_answers_per_minute repair_bytes_per_minute max_message_bytes max_id_bytes max_history_entries max_repair_entries
    max_hint_bytes max_filter_bytes max_channels max_outputs max_output_bytes
}

#[wasm_bindgen]
impl Settings {
    /// The defaults, for a participant. `seed`: 64 random bits, from the host.
    #[wasm_bindgen(constructor)]
    pub fn new(participant_id: String, seed: u64) -> Self {
        Self(Config { participant_id, seed: Some(seed), ..Config::default() })
    }

    /// Sets a field of [`Config`] by its place among the names. False: there is none, or it cannot hold the number. Whether
    /// the values go together is checked when the engine is made.
    pub fn set(&mut self, place: usize, value: f64) -> bool {
        set(&mut self.0, place, value)
    }

    /// The format that channels write, unless they are opened with another.
    #[wasm_bindgen(js_name = setProfile)]
    pub fn set_profile(&mut self, profile: &str) -> Result<(), JsValue> {
        self.0.profile = profile_named(profile)?;
        Ok(())
    }

    /// The names of what [`Settings::set`] sets, each with a blank behind it.
    pub fn names() -> String {
        NAMES.to_owned()
    }
}

/// The profile of that name.
pub fn profile_named(name: &str) -> Result<Profile, JsValue> {
    [Profile::Rfc, Profile::Libsds]
        .into_iter()
        .find(|profile| profile.name() == name)
        .ok_or_else(|| refused("INVALID_ARGUMENT", &format!("no profile is called {name}")))
}
